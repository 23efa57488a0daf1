"""kill -9 between any two messages to PostgreSQL: one more run, and everything is as if nothing had been. A sample; crash.py has
them all."""

import unittest

from points import interesting
from world import EXPECTED, World

FIRST = {(phase, kind) for phase, kind in EXPECTED if phase != "drain"}


class Kill(World):
    def killed(self, scenario, count, groups=()):
        self.prepare(scenario)
        self.hurt_sample("kill", count, 1, groups)

    def test_first_load(self):
        self.killed("first-load", 12, FIRST)

    def test_second_run(self):
        self.killed("second-run", 6, EXPECTED - FIRST)

    def test_resumed_gap(self):
        self.killed("resumed-gap", 5)

    def test_full_refresh(self):
        self.killed("full-refresh", 4, {("finish", "scan-finish")})

    def test_every_message_of_a_page(self):
        """Bookmark, rows and queue are one transaction: there is nothing between them."""
        self.prepare("one-walk")
        self.hurt_all(self.last_page(), "kill-after")

    def test_every_message_of_a_merge(self):
        """The same where the table has rows."""
        self.prepare("second-run")
        script = []
        for point in self.points:
            if point.group == ("walk", "page") and point.stream == "tickets":
                script = [point] if point.is_begin else [*script, point]
        self.hurt_all(interesting(script), "kill-after")

    def test_what_was_read_still_answers_the_queue(self):
        """Between the last page of a list and the commit that lets tickets go whose messages it has brought; and in the middle of a list
        that is read once more."""
        self.prepare("long-queue")
        points = [point for point in self.points if point.stream == "ticket_messages" and point.is_commit]
        settled = [point for point in points if point.phase == "settle"]
        again = [point for point in points if point.phase == "walk" and point.number > settled[0].number]
        self.assertGreater(len(again), 4, "the list was not read once more")
        self.hurt_all([again[0], again[len(again) // 2], again[-1], settled[1]], "kill-before")


if __name__ == "__main__":
    unittest.main()
