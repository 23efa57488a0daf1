"""Waiting: for the account's budget, and for what does not come. These tests take their time and hardly any of the processor's."""

import unittest

from harness import Case


class Patience(Case):
    def test_the_rate_is_kept(self):
        """A real bucket, and the limit taken over from the API's header: no request is ever refused."""
        self.simulator(seed=84, tickets=60, rate="40/4s")
        source = self.gorgias()
        source["rate"] = {"requests": 40, "per": "4s"}
        result = self.run_replication(self.replication(source=source))
        self.assert_equals_source()
        self.assertEqual((0, 0), (self.sim.stats()["429"], result.summary["throttled"]))

    def test_the_default_rate_is_kept(self):
        """Nothing is said of a rate: 40 in 20 seconds."""
        self.simulator(seed=85, tickets=360, rate="40/20s")
        source = self.gorgias()
        del source["rate"]
        self.run_replication(self.replication(("tickets", "customers", "ticket_messages", "events"), source=source))
        self.assert_equals_source("tickets", "customers", "ticket_messages", "events")
        self.assertGreater(len(self.requests()), 40)
        self.assertEqual(0, self.sim.stats()["429"])

    def test_another_client_empties_the_bucket(self):
        self.simulator(seed=86, tickets=100, rate="40/4s", eat=39)
        source = self.gorgias()
        del source["rate"]
        self.run_replication(self.replication(("tickets", "tags", "users"), source=source))
        self.assert_equals_source("tickets", "tags", "users")

    def test_a_huge_answer_is_refused(self):
        self.simulator(seed=93, tickets=10)
        self.sim.add_faults({"match": "/api/teams", "times": "forever", "fault": "huge", "args": {"bytes": 120_000_000}})
        result = self.command("run", self.replication(("tags", "teams")), "--output", "json", "--max-duration", "8s")
        self.assert_equals_source("tags")
        self.assertIn(result.code, (0, 1, 6), str(result))


if __name__ == "__main__":
    unittest.main()
