"""The account's budget: refusals that pass, that last, and that would last longer than a run may wait; and a header that lies."""

import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

from harness import CONFIGURATION, STREAMS, Case  # noqa: E402


class Refused(Case):
    def setUp(self):
        super().setUp()
        self.simulator(seed=521, tickets=40)

    def throttled(self):
        return [request for request in self.sim.log() if request["status"] == 429]

    def assert_all_failed(self, result, says):
        """Every stream that had something to ask is named with the reason, and none is committed as if it were whole."""
        for stream in result.summary["streams"]:
            self.assertEqual("failed", stream["status"], stream["stream"])
            self.assertRegex(stream["error"], says)
            self.assertRegex(result.stderr, rf"error {stream['stream']}: ")

    def assert_the_next_run_is_right(self, file):
        self.sim.clear_faults()
        self.run_replication(file)
        self.assert_equals_source()

    def test_a_storm_that_passes(self):
        """Everything is refused for a while; then it is not."""
        self.sim.add_faults({"request": 4, "times": 25, "fault": "429", "args": {"retry_after": 1}},
                            {"request": 40, "times": 10, "fault": "429-no-retry"}, {"request": 60, "times": 3, "fault": "429-date"})
        result = self.run_replication(self.replication())
        self.assertEqual(len(self.throttled()), result.summary["throttled"])
        self.assertGreater(len(self.throttled()), 30)
        self.assert_equals_source()

    def test_a_storm_that_stays(self):
        self.sim.add_faults({"times": "forever", "fault": "429", "args": {"retry_after": 1}})
        file = self.replication(source=self.gorgias(timeout={"retry": "3s"}))
        result = self.run_replication(file, expect=1)
        self.assert_all_failed(result, "HTTP 429 from /api/")
        self.assertLessEqual(len(self.sim.log()), 4 * len(STREAMS))   # once a second, for three seconds
        self.assert_the_next_run_is_right(file)

    def test_an_hour_is_not_waited_for(self):
        """The budget is the account's: nobody asks again to be refused again, and the message says how long it would be."""
        for fault, arguments in (("429", {"retry_after": 3600}), ("429-date", {"by": "1h"})):
            with self.subTest(fault=fault):
                self.database = self.database.server.database()
                self.sim.clear_log()
                self.sim.add_faults({"times": "forever", "fault": fault, "args": arguments})
                file = self.replication()
                result = self.run_replication(file, expect=1)
                self.assert_all_failed(result, r"HTTP 429 from /api/.*wait (1h 00m|59m)")
                self.assertEqual(1, len(self.sim.log()))   # the first request goes alone
                self.assert_the_next_run_is_right(file)

    def test_an_hour_in_the_middle(self):
        """What has been committed stays, and what was asked before the refusal still is."""
        self.sim.add_faults({"match": "/api/messages", "times": "forever", "fault": "429", "args": {"retry_after": 3600}})
        file = self.replication()
        result = self.run_replication(file, expect=1)
        self.assertRegex(result.stream("ticket_messages")["error"], "1h 00m")
        self.assertEqual(1, len(self.throttled()))
        for stream in result.summary["streams"]:
            if stream["status"] == "succeeded" and stream["stream"] in CONFIGURATION:
                self.assert_equals_source(stream["stream"])
            elif stream["status"] != "succeeded":
                self.assertIn("1h 00m", stream["error"])
        self.assert_the_next_run_is_right(file)

    def test_an_hour_while_the_queue_is_drained(self):
        """Not entry after entry."""
        file = self.replication(("tickets", "ticket_messages"))
        self.run_replication(file)
        self.sim.advance("1h")
        for ticket in self.sim.truth("tickets")[:12]:
            self.sim.mutate("ticket_update", id=ticket["id"])
        self.sim.clear_log()
        # Reading the list instead of asking for each: also refused.
        self.sim.add_faults({"match": "/api/messages", "request": 2, "times": "forever", "fault": "429", "args": {"retry_after": 3600}})
        result = self.run_replication(file, expect=1)
        self.assertEqual({"tickets": "succeeded", "ticket_messages": "failed"},
                         {stream["stream"]: stream["status"] for stream in result.summary["streams"]})
        self.assertLessEqual(len(self.throttled()), 6)   # what was on its way already: half of the queue
        self.sim.clear_faults()
        result = self.run_replication(file)
        self.assert_equals_source("tickets", "ticket_messages", result=result)

    def test_max_duration_ends_a_pause(self):
        self.sim.add_faults({"match": "/api/tickets", "times": "forever", "fault": "429", "args": {"retry_after": 600}})
        file = self.replication(("tickets", "tags"))
        result = self.run_replication(file, "--max-duration", "2s", expect=6)
        self.assertEqual("stopped", result.stream("tickets")["status"])
        self.assertIsNone(self.bookmark("tickets"))

    def test_a_maintenance_that_names_its_end(self):
        """503 with a Retry-After: kept where it is short, and not waited for where it is long; the others go on."""
        self.sim.add_faults({"match": "/api/tags", "fault": "503", "args": {"headers": {"Retry-After": "1"}}},
                            {"match": "/api/users", "times": "forever", "fault": "503-html", "args": {"headers": {"Retry-After": "7200"}}})
        result = self.run_replication(self.replication(), expect=1)
        self.assertEqual(["users"], [stream["stream"] for stream in result.summary["streams"] if stream["status"] != "succeeded"])
        self.assertRegex(result.stream("users")["error"], "HTTP 503 from /api/users.*2h 00m")
        self.assertEqual(1, len(self.requests("/api/users")))
        self.assert_equals_source(*(set(STREAMS) - {"users"}))


class Header(Case):
    """What the header says of the budget is not always so."""

    def test_a_bucket_that_is_smaller_than_the_header_says(self):
        self.simulator(seed=522, tickets=60, rate="10/1s")
        self.sim.add_faults({"times": "forever", "fault": "call-limit", "args": {"value": "0/5000"}})
        source = self.gorgias()
        del source["rate"]
        result = self.run_replication(self.replication(source=source))
        self.assertGreater(result.summary["throttled"], 0)
        self.assert_equals_source()

    def test_a_header_that_lies(self):
        self.simulator(seed=523, tickets=20)
        streams = ("tickets", "tags", "users")
        for value in ("0/0", "40/0", "-3/40", "3/-40", "garbage", "", "/", "40/", "/40", "99999999999999999999/1", "41/40", "1e3/40", "4 / 40"):
            with self.subTest(value=value):
                self.database = self.database.server.database()
                fault = {"fault": "call-limit", "args": {"value": value}} if value else {"fault": "no-limit-header"}
                self.sim.add_faults({"times": "forever", **fault})
                source = self.gorgias()
                source["rate"] = {"requests": 40, "per": "1s"}
                self.run_replication(self.replication(streams, source=source))
                self.sim.clear_faults()
                self.assert_equals_source(*streams)


if __name__ == "__main__":
    unittest.main()
