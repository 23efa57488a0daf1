"""The report as a browser shows it. The pages are the golden ones, which tests/unit/test_report.c compares with what the program writes;
GR_SCREENSHOTS names a folder that takes pictures of them."""

import base64
import collections
import itertools
import os
import re
import sys
import unittest
from pathlib import Path

import chromium

HERE = Path(__file__).resolve().parent
GOLDEN = HERE.parent / "golden"
PAGES = ("report", "report_well", "report_nothing")
WIDTHS = (360, 1280)
SCHEMES = ("light", "dark")
TEXT_CONTRAST, MARK_CONTRAST = 4.5, 3.0  # WCAG 2.1, 1.4.3 and 1.4.11 at level AA


def number(text):
    """1,234 or 45.2 % or 3 of 14."""
    return float(re.match(r"[\d.,]+", text)[0].replace(",", "")) if text[:1].isdigit() else None


def seconds(text):
    units = {"d": 86400, "h": 3600, "m": 60, "s": 1, "ms": 0.001}
    return sum(float(amount) * units[unit] for amount, unit in re.findall(r"([\d.]+)(ms|[dhms])", text)) if text != "-" else None


if not chromium.find():
    print("no Chromium is here (apt-get install chromium-headless-shell): the report is not looked at", file=sys.stderr)


