"""The source misbehaves: a run gets over it, or fails that stream only; it never loses a row, and never says that it succeeded when it
did not."""

import unittest

from harness import STREAMS, Case

WALKED = ("tickets", "ticket_messages", "customers", "events", "satisfaction_surveys")


class Passing(Case):
    """Faults that go away: the run succeeds."""

    def test_each_fault_once_or_twice(self):
        for fault in ("500", "502", "503-html", "504", "429", "truncated", "reset-before", "reset-mid", "closed", "wrong-length", "chunked-cut",
                      "garbled", "html-200", "null-data", "missing-data", "deep"):
            with self.subTest(fault=fault):
                self.database = self.database.server.database()
                self.simulator(seed=81, tickets=150)
                self.sim.add_faults({"match": "/api/tickets", "request": 2, "fault": fault}, {"match": "/api/tags", "fault": fault})
                self.run_replication(self.replication(("tickets", "tags")))
                self.assert_equals_source("tickets", "tags")

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

    def test_throttled(self):
        for fault, arguments in (("429", {"retry_after": 1}), ("429", {"retry_after": 0, "body": "html"}), ("429", {"retry_after": "soon"}),
                                 ("429-no-retry", {"body": "empty"})):
            with self.subTest(fault=fault, **{name: str(value) for name, value in arguments.items()}):
                self.database = self.database.server.database()
                self.simulator(seed=83, tickets=30)
                self.sim.add_faults({"match": "/api/tickets", "fault": fault, "args": arguments, "times": 2})
                result = self.run_replication(self.replication(("tickets", "tags")))
                self.assertEqual(2, result.summary["throttled"])
                self.assert_equals_source("tickets", "tags")

class Lasting(Case):
    """Faults that stay: that stream fails, the others are committed."""

    def failed(self, *rules, expect=1, **options):
        self.simulator(**{"seed": 87, "tickets": 60, **options})
        self.sim.add_faults(*rules)
        self.file = self.replication()
        return self.run_replication(self.file, expect=expect)

    def test_one_endpoint_is_forbidden(self):
        for path, stream in (("integrations", "integrations"), ("tickets", "tickets"), ("messages", "ticket_messages"), ("events", "events")):
            for status in ("403", "404"):
                with self.subTest(path=path, status=status):
                    self.database = self.database.server.database()
                    result = self.failed({"match": f"/api/{path}", "times": "forever", "fault": status})
                    self.assertEqual("partial", result.summary["status"])
                    self.assertEqual({stream: "failed"}, {told["stream"]: told["status"] for told in result.summary["streams"]
                                                          if told["status"] != "succeeded"})
                    self.assertIn(stream, result.stderr)
                    self.assertIn(status, result.stream(stream)["error"])
                    self.assertEqual(1, len(self.requests(f"/api/{path}")))   # not asked again
                    self.assert_equals_source(*(set(STREAMS) - {stream}))
                    self.sim.clear_faults()
                    self.run_replication(self.file)
                    self.assert_equals_source()

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

    def test_credentials_that_are_revoked_half_way(self):
        result = self.failed({"match": "/api/*", "request": 9, "times": "forever", "fault": "401"}, expect=3)
        self.assertIn("401", result.stderr)
        self.sim.clear_faults()
        self.run_replication(self.file)
        self.assert_equals_source()

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
