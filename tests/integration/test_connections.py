"""Where connections come from, and that a Sling file runs as it is."""

import base64
import os
import unittest

from harness import Case

# The examples of Sling's page on Gorgias, unchanged.
SLING_FILE = """\
source: GORGIAS
target: MY_POSTGRES

defaults:
  mode: incremental
  object: gorgias.{stream_name}

streams:
  tickets:
  customers:
  satisfaction_surveys:
  ticket_messages:
    mode: full-refresh
  users:
    mode: full-refresh

env:
  SLING_STATE: MY_POSTGRES/sling_state.gorgias
"""
SLING_FILE_ALL = """\
source: GORGIAS
target: MY_POSTGRES
defaults:
  mode: full-refresh
  object: gorgias.{stream_name}
streams:
  '*':
"""


class Connections(Case):
    def setUp(self):
        super().setUp()
        self.simulator(seed=111, tickets=60)

    def sling_source(self):
        return (f'{{ type: api, spec: gorgias, secrets: {{ subdomain: "mycompany", email: "sim@example.com", api_key: "sim-key" }}, '
                f'inputs: {{ base_url: "{self.sim.url}", anchor_date: "2001-01-01", rate: {{ requests: 100000, per: 1s }} }} }}')

    def copied(self, file, env, *streams):
        result = self.run_replication(self.write("r.yaml", file), env=env)
        self.assert_equals_source(*streams)
        return result

    FIVE = ("tickets", "customers", "satisfaction_surveys", "ticket_messages", "users")

    def test_sling_s_environment_variables(self):
        self.copied(SLING_FILE, {"GORGIAS": self.sling_source(), "MY_POSTGRES": self.database.url()}, *self.FIVE)
        self.assertEqual(1, self.database.value("select count(*) from sling_state.runs"))
        self.assertEqual(0, self.database.value("select count(*) from pg_namespace where nspname = '_gorgias_replicate'"))
        self.sim.random_changes(40, seed=1)
        result = self.run_replication(self.write("r.yaml", SLING_FILE), env={"GORGIAS": self.sling_source(), "MY_POSTGRES": self.database.url()})
        self.assert_equals_source("users", result=result)

    def test_every_stream_in_full(self):
        self.copied(SLING_FILE_ALL, {"GORGIAS": self.sling_source(), "MY_POSTGRES": self.database.url()})
        self.sim.random_changes(40, seed=2)
        self.sim.mutate("ticket_delete", event=False)
        result = self.run_replication(self.write("r.yaml", SLING_FILE_ALL), env={"GORGIAS": self.sling_source(), "MY_POSTGRES": self.database.url()})
        self.assert_equals_source(result=result)

    def test_env_yaml(self):
        text = f"connections:\n  GORGIAS: {self.sling_source()}\n  MY_POSTGRES:\n    type: postgres\n    url: \"{self.database.url()}\"\n"
        for place, env in ((".sling", {}), ("elsewhere", {"SLING_HOME_DIR": os.path.join(self.folder, "elsewhere")})):
            with self.subTest(place=place):
                self.database.do("drop schema if exists gorgias cascade; drop schema if exists sling_state cascade")
                os.makedirs(os.path.join(self.folder, place))
                self.write(f"{place}/env.yaml", text)
                result = self.copied(SLING_FILE, env, *self.FIVE)
                self.assertNotIn("env.yaml", result.stderr)
                os.chmod(os.path.join(self.folder, place, "env.yaml"), 0o644)   # others can read it: a warning
                self.assertIn("env.yaml", self.run_replication(self.write("r.yaml", SLING_FILE), env=env).stderr)
                os.remove(os.path.join(self.folder, place, "env.yaml"))

    def test_the_file_comes_first(self):
        file = self.replication(("tags",))
        self.run_replication(file, env={"GORGIAS": "{ type: gorgias, subdomain: wrong, email: wrong, api_key: wrong }",
                                        "WAREHOUSE": "postgresql:///wrong"})
        self.assert_equals_source("tags")

    def test_libpq_keywords(self):
        target = {"type": "postgres", "host": self.database.server.place, "user": "postgres", "dbname": self.database.name}
        self.run_replication(self.replication(("tags",), target=target))
        self.assert_equals_source("tags")

    def test_loopback_by_name(self):
        self.run_replication(self.replication(("tags",), source=self.gorgias(base_url=f"http://localhost:{self.sim.port}/")))
        self.assert_equals_source("tags")

    def test_a_key_from_the_environment_or_a_file(self):
        self.run_replication(self.replication(("tags",), source=self.gorgias(api_key="${THE_KEY}")), env={"THE_KEY": "sim-key"})
        source = self.gorgias(api_key_file=self.write("key", "sim-key\n"))
        del source["api_key"]
        self.run_replication(self.replication(("users",), source=source))
        self.assert_equals_source("tags", "users")

    def without_key(self, **more):
        return {**{key: value for key, value in self.gorgias().items() if key not in ("email", "api_key")}, **more}

    def test_an_access_token(self):
        self.run_replication(self.replication(("tags",), source=self.without_key(access_token=self.sim.token())))
        self.assert_equals_source("tags")

    def test_a_refresh_token(self):
        source = self.without_key()
        token = self.write("refresh", "sim-refresh\n")
        refreshed = {**source, "client_id": "sim-client", "client_secret": "sim-secret", "refresh_token_file": token}
        for stream in ("users", "teams"):   # the second run needs the token that the first one was given
            result = self.run_replication(self.replication((stream,), source=refreshed), "--log-level", "debug")
            self.assert_equals_source(stream)
            for secret in ("sim-secret", "sim-refresh"):
                self.assertNotIn(secret, result.stderr)
        self.assertEqual(0o600, os.stat(token).st_mode & 0o777)

    def test_secrets_appear_nowhere(self):
        """Not in logs at their most talkative, not in the process list, not in the database."""
        self.sim.add_faults({"match": "/api/tags", "fault": "502"}, {"match": "/api/users", "times": "forever", "fault": "403"})
        self.sim.set(latency="30ms")
        file = self.replication(source=self.gorgias())
        process = self.start("run", file, "--log-level", "debug", "--log-format", "json")
        self.wait_for(lambda: self.sim.log(), "the first request", process)
        with open(f"/proc/{process.pid}/cmdline", "rb") as cmdline:
            self.assertNotIn(b"sim-key", cmdline.read())
        result = self.finish(process)
        self.assertEqual(1, result.code, str(result))
        everything = result.stdout + result.stderr
        for table in ("runs", "stream_runs", "streams", "rejected"):
            everything += str(self.database.rows(f"select * from _gorgias_replicate.{table}"))
        for secret in ("sim-key", base64.b64encode(b"sim@example.com:sim-key").decode(), "Authorization"):
            self.assertNotIn(secret, everything)


if __name__ == "__main__":
    unittest.main()
