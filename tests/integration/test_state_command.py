"""state: bookmarks shown, reset and set."""

import json
import unittest

from harness import Case, parameters


class State(Case):
    def setUp(self):
        super().setUp()
        self.simulator(seed=304, tickets=250)

    def state(self, file, *arguments, expect=0):
        result = self.command("state", file, *arguments)
        self.assertEqual(expect, result.code, str(result))
        return result

    def show(self, file, *streams):
        return {stream["stream"]: stream for stream in json.loads(self.state(file, "show", *streams, "--output", "json").stdout)["streams"]}

    def fence(self, stream):
        return self.database.value(f"select fence from _gorgias_replicate.streams where stream = '{stream}'")

    def change_silently(self, row):
        self.sim.mutate("ticket_update", id=row["id"], fields={"subject": "silently"}, touch=False)
        return lambda: self.database.value(f"select subject is not distinct from 'silently' from gorgias.tickets where id = {row['id']}")

    def by_age(self):
        return sorted(self.sim.truth("tickets"), key=lambda row: row["updated_datetime"])

    def test_show(self):
        file = self.replication(("tickets", "tags"))
        self.assertEqual({"tickets", "tags"}, set(self.show(file)))
        self.run_replication(file, "--limit", "100")
        shown = self.show(file)
        self.assertIn("span", shown["tickets"]["walk"])
        self.assertEqual(self.bookmark("tickets"), shown["tickets"]["bookmark"])
        self.assertEqual({"tickets"}, set(self.show(file, "tickets")))
        self.assertRegex(self.state(file, "show").stdout, r"(?m)^tickets +gorgias\.tickets .*has read from .* down to .*, goes on below")

    def test_set_has_everything_since_read_again(self):
        file = self.replication(("tickets",))
        self.run_replication(file)
        rows = self.by_age()
        old, new = self.change_silently(rows[20]), self.change_silently(rows[100])
        self.run_replication(file)
        self.assertEqual((False, False), (old(), new()))   # nothing says that they have changed
        fence, bookmark = self.fence("tickets"), self.bookmark("tickets")
        said = self.state(file, "set", "tickets", rows[60]["updated_datetime"]).stdout
        self.assertIn("tickets: bookmark ", said)
        self.assertGreater(self.fence("tickets"), fence)
        self.run_replication(file)
        self.assertEqual((False, True), (old(), new()))
        self.assertEqual(bookmark, self.bookmark("tickets"))
        shown = self.show(file)["tickets"]
        changed = json.loads(self.state(file, "reset", "tickets", "--output", "json").stdout)
        self.assertEqual([{"stream": "tickets", "changed": True, "former_bookmark": shown["bookmark"], "bookmark": None}], changed["streams"])
        self.assertIsNone(self.bookmark("tickets"))
        self.run_replication(file)
        self.assertEqual((True, True), (old(), new()))
        self.assert_equals_source("tickets")

    def test_reset_forgets_an_unfinished_walk(self):
        file = self.replication(("tickets",))
        self.run_replication(file, "--limit", "100")
        self.state(file, "reset", "tickets")
        self.assertIsNone(self.show(file)["tickets"]["walk"])
        self.sim.clear_log()
        self.run_replication(file)
        self.assertNotIn("cursor", parameters(self.requests("/api/tickets")[0]))
        self.assert_equals_source("tickets")

    def test_set_forgets_an_unfinished_walk(self):
        """What it has read lies above the old bookmark: rows since the new one are read all the same."""
        file = self.replication(("tickets",))
        self.run_replication(file)
        rows = self.by_age()
        for changed in (rows[:150], rows[150:190]):   # so far apart that the second walk from the top ends among the former
            self.sim.advance("1h")
            for row in changed:
                self.sim.mutate("ticket_update", id=row["id"], fields={"subject": "again"})
        self.run_replication(file, "--limit", "170")
        self.assertIn("span", self.show(file)["tickets"]["walk"])
        seen = self.change_silently(self.by_age()[-141])
        self.state(file, "set", "tickets", rows[195]["updated_datetime"])
        self.run_replication(file)
        self.assertTrue(seen())
        self.assert_equals_source("tickets")

    def test_reset_drops_the_staging_of_a_scan(self):
        file = self.replication({"tickets": {"mode": "full-refresh"}})
        self.sim.add_faults({"match": "/api/tickets", "request": 3, "fault": "stall", "args": {"keep": 0}})
        process = self.start("run", file)
        self.wait_for(lambda: self.requests("/api/tickets")[2:], "the third page", process)
        self.kill(process)
        self.sim.clear_faults()
        tables = "select relname from pg_class where relnamespace = '_gorgias_replicate'::regnamespace and relname like 'scan%' and relkind = 'r'"
        self.assertEqual(1, len(self.database.column(tables)))
        self.assertIn("scan", self.show(file)["tickets"]["walk"])
        self.state(file, "reset", "tickets")
        self.assertEqual([], self.database.column(tables))
        self.run_replication(file)
        self.assert_equals_source("tickets")

    def test_the_queue_and_other_streams_stay(self):
        file = self.replication(("tickets", "ticket_messages"))
        self.run_replication(file)
        before = self.bookmark("ticket_messages")
        id = self.by_age()[0]["id"]
        self.database.do(f"insert into _gorgias_replicate.queue (object, key, reason) values ('gorgias.ticket_messages', {id}, 'changed')")
        self.state(file, "reset", "tickets")
        self.assertEqual((before, 1), (self.bookmark("ticket_messages"), self.queue()))
        self.state(file, "reset", "ticket_messages", "tickets")
        self.assertEqual(1, self.queue())
        self.run_replication(file)
        self.assertEqual(0, self.queue())
        self.assert_equals_source("tickets", "ticket_messages")

    def test_rows_that_are_asked_for_one_by_one(self):
        file = self.replication(("customers", "customer_details"))
        self.run_replication(file)
        customers = self.sim.truth("customers")
        self.database.do("update gorgias.customer_details set name = 'x', _hash = 0 where id % 2 = 0")
        said = self.state(file, "reset", "customer_details").stdout
        self.assertEqual("customer_details: the next run asks for each of customers again\n", said)
        self.sim.clear_log()
        self.run_replication(file)
        self.assertEqual(len(customers), len(self.requests("/api/customers/")))
        self.assert_equals_source("customers", "customer_details")
        result = self.state(file, "set", "customer_details", "2024-01-01", expect=2)
        self.assertIn("keeps no bookmark", result.stderr)
        self.assertIn("come with those of customers", result.stderr)

    def test_rows_that_are_made(self):
        file = self.replication(("tickets", "ticket_custom_field_values"))
        self.run_replication(file)
        wanted = self.database.rows("select ticket_id, id, value from gorgias.ticket_custom_field_values order by 1, 2")
        damage = "update gorgias.ticket_custom_field_values set value = 'null', _hash = 0"
        made = lambda: self.database.rows("select ticket_id, id, value from gorgias.ticket_custom_field_values order by 1, 2")
        for stream in ("ticket_custom_field_values", "tickets"):
            with self.subTest(stream=stream):
                self.database.do(damage)
                self.assertIn("makes all its rows anew from tickets", self.state(file, "reset", stream).stdout)
                self.run_replication(file)
                self.assertEqual(wanted, made())
        self.assertIn("come with those of tickets", self.state(file, "set", "ticket_custom_field_values", "2024-01-01", expect=2).stderr)
        # A bookmark of tickets is no reason to make them anew, nor one of theirs.
        said = self.state(file, "set", "tickets", self.by_age()[0]["updated_datetime"]).stdout
        self.assertNotIn("ticket_custom_field_values", said)
        self.assertEqual([None], [self.show(file)["ticket_custom_field_values"]["bookmark"]])
        self.run_replication(file)
        self.assertEqual(wanted, made())

    def test_min_interval_does_not_pass_over_it(self):
        file = self.replication({"tickets": {"source_options": {"min_interval": "1h"}}})
        self.run_replication(file)
        self.sim.clear_log()
        self.state(file, "set", "tickets", self.by_age()[0]["updated_datetime"])
        self.run_replication(file)
        self.assertEqual(3, len(self.requests("/api/tickets")))

    def test_a_reset_table_stays_with_its_account(self):
        """Plain http is not told apart, so the state says https by hand."""
        file = self.replication(("tickets",))
        self.run_replication(file)
        self.state(file, "reset", "tickets")
        self.database.do("update _gorgias_replicate.streams set source = 'https://other.gorgias.com'")
        result = self.run_replication(self.replication(("tickets",), source=self.gorgias(base_url="https://one.invalid"), name="one.yaml"), expect=1)
        self.assertIn("was loaded from https://other.gorgias.com", result.stderr)

    def test_while_a_run_is_at_work(self):
        file = self.replication(("tickets", "tags"))
        self.run_replication(file)
        before = self.bookmark("tickets")
        self.sim.add_faults({"match": "/api/tickets", "fault": "stall", "args": {"keep": 0}})
        process = self.start("run", file)
        self.wait_for(lambda: self.requests("/api/tickets")[3:], "the second run", process)
        for arguments in (("reset", "tickets"), ("reset", "tags"), ("set", "tickets", "2020-01-01")):
            result = self.state(file, *arguments, expect=5)
            self.assertIn("is at work on", result.stderr)
        self.assertEqual(before, self.bookmark("tickets"))
        self.state(file, "show")
        self.kill(process)

    def test_wrong_input(self):
        file = self.replication(("tickets", "tags", "account"))
        for arguments in (("reset", "tickets"), ("show",)):   # no state yet
            self.state(file, *arguments)
        self.state(file, "set", "tickets", "2020-01-01", expect=2)
        self.run_replication(file)
        for arguments, said in ((("reset", "ticket"), 'did you mean "tickets"?'), (("reset",), "takes more arguments"), (("set", "tickets"), "takes more"),
                                (("set", "tickets", "2020-01-01", "x"), "takes fewer"), (("set", "tickets", "2099-01-01"), "in the future"),
                                (("set", "tickets", "soon"), "is no datetime"), (("set", "tags", "2020-01-01"), "keeps no bookmark"),
                                (("set", "account", "2020-01-01"), "keeps no bookmark"), (("set", "t*", "2020-01-01"), "fits 2 streams"),
                                (("rest", "tickets"), 'did you mean "reset"?'), ((), "needs an argument: show|reset|set")):
            with self.subTest(arguments=arguments):
                result = self.state(file, *arguments, expect=2)
                self.assertIn(said, result.stderr)
                self.assertIn("HINT", result.stderr)
        for arguments in (("show",), ("reset", "tags")):
            self.state(self.replication(("tags",), target="postgresql:///x?host=/nowhere", name="down.yaml"), *arguments, expect=4)
        self.database.do("truncate gorgias.tickets")
        self.assertIn("is empty", self.state(file, "set", "tickets", "2020-01-01", expect=2).stderr)
        full = self.replication({"tickets": {"mode": "full-refresh"}}, name="full.yaml")
        self.assertIn("heeds no bookmark", self.state(full, "set", "tickets", "2020-01-01", expect=2).stderr)


if __name__ == "__main__":
    unittest.main()
