"""What is remembered, and what an answer shows, is believed as far as it goes and no further."""

import json
import unittest

from harness import Case


class Memory(Case):
    """The state speaks of rows that were here, and of the source that they came from."""

    def test_a_table_that_was_dropped_or_emptied_begins_anew(self):
        self.simulator(seed=301, tickets=120)
        file = self.replication()
        self.run_replication(file)
        for sql in ("drop table gorgias.{}", "truncate gorgias.{}", "delete from gorgias.{}"):
            for stream in ("tickets", "events", "satisfaction_surveys", "customers", "ticket_messages", "tags"):
                self.database.do(sql.format(stream))
            with self.subTest(sql=sql):
                result = self.run_replication(file)
                self.assertIn("begins anew", result.stderr)
                self.assert_equals_source()

    def test_an_interrupted_first_walk_whose_table_was_dropped(self):
        self.simulator(seed=302, tickets=330)
        file = self.replication(("tickets",))
        self.run_replication(file, "--limit", "150")
        self.database.do("drop table gorgias.tickets")
        self.run_replication(file)
        self.assert_equals_source("tickets")

    def test_a_source_that_never_answered_is_not_remembered(self):
        self.simulator(seed=303, tickets=20)
        file = self.replication(("tickets", "tags"), source=self.gorgias(base_url="https://no-such-host.invalid"))
        self.run_replication(file, expect=3)
        self.assertEqual(0, self.database.value("select count(*) from _gorgias_replicate.streams where bookmark is not null"))
        self.database.do("update _gorgias_replicate.streams set source = 'https://other.gorgias.com'")
        self.run_replication(self.replication(("tickets", "tags"), source=self.gorgias(base_url="https://also.invalid")), expect=3)
        stranger = self.run_replication(self.replication(("tickets", "tags")))
        self.assertNotIn("was loaded from", stranger.stderr)
        self.assert_equals_source("tickets", "tags")

    def test_rows_of_another_source_are_not_mixed(self):
        self.simulator(seed=304, tickets=20)
        self.run_replication(self.replication(("tickets",)))
        self.database.do("update _gorgias_replicate.streams set source = 'https://other.gorgias.com'")
        result = self.run_replication(self.replication(("tickets",), source=self.gorgias(base_url="https://one.invalid")), expect=1)
        self.assertIn("was loaded from https://other.gorgias.com", result.stderr)

    def test_a_column_that_comes_back_is_filled(self):
        self.simulator(seed=305, tickets=40)
        file = self.replication(("tickets", "tags"))
        self.run_replication(file)
        self.database.do("alter table gorgias.tags drop column name; alter table gorgias.tickets drop column subject")
        result = self.run_replication(file)
        self.assertIn("is new", result.stderr)
        self.assert_equals_source("tags")
        self.run_replication(file, "--full-refresh")
        self.assert_equals_source("tickets", "tags")

    def test_a_selection_without_the_columns_that_queues_are_settled_by(self):
        self.simulator(seed=306, tickets=60)
        file = self.replication({"tickets": {"select": ["id", "subject"]}, "ticket_messages": None})
        self.run_replication(file)
        self.assert_equals_source("ticket_messages")
        self.sim.mutate("message_create")
        self.run_replication(file)
        self.assert_equals_source("ticket_messages")


class Age(Case):
    def test_a_value_ahead_of_the_clock_protects_nothing(self):
        sim = self.simulator(seed=311, tickets=30)
        ticket, customer = sim.truth("tickets")[3]["id"], sim.truth("customers")[3]["id"]
        file = self.replication(("tickets", "customers"))
        for stream, id in (("tickets", ticket), ("customers", customer)):
            sim.mutate("set", stream=stream, id=id, fields={"updated_datetime": "2031-01-01T00:00:00+00:00"})
        self.run_replication(file)
        self.assert_equals_source("tickets", "customers")
        sim.advance("1h")
        sim.mutate("ticket_update", id=ticket)
        sim.mutate("customer_update", id=customer)
        self.run_replication(file)
        self.assert_equals_source("tickets", "customers")

    def test_a_full_refresh_makes_equal_whatever_the_age(self):
        sim = self.simulator(seed=312, tickets=30)
        file = self.replication(("tickets",))
        self.run_replication(file)
        id = sim.truth("tickets")[5]["id"]
        sim.mutate("set", stream="tickets", id=id, fields={"updated_datetime": "2002-01-01T00:00:00+00:00", "subject": "as it was"})
        self.run_replication(file, "--full-refresh")
        self.assert_equals_source("tickets")


