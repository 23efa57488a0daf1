"""What a measurement stands on: a PostgreSQL of its own with default durability, page servers, and a measure of what a command took."""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "integration"))

from harness import Database, Postgres  # noqa: E402
from workload import PER_TICKET  # noqa: E402

BINARY = os.environ.get("GR_BINARY") or os.path.join(ROOT, "build", "release", "gorgias-replicate")
CHILD_TIMEOUT = 900


class Failed(Exception):
    pass


class Warehouse(Postgres):
    """PostgreSQL's own settings, durability above all. It listens on a socket in its folder, and on loopback with a password for programs
    that know no sockets."""

    SETTINGS = {"fsync": "on", "shared_buffers": "128MB", "timezone": "UTC", "listen_addresses": "127.0.0.1"}

    def __init__(self):
        self.password = secrets.token_hex(16)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        os.environ["PGPORT"] = str(self.port)   # every client below, whatever it is written in, goes by it
        super().__init__()
        Database(self, "postgres").do(f"set password_encryption = 'scram-sha-256'; alter role postgres password '{self.password}'")

    def start(self):
        hba = os.path.join(self.data, "pg_hba.conf")
        with open(hba, "w") as file:
            file.write("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        super().start()

    def stop(self):
        if os.path.exists(self.place):   # not a second time, at the end of the program
            super().stop()

    def tcp(self, name):
        return f"postgresql://postgres:{self.password}@127.0.0.1:{self.port}/{name}?sslmode=disable"

    def cpu(self):
        """CPU seconds of all server processes that have ended: sessions, above all."""
        with open(os.path.join(self.data, "postmaster.pid")) as file:
            pid = int(file.readline())
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


class Api:
    """A page server in a process of its own."""

    def __init__(self, place, tickets, messages=0):
        self.tickets, self.messages = tickets, messages
        port_file = os.path.join(place, f"port-{tickets}-{messages}")
        self.process = subprocess.Popen([sys.executable, "-B", os.path.join(HERE, "page_server.py"), "--tickets", str(tickets),
                                         "--messages", str(messages), "--port-file", port_file], stdin=subprocess.PIPE)
        deadline = time.monotonic() + 600
        while not os.path.exists(port_file):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failed("the page server did not start")
            time.sleep(0.05)
        with open(port_file) as file:
            self.url = f"http://127.0.0.1:{file.read()}"

    def get(self, target):
        with urllib.request.urlopen(self.url + target, timeout=60) as answer:
            return json.load(answer)

    def count(self):
        return self.get("/_count")

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Took:
    """What one run took."""

    def __init__(self, rows, seconds, cpu, peak_kb, server_cpu, wal, requests):
        self.rows, self.seconds, self.cpu, self.peak_mb = rows, seconds, cpu, peak_kb / 1024
        self.server_cpu, self.wal_mb, self.requests = server_cpu, wal / 1e6, requests
        self.rate = rows / seconds


class Stage:
    def __init__(self):
        self.place = tempfile.mkdtemp(prefix="gr-bench-", dir=os.environ.get("TMPDIR", "/tmp"))
        self.apis, self.folder = [], os.path.join(ROOT, "build", "bench")
        os.makedirs(self.folder, exist_ok=True)
        self.measure_program = os.path.join(self.place, "measure")
        subprocess.run(["cc", "-D_DEFAULT_SOURCE", "-O2", "-o", self.measure_program, os.path.join(HERE, "measure.c")], check=True)
        self.warehouse = Warehouse()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for api in self.apis:
            api.stop()
        self.warehouse.stop()
        shutil.rmtree(self.place, ignore_errors=True)

    def api(self, tickets, messages=0):
        """Accounts of the same size share a server."""
        for api in self.apis:
            if (api.tickets, api.messages) == (tickets, messages):
                return api
        self.apis.append(Api(self.place, tickets, messages))
        return self.apis[-1]

    def messages(self, count):
        """An account of so many messages, four for each ticket."""
        return self.api(max(1, count // PER_TICKET), count)

    def compression(self):
        """Options of a session that compresses with lz4, where the server can."""
        has = Database(self.warehouse, "postgres").value(
            "select count(*) from pg_settings where name = 'default_toast_compression' and 'lz4' = any(enumvals)")
        return "-c default_toast_compression=lz4" if has else ""

    def environment(self, more=None):
        keep = {name: os.environ[name] for name in ("PATH", "PGPORT", "LANG", "PYENV_VERSION", "PYENV_ROOT") if name in os.environ}
        return {**keep, "HOME": self.place, "TZ": "UTC", "PGTZ": "UTC", "PGCLIENTENCODING": "UTF8", **(more or {})}

    def measure(self, command, database, rows, api=None, stdin=None, env=None, timeout=CHILD_TIMEOUT):
        """Runs a command, and tells what it took. Its output is shown only if it fails."""
        result, log = os.path.join(self.place, "result"), os.path.join(self.place, "log")
        database.do("checkpoint")   # so that nobody pays for what was written before
        lsn, asked, server_cpu = self.lsn(database), api.count() if api else 0, self.warehouse.cpu()
        with open(log, "wb") as output, open(stdin or os.devnull, "rb") as given:
            process = subprocess.Popen([self.measure_program, result, *command], stdin=given, stdout=output, stderr=output, cwd=self.place,
                                       env=self.environment(env), start_new_session=True)
            try:
                process.wait(timeout)
            except BaseException as error:
                os.killpg(process.pid, signal.SIGKILL)   # the group that was started for it, and nothing else
                process.wait()
                if isinstance(error, subprocess.TimeoutExpired):
                    raise Failed(f"took more than {timeout} s") from None
                raise
        with open(result) as file:
            seconds, cpu, peak_kb, status = (float(text) for text in file.read().split())
        if status:
            with open(log, errors="replace") as file:
                raise Failed(f"exit {status:.0f}: {self.without_secrets(file.read())[-600:]}")
        time.sleep(0.2)   # until the session has ended, and its CPU is counted
        return Took(rows, seconds, cpu, peak_kb, self.warehouse.cpu() - server_cpu, self.lsn(database) - lsn,
                    api.count() - asked if api else 0)

    def without_secrets(self, text):
        return re.sub(re.escape(self.warehouse.password), "***", text)

    @staticmethod
    def lsn(database):
        return int(database.value("select (pg_current_wal_lsn() - '0/0')::bigint as lsn"))

    def replicate(self, api, database, streams, **source):
        """The command that runs our program."""
        path = os.path.join(self.place, "replication.yaml")
        account = {"type": "gorgias", "subdomain": "demo", "email": "sim@example.com", "api_key": "sim-key", "base_url": api.url,
                   "anchor_date": "2001-01-01", "rate": {"requests": 100000, "per": "1s"}, **source}
        with open(path, "w") as file:   # JSON is YAML
            json.dump({"source": "GORGIAS", "target": "WAREHOUSE", "defaults": {"mode": "incremental", "object": "gorgias.{stream_name}"},
                       "streams": {stream: None for stream in streams},
                       "connections": {"GORGIAS": account, "WAREHOUSE": database.url()}}, file)
        os.chmod(path, 0o600)
        return [BINARY, "run", path, "--progress", "never", "--log-level", "warn", "--output", "json"]

    def psql(self, database, *commands):
        """The command that runs psql."""
        options = [option for command in commands for option in ("-c", command)]
        return [f"{self.warehouse.programs}/psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", self.warehouse.place, "-U", "postgres",
                "-d", database.name, *options]