@unittest.skipUnless(chromium.find(), "no Chromium is here")
class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = chromium.Chromium()
        cls.addClassCleanup(cls.browser.close)
        cls.script = (HERE / "measure.js").read_text()
        cls.measured = {}

    def page(self, name, width=1280, scheme="light"):
        key = (name, width, scheme)
        if key not in self.measured:
            said, asked = self.browser.open((GOLDEN / f"{name}.html").as_uri(), width, scheme)
            if folder := os.environ.get("GR_SCREENSHOTS"):
                Path(folder, f"{name}-{width}-{scheme}.png").write_bytes(base64.b64decode(self.browser.screenshot()))
            self.measured[key] = {"said": said, "asked": asked, **self.browser.evaluate(self.script)}
        return self.measured[key]

    def each(self):
        for key in itertools.product(PAGES, WIDTHS, SCHEMES):
            yield self.page(*key)

    def chart(self, name, page="report"):
        (found,) = [chart for chart in self.page(page)["charts"] if chart["id"] == name]
        return found

    def rows(self, name, page="report"):
        return self.page(page)["tables"][name]

    def test_it_loads_without_a_word_and_asks_for_nothing(self):
        for page in self.each():
            self.assertEqual(([], [], 0, 0), (page["said"], page["asked"], page["scripts"], page["images"]))
            self.assertIn(page["headline"], page["title"])

    def test_it_fits_into_its_window(self):
        for page in self.each():
            self.assertLessEqual(page["scroll"], page["width"])
            for chart in page["charts"]:
                self.assertLessEqual(chart["width"], page["width"])
                self.assertEqual([], chart["overlaps"], chart["id"])

    def test_its_text_can_be_read(self):
        for page in self.each():
            self.assertGreater(len(page["texts"]), 20)
            self.assertEqual([], [text for text in page["texts"] if text["contrast"] < TEXT_CONTRAST or text["size"] < 12])

    def test_its_marks_can_be_seen(self):
        for page in self.each():
            for chart in page["charts"]:
                self.assertEqual([], [mark for mark in chart["marks"] if mark["contrast"] < MARK_CONTRAST], chart["id"])
                self.assertEqual([], [mark for mark in chart["marks"] if mark["height"] < 2], chart["id"])

    def test_each_chart_says_what_it_is_and_has_its_table(self):
        for page in self.each():
            for chart in page["charts"]:
                self.assertTrue(chart["name"] and chart["description"] and chart["labelled"], chart["id"])
                self.assertIn(chart["id"].split("-")[0] + "-table", page["tables"])
                self.assertTrue(all(mark["tip"] for mark in chart["marks"]), chart["id"])

    def assert_in_proportion(self, values, sizes, least=0.0):
        """The marks' sizes grow with the values of the table, in a straight line above `least`."""
        self.assertEqual(len(values), len(sizes))
        most, largest = max(values), max(sizes)
        for value, size in zip(values, sizes):
            self.assertAlmostEqual(least + (largest - least) * value / most, size, delta=largest * 0.02, msg=f"{values} {sizes}")

    def test_the_bars_of_freshness_are_the_table(self):
        for name in PAGES:
            chart, rows = self.chart("freshness", name), self.rows("freshness-table", name)
            self.assertEqual(len(rows), len(chart["marks"]))
            lags = [(number(row["Lag in seconds"]), mark["width"]) for row, mark in zip(rows, chart["marks"]) if row["Lag in seconds"] != "-"]
            for (lag, width), (other_lag, other_width) in itertools.combinations(lags, 2):
                self.assertEqual((lag > other_lag) - (lag < other_lag), (width > other_width) - (width < other_width))
            for row, mark, label in zip(rows, chart["marks"], chart["labels"]):
                self.assertEqual(label[2:].rstrip("…"), row["Stream"][:len(label[2:].rstrip("…"))])
                self.assertEqual({"ok": "✓", "never ran": "–"}.get(row["State"], "✗"), label[0])
                self.assertIn(mark["tone"], {"ok": ("ok",), "failed": ("bad",), "lost": ("lost",)}.get(row["State"], ("warn", "lost")))

    def test_the_columns_of_runs_are_the_table(self):
        for name in ("report", "report_well"):
            rows = self.rows("runs-table", name)[::-1]
            self.assertGreater(len(rows), 5)
            for chart, column, read in (("runs-rows", "Rows read", number), ("runs-duration", "Duration", seconds),
                                        ("runs-failures", "Failed", number), ("runs-share", "Share of budget", number)):
                marks = self.chart(chart, name)["marks"]
                self.assert_in_proportion([read(row[column]) or 0 for row in rows], [mark["height"] for mark in marks], least=2)
                self.assertEqual(sorted(mark["x"] for mark in marks), [mark["x"] for mark in marks])
                for row, mark in zip(rows, marks):
                    self.assertIn(f"run {row['Run']},", mark["tip"])
                    self.assertEqual(self.tone(row["Status"]), mark["tone"])

    @staticmethod
    def tone(status):
        return {"succeeded": "ok", "running": "busy", "stopped": "warn", "lost": "lost", "failed": "bad", "partial": "bad"}[status.split(" (")[0]]

    def test_the_cells_of_streams_are_the_table(self):
        runs, cells = self.rows("runs-table"), self.rows("streams-table")
        marks = self.chart("streams")["marks"]
        self.assertEqual(len(runs) + len(cells), len(marks))
        self.assertEqual(sorted(self.tone(row["Status"]) for row in runs + cells), sorted(mark["tone"] for mark in marks))
        self.assertEqual({"ok", "bad", "lost", "warn"}, {mark["tone"] for mark in marks})

    def test_the_other_bars_are_their_tables(self):
        # Of the rejected values, the table has a row for each reason.
        by_column = collections.Counter()
        for row in self.rows("rejected-table"):
            by_column[row["Stream"], row["Column"]] += number(row["Values"])
        for chart, values in (("queue", [number(row["Entries"]) for row in self.rows("queue-table")]),
                              ("rejected", sorted(by_column.values(), reverse=True))):
            self.assertAlmostEqual(self.chart(chart)["width"], max(mark["width"] for mark in self.chart(chart)["marks"]), delta=1)
            self.assert_in_proportion(values, [mark["width"] for mark in self.chart(chart)["marks"]])
        (budget,), (mark,) = self.rows("budget-table"), self.chart("budget")["marks"]
        self.assertAlmostEqual(number(budget["In use"]) / number(budget["Requests"]), mark["width"] / self.chart("budget")["width"], delta=0.02)
        fields = self.rows("fields-table")
        streams = {row["Stream"] for row in fields}
        self.assertEqual(len(streams), len(self.chart("fields")["marks"]))

    def test_hostile_text_is_text(self):
        rows = self.rows("fields-table")
        self.assertIn("<script>alert(1)</script>\"'&><img src=x onerror=alert(2)>", [row["Field"] for row in rows])

    def test_the_first_line_is_the_verdict(self):
        self.assertRegex(self.page("report")["headline"], r"^The last run failed; \d of \d streams need a look$")
        self.assertEqual("All is well", self.page("report_well")["headline"])
        self.assertEqual("No run has ever begun", self.page("report_nothing")["headline"])


if __name__ == "__main__":
    unittest.main()
