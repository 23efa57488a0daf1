"""Promises that are easily broken by a stop, a fault or a selection of streams at an awkward moment."""

import math
import os
import signal
import unittest

import truth
from harness import Case, Holder, parameters

STATE = "_gorgias_replicate"
SOON = 60   # seconds within which a run ends that has nothing to wait for


class Awkward(Case):
    """What the tests below share."""

    def state(self, stream, *columns):
        (row,) = self.database.rows(f"select {', '.join(columns)} from {STATE}.streams where stream = '{stream}'")
        return row

    def statuses(self, result):
        return {stream["stream"]: stream["status"] for stream in result.summary["streams"]}

    def stored_statuses(self):
        """The same of the newest run, from the warehouse."""
        return {row["stream"]: row["status"] for row in self.database.rows(
            f"select stream, status from {STATE}.stream_runs where run_id = (select max(run_id) from {STATE}.runs)")}

    def queued(self):
        return {int(key) for key in self.database.column(f"select key from {STATE}.queue where object = 'gorgias.ticket_messages'")}

    def asked(self):
        """Requests for the messages of one ticket each."""
        return [request for request in self.requests("/api/messages") if "ticket_id=" in request["query"]]

    def alive_messages(self, ticket):
        return self.database.value(f"select count(*) from gorgias.ticket_messages where ticket_id = {ticket} and _deleted_at is null")

    def begin(self, file, *options):
        return self.start("run", file, "--output", "json", "--progress", "never", *options)

    def said(self, process, words):
        """Whether the running process has written these words to stderr. Read by an offset of its own: the process writes at the other."""
        held = process.files[1].fileno()
        return words in os.pread(held, 1 << 24, 0).decode("utf-8", "replace")

    def stop(self, process):
        """SIGTERM, and the moment at which it has been taken."""
        process.send_signal(signal.SIGTERM)
        self.wait_for(lambda: self.said(process, "stops in good order"), "the stop", process)


