"""The commands as a user or a program meets them."""

import datetime
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import unittest

import truth
from harness import ALL_STREAMS, BINARY, STREAMS, TIMEOUT, Case


class Offline(Case):
    """What needs no account and no database."""

    def test_discover(self):
        for arguments in (("--discover",), ("discover",)):
            result = self.command(*arguments)
            self.assertEqual(0, result.code, str(result))
            for stream in ALL_STREAMS:
                self.assertIn(stream, result.stdout)
        listed = json.loads(self.command("--discover", "--format", "json").stdout)
        self.assertEqual(set(ALL_STREAMS), {entry["stream"] for entry in listed})
        listed = json.loads(self.command("--discover", "--columns", "--format", "json", "--streams", "tickets,account").stdout)
        self.assertEqual({"tickets", "account"}, {entry["stream"] for entry in listed})
        for entry in listed:
            columns = {column["name"]: column["type"] for column in entry["columns"]}
            self.assertEqual(truth.SCHEMAS[entry["stream"]].columns, columns)
        self.assertIn("tickets", self.command("--discover", "--format", "yaml").stdout)
        self.assertEqual(2, self.command("--discover", "--streams", "nonsense").code)

    def test_help_and_version(self):
        for arguments in (("--help",), ("-h",), ("run", "--help"), ("discover", "--help"), ("check", "--help"), ("validate", "--help"), ("init", "--help"),
                          ("preview", "--help"), ("status", "--help"), ("state", "--help"), ("audit", "--help"), ("--version",)):
            result = self.command(*arguments)
            self.assertEqual((0, ""), (result.code, result.stderr), arguments)
            self.assertIn("gorgias-replicate", result.stdout)

    def test_validate_and_dry_run(self):
        connections = {"GORGIAS": "{ type: api, spec: gorgias, secrets: { subdomain: a, email: b@example.com, api_key: c },"
                                  " inputs: { base_url: 'http://127.0.0.1:9' } }",
                       "WAREHOUSE": "postgresql:///nowhere"}
        replications = os.path.join(truth.ROOT, "replications")
        for name in sorted(os.listdir(replications)):
            path = os.path.join(replications, name)
            for arguments, code in ((("validate", path), 0), (("run", path, "--dry-run"), 4)):   # nobody answers a dry run there
                with self.subTest(arguments=arguments):
                    result = self.command(*arguments, env=connections)
                    self.assertEqual(code, result.code, str(result))
                    for stream in STREAMS:
                        self.assertIn(stream, result.stdout)

    def test_output_without_a_reader(self):
        with open("/dev/full", "w") as full:
            done = subprocess.run([BINARY, "--discover"], stdout=full, stderr=subprocess.PIPE, env=self.environment(), timeout=60)
        self.assertNotEqual(0, done.returncode)


