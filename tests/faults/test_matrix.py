"""Every fault of the simulator against every place where the program asks: once, several times and for ever; on a first, a middle and
the last page; in a first load and in a later run. What must come of each is in table.py; besides, and always: exit 0 means that the
warehouse equals the source; a stream that fails is named with the place, leaves the others alone, moves no bookmark and deletes nothing;
and when the fault is gone the next run makes everything equal.

    python3 -m unittest test_matrix          a sample: each fault and each place several times
    python3 tests/faults/test_matrix.py --all

One run has a fault at every place, another one at each, for streams do not depend on each other while they walk; round by round they
change places, so that the rounds cover all pairs."""

import os
import shutil
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

import harness  # noqa: E402
import truth  # noqa: E402
from harness import STREAMS, Case  # noqa: E402

from table import ASKS, EITHER, FAILS, FALLS_BACK, FAULTS, RIDES, TIMES, WALKS, applies, outcome  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(HERE), "sim"))
from faults import FAULTS as VOCABULARY  # noqa: E402

ALL = False
PAGE_LIMITS = {"tickets": 10, "customers": 12, "ticket_messages": 35, "satisfaction_surveys": 4, "events": 60, "tags": 5, "custom_fields": 3}
# Which stream a stream learns from: what a failed one did not say, another cannot know.
LEARNS_FROM = {"tickets": ("events",), "customers": ("events",), "ticket_messages": ("events", "tickets"), "satisfaction_surveys": ("events",)}


class Matrix(Case):
    account = {"seed": 501, "tickets": 36, "customers": 40, "tags": 13, "custom_fields": 14, "messages_per_ticket": 3}

    def setUp(self):
        super().setUp()
        self.simulator(**self.account)
        self.schemas = os.path.join(self.folder, "schemas")
        os.mkdir(self.schemas)
        for stream, limit in PAGE_LIMITS.items():
            path = shutil.copy(os.path.join(harness.ROOT, "schemas", stream + ".yaml"), self.schemas)
            with open(path, "a") as file:
                file.write(f"page_limit: {limit}\n")

    def file(self, patience):
        """A fault that stays is borne for `patience`, so that its end can be waited for."""
        return self.replication(source=self.gorgias(timeout={"connect": "10s", "stall": "1s", "retry": patience}))

    def rules(self, cells):
        return [{"match": place.match, "query": place.query, "request": page, "times": TIMES[times], "fault": fault[0], "args": fault[1]}
                for place, fault, times, page in cells]

    def difference(self, stream, result, since=None):
        objects = truth.loads(self.sim.truth_bytes(stream).decode())
        return truth.differences(stream, objects, self.database.rows(f"select * from gorgias.{stream}"), since)[:4]

    def keys(self, stream):
        key = truth.SCHEMAS[stream].key
        return set(self.database.column(f"select {key} from gorgias.{stream} where _deleted_at is null"))

    def attempt(self, cells, is_first):
        """One run with a fault in each cell, and one without."""
        before = {} if is_first else {stream: (self.keys(stream), self.bookmark(stream)) for stream in STREAMS}
        self.sim.add_faults(*self.rules(cells))
        result = self.command("run", self.file("2s" if any(cell[2] == "for ever" for cell in cells) else "1m"), "--schemas", self.schemas,
                              "--output", "json", "--progress", "never")
        rules = self.sim.faults.rules
        self.sim.clear_faults()
        self.assertIn(result.code, (0, 1), result.stderr)
        status = {stream["stream"]: stream for stream in result.summary["streams"]}
        failed = {stream for stream, told in status.items() if told["status"] != "succeeded"}
        self.assertEqual(result.code, 1 if failed else 0, result.stderr)
        try:
            for cell, rule in zip(cells, rules):
                self.judge(cell, rule, status, before, result)
            for stream in set(STREAMS) - failed:
                # In a later run it may not have heard what happened; but nobody says that all is well.
                if is_first or not failed.intersection(LEARNS_FROM.get(stream, ())):
                    self.assertEqual([], self.difference(stream, result, None if is_first else result.began - 0.001), stream)
            self.assert_nothing_deleted(before)
            after = self.run_replication(self.file("1m"), "--schemas", self.schemas)
            self.assert_equals_source(result=after)
        except AssertionError as error:
            shown = "\n".join(f"  {place.name}: {fault[0]} {fault[1]}, {times}, from page {page}: {outcome(fault, place, times, page, is_first)}"
                              for place, fault, times, page in cells)
            raise AssertionError(f"{error}\nwith\n{shown}\n{result.stderr}") from None

    def judge(self, cell, rule, status, before, result):
        place, fault, times, page = cell
        wanted, told = outcome(fault, place, times, page, not before), status[place.stream]
        what = f"{place.name}: {fault[0]} {fault[1]}, {times}, from page {page}"
        self.assertGreater(rule.fired, 0, f"never happened: {what}")
        if wanted in (RIDES, FALLS_BACK):
            self.assertEqual("succeeded", told["status"], what)
        if wanted == FALLS_BACK:
            self.assertTrue(told["note"], what)
            self.assertRegex(result.stderr, rf"(?m)^.*{place.stream}.*reads everything instead", what)
        if wanted == FAILS:
            self.assertEqual("failed", told["status"], what)
        if told["status"] != "failed":
            return
        if fault[2] == "final" and place.is_walk:
            self.assertEqual(1, rule.fired, f"asked again: {what}")
        self.assertIn(place.match.rstrip("*"), told["error"], what)
        if fault[0][:3].isdigit():
            self.assertIn(fault[0][:3], told["error"], what)
        self.assertRegex(result.stderr, rf"(?m)^.*{place.stream}.*{place.match.rstrip('*')}", what)
        if place.kind == "down" and fault[2] != "stale":   # that one may have hit the queue behind a walk that was right
            self.assertEqual(before.get(place.stream, (None, None))[1], self.bookmark(place.stream), what)

    def assert_nothing_deleted(self, before):
        for stream, (keys, _) in before.items():
            at_source = {row[truth.SCHEMAS[stream].key] for row in truth.loads(self.sim.truth_bytes(stream).decode())}
            self.assertEqual(set(), keys & at_source - self.keys(stream), f"deleted from {stream}, and alive at the source")

    def cells(self, faults, places, times, pages, shift):
        """A fault for each place, beginning with the `shift`-th."""
        chosen = []
        for n, place in enumerate(places):
            fault = faults[(shift + n) % len(faults)]
            page = 1 if place.pages == 1 or pages == "first" else 2 if pages == "middle" else self.page_counts[place.match]
            if applies(fault, place, times):
                chosen.append((place, fault, times, page))
        return chosen


