"""The audit: what the tables claim against what the source has, and the repair of what is found."""

import signal
import unittest

from harness import Case, SECRETS, parameters

AUDITS = "_gorgias_replicate.audits"


class Audit(Case):
    def audit(self, file, *options, expect=0):
        """`audit FILE --output json`; fails unless it ends with `expect`."""
        result = self.command("audit", file, "--output", "json", "--progress", "never", *options)
        self.assertEqual(expect, result.code, str(result))
        for secret in SECRETS:
            self.assertNotIn(secret, result.stdout + result.stderr)
        return result

    def gaps(self, result):
        """stream -> (ids that were missing, ids that are gone), of the streams that have any."""
        found = {stream["stream"]: ([int(key) for key in stream["missing_keys"]], [int(key) for key in stream["gone_keys"]])
                 for stream in result.summary["streams"]}
        for stream in result.summary["streams"]:
            self.assertEqual(stream["missing"], len(stream["missing_keys"]))
            self.assertEqual(stream["gone"], len(stream["gone_keys"]))
        return {stream: pair for stream, pair in found.items() if pair != ([], [])}

    def rounds(self, file, *options, most=12):
        """Audits until one has come to the end of the round; returns the gaps of all of them."""
        found, codes = {}, []
        for _ in range(most):
            result = self.command("audit", file, "--output", "json", "--progress", "never", *options)
            self.assertIn(result.code, (0, 1, 6), str(result))
            codes.append(result.code)
            for stream, (missing, gone) in self.gaps(result).items():
                kinds = found.setdefault(stream, ([], []))
                kinds[0].extend(missing)
                kinds[1].extend(gone)
            if all(stream["complete"] for stream in result.summary["streams"]):
                return found, codes
        self.fail(f"no end: {codes}")

    def remembered(self):
        return self.database.rows("select object, bookmark, walk, source, mode, source_clock, completed_at from _gorgias_replicate.streams order by 1")


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
        self.assertEqual(0, self.database.value(f"select count(*) from gorgias.ticket_messages where ticket_id = {id} and _deleted_at is null"))
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
        for stream, count in (("tickets", 7), ("ticket_messages", 5), ("customers", 3), ("events", 150), ("satisfaction_surveys", 1),
                              ("tags", 2), ("users", 1), ("custom_fields", 1)):
            expected[stream] = (sorted(self.take(stream, count)), [])
        found = self.gaps(self.audit(file, expect=1))
        self.assertEqual(expected, {stream: (sorted(missing), gone) for stream, (missing, gone) in found.items()})
        self.assert_equals_source()
        self.assertEqual({}, self.gaps(self.audit(file)))

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
        for kind in ("ticket_create", "message_create", "customer_create", "survey_create", "ticket_import", "message_backdate", "tag_create",
                     "macro_create", "ticket_delete", "ticket_merge", "message_delete", "customer_merge", "ticket_update", "survey_score"):
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
                    sim.add_faults({"match": f"/api/{path}", "request": page, "query": "order_by=created_datetime%3Aasc", "fault": "early-end"})
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


