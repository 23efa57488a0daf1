"""What the integration tests stand on: a private PostgreSQL for each test program, a database and a simulator for each test, and the
real binary. Python's standard library only; PostgreSQL is spoken to through psql."""

import atexit
import glob
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from urllib.parse import parse_qs

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "sim"))

from gorgias_sim import Simulator  # noqa: E402

import truth  # noqa: E402

BINARY = os.environ.get("GR_BINARY") or os.path.join(ROOT, "build", "asan", "gorgias-replicate")
TIMEOUT = 240        # seconds that a run may take before it counts as hanging, on a slow machine under sanitizers
ALL_STREAMS = tuple(sorted(truth.SCHEMAS))
STREAMS = tuple(stream for stream in ALL_STREAMS if not truth.SCHEMAS[stream].named_only)   # what '*' includes
CONFIGURATION = tuple(stream for stream in STREAMS if truth.SCHEMAS[stream].walk == "full")
SECRETS = ("sim-key", "c2ltQGV4YW1wbGUuY29tOnNpbS1rZXk=")   # the API key, and the header's base64 of user and key


class Postgres:
    """One server, in a folder of its own, listening on a socket there and nowhere else."""

    SETTINGS = {"fsync": "off"}   # a test's data need not survive the machine

    def __init__(self):
        self.programs = os.path.dirname(sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda p: int(p.split("/")[4]))[-1])
        # Not the test's temporary folder: the path of a socket must be short.
        self.place = tempfile.mkdtemp(prefix="gr-pg-", dir="/tmp")
        self.data = os.path.join(self.place, "data")
        self.databases = 0
        self.prefix = []
        if os.getuid() == 0:   # PostgreSQL does not run as root
            postgres = pwd.getpwnam("postgres")
            os.chown(self.place, postgres.pw_uid, postgres.pw_gid)
            self.prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        atexit.register(self.stop)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))   # or the server would outlive the tests
        self._server("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self.start()

    def _server(self, program, *arguments):
        done = subprocess.run([*self.prefix, f"{self.programs}/{program}", *arguments], cwd=self.place, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, timeout=120)
        if done.returncode:
            raise RuntimeError(done.stdout)

    def start(self):
        # The server's zone is an odd one, so that a naive datetime that is taken for local time shows.
        settings = {"listen_addresses": "", "shared_buffers": "64MB", "timezone": "Asia/Kathmandu", "max_connections": "60", **self.SETTINGS}
        options = " ".join([f"-k {self.place}", *(f"-c {name}={value}" for name, value in settings.items())])
        self._server("pg_ctl", "-D", self.data, "-w", "-l", os.path.join(self.place, "log"), "-o", options, "start")

    def crash(self):
        """What a power cut leaves of the server: no process ends in good order."""
        self._server("pg_ctl", "-D", self.data, "-m", "immediate", "stop")

    def stop(self):
        try:
            self.crash()
        except RuntimeError:   # it is down already
            pass
        shutil.rmtree(self.place, ignore_errors=True)

    def database(self, template="template1"):
        """A new database; with `template`, a copy of that one."""
        self.databases += 1
        name = f"test_{os.getpid()}_{self.databases}"
        Database(self, "postgres").do(f'create database "{name}" template "{template}"')
        return Database(self, name)


class Database:
    def __init__(self, server, name):
        self.server, self.name = server, name

    def url(self, user="postgres", host=None):
        return f"postgresql:///{self.name}?host={host or self.server.place}&user={user}"

    def drop(self):
        Database(self.server, "postgres").do(f'drop database if exists "{self.name}" with (force)')

    def _psql(self, sql, *options, user="postgres"):
        environment = {**os.environ, "PGTZ": "UTC", "PGCLIENTENCODING": "UTF8", "LC_ALL": "C.UTF-8", "PGOPTIONS": "-c client_min_messages=warning"}
        done = subprocess.run([f"{self.server.programs}/psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.server.place, "-U", user,
                               "-d", self.name, *options], input=sql.encode(), capture_output=True, env=environment, timeout=120)
        if done.returncode:
            raise RuntimeError(done.stderr.decode() + "\n" + sql)
        return done.stdout.decode()

    def do(self, sql, user="postgres"):
        self._psql(sql, user=user)

    def rows(self, query):
        """The rows of a query, each a dict; numbers as Decimal, datetimes as ISO text in UTC."""
        text = self._psql(f"select row_to_json(t)::text from ({query}) t", "-At")
        # Not splitlines(): that splits at U+2028, too.
        return [truth.loads(line) for line in text.split("\n") if line]

    def value(self, query):
        """The single value of a query."""
        (row,) = self.rows(query)
        (value,) = row.values()
        return int(value) if isinstance(value, truth.Decimal) and value == int(value) else value

    def column(self, query):
        return [next(iter(row.values())) for row in self.rows(query)]

    def versions(self, table):
        """What tells whether a row was rewritten: its key and the transaction that wrote it."""
        key = truth.key_of(table.split(".")[-1])
        return {str(row["k"]): row["x"] for row in self.rows(f'select {key} as k, xmin::text as x from {table}')}


class Result:
    """What a run of the binary came to."""

    def __init__(self, code, stdout, stderr, began, ended):
        self.code, self.stdout, self.stderr, self.began, self.ended = code, stdout, stderr, began, ended

    @property
    def summary(self):
        return json.loads(self.stdout)

    def stream(self, name):
        (found,) = [stream for stream in self.summary["streams"] if stream["stream"] == name]
        return found

    def __str__(self):
        return f"exit {self.code}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"


_postgres = None


def postgres():
    global _postgres
    if _postgres is None:
        _postgres = Postgres()
    return _postgres


class Case(unittest.TestCase):
    """A test with a database, and with a simulator if it asks for one."""

    maxDiff = 4000

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gr-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.database = postgres().database()
        self.connections = {}

    # -- the source

    def simulator(self, **options):
        """A simulated account that lasts as long as the test."""
        sim = Simulator(**{"rate": "off", **options})
        sim.__enter__()
        self.addCleanup(sim.__exit__, None, None, None)
        self.sim = sim
        return sim

    def requests(self, match=""):
        """Requests since the log was cleared, whose path holds `match`."""
        return [request for request in self.sim.log() if match in request["path"]]

    # -- the replication

    def gorgias(self, **more):
        return {"type": "gorgias", "subdomain": "demo", "email": "sim@example.com", "api_key": "sim-key", "base_url": self.sim.url,
                "anchor_date": "2001-01-01", "rate": {"requests": 100000, "per": "1s"}, **more}

    def replication(self, streams=("*",), *, defaults=None, source=None, target=None, name="replication.yaml", **top):
        """Writes a replication file, and returns its path. JSON is YAML; so it needs no writer of its own."""
        if not isinstance(streams, dict):
            streams = {stream: None for stream in streams}
        document = {"source": "GORGIAS", "target": "WAREHOUSE",
                    "defaults": {"mode": "incremental", "object": "gorgias.{stream_name}", **(defaults or {})}, "streams": streams,
                    "connections": {"GORGIAS": source or self.gorgias(), "WAREHOUSE": target or self.database.url()}, **top}
        return self.write(name, json.dumps({key: value for key, value in document.items() if value is not None}, indent=1))

    def write(self, name, text, mode=0o600):
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    # -- the binary

    def environment(self, env=None):
        # A zone that is neither the server's nor UTC, and no ~/.sling of whoever runs the tests.
        return {"PATH": os.environ["PATH"], "HOME": self.folder, "TZ": "America/St_Johns", "LANG": "C.UTF-8", "UBSAN_OPTIONS": "print_stacktrace=1",
                "ASAN_OPTIONS": "exitcode=99:detect_leaks=" + os.environ.get("GR_LEAKS", "1"), **(env or {})}

    def start(self, *arguments, env=None):
        """Starts the binary; finish() waits for it."""
        files = [tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace", dir=self.folder) for _ in range(2)]
        process = subprocess.Popen([BINARY, *arguments], stdin=subprocess.DEVNULL, stdout=files[0], stderr=files[1], env=self.environment(env),
                                   cwd=self.folder)
        process.files, process.began = files, time.time()
        self.addCleanup(self._reap, process)
        return process

    @staticmethod
    def _reap(process):
        if process.poll() is None:
            process.kill()
        process.wait()
        for file in process.files:
            file.close()

    def finish(self, process, timeout=TIMEOUT):
        process.wait(timeout)
        texts = []
        for file in process.files:
            file.seek(0)
            texts.append(file.read())
        result = Result(process.returncode, *texts, process.began, time.time())
        for sign in ("AddressSanitizer", "LeakSanitizer", "runtime error:"):
            self.assertNotIn(sign, result.stderr)
        return result

    def command(self, *arguments, env=None, timeout=TIMEOUT):
        return self.finish(self.start(*arguments, env=env), timeout)

    def run_replication(self, file, *options, expect=0, env=None):
        """`run FILE --output json`; fails unless it ends with `expect`."""
        result = self.command("run", file, "--output", "json", "--progress", "never", *options, env=env)
        self.assertEqual(result.code, expect, str(result))
        for secret in SECRETS:
            self.assertNotIn(secret, result.stdout + result.stderr)
        return result

    def wait_for(self, condition, what, process=None):
        """Until the condition holds: for moments that a test has to catch, never to measure time."""
        deadline = time.monotonic() + TIMEOUT
        while not condition():
            if process is not None and process.poll() is not None:
                self.fail(f"the run ended before {what}: {self.finish(process)}")
            if time.monotonic() > deadline:
                self.fail(f"never happened: {what}")
            time.sleep(0.01)

    def kill(self, process):
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.wait_for_sessions_to_end()

    def wait_for_sessions_to_end(self):
        """PostgreSQL may still be at work on what a killed client had sent. (That the next run copes is a test of its own.)"""
        self.wait_for(lambda: self.database.value("select count(*) from pg_stat_activity where datname = current_database()"
                                                  " and pid <> pg_backend_pid() and application_name <> 'gorgias-replicate budget'") == 0,
                      "the end of the session")

    # -- comparing

    def assert_equals_source(self, *streams, result=None, keep=None, schema="gorgias"):
        """Each table holds exactly what the API shows, column by column. With `result` (a later run), a volatile column may be stale in a
        row that this run had no other reason to touch. `keep` tells which objects are expected at all."""
        for stream in streams or STREAMS:
            with self.subTest(stream=stream):
                objects = truth.loads(self.sim.truth_bytes(stream).decode())
                if keep is not None:
                    objects = [object for object in objects if keep(object)]
                # The server's clock and ours are one, but the row's time is when its transaction began.
                since = None if result is None else result.began - 0.001
                rows = self.database.rows(f'select * from "{schema}"."{stream}"')
                self.assertEqual([], truth.differences(stream, objects, rows, since)[:8])

    def alive(self, stream):
        return self.database.value(f"select count(*) from gorgias.{stream} where _deleted_at is null")

    def bookmark(self, stream):
        return self.database.value(f"select bookmark from _gorgias_replicate.streams where stream = '{stream}'")

    def queue(self):
        return self.database.value("select count(*) from _gorgias_replicate.queue")


def parameters(request):
    """The query of a logged request, each parameter with its first value."""
    return {name: values[0] for name, values in parse_qs(request["query"]).items()}


class Poll(threading.Thread):
    """Calls a function again and again while a block runs, and keeps what it returned."""

    def __init__(self, function):
        super().__init__(daemon=True)
        self.function, self.seen, self.stopped, self.trouble = function, [], threading.Event(), None

    def run(self):
        try:
            while not self.stopped.is_set():
                self.seen.append(self.function())
        except Exception as error:   # shown by whoever leaves the block
            self.trouble = error

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.join(TIMEOUT)
        if self.trouble:
            raise self.trouble


class Holder:
    """A session that holds a lock on a table while a block runs."""

    def __init__(self, case, table):
        self.case, self.table = case, table

    def __enter__(self):
        server = self.case.database.server
        self.psql = subprocess.Popen([f"{server.programs}/psql", "-X", "-q", "-h", server.place, "-U", "postgres", "-d", self.case.database.name],
                                     stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        self.psql.stdin.write(f"begin; lock table {self.table} in share mode;\n")
        self.psql.stdin.flush()
        held = f"select count(*) from pg_locks where relation = '{self.table}'::regclass and mode = 'ShareLock' and granted"
        self.case.wait_for(lambda: self.case.database.value(held), f"the lock on {self.table}")
        return self

    def __exit__(self, *_):
        self.psql.stdin.close()
        try:
            self.psql.wait(30)
        finally:
            self.psql.kill()
            self.psql.wait()
