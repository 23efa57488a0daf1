"""OAuth2: tokens are renewed before they expire and when they are refused; a rotated refresh token is kept."""
import os
import stat
import unittest

from harness import Case


class OAuth(Case):
    def setUp(self):
        super().setUp()
        self.simulator(seed=3, tickets=60, latency="5ms")
        self.token_file = self.write("refresh-token", "sim-refresh", mode=0o644)

    def source(self, **more):
        return {"type": "gorgias", "subdomain": "demo", "client_id": "sim-client", "client_secret": "sim-secret",
                "refresh_token_file": self.token_file, "base_url": self.sim.url, "anchor_date": "beginning",
                "rate": {"requests": 100000, "per": "1s"}, **more}

    def kept(self):
        with open(self.token_file) as file:
            return file.read().strip()

    def test_a_rotated_token_is_kept_and_never_shown(self):
        file = self.replication(["tags", "users"], source=self.source())
        result = self.run_replication(file, "--log-level", "debug")
        self.assertNotEqual("sim-refresh", self.kept())
        self.assertEqual(0o600, stat.S_IMODE(os.stat(self.token_file).st_mode))
        self.assertNotIn(self.kept(), result.stdout + result.stderr)
        self.assert_equals_source("tags", "users")
        # The next run begins with the token that was kept; the first one works no more.
        self.run_replication(file)

    def test_a_token_that_is_refused_in_the_middle_is_renewed(self):
        self.sim.add_faults({"match": "/api/messages", "request": 2, "fault": "401"})
        self.run_replication(self.replication(["tickets", "ticket_messages"], source=self.source()))
        self.assert_equals_source("tickets", "ticket_messages")

    def test_tokens_that_expire_during_the_walk_are_renewed(self):
        self.sim.set(token_life="1s")
        self.sim.add_faults({"match": "/api/messages", "every": 1, "times": "forever", "advance": "2s"})
        self.run_replication(self.replication(["ticket_messages"], source=self.source()))
        self.assert_equals_source("ticket_messages")

    def test_a_refusal_ends_the_run(self):
        for wrong in ({"client_secret": "wrong"}, {"client_id": "wrong"}):
            with self.subTest(wrong=wrong):
                result = self.command("run", self.replication(["tags"], source=self.source(**wrong)))
                self.assertEqual(3, result.code, str(result))
                self.assertIn("refused to renew the access token", result.stderr)
                self.assertEqual([], self.requests("/api/"))
        self.assertEqual("sim-refresh", self.kept())

    def test_a_token_that_cannot_be_kept_ends_the_run(self):
        # Not even root writes through a folder that is not there.
        os.symlink(os.path.join(self.folder, "nowhere", "x"), self.token_file + ".new")
        result = self.command("run", self.replication(["tags"], source=self.source()))
        self.assertEqual(2, result.code, str(result))
        self.assertIn("the rotated refresh token cannot be written", result.stderr)

    def test_a_given_access_token_is_used_as_it_is(self):
        source = {**self.source(), "access_token": self.sim.token()}
        for name in ("client_id", "client_secret", "refresh_token_file"):
            del source[name]
        self.run_replication(self.replication(["tags"], source=source))
        self.assert_equals_source("tags")


if __name__ == "__main__":
    unittest.main()
