"""Two runs of one replication: the second ends at once; and a run that was frozen while another took over commits nothing when it wakes."""

import signal
import unittest

from points import sample
from world import LOG, World

# Where a frozen run has nothing of its own any more to commit, or not yet.
OUTSIDE = {("start", ""), ("start", "begin"), ("end", "")}


class Fence(World):
    def snapshot(self, but=None):
        """Every row of the warehouse with the transaction that wrote it, and every relation; without what run `but` tells of itself."""
        database = self.database
        # The budget is not what a run writes, but what runs share: whoever wakes may ask for its part before it is told that it is late.
        tables = database.column("select c.oid::regclass::text from pg_class c where relkind = 'r' and relname <> 'rate_budget' and relnamespace in"
                                 " (select oid from pg_namespace where nspname in ('gorgias', '_gorgias_replicate', 'public')) order by 1")
        own = {f"_gorgias_replicate.{name}": f"where run_id is distinct from {but}" for name in ("runs", "stream_runs") if but}
        rows = database.rows("\nunion all ".join(f"select '{table}' as name, xmin::text, t::text as row from {table} t {own.get(table, '')}"
                                                for table in tables))
        return tables, sorted((row["name"], row["xmin"], row["row"]) for row in rows)

    def first(self, point, when, without_lock=False, action="freeze", do=None, text=None):
        """Starts run A, which goes as far as the point; or to the next message after it that says `text`, since no two runs are alike
        to the message, and whether A is within a transaction must not depend on that."""
        self.copy()
        if without_lock:   # as behind a transaction pooler, which gives the session to somebody else
            self.proxy.rewrite = b"pg_try_advisory_lock($1::bigint)", b"$1::bigint is not null"
        self.proxy.arm(lambda message: message.number >= point.number and text in (None, message.text), action, when, do)
        self.process = None
        self.process = self.start("run", self.file(self.database, self.proxy.folder), *self.arguments())
        self.assertTrue(self.proxy.wait(), f"never reached: {point}")
        return self.process

    def second(self, expect=0):
        return self.run_replication(self.file(self.database), *self.options, "--schemas", self.schema_folder, expect=expect)

    def run_of_first(self):
        return self.database.value("select min(run_id) from _gorgias_replicate.runs where run_id >"
                                   f" {self.template.value('select coalesce(max(run_id), 0) from _gorgias_replicate.runs')}")

    def stop_first(self):
        while self.process is None:
            pass
        self.process.send_signal(signal.SIGSTOP)

    def end_session_of_first(self):
        """As a server does that misses its client's keepalives."""
        self.database.do("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
                         " and application_name = 'gorgias-replicate'")
        self.wait_for_sessions_to_end()

    def assert_fenced(self, process, point):
        result = self.finish(process)
        self.assertEqual(5, result.code, f"{point}: {result}")
        self.assertIn("has taken over", result.stderr)

    def places(self, groups, is_inside):
        """For each group a point at the begin of a transaction, or in the middle of one, just before its COMMIT."""
        for group in sorted(groups):
            of_group = [point for point in self.points if point.group == group
                        and (point.is_commit if is_inside else point.is_begin if group[1] else point.type in "PQ")]
            yield of_group[len(of_group) // 2]

    # -- the lock

    def test_a_second_run_ends_at_once(self):
        self.prepare("second-run")
        points = list(self.places({("walk", "page"), ("finish", "scan-finish")}, is_inside=True))
        for point in points:
            with self.subTest(point=str(point)):
                process = self.first(point, "before", action="pass", do=self.stop_first)
                before = self.snapshot()
                result = self.second(expect=5)
                self.assertIn("is at work on", result.stderr)
                self.assertEqual(before, self.snapshot())
                process.send_signal(signal.SIGCONT)
                self.assertEqual(0, self.finish(process).code)
                self.check()
                self.database.drop()

    # -- the session of the first is gone

    def overtaken(self, point, when, how):
        """A freezes at the point, its session ends, B does everything, A wakes."""
        if how == "stopped":
            process = self.first(point, when, action="pass", do=self.stop_first)
        else:
            process = self.first(point, when)
        run = self.run_of_first()
        self.end_session_of_first()
        self.second()
        self.check()
        before = self.snapshot(run)
        process.send_signal(signal.SIGCONT)
        self.proxy.release()
        self.assert_fenced(process, point)
        self.assertEqual(before, self.snapshot(run))
        self.database.drop()

    def test_a_stopped_run_wakes(self):
        self.prepare("second-run")
        for point, action in sample(self.inner_points(), 3, 5, "stop"):
            with self.subTest(point=str(point), action=action):
                self.overtaken(point, action.split("-")[1], "stopped")

    def test_a_partition_ends(self):
        self.prepare("second-run")
        for point, action in sample(self.inner_points(), 2, 6, "partition"):
            with self.subTest(point=str(point), action=action):
                self.overtaken(point, action.split("-")[1], "partition")

    def inner_points(self):
        return [point for point in self.points if point.group not in OUTSIDE]

    # -- the lock is lost, the session lives: the fence alone

    def fenced(self, points):
        for point in points:
            with self.subTest(point=str(point)):
                process = self.first(point, "before", without_lock=True, text="begin")
                run = self.run_of_first()
                self.second()
                self.check()
                before = self.snapshot(run)
                self.proxy.release()
                self.assert_fenced(process, point)
                self.assertEqual(before, self.snapshot(run))
                self.database.drop()

    def test_the_fence_alone(self):
        """Between two transactions: the other run finishes meanwhile."""
        self.prepare("second-run")
        self.fenced(self.places({("walk", "page"), ("drain", "drain-sets")}, is_inside=False))

    def test_the_fence_alone_at_each_script(self):
        """Of one list, whose scripts are the same in each run."""
        self.prepare("one-scan")
        begins = [point for point in self.points if point.is_begin and point.group not in OUTSIDE]
        self.assertEqual({"scan-begin", "scan-check", "scan-finish", "close"}, {point.kind for point in begins})
        self.fenced(begins)

    def test_the_fence_alone_within_a_transaction(self):
        """Within a transaction: the other run waits for it, and then has the fence."""
        self.prepare("second-run")
        for point in self.places({("walk", "page"), ("finish", "scan-finish")}, is_inside=True):
            with self.subTest(point=str(point)):
                process = self.first(point, "before", without_lock=True, text="commit")
                other = self.start("run", self.file(self.database), *self.options, "--schemas", self.schema_folder)
                self.wait_for(lambda: self.database.value("select count(*) from pg_stat_activity where datname = current_database()"
                                                          " and application_name <> 'gorgias-replicate budget'"
                                                          " and wait_event_type = 'Lock'"), "the wait of the second", other)
                self.proxy.release()
                self.assert_fenced(process, point)
                self.assertEqual(0, self.finish(other).code)
                self.check()
                self.database.drop()

    def test_sql_of_the_replication_file(self):
        """pre_sql and post_sql are the run's deeds, too."""
        self.defaults = {"target_options": {"post_sql": LOG, "pre_sql": LOG}}
        self.prepare("one-scan")
        points = [point for point in self.points if "public.log" in point.text]
        for point in (points[0], points[-1]):
            with self.subTest(point=str(point)):
                process = self.first(point, "before", without_lock=True)
                run = self.run_of_first()
                self.second()
                before = self.snapshot(run)
                self.proxy.release()
                self.assert_fenced(process, point)
                self.assertEqual(before, self.snapshot(run))
                self.database.drop()


if __name__ == "__main__":
    unittest.main()
