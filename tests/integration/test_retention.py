"""How long what has been is kept: runs of long ago are forgotten, and nothing that is still needed."""

import unittest

from harness import Case

STATE = "_gorgias_replicate"


class Retention(Case):
    def setUp(self):
        super().setUp()
        self.simulator(seed=501, tickets=20)

    def age(self, days, where="true"):
        self.database.do(f"update {STATE}.runs set started_at = started_at - interval '{days} days', ended_at = ended_at - interval '{days} days'"
                         f" where {where}")

    def runs(self, table="runs"):
        return self.database.column(f"select distinct run_id from {STATE}.{table} order by 1")

    def file(self, streams=("tags",), keep="90d", **more):
        return self.replication(streams, env={"GR_KEEP_RUNS": keep} if keep else None, **more)

    def test_old_runs_are_forgotten_and_young_ones_are_not(self):
        file = self.file()
        for _ in range(3):
            self.run_replication(file)
        self.age(91, "run_id < 3")
        self.age(89, "run_id = 3")
        self.assertEqual([1, 2, 3], self.runs())
        result = self.run_replication(file)
        self.assertEqual([3, 4], self.runs())
        self.assertEqual([3, 4], self.runs("stream_runs"))
        self.assertRegex(result.stderr, "forgets runs that are older than GR_KEEP_RUNS runs=2")
        self.assertNotIn("forgets", self.run_replication(file).stderr)

    def test_four_hundred_days_unless_something_else_is_said(self):
        file = self.file(keep=None)
        for days in (401, 399):
            self.age(days, f"run_id = {self.run_replication(file).summary['run_id']}")
        self.run_replication(file)
        self.assertEqual([2, 3], self.runs())
        self.age(5000)
        self.run_replication(file, "--env", "GR_KEEP_RUNS=forever")
        self.assertEqual([2, 3, 4], self.runs())

    def test_what_is_still_needed_stays_however_old(self):
        """The last run of each stream, its last success in each mode, its last audit; whatever says "running"."""
        file = self.file(("tags", "tickets", "users"))
        self.run_replication(file)                                          # 1: the last success of users
        self.run_replication(file, "--streams", "tickets", "--mode", "full-refresh")   # 2: the last in this mode
        self.assertEqual(0, self.command("audit", file, "--streams", "users").code)  # 3: its last audit
        self.assertEqual(0, self.command("audit", file, "--streams", "tags").code)   # 4
        self.sim.set(forbid="/api/users")
        self.run_replication(file, "--streams", "users", expect=1)          # 5: forgotten, users failed again after it
        self.run_replication(file, "--streams", "users", expect=1)          # 6: its last
        self.run_replication(file, "--streams", "tickets")                  # 7: as if it had been killed behind a commit of users
        self.database.do(f"insert into {STATE}.runs (replication, source) select replication, source from {STATE}.runs limit 1")   # 8
        self.database.do(f"insert into {STATE}.stream_runs (run_id, object, stream, status) values (8, 'gorgias.tags', 'tags', 'running')")
        self.database.do(f"update {STATE}.streams set run_id = 7 where object = 'gorgias.users'")
        self.age(1000)
        self.database.do(f"update {STATE}.runs set replication = 'another' where run_id = 8")   # or it would be taken for lost
        before = self.database.rows(f"select * from {STATE}.streams where object = 'gorgias.users'")
        self.run_replication(file, "--streams", "tags,tickets")             # 9
        self.assertEqual([1, 2, 3, 4, 6, 7, 8, 9], self.runs())
        self.assertEqual([3, 4], self.runs("audits"))
        self.assertEqual(before, self.database.rows(f"select * from {STATE}.streams where object = 'gorgias.users'"))
        self.sim.set(forbid="")
        self.run_replication(file)
        self.assert_equals_source("users")
        self.assert_equals_source("tickets")

    def test_all_of_an_unfinished_audit_stays(self):
        file = self.file()
        self.run_replication(file)
        for _ in range(3):
            self.command("audit", file)
        self.age(1000)
        self.database.do(f"update {STATE}.streams set audit = '{{}}'")
        self.run_replication(file)
        self.assertEqual([2, 3, 4], self.runs("audits"))
        self.database.do(f"update {STATE}.streams set audit = null")
        self.run_replication(file)
        self.assertEqual([4], self.runs("audits"))

    def test_data_is_no_history(self):
        file = self.file(("tickets", "ticket_messages"))
        self.run_replication(file)
        self.database.do(f"insert into {STATE}.rejected (digest, run_id, stream, object, key, reason, rejected_at)"
                         " values ('x', 1, 'tickets', 'gorgias.tickets', '1', 'because', now() - interval '1000 days');"
                         f"insert into {STATE}.fields (object, field, first_seen) values ('gorgias.tickets', 'mood', now() - interval '1000 days')")
        self.age(1000)
        self.run_replication(file)
        self.assertEqual([2], self.runs())
        self.assertEqual((1, 1), (self.database.value(f"select count(*) from {STATE}.rejected"), self.database.value(f"select count(*) from {STATE}.fields")))

    def test_runs_of_others_are_not_ours(self):
        """An earlier form of the file is; what another file wrote, or wrote besides, is not."""
        self.run_replication(self.file(("tags", "users"), keep="forever", name="other.yaml"))        # 1: wrote users, which is not ours
        self.run_replication(self.file(("tickets",), keep="forever", name="third.yaml"))             # 2
        self.run_replication(self.file(("tags",), keep="forever"))                                   # 3: ours when the file was shorter
        self.run_replication(self.file(("users",), keep="forever", name="more.yaml"))                # 4: lets nothing be the last of users
        self.run_replication(self.file(("tickets",), keep="forever", name="third.yaml"))             # 5
        self.age(1000)
        self.run_replication(self.file(("tags", "teams")))
        self.assertEqual([1, 2, 4, 5, 6], self.runs())

    def test_only_so_many_at_once(self):
        file = self.file()
        self.run_replication(file)
        self.database.do(f"insert into {STATE}.runs (replication, source, started_at, status) select replication, source, now() - interval '1000 days',"
                         f" 'failed' from {STATE}.runs, generate_series(1, 250)")
        self.run_replication(file)
        self.assertEqual(52, len(self.runs()))
        self.run_replication(file)
        self.assertEqual(3, len(self.runs()))

    def test_a_run_that_was_overtaken_forgets_nothing(self):
        """Another run takes over in the very moment in which this one writes that it has ended."""
        file = self.file()
        self.run_replication(file)
        self.run_replication(file)
        self.age(1000)
        self.database.do(f"create function {STATE}.over() returns trigger language plpgsql as $$ begin"
                         f" update {STATE}.streams set fence = fence + 1; return new; end $$;"
                         f"create trigger over after update of exit_code on {STATE}.runs for each row execute function {STATE}.over()")
        self.run_replication(file)
        self.assertEqual([1, 2, 3], self.runs())
        self.database.do(f"drop trigger over on {STATE}.runs")
        self.run_replication(file)
        self.assertEqual([3, 4], self.runs())

    def test_a_warehouse_that_refuses_it_is_warned_about(self):
        """The run has done its work all the same."""
        file = self.file()
        self.run_replication(file)
        self.age(1000)
        self.database.do(f"create function {STATE}.no() returns trigger language plpgsql as $$ begin raise exception 'not here'; end $$;"
                         f"create trigger no before delete on {STATE}.runs for each row execute function {STATE}.no()")
        result = self.run_replication(file)
        self.assertIn("runs of long ago: not here", result.stderr)
        self.assertEqual([1, 2], self.runs())
        self.assertEqual("succeeded", self.database.value(f"select status from {STATE}.runs where run_id = 2"))


if __name__ == "__main__":
    unittest.main()
