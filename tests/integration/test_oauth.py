"""OAuth2: tokens are renewed before they expire and when they are refused; a rotated refresh token is kept."""
import json
import os
import stat
import unittest
import urllib.parse
import urllib.request

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

    def test_a_dry_run_fetches_no_token(self):
        """Which would use up the one that is kept; a run would, so that nothing is wrong."""
        result = self.command("run", self.replication(["tags"], source=self.source()), "--dry-run", "--output", "json")
        self.assertEqual(0, result.code, str(result))
        self.assertIn("an access token would have to be fetched first", json.loads(result.stdout)["source_error"])
        self.assertIn("warn", result.stderr)
        self.assertEqual([], self.requests())
        self.assertEqual("sim-refresh", self.kept())

    def test_a_refusal_ends_the_run(self):
        for wrong in ({"client_secret": "wrong"}, {"client_id": "wrong"}):
            with self.subTest(wrong=wrong):
                result = self.command("run", self.replication(["tags"], source=self.source(**wrong)))
                self.assertEqual(3, result.code, str(result))
                self.assertIn("refused to renew the access token", result.stderr)
                self.assertEqual([], self.requests("/api/"))
        self.assertEqual("sim-refresh", self.kept())

    def test_a_token_that_could_not_be_kept_is_not_used_up(self):
        """Noticed before the source is asked. Not even root writes into a folder that is not there, or over one."""
        nowhere = os.path.join(self.folder, "nowhere", "token")
        os.mkdir(self.token_file + ".new")
        for wrong in ({}, {"refresh_token": "sim-refresh", "refresh_token_file": nowhere}):
            with self.subTest(wrong=wrong):
                result = self.command("run", self.replication(["tags"], source=self.source(**wrong)))
                self.assertEqual(2, result.code, str(result))
                self.assertIn("the refresh token cannot be written", result.stderr)
                self.assertIn("as good as before", result.stderr)
                self.assertEqual([], self.requests())
        self.assertEqual("sim-refresh", self.kept())

    def test_nothing_is_written_through_a_link_beside_the_file(self):
        victim = self.write("victim", "untouched")
        os.symlink(victim, self.token_file + ".new")
        self.run_replication(self.replication(["tags"], source=self.source()))
        with open(victim) as file:
            self.assertEqual("untouched", file.read())
        self.assertFalse(os.path.lexists(self.token_file + ".new"))
        self.assertNotEqual("sim-refresh", self.kept())

    def test_a_link_to_the_file_stays_one(self):
        link = os.path.join(self.folder, "link")
        os.symlink(os.path.basename(self.token_file), link)
        self.run_replication(self.replication(["tags"], source=self.source(refresh_token_file=link)))
        self.assertTrue(os.path.islink(link))
        self.assertFalse(os.path.islink(self.token_file))
        self.assertNotEqual("sim-refresh", self.kept())

    def test_a_file_that_is_not_there_yet_is_made(self):
        os.remove(self.token_file)
        file = self.replication(["tags"], source=self.source(refresh_token="sim-refresh"))
        self.run_replication(file)
        self.assertEqual(0o600, stat.S_IMODE(os.stat(self.token_file).st_mode))
        self.run_replication(file)   # what the file holds is newer than what the connection says

    def test_a_token_that_rotates_and_is_kept_nowhere(self):
        source = self.source(refresh_token="sim-refresh")
        del source["refresh_token_file"]
        file = self.replication(["tags"], source=source)
        self.assertRegex(self.run_replication(file).stderr, "the refresh token has rotated.*name a refresh_token_file")
        result = self.run_replication(file, expect=3)
        self.assertIn("invalid_grant", result.summary["error"])
        self.assertIn("authorize the app again", result.summary["hint"])
        self.assertEqual([200, 400], [request["status"] for request in self.requests("/oauth/token")])

    def test_runs_that_share_a_file_renew_one_after_the_other(self):
        self.sim.add_faults({"match": "/oauth/token", "times": "forever", "fault": "slow", "args": {"bytes": 20, "every": "50ms"}})
        runs = [self.start("run", self.replication(["tags"], defaults={"object": f"account{i}.{{stream_name}}"}, source=self.source(),
                                                   name=f"replication{i}.yaml")) for i in range(4)]
        for run in runs:
            result = self.finish(run)
            self.assertEqual(0, result.code, str(result))
        self.assertEqual([200] * 4, [request["status"] for request in self.requests("/oauth/token")])

    def test_a_token_that_another_machine_has_rotated_meanwhile(self):
        """Its lock does not reach here; but it has left the new token in the file."""
        def rotate():
            form = {"grant_type": "refresh_token", "refresh_token": self.kept(), "client_id": "sim-client", "client_secret": "sim-secret"}
            with urllib.request.urlopen(f"{self.sim.url}/oauth/token", urllib.parse.urlencode(form).encode()) as answer:
                self.write("refresh-token", json.load(answer)["refresh_token"])

        self.sim.add_faults({"match": "/api/tickets", "fault": "slow", "args": {"bytes": 2000, "every": "50ms"}}, {"match": "/api/messages", "fault": "401"})
        run = self.start("run", self.replication(["tickets", "ticket_messages"], source=self.source()))
        self.wait_for(lambda: self.sim.faults.rules[0].fired, "the first page", run)
        rotate()
        result = self.finish(run)
        self.assertEqual(0, result.code, str(result))
        self.assert_equals_source("tickets", "ticket_messages")
        self.assertEqual([200] * 3, [request["status"] for request in self.requests("/oauth/token")])

    def test_a_life_that_is_no_sensible_number_of_seconds(self):
        """The token is taken for one of a day; should it be refused earlier, it is renewed then."""
        for life in ("none", "0", "-1", "null", '"soon"', '"3600"', "1e300", "99999999999999999999", "{}", "true"):
            with self.subTest(life=life):
                self.sim.set(expires_in=life)
                self.sim.clear_log()
                self.run_replication(self.replication(["tags", "users"], source=self.source()))
                self.assertEqual(1, len(self.requests("/oauth/token")))

    def test_a_new_token_that_is_refused_as_well(self):
        self.sim.add_faults({"match": "/api/*", "fault": "401", "times": "forever"})
        result = self.run_replication(self.replication(["tags", "users"], source=self.source()), expect=3)
        self.assertIn("credentials", result.summary["error"])
        self.assertEqual(2, len(self.requests("/oauth/token")))

    def test_a_run_that_is_killed_has_kept_the_token_before_it_used_the_new_one(self):
        self.sim.add_faults({"match": "/api/tags", "fault": "stall", "args": {"keep": 0}})
        run = self.start("run", self.replication(["tags"], source=self.source()))
        self.wait_for(lambda: self.sim.faults.rules[0].fired, "the first request with the new token", run)
        run.kill()
        self.finish(run)
        self.run_replication(self.replication(["tags"], source=self.source()))

    def test_no_token_is_shown_at_any_level(self):
        self.sim.set(token_life="1s")
        self.sim.add_faults({"match": "/api/*", "every": 1, "times": "forever", "advance": "2s"})
        result = self.run_replication(self.replication(["tags", "users", "teams"], source=self.source()), "--log-level", "debug")
        shown = result.stdout + result.stderr
        tokens = [*self.sim.doorkeeper.access, *self.sim.doorkeeper.refresh, "sim-refresh", "sim-secret"]
        self.assertGreater(len(tokens), 4)
        for token in tokens:
            self.assertNotIn(token, shown)

    def test_a_given_access_token_is_used_as_it_is(self):
        source = {**self.source(), "access_token": self.sim.token()}
        for name in ("client_id", "client_secret", "refresh_token_file"):
            del source[name]
        self.run_replication(self.replication(["tags"], source=source))
        self.assert_equals_source("tags")


if __name__ == "__main__":
    unittest.main()
