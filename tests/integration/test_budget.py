"""The budget of an account: what one run and several runs at once take of it."""

import threading
import unittest

from door import Door
from harness import Case, Database

STREAMS = ("tickets", "ticket_messages", "events", "customers", "users", "tags")
SESSIONS = "select count(*) from pg_stat_activity where application_name = 'gorgias-replicate budget' and datname = current_database()"
UNSHARED = "the API budget is not shared with other runs for now"


class Budget(Case):
    def account(self, **options):
        """A bucket that the account's lists fill several times."""
        self.simulator(seed=61, tickets=400, rate="40/4s", **options)
        return self.gorgias(rate={"requests": 40, "per": "4s"})

    def load(self, number, source, **more):
        return self.start("run", self.replication(STREAMS, source=source, defaults={"object": f"copy{number}.{{stream_name}}"},
                                                  name=f"{number}.yaml", **more),
                          "--output", "json", "--progress", "never")

    def assert_kept(self, results):
        """No request was refused, and there were more of them than the bucket holds."""
        stats = self.sim.stats()
        self.assertEqual((0, 0), (stats["429"], sum(result.summary["throttled"] for result in results)))
        self.assertGreater(sum(result.summary["requests"] for result in results), 40)

    def test_one_run(self):
        run = self.finish(self.load(1, self.account(latency="250ms")))
        self.assertEqual((0, 0), (run.code, run.stderr.count(UNSHARED)), str(run))
        self.assert_kept([run])
        self.assertEqual([{"account": self.sim.url, "requests": 40, "per_ms": 4000}],
                         self.database.rows("select account, requests, per_ms from _gorgias_replicate.rate_budget"))

    def test_two_runs_at_once(self):
        source = self.account(latency="250ms")
        runs = [self.load(number, source) for number in (1, 2)]
        results = [self.finish(run) for run in runs]
        self.assertEqual([0, 0], [result.code for result in results], results[0].stderr + results[1].stderr)
        self.assert_kept(results)
        for number in (1, 2):
            self.assert_equals_source(*STREAMS, schema=f"copy{number}")

    def test_what_others_have_taken_is_waited_for(self):
        """Another run of the account has just taken all of it, and the API tells nothing of that."""
        self.simulator(seed=64, tickets=5)
        self.run_replication(self.replication(("teams",)))
        self.sim.clear_log()
        file = self.replication(("tags",), source=self.gorgias(rate={"requests": 40, "per": "1h"}))
        self.database.do("delete from _gorgias_replicate.rate_budget; insert into _gorgias_replicate.rate_budget"
                         " (account, level, requests, per_ms, updated_at)"
                         f" values ('{self.sim.url}', 40, 40, 3600000, clock_timestamp())")
        run = self.start("run", file, "--output", "json", "--progress", "never")
        self.wait_for(lambda: self.database.value(SESSIONS + " and query = 'commit' and state = 'idle'") == 1, "a refusal", run)
        self.assertEqual([], self.sim.log())
        self.database.do("update _gorgias_replicate.rate_budget set level = 10")
        self.assertEqual(0, self.finish(run).code)
        self.assertGreater(self.database.value("select level from _gorgias_replicate.rate_budget"), 10)
        self.assert_equals_source("tags")

    def test_a_session_of_its_own_that_it_can_do_without(self):
        """It breaks in the middle: the run tells of it once, goes on, and has another one after a while."""
        source = self.account()
        # Until then the run has something to do.
        self.sim.add_faults({"match": "/api/events", "request": 10, "fault": "503-html", "args": {"headers": {"Retry-After": "8"}}})
        run = self.load(1, source)
        self.wait_for(lambda: self.database.value(SESSIONS) == 1 and len(self.sim.log()) > 20, "requests", run)
        self.database.do("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'gorgias-replicate budget'"
                         " and datname = current_database()")
        self.wait_for(lambda: self.database.value(SESSIONS) == 0, "its end", run)
        self.wait_for(lambda: self.database.value(SESSIONS) == 1, "another session", run)
        result = self.finish(run)
        self.assertEqual((0, 1), (result.code, result.stderr.count(UNSHARED)), str(result))
        self.assert_kept([result])
        self.assert_equals_source(*STREAMS, schema="copy1")

    def test_a_new_session_that_is_not_answered_holds_nothing_up(self):
        """It would be waited for up to 50 minutes."""
        source = self.account()
        self.sim.add_faults({"match": "/api/events", "request": 10, "fault": "503-html", "args": {"headers": {"Retry-After": "8"}}})
        door = Door(self.folder, self.database.server.place)
        self.addCleanup(door.close)
        run = self.load(1, source, target=self.database.url(host=self.folder) + "&connect_timeout=3000")
        self.wait_for(lambda: self.database.value(SESSIONS) == 1 and len(self.sim.log()) > 20, "requests", run)
        door.deaf_to = b"gorgias-replicate budget"
        self.database.do("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'gorgias-replicate budget'"
                         " and datname = current_database()")
        self.wait_for(lambda: door.unheard, "another session", run)
        result = self.finish(run)
        self.assertEqual((0, 1, 1), (result.code, result.stderr.count(UNSHARED), len(door.unheard)), str(result))
        self.assert_equals_source(*STREAMS, schema="copy1")

    def test_a_role_with_one_connection(self):
        self.simulator(seed=62, tickets=20)
        name = self.database.name + "_one"
        self.database.do(f'create role {name} login connection limit 1;'
                         f' grant create, temporary on database "{self.database.name}" to {name}')
        self.addCleanup(lambda: Database(self.database.server, "postgres").do(
            f'drop database "{self.database.name}" with (force); drop role {name}'))
        result = self.run_replication(self.replication(("tickets", "tags"), target=self.database.url(user=name)))
        self.assertEqual(1, result.stderr.count(UNSHARED), result.stderr)
        self.assert_equals_source("tickets", "tags")

    def test_a_level_that_does_not_answer(self):
        """Somebody holds the table: requests wait for the answer, but not for ever."""
        self.simulator(seed=63, tickets=20)
        file = self.replication(("tickets", "tags"))
        self.run_replication(file)
        self.sim.mutate("tag_create")
        holder = self.hold("begin; lock table _gorgias_replicate.rate_budget in access exclusive mode; select pg_sleep(240)")
        try:
            result = self.run_replication(file)
        finally:
            holder()
        self.assertEqual(1, result.stderr.count(UNSHARED), result.stderr)
        self.assert_equals_source("tickets", "tags")

    def hold(self, sql):
        """Runs a statement in a thread; returns what ends it."""
        ended = threading.Event()

        def work():
            try:
                self.database.do(sql)
            except RuntimeError:   # it is ended
                pass
            ended.set()
        threading.Thread(target=work, daemon=True).start()
        self.wait_for(lambda: self.database.value("select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted"
                                                  " and relation = '_gorgias_replicate.rate_budget'::regclass") == 1, "the lock")

        def end():
            self.database.do("select pg_terminate_backend(pid) from pg_stat_activity where query ~ 'pg_sleep'"
                             " and datname = current_database() and pid <> pg_backend_pid()")
            ended.wait(60)
        return end

    def test_an_audit_takes_part(self):
        source = self.account()
        run = self.load(1, source)
        self.assertEqual(0, self.finish(run).code)
        since = self.database.value("select run_id from _gorgias_replicate.rate_budget")
        result = self.command("audit", f"{self.folder}/1.yaml", "--output", "json", "--progress", "never")
        self.assertEqual(0, result.code, str(result))
        self.assertGreater(self.database.value("select run_id from _gorgias_replicate.rate_budget"), since)


if __name__ == "__main__":
    unittest.main()
