"""The first run of all streams: every table equals the API, and has the columns, types, keys and comments that it should have."""

import json
import unittest

import truth
from harness import CONFIGURATION, STREAMS, Case


class FirstRun(Case):
    def copy(self, **options):
        sim = self.simulator(**options)
        return sim, self.run_replication(self.replication())

    def test_a_hostile_account(self):
        sim, result = self.copy(seed=11, tickets=330, hostile=True, old_fields=True, datetimes="mixed")
        self.assert_equals_source()
        self.assertEqual("succeeded", result.summary["status"])
        self.assertEqual(set(STREAMS), {stream["stream"] for stream in result.summary["streams"]})
        for stream in STREAMS:
            with self.subTest(stream=stream):
                told = result.stream(stream)
                rows = self.database.value(f"select count(*) from gorgias.{stream}")
                self.assertEqual(("succeeded", rows), (told["status"], told["inserted"]))
        # Rejected values are kept with their reason, counted, and never stop a stream.
        rejected = self.database.value("select count(*) from _gorgias_replicate.rejected")
        # A row that was read twice is counted twice, but the same value is kept once.
        self.assertLessEqual(rejected, sum(stream["rejected"] for stream in result.summary["streams"]))
        self.assertGreater(rejected, 10)
        self.assertEqual([], self.database.rows(
            "select * from _gorgias_replicate.rejected where reason = '' or original is null or stream is null or key is null"))
        self.assertIn("9223372036854775808", self.database.column(
            "select original from _gorgias_replicate.rejected where stream = 'ticket_messages' and column_name = 'rule_id'"))

    def test_types_keys_and_comments(self):
        self.copy(seed=2, tickets=20)
        kinds = {"timestamptz": "timestamp with time zone"}
        for stream in STREAMS:
            with self.subTest(stream=stream):
                schema = truth.SCHEMAS[stream]
                columns = self.database.rows(
                    "select a.attname as name, format_type(a.atttypid, a.atttypmod) as type, col_description(a.attrelid, a.attnum) as comment"
                    f" from pg_attribute a where a.attrelid = 'gorgias.{stream}'::regclass and a.attnum > 0 and not a.attisdropped")
                types = {column["name"]: column["type"] for column in columns}
                want = {name: kinds.get(kind, kind) for name, kind in schema.columns.items()}
                want |= {"_loaded_at": "timestamp with time zone", "_deleted_at": "timestamp with time zone", "_hash": "bigint", "_extra": "jsonb"}
                self.assertEqual(want, types)
                comments = {column["name"]: column["comment"] for column in columns}
                self.assertEqual(schema.descriptions, {name: comments[name] for name in schema.descriptions})
                self.assertTrue(all(comments.values()))
                self.assertTrue(self.database.value(f"select obj_description('gorgias.{stream}'::regclass) as c"))
                self.assertEqual(f"PRIMARY KEY ({schema.key})", self.database.value(
                    f"select pg_get_constraintdef(oid) from pg_constraint where conrelid = 'gorgias.{stream}'::regclass and contype = 'p'"))

    def test_state(self):
        _, result = self.copy(seed=3, tickets=40)
        (run,) = self.database.rows("select * from _gorgias_replicate.runs")
        self.assertEqual(("succeeded", result.summary["run_id"], 0), (run["status"], int(run["run_id"]), int(run["exit_code"])))
        self.assertIsNotNone(run["ended_at"])
        streams = self.database.rows("select * from _gorgias_replicate.stream_runs")
        self.assertEqual(set(STREAMS), {stream["stream"] for stream in streams})
        self.assertEqual({"succeeded"}, {stream["status"] for stream in streams})
        for stream in streams:
            self.assertEqual(result.stream(stream["stream"])["rows_read"], int(stream["rows_read"]))
        self.assertEqual(set(STREAMS), set(self.database.column("select stream from _gorgias_replicate.streams")))
        for stream in set(STREAMS) - set(CONFIGURATION):
            self.assertIsNotNone(self.bookmark(stream), stream)
        self.assertEqual(0, self.queue())

    def test_an_empty_account(self):
        sim = self.simulator(tickets=0, customers=0, users=0, teams=0, tags=0, macros=0, rules=0, custom_fields=0, views=0, integrations=0)
        file = self.replication()
        self.run_replication(file)
        self.assert_equals_source()
        sim.mutate("customer_create")
        sim.mutate("ticket_create", messages=2)
        result = self.run_replication(file)
        self.assert_equals_source(result=result)

    def test_every_way_to_write_a_datetime(self):
        for form in ("naive", "z", "space"):
            with self.subTest(form=form):
                self.database = self.database.server.database()
                self.copy(seed=5, tickets=12, datetimes=form)
                self.assert_equals_source()

    def test_lists_that_come_as_a_bare_array(self):
        sim = self.simulator(seed=6, tickets=30, bare_array=True)
        self.run_replication(self.replication())
        self.assert_equals_source("users", "teams", "rules", "views", "satisfaction_surveys")

    def test_the_anchor_date(self):
        sim = self.simulator(seed=7, tickets=200, days=300)
        anchor = truth.as_timestamptz(sorted(ticket["updated_datetime"] for ticket in sim.truth("tickets"))[120])
        day = anchor // 86_400_000_000 * 86_400_000_000
        source = self.gorgias(anchor_date=(truth.EPOCH + truth.timedelta(microseconds=day)).date().isoformat())
        self.run_replication(self.replication(source=source))
        for stream, cursor in (("tickets", "updated_datetime"), ("customers", "updated_datetime"), ("events", "created_datetime"),
                               ("satisfaction_surveys", "created_datetime")):
            self.assert_equals_source(stream, keep=lambda row: truth.as_timestamptz(row[cursor]) >= day)
        # Messages come with their tickets: what is there is right, and of each ticket all messages since the anchor are there.
        tickets = set(self.database.column("select id::text from gorgias.tickets"))
        have = set(self.database.column("select id::text from gorgias.ticket_messages"))
        want = {str(message["id"]) for message in sim.truth("ticket_messages")
                if str(message["ticket_id"]) in tickets and truth.as_timestamptz(message["created_datetime"]) >= day}
        self.assertEqual(set(), want - have)
        self.assert_equals_source(*CONFIGURATION)

    def test_an_anchor_that_is_moved_back(self):
        """Its older rows come by a backfill alone: the run says so, with what to do, until that has been done."""
        sim = self.simulator(seed=8, tickets=60, days=300)
        moments = sorted(ticket["updated_datetime"] for ticket in sim.truth("tickets"))
        first, second = moments[40][:10], moments[20][:10]
        says = f"tickets: anchor_date lies before {first}, from where on rows are here"
        run = lambda anchor, *options: self.run_replication(   # noqa: E731
            self.replication(("tickets", "tags"), source=self.gorgias(anchor_date=anchor)), *options)
        for anchor in (first, first, moments[50][:10]):
            self.assertNotIn("anchor_date", run(anchor).stderr)
        result = run(second)
        self.assertIn(says, result.stderr)
        self.assertIn(f"HINT: Run once with --range {second},{first} ", result.stderr)
        self.assertEqual(1, result.stderr.count("anchor_date"))
        self.assertIn(says, run("beginning", "--range", f"{second},{moments[30][:10]}").stderr + run(second).stderr)   # a part of it is not all
        self.assertNotIn("anchor_date", run(second, "--range", f"{second},{first}").stderr)   # which is what was to be done
        self.assertNotIn("anchor_date", run(second).stderr)
        self.assert_equals_source("tickets", keep=lambda row: row["updated_datetime"] >= second)
        self.assertIn(f"--range ,{second} ", run("beginning").stderr)
        self.assertNotIn("anchor_date", run("beginning", "--full-refresh").stderr)
        self.assertNotIn("anchor_date", run("beginning").stderr)
        self.assert_equals_source("tickets")

    def test_commits_wait_for_the_disk(self):
        """Those of pages that come at the pace of an API, and whatever is no page."""
        self.simulator(seed=9, tickets=230, latency="60ms")
        log = self.run_replication(self.replication(("tickets", "ticket_messages", "tags")), "--log-level", "debug", "--log-format", "json").stderr
        scripts = [event["script"] for event in map(json.loads, log.splitlines()) if event["event"] == "sql"]
        self.assertGreater(len(scripts), 10)
        self.assertEqual([], [script for script in scripts if "set local synchronous_commit = default" not in script])

    def test_memory_is_bounded_by_the_page(self):
        # Bodies of 40 kB make a page of 100 messages 12 MB; 1,500 messages are 180 MB.
        self.simulator(seed=8, tickets=300, messages_per_ticket=5, body_bytes=40_000)
        file = self.replication(("tickets", "ticket_messages"))
        process = self.start("run", file, "--output", "json", "--progress", "never")
        peak = 0

        def sampled():
            nonlocal peak
            try:
                with open(f"/proc/{process.pid}/status") as status:
                    for line in status:
                        if line.startswith("VmRSS:"):
                            peak = max(peak, int(line.split()[1]))
            except (OSError, ProcessLookupError):
                pass
            return process.poll() is not None

        self.wait_for(sampled, "the end of the run")
        result = self.finish(process)
        self.assertEqual(0, result.code, str(result))
        self.assert_equals_source("ticket_messages")
        # Sanitizers multiply what is allocated, and keep what was freed for a while (256 MB, as set below them).
        self.assertLess(peak, 700_000, "kB of resident memory")


if __name__ == "__main__":
    unittest.main()
