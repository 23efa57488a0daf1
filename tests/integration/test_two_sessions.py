"""A first load whose backend is slower than the pages goes on in a second session. Whatever becomes of either, the table is exact."""

import signal
import unittest

from harness import Case

PAGE = 100             # rows
STRICT = 64 * PAGE     # rows that are committed page by page, before a walk may be ahead of its commits

# A table of its owner's, whose trigger makes the server slow once pages may be ahead of it.
SLOW = """
create sequence public.n;
create function public.slow() returns trigger language plpgsql as $$
declare
  number bigint := nextval('public.n');
begin
  if number > {strict} then perform pg_sleep({pause}); end if;
  {more}
  return new;
end $$;
create trigger slow before insert on gorgias.tickets for each row execute function public.slow();
"""
FILL = "application_name = 'gorgias-replicate fill' and datname = current_database()"
MAIN = "application_name = 'gorgias-replicate' and datname = current_database()"


class TwoSessions(Case):
    def prepare(self, more=""):
        """An account, and its table with the trigger, empty."""
        self.simulator(seed=61, tickets=8755)
        self.file = self.replication(("tickets",))
        self.run_replication(self.replication(("tickets",), defaults={"mode": "definition-only"}, name="definition.yaml"))
        self.database.do(SLOW.format(strict=STRICT, pause=0.002, more=more))
        self.sim.clear_log()

    def load(self, **options):
        return self.start("run", self.file, "--output", "json", "--progress", "never", "--log-level", "debug", **options)

    def wait_for_both(self, process):
        """Until rows go to both backends."""
        busy = ("select count(distinct application_name) = 2 from pg_stat_activity where datname = current_database() and state = 'active'"
                " and query like 'copy \"gorgias\".\"tickets\"%' and application_name like 'gorgias-replicate%'")
        self.wait_for(lambda: self.database.value(busy), "two COPYs at a time", process)

    def check(self, result, versions=False):
        """No row is missing, doubled or left over; with `versions`, each is compared column by column."""
        self.assertEqual(0, result.code, str(result)[-4000:])
        ids = sorted(ticket["id"] for ticket in self.sim.truth("tickets"))
        self.assertEqual(ids, self.database.value("select json_agg(id order by id) from gorgias.tickets where _deleted_at is null"))
        if versions:
            self.assert_equals_source("tickets", result=result)
        self.assertEqual([{"bookmark": True, "walk": None}], self.database.rows(
            "select bookmark is not null as bookmark, walk -> 'gaps' as walk from _gorgias_replicate.streams where stream = 'tickets'"))

    def asked(self):
        return len(self.requests("/api/tickets"))

    def test_rows_go_to_both(self):
        self.prepare()
        process = self.load()
        self.wait_for_both(process)
        result = self.finish(process)
        self.assertIn("fills in two sessions", result.stderr)
        self.assertNotIn("merges from now on", result.stderr)
        self.check(result, versions=True)
        self.assertEqual(88, self.asked())   # nothing was read again
        self.assertEqual(8755, result.stream("tickets")["inserted"])

    def test_others_have_their_turn(self):
        """Rows of another table are merged, for which its stream needs the first session, between those that go to both."""
        streams = ("tickets", "customers")
        self.simulator(seed=61, tickets=8755, customers=11000)
        self.file = self.replication(streams)
        self.run_replication(self.replication(streams, defaults={"mode": "definition-only"}, name="definition.yaml"))
        self.database.do(SLOW.format(strict=STRICT, pause=0.006, more="") + "insert into gorgias.customers (id) values (1)")
        # The customers come when the tickets have two sessions; on a machine that is busy, before that.
        self.sim.add_faults({"match": "/api/customers", "times": 1, "fault": "slow", "args": {"bytes": 1000, "every": "100ms"}})
        result = self.finish(self.load())
        lines = result.stderr[result.stderr.index("path=/api/customers status=200"):].splitlines()
        load = lines[:next(n for n, line in enumerate(lines) if "tickets: phase from=walk" in line)]
        tickets, customers = (sum(f"{stream}: sql done" in line for line in load) for stream in streams)
        self.assertGreater(tickets, 2)
        self.assertGreaterEqual(2 * customers, tickets)
        self.check(result)
        self.assertEqual(11000 + 1, self.alive("customers"))

    def test_a_role_that_may_not_have_so_many(self):
        self.prepare()
        self.database.do("""create role few login connection limit 2; grant few to postgres; alter schema gorgias owner to few;
            alter schema _gorgias_replicate owner to few; alter table gorgias.tickets owner to few; grant all on sequence public.n to few;
            grant all on all tables in schema _gorgias_replicate to few""")
        self.addCleanup(lambda: self.database.do("drop owned by few cascade; drop role few"))
        self.file = self.replication(("tickets",), target=self.database.url(user="few"))
        result = self.finish(self.load())
        self.assertIn("goes on with one session", result.stderr)
        self.assertNotIn("fills in two sessions", result.stderr)
        self.check(result)

    def test_either_session_ends(self):
        for which in (FILL, MAIN):
            with self.subTest(which):
                self.database = self.database.server.database()
                self.prepare()
                process = self.load()
                self.wait_for_both(process)
                self.database.do(f"select pg_terminate_backend(pid) from pg_stat_activity where {which}")
                result = self.finish(process)
                self.assertIn('phase from=walk to=open', result.stderr)
                self.check(result)

    def test_killed(self):
        self.prepare()
        process = self.load()
        self.wait_for_both(process)
        self.kill(process)
        for ticket in self.sim.truth("tickets")[::400]:
            self.sim.mutate("ticket_update", id=ticket["id"])
        self.check(self.finish(self.load()), versions=True)

    def test_stopped(self):
        self.prepare()
        process = self.load()
        self.wait_for_both(process)
        process.send_signal(signal.SIGTERM)
        result = self.finish(process)
        self.assertEqual(6, result.code)
        rows = self.database.value("select count(*) from gorgias.tickets")
        self.assertEqual(0, rows % PAGE)
        self.assertEqual(rows, result.stream("tickets")["inserted"])
        asked = self.asked()
        self.assertLessEqual(rows // PAGE, asked)
        self.check(self.finish(self.load()))
        self.assertLessEqual(self.asked(), 88 + asked - rows // PAGE + 2)   # whatever was committed was not read again, but for the first page

    def test_commits_that_wait_for_each_other(self):
        """Rows of both sessions meet in another table, where the one that commits first can wait for the other: no server sees that circle."""
        self.prepare("update public.counts set n = n + 1 where k = number / 2;")   # neighbours in time meet, whichever session they are in
        self.database.do("create table public.counts as select k, 0 as n from generate_series(0, 20000) as k; create index on public.counts (k)")
        result = self.finish(self.load())
        self.check(result)
        self.assertEqual(8755, self.database.value("select sum(n)::bigint from public.counts"))
        self.assertIn("lets go of what came behind it", result.stderr)

    def test_pre_sql_speaks_for_one_session(self):
        self.prepare()
        self.file = self.replication({"tickets": {"target_options": {"pre_sql": "set application_name = 'prepared'"}}})
        result = self.finish(self.load())
        self.assertNotIn("fills in two sessions", result.stderr)
        self.check(result)


if __name__ == "__main__":
    unittest.main()