class Answers(Case):
    """An answer in which something cannot be read does not tell what is missing."""

    def body(self, rows):
        return json.dumps({"object": "list", "data": rows, "meta": {"prev_cursor": None, "next_cursor": None}})

    def copied(self, **options):
        self.simulator(**{"seed": 321, "tickets": 40, **options})
        self.file = self.replication()
        self.run_replication(self.file)
        self.sim.advance("1h")

    def test_a_set_with_an_object_without_its_key(self):
        self.copied()
        ticket = next(row for row in self.sim.truth("tickets") if row["messages_count"] > 2)
        self.sim.mutate("ticket_update", id=ticket["id"])
        rows = [row for row in self.sim.truth("ticket_messages") if row["ticket_id"] == ticket["id"]]
        for spoiled in ([{**rows[0], "id": None}, *rows[1:]], [1]):
            self.sim.mutate("ticket_update", id=ticket["id"])
            self.sim.add_faults({"match": "/api/messages", "query": f"ticket_id={ticket['id']}", "fault": "garbled",
                                 "args": {"body": self.body(spoiled)}})
            with self.subTest(rows=len(spoiled)):
                result = self.run_replication(self.file)
                self.assertEqual(len(rows), self.database.value(f"select count(*) from gorgias.ticket_messages where ticket_id = {ticket['id']}"
                                                                " and _deleted_at is null"))
                self.assertGreater(result.stream("ticket_messages")["rejected"], 0)

    def test_tickets_asked_for_by_id(self):
        """The row that could not be read may be the one that is missing."""
        self.copied()
        gone, there = (row["id"] for row in self.sim.truth("tickets")[:2])
        self.sim.mutate("ticket_delete", id=gone)
        self.sim.add_faults({"match": "/api/tickets", "query": "ticket_ids=", "fault": "garbled", "args": {"body": self.body([{"id": None}])}})
        self.run_replication(self.file)
        self.assertEqual(1, self.database.value(f"select count(*) from gorgias.tickets where id = {there} and _deleted_at is null"))

    def test_what_another_object_answers(self):
        """It says nothing of the one that was asked for, which is asked for again."""
        self.copied()
        self.sim.advance("100d")   # so that surveys change by their events only
        self.run_replication(self.file)
        self.sim.advance("10m")
        survey = min(self.sim.truth("satisfaction_surveys"), key=lambda row: row["id"])
        self.sim.mutate("survey_score", id=survey["id"], score=1 if survey["score"] == 5 else 5)
        asked = {"customers": self.sim.mutate("customer_delete")["id"], "satisfaction-surveys": survey["id"],
                 "custom-fields": self.sim.mutate("object_delete", stream="custom_fields")["id"]}
        for path, id in asked.items():
            other = next(row for row in self.sim.truth(path.replace("-", "_")) if row["id"] != id)
            self.sim.add_faults({"match": f"/api/{path}/{id}", "fault": "garbled", "args": {"body": json.dumps(other)}})
        self.answer_by_rows_of_others()
        result = self.run_replication(self.file)
        self.assertEqual([1] * 5, [rule.fired for rule in self.sim.faults.rules])
        self.assert_equals_source(result=result)

    def answer_by_rows_of_others(self):
        """Of a ticket that an event calls deleted, and of the messages of one that has changed."""
        alive, changed, other = [row["id"] for row in self.sim.truth("tickets") if row["messages_count"] > 1][:3]
        self.sim.account.record("ticket-deleted", "Ticket", alive)
        self.sim.mutate("ticket_update", id=changed)
        for match, query, stream, key in (("/api/tickets", "ticket_ids=", "tickets", "id"),
                                          ("/api/messages", f"ticket_id={changed}", "ticket_messages", "ticket_id")):
            rows = [row for row in self.sim.truth(stream) if row[key] == other]
            self.sim.add_faults({"match": match, "query": query, "fault": "garbled", "args": {"body": self.body(rows)}})

    def test_refusals_and_redirects_delete_nothing(self):
        """All of these are gone; but that is not what the answers say."""
        self.copied()
        gone = {"tickets": [self.sim.mutate("ticket_delete")["id"]], "customers": [self.sim.mutate("customer_delete")["id"] for _ in range(3)],
                "custom_fields": [self.sim.mutate("object_delete", stream="custom_fields")["id"]]}
        forbidden, elsewhere, refused = gone["customers"]
        for match, fault, arguments in (
                ("/api/tickets", "404", {}), (f"/api/customers/{forbidden}", "403", {}), (f"/api/customers/{elsewhere}", "redirect", {"code": 301}),
                (f"/api/customers/{refused}", "400", {}), (f"/api/custom-fields/{gone['custom_fields'][0]}", "redirect", {"code": 301})):
            self.sim.add_faults({"match": match, "query": "ticket_ids=" if fault == "404" else "", "times": "forever", "fault": fault, "args": arguments})
        before = {stream: self.alive(stream, ids) for stream, ids in gone.items()}
        result = self.run_replication(self.file, expect=1)
        self.assertEqual({stream: len(ids) for stream, ids in gone.items()}, before)
        self.assertEqual(before, {stream: self.alive(stream, ids) for stream, ids in gone.items()})
        self.assertEqual(set(gone), {stream["stream"] for stream in result.summary["streams"] if stream["status"] == "failed"})
        self.sim.clear_faults()
        self.assert_equals_source(result=self.run_replication(self.file))

    def alive(self, stream, ids):
        return self.database.value(f"select count(*) from gorgias.{stream} where _deleted_at is null and id in ({', '.join(map(str, ids))})")

    def test_a_page_without_a_single_row_is_not_the_end(self):
        for stream, path in (("tickets", "tickets"), ("customers", "customers"), ("ticket_messages", "messages"), ("tags", "tags")):
            with self.subTest(stream=stream):
                self.database = self.database.server.database()
                self.simulator(seed=323, tickets=330, customers=330, tags=230)
                self.sim.add_faults({"match": f"/api/{path}", "request": 2, "fault": "garbled", "args": {"body": self.body([{"error": "x"}])}})
                self.run_replication(self.replication((stream,)))
                self.assert_equals_source(stream)


if __name__ == "__main__":
    unittest.main()
