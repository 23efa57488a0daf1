"""The audit: what the tables claim against what the source has, and the repair of what is found."""

import unittest

from audited import AUDITS, Audit
from harness import parameters


class List(Audit):
    def test_a_clean_copy_is_proven(self):
        sim = self.simulator(seed=1, tickets=150, hostile=True)
        file = self.replication()
        self.run_replication(file)
        before, versions = self.remembered(), self.database.versions("gorgias.tickets")
        sim.clear_log()
        result = self.audit(file)
        self.assertEqual({"list"}, {stream["method"] for stream in result.summary["streams"]})
        self.assertEqual({"proven"}, {stream["result"] for stream in result.summary["streams"]})
        self.assertEqual({}, self.gaps(result))
        self.assertEqual(150, result.stream("tickets")["checked"])
        self.assertEqual(before, self.remembered())
        self.assertEqual(versions, self.database.versions("gorgias.tickets"))
        self.assertEqual(len(self.requests()), result.summary["requests"])


    def test_what_vanishes_without_an_event(self):
        sim = self.simulator(seed=2, tickets=120)
        file = self.replication()
        self.run_replication(file)
        sim.advance("1h")
        lost = {stream: sim.mutate("drop", stream=stream)["id"]
                for stream in ("customers", "satisfaction_surveys", "events", "tags", "macros", "views")}
        message = sim.mutate("drop", stream="messages")["id"]
        result = self.audit(file, expect=1)
        expected = {stream: ([], [id]) for stream, id in lost.items()}
        self.assertEqual({**expected, "ticket_messages": ([], [message])}, self.gaps(result))
        self.assertEqual(len(sim.truth("ticket_messages")) + 1, result.stream("ticket_messages")["checked"])
        for stream, id in lost.items():
            hard = stream in ("tags", "macros", "views")
            marked = self.database.column(f"select _deleted_at is not null from gorgias.{stream} where id = {id}")
            self.assertEqual([] if hard else [True], marked, stream)
        self.assert_equals_source()
        self.assertEqual(lost["tags"], self.database.value(f"select gone_keys[1]::bigint from {AUDITS} where stream = 'tags' and gone = 1"))
        self.assertEqual({}, self.gaps(self.audit(file)))

    def test_a_ticket_that_vanishes_takes_its_messages_along(self):
        sim = self.simulator(seed=3, tickets=60)
        file = self.replication({"tickets": None, "ticket_messages": None})
        self.run_replication(file)
        id = sim.mutate("drop", stream="tickets")["id"]   # its messages stay in their list
        self.assertEqual({"tickets": ([], [id])}, self.gaps(self.audit(file, expect=1)))
        left = f"select count(*) from gorgias.ticket_messages where ticket_id = {id} and _deleted_at is null"
        self.assertEqual(0, self.database.value(left))
        self.assert_equals_source("tickets")
        self.assertEqual({}, self.gaps(self.audit(file)))

    def test_marked_or_deleted_as_the_file_says(self):
        sim = self.simulator(seed=4, tickets=30)
        file = self.replication({"tags": {"target_options": {"delete_missing": "soft"}},
                                 "customers": {"target_options": {"delete_missing": "hard"}}})
        self.run_replication(file)
        tag, customer = sim.mutate("drop", stream="tags")["id"], sim.mutate("drop", stream="customers")["id"]
        self.audit(file, expect=1)
        self.assertEqual([True], self.database.column(f"select _deleted_at is not null from gorgias.tags where id = {tag}"))
        self.assertEqual([], self.database.column(f"select 1 from gorgias.customers where id = {customer}"))
        self.assertEqual({}, self.gaps(self.audit(file)))

    def test_rows_that_are_deleted_here_are_fetched_again(self):
        self.simulator(seed=5, tickets=150)
        file = self.replication()
        self.run_replication(file)
        expected = {}
        for stream, count in (("tickets", 7), ("ticket_messages", 5), ("customers", 3), ("events", 150), ("tags", 2), ("users", 1), ("custom_fields", 1)):
            expected[stream] = (sorted(self.take(stream, count)), [])
        found = self.gaps(self.audit(file, expect=1))
        self.assertEqual(expected, {stream: (sorted(missing), gone) for stream, (missing, gone) in found.items()})
        self.assert_equals_source()
        self.assertEqual({}, self.gaps(self.audit(file)))
        # By itself: the event of a young survey, fetched again, names it, and what waits in a queue is due anyway.
        self.run_replication(file)
        expected = {"satisfaction_surveys": (self.take("satisfaction_surveys", 1), [])}
        self.assertEqual(expected, self.gaps(self.audit(file, expect=1)))

    def take(self, stream, count):
        """Deletes the newest rows of a table; returns their ids."""
        ids = self.database.column(f"select id from gorgias.{stream} order by created_datetime desc nulls last, id limit {count}")
        self.database.do(f"delete from gorgias.{stream} where id in ({','.join(map(str, ids))})")
        return [int(id) for id in ids]

    def test_rows_marked_by_mistake_come_back_to_life(self):
        self.simulator(seed=6, tickets=40)
        file = self.replication(("tickets", "customers"))
        self.run_replication(file)
        self.database.do("update gorgias.tickets set _deleted_at = now() where id in (select min(id) from gorgias.tickets)")
        id = self.database.value("select min(id) from gorgias.tickets")
        self.assertEqual({"tickets": ([id], [])}, self.gaps(self.audit(file, expect=1)))
        self.assert_equals_source("tickets")

    def test_back_dated_rows_that_no_walk_has_seen(self):
        sim = self.simulator(seed=7, tickets=60)
        file = self.replication()
        self.run_replication(file)
        sim.advance("1h")
        old = sim.truth("tickets")[20]
        sim.mutate("put", stream="tickets", row={**old, "id": 777, "messages_count": 0})
        survey = sim.truth("satisfaction_surveys")[0]
        sim.mutate("put", stream="satisfaction_surveys", row={**survey, "id": 778, "created_datetime": "2019-05-01T00:00:00+00:00"})
        message = sim.mutate("message_backdate", touch=False)["id"]
        self.run_replication(file, "--streams", "tags")   # anything: no walk goes so far down
        self.assertEqual({"tickets": ([777], []), "satisfaction_surveys": ([778], []), "ticket_messages": ([message], [])},
                         self.gaps(self.audit(file, expect=1)))
        self.assert_equals_source("tickets", "satisfaction_surveys", "ticket_messages")
        self.assertEqual({}, self.gaps(self.audit(file)))

    def test_what_the_next_run_brings_is_no_gap(self):
        sim = self.simulator(seed=8, tickets=80)
        file = self.replication()
        self.run_replication(file)
        before = self.remembered()
        sim.advance("1h")
        for kind in ("ticket_create", "message_create", "customer_create", "survey_create", "ticket_import", "message_backdate",
                     "tag_create", "macro_create", "ticket_delete", "ticket_merge", "message_delete", "customer_merge", "ticket_update",
                     "survey_score"):
            sim.mutate(kind)
        result = self.audit(file)
        self.assertEqual({}, self.gaps(result))
        for stream in ("tickets", "ticket_messages", "customers", "events", "tags"):
            self.assertGreater(result.stream(stream)["not_due"], 0, stream)
        self.assertEqual(before, self.remembered())
        self.assert_equals_source()
        self.run_replication(file)
        self.assert_equals_source()
        self.assertEqual(0, self.queue())

    def test_what_waits_in_the_queue_is_no_gap(self):
        sim = self.simulator(seed=22, tickets=60)
        file = self.replication(("tickets", "ticket_messages"))
        self.run_replication(file)
        sim.advance("1h")
        sim.mutate("message_backdate")
        self.run_replication(file, "--streams", "tickets")
        for streams in ("ticket_messages", "*"):
            result = self.audit(file, "--streams", streams)
            self.assertEqual(({}, 1 if streams != "*" else 0), (self.gaps(result), result.stream("ticket_messages")["not_due"]))
        self.assert_equals_source("tickets", "ticket_messages")

    def test_a_merged_customer(self):
        sim = self.simulator(seed=9, tickets=40)
        file = self.replication(("customers",))
        self.run_replication(file)
        loser = sim.mutate("customer_merge")["id"]
        sim.clear_log()
        self.assertEqual({"customers": ([], [loser])}, self.gaps(self.audit(file, expect=1)))
        self.assertEqual([301], [request["status"] for request in self.requests(f"/api/customers/{loser}")])

    def test_a_redirect_elsewhere_is_no_merge(self):
        """A proxy's login page says nothing of a customer."""
        sim = self.simulator(seed=10, tickets=40)
        file = self.replication(("customers",))
        self.run_replication(file)
        id = sim.mutate("drop", stream="customers")["id"]
        for code in (301, 302):
            sim.add_faults({"match": f"/api/customers/{id}", "fault": "redirect", "args": {"code": code}, "times": "forever"})
            self.assertEqual({}, self.gaps(self.audit(file, expect=1)))
            self.assertEqual(1, self.database.value(f"select count(*) from gorgias.customers where id = {id} and _deleted_at is null"))
            sim.clear_faults()

    def test_content_that_is_stale_is_told_and_is_no_gap(self):
        sim = self.simulator(seed=11, tickets=40)
        file = self.replication()
        self.run_replication(file)
        sim.mutate("message_update", touch=False, event=False)
        sim.mutate("ticket_update", touch=False)
        result = self.audit(file)
        self.assertEqual((1, 1), (result.stream("tickets")["changed"], result.stream("ticket_messages")["changed"]))
        self.assert_equals_source("tickets", "ticket_messages")

    def test_below_the_anchor(self):
        """What a stream does not want is no gap, unless it is here."""
        sim = self.simulator(seed=12, tickets=200, days=400)
        dates = sorted(ticket["updated_datetime"] for ticket in sim.truth("tickets"))
        file = self.replication(source=self.gorgias(anchor_date=dates[100][:10]))
        self.run_replication(file)
        alive = self.alive("tickets")
        self.assertTrue(0 < alive < 200)
        self.assertEqual({}, self.gaps(self.audit(file)))
        self.assertEqual(alive, self.alive("tickets"))
        later = self.replication(source=self.gorgias(anchor_date=dates[150][:10]))
        self.assertEqual({}, self.gaps(self.audit(later)))
        self.assertEqual(alive, self.alive("tickets"))

    def test_a_short_list_is_not_believed(self):
        """An end too early hides rows: those few are asked for, and of many a second reading must miss them, too."""
        sim = self.simulator(seed=13, tickets=450)
        file = self.replication(("tickets", "customers", "ticket_messages", "events"))
        self.run_replication(file)
        for page in (1, 4):
            with self.subTest(page=page):
                for path in ("tickets", "customers", "messages", "events"):
                    sim.add_faults({"match": f"/api/{path}", "request": page, "query": "order_by=created_datetime%3Aasc",
                                    "fault": "early-end"})
                self.assertEqual({}, self.gaps(self.audit(file)))
                self.assert_equals_source("tickets", "customers", "ticket_messages", "events")
                sim.clear_faults()

    def test_many_rows_are_gone(self):
        sim = self.simulator(seed=14, tickets=300)
        file = self.replication(("tickets", "ticket_messages", "tags"))
        self.run_replication(file)
        gone = [ticket["id"] for ticket in sim.truth("tickets")[:150]]
        for id in gone:
            sim.mutate("drop", stream="tickets", id=id)
        found = self.gaps(self.audit(file, expect=1))
        self.assertEqual(sorted(gone), sorted(found["tickets"][1]))
        self.assert_equals_source("tickets")
        self.assertEqual({}, self.gaps(self.audit(file)))

    def test_the_allowance_ends_among_the_questions(self):
        """What was answered is repaired, so that each audit gets further."""
        sim = self.simulator(seed=20, tickets=10, customers=250)
        file = self.replication(("customers",))
        self.run_replication(file)
        gone = sorted(sim.mutate("drop", stream="customers")["id"] for _ in range(9))
        marked = []
        for expect in (1, 1, 1, 0):   # three pages and four questions
            result = self.audit(file, "--max-requests", "7", expect=expect)
            self.assertEqual("list", result.stream("customers")["method"])
            marked += self.gaps(result).get("customers", ([], []))[1]
            self.assertEqual(len(marked) == 9, result.stream("customers")["complete"])
        self.assertEqual(gone, sorted(marked))
        self.assert_equals_source("customers")

    def test_a_reading_that_was_broken_off_claims_nothing(self):
        sim = self.simulator(seed=21, tickets=10, tags=150)
        file = self.replication(("tags",))
        self.run_replication(file)
        sim.advance("1h")
        new = sim.mutate("tag_create")["id"]
        sim.advance("1h")
        sim.add_faults({"match": "/api/tags", "request": 2, "fault": "400", "times": "forever"})
        self.run_replication(file, expect=1)
        sim.clear_faults()
        result = self.audit(file)
        self.assertEqual(({}, 1), (self.gaps(result), result.stream("tags")["not_due"]))
        self.assertEqual(1, self.database.value(f"select count(*) from gorgias.tags where id = {new}"))

    def test_a_list_that_fails_is_not_empty(self):
        sim = self.simulator(seed=15, tickets=120)
        file = self.replication(("tickets", "customers", "tags"))
        self.run_replication(file)
        lost = sim.mutate("drop", stream="customers")["id"]
        sim.set(forbid="/api/tags")
        sim.add_faults({"match": "/api/tickets", "request": 2, "fault": "400", "times": "forever"})
        result = self.audit(file, expect=1)
        self.assertEqual({"customers": ([], [lost])}, self.gaps(result))
        self.assertEqual(["failed", "failed"], [result.stream(stream)["result"] for stream in ("tickets", "tags")])
        sim.set(forbid="")
        sim.clear_faults()
        self.assert_equals_source("tickets", "tags")
        self.assertEqual({}, self.gaps(self.audit(file)))

    def test_faults_in_the_middle_are_ridden_out(self):
        sim = self.simulator(seed=16, tickets=300)
        file = self.replication(("tickets", "ticket_messages", "events", "customers"))
        self.run_replication(file)
        lost = sim.mutate("drop", stream="customers")["id"]
        for fault in ("500", "reset-mid", "garbled", "429"):
            sim.add_faults({"match": "/api/*", "request": 2, "every": 5, "times": 3, "fault": fault, "args": {}})
        self.assertEqual({"customers": ([], [lost])}, self.gaps(self.audit(file, expect=1)))

    def test_objects_without_a_key_let_nothing_go(self):
        sim = self.simulator(seed=17, tickets=30)
        file = self.replication(("tags",))
        self.run_replication(file)
        row = sim.truth("tags")[0]
        sim.mutate("set", stream="tags", id=row["id"], fields={"id": 2 ** 64})
        result = self.audit(file, expect=6)
        self.assertEqual("unfinished", result.stream("tags")["result"])
        self.assertEqual(1, self.database.value(f"select count(*) from gorgias.tags where id = {row['id']}"))

    def test_without_a_complete_run_there_is_no_claim(self):
        sim = self.simulator(seed=18, tickets=30)
        file = self.replication(("tickets", "tags", "users"))
        self.run_replication(file, "--streams", "users")
        self.run_replication(file, "--streams", "tickets", "--limit", "5")
        sim.clear_log()
        result = self.audit(file, expect=6)
        self.assertEqual(["no claim", "no claim", "proven"], [result.stream(stream)["result"] for stream in ("tickets", "tags", "users")])
        self.assertEqual(["/api/users"], [request["path"] for request in self.requests()])

    def test_a_scan_that_a_run_has_left_is_left_alone(self):
        sim = self.simulator(seed=19, tickets=10, customers=2300)
        file = self.replication(("customers",), defaults={"mode": "full-refresh"})
        self.run_replication(file)
        lost = sim.mutate("drop", stream="customers")["id"]
        sim.set(latency="20ms")
        process = self.start("run", file)
        self.wait_for(lambda: (self.database.value("select (walk->'scan'->>'pages')::int from _gorgias_replicate.streams") or 0) >= 21,
                      "21 pages", process)
        self.kill(process)
        sim.set(latency="0")
        before = self.remembered()
        self.assertEqual({"customers": ([], [lost])}, self.gaps(self.audit(file, expect=1)))
        self.assertEqual(before, self.remembered())
        sim.clear_log()
        self.run_replication(file)
        self.assertIn("cursor", parameters(self.requests("/api/customers")[0]))   # it went on where it was ...
        self.assertLessEqual(len(self.requests("/api/customers")), 3)             # ... with all that it had staged
        self.assert_equals_source("customers")


if __name__ == "__main__":
    unittest.main()
