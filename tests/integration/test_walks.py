"""Walks through lists that move, break their promises, or are left half-way."""

import json
import signal
import unittest

import truth
from harness import STREAMS, Case, Holder, parameters

SECOND, HOUR, DAY = 1_000_000, 3_600_000_000, 86_400_000_000
WALKED = ("tickets", "ticket_messages", "customers", "events", "satisfaction_surveys")


def iso(us):
    return (truth.EPOCH + truth.timedelta(microseconds=us)).isoformat()


class Positions(Case):
    """Rows at awkward places of the axis."""

    def test_many_rows_of_one_moment(self):
        """Ties over several pages, at the bookmark too."""
        sim = self.simulator(seed=41, tickets=20)
        file = self.replication()
        tie = iso(sim.clock.now() - HOUR)
        ids = [sim.mutate("ticket_create", messages=0)["id"] for _ in range(250)]
        for id in ids:
            sim.mutate("set", stream="tickets", id=id, fields={"updated_datetime": tie, "created_datetime": tie})
        self.run_replication(file)
        self.assert_equals_source("tickets")
        for id in ids[60:200:7]:   # more of the same moment, which is now the bookmark or close to it
            sim.mutate("set", stream="tickets", id=id, fields={"subject": "same moment", "updated_datetime": tie})
        newer = iso(sim.clock.now())
        for id in ids[:130]:
            sim.mutate("set", stream="tickets", id=id, fields={"subject": "newer", "updated_datetime": newer})
        self.run_replication(file)
        late = sim.mutate("ticket_create", messages=0)["id"]
        sim.mutate("set", stream="tickets", id=late, fields={"updated_datetime": newer})
        sim.mutate("set", stream="tickets", id=ids[3], fields={"subject": "at exactly the bookmark", "updated_datetime": newer})
        result = self.run_replication(file)
        self.assertEqual("at exactly the bookmark", self.database.value(f"select subject from gorgias.tickets where id = {ids[3]}"))
        self.assertEqual(1, self.database.value(f"select count(*) from gorgias.tickets where id = {late}"))
        self.assertEqual(1, result.stream("tickets")["inserted"])

    def test_what_commits_late_lies_within_the_lookback(self):
        sim = self.simulator(seed=42, tickets=30)
        file = self.replication()
        self.run_replication(file)
        late = iso(sim.clock.now() - 60 * SECOND)
        ticket = sim.mutate("ticket_create", messages=1)["id"]
        sim.mutate("set", stream="tickets", id=ticket, fields={"updated_datetime": late})
        customer = sim.mutate("customer_create")["id"]
        sim.mutate("set", stream="customers", id=customer, fields={"updated_datetime": late})
        result = self.run_replication(file)
        self.assert_equals_source(result=result)

    def test_a_future_that_hides_nothing(self):
        """A ticket claims to have been updated next year. The next change is still seen."""
        sim = self.simulator(seed=43, tickets=30)
        future = iso(sim.clock.now() + 300 * DAY)
        (first, second, *_) = [ticket["id"] for ticket in sim.truth("tickets")]
        sim.mutate("set", stream="tickets", id=first, fields={"updated_datetime": future, "created_datetime": future})
        message = sim.truth("ticket_messages")[0]["id"]
        sim.mutate("set", stream="ticket_messages", id=message, fields={"created_datetime": future})
        file = self.replication()
        self.run_replication(file)
        self.assert_equals_source()
        self.assertLess(truth.as_timestamptz(self.bookmark("tickets")), sim.clock.now() + HOUR)
        self.assertLess(truth.as_timestamptz(self.bookmark("ticket_messages")), sim.clock.now() + HOUR)
        sim.advance("1h")
        sim.mutate("ticket_update", id=second)
        sim.mutate("message_create", touch=False)
        result = self.run_replication(file)
        self.assert_equals_source(result=result)

    def test_rows_without_a_date(self):
        sim = self.simulator(seed=44, tickets=230)
        for row in sim.truth("tickets")[:110]:
            sim.mutate("set", stream="tickets", id=row["id"], fields={"updated_datetime": None})
        for row in sim.truth("customers")[:5]:
            sim.mutate("set", stream="customers", id=row["id"], fields={"updated_datetime": None})
        file = self.replication()
        self.run_replication(file)
        self.assert_equals_source()
        sim.advance("1h")
        sim.mutate("ticket_update")
        undated = [row["id"] for row in sim.truth("tickets") if row["updated_datetime"] is None][7]
        sim.mutate("set", stream="tickets", id=undated, fields={"subject": "still without a date"})
        result = self.run_replication(file)
        self.assert_equals_source(result=result)


