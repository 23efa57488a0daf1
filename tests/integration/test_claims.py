"""The claims of docs/guarantees.md about messages, surveys, full refreshes, deletions and merges: one test a claim. What is claimed of
walks alone is in tests/unit/test_walk.c; random histories of everything together are in tests/property."""

import unittest

import truth
from harness import Case

MINUTE, DAY = 60_000_000, 86_400_000_000


class Claims(Case):
    def copied(self, streams=("tickets", "ticket_messages", "customers", "satisfaction_surveys", "events"), **options):
        """An account that was copied an hour ago, beyond every lookback."""
        self.simulator(**{"seed": 91, "tickets": 150, **options})
        self.file = self.replication(streams)
        self.streams = streams
        self.run_replication(self.file)
        self.sim.advance("1h")
        self.sim.clear_log()

    def run_and_compare(self, *options):
        result = self.run_replication(self.file, *options)
        self.assert_equals_source(*self.streams, result=result)
        self.assertEqual(0, self.queue())
        return result

    def ids(self, stream, keep=lambda row: True):
        return [row["id"] for row in self.sim.truth(stream) if keep(row)]

    def moment(self, us):
        return (truth.EPOCH + truth.timedelta(microseconds=us)).isoformat()

    def old_message(self):
        """A message so old that no walk comes to it, in a ticket with others."""
        long_ago = self.sim.clock.now() - 100 * DAY
        counts = {ticket["id"]: ticket["messages_count"] for ticket in self.sim.truth("tickets")}
        return next(row for row in self.sim.truth("ticket_messages")
                    if truth.as_timestamptz(row["created_datetime"]) < long_ago and counts.get(row["ticket_id"], 0) > 1)

    # -- 4: messages

    def test_4_1_the_queue_shows_what_no_event_tells(self):
        """Edits, sendings and deletions without an event: their ticket's updated_datetime moves, and its set is read."""
        self.copied()
        self.sim.mutate("message_update", id=self.old_message()["id"], event=False)
        self.sim.mutate("message_delete", event=False)
        self.sim.mutate("message_backdate")
        self.run_and_compare()

    def test_4_2_the_list_shows_messages_whose_ticket_did_not_move(self):
        self.copied()
        row = dict(self.old_message())
        row.update(id=max(self.ids("ticket_messages")) + 7, created_datetime=self.moment(self.sim.clock.now()))
        self.sim.mutate("put", stream="messages", row=row)
        self.run_and_compare()
        self.assertEqual([], [request for request in self.requests("/api/messages") if "ticket_id=" in request["query"]])

    def test_4_3_an_event_shows_a_change_in_a_ticket_that_did_not_move(self):
        self.copied()
        self.sim.mutate("message_update", id=self.old_message()["id"], touch=False)
        self.sim.mutate("message_fail", id=self.unsent(), touch=False)
        self.run_and_compare()

    def unsent(self):
        return self.sim.mutate("message_create", from_agent=True)["id"]

    def test_4_3_an_event_shows_a_deletion_that_the_ticket_does_not_count(self):
        """Even where the walk reads all messages of the ticket: what is gone is not on its pages, and the ticket's count is the old one."""
        self.copied(tickets=20)
        id = self.old_message()["id"]
        self.sim.mutate("drop", stream="messages", id=id)
        self.sim.account.record("ticket-message-deleted", "TicketMessage", id)
        self.run_and_compare()

    def test_4_an_edit_of_a_message_that_is_older_than_its_ticket(self):
        """A merge has brought it. The walk that reads all of the ticket's own time has not read the message."""
        self.copied()
        old, young = self.old_message(), self.sim.mutate("ticket_create", messages=1)["id"]
        self.sim.mutate("ticket_merge", loser=old["ticket_id"], winner=young)
        self.run_and_compare()
        self.sim.advance("1h")
        self.sim.mutate("message_update", id=old["id"], event=False)
        self.sim.advance("1h")
        self.run_and_compare()

    def test_4_an_edit_that_commits_late_is_not_taken_for_read(self):
        """The walk of the messages has read the old text; then the edit is committed, dated a minute before the walk began."""
        self.simulator(seed=92, tickets=30)
        self.streams = ("tickets", "ticket_messages")
        self.file = self.replication(self.streams)
        message = self.sim.truth("ticket_messages")[5]
        late = self.moment(self.sim.clock.now() - MINUTE)
        pages = -(-len(self.sim.truth("ticket_messages")) // 100)
        self.sim.add_faults(
            {"match": "/api/tickets", "fault": "503", "times": 2},   # the tickets come after the messages
            {"match": "/api/messages", "request": pages, "mutate": [
                {"kind": "set", "stream": "messages", "id": message["id"], "fields": {"body_text": "edited"}},
                {"kind": "set", "stream": "tickets", "id": message["ticket_id"], "fields": {"updated_datetime": late}}]})
        self.run_replication(self.file)
        paths = [request["path"] for request in self.requests() if request["status"] == 200 and "ticket_id=" not in request["query"]]
        self.assertEqual(["/api/messages"] * pages, paths[:pages])   # or nothing was proved
        self.assert_equals_source(*self.streams)

    def test_4_a_message_that_moved_lives_whichever_ticket_is_drained_first(self):
        """By one request at a time, in the order of the queue."""
        for first in ("loser", "winner"):
            with self.subTest(first=first):
                self.database = self.database.server.database()
                self.copied(("tickets", "ticket_messages"))
                loser, winner = self.old_message()["ticket_id"], self.ids("tickets")[-1]
                moved = self.sim.mutate("ticket_merge", loser=loser, winner=winner)["messages"]
                order = (loser, winner) if first == "loser" else (winner, loser)
                for key in order:
                    self.database.do("insert into _gorgias_replicate.queue (object, key, reason)"
                                     f" values ('gorgias.ticket_messages', {key}, 'event')")
                self.run_replication(self.file, "--threads", "1", "--streams", "ticket_messages")
                self.assert_equals_source("ticket_messages")
                self.assertEqual({winner}, {int(id) for id in self.database.column(
                    f"select distinct ticket_id from gorgias.ticket_messages where id in ({','.join(map(str, moved))}) and _deleted_at is null")})

    def test_4_messages_of_a_ticket_that_came_and_went_stay_gone(self):
        """The API lists them on. They are marked when the ticket's event is answered, and no later page brings them back."""
        self.simulator(seed=93, tickets=40, orphans=True)
        self.streams = ("tickets", "customers", "satisfaction_surveys", "events")
        gone = self.sim.mutate("ticket_create", messages=3)
        self.sim.mutate("ticket_delete", id=gone["id"])
        self.file = self.replication((*self.streams, "ticket_messages"))
        for _ in range(3):
            self.run_and_compare()
            self.assertEqual(0, self.database.value(
                f"select count(*) from gorgias.ticket_messages where ticket_id = {gone['id']} and _deleted_at is null"))

    # -- 5: surveys

    def surveys(self, older_than_days, days=400):
        self.copied(("satisfaction_surveys", "events"), days=days)
        edge = self.sim.clock.now() - older_than_days * DAY
        return self.ids("satisfaction_surveys", lambda row: row["score"] is None and (truth.as_timestamptz(row["created_datetime"]) < edge)
                        == (older_than_days > 90))

    def test_5_a_score_within_ninety_days_needs_no_event(self):
        (id, *_) = self.surveys(60)
        self.sim.mutate("survey_score", id=id, event=False)
        self.run_and_compare()

    def test_5_a_score_after_years_is_named_by_its_event(self):
        (id, *_) = self.surveys(120)
        self.sim.advance("900d")
        self.sim.mutate("survey_score", id=id, score=3)
        self.run_and_compare()

    # -- 6: full refresh

    def test_6_a_macro_that_changes_its_list_is_not_deleted(self):
        """It is brought back from the archive when the list of the active ones has been read, and that of the archived has not."""
        self.copied(("macros",))
        archived = self.sim.mutate("macro_archive", id=self.ids("macros", lambda row: row["archived_datetime"] is None)[0])["id"]
        self.run_replication(self.file)
        self.sim.clear_log()
        self.sim.add_faults({"match": "/api/macros", "query": "archived=false", "mutate": {"kind": "macro_archive", "id": archived}})
        self.run_replication(self.file)
        self.assertEqual(1, self.database.value(f"select count(*) from gorgias.macros where id = {archived}"))
        self.run_and_compare()

    def test_6_a_row_that_moves_between_pages_is_asked_about(self):
        self.copied(("custom_fields",))
        for _ in range(80):
            self.sim.mutate("field_create")
        self.run_replication(self.file)
        self.sim.clear_log()
        last = min((row["priority"], row["id"]) for row in self.sim.truth("custom_fields")
                   if row["object_type"] == "Ticket" and row["deactivated_datetime"] is None and row["priority"] is not None)[1]
        self.sim.add_faults({"match": "/api/*", "times": "forever", "fault": "shrunk-page", "args": {"rows": 10}},
                            {"match": "/api/custom-fields", "query": "object_type=Ticket", "request": 2, "mutate": {
                                "kind": "set", "stream": "custom_fields", "id": last, "fields": {"priority": 4999}}})
        self.run_replication(self.file)
        self.assertEqual(1, len(self.requests(f"/api/custom-fields/{last}")))
        self.assertEqual(1, self.database.value(f"select count(*) from gorgias.custom_fields where id = {last}"))
        self.sim.clear_faults()
        self.run_and_compare()

    # -- 7: deletions and merges

    def test_7_what_is_alive_stays_whatever_an_event_says(self):
        """Events that name the wrong side, or lie: the object itself is asked."""
        self.copied()
        ticket, customer = self.ids("tickets")[3], self.ids("customers")[3]
        for type, object_type, id in (("ticket-deleted", "Ticket", ticket), ("ticket-merged", "Ticket", ticket),
                                      ("customer-deleted", "Customer", customer), ("customer-merged", "Customer", customer)):
            self.sim.account.record(type, object_type, id)
        self.run_and_compare()
        self.assertTrue(any("ticket_ids=" in request["query"] for request in self.requests("/api/tickets")))
        self.assertEqual(1, len(self.requests(f"/api/customers/{customer}")))

    def test_7_deletions_and_merges_are_marked_in_the_next_run(self):
        for answer in ("404", "301"):
            with self.subTest(answer=answer):
                self.database = self.database.server.database()
                self.copied(merged_ticket=answer)
                tickets = [self.sim.mutate("ticket_delete")["id"], self.sim.mutate("ticket_merge")["id"]]
                customers = [self.sim.mutate("customer_delete")["id"], self.sim.mutate("customer_merge")["id"]]
                self.run_and_compare()
                for stream, gone in (("tickets", tickets), ("customers", customers)):
                    self.assertEqual(2, self.database.value(f"select count(*) from gorgias.{stream} where _deleted_at is not null"
                                                            f" and id in ({','.join(map(str, gone))})"))

    def test_7_a_deletion_of_a_moment_ago_is_marked(self):
        """In the second in which the run begins, behind a page's end: the server's clock tells no fraction."""
        self.copied(frozen=True, now="2026-05-01T12:00:00.9+00:00")
        for n in range(120):
            self.sim.mutate("ticket_close", id=self.ids("tickets")[n % 100])
        gone = self.sim.mutate("ticket_delete")["id"]
        self.sim.advance("1ms")
        self.run_replication(self.file)
        self.assertEqual(1, self.database.value(f"select count(*) from gorgias.tickets where id = {gone} and _deleted_at is not null"))

    # -- newest wins

    def test_an_overlapping_backfill_brings_nothing_older(self):
        """The page of a backfill is older than what the table holds when it is committed."""
        self.copied(("tickets",))
        id = self.ids("tickets")[0]
        self.database.do(f"update gorgias.tickets set updated_datetime = updated_datetime + interval '1 hour', subject = 'newer' where id = {id}")
        for options in (("--range", "2020-01-01,2030-01-01"), ("--full-refresh",)):
            self.run_replication(self.file, *options)
            self.assertEqual("newer", self.database.value(f"select subject from gorgias.tickets where id = {id}"))


if __name__ == "__main__":
    unittest.main()
