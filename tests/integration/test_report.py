"""report: the page tells what the state tables hold, and nothing else is touched."""

import os
import unittest
from html.parser import HTMLParser

from harness import SECRETS, STREAMS, Case


class Page(HTMLParser):
    """What stands in a page: its tables as dicts, its charts' marks as classes, its text."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.marks, self.tags, self.words, self.headline = {}, {}, [], [], ""
        self.stack, self.table, self.chart = [], None, None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append(tag)
        self.stack.append(tag)
        if tag == "table":
            self.table, self.heads = self.tables.setdefault(attributes["id"], []), []
        elif tag == "tr" and self.heads:
            self.table.append({})
        elif tag in ("th", "td"):
            self.cell = ""
        elif tag == "svg" and "id" in attributes:
            self.chart = self.marks.setdefault(attributes["id"], [])
        elif tag == "rect" and attributes.get("class", "").startswith("mark ") and self.chart is not None:
            self.chart.append(attributes["class"].split()[1])

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if tag == "th":
            self.heads.append(self.cell)
        elif tag == "td":
            self.table[-1][self.heads[len(self.table[-1])]] = self.cell
        elif tag == "svg":
            self.chart = None
        if tag in self.stack:
            while self.stack.pop() != tag:
                pass

    def handle_data(self, data):
        if "style" not in self.stack:
            self.words.append(data)
        if "h1" in self.stack:
            self.headline += data
        if "th" in self.stack or "td" in self.stack:
            self.cell += data

    def row(self, table, **wanted):
        (found,) = [row for row in self.tables[table] if all(row[key] == value for key, value in wanted.items())]
        return found


class Report(Case):
    def setUp(self):
        super().setUp()
        self.simulator(seed=402, tickets=30)

    def report(self, file, *options, **more):
        path = os.path.join(self.folder, "report.html")
        result = self.command("report", file, "-o", path, *options, **more)
        self.assertEqual((0, ""), (result.code, result.stdout), str(result))
        with open(path) as page:
            text = page.read()
        for secret in SECRETS:
            self.assertNotIn(secret, text)
        page = Page(text)
        self.assertFalse({"script", "link", "img", "iframe", "a", "form"} & set(page.tags))
        return page

    def test_before_the_first_run(self):
        page = self.report(self.replication())
        self.assertEqual("No run has ever begun", page.headline)
        self.assertEqual({(stream, "never ran") for stream in STREAMS}, {(row["Stream"], row["State"]) for row in page.tables["freshness-table"]})
        self.assertNotIn("runs-table", page.tables)
        self.assertEqual([], self.database.rows("select from pg_namespace where nspname in ('gorgias', '_gorgias_replicate')"))

    def test_runs_are_what_the_state_says(self):
        file = self.replication()
        for _ in range(3):
            self.run_replication(file)
        self.command("audit", file, "--streams", "tags")
        self.sim.clear_log()
        page = self.report(file)
        self.assertEqual([], self.requests())
        self.assertEqual("All is well", page.headline)
        truth = self.database.rows("select r.run_id, r.status, r.requests, sum(s.rows_read) as read, sum(s.inserted + s.updated) as written,"
                                   " count(*) as streams, bool_or(s.mode = 'audit') as audit from _gorgias_replicate.runs r"
                                   " join _gorgias_replicate.stream_runs s using (run_id) group by r.run_id order by 1 desc")
        self.assertEqual([(f"{run['run_id']}", run["status"] + (" (audit)" if run["audit"] else ""), f"{run['requests']:,}", f"{run['read']:,}",
                           f"{run['written']:,}", f"0 of {run['streams']}") for run in truth],
                         [tuple(row[name] for name in ("Run", "Status", "Requests", "Rows read", "Written", "Failed"))
                          for row in page.tables["runs-table"]])
        for chart in ("runs-rows", "runs-duration", "runs-share", "runs-failures"):
            self.assertEqual(["ok"] * 4, page.marks[chart])
        cells = self.database.rows("select run_id, stream, status, rows_read from _gorgias_replicate.stream_runs")
        self.assertEqual({(f"{cell['run_id']}", cell["stream"], cell["status"], f"{cell['rows_read']:,}") for cell in cells},
                         {tuple(row[name] for name in ("Run", "Stream", "Status", "Rows read")) for row in page.tables["streams-table"]})
        self.assertEqual(len(cells) + 4, len(page.marks["streams"]))
        self.assertEqual(["ok"] * len(STREAMS), page.marks["freshness"])

    def test_what_is_wrong_comes_first(self):
        file = self.replication(("tickets", "ticket_messages", "tags", "users"), source=self.gorgias(rate={"requests": 40, "per": "1s"}))
        self.run_replication(file)
        self.sim.set(forbid="/api/users")
        self.sim.mutate("ticket_update", fields={"<b>mood": "good"})
        self.run_replication(file, expect=1)
        self.database.do("insert into _gorgias_replicate.rejected (digest, run_id, stream, object, key, column_name, reason, original)"
                         " select i::text::bytea, 1, 'tags', 'gorgias.tags', i, 'name', '<script>x</script>', 'personal' from generate_series(1, 3) i;"
                         "insert into _gorgias_replicate.queue (object, key) select 'gorgias.ticket_messages', i from generate_series(1, 1000) i")
        page = self.report(file)
        self.assertEqual("1 of 4 streams needs a look", page.headline)
        self.assertEqual(["ok", "bad"], page.marks["runs-rows"])
        self.assertEqual("1 of 4", page.tables["runs-table"][0]["Failed"])
        self.assertEqual("failed", page.row("freshness-table", Stream="users")["State"])
        self.assertEqual("1,000", page.row("queue-table", Stream="ticket_messages")["Entries"])
        self.assertEqual([{"Stream": "tags", "Column": "name", "Reason": "<script>x</script>", "Values": "3"}],
                         [{key: row[key] for key in ("Stream", "Column", "Reason", "Values")} for row in page.tables["rejected-table"]])
        self.assertIn(("tickets", "<b>mood"), {(row["Stream"], row["Field"]) for row in page.tables["fields-table"]})
        words = "\n".join(page.words)
        self.assertIn("HTTP 403", words)
        self.assertIn("The role", words)
        self.assertNotIn("personal", words)

    def test_a_killed_run_is_lost_and_a_live_one_is_at_work(self):
        file = self.replication(("tickets", "tags"))
        self.run_replication(file)
        self.sim.add_faults({"match": "/api/tags", "fault": "stall", "args": {"keep": 0}})
        process = self.start("run", file)
        self.wait_for(lambda: self.requests("/api/tags")[1:], "the second run", process)
        page = self.report(file)
        self.assertEqual(["ok", "busy"], page.marks["runs-rows"])
        self.kill(process)
        page = self.report(file)
        self.assertIn("The last run was lost", page.headline)
        self.assertEqual(["ok", "lost"], page.marks["runs-rows"])
        self.assertEqual("lost", page.tables["runs-table"][0]["Status"])

    def test_only_so_many_runs_are_shown(self):
        file = self.replication(("tags",))
        self.run_replication(file)
        self.database.do("insert into _gorgias_replicate.runs (replication, started_at, ended_at, status)"
                         " select replication, now() + i * interval '1 day', now() + i * interval '1 day', 'failed'"
                         " from _gorgias_replicate.runs, generate_series(1, 60) i")
        page = self.report(file)
        self.assertEqual([str(run) for run in range(61, 21, -1)], [row["Run"] for row in page.tables["runs-table"]])
        self.assertEqual(["bad"] * 40, page.marks["runs-rows"])

    def test_it_goes_where_it_is_told_to(self):
        file = self.replication(("tags",))
        self.run_replication(file)
        result = self.command("report", file, "-o", "-")
        self.assertEqual((0, "All is well"), (result.code, Page(result.stdout).headline))
        path = self.write("old.html", "old")
        self.assertEqual(0, self.command("report", file, "--streams", "tags", f"--output={path}").code)
        with open(path) as page:
            self.assertEqual("All is well", Page(page.read()).headline)
        self.assertEqual([], [name for name in os.listdir(self.folder) if name.endswith(".tmp")])

    def test_where_it_cannot_be_written_nothing_is_lost(self):
        file = self.replication(("tags",))
        down = self.replication(("tags",), target="postgresql:///x?host=/nowhere", name="down.yaml")
        path = self.write("old.html", "old")
        for arguments, code, said in (((file,), 2, "needs -o PAGE.html"), ((file, "-o", "/nowhere/x.html"), 2, 'cannot write "/nowhere/x.html"'),
                                      ((file, "-o", self.folder), 2, f'cannot write "{self.folder}"'), ((down, "-o", path), 4, "PostgreSQL at"),
                                      ((file, "-o", path, "--streams", "tag"), 2, 'did you mean "tags"?')):
            with self.subTest(arguments=arguments):
                result = self.command("report", *arguments)
                self.assertEqual((code, ""), (result.code, result.stdout), str(result))
                self.assertIn(said, result.stderr)
        with open(path) as page:
            self.assertEqual("old", page.read())
        self.assertEqual([], [name for name in os.listdir(self.folder) if name.endswith(".tmp")])

    def test_select_is_enough(self):
        self.run_replication(self.replication(("tags",)))
        self.database.do("create role looker login; grant usage on schema _gorgias_replicate to looker;"
                         "grant select on all tables in schema _gorgias_replicate to looker")
        self.addCleanup(self.database.do, "drop owned by looker; drop role looker")
        self.assertEqual("All is well", self.report(self.replication(("tags",), target=self.database.url("looker"))).headline)


if __name__ == "__main__":
    unittest.main()