class Moving(Case):
    """The account changes between two pages."""

    def test_changes_between_all_pages(self):
        sim = self.simulator(seed=45, tickets=450)
        sim.add_faults({"match": "/api/*", "request": 2, "every": 3, "times": "forever", "random": {"n": 3, "seed": 9}})
        file = self.replication()
        self.run_replication(file)
        sim.clear_faults()
        sim.advance("1h")
        result = self.run_replication(file)
        self.assert_equals_source(result=result)

    def test_a_row_that_jumps_over_the_cursor(self):
        """A ticket not yet read is updated, goes to the top, and is missed by this walk: the next one begins with it."""
        sim = self.simulator(seed=46, tickets=330)
        oldest = min(sim.truth("tickets"), key=lambda row: truth.as_timestamptz(row["updated_datetime"]))["id"]
        sim.add_faults({"match": "/api/tickets", "request": 2, "mutate": {"kind": "ticket_update", "id": oldest, "fields": {"subject": "jumped"}}})
        file = self.replication()
        self.run_replication(file)
        self.assertLess(truth.as_timestamptz(self.bookmark("tickets")),
                        truth.as_timestamptz(sim.account.tickets.row(oldest)["updated_datetime"]))
        result = self.run_replication(file)
        self.assert_equals_source(result=result)


class Broken(Case):
    """The server does not do as it promises."""

    def walked(self, *rules, streams=("tickets",), expect=0, **options):
        self.simulator(**{"seed": 47, "tickets": 330, **options})
        self.sim.add_faults(*rules)
        self.file = self.replication(streams)
        return self.run_replication(self.file, expect=expect)

    def test_the_order_is_ignored(self):
        result = self.walked({"match": "/api/tickets", "query": "updated_datetime", "times": "forever", "fault": "ignore-order"})
        self.assert_equals_source("tickets")
        self.assertTrue(result.stream("tickets")["note"])   # it says so
        self.assertTrue(any(parameters(request)["order_by"] == "created_datetime:asc" for request in self.requests("/api/tickets")))
        result = self.run_replication(self.file)
        self.assert_equals_source("tickets")

    def test_a_page_is_shuffled(self):
        for fault in ("shuffled", "reversed"):
            with self.subTest(fault=fault):
                self.database = self.database.server.database()
                self.walked({"match": "/api/tickets", "request": 2, "fault": fault})
                self.assert_equals_source("tickets")

    def test_a_loop(self):
        """next_cursor is the cursor that was sent: never for ever, and nothing lost."""
        self.walked({"match": "/api/tickets", "query": "updated_datetime", "request": 2, "times": "forever", "fault": "repeated-cursor"})
        self.assert_equals_source("tickets")

    def test_a_loop_without_a_way_out(self):
        result = self.walked({"match": "/api/tickets", "request": 2, "times": "forever", "fault": "repeated-cursor"}, expect=1)
        self.assertIn("tickets", result.stderr)
        self.assertIsNone(self.bookmark("tickets"))
        self.sim.clear_faults()
        self.run_replication(self.file)
        self.assert_equals_source("tickets")

    def test_empty_pages(self):
        self.walked({"match": "/api/tickets", "request": 2, "times": 2, "fault": "empty-page"})
        self.assert_equals_source("tickets")

    def test_empty_pages_without_end(self):
        self.walked({"match": "/api/tickets", "request": 2, "times": "forever", "fault": "empty-page"}, expect=1)
        self.assertIsNone(self.bookmark("tickets"))
        self.sim.clear_faults()
        self.run_replication(self.file)
        self.assert_equals_source("tickets")

    def test_harmless_oddities(self):
        for fault in ("shrunk-page", "duplicated", "chunked", "html-type", "no-date", "no-limit-header", "slow"):
            with self.subTest(fault=fault):
                self.database = self.database.server.database()
                arguments = {"bytes": 4096, "every": "1ms"} if fault == "slow" else {}
                self.walked({"match": "/api/*", "times": "forever", "fault": fault, "args": arguments},
                            streams=("tickets", "ticket_messages", "events", "tags"), tickets=40 if fault == "shrunk-page" else 130,
                            messages_per_ticket=2.0 if fault == "shrunk-page" else 4.0)
                self.assert_equals_source("tickets", "ticket_messages", "events", "tags")

    def test_a_clock_that_is_wrong(self):
        """The Date header is three hours ahead, or behind: no change may be walked past."""
        for by in ("3h", "-3h"):
            with self.subTest(by=by):
                self.database = self.database.server.database()
                self.walked({"match": "/api/*", "times": "forever", "fault": "skewed-date", "args": {"by": by}}, streams=STREAMS, tickets=60)
                self.sim.advance("1h")
                self.sim.random_changes(30, seed=4)
                result = self.run_replication(self.file)
                self.assert_equals_source(result=result)

    def test_cursors_that_expire(self):
        self.walked({"match": "/api/*", "request": 3, "every": 4, "times": 4, "fault": "expired-cursor"}, streams=WALKED)
        self.assert_equals_source(*WALKED)

    def test_a_cursor_that_never_works(self):
        self.walked({"match": "/api/tickets", "times": "forever", "fault": "expired-cursor"}, expect=1)
        self.sim.clear_faults()
        self.run_replication(self.file)
        self.assert_equals_source("tickets")


