"""Each mistake ends in one clear line, with the exit code that the README names, and before anything was done."""

import json
import threading
import unittest

from door import Door
from harness import Case


class Mistakes(Case):
    """Exit 2: nothing was asked of the API, nothing was written."""

    def setUp(self):
        super().setUp()
        self.simulator(seed=101, tickets=5)

    def assert_nothing_happened(self):
        self.assertEqual([], self.sim.log())
        self.assertEqual(0, self.database.value("select count(*) from pg_namespace where nspname in ('gorgias', '_gorgias_replicate')"))

    def refused(self, file, *options, says=(), env=None):
        result = self.command("run", file, *options, env=env)
        self.assertEqual(2, result.code, str(result))
        for word in (says,) if isinstance(says, str) else says:
            self.assertIn(word, result.stderr)
        self.assertEqual("", result.stdout)
        self.assert_nothing_happened()
        return result

    def file(self, **change):
        """A good file with something changed; None leaves a key out."""
        document = {"source": "GORGIAS", "target": "WAREHOUSE", "defaults": {"mode": "incremental", "object": "gorgias.{stream_name}"},
                    "streams": {"tickets": None}, "connections": {"GORGIAS": self.gorgias(), "WAREHOUSE": self.database.url()}, **change}
        return self.write("bad.yaml", json.dumps({key: value for key, value in document.items() if value is not None}, indent=1))

    def test_files(self):
        cases = {
            "a key that nobody knows": ({"defaults": {"mdoe": "incremental", "object": "g.{stream_name}"}}, ["mdoe", "mode", "bad.yaml:"]),
            "a mode that nobody knows": ({"defaults": {"mode": "incremntal", "object": "g.{stream_name}"}}, ["incremntal", "incremental"]),
            "a stream that nobody knows": ({"streams": {"tickts": None}}, ["tickts", "tickets"]),
            "a variable that nobody knows": ({"defaults": {"object": "g.{stream_nme}"}}, ["stream_nme"]),
            "no source": ({"source": None}, ["source"]), "no target": ({"target": None}, ["target"]), "no streams": ({"streams": None}, ["streams"]),
            "no object": ({"defaults": {"mode": "incremental"}}, ["object"]),
            "an unknown connection": ({"source": "NOWHERE"}, ["NOWHERE"]),
            "a list for a mapping": ({"streams": ["tickets"]}, ["streams"]),
            "two streams into one table": ({"streams": {"tickets": None, "tags": None}, "defaults": {"object": "gorgias.same"}}, ["same"]),
            "backfill without a range": ({"defaults": {"mode": "backfill", "object": "g.{stream_name}"}}, ["range"]),
            "a bad anchor date": ({"connections": {"GORGIAS": self.gorgias(anchor_date="yesterday"), "WAREHOUSE": self.database.url()}},
                                  ["yesterday"]),
            "plain http to another host": ({"connections": {"GORGIAS": self.gorgias(base_url="http://example.com"),
                                                            "WAREHOUSE": self.database.url()}}, ["http"]),
            "no key": ({"connections": {"GORGIAS": {"type": "gorgias", "subdomain": "a", "email": "b@example.com"},
                                        "WAREHOUSE": self.database.url()}}, ["api_key"]),
            "an unset variable": ({"connections": {"GORGIAS": self.gorgias(api_key="${NOT_SET_ANYWHERE}"), "WAREHOUSE": self.database.url()}},
                                  ["NOT_SET_ANYWHERE"]),
            "a source that is no Gorgias": ({"connections": {"GORGIAS": {"type": "mysql"}, "WAREHOUSE": self.database.url()}}, ["mysql"]),
        }
        for name, (change, says) in cases.items():
            with self.subTest(name):
                result = self.refused(self.file(**change), says=says)
                self.assertEqual(1, len([line for line in result.stderr.splitlines() if line and not line.startswith("HINT")]), result.stderr)

    def test_texts_that_are_no_yaml(self):
        bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{c}: &{c} [*{p},*{p},*{p},*{p},*{p},*{p},*{p},*{p}]\n" for p, c in zip("abcdefg", "bcdefgh"))
        for name, text in {"unclosed": "source: [a\n", "tabs": "source:\n\t- a\n", "duplicate": "source: A\nsource: B\ntarget: C\nstreams: {tags: }\n",
                           "bomb": bomb, "deep": "[" * 5000, "empty": "", "binary": "\x00\x01\x02", "a scalar": "hello\n",
                           "two documents": "source: A\n---\nsource: B\n", "large": "# " + "x" * 30_000_000}.items():
            with self.subTest(name):
                self.refused(self.write("bad.yaml", text))

    def test_command_lines(self):
        file = self.replication(("tickets",))
        for arguments in (("run",), ("run", "/nowhere.yaml"), ("run", self.folder), ("rnu", file), ("run", file, "--bogus"), ("run", file, "--mode"),
                          ("run", file, "--mode", "sometimes"), ("run", file, "--limit", "-3"), ("run", file, "--limit", "many"),
                          ("run", file, "--max-duration", "soon"), ("run", file, "--streams", "nothing_like_it"), ("run", file, file),
                          ("run", file, "--log-level", "loud"), ("run", file, "--env", "novalue"), ("run", file, "--output", "xml"), ()):
            with self.subTest(arguments=arguments):
                result = self.command(*arguments)
                self.assertEqual(2, result.code, str(result))
                self.assertTrue(result.stderr)
                self.assert_nothing_happened()


