"""OAuth2: the request for the token fails. Without a token nothing can be asked, so what lasts ends the run with 3; what passes does not."""

import os
import signal
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

from harness import Case  # noqa: E402

# fault, its arguments, and what the message says where it lasts
FAULTS = (("408", {}, "HTTP 408"), ("429", {"retry_after": 1}, "HTTP 429"), ("429-no-retry", {"body": "html"}, "HTTP 429"),
          ("500", {}, "HTTP 500"), ("502", {}, "HTTP 502"), ("503-html", {}, "HTTP 503"), ("524", {}, "HTTP 524"),
          ("truncated", {}, "closed"), ("reset-before", {}, "reset"), ("reset-mid", {}, "reset"), ("closed", {}, "[Ee]mpty reply|close"),
          ("stall", {}, "too slow"), ("garbled", {}, "access_token"), ("html-200", {}, "access_token"), ("empty-body", {}, "access_token"),
          ("no-content", {}, "access_token"), ("json-string", {}, "access_token"), ("gzip-garbled", {}, "access_token"))


class Token(Case):
    def setUp(self):
        super().setUp()
        self.simulator(seed=531, tickets=5, rotate=False)
        self.token_file = self.write("refresh-token", "sim-refresh")

    def file(self, streams=("tags",), **more):
        source = {"type": "gorgias", "subdomain": "demo", "client_id": "sim-client", "client_secret": "sim-secret",
                  "refresh_token_file": self.token_file, "base_url": self.sim.url, "anchor_date": "beginning",
                  "rate": {"requests": 100000, "per": "1s"}, "timeout": {"stall": "1s", "retry": "30s"}, **more}
        return self.replication(streams, source=source)

    def spoil(self, fault, **rule):
        self.sim.add_faults({"match": "/oauth/token", "fault": fault, **rule})

    def assert_ended(self, result, says):
        self.assertEqual(3, result.code, str(result))
        self.assertRegex(result.summary["error"], says)
        self.assertEqual([], self.requests("/api/"))
        for secret in ("sim-refresh", "sim-secret"):
            self.assertNotIn(secret, result.stdout + result.stderr)

    def run_it(self, file, *options):
        return self.command("run", file, "--output", "json", *options)

    def test_what_passes(self):
        for fault, arguments, _ in FAULTS:
            with self.subTest(fault=fault):
                self.sim.clear_faults()
                self.spoil(fault, args=arguments)
                result = self.run_it(self.file())
                self.assertEqual(0, result.code, str(result))
                self.assertIn("will try again", result.stderr)
        self.assert_equals_source("tags")

    def test_what_lasts(self):
        for fault, arguments, says in FAULTS:
            with self.subTest(fault=fault):
                self.sim.clear_faults()
                self.sim.clear_log()
                self.spoil(fault, args=arguments, times="forever")
                self.assert_ended(self.run_it(self.file(timeout={"stall": "1s", "retry": "2s"})), f"no access token.*({says})")
        self.sim.clear_faults()
        self.assertEqual(0, self.run_it(self.file()).code)

    def test_a_refusal(self):
        """Twice: the credentials once in the header and once in the form; then no more."""
        for fault in ("400", "401", "403"):
            with self.subTest(fault=fault):
                self.sim.clear_faults()
                self.spoil(fault, times="forever")
                result = self.run_it(self.file())
                self.assert_ended(result, f"refused to renew.*{fault}")
                self.assertEqual(2, self.sim.faults.rules[0].fired)

    def test_an_answer_that_is_lost_after_the_token_rotated(self):
        """The old token works no more: nothing but a new authorization helps, and the hint says so."""
        self.sim.set(rotate=True)
        self.spoil("reset-mid")
        result = self.run_it(self.file())
        self.assert_ended(result, "refused to renew")
        self.assertIn("authorize the app again", result.summary["hint"])

    def test_an_hour_is_not_waited_for(self):
        self.spoil("429", args={"retry_after": 3600}, times="forever")
        self.assert_ended(self.run_it(self.file()), "no access token.*wait 1h 00m")
        self.assertEqual(1, self.sim.faults.rules[0].fired)

    def test_a_renewal_that_fails_half_way(self):
        """What was committed stays, and the next run goes on."""
        self.sim.set(token_life="1s")
        self.sim.add_faults({"match": "/api/tickets", "advance": "2s"}, {"match": "/oauth/token", "request": 2, "times": "forever", "fault": "502"})
        result = self.run_it(self.file(("tickets", "tags", "users", "ticket_messages"), timeout={"retry": "2s"}))
        self.assertEqual(3, result.code, str(result))
        self.assertIn("no access token", result.summary["error"])
        self.sim.clear_faults()
        self.sim.set(token_life="24h")
        self.assertEqual(0, self.run_it(self.file(("tickets", "tags", "users", "ticket_messages"))).code)
        self.assert_equals_source("tickets", "tags", "users", "ticket_messages")

    def test_a_stop_while_the_token_is_waited_for(self):
        for fault, arguments in (("429", {"retry_after": 600}), ("stall", {"keep": 0})):
            for way in ("signal", "duration"):
                with self.subTest(fault=fault, way=way):
                    self.sim.clear_faults()
                    self.spoil(fault, args=arguments, times="forever")
                    file = self.file(timeout={"stall": "5m", "total": "10m", "retry": "15m"})
                    process = self.start("run", file, "--output", "json", *(["--max-duration", "2s"] if way == "duration" else []))
                    self.wait_for(lambda: self.sim.faults.rules[0].fired, "the request", process)
                    if way == "signal":
                        process.send_signal(signal.SIGTERM)
                    result = self.finish(process, 60)
                    self.assertEqual(6, result.code, str(result))
                    self.assertEqual([], self.requests("/api/"))


if __name__ == "__main__":
    unittest.main()
