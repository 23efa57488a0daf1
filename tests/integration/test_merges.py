"""Tickets and customers that become part of others, whichever side the event names, and if none does."""

import unittest

from harness import Case


class Merges(Case):
    def merged(self, **options):
        """A loaded copy; then two tickets and two customers are merged, and the next run is made."""
        sim = self.simulator(**{"seed": 71, "tickets": 120, **options})
        file = self.replication()
        self.run_replication(file)
        tickets = [ticket for ticket in sim.truth("tickets") if ticket["messages_count"] > 1]
        owners = [ticket["customer"]["id"] for ticket in tickets[6:12] if ticket["customer"]]
        losers = {"tickets": [tickets[0]["id"], tickets[1]["id"]], "customers": [owners[0]]}
        moved = [message["id"] for message in sim.truth("ticket_messages") if message["ticket_id"] in losers["tickets"]]
        winner = next(ticket["customer"]["id"] for ticket in tickets if ticket["customer"] and ticket["customer"]["id"] not in owners)
        sim.mutate("ticket_merge", loser=tickets[0]["id"], winner=tickets[2]["id"])
        sim.mutate("ticket_merge", loser=tickets[1]["id"], winner=tickets[3]["id"])
        sim.mutate("customer_merge", loser=owners[0], winner=winner)
        sim.clear_log()
        result = self.run_replication(file)
        self.assert_equals_source(result=result)
        for stream, ids in losers.items():
            self.assertEqual(0, self.database.value(f"select count(*) from gorgias.{stream} where _deleted_at is null and id in"
                                                    f" ({', '.join(map(str, ids))})"), stream)
        # The messages are alive, under the ticket that they have gone to.
        self.assertEqual(len(moved), self.database.value("select count(*) from gorgias.ticket_messages where _deleted_at is null and id in"
                                                         f" ({', '.join(map(str, moved))})"))
        self.assertEqual(0, self.queue())
        return result

    def test_events_name_the_loser(self):
        self.merged()

    def test_events_name_the_winner(self):
        self.merged(merge_event="winner")

    def test_a_merged_ticket_answers_301(self):
        self.merged(merge_event="winner", merged_ticket="301")

    def test_a_ticket_without_messages_here_is_named_in_the_data(self):
        """The winner's event is all there is: its data says who the loser was."""
        sim = self.simulator(seed=72, tickets=60, merge_event="winner")
        file = self.replication(("tickets", "events", "customers"))
        self.run_replication(file)
        tickets = sim.truth("tickets")
        customers = [customer["id"] for customer in sim.truth("customers")]
        owners = {ticket["customer"]["id"] for ticket in tickets if ticket["customer"]}
        lonely = [id for id in customers if id not in owners]
        self.assertGreater(len(lonely), 0)
        loser, winner = tickets[5]["id"], tickets[6]["id"]
        sim.set(merge_data=True)
        sim.mutate("ticket_merge", loser=loser, winner=winner)
        sim.mutate("customer_merge", loser=lonely[0], winner=customers[0] if customers[0] != lonely[0] else customers[1])
        result = self.run_replication(file)
        self.assert_equals_source("tickets", "events", "customers", result=result)

    def test_messages_move_though_the_survivor_was_not_touched(self):
        """Only the event tells that the survivor has more messages than before."""
        sim = self.simulator(seed=73, tickets=60)
        for event in ("winner", "loser"):
            with self.subTest(event=event):
                sim.set(merge_event=event, merge_data=True)
                file = self.replication(("tickets", "ticket_messages", "events"))
                self.run_replication(file)
                tickets = [ticket for ticket in sim.truth("tickets") if ticket["messages_count"] > 1]
                sim.advance("1h")
                sim.mutate("ticket_merge", loser=tickets[0]["id"], winner=tickets[1]["id"], touch=False)
                result = self.run_replication(file)
                self.assert_equals_source("ticket_messages", result=result)


if __name__ == "__main__":
    unittest.main()
