"""status: how a replication stands, from the state alone."""

import json
import unittest

from harness import STREAMS, Case


class Status(Case):
    def setUp(self):
        super().setUp()
        self.simulator(seed=302, tickets=40)

    def status(self, file, *options, **more):
        result = self.command("status", file, "--output", "json", *options, **more)
        self.assertEqual(0, result.code, str(result))
        return json.loads(result.stdout)

    @staticmethod
    def stream(status, name):
        (found,) = [stream for stream in status["streams"] if stream["stream"] == name]
        return found

    def test_before_the_first_run(self):
        file = self.replication()
        status = self.status(file)
        self.assertEqual((False, None), (status["has_run"], status["run"]))
        self.assertEqual({(stream, "never ran") for stream in STREAMS}, {(s["stream"], s["state"]) for s in status["streams"]})
        result = self.command("status", file)
        self.assertEqual(0, result.code, str(result))
        self.assertIn("no run has ever begun", result.stdout)
        self.assertEqual([], self.database.rows("select from pg_namespace where nspname in ('gorgias', '_gorgias_replicate')"))

    def test_after_a_run(self):
        file = self.replication()
        run = self.run_replication(file).summary
        self.sim.clear_log()
        status = self.status(file)
        self.assertEqual([], self.requests())
        self.assertEqual((run["run_id"], "succeeded", 0), tuple(status["run"][key] for key in ("run_id", "status", "exit_code")))
        self.assertEqual(0, status["wrong"])
        for ran in run["streams"]:
            stream = self.stream(status, ran["stream"])
            self.assertEqual(("ok", True, ran["rows_read"], ran["requests"], ran["bookmark"]),
                             (stream["state"], stream["ok"], stream["last_run"]["rows_read"], stream["last_run"]["requests"], stream["bookmark"]))
            self.assertIsNone(stream["audit"])
            self.assertLess(stream["lag_ms"], 600000)
        self.assertEqual(100000, status["budget"]["requests"])
        self.assertIn("all 14 streams are well", self.command("status", file).stdout)
        self.assertEqual(["tags"], [stream["stream"] for stream in self.status(file, "--streams", "tags")["streams"]])

    def test_rows_that_are_made_count(self):
        for id in [ticket["id"] for ticket in self.sim.truth("tickets")][:7]:
            self.sim.mutate("ticket_update", id=id, fields={"custom_fields": {"1": {"id": 1, "value": "a"}, "2": {"id": 2, "value": "b"}}})
        file = self.replication(("tickets", "ticket_custom_field_values"))
        self.run_replication(file)
        made = self.database.value("select count(*) from gorgias.ticket_custom_field_values")
        self.assertGreater(made, 13)
        self.assertRegex(self.command("status", file).stdout, rf"(?m)^✓  ticket_custom_field_values +ok +[0-9a-z ]+ago +{made} ")
        last = self.stream(self.status(file), "ticket_custom_field_values")["last_run"]
        self.assertEqual((0, made, 0, 0), tuple(last[key] for key in ("rows_read", "inserted", "updated", "unchanged")))
        self.run_replication(file, "--streams", "ticket_custom_field_values", "--full-refresh")
        self.assertEqual(made, self.stream(self.status(file), "ticket_custom_field_values")["last_run"]["unchanged"])

    def test_what_is_wrong_is_said(self):
        file = self.replication(("tickets", "tags", "users"))
        self.run_replication(file)
        self.sim.set(forbid="/api/users")
        self.sim.mutate("ticket_update", fields={"mood": "good"})
        self.run_replication(file, expect=1)
        self.database.do("insert into _gorgias_replicate.rejected (digest, run_id, stream, object, key, reason)"
                         " values ('x', 1, 'tags', 'gorgias.tags', '1', 'because')")
        self.database.do("delete from _gorgias_replicate.queue;"
                         "insert into _gorgias_replicate.queue (object, key) select 'gorgias.ticket_messages' || case when i > 990 then '#rows' else '' end, i"
                         " from generate_series(1, 1000) i")
        other = self.replication(("tickets", "tags", "ticket_messages", "users"), name="other.yaml",
                                 source=self.gorgias(rate={"requests": 40, "per": "20s"}))
        status = self.status(other)
        users = self.stream(status, "users")
        self.assertEqual(("failed", False), (users["state"], users["ok"]))
        self.assertIn("403", users["last_run"]["error"])
        self.assertEqual(1, self.stream(status, "tags")["rejected_values"])
        self.assertEqual(["mood"], self.stream(status, "tickets")["new_fields"])
        messages = self.stream(status, "ticket_messages")
        self.assertEqual(("never ran", 1000), (messages["state"], messages["queue"]))
        self.assertEqual((1000 - 39) * 500, messages["queue_drain_ms"])
        result = self.command("status", other)
        self.assertRegex(result.stdout, r"(?m)^✗  users +failed ")
        self.assertRegex(result.stdout, r"(?m)^-  ticket_messages +never ran .* 1,000 +8m")
        for text in ("users: failed in run 2: HTTP 403", "HINT: The role", "tags: 1 values rejected", "tickets: new fields, kept in _extra: mood",
                     "2 of 4 streams need a look"):
            self.assertIn(text, result.stdout)

    def test_streams_that_left_the_file(self):
        self.run_replication(self.replication(("tickets", "tags")))
        status = self.status(self.replication(("tags",)))
        self.assertEqual(("not in file", False), (self.stream(status, "tickets")["state"], self.stream(status, "tickets")["in_file"]))
        self.assertEqual(0, status["wrong"])
        self.assertIn("gorgias.tickets: is in the state, and no stream of this file", self.command("status", self.replication(("tags",))).stdout)

    def test_a_killed_run_is_lost_and_a_live_one_is_running(self):
        file = self.replication(("tickets", "tags"))
        self.run_replication(file)
        self.sim.add_faults({"match": "/api/tags", "fault": "stall", "args": {"keep": 0}})
        process = self.start("run", file)
        self.wait_for(lambda: self.requests("/api/tags")[1:], "the second run", process)
        self.assertEqual("running", self.status(file)["run"]["status"])
        self.kill(process)
        status = self.status(file)
        self.assertEqual("lost", status["run"]["status"])

    def test_an_unfinished_walk(self):
        self.simulator(seed=303, tickets=250)
        file = self.replication(("tickets",))
        self.run_replication(file, "--limit", "100")
        stream = self.stream(self.status(file), "tickets")
        self.assertEqual("unfinished", stream["state"])
        self.assertIn("goes on below", stream["unfinished"])
        self.assertIn("tickets: unfinished: has read from", self.command("status", file).stdout)

    def test_audits(self):
        file = self.replication(("tags",))
        run = self.run_replication(file).summary["run_id"]
        self.database.do("delete from gorgias.tags where id = (select min(id) from gorgias.tags)")
        self.assertEqual(1, self.command("audit", file).code)
        stream = self.stream(self.status(file), "tags")
        self.assertEqual(("gaps found", 1, 0), (stream["state"], stream["audit"]["missing"], stream["audit"]["gone"]))
        self.assertEqual((run, "full-refresh"), tuple(stream["last_run"][key] for key in ("run_id", "mode")))   # an audit is none
        self.assertIn("1 gaps, ", self.command("status", file).stdout)
        self.command("audit", file)
        self.assertEqual("ok", self.stream(self.status(file), "tags")["state"])

    def test_select_is_enough_and_less_is_not(self):
        file = self.replication(("tags",))
        self.run_replication(file)
        self.database.do("create role reader login; create role nobody_special login;"
                         "grant usage on schema _gorgias_replicate to reader; grant select on all tables in schema _gorgias_replicate to reader")
        self.addCleanup(self.database.do, "drop owned by reader; drop role reader; drop role nobody_special")
        self.assertEqual("ok", self.stream(self.status(self.replication(("tags",), target=self.database.url("reader"))), "tags")["state"])
        result = self.command("status", self.replication(("tags",), target=self.database.url("nobody_special")))
        self.assertEqual(4, result.code, str(result))
        self.assertIn("SELECT on all of its tables", result.stderr)

    def test_wrong_input(self):
        file = self.replication(("tags",))
        for arguments, code, said in ((("x.yaml",), 2, "cannot open"), ((file, "tags"), 2, 'unexpected argument "tags"'), ((), 2, "needs an argument: FILE"),
                                      ((file, "--streams", "tag"), 2, 'did you mean "tags"?'), ((file, "--output", "xml"), 2, "wants text|json"),
                                      ((self.folder,), 2, "Is a directory"),
                                      ((self.replication(("tags",), target="postgresql:///x?host=/nowhere", name="down.yaml"),), 4, "PostgreSQL at")):
            with self.subTest(arguments=arguments):
                result = self.command("status", *arguments)
                self.assertEqual((code, ""), (result.code, result.stdout), str(result))
                self.assertIn(said, result.stderr)

    def test_a_state_that_is_not_ours(self):
        file = self.replication(("tags",))
        self.run_replication(file)
        for layout, said in ((99, "is newer than"), (1, "is older than")):
            self.database.do(f"update _gorgias_replicate.version set layout = {layout}")
            result = self.command("status", file)
            self.assertEqual(4, result.code, str(result))
            self.assertIn(said, result.stderr)


if __name__ == "__main__":
    unittest.main()
