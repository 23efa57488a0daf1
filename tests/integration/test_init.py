"""init: the first minute of a new user."""

import json
import os
import unittest

from harness import ALL_STREAMS, SECRETS, STREAMS, Case


class Init(Case):
    def setUp(self):
        super().setUp()
        self.simulator(seed=306, tickets=20)
        self.path = os.path.join(self.folder, "new.yaml")

    def both(self, **more):
        return {"GORGIAS": json.dumps(self.gorgias(**more)), "WAREHOUSE": self.database.url()}

    def init(self, *options, env=None, expect=0, path=None):
        result = self.command("init", path or self.path, *options, env=env)
        self.assertEqual(expect, result.code, str(result))
        self.assertEqual([], [name for name in os.listdir(self.folder) if ".tmp" in name and "new.yaml" in name])
        if expect != 0:
            self.assertFalse(os.path.exists(self.path))
        return result

    def text(self):
        with open(self.path) as file:
            return file.read()

    def test_what_it_writes_validates_and_runs(self):
        env = self.both()
        result = self.init(env=env)
        self.assertIn("wrote " + self.path, result.stdout)
        self.assertIn("gorgias-replicate run " + self.path, result.stdout)
        text = self.text()
        for secret in (*SECRETS, "postgresql://", "sim@example.com"):
            self.assertNotIn(secret, text)
        for stream in STREAMS:
            self.assertRegex(text, rf"(?m)^  {stream}: +# \w")
        self.assertRegex(text, r"(?m)^source: GORGIAS +# set by the environment variable GORGIAS$")
        self.assertEqual([], self.database.rows("select from pg_namespace where nspname in ('gorgias', '_gorgias_replicate')"))
        validated = self.command("validate", self.path, env=env)
        self.assertEqual((0, ""), (validated.code, validated.stderr), str(validated))
        result = self.run_replication(self.path, env=env)
        self.assertEqual(set(STREAMS), {stream["stream"] for stream in result.summary["streams"]})   # what '*' would have copied
        self.assert_equals_source()

    def test_streams_that_are_not_for_everybody_are_there_and_off(self):
        env = self.both()
        result = self.init(env=env)
        others = set(ALL_STREAMS) - set(STREAMS)
        self.assertIn(f": {len(STREAMS)} streams,", result.stdout)
        self.assertIn(f"{len(others)} more are in it, and off", result.stdout)
        text = self.text()
        for stream in others:
            self.assertRegex(text, rf"(?m)^  {stream}: +# .*\n    disabled: true")
        self.write("all.yaml", text.replace("disabled: true", "disabled: false"))
        ran = self.run_replication(os.path.join(self.folder, "all.yaml"), env=env)
        self.assertEqual(set(ALL_STREAMS), {stream["stream"] for stream in ran.summary["streams"]})

    def test_nothing_is_overwritten(self):
        self.write("new.yaml", "mine")
        self.sim.clear_log()
        result = self.command("init", self.path, env=self.both())
        self.assertEqual((2, "mine", []), (result.code, self.text(), self.requests()))
        self.assertIn("is not overwritten", result.stderr)
        os.remove(self.path)
        os.symlink("/nowhere/at/all", self.path)
        self.assertEqual(2, self.command("init", self.path, env=self.both()).code)

    def test_without_connections(self):
        result = self.init(expect=2)
        self.assertIn("no connections are set: neither GORGIAS and WAREHOUSE in the environment", result.stderr)
        self.assertIn("export GORGIAS=", result.stderr)
        self.assertIn("WAREHOUSE='postgresql://", result.stderr)
        both = self.both()
        self.assertIn("no connection to PostgreSQL", self.init(env={"GORGIAS": both["GORGIAS"]}, expect=2).stderr)
        self.assertIn("no connection to Gorgias", self.init(env={"WAREHOUSE": both["WAREHOUSE"]}, expect=2).stderr)
        self.assertIn("neither HELPDESK in the environment", self.init("--source", "HELPDESK", env=both, expect=2).stderr)

    def test_connections_of_sling(self):
        os.mkdir(os.path.join(self.folder, ".sling"))
        connections = {"HELPDESK": self.gorgias(), "PG": {"type": "postgres", "url": self.database.url()}, "LAKE": {"type": "s3", "bucket": "b"}}
        self.write(".sling/env.yaml", json.dumps({"connections": connections}))
        self.init()
        self.assertRegex(self.text(), r"(?m)^source: HELPDESK +# set by .*/\.sling/env\.yaml$")
        self.assertRegex(self.text(), r"(?m)^target: PG ")
        self.run_replication(self.path, "--streams", "tags")
        os.remove(self.path)
        self.write(".sling/env.yaml", json.dumps({"connections": {**connections, "OTHER": "postgres://x/y"}}))
        result = self.init(expect=2)
        self.assertIn("PG, OTHER", result.stderr)
        self.assertIn("--target", result.stderr)
        self.init("--target", "PG")

    def test_when_trying_fails_nothing_is_written(self):
        both = self.both()
        for env, code, mark in (({**both, "GORGIAS": json.dumps(self.gorgias(api_key="wrong-key"))}, 3, "✗ source"),
                                ({**both, "GORGIAS": json.dumps(self.gorgias(base_url="http://127.0.0.1:9"))}, 3, "✗ source"),
                                ({**both, "WAREHOUSE": "postgresql:///x?host=/nowhere"}, 4, "✗ warehouse"),
                                ({**both, "GORGIAS": '{"type": "gorgias", "subdomian": "x"}'}, 2, "")):
            with self.subTest(mark=mark):
                result = self.init(env=env, expect=code)
                self.assertIn(mark, result.stdout)
                self.assertIn("HINT", result.stderr)
        self.database.do("create role visitor login")
        self.addCleanup(self.database.do, "drop role visitor")
        result = self.init(env={**both, "WAREHOUSE": self.database.url("visitor")}, expect=4)
        self.assertIn("GRANT CREATE ON DATABASE", result.stdout)

    def test_streams_that_the_key_may_not_read_are_disabled(self):
        self.sim.set(forbid="/api/rules,/api/users")
        env = self.both()
        result = self.init(env=env)
        self.assertIn("2 are disabled in it", result.stdout)
        self.assertEqual(2, self.text().count("disabled: true  # this account's key"))
        self.run_replication(self.path, env=env)

    def test_wrong_input(self):
        both = self.both()
        for options, said in ((("x",), 'unexpected argument "x"'), (("--target", self.database.url()), "not a URL"),
                              (("--mode", "full-refresh"), "does not take --mode")):
            with self.subTest(options=options):
                self.assertIn(said, self.init(*options, env=both, expect=2).stderr)
        self.assertEqual(2, self.command("init").code)
        result = self.init(env=both, expect=2, path="/nowhere/new.yaml")
        self.assertIn("cannot write /nowhere/new.yaml", result.stderr)
        self.assertIn("export GORGIAS=", self.command("init", "--help").stdout)


if __name__ == "__main__":
    unittest.main()
