"""run --dry-run: what a run would do, and what it would take."""

import json
import unittest

import truth
from harness import STREAMS, Case


class DryRun(Case):
    def setUp(self):
        super().setUp()
        self.simulator(seed=307, tickets=250)

    def forecast(self, file, *options):
        """And nothing changes, with one request at the most."""
        everything = self.contents()
        self.sim.clear_log()
        result = self.command("run", file, "--dry-run", "--output", "json", *options)
        self.assertEqual(0, result.code, str(result))
        self.assertEqual(everything, self.contents())
        self.assertLessEqual(len(self.requests()), 1)
        return json.loads(result.stdout)

    def contents(self):
        tables = self.database.column("select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = relnamespace"
                                      " where relkind = 'r' and nspname !~ '^(pg_|information_schema)' order by 1")
        return {table: sorted(map(str, self.database.rows(f"select * from {table}"))) for table in tables}

    @staticmethod
    def stream(forecast, name):
        (found,) = [stream for stream in forecast["streams"] if stream["stream"] == name]
        return found

    def test_before_the_first_run(self):
        forecast = self.forecast(self.replication())
        self.assertEqual(set(STREAMS), {stream["stream"] for stream in forecast["streams"]})
        self.assertEqual("ticket_messages", forecast["asked"])
        messages = self.stream(forecast, "ticket_messages")
        self.assertEqual(("pace of newest rows", "2001-01-01T00:00:00.000000Z"), (messages["by"], messages["from"]))
        self.assertGreater(messages["requests"], 1)
        self.assertEqual((None, None, "unknown"), tuple(self.stream(forecast, "tags")[key] for key in ("requests", "time_ms", "by")))
        self.assertEqual(1, self.stream(forecast, "account")["requests"])
        self.assertEqual(12, forecast["unknown_streams"])

    def test_the_pace_is_that_of_the_newest_rows(self):
        when = sorted((truth.as_timestamptz(row["updated_datetime"]) for row in self.sim.truth("tickets")), reverse=True)
        stream = self.stream(self.forecast(self.replication(("tickets",))), "tickets")
        self.assertEqual(("pace of newest rows", -((truth.as_timestamptz("2001-01-01T00:00:00Z") - when[0]) // (when[0] - when[99]))),
                         (stream["by"], stream["requests"]))

    def test_after_runs(self):
        file = self.replication()
        self.run_replication(file)
        first = self.run_replication(file)
        forecast = self.forecast(file)
        self.assertIsNone(forecast["asked"])
        self.assertEqual(0, forecast["unknown_streams"])
        for ran in first.summary["streams"]:
            stream = self.stream(forecast, ran["stream"])
            if ran["mode"] == "full-refresh" and stream["by"] != "a single object":
                self.assertEqual((ran["requests"], "its last full reading"), (stream["requests"], stream["by"]), ran["stream"])
            if ran["mode"] == "incremental":
                self.assertEqual((ran["bookmark"], "its last runs"), (stream["bookmark"], stream["by"]))
                self.assertEqual(stream["bookmark"], stream["from"])

    def test_the_rate_and_the_queue_count(self):
        file = self.replication(("tickets", "ticket_messages"), source=self.gorgias(rate={"requests": 40, "per": "20s"}))
        self.run_replication(self.replication(("tickets", "ticket_messages"), name="fast.yaml"))
        self.run_replication(self.replication(("tickets", "ticket_messages"), name="fast.yaml"))
        self.database.do("insert into _gorgias_replicate.queue (object, key) select 'gorgias.ticket_messages', i from generate_series(1, 500) i")
        forecast = self.forecast(file)
        messages = self.stream(forecast, "ticket_messages")
        self.assertEqual(500, messages["queue"])
        self.assertGreaterEqual(messages["requests"], 501)
        self.assertEqual((forecast["requests"] - 39) * 500, forecast["time_ms"])

    def test_what_options_change(self):
        file = self.replication({"tickets": None, "tags": None, "events": {"mode": "definition-only"}})
        self.run_replication(file)
        self.assertEqual((0, "nothing is asked"), tuple(self.stream(self.forecast(file), "events")[key] for key in ("requests", "by")))
        limited = self.stream(self.forecast(file, "--limit", "250"), "tickets")
        self.assertEqual((3, "the row limit, at most"), (limited["requests"], limited["by"]))
        backfill = self.stream(self.forecast(file, "--range", "2020-01-01,2020-02-01"), "tickets")
        self.assertEqual(("backfill", "2020-01-01T00:00:00.000000Z", "2020-02-01T00:00:00.000000Z"),
                         tuple(backfill[key] for key in ("mode", "from", "to")))
        self.assertEqual(["tags"], [stream["stream"] for stream in self.forecast(file, "--streams", "tags")["streams"]])
        fresh = self.replication({"tags": {"source_options": {"min_interval": "1h"}}}, name="fresh.yaml")
        self.assertEqual(0, self.stream(self.forecast(fresh), "tags")["requests"])

    def test_text(self):
        result = self.command("run", self.replication(), "--dry-run")
        self.assertEqual(0, result.code, str(result))
        self.assertRegex(result.stdout, r"(?m)^tickets +incremental +2001-01-01 +unknown")
        self.assertIn("\n  all: into gorgias\n", result.stdout)
        self.assertEqual(1, result.stdout.count("refreshed in full"))
        grid = result.stdout.split("\n  ")[0].splitlines()
        self.assertLessEqual(max(map(len, grid)), 120)
        self.assertIn("12 streams cannot be estimated", result.stdout)
        self.assertIn("nothing was written; one request was made, for a page of ticket_messages", result.stdout)

    def test_rows_that_come_with_those_of_another_stream(self):
        streams = ("tickets", "ticket_custom_field_values", "customers", "customer_details")
        file = self.replication(streams)
        first = self.forecast(file)
        details = self.stream(first, "customer_details")
        self.assertEqual((None, None, "unknown"), (details["from"], details["requests"], details["by"]))   # tickets were asked for
        made = self.stream(first, "ticket_custom_field_values")
        self.assertEqual((None, 0, "nothing is asked"), (made["from"], made["requests"], made["by"]))
        two = self.forecast(self.replication(streams[2:], name="two.yaml"))
        self.assertEqual("customers", two["asked"])
        self.assertEqual((self.stream(two, "customers")["requests"] * 100, "rows of its parent"),
                         tuple(self.stream(two, "customer_details")[key] for key in ("requests", "by")))
        text = self.command("run", file, "--dry-run").stdout
        self.assertRegex(text, r"(?m)^customer_details +incremental +rows of customers +unknown")
        self.assertRegex(text, r"(?m)^ticket_custom_field_values +incremental +rows of tickets +0 ")
        self.assertNotRegex(text, r"(?m)^  .*customer_details.*: begins at anchor_date")

        self.run_replication(self.replication(("customers",), name="alone.yaml"))
        customers = self.database.value("select count(*) from gorgias.customers")
        details = self.stream(self.forecast(file), "customer_details")
        self.assertEqual((customers, "rows of its parent"), (details["requests"], details["by"]))
        self.assertEqual(0, self.stream(self.forecast(file, "--limit", "5"), "customer_details")["requests"])
        self.run_replication(file)
        self.run_replication(file)
        self.database.do("insert into _gorgias_replicate.queue (object, key) select 'gorgias.customer_details', id from gorgias.customers limit 7")
        details = self.stream(self.forecast(file), "customer_details")
        self.assertEqual((7, 7, "its last runs"), (details["queue"], details["requests"], details["by"]))

    def test_a_side_that_does_not_answer(self):
        """What is known is printed all the same, and the exit code is that of a run."""
        nowhere = {"target": "postgresql:///x?host=/nowhere"}
        silent = {"source": self.gorgias(base_url="http://127.0.0.1:9")}
        for sides, code, says in ((nowhere, 4, ["PostgreSQL"]), (silent, 3, ["127.0.0.1"]), ({**nowhere, **silent}, 4, ["PostgreSQL", "127.0.0.1"]),
                                  ({"source": self.gorgias(api_key="wrong-key")}, 3, ["401"])):
            with self.subTest(code=code, says=says):
                file = self.replication(**sides)
                result = self.command("run", file, "--dry-run", "--output", "json")
                self.assertEqual((code, code), (result.code, self.command("run", file).code), str(result))
                self.assertEqual(len(says), sum(line.startswith("gorgias-replicate: ") for line in result.stderr.splitlines()), result.stderr)
                forecast = json.loads(result.stdout)
                said = [forecast[key] for key in ("warehouse_error", "source_error") if forecast[key] is not None]
                for word, error in zip(says, said, strict=True):
                    self.assertIn(word, error)
                    self.assertIn(word, result.stderr)
                self.assertEqual(set(STREAMS), {stream["stream"] for stream in forecast["streams"]})
        self.assertEqual(2, self.command("run", self.replication(("nothing",), name="wrong.yaml"), "--dry-run").code)


if __name__ == "__main__":
    unittest.main()