class MissingRowsAreConfirmed(Awkward):
    """custom_fields are listed by a value that changes: a row that no page brought is deleted only once it is known to be gone."""

    LIST = {"match": "/api/custom-fields", "query": "object_type=Ticket&archived=false"}

    def fields(self, count):
        """An account with so many more fields, copied."""
        self.simulator(seed=74, tickets=10)
        for _ in range(count):
            self.sim.mutate("field_create")
        file = self.replication(("custom_fields",))
        self.run_replication(file)
        return file

    def active(self):
        """Active ticket fields, as they are listed."""
        fields = [field for field in self.sim.truth("custom_fields") if field["object_type"] == "Ticket" and field["deactivated_datetime"] is None]
        return sorted(fields, key=lambda field: (-(field["priority"] or 0), -field["id"]))

    def move_up(self, id, request):
        """After so many pages of the active ticket fields, the row jumps to the top, over the cursor."""
        self.sim.add_faults({**self.LIST, "request": request,
                             "mutate": {"kind": "set", "stream": "custom_fields", "id": id, "fields": {"priority": 4999}}})

    def pages(self):
        """Requests for the active ticket fields."""
        return [request for request in self.requests("/api/custom-fields") if self.LIST["query"] in request["query"]]

    def drop(self):
        """So many fields go that they are not asked for one by one. Returns them, the pages that are left, and the last row of these."""
        dropped = [field["id"] for field in self.active()[:110]]
        for id in dropped:
            self.sim.mutate("drop", stream="custom_fields", id=id)
        rest = self.active()
        self.assertGreater(len(rest), 200)
        return dropped, math.ceil(len(rest) / 100), rest[-1]["id"]

    def is_there(self, id):
        return self.database.value(f"select count(*) from gorgias.custom_fields where id = {id}") == 1

    def test_a_stop_before_the_answer_deletes_nothing(self):
        for way in ("a signal", "--max-duration"):
            with self.subTest(way):
                self.database = self.database.server.database()
                file = self.fields(260)
                fields = self.active()
                self.assertGreater(len(fields), 100)
                gone, moved = fields[5]["id"], fields[-1]["id"]
                self.sim.mutate("drop", stream="custom_fields", id=gone)
                self.move_up(moved, 1)
                self.sim.add_faults({"match": f"/api/custom-fields/{moved}", "times": "forever", "fault": "429", "args": {"retry_after": 60}})
                self.sim.clear_log()
                before = self.state("custom_fields", "completed_at")
                process = self.begin(file, *(("--max-duration", "4s") if way == "--max-duration" else ()))
                self.wait_for(lambda: self.requests(f"/api/custom-fields/{moved}"), "the question whether it is gone", process)
                if way == "a signal":
                    self.stop(process)
                result = self.finish(process)
                self.assertEqual(6, result.code, str(result))
                self.assertTrue(self.is_there(moved))   # alive at the source
                self.assertEqual("stopped", result.stream("custom_fields")["status"])
                self.assertEqual({"custom_fields": "stopped"}, self.stored_statuses())
                self.assertEqual(before, self.state("custom_fields", "completed_at"))
                self.sim.clear_faults()
                result = self.run_replication(file)
                self.assertFalse(self.is_there(gone))
                self.assert_equals_source("custom_fields", result=result)

    def test_one_of_two_complete_readings_suffices(self):
        """So many rows are missing that all are read a second time: what either reading brought stays."""
        for missed in ("the first", "the second"):
            with self.subTest(missed=missed):
                self.database = self.database.server.database()
                file = self.fields(420)
                dropped, pages, moved = self.drop()
                self.move_up(moved, 1 if missed == "the first" else pages + 1)
                self.sim.clear_log()
                result = self.run_replication(file)
                self.assertEqual(2 * pages, len(self.pages()))
                self.assertEqual([], self.requests("/api/custom-fields/"))   # no questions one by one
                self.assertTrue(self.is_there(moved))
                self.assertFalse(any(self.is_there(id) for id in dropped[:3]))
                self.assertEqual(110, result.stream("custom_fields")["deleted"])
                self.sim.clear_faults()
                result = self.run_replication(file)
                self.assert_equals_source("custom_fields", result=result)

    def test_a_reading_whose_staging_was_lost_does_not_count(self):
        """As after a crash of the server, in the second reading: what is read then is a first one."""
        file = self.fields(420)
        dropped, pages, moved = self.drop()
        self.sim.clear_log()
        self.sim.add_faults({**self.LIST, "request": pages + 2, "times": "forever", "fault": "429", "args": {"retry_after": 1}})
        process = self.begin(file)
        self.wait_for(lambda: len(self.pages()) >= pages + 2, "the second page of the second reading", process)
        staging = self.database.column("select c.oid::regclass::text from pg_class as c join pg_namespace as n on n.oid = c.relnamespace"
                                       f" where n.nspname = '{STATE}' and c.relname like 'scan%' and c.relkind = 'r'")
        self.assertEqual(1, len(staging))
        self.database.do(f"truncate {staging[0]}")
        self.sim.clear_faults()
        self.move_up(moved, 2)   # the page that was waiting, and the first of the new reading
        result = self.finish(process)
        self.assertEqual(0, result.code, str(result))
        self.assertTrue(self.is_there(moved))
        self.assertFalse(any(self.is_there(id) for id in dropped[:3]))
        self.sim.clear_faults()
        result = self.run_replication(file)
        self.assert_equals_source("custom_fields", result=result)