class Online(Case):
    def setUp(self):
        super().setUp()
        self.simulator(seed=121, tickets=60)

    def test_check(self):
        result = self.command("check", self.replication())
        self.assertEqual(0, result.code, str(result))
        self.assertNotIn("✗", result.stdout)
        for stream in STREAMS:
            self.assertIn(stream, result.stdout)
        self.assertEqual(0, self.database.value("select count(*) from pg_namespace where nspname in ('gorgias', '_gorgias_replicate')"))
        self.assertLess(len(self.requests()), 25)

    def test_check_finds_what_is_wrong(self):
        self.sim.set(forbid="/api/rules")
        result = self.command("check", self.replication())
        self.assertEqual(1, result.code, str(result))
        self.assertEqual(1, result.stdout.count("✗"), result.stdout)
        self.sim.set(forbid="")
        self.assertEqual(3, self.command("check", self.replication(source=self.gorgias(api_key="wrong-key"))).code)
        self.assertEqual(4, self.command("check", self.replication(target="postgresql:///x?host=/nowhere")).code)

    def test_check_as_json(self):
        file = self.replication(("tickets", "rules", "tags"))
        well = json.loads(self.command("check", file, "--output", "json").stdout)
        self.assertEqual((True, 0, file), (well["ok"], well["exit_code"], well["file"]))
        self.assertEqual({True}, {finding["ok"] for finding in well["checks"]})
        self.assertLess({"source", "warehouse", "tickets", "rules", "tags"}, {finding["subject"] for finding in well["checks"]})
        self.sim.set(forbid="/api/rules")
        result = self.command("check", file, "--output", "json")
        ill = json.loads(result.stdout)
        self.assertEqual((1, False, 1), (result.code, ill["ok"], ill["exit_code"]))
        (finding,) = [finding for finding in ill["checks"] if not finding["ok"]]
        self.assertEqual(("rules", "forbidden"), (finding["subject"], finding["fault"]))
        self.assertIn("403", finding["error"])
        self.assertTrue(finding["hint"])

    def test_check_of_an_account_that_may_not_be_read(self):
        """The credentials are right; only what asks for the account itself fails."""
        self.sim.set(forbid="/api/account")
        self.assertEqual(0, self.command("check", self.replication(("tickets", "tags"))).code)
        result = self.command("check", self.replication(("tickets", "account")))
        self.assertEqual(1, result.code, str(result))
        self.assertRegex(result.stdout, r"(?m)^✓ source +\S+, the account itself may not be read$")
        self.assertRegex(result.stdout, r"(?m)^✗ account +.*403")
        self.assertRegex(result.stdout, r"(?m)^gorgias-replicate: 1 of \d+ checks failed$")

    def test_check_of_answers_that_are_none(self):
        file = self.replication(("tickets", "tags"))
        self.sim.add_faults({"match": "/api/tags", "fault": "html-200"})
        result = self.command("check", file)
        self.assertEqual(1, result.code, str(result))
        self.assertRegex(result.stdout, r"(?m)^✗ tags +the answer from /api/tags\S* is not JSON")
        self.sim.clear_faults()
        self.sim.add_faults({"match": "/api/tags", "fault": "429", "args": {"retry_after": 1}})   # waited for
        self.assertEqual(0, self.command("check", file).code)
        self.assertEqual([429, 200], [request["status"] for request in self.requests("/api/tags")][-2:])
        self.sim.clear_faults()
        self.sim.add_faults({"match": "/api/tags", "times": "forever", "fault": "429", "args": {"retry_after": 100000}})   # not for a day
        result = self.command("check", file)
        self.assertEqual(1, result.code, str(result))
        self.assertRegex(result.stdout, r"(?m)^✗ tags +.*429")

    def test_check_of_tables_that_may_not_be_written(self):
        file = self.replication(("tickets", "tags"))
        self.run_replication(file)
        self.database.do(f"""create role looker login; grant create on database "{self.database.name}" to looker;
            grant usage, create on schema gorgias, _gorgias_replicate to looker;
            grant select on all tables in schema gorgias, _gorgias_replicate to looker""")
        self.addCleanup(self.database.do, "drop owned by looker; drop role looker")
        result = self.command("check", self.replication(("tickets", "tags"), target=self.database.url("looker")))
        self.assertEqual(4, result.code, str(result))
        for text in ("table of tickets +run GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON gorgias.tickets TO looker;", "table of tags ",
                     ".*run GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA _gorgias_replicate TO looker;"):
            self.assertRegex(result.stdout, "(?m)^✗ " + text)

    def test_text_summary(self):
        result = self.command("run", self.replication(("tickets", "tags")))
        self.assertEqual(0, result.code, str(result))
        self.assertRegex(result.stdout, r"tickets +incremental +60 +60 ")
        self.assertIn("2 succeeded, 0 failed", result.stdout)
        self.assertNotIn("\x1b", result.stdout + result.stderr)   # not a terminal

    def test_json_summary_and_metrics(self):
        path = os.path.join(self.folder, "metrics.prom")
        result = self.run_replication(self.replication(("tickets", "tags")), "--metrics-file", path)
        self.assertEqual(60, result.stream("tickets")["inserted"])
        self.assertEqual((0, "succeeded"), (result.summary["exit_code"], result.summary["status"]))
        with open(path) as file:
            metrics = file.read()
        for line in metrics.splitlines():
            self.assertRegex(line, r'^(# (HELP|TYPE) \w+ .+|\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? [-+0-9.eE]+)$')
        self.assertRegex(metrics, r'\{[^}]*stream="tickets"[^}]*\} 60\b')
        if shutil.which("promtool"):
            judged = subprocess.run(["promtool", "check", "metrics"], input=metrics, capture_output=True, text=True, timeout=60)
            self.assertEqual((0, ""), (judged.returncode, judged.stdout + judged.stderr))

    def test_metrics_keep_to_the_rules(self):
        """What promtool would say, for where there is none: each has help and type before it, a name in base units, and no series comes twice."""
        path = os.path.join(self.folder, "metrics.prom")
        self.run_replication(self.replication(("tickets", "ticket_messages", "tags")), "--metrics-file", path)
        with open(path) as file:
            lines = file.read().splitlines()
        heads, series = {}, {}
        for line in lines:
            if line.startswith("#"):
                _, word, name, rest = line.split(" ", 3)
                heads.setdefault(name, {})[word] = rest
            else:
                name = re.match(r"\w+", line)[0]
                self.assertEqual({"HELP", "TYPE"}, set(heads[name]), name)
                key, value = line.rsplit(" ", 1)
                self.assertNotIn(key, series)
                series[key] = float(value)
        for name, head in heads.items():
            self.assertRegex(name, r"^gorgias_replicate_[a-z_]+[a-z]$")
            self.assertEqual("gauge", head["TYPE"])
            self.assertNotRegex(name, r"_(total|count|sum|bucket|info|ms|milliseconds|minutes|kb|megabytes)$")
        for wanted in ("rows_read", "requests", "bytes", "duration_seconds", "queue_depth", "lag_seconds"):
            self.assertIn(f"gorgias_replicate_stream_{wanted}", heads)
        for wanted in ("success", "requests", "throttled_requests", "duration_seconds"):
            self.assertIn(f"gorgias_replicate_run_{wanted}", heads)

    def lag(self, stream, path):
        with open(path) as file:
            (line,) = [line for line in file if line.startswith("gorgias_replicate_stream_as_of") and f'stream="{stream}"' in line]
        return float(line.rsplit(" ", 1)[1])

    def test_the_lag_of_a_stream_that_fails_grows(self):
        path = os.path.join(self.folder, "metrics.prom")
        file = self.replication(("tags", "users"))
        self.run_replication(file, "--metrics-file", path)
        tags, users = self.lag("tags", path), self.lag("users", path)
        self.sim.set(forbid="/api/users")
        time.sleep(1.1)   # the clock of an answer counts seconds
        self.run_replication(file, "--metrics-file", path, expect=1)
        self.assertGreater(self.lag("tags", path), tags)
        self.assertLess(abs(self.lag("users", path) - users), 1)
        status = json.loads(self.command("status", file, "--output", "json").stdout)
        for stream in status["streams"]:
            as_of = datetime.datetime.fromisoformat(stream["as_of"].replace("Z", "+00:00")).timestamp()
            self.assertLess(abs(self.lag(stream["stream"], path) - as_of), 1)

    def test_json_logs(self):
        result = self.command("run", self.replication(("tags",)), "--log-format", "json", "--log-level", "debug")
        events = [json.loads(line) for line in result.stderr.splitlines()]
        for event in events:
            self.assertIn("level", event)
        answers = [event for event in events if event["event"] == "http"]
        self.assertEqual([(request["path"], str(request["status"])) for request in self.requests()],
                         [(event["path"].split("?")[0], event["status"]) for event in answers])
        for event in answers:
            self.assertEqual("GET", event["method"])
            self.assertGreaterEqual(int(event["ms"]), 0)
            self.assertGreater(int(event["bytes"]), 0)
        scripts = [event["stream"] for event in events if event["event"] == "sql"]
        self.assertIn("tags", scripts)
        self.assertEqual(scripts, [event["stream"] for event in events if event["event"] == "sql done"])
        info = self.command("run", self.replication(("tags",)), "--log-format", "json")
        self.assertFalse([line for line in info.stderr.splitlines() if json.loads(line)["event"] in ("sql", "http")])

    def test_a_log_tells_one_run_from_another(self):
        file = self.replication(("tags", "users"))
        for run, forbid, status, code in (("1", "", "succeeded", "0"), ("2", "/api/users", "partial", "1")):
            self.sim.set(forbid=forbid)
            self.sim.clear_log()
            events = [json.loads(line) for line in self.command("run", file, "--log-format", "json").stderr.splitlines()]
            self.assertEqual(("the run begins", run), (events[0]["event"], events[0]["run"]))
            self.assertEqual(("the run has ended", run, status, code, str(len(self.sim.log()))),
                             tuple(events[-1][name] for name in ("event", "run", "status", "exit_code", "requests")))

    def test_the_journal_is_told_the_level(self):
        self.sim.set(forbid="/api/tags")
        file = self.replication(("tags", "users"))
        with tempfile.TemporaryFile("w+") as journal:
            named = os.fstat(journal.fileno())
            env = {"JOURNAL_STREAM": f"{named.st_dev}:{named.st_ino}"}
            for arguments, code in ((("run", file), 1), (("run", file, "--streams", "nonsense"), 2)):
                done = subprocess.run([BINARY, *arguments], stdout=subprocess.DEVNULL, stderr=journal, env=self.environment(env), timeout=TIMEOUT)
                self.assertEqual(code, done.returncode)
            journal.seek(0)
            said = journal.read()
        for line in said.splitlines():
            self.assertRegex(line, r"^(<3>error |<3>  HINT: |<6>info  |<3>gorgias-replicate: |<3>HINT: )")   # and no time, which the journal knows
        for start in ("<3>error tags: HTTP 403", "<6>info  users: done", "<3>gorgias-replicate: ", "<3>HINT: "):
            self.assertRegex(said, f"(?m)^{start}")
        other = self.command("run", file, env=env)   # a stderr that is not what systemd has named
        self.assertRegex(other.stderr, r"(?m)^\d{4}-\S+Z error tags: HTTP 403")
        self.assertNotIn("<3>", other.stderr)

    def test_choosing_streams(self):
        streams = {"tickets": {"tags": ["daily"]}, "tags": {"tags": ["daily", "small"]}, "users": None, "teams": {"disabled": True}, "t*": None}
        file = self.replication(streams)
        for option, want in (("tickets,users", {"tickets", "users"}), ("t*", {"tickets", "tags", "ticket_messages"}), ("tag:daily", {"tickets", "tags"}),
                             ("-tag:small", {"tickets", "ticket_messages", "users"})):
            with self.subTest(option=option):
                result = self.run_replication(file, "--streams", option)
                self.assertEqual(want, {stream["stream"] for stream in result.summary["streams"]})

    def test_variables(self):
        file = self.replication(("tags",), defaults={"object": "{SCHEMA}.raw_{stream_name}"}, env={"SCHEMA": "one"})
        self.run_replication(file)
        self.run_replication(file, "--env", "SCHEMA=two")
        for schema in ("one", "two"):
            self.assertEqual(25, self.database.value(f"select count(*) from {schema}.raw_tags"))

    def test_select_keeps_the_key(self):
        for select, want in ((["name"], {"id", "name"}), (["*", "-usage", "-decoration"], set(truth.SCHEMAS["tags"].columns) - {"usage", "decoration"})):
            with self.subTest(select=select):
                self.database.do("drop schema if exists gorgias cascade; drop schema if exists _gorgias_replicate cascade")
                self.run_replication(self.replication({"tags": {"select": select}}))
                columns = set(self.database.column("select column_name from information_schema.columns where table_schema = 'gorgias'"))
                self.assertEqual(want | set(truth.OWN), columns)

    def test_sql_around_and_indexes(self):
        options = {"pre_sql": "create table if not exists public.log (at timestamptz default now())", "post_sql": "insert into public.log default values",
                   "table_keys": {"index": ["name"]}}
        self.run_replication(self.replication({"tags": {"target_options": options}}))
        self.assertEqual(1, self.database.value("select count(*) from public.log"))
        self.assertEqual(1, self.database.value("select count(*) from pg_indexes where tablename = 'tags' and indexdef like '%(name)'"))

    def test_a_backfill_leaves_the_bookmark_alone(self):
        self.simulator(seed=122, tickets=330)
        file = self.replication(("tickets",))
        self.run_replication(file)
        before = self.bookmark("tickets")
        id = min(self.sim.truth("tickets"), key=lambda row: truth.as_timestamptz(row["updated_datetime"]))["id"]
        day = self.sim.account.tickets.row(id)["updated_datetime"][:10]
        self.sim.mutate("ticket_update", id=id, fields={"subject": "silently"}, touch=False)
        self.run_replication(file)
        self.assertNotEqual("silently", self.database.value(f"select subject from gorgias.tickets where id = {id}"))
        self.run_replication(file, "--mode", "backfill", "--range", f"{day},{day}T23:59:59")
        self.assertEqual("silently", self.database.value(f"select subject from gorgias.tickets where id = {id}"))
        self.assertEqual(before, self.bookmark("tickets"))

    def test_schemas_from_a_folder(self):
        """Adding an endpoint is adding a file."""
        folder = os.path.join(self.folder, "schemas")
        os.mkdir(folder)
        self.write("schemas/widgets.yaml", re.sub(r"(?m)^#.*\n", "", """\
stream: widgets
description: Panels beside a ticket
path: /api/widgets
key: [id]
walk: full
full_order: created_datetime:asc
columns:
  id:               { type: bigint, null: false, description: "Widget id" }
  context:          { type: text, description: "Where it is shown" }
  created_datetime: { type: timestamptz, description: "When it was created" }
"""))
        file = self.replication(("widgets", "tags"))
        self.assertIn("widgets", self.command("--discover", "--schemas", folder).stdout)
        self.run_replication(file, "--schemas", folder)
        rows = self.database.rows("select * from gorgias.widgets")
        self.assertEqual({row["id"] for row in truth.loads(self.sim.truth_bytes("widgets").decode())}, {row["id"] for row in rows})
        self.assert_equals_source("tags")


class MinInterval(Case):
    def test_a_stream_that_was_complete_a_moment_ago_is_not_asked_again(self):
        self.simulator(seed=5, tickets=5)
        file = self.replication({"tags": {"source_options": {"min_interval": "1h"}}, "users": None})
        self.run_replication(file)
        self.sim.clear_log()
        result = self.run_replication(file)
        self.assertEqual(["/api/users"], [request["path"] for request in self.requests("/api/")])
        self.assertEqual("succeeded", result.stream("tags")["status"])
        self.database.do("update _gorgias_replicate.streams set completed_at = completed_at - interval '61 minutes' where stream = 'tags'")
        self.sim.mutate("tag_rename")
        self.run_replication(file)
        self.assert_equals_source("tags", "users")


if __name__ == "__main__":
    unittest.main()
