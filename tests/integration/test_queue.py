"""The child stream: tickets that changed are queued in the transaction that brings them, and their messages are read from the queue."""

import unittest
from collections import Counter

from harness import Case, parameters


class Queue(Case):
    def test_tickets_fill_it_and_messages_drain_it(self):
        self.simulator(seed=61, tickets=40)
        file = self.replication(("tickets", "ticket_messages"))
        self.run_replication(file, "--streams", "tickets")
        self.assertEqual(40, self.queue())
        self.assert_equals_source("tickets")
        self.assertEqual([], self.requests("/api/messages"))
        self.run_replication(file, "--streams", "ticket_messages")
        self.assertEqual(0, self.queue())
        self.assert_equals_source("ticket_messages")

    def test_changed_tickets_are_queued(self):
        sim = self.simulator(seed=62, tickets=120)
        file = self.replication(("tickets", "ticket_messages"))
        self.run_replication(file)
        sim.advance("1h")
        changed = {str(sim.mutate("message_create", ticket_id=ticket["id"])["ticket_id"]) for ticket in sim.truth("tickets")[50:60]}
        self.run_replication(file, "--streams", "tickets")
        self.assertEqual(changed, set(self.database.column("select key::text from _gorgias_replicate.queue")))
        self.run_replication(file, "--streams", "tickets")   # nothing new: nothing more is queued
        self.assertEqual(10, self.queue())
        self.run_replication(file, "--streams", "ticket_messages")
        self.assertEqual(0, self.queue())
        self.assert_equals_source("tickets", "ticket_messages")

    def test_a_first_copy_uses_pages_of_all_tickets(self):
        sim = self.simulator(seed=63, tickets=400, messages_per_ticket=3)
        file = self.replication(("tickets", "ticket_messages"))
        self.run_replication(file)
        messages = len(sim.truth("ticket_messages"))
        self.assertLessEqual(len(self.requests("/api/messages")), messages // 100 + 3)
        self.assert_equals_source("tickets", "ticket_messages")
        self.assertEqual(0, self.queue())

    def test_a_ticket_that_is_gone(self):
        for answer in ("empty", "404"):
            with self.subTest(answer=answer):
                self.database = self.database.server.database()
                sim = self.simulator(seed=64, tickets=30, unknown_ticket_messages=answer)
                file = self.replication(("tickets", "ticket_messages"))
                self.run_replication(file)
                sim.advance("1h")
                id = sim.truth("tickets")[7]["id"]
                sim.mutate("message_create", ticket_id=id)
                self.run_replication(file, "--streams", "tickets")   # queued ...
                gone = sim.mutate("ticket_delete", id=id)            # ... and gone before its messages are asked for
                self.run_replication(file)
                self.assertEqual(0, self.database.value(
                    f"select count(*) from gorgias.ticket_messages where ticket_id = {id} and _deleted_at is null"))
                self.assertEqual(0, self.queue())
                if answer == "404":
                    self.assertEqual(1, self.database.value(f"select count(*) from gorgias.tickets where id = {gone['id']}"
                                                            " and _deleted_at is not null"))

    def test_a_long_thread(self):
        sim = self.simulator(seed=65, tickets=30)
        file = self.replication(("tickets", "ticket_messages"))
        self.run_replication(file)
        sim.advance("1h")
        id = sim.truth("tickets")[3]["id"]
        for _ in range(230):
            sim.mutate("message_backdate", ticket_id=id)   # below the bookmark, so that only the queue can find them
        result = self.run_replication(file)
        self.assert_equals_source("tickets", "ticket_messages", result=result)

    def test_a_message_that_moves_comes_back_to_life(self):
        """Whichever of the two tickets of a merge is drained first."""
        sim = self.simulator(seed=66, tickets=40)
        file = self.replication(("tickets", "ticket_messages", "events"))
        self.run_replication(file)
        for _ in range(6):
            sim.advance("1h")
            sim.mutate("ticket_merge")
        result = self.run_replication(file)
        self.assert_equals_source("tickets", "ticket_messages", "events", result=result)

    def test_a_ticket_that_changes_while_it_is_drained(self):
        """The entry stays if its version has grown meanwhile: no reply is lost."""
        sim = self.simulator(seed=67, tickets=60)
        file = self.replication(("tickets", "ticket_messages"))
        self.run_replication(file)
        sim.advance("1h")
        ids = [ticket["id"] for ticket in sim.truth("tickets")[:12]]
        for id in ids:
            sim.mutate("message_create", ticket_id=id)
        sim.add_faults({"match": "/api/messages", "every": 2, "times": "forever",
                        "mutate": [{"kind": "message_create", "ticket_id": id} for id in ids[:4]]})
        self.run_replication(file)
        sim.clear_faults()
        result = self.run_replication(file)
        self.assert_equals_source("tickets", "ticket_messages", result=result)
        self.assertEqual(0, self.queue())

    def test_it_survives_a_kill(self):
        sim = self.simulator(seed=68, tickets=150)
        file = self.replication(("tickets", "ticket_messages"))
        self.run_replication(file)
        sim.advance("1h")
        for ticket in sim.truth("tickets")[:16]:
            sim.mutate("message_create", ticket_id=ticket["id"])
        self.run_replication(file, "--streams", "tickets")
        self.assertEqual(16, self.queue())
        sim.clear_log()
        sim.set(latency="40ms")
        process = self.start("run", file, "--streams", "ticket_messages")
        self.wait_for(lambda: len(self.requests("/api/messages")) >= 7, "seven requests", process)
        self.kill(process)
        sim.set(latency="0")
        self.run_replication(file, "--streams", "ticket_messages")
        self.assertEqual(0, self.queue())
        self.assert_equals_source("ticket_messages")

    def asked(self):
        """Requests for messages: (of all tickets, of one ticket)."""
        one = ["ticket_id" in str(request["query"]) for request in self.requests("/api/messages")]
        return one.count(False), one.count(True)

    def test_a_long_queue_is_answered_by_the_list_of_all(self):
        """Where that costs fewer requests, and only there."""
        sim = self.simulator(seed=70, tickets=300)
        file = self.replication(("tickets", "ticket_messages", "events"))
        pages = -(-len(sim.truth("ticket_messages")) // 100)
        self.run_replication(file, "--streams", "ticket_messages")
        sim.advance("1h")
        sim.clear_log()
        self.run_replication(file)
        self.assertLessEqual(sum(self.asked()), pages + 12)
        self.assert_equals_source("tickets", "ticket_messages")
        tickets = [ticket["id"] for ticket in sim.truth("tickets")]
        for count, most in ((250, pages + 13), (10, 13)):
            with self.subTest(changed=count):
                sim.advance("1h")
                for ticket in tickets[:count]:
                    sim.mutate("ticket_update", id=ticket)
                sim.mutate("message_update")
                sim.mutate("message_delete")
                sim.advance("1h")
                sim.clear_log()
                bookmark = self.bookmark("ticket_messages")
                result = self.run_replication(file)
                self.assertLessEqual(sum(self.asked()), most)
                self.assertEqual(0, self.database.value(
                    "select count(*) from _gorgias_replicate.queue where object = 'gorgias.ticket_messages'"))
                self.assertGreaterEqual(self.bookmark("ticket_messages"), bookmark)
                self.assert_equals_source("tickets", "ticket_messages", result=result)

    def test_events_that_come_late(self):
        """Tickets whose messages have been asked for when the events name them are not asked for again, unless the answer was too early."""
        sim = self.simulator(seed=71, tickets=80)
        file = self.replication(("tickets", "ticket_messages", "events"))
        self.run_replication(file)
        messages = {message["ticket_id"]: message["id"] for message in reversed(sim.truth("ticket_messages"))}
        chosen = [messages[ticket["id"]] for ticket in sorted(sim.truth("tickets"), key=lambda ticket: ticket["created_datetime"])[:12]]
        for ago, again in (("1h", 0), ("1m", 12)):
            with self.subTest(ago=ago):
                for id in chosen:
                    sim.mutate("message_update", id=id)
                sim.advance(ago)
                sim.clear_log()
                sim.add_faults({"match": "/api/events", "times": 1, "fault": "slow", "args": {"bytes": 256, "every": "100ms"}})
                result = self.run_replication(file)
                self.assert_equals_source("tickets", "ticket_messages", result=result)
                asked = Counter(parameters(request)["ticket_id"] for request in self.requests("/api/messages") if "ticket_id" in request["query"])
                self.assertEqual((12, 12 + again), (len(asked), sum(asked.values())))

    def test_edits_and_deletions_that_move_no_ticket(self):
        """Their events name the messages."""
        sim = self.simulator(seed=69, tickets=80)
        file = self.replication(("tickets", "ticket_messages", "events"))
        self.run_replication(file)
        sim.advance("1h")
        sim.mutate("message_update", touch=False)
        sim.mutate("message_delete", touch=False)
        result = self.run_replication(file)
        self.assert_equals_source("tickets", "ticket_messages", result=result)


if __name__ == "__main__":
    unittest.main()