class CompletenessIsClaimedWhereItIs(Awkward):
    """completed_at says that all was read, and nothing else says so."""

    def test_a_limited_snapshot_is_appended(self):
        self.simulator(seed=71, tickets=10, tags=230)
        file = self.replication(("tags",), defaults={"mode": "snapshot"})
        result = self.run_replication(file, "--limit", "10")
        self.assertEqual("succeeded", result.stream("tags")["status"])
        first = self.database.value("select count(*) from gorgias.tags")
        self.assertGreaterEqual(first, 10)
        self.assertLess(first, 230)
        self.run_replication(file, "--limit", "10")
        self.assertEqual(2 * first, self.database.value("select count(*) from gorgias.tags"))
        self.assertEqual(2, self.database.value("select count(distinct _loaded_at) from gorgias.tags"))
        self.assertEqual({"completed_at": None}, self.state("tags", "completed_at"))

    def test_a_part_is_not_the_whole(self):
        self.simulator(seed=71, tickets=230, tags=230)
        for stream, options in (("tickets", ("--mode", "definition-only")), ("tickets", ("--limit", "10")),
                                ("tickets", ("--limit", "10", "--full-refresh")), ("tickets", ("--range", "2020-01-01,2030-01-01")),
                                ("tags", ("--limit", "10"))):
            with self.subTest(stream=stream, options=options):
                self.database = self.database.server.database()
                file = self.replication((stream,))
                result = self.run_replication(file, *options)
                self.assertEqual("succeeded", result.stream(stream)["status"])
                self.assertEqual({"completed_at": None}, self.state(stream, "completed_at"))
                self.run_replication(file)
                self.assertIsNotNone(self.state(stream, "completed_at")["completed_at"])
                self.assert_equals_source(stream)

    def test_a_part_leaves_an_earlier_claim_as_it_was(self):
        self.simulator(seed=71, tickets=230)
        file = self.replication(("tickets",))
        self.run_replication(file)
        before = self.state("tickets", "completed_at")
        self.sim.advance("1h")
        for ticket in self.sim.truth("tickets")[:60]:
            self.sim.mutate("ticket_update", id=ticket["id"])
        for options in (("--mode", "definition-only"), ("--limit", "10"), ("--range", "2020-01-01,2030-01-01")):
            with self.subTest(options=options):
                self.run_replication(file, *options)
                self.assertEqual(before, self.state("tickets", "completed_at"))

    def test_a_range_is_a_part_in_whichever_order_it_was_read(self):
        self.simulator(seed=75, tickets=230)
        self.sim.add_faults({"match": "/api/tickets", "fault": "reversed"})
        result = self.run_replication(self.replication(("tickets",)), "--range", "2020-01-01,2030-01-01")
        self.assertTrue(result.stream("tickets")["note"])   # everything was read
        self.assertEqual({"bookmark": None, "walk": None, "completed_at": None}, self.state("tickets", "bookmark", "walk", "completed_at"))

    def test_a_queue_that_is_not_empty_belongs_to_it(self):
        """All rows were read, and the run is stopped while its queue is drained."""
        self.simulator(seed=75, tickets=60)
        file = self.replication(("tickets", "ticket_messages"))
        self.run_replication(file)
        self.sim.advance("1h")
        for ticket in self.sim.truth("tickets")[:5]:   # a count of messages that the walk cannot confirm
            self.sim.mutate("ticket_update", id=ticket["id"], fields={"messages_count": 99})
        before = self.state("ticket_messages", "completed_at")
        self.sim.add_faults({"match": "/api/messages", "query": "ticket_id=", "times": "forever", "fault": "429", "args": {"retry_after": 60}})
        self.sim.clear_log()
        process = self.begin(file, "--full-refresh")
        self.wait_for(self.asked, "the drain", process)
        self.stop(process)
        result = self.finish(process, SOON)
        self.assertEqual("stopped", self.statuses(result)["ticket_messages"])
        self.assertEqual(5, len(self.queued()))
        self.assertEqual(before, self.state("ticket_messages", "completed_at"))
        self.sim.clear_faults()
        self.run_replication(file)
        self.assertLess(before["completed_at"], self.state("ticket_messages", "completed_at")["completed_at"])