class AskedAhead(Case):
    """Behind its 64th page a walk asks for the next one while the page that has come is read. What that turns out to be decides."""

    PAGES = 82

    def walked(self, *rules, expect=0):
        self.database = self.database.server.database()
        self.sim.clear_faults()
        self.sim.add_faults(*rules)
        self.sim.clear_log()
        self.file = self.replication(("tickets",))
        return self.run_replication(self.file, expect=expect)

    def setUp(self):
        super().setUp()
        self.simulator(seed=61, tickets=self.PAGES * 100 - 40)

    def test_no_page_is_asked_for_twice(self):
        self.walked()
        self.assertEqual(self.PAGES, len({request["query"] for request in self.requests("/api/tickets")}))
        self.assertEqual(self.PAGES, len(self.requests("/api/tickets")))
        self.assert_equals_source("tickets")
        # Where every row is known, and down to the bookmark, no further.
        middle = sorted((truth.as_timestamptz(row["updated_datetime"]) for row in self.sim.truth("tickets")), reverse=True)[7450]
        self.database.do(f"update _gorgias_replicate.streams set bookmark = timestamptz 'epoch' + {middle} * interval '1 us'")
        self.sim.clear_log()
        result = self.run_replication(self.file)
        self.assertEqual(75, len(self.requests("/api/tickets")))
        self.assertEqual(0, result.stream("tickets")["updated"])

    def test_a_page_that_is_not_what_it_seemed(self):
        for fault in ("reversed", "wrong-length", "missing-meta", "expired-cursor", "early-end"):
            with self.subTest(fault=fault):
                self.walked({"match": "/api/tickets", "query": "updated_datetime", "request": 70, "fault": fault})
                self.assert_equals_source("tickets")
                if fault == "reversed":   # what was asked ahead is no page of the walk through everything
                    scan = [request["query"] for request in self.requests("/api/tickets") if "created_datetime" in request["query"]]
                    self.assertEqual(self.PAGES, len(scan))

    def test_a_walk_is_left_when_all_is_on_disk(self):
        """Its pages come faster than commits, which do not wait for the disk; the last one does, before anything else claims them."""
        self.file = self.replication(("tickets",))
        log = self.run_replication(self.file, "--log-level", "debug", "--log-format", "json").stderr
        events = [json.loads(line) for line in log.splitlines()]
        left = next(n for n, event in enumerate(events) if event["event"] == "phase" and event["from"] == "walk")
        scripts = [event["script"] for event in events[:left] if event["event"] == "sql"]
        self.assertIn("synchronous_commit = off", "".join(scripts))
        self.assertNotIn("synchronous_commit = off", scripts[-1])

    def test_nothing_is_asked_beyond_a_limit(self):
        self.walked()
        self.database = self.database.server.database()
        self.sim.clear_log()
        self.file = self.replication({"tickets": {"source_options": {"limit": 7150}}})
        self.run_replication(self.file)
        self.assertEqual(72, len(self.requests("/api/tickets")))