class Warehouse(Case):
    """Exit 4 and 5."""

    def setUp(self):
        super().setUp()
        self.simulator(seed=102, tickets=10)

    def test_unreachable(self):
        for target in ("postgresql:///x?host=/nowhere", "postgresql://127.0.0.1:1/x", f"postgresql:///nosuchdb?host={self.database.server.place}&user=postgres",
                       self.database.url(user="nobody_knows")):
            with self.subTest(target=target):
                result = self.run_replication(self.replication(target=target), expect=4)
                self.assertEqual([], self.sim.log())
                self.assertTrue(result.stderr)

    def test_a_password_stays_secret(self):
        result = self.run_replication(self.replication(target="postgresql://me:hunter2secret@127.0.0.1:1/x"), "--log-level", "debug", expect=4)
        self.assertNotIn("hunter2secret", result.stdout + result.stderr)

    def role(self, name, grants=""):
        self.database.do(f"create role {name} login; {grants}")
        self.addCleanup(self.database.do, f"drop owned by {name} cascade; drop role {name}")
        return self.replication(("tickets", "tags"), target=self.database.url(user=name))

    def test_missing_privileges(self):
        result = self.run_replication(self.role("may_nothing", f'revoke create, temporary on database "{self.database.name}" from public'), expect=4)
        self.assertIn("permission denied", result.stderr)
        self.assertIn("GRANT", result.stderr)   # the hint says what to do
        self.assertEqual([], self.sim.log())

    def test_sufficient_privileges(self):
        """No superuser, no owner of the database: what the documentation asks for is enough."""
        file = self.role("may_load", f'grant create, temporary on database "{self.database.name}" to may_load')
        self.run_replication(file)
        self.sim.mutate("ticket_update")
        result = self.run_replication(file)
        self.assert_equals_source("tickets", "tags", result=result)

    def test_one_table_that_may_not_be_written(self):
        file = self.role("may_some", f'grant create, temporary on database "{self.database.name}" to may_some')
        self.run_replication(file)
        self.database.do("alter table gorgias.tags owner to postgres")
        self.sim.mutate("tag_create")
        self.sim.mutate("ticket_update")
        result = self.command("run", file, "--output", "json")
        self.assertIn(result.code, (1, 4), str(result))
        self.assertIn("tags", result.stderr)

    def test_an_existing_table_of_somebody_else(self):
        self.database.do("create schema gorgias; create table gorgias.tags (id text, name date)")
        result = self.run_replication(self.replication(("tags", "users")), expect=1)
        self.assertIn("tags", result.stderr)
        self.assert_equals_source("users")

    def test_two_runs_at_once(self):
        self.sim.set(latency="200ms")
        file = self.replication()
        process = self.start("run", file)
        self.wait_for(lambda: self.sim.log(), "the first request", process)
        second = self.command("run", file)
        self.assertEqual(5, second.code, str(second))
        self.assertIn(str(process.pid), second.stderr)
        self.sim.set(latency="0")
        first = self.finish(process)
        self.assertEqual(0, first.code, str(first))
        self.assert_equals_source()

    def test_a_connection_that_is_cut(self):
        """The server ends our session: the run goes on with a new one, or fails; a later one is complete."""
        self.sim.set(latency="60ms")
        file = self.replication()
        process = self.start("run", file, "--output", "json")
        self.wait_for(lambda: len(self.sim.log()) > 10, "ten requests", process)
        self.database.do("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
        self.sim.set(latency="0")
        result = self.finish(process)
        self.assertIn(result.code, (0, 1, 4), str(result))
        result = self.run_replication(file)
        self.assert_equals_source(result=result)

    def test_a_statement_that_ends_its_session_each_time(self):
        """What is done again after a lost connection is not done for ever."""
        file = self.replication(("tags",))
        self.run_replication(file)
        self.database.do("create function public.die() returns trigger language plpgsql as $$begin perform pg_terminate_backend(pg_backend_pid());"
                         " return new; end$$; create trigger die before insert on gorgias.tags for each row execute function public.die()")
        self.sim.mutate("tag_create")
        end = "select pg_terminate_backend(pg_backend_pid())"
        for n, streams in enumerate(({"tags": None}, {"users": {"target_options": {"pre_sql": end}}}, {"users": {"target_options": {"post_sql": end}}})):
            with self.subTest(streams=streams):
                result = self.command("run", self.replication(streams, name=f"{n}.yaml"))
                self.assertEqual(4, result.code, str(result))
                self.assertRegex(result.stderr, "the connection broke 50 times in one run")
                self.assertIn("HINT: The server's log says why", result.stderr)

    def test_a_session_that_the_server_takes_for_alive(self):
        """A network that lost it leaves its locks behind: the run ends it itself, and is not turned away by them."""
        self.sim.set(latency="60ms")
        door = Door(self.folder, self.database.server.place)
        self.addCleanup(door.close)
        process = self.start("run", self.replication(target=self.database.url(host=self.folder)), "--output", "json")
        self.wait_for(lambda: len(self.sim.log()) > 10, "ten requests", process)
        door.lose()
        self.sim.set(latency="0")
        result = self.finish(process)
        self.assertEqual(0, result.code, str(result))
        self.assertIn("the warehouse is back", result.stderr)
        self.assert_equals_source(result=result)

    def test_concurrent_readers_and_locks(self):
        """Somebody holds a lock on a table for a while: the run waits for it, and no other stream is lost."""
        file = self.replication(("tags", "tickets"))
        self.run_replication(file)
        self.sim.mutate("tag_rename")
        self.sim.mutate("ticket_update")
        holder = threading.Thread(target=self.database.do, args=("begin; lock table gorgias.tags in share mode; select pg_sleep(2); commit",))
        holder.start()
        self.addCleanup(holder.join)
        self.wait_for(lambda: self.database.value("select count(*) from pg_locks where relation = 'gorgias.tags'::regclass"
                                                  " and mode = 'ShareLock' and granted"), "the lock")
        result = self.finish(self.start("run", file, "--output", "json"))
        self.assertEqual(0, result.code, str(result))
        self.assert_equals_source("tags", "tickets", result=result)


if __name__ == "__main__":
    unittest.main()