class ChildrenGoWithTheirParent(Awkward):
    """A deletion that is learnt in a run without the child stream reaches the children in the next run with it."""

    def copied(self, *streams):
        self.simulator(seed=75, tickets=60)
        self.file = self.replication(streams)
        self.run_replication(self.file)
        ticket = next(ticket["id"] for ticket in self.sim.truth("tickets") if self.alive_messages(ticket["id"]) > 1)
        self.sim.advance("1h")
        self.sim.mutate("ticket_delete", id=ticket)
        return ticket

    def assert_all_are_gone(self, ticket, *streams):
        self.assertEqual({ticket}, self.queued())
        result = self.run_replication(self.file)
        self.assertEqual(0, self.alive_messages(ticket))
        self.assertEqual(set(), self.queued())
        self.assert_equals_source(*streams, result=result)

    def test_learnt_from_an_event(self):
        streams = ("tickets", "ticket_messages", "events")
        ticket = self.copied(*streams)
        self.run_replication(self.file, "--streams", "tickets,events")
        self.assertEqual(0, self.database.value(f"select count(*) from gorgias.tickets where id = {ticket} and _deleted_at is null"))
        self.assertGreater(self.alive_messages(ticket), 0)
        self.assert_all_are_gone(ticket, *streams)

    def test_learnt_from_a_full_refresh(self):
        streams = ("tickets", "ticket_messages")
        ticket = self.copied(*streams)
        result = self.run_replication(self.file, "--full-refresh", "--streams", "tickets")
        self.assertEqual(1, result.stream("tickets")["deleted"])
        self.assert_all_are_gone(ticket, *streams)


class AParentThatIsNotOpen(Awkward):
    """A table that has to be opened again, and cannot be: its children are merged all the same."""

    LOSES_ITS_KEY = """
create function public.needs_key() returns trigger language plpgsql as $$
begin
  if not exists (select from pg_index where indrelid = tg_relid and indisprimary) then raise exception 'not without a key'; end if;
  return new;
end $$;
create trigger needs_key before insert on gorgias.tickets for each row execute function public.needs_key();
"""

    def test_children_go_on(self):
        streams = ("tickets", "ticket_messages")
        self.simulator(seed=76, tickets=1950, messages_per_ticket=2, latency="10ms")
        self.file = self.replication(streams)
        self.run_replication(self.replication(streams, defaults={"mode": "definition-only"}, name="definition.yaml"))
        message = self.sim.truth("ticket_messages")[0]   # where one row is, the others are merged
        self.database.do(self.LOSES_ITS_KEY + f"insert into gorgias.ticket_messages (id, ticket_id) values ({message['id']}, {message['ticket_id']})")
        process = self.begin(self.file)
        self.wait_for(lambda: self.database.value("select count(*) from gorgias.tickets") > 0, "the first page", process)
        self.database.do("alter table gorgias.tickets drop constraint tickets_pkey")
        result = self.finish(process)
        self.assertEqual(1, result.code, str(result)[-4000:])
        self.assertEqual("failed", self.statuses(result)["tickets"])
        self.assertIn("has no primary key", result.stderr)
        self.assertEqual(len(self.sim.truth("ticket_messages")), self.alive("ticket_messages"))