def tried(faults, step):
    """Where rounds begin: so that each fault is met at all places, or (step: number of places) at one of them."""
    return range(0, len(faults), step)


USED = [fault for fault in FAULTS if fault[2] != "alone"]


class FirstLoad(Matrix):
    def setUp(self):
        super().setUp()
        self.run_replication(self.file("1m"), "--schemas", self.schemas)
        self.assert_equals_source()
        # Pages of the lists, and not what the queue asks of them: that depends on the second.
        self.page_counts = {place.match: len([r for r in self.sim.log() if r["path"] == place.match and "ticket_id" not in r["query"]])
                            for place in WALKS}
        for place in WALKS:
            self.assertGreaterEqual(self.page_counts[place.match], place.pages, place.name)

    def rounds(self, times, pages, step, begin=0):
        for shift in tried(USED, step):
            with self.subTest(times=times, pages=pages, shift=shift):
                self.database = self.database.server.database()
                self.attempt(self.cells(USED, WALKS, times, pages, begin + shift), True)

    def test_first_load(self):
        if ALL:
            for times in TIMES:
                for pages in ("first", "middle", "last"):
                    self.rounds(times, pages, 1)
            return
        # Each fault at one place; and each place has its share of every column.
        for n, (times, pages) in enumerate((("once", "middle"), ("several", "last"), ("for ever", "first"))):
            self.rounds(times, pages, 2 * len(WALKS), begin=n * 3)


class LaterRun(Matrix):
    def setUp(self):
        super().setUp()
        self.run_replication(self.file("1m"), "--schemas", self.schemas)
        # All surveys are older than what the walk looks back to, and change by events only.
        self.sim.advance("100d")
        self.run_replication(self.file("1m"), "--schemas", self.schemas)

    def change(self):
        """So that each of ASKS has something to ask for."""
        self.sim.advance("10m")
        tickets = sorted(row["id"] for row in self.sim.truth("tickets"))
        self.sim.mutate("ticket_update", id=tickets[1])   # so old that the walk of messages does not reach it
        self.sim.mutate("ticket_delete", id=tickets[0])
        self.sim.mutate("ticket_create")
        self.sim.mutate("customer_delete")
        self.sim.mutate("customer_create")
        survey = min(self.sim.truth("satisfaction_surveys"), key=lambda row: row["id"])
        self.sim.mutate("survey_score", id=survey["id"], score=1 if survey["score"] == 5 else 5)
        self.sim.mutate("object_delete", stream="custom_fields")
        self.sim.mutate("field_create")

    def rounds(self, places, times, step, begin=0):
        for shift in tried(USED, step):
            with self.subTest(times=times, shift=shift):
                self.change()
                self.attempt(self.cells(USED, places, times, "first", begin + shift), False)

    def test_what_the_queue_asks(self):
        for n, times in enumerate(TIMES):
            self.rounds(ASKS, times, 1 if ALL else 5 * len(ASKS), begin=n * len(ASKS))

    def test_walks(self):
        for n, times in enumerate(TIMES):
            self.rounds(WALKS, times, 1 if ALL else 5 * len(WALKS), begin=n * len(WALKS))


class Table(unittest.TestCase):
    def test_every_fault_has_a_row(self):
        self.assertEqual(set(VOCABULARY), {fault[0] for fault in FAULTS})


if __name__ == "__main__":
    ALL = "--all" in sys.argv
    unittest.main(argv=[argument for argument in sys.argv if argument != "--all"])