class Ids(Audit):
    """The allowance is too small for the list."""

    def windows(self, stream):
        return self.database.rows(f"select run_id, window_name, missing, gone from {AUDITS} where stream = '{stream}' and method = 'ids'"
                                  " order by checked_at, run_id")

    def test_windows_go_on_from_audit_to_audit(self):
        sim = self.simulator(seed=31, tickets=1000, messages_per_ticket=1)
        file = self.replication(("tickets",))
        self.run_replication(file)
        tickets = sorted(ticket["id"] for ticket in sim.truth("tickets"))
        lost = [tickets[10], tickets[500], tickets[990]]
        for id in lost:
            sim.mutate("drop", stream="tickets", id=id)
        codes, counts = [], []
        for _ in range(8):
            sim.clear_log()
            result = self.command("audit", file, "--output", "json", "--progress", "never", "--max-requests", "3")
            codes.append(result.code)
            counts.append(len(self.requests()))
            self.assertEqual("ids", result.stream("tickets")["method"])
            if result.stream("tickets")["complete"]:
                break
        self.assertLessEqual(max(counts), 3)
        self.assertEqual((1, True), (codes[0], 6 in codes))
        self.assertEqual(sorted(map(str, lost)), sorted(self.database.column(f"select unnest(gone_keys) from {AUDITS}")))
        self.assert_equals_source("tickets")
        self.assertTrue(all(row["window_name"].startswith("id ") for row in self.windows("tickets")))
        self.assertGreater(len(codes), 3)
        found, codes = self.rounds(file, "--max-requests", "3")   # and begins anew
        self.assertEqual(({}, 0), (found, codes[-1]))
        self.assertIsNone(self.database.value("select audit from _gorgias_replicate.streams where stream = 'tickets'"))

    def test_a_short_answer_is_not_believed(self):
        sim = self.simulator(seed=36, tickets=350)
        file = self.replication(("tickets",))
        self.run_replication(file)
        lost = sim.mutate("drop", stream="tickets")["id"]
        for fault in ("shrunk-page", "early-end"):   # one row, and no cursor
            sim.add_faults({"match": "/api/tickets", "query": "ticket_ids=", "request": 1, "times": 1, "fault": fault})
        sim.add_faults({"match": "/api/tickets", "query": "ticket_ids=", "request": 2, "times": 1, "fault": "500"})
        found, codes = self.rounds(file, "--max-requests", "3")
        self.assertEqual({"tickets": ([], [lost])}, found)
        self.assert_equals_source("tickets")

    def test_a_window_that_was_not_answered_comes_again(self):
        sim = self.simulator(seed=37, tickets=350)
        file = self.replication(("tickets",))
        self.run_replication(file)
        lost = sorted(ticket["id"] for ticket in sim.truth("tickets"))[5]
        sim.mutate("drop", stream="tickets", id=lost)
        sim.add_faults({"match": "/api/tickets", "query": "ticket_ids=", "request": 1, "fault": "400"})
        result = self.audit(file, "--max-requests", "4", "--threads", "1", expect=1)
        self.assertEqual(("failed", 0), (result.stream("tickets")["result"], result.stream("tickets")["gone"]))
        found, codes = self.rounds(file, "--max-requests", "4")
        self.assertEqual({"tickets": ([], [lost])}, found)

    def test_tickets_that_others_name(self):
        sim = self.simulator(seed=32, tickets=700)
        file = self.replication(("tickets", "ticket_messages", "satisfaction_surveys", "events"))
        self.run_replication(file)
        ids = self.database.column("select id from gorgias.tickets order by id limit 3 offset 300")
        self.database.do(f"delete from gorgias.tickets where id in ({','.join(map(str, ids))})")
        found, codes = self.rounds(file, "--streams", "tickets,ticket_messages,satisfaction_surveys", "--max-requests", "5")
        self.assertEqual(sorted(map(int, ids)), sorted(found["tickets"][0]))
        self.assert_equals_source("tickets", "ticket_messages")

    def test_messages_are_counted_by_ticket(self):
        sim = self.simulator(seed=33, tickets=400, messages_per_ticket=4)
        file = self.replication(("tickets", "ticket_messages"))
        self.run_replication(file)
        gone = sim.mutate("message_delete", touch=False, event=False)["id"]
        back = sim.mutate("message_backdate", touch=False)["id"]
        taken = self.database.value("select min(id) from gorgias.ticket_messages")
        self.database.do(f"delete from gorgias.ticket_messages where id = {taken}")
        sim.clear_log()
        result = self.audit(file, "--max-requests", "12", expect=1)
        self.assertEqual(["list", "ids"], [result.stream(stream)["method"] for stream in ("tickets", "ticket_messages")])
        missing, dead = self.gaps(result)["ticket_messages"]
        self.assertEqual((sorted([back, taken]), [gone]), (sorted(missing), dead))
        self.assertEqual(3, len(self.requests("/api/messages")))
        self.assert_equals_source("ticket_messages")
        sim.clear_log()
        self.assertEqual({}, self.gaps(self.audit(file, "--max-requests", "12")))
        self.assertEqual([], self.requests("/api/messages"))

    def test_objects_are_asked_for_one_by_one(self):
        sim = self.simulator(seed=34, tickets=900, customers=300)
        file = self.replication(("satisfaction_surveys", "customers"))
        self.run_replication(file)
        customers = sorted(customer["id"] for customer in sim.truth("customers"))
        surveys = sorted(survey["id"] for survey in sim.truth("satisfaction_surveys"))
        sim.mutate("drop", stream="customers", id=customers[0])
        sim.mutate("customer_merge", loser=customers[2])
        sim.mutate("drop", stream="satisfaction_surveys", id=surveys[1])
        for stream, gone in (("customers", [customers[0], customers[2]]), ("satisfaction_surveys", [surveys[1]])):
            found, asked = [], []
            for _ in range(2):
                sim.clear_log()
                result = self.command("audit", file, "--streams", stream, "--output", "json", "--max-requests", "2")
                self.assertEqual("ids", result.stream(stream)["method"])
                found += self.gaps(result).get(stream, ([], []))[1]
                asked += [int(request["path"].rsplit("/", 1)[1]) for request in self.requests()]
            self.assertEqual(gone, found)
            self.assertEqual((customers if stream == "customers" else surveys)[:4], sorted(asked))
            self.assertEqual(len(gone), self.database.value(f"select count(*) from gorgias.{stream} where _deleted_at is not null"))

    def test_events_over_the_allowance_are_said_to_be_unchecked(self):
        sim = self.simulator(seed=35, tickets=300)
        file = self.replication(("events", "tags"))
        self.run_replication(file)
        pages = -(-len(sim.truth("events")) // 100)
        sim.clear_log()
        result = self.audit(file, "--max-requests", str(pages), expect=6)
        self.assertEqual(("unchecked", pages + 1), (result.stream("events")["result"], result.stream("events")["list_requests"]))
        self.assertEqual("proven", result.stream("tags")["result"])
        self.assertEqual([], self.requests("/api/events"))


class Process(Audit):
    def test_a_kill_in_the_middle(self):
        sim = self.simulator(seed=41, tickets=1000, messages_per_ticket=1)
        file = self.replication(("tickets", "ticket_messages"))
        self.run_replication(file)
        before = self.remembered()
        tickets = sorted(ticket["id"] for ticket in sim.truth("tickets"))
        lost = [tickets[5], tickets[500], tickets[990]]
        for id in lost:
            sim.mutate("drop", stream="tickets", id=id)
        for options, pages in ((("--streams", "tickets"), 4), (("--streams", "tickets", "--max-requests", "9"), 6)):
            with self.subTest(options=options):
                sim.set(latency="20ms")
                sim.clear_log()
                process = self.start("audit", file, *options)
                self.wait_for(lambda pages=pages: len(self.requests("/api/tickets")) >= pages, f"{pages} pages", process)
                self.kill(process)
                sim.set(latency="0")
                self.assertEqual(before, self.remembered())
        self.audit(file, expect=1)
        # Each is found once, by one of the three.
        self.assertEqual(sorted(map(str, lost)), sorted(self.database.column(f"select unnest(gone_keys) from {AUDITS}")))
        self.assert_equals_source("tickets")
        self.assertEqual({}, self.gaps(self.audit(file)))

    def test_sigterm_in_the_middle(self):
        sim = self.simulator(seed=42, tickets=700)
        file = self.replication(("tickets", "customers"))
        self.run_replication(file)
        sim.set(latency="30ms")
        sim.clear_log()
        process = self.start("audit", file, "--output", "json")
        self.wait_for(lambda: len(self.requests("/api/tickets")) >= 4, "four pages", process)
        process.send_signal(signal.SIGTERM)
        result = self.finish(process)
        self.assertEqual(6, result.code, str(result))
        self.assertEqual("unfinished", result.stream("tickets")["result"])
        self.assertEqual("stopped", self.database.value("select status from _gorgias_replicate.runs order by run_id desc limit 1"))
        sim.set(latency="0")
        self.assertEqual({}, self.gaps(self.audit(file)))

    def test_the_time_is_over(self):
        sim = self.simulator(seed=43, tickets=500)
        file = self.replication(("tickets",))
        self.run_replication(file)
        sim.set(latency="1s")
        self.audit(file, "--max-duration", "1s", expect=6)

    def test_sessions_that_break(self):
        """Whether a commit was made or not when its session broke: what it found is told once."""
        sim = self.simulator(seed=48, tickets=700)
        file = self.replication(("tickets", "customers", "events"))
        self.run_replication(file)
        for options, method in (((), "list"), (("--streams", "tickets", "--max-requests", "7"), "ids")):
            with self.subTest(method=method):
                tickets = sorted(ticket["id"] for ticket in sim.truth("tickets"))
                lost = [tickets[7], tickets[320], tickets[-1]]
                for id in lost:
                    sim.mutate("drop", stream="tickets", id=id)
                sim.set(latency="30ms")
                process = self.start("audit", file, "--output", "json", "--progress", "never", *options)
                for _ in range(4):
                    sim.clear_log()
                    self.wait_for(lambda p=process: len(self.requests()) > 0 or p.poll() is not None, "a request")
                    self.database.do("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'gorgias-replicate'"
                                     " and datname = current_database()")
                result = self.finish(process)
                sim.set(latency="0")
                self.assertIn(result.code, (1,) if method == "list" else (1, 6), str(result))
                self.assertEqual(method, result.stream("tickets")["method"])
                found = self.gaps(result).get("tickets", ([], []))[1]
                if method == "ids":   # what had to be asked for again has used up the allowance
                    found += self.rounds(file, *options)[0].get("tickets", ([], []))[1]
                self.assertEqual(sorted(lost), sorted(found))
                self.assert_equals_source("tickets")

    def test_exit_codes(self):
        sim = self.simulator(seed=49, tickets=10)
        file = self.replication(("tags",))
        self.run_replication(file)
        for expect, arguments in ((2, (file, "--streams", "nonsense")), (2, (file, "--mode", "incremental")),
                                  (3, (self.replication(("tags",), source=self.gorgias(api_key="wrong"), name="3.yaml"),)),
                                  (4, (self.replication(("tags",), target=self.database.url("nobody"), name="4.yaml"),))):
            with self.subTest(expect=expect, arguments=arguments):
                self.assertEqual(expect, self.command("audit", *arguments).code)
        sim.set(forbid="/api/tags")
        self.assertEqual(1, self.command("audit", file).code)

    def test_one_at_a_time(self):
        sim = self.simulator(seed=44, tickets=90)
        file = self.replication(("tickets",))
        self.run_replication(file)
        sim.set(latency="2s")
        for first, second in (("run", "audit"), ("audit", "run"), ("audit", "audit")):
            with self.subTest(first=first, second=second):
                sim.clear_log()
                process = self.start(first, file)
                self.wait_for(lambda: self.database.value("select count(*) from _gorgias_replicate.runs where status = 'running'") == 1,
                              "the lock", process)
                self.assertEqual(5, self.command(second, file).code)
                self.assertEqual(0, self.finish(process).code)

    def test_the_allowance_is_kept(self):
        sim = self.simulator(seed=45, tickets=400)
        file = self.replication()
        self.run_replication(file)
        for most in (1, 7, 30):
            with self.subTest(most=most):
                sim.clear_log()
                sim.add_faults({"match": "/api/*", "request": 3, "fault": "500"})   # a second try counts, too
                self.audit(file, "--max-requests", str(most), expect=6)
                self.assertLessEqual(len(self.requests()), most)

    def test_what_it_prints(self):
        sim = self.simulator(seed=46, tickets=60)
        file = self.replication({"tickets": None, "tags": None, "users": {"mode": "snapshot"}})
        self.run_replication(file)
        tag, ticket = sim.mutate("drop", stream="tags")["id"], self.database.value("select min(id) from gorgias.tickets")
        self.database.do(f"delete from gorgias.tickets where id = {ticket}")
        result = self.command("audit", file)
        self.assertEqual(1, result.code, str(result))
        self.assertIn(f"\ntickets {ticket} was missing: loaded\ntags {tag} is gone at the source: deleted\n", result.stdout)
        self.assertIn('stream "users" is not audited', result.stderr)
        self.assertEqual(2, self.command("audit", self.replication({"users": {"mode": "snapshot"}}, name="other.yaml")).code)
        run = self.database.rows("select status, exit_code from _gorgias_replicate.runs order by run_id desc limit 1")[0]
        self.assertEqual(("succeeded", 1), (run["status"], run["exit_code"]))

    def test_state_tables_of_layout_1(self):
        self.simulator(seed=47, tickets=20)
        file = self.replication(("tags",))
        self.run_replication(file)
        self.database.do("drop table _gorgias_replicate.audits; alter table _gorgias_replicate.streams drop column audit;"
                         " update _gorgias_replicate.version set layout = 1")
        self.audit(file)
        self.assertEqual(2, self.database.value("select layout from _gorgias_replicate.version"))


if __name__ == "__main__":
    unittest.main()