class OnePageOfHtml(Awkward):
    """An HTML 404 speaks for an unknown account only as long as nothing else has answered."""

    HTML = {"times": "forever", "fault": "404", "args": {"body": "<html><body>Not Found</body></html>"}}

    def test_from_one_endpoint(self):
        self.simulator(seed=1, tickets=40)
        self.sim.add_faults({"match": "/api/views", **self.HTML})
        self.sim.set(latency="20ms")
        result = self.run_replication(self.replication(("tags", "users", "tickets", "views")), expect=1)
        self.assertEqual("/api/tickets", self.sim.log()[0]["path"].rstrip("/"))   # the request that goes alone
        self.assertEqual({"tags": "succeeded", "users": "succeeded", "tickets": "succeeded", "views": "failed"}, self.statuses(result))
        self.assertEqual(self.statuses(result), self.stored_statuses())
        self.assertIn("404", result.stream("views")["error"])
        self.assertEqual(1, len(self.requests("/api/views")))
        self.assert_equals_source("tags", "users", "tickets")

    def test_from_all(self):
        for streams in (("tags",), ("tags", "users", "teams", "views", "rules", "tickets")):
            with self.subTest(streams=streams):
                self.database = self.database.server.database()
                self.simulator(seed=1, tickets=1)
                self.sim.add_faults({"match": "/api/*", **self.HTML})
                self.sim.set(latency="20ms")
                result = self.run_replication(self.replication(streams), expect=3)
                self.assertEqual(1, len(self.requests()))
                self.assertIn("404", result.stderr)


class ADrainEnds(Awkward):
    """Whatever the source answers for a ticket of the queue, and whenever the run is stopped."""

    def waiting(self, count, **options):
        """An account that was copied, and in which so many tickets have changed since."""
        self.simulator(**{"seed": 75, "tickets": 60, **options})
        self.file = self.replication(("tickets", "ticket_messages"))
        self.run_replication(self.file)
        self.sim.advance("1h")
        tickets = [ticket["id"] for ticket in self.sim.truth("tickets")[:count]]
        for id in tickets:
            self.sim.mutate("ticket_update", id=id, fields={"subject": "changed"})
        self.sim.clear_log()
        return tickets

    def assert_the_next_run_is_right(self):
        self.sim.clear_faults()
        result = self.run_replication(self.file)
        self.assertEqual(0, self.queue())
        self.assert_equals_source("tickets", "ticket_messages", result=result)

    def test_one_ticket_that_cannot_be_read(self):
        """The others are drained; its entry waits for the next run."""
        for fault in ("403", "400"):
            with self.subTest(fault=fault):
                self.database = self.database.server.database()
                tickets = self.waiting(15)
                bad = tickets[5]
                self.sim.add_faults({"match": "/api/messages", "query": f"ticket_id={bad}", "times": "forever", "fault": fault})
                before = self.state("ticket_messages", "completed_at")
                result = self.run_replication(self.file, expect=1)
                self.assertEqual({"tickets": "succeeded", "ticket_messages": "failed"}, self.statuses(result))
                self.assertEqual({bad}, self.queued())
                self.assertEqual(set(tickets), {int(parameters(request)["ticket_id"]) for request in self.asked()})
                self.assertEqual(before, self.state("ticket_messages", "completed_at"))
                self.assert_the_next_run_is_right()

    def test_empty_pages_without_end(self):
        tickets = self.waiting(4)
        self.sim.add_faults({"match": "/api/messages", "query": "ticket_id=", "times": "forever", "fault": "empty-page"})
        result = self.finish(self.begin(self.file), SOON)
        self.assertEqual(1, result.code, str(result))
        self.assertEqual({"tickets": "succeeded", "ticket_messages": "failed"}, self.statuses(result))
        self.assertGreater(len(self.asked()), len(tickets))   # an empty page or two are no end
        self.assertLessEqual(len(self.asked()), 5 * len(tickets))
        self.assertEqual(set(tickets), self.queued())
        self.assertEqual(sum(self.alive_messages(id) for id in tickets),
                         sum(message["ticket_id"] in tickets for message in self.sim.truth("ticket_messages")))   # none was taken for gone
        self.assert_the_next_run_is_right()

    def stopped(self, process, tickets, before):
        """The end of a run that was stopped in the drain."""
        seen = len(self.requests())
        result = self.finish(process, SOON)
        self.assertEqual(6, result.code, str(result))
        self.assertEqual(seen, len(self.requests()))   # nothing was asked any more
        self.assertEqual("stopped", self.statuses(result)["ticket_messages"])   # the tickets may have been settled by then, or not
        self.assertEqual(self.statuses(result), self.stored_statuses())
        self.assertEqual(before, self.state("ticket_messages", "completed_at"))
        self.assertEqual(set(tickets), self.queued())
        self.assert_the_next_run_is_right()

    def test_a_stop_while_the_source_is_asked(self):
        tickets = self.waiting(15)
        before = self.state("ticket_messages", "completed_at")
        self.sim.add_faults({"match": "/api/messages", "query": "ticket_id=", "times": "forever", "fault": "429", "args": {"retry_after": 60}})
        process = self.begin(self.file)
        self.wait_for(self.asked, "the drain", process)
        self.stop(process)
        self.stopped(process, tickets, before)

    def test_a_stop_while_the_first_page_of_a_long_thread_is_committed(self):
        """Its further pages are not asked for, and its entry stays."""
        self.simulator(seed=65, tickets=30)
        self.file = self.replication(("tickets", "ticket_messages"))
        self.run_replication(self.file)
        self.sim.advance("1h")
        long = self.sim.truth("tickets")[3]["id"]
        for _ in range(230):
            self.sim.mutate("message_backdate", ticket_id=long)
        self.sim.clear_log()
        before = self.state("ticket_messages", "completed_at")
        self.sim.add_faults({"match": "/api/messages", "query": "ticket_id=", "times": "forever", "fault": "429", "args": {"retry_after": 1}})
        process = self.begin(self.file)
        self.wait_for(self.asked, "the drain", process)
        with Holder(self, f"{STATE}.streams"):
            self.sim.clear_faults()
            waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
            self.wait_for(lambda: self.database.value(waits), "the commit", process)
            self.assertEqual(200, self.asked()[-1]["status"])
            self.stop(process)
        self.stopped(process, [long], before)