class Interrupted(Case):
    """Killed, stopped or limited: what is committed stays, and the next run goes on."""

    def interrupted(self, requests, signal_number, streams=STREAMS, **options):
        """Starts a run, and sends it the signal once the source has answered so many requests."""
        # No round number: a list that ends with a full page is asked for that page twice.
        sim = self.simulator(**{"seed": 48, "tickets": 510, "latency": "15ms", **options})
        self.file = self.replication(streams)
        process = self.start("run", self.file, "--output", "json", "--progress", "never")
        self.wait_for(lambda: len(sim.log()) >= requests, f"{requests} requests", process)
        process.send_signal(signal_number)
        result = self.finish(process)
        self.wait_for_sessions_to_end()
        sim.set(latency="0")
        return result

    def assert_few_pages_were_repeated(self, before):
        """At most one page of each list is asked for twice with the same cursor."""
        answered = {(request["path"], request["query"]) for request in before if "cursor=" in request["query"] and request["status"] == 200}
        for path in {path for path, _ in answered}:
            # A set: the last page of a list is asked for a second time if it is full.
            again = {request["query"] for request in self.requests() if request["path"] == path and (path, request["query"]) in answered}
            self.assertLessEqual(len(again), 1, f"{path}: {again}")

    def test_killed_at_any_moment(self):
        for requests in (2, 9, 20, 33, 47):
            with self.subTest(requests=requests):
                self.database = self.database.server.database()
                result = self.interrupted(requests, signal.SIGKILL)
                self.assertEqual(-signal.SIGKILL, result.code)
                before = self.sim.log()
                self.sim.clear_log()
                self.run_replication(self.file)
                self.assert_equals_source()
                self.assert_few_pages_were_repeated(before)
                self.assertEqual(1, self.database.value("select count(*) from _gorgias_replicate.runs where status = 'lost'")
                                 if self.database.value("select count(*) from _gorgias_replicate.runs") == 2 else 1)

    def test_killed_again_and_again(self):
        """Each run is killed after a few requests, while the account changes: in the end it is all there."""
        self.interrupted(12, signal.SIGKILL, tickets=260)
        for round in range(6):
            self.sim.random_changes(15, seed=round, over="10m")
            self.sim.clear_log()
            self.sim.set(latency="15ms")
            process = self.start("run", self.file)
            self.wait_for(lambda: len(self.sim.log()) >= 10 or process.poll() is not None, "10 requests")
            self.kill(process)
        self.sim.set(latency="0")
        result = self.run_replication(self.file)
        self.assert_equals_source(result=result)

    def test_killed_while_the_warehouse_is_at_work(self):
        """PostgreSQL does not notice at once that its client is gone, and holds the lock for a moment longer: the next run waits for it."""
        sim = self.simulator(seed=52, tickets=60)
        file = self.replication(("tickets",))
        self.run_replication(file)
        sim.mutate("ticket_update")
        waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
        with Holder(self, "gorgias.tickets"):
            process = self.start("run", file)
            self.wait_for(lambda: self.database.value(waits), "the wait for the lock", process)
            process.send_signal(signal.SIGKILL)
            self.finish(process)
            process = self.start("run", file, "--output", "json")
        result = self.finish(process)
        self.assertEqual(0, result.code, str(result))
        self.assert_equals_source("tickets", result=result)

    def test_stopped_by_a_signal(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number):
                self.database = self.database.server.database()
                result = self.interrupted(20, number)
                self.assertEqual(6, result.code, str(result))
                self.assertEqual("stopped", result.summary["status"])
                self.assertEqual(["stopped"], self.database.column("select status from _gorgias_replicate.runs"))
                before = self.sim.log()
                self.sim.clear_log()
                self.run_replication(self.file)
                self.assert_equals_source()
                self.assert_few_pages_were_repeated(before)

    def test_max_duration(self):
        sim = self.simulator(seed=49, tickets=300, latency="300ms")
        file = self.replication(("tickets", "ticket_messages", "events"))
        result = self.run_replication(file, "--max-duration", "1s", expect=6)
        self.assertEqual("stopped", result.summary["status"])
        sim.set(latency="0")
        self.run_replication(file)
        self.assert_equals_source("tickets", "ticket_messages", "events")

    def test_a_limit(self):
        self.simulator(seed=50, tickets=330)
        file = self.replication(("tickets",))
        self.run_replication(file, "--limit", "150")
        self.assertLess(self.alive("tickets"), 330)
        self.assertGreaterEqual(self.alive("tickets"), 150)
        self.assertIsNone(self.bookmark("tickets"))   # a gap, not a bookmark
        self.run_replication(file)
        self.assert_equals_source("tickets")

    def test_a_gap_whose_cursor_has_expired(self):
        self.interrupted(3, signal.SIGKILL, streams=("tickets",), tickets=900, latency="60ms")
        self.sim.advance("3h")   # cursors live an hour
        for _ in range(20):   # no deletions: those are learnt from events, which are not asked for here
            self.sim.mutate("message_create")
        self.run_replication(self.file)
        self.assert_equals_source("tickets")

    def test_interrupted_with_a_bookmark_and_changes(self):
        """The second walk is interrupted, too: rows above and below its gap, and in it, change afterwards."""
        sim = self.simulator(seed=51, tickets=700)
        file = self.replication(("tickets", "ticket_messages"))
        self.run_replication(file)
        sim.advance("1h")
        ids = [ticket["id"] for ticket in sim.truth("tickets")]
        for id in ids[:450]:
            sim.mutate("ticket_update", id=id)
        sim.clear_log()
        sim.set(latency="60ms")
        process = self.start("run", file)
        self.wait_for(lambda: len(self.requests("/api/tickets")) >= 3, "three pages", process)
        self.kill(process)
        sim.set(latency="0")
        sim.advance("10m")
        for id in ids[0:450:9] + ids[500:520]:
            sim.mutate("message_create", ticket_id=id)
        self.run_replication(file)
        result = self.run_replication(file)
        self.assert_equals_source("tickets", "ticket_messages", result=result)


if __name__ == "__main__":
    unittest.main()
