"""Bad days of the whole account: faults of all kinds at once, endpoints that stay broken, credentials that are wrong."""

import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

from harness import Case  # noqa: E402


class Passing(Case):
    """Faults that go away: the run succeeds."""

    def test_a_bad_day(self):
        """One request in eight goes wrong, one way or another, on all endpoints."""
        faults = ("502", "429", "truncated", "reset-mid", "garbled", "closed", "500-html", "chunked-cut")
        self.simulator(seed=82, tickets=300)
        self.sim.add_faults(*({"match": "/api/*", "request": 3 + 8 * n, "every": 64, "times": "forever", "fault": fault}
                              for n, fault in enumerate(faults)))
        file = self.replication()
        self.run_replication(file)
        self.assert_equals_source()
        self.sim.random_changes(60, seed=1, over="1h")
        result = self.run_replication(file)
        self.assert_equals_source(result=result)


class Lasting(Case):
    """Faults that stay: that stream fails, the others are committed."""

    def test_an_endpoint_that_stays_broken_loses_nothing(self):
        self.simulator(seed=88, tickets=330)
        self.sim.add_faults({"match": "/api/tickets", "request": 3, "times": "forever", "fault": "502"})
        file = self.replication(("tickets", "tags"))
        result = self.command("run", file, "--output", "json", "--max-duration", "4s")
        self.assertIn(result.code, (1, 6), str(result))
        self.assertIsNone(self.bookmark("tickets"))
        self.assertEqual(200, self.alive("tickets"))   # the two pages that came are kept
        self.assert_equals_source("tags")
        self.sim.clear_faults()
        self.run_replication(file)
        self.assert_equals_source("tickets", "tags")

    def test_wrong_credentials(self):
        self.simulator(seed=89, tickets=10)
        result = self.run_replication(self.replication(source=self.gorgias(api_key="sim-key-wrong")), expect=3)
        self.assertIn("401", result.stderr)
        self.assertNotIn("sim-key-wrong", result.stdout + result.stderr)
        self.assertLessEqual(len(self.requests()), 4)

    def test_a_redirect_to_another_host_is_refused(self):
        self.simulator(seed=91, tickets=10)
        other = self.sim
        self.simulator(seed=92, tickets=10)
        self.sim.add_faults({"match": "/api/tickets", "times": "forever", "fault": "redirect", "args": {"to": other.url + "/api/tickets"}})
        self.run_replication(self.replication(("tickets", "tags")), expect=1)
        self.assertEqual([], other.log())
        self.assert_equals_source("tags")


if __name__ == "__main__":
    unittest.main()
