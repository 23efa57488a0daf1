"""The connection breaks between any two messages: the run itself connects again, does the same script again, and succeeds. A sample;
crash.py has them all. And PostgreSQL itself stops without warning, on a disk that keeps what was confirmed."""

import unittest

from points import interesting
from world import EXPECTED, LOG, Durable, World

FIRST = {(phase, kind) for phase, kind in EXPECTED if phase != "drain"}


class Cut(World):
    def cut(self, scenario, count, groups=()):
        self.prepare(scenario)
        self.hurt_sample("cut", count, 2, groups)

    def test_first_load(self):
        self.cut("first-load", 11, FIRST)

    def test_second_run(self):
        """Of answers what was staged went with the session: they are asked for again, and not taken for empty."""
        self.cut("second-run", 3, EXPECTED - FIRST)
        for kind in ("drain-sets", "drain-objects"):
            points = [point for point in self.points if point.group == ("drain", kind) and point.is_commit]
            self.hurt_all(points[:1], "cut-before")

    def test_resumed_gap(self):
        self.cut("resumed-gap", 2)

    def test_full_refresh(self):
        self.cut("full-refresh", 2, {("finish", "scan-finish")})

    def test_every_message_of_a_page(self):
        self.prepare("one-walk")
        self.hurt_all(self.last_page(), "cut-after")

    def test_every_message_of_the_end(self):
        """And of the beginning: what is not a script is done again, too."""
        self.prepare("one-walk")
        begin = [point for point in self.points if point.phase == "start"]
        self.hurt_all(interesting([point for point in begin if point.kind == "begin"] +
                                  [point for point in self.points if point.phase == "end"])[:-1], "cut-after")
        self.hurt_all(interesting(begin)[1:-6:6], "cut-after")

    def test_sql_of_the_replication_file(self):
        """pre_sql and post_sql are sent again."""
        self.defaults = {"target_options": {"pre_sql": LOG, "post_sql": LOG}}
        self.prepare("one-scan")
        points = [point for point in self.points if "public.log" in point.text]
        self.assertEqual(2, len(points))
        self.hurt_all(points, "cut-before")


class Crash(World):
    """A crash of the server empties unlogged tables: what a scan has staged is gone, and its marker with it."""

    SERVER = staticmethod(Durable)

    def test_in_three_phases(self):
        self.prepare("second-run")
        self.hurt_sample("crash", 4, 3, {("walk", "page"), ("finish", "scan-check"), ("finish", "scan-finish"), ("drain", "drain-sets")})

    def test_what_was_not_on_disk(self):
        """Commits that follow each other closely do not wait for the disk. What the crash takes back of them, the run reads once more,
        before anything claims it."""
        self.prepare("second-run")
        commits, is_relaxed = [], False
        for point in self.points:
            is_relaxed = not point.is_begin and (is_relaxed or "synchronous_commit = off" in point.text)
            if is_relaxed and point.is_commit and point.group == ("walk", "page"):
                commits.append(point)
        again = 0
        for point in sorted(commits, key=lambda point: point.number * 7919 % 997)[:24]:
            with self.subTest(point=str(point)):
                result = self.try_point(point, "crash-after")
                again += any('"from":"walk","to":"open"' in line.replace(" ", "") for line in result.stderr.splitlines())
            if again == 2:
                break
        self.assertGreater(again, 0, "no commit was in a hurry")

    def test_a_scan_that_was_staged(self):
        """The rows that it has staged are gone: it reads them again, and deletes nothing for want of them."""
        self.prepare("one-scan")
        points = [point for point in self.points if point.kind in ("scan-check", "scan-finish") and (point.is_begin or point.is_commit)]
        self.assertEqual(4, len(points))
        self.hurt_all(points, "crash-before")


if __name__ == "__main__":
    unittest.main()