class ABackfillKeepsToItsRange(Awkward):
    """Also where the source breaks the order that was asked for, and everything has to be read instead."""

    def test_a_broken_order(self):
        self.simulator(seed=75, tickets=400)
        file = self.replication(("tickets",))
        self.run_replication(file)
        self.sim.advance("1h")
        for ticket in self.sim.truth("tickets")[:250]:
            self.sim.mutate("ticket_update", id=ticket["id"], fields={"subject": "changed"})
        self.run_replication(file, "--limit", "100")   # leaves a gap, which is remembered
        remembered = ("bookmark", "walk", "source_clock")
        before = self.state("tickets", *remembered)
        self.assertIsNotNone(before["walk"])
        self.assertIsNotNone(before["bookmark"])
        # All but one: the memory of a table without a single row would be void.
        newest = self.database.value("select id from gorgias.tickets order by updated_datetime desc limit 1")
        self.database.do(f"delete from gorgias.tickets where id <> {newest}")
        moments = sorted(ticket["updated_datetime"] for ticket in self.sim.truth("tickets"))
        low, high = moments[30][:10] + "T00:00:00Z", moments[110][:10] + "T00:00:00Z"
        self.assertLess(low, high)
        self.sim.add_faults({"match": "/api/tickets", "fault": "reversed"})
        self.sim.clear_log()
        result = self.run_replication(file, "--range", f"{low},{high}")
        self.assertTrue(result.stream("tickets")["note"])   # it says that everything was read
        self.assertTrue(any(parameters(request)["order_by"] == "created_datetime:asc" for request in self.requests("/api/tickets")))
        self.assertEqual(before, self.state("tickets", *remembered))
        self.database.do(f"delete from gorgias.tickets where id = {newest}")
        first, last = truth.as_timestamptz(low), truth.as_timestamptz(high)
        self.assert_equals_source("tickets", keep=lambda row: row["updated_datetime"] is not None
                                  and first <= truth.as_timestamptz(row["updated_datetime"]) <= last)
        self.assertGreater(self.alive("tickets"), 0)
        self.assertLess(self.alive("tickets"), 400)


if __name__ == "__main__":
    unittest.main()
