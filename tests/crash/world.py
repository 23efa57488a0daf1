"""What crash tests stand on: scenarios, the runs that are hurt in them, and what must hold afterwards."""

import os
import signal
import sys
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "integration"))

import truth  # noqa: E402
from harness import ROOT, STREAMS, Case, Database, Postgres, parameters, postgres  # noqa: E402
from points import EXPECTED, interesting, points_of, sample  # noqa: E402
from proxy import Proxy  # noqa: E402

PAGE = 20     # rows: several pages of a small account
# Pages that a kill repeats. A queue asks with twelve lanes at most, each a page in flight; a scan of less than 20 pages begins anew.
MOST_AGAIN = {"walk": 1, "question": 12, "scan": 20}
WALKED = ("tickets", "customers", "ticket_messages", "events", "satisfaction_surveys")
SOME = (*WALKED, "tags", "custom_fields")
ACTIONS = {f"{what}-{when}": (what, when) for what in ("kill", "cut", "crash") for when in ("before", "after")}

# SQL of a replication file that leaves a trace.
LOG = "create table if not exists public.log (who text); insert into public.log values ('{stream_name}')"

# What a run leaves behind beside the rows, without what tells one run from another.
STATE = """
select '=streams', row_to_json(t)::text from (select object, stream, bookmark, walk, source, mode, source_clock
                                              from _gorgias_replicate.streams) t
union all select '=queue', row_to_json(t)::text from (select object, key, v, reason from _gorgias_replicate.queue q where reason = 'all'
  or not exists (select from _gorgias_replicate.queue a where a.object = q.object and a.reason = 'all')) t
union all select '=rejected', row_to_json(t)::text from (select stream, key, column_name, reason, original
                                                         from _gorgias_replicate.rejected) t
union all select '=fields', row_to_json(t)::text from (select object, field from _gorgias_replicate.fields) t
union all select '=relations', c.oid::regclass::text from pg_class c
          where relnamespace in ('gorgias'::regnamespace, '_gorgias_replicate'::regnamespace) and relkind in ('r', 'i', 'S')
"""


class Durable(Postgres):
    """A server of its own, which is crashed: what it has confirmed must be on the disk."""

    SETTINGS = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}


# -- scenarios: how the warehouse came to be what it is, and what the run is that is hurt

def first_load(world):
    """A first load of every stream."""
    world.account(seed=101, tickets=45, hostile=True)
    world.options, world.streams = (), STREAMS


def second_run(world):
    """A loaded warehouse, and an account in which everything has happened since."""
    world.account(seed=102, tickets=60)
    world.options, world.streams = (), SOME
    world.load()
    world.sim.advance("2h")
    world.sim.random_changes(120, seed=9, over="3h")
    for kind in ("ticket_merge", "ticket_delete", "message_delete", "survey_score", "ticket_create", "customer_merge", "message_update"):
        world.sim.advance("7m")   # more than the lookback, whose pages every run reads
        world.sim.mutate(kind)
    world.sim.advance("1h")


def resumed_gap(world):
    """A walk with a bookmark that was interrupted, and changes above, in and below its gap."""
    world.account(seed=103, tickets=90)
    world.options, world.streams = (), WALKED
    world.load()
    world.sim.advance("1h")
    ids = [ticket["id"] for ticket in world.sim.truth("tickets")]
    for id in ids[:55]:
        world.sim.advance("1m")
        world.sim.mutate("message_create", ticket_id=id)
    world.load("--limit", str(PAGE))
    world.assertIn("tickets", world.database.column("select stream from _gorgias_replicate.streams where walk::text ~ 'cursor'"))
    for id in ids[0:70:6]:
        world.sim.advance("1m")
        world.sim.mutate("ticket_update", id=id)
    world.sim.advance("10m")   # events end at the server's clock


def full_refresh(world):
    """All tables compared with an account in which rows are gone."""
    world.account(seed=104, tickets=50)
    world.options, world.streams = ("--full-refresh",), ("tickets", "customers", "satisfaction_surveys", "tags", "custom_fields", "views")
    world.load()
    world.sim.advance("1h")
    for kind in ("ticket_delete", "ticket_delete", "tag_delete", "customer_delete", "tag_create", "ticket_update"):
        world.sim.mutate(kind)
    world.sim.mutate("object_delete", stream="custom_fields", id=world.sim.truth("custom_fields")[2]["id"])


def one_scan(world):
    """One list in full: its scripts come in one order."""
    world.account(seed=105, tickets=5)
    world.options, world.streams = (), ("tags",)
    world.load()
    world.sim.mutate("tag_delete")
    world.sim.mutate("tag_create")


def long_queue(world):
    """Tickets whose messages are answered by reading the list once more."""
    world.account(seed=107, tickets=80)
    world.options, world.streams = (), ("tickets", "ticket_messages")
    world.load()
    for ticket in world.sim.truth("tickets"):
        world.sim.advance("7m")
        world.sim.mutate("ticket_update", id=ticket["id"])
    world.sim.advance("1h")


def one_walk(world):
    """One list, two pages: few messages."""
    world.account(seed=106, tickets=30)
    world.options, world.streams = (), ("tickets",)


SCENARIOS = {function.__name__.replace("_", "-"): function for function in
             (first_load, second_run, resumed_gap, full_refresh, one_scan, one_walk, long_queue)}


class World(Case):
    """One scenario: a prepared warehouse, copied for each run that is hurt. After prepare(), the account does not change any more, and its
    clock stands still: so bookmarks can be compared as well."""

    SERVER = staticmethod(postgres)
    defaults = None   # of the replication file

    def setUp(self):
        super().setUp()
        self.database.drop()
        self.server = self.SERVER()
        self.proxy = self.enterContext_(Proxy(self.server.place))
        self.covered = Counter()

    def enterContext_(self, context):
        self.addCleanup(context.__exit__, None, None, None)
        return context.__enter__()

    # -- preparing

    def account(self, **options):
        self.simulator(frozen=True, **options)

    def schemas(self):
        """The schema files, with small pages for the streams that are walked."""
        folder = os.path.join(self.folder, "schemas")
        os.makedirs(folder, exist_ok=True)
        for stream in STREAMS:
            with open(os.path.join(ROOT, "schemas", f"{stream}.yaml")) as file:
                text = file.read()
            with open(os.path.join(folder, f"{stream}.yaml"), "w") as file:
                file.write(text.replace("\ncolumns:\n", f"\npage_limit: {PAGE}\ncolumns:\n") if stream in WALKED else text)
        return folder

    def prepare(self, scenario):
        self.database = self.template = self.server.database()
        self.addCleanup(lambda: self.template.drop())
        self.schema_folder = self.schemas()
        SCENARIOS[scenario](self)
        self.scenario = scenario
        self.objects = {stream: truth.loads(self.sim.truth_bytes(stream).decode()) for stream in self.streams}
        self.began = self.now()
        self.messages_of_a_run()

    def now(self):
        """Rows written from now on must be right in every column."""
        return self.template.value("select extract(epoch from clock_timestamp())::float8::text")

    def load(self, *options):
        self.run_replication(self.file(self.database), *self.options, *options, "--schemas", self.schema_folder)

    def file(self, database, host=None):
        return self.replication(self.streams, defaults=self.defaults, target=database.url(host=host),
                                name="direct.yaml" if host is None else "proxied.yaml")

    def copy(self):
        self.database = self.server.database(self.template.name)
        self.sim.clear_log()
        self.proxy.reset()

    def messages_of_a_run(self):
        """An undisturbed run: its points, and what it leaves behind."""
        self.copy()
        log = self.run_replication(self.file(self.database, self.proxy.folder), *self.arguments()).stderr
        self.points = points_of(self.proxy.messages, log)
        self.reference_pages = pages_of(self.sim.log())
        self.reference = self.digests()
        for stream in self.streams:
            self.check_rows(stream)
        self.reference_dead = {stream: self.dead(stream) for stream in self.streams}
        self.database.drop()

    def arguments(self):
        return (*self.options, "--schemas", self.schema_folder, "--log-level", "debug", "--log-format", "json")

    # -- hurting

    def hurt(self, number, action):
        """A run to which `action` happens at message `number`; returns the run's result."""
        what, when = ACTIONS[action]
        self.copy()
        self.process = None
        self.proxy.arm(lambda message: message.number == number, "pass" if what == "crash" else "cut", when, {
            "kill": self.kill_it, "crash": self.crash_it, "cut": None}[what])
        self.process = self.start("run", self.file(self.database, self.proxy.folder), "--output", "json", "--progress", "never",
                                  *self.arguments())
        result = self.finish(self.process)
        # A run that is killed ends before the proxy knows that it has killed it.
        self.assertTrue(self.proxy.wait() if self.proxy.hit else result.code == 0, str(result))
        return result

    def kill_it(self):
        while self.process is None:   # the proxy can be quicker than Popen
            pass
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def crash_it(self):
        self.server.crash()
        self.server.start()

    def try_point(self, point, action):
        """One crash, one more run, and everything as if nothing had been. `point` may be a bare number, to replay."""
        number = getattr(point, "number", point)
        replay = f"python3 -B tests/crash/crash.py --scenario {self.scenario} --point {number} --action {action}"
        try:
            result = self.hurt(number, action)
            if self.proxy.fired.is_set():
                self.covered[getattr(point, "group", None)] += 1
            self.judge(result, action)
            return result
        except AssertionError as error:
            at = f"{self.proxy.hit}" if self.proxy.hit else "never reached"
            raise AssertionError(f"{self.scenario}, {action} at {point}, {at}\nreplay: {replay}\n{error}") from error
        finally:
            self.database.drop()

    def judge(self, result, action):
        before = self.sim.log()
        expected = {"kill": (-signal.SIGKILL,), "cut": (0,), "crash": (0, 4)}[action.split("-")[0]]
        if self.proxy.fired.is_set():
            self.assertIn(result.code, expected, str(result))
        if result.code != 0:
            self.sim.clear_log()
            self.run_replication(self.file(self.database), *self.options, "--schemas", self.schema_folder)
            self.check_repeats(before, self.sim.log())
        self.check()
        self.assertEqual(0, self.database.value("select count(*) from _gorgias_replicate.runs where status = 'running'"))

    def hurt_sample(self, what, count, seed, groups=()):
        """A sample of all points: of each group one, the rest anywhere."""
        chosen = sample(self.points, count, seed, what, groups)
        for point, action in chosen:
            with self.subTest(point=str(point), action=action):
                self.try_point(point, action)
        # No two runs are alike to the message: one that was shorter than the first has not come to its last ones.
        for n in range(5):
            for group in sorted(set(groups) - set(self.covered)):
                point = [point for point in self.points if point.group == group][n // 2]
                with self.subTest(point=str(point), action=f"{what}-before"):
                    self.try_point(point, f"{what}-before")
        self.assertEqual(set(), set(groups) - set(self.covered), "not reached: the runs differ too much from one to the next")

    def last_page(self):
        """What a run of "one-walk" says to commit its last page."""
        script = []
        for point in self.points:
            if point.phase == "walk":
                script = [point] if point.is_begin else [*script, point]
        self.assertEqual({("walk", "fill")}, {point.group for point in script})
        return interesting(script)

    def hurt_all(self, points, *actions):
        for point in points:
            for action in actions:
                with self.subTest(point=str(point), action=action):
                    self.try_point(point, action)

    # -- judging

    def digests(self):
        """All rows of a table in one number, and the state, by table. When a row was loaded tells nothing, and whether it is
        marked does."""
        parts = [f"""select '{stream}', md5(string_agg(concat((to_jsonb(t) - '_loaded_at' - '_deleted_at'), t._deleted_at is not null), ','
                 order by {truth.key_of(stream)})) from gorgias.{stream} t""" for stream in self.streams]
        digests = {}
        for line in self.database._psql("\nunion all ".join(parts) + "\nunion all " + STATE, "-At", "-F", "\t").split("\n"):
            if line:
                name, value = line.split("\t", 1)
                digests.setdefault(name, []).append(value)
        return digests

    def check_rows(self, stream):
        rows = self.database.rows(f"select * from gorgias.{stream}")
        self.assertEqual([], truth.differences(stream, self.objects[stream], rows, float(self.began))[:8], stream)

    def dead(self, stream):
        return self.database.column(f"select {truth.key_of(stream)}::text as k from gorgias.{stream}"
                                    " where _deleted_at is not null order by k")

    def check(self):
        """All tables, bookmarks, queue, rejected values and relations as after an undisturbed run, whose tables equal the source."""
        found = self.digests()
        for stream in self.streams:
            if found[stream] != self.reference[stream]:   # so it may be, in volatile columns
                self.check_rows(stream)
                self.assertEqual(self.reference_dead[stream], self.dead(stream), f"marked rows of {stream}")
        for name in ("=streams", "=queue", "=rejected", "=fields", "=relations"):
            self.assertEqual(sorted(self.reference.get(name, [])), sorted(found.get(name, [])), name)

    def check_repeats(self, before, after):
        """Both runs together have read at most one page of each walk more than one that was not disturbed, and of a queue what its
        lanes had in flight. (The first page is where every run begins, and scans that are short begin anew.)"""
        first, second, again = pages_of(before), pages_of(after), Counter()
        for page in first.keys() & second.keys():
            again[page[:2]] += max(0, first[page] + second[page] - max(1, self.reference_pages[page]))
        for (path, kind), count in again.items():
            self.assertLessEqual(count, MOST_AGAIN[kind], f"{kind}: pages of {path} that were read twice")


def pages_of(log):
    """The pages that were answered: (path, kind of walk, query)."""
    pages = Counter()
    for request in log:
        given = parameters(request)
        stream = request["path"].rsplit("/", 1)[-1].replace("-", "_")
        is_scan = stream not in WALKED and stream != "messages" or stream in ("tickets", "customers") and \
            given.get("order_by") == "created_datetime:asc"
        kind = "question" if "ticket_id" in given else "scan" if is_scan else "walk"
        if request["status"] == 200 and ("cursor" in given or kind == "question"):
            pages[request["path"], kind, request["query"]] += 1
    return pages


__all__ = ["ACTIONS", "EXPECTED", "LOG", "SCENARIOS", "Database", "Durable", "World"]
