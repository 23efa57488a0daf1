"""What packaging/ makes of each exit code is what the program's own table says, and the files do what they say."""
import contextlib
import fcntl
import io
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import types
import unittest
from pathlib import Path

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
SYSTEMD = PACKAGING / "systemd"
LIMIT = 60

# A program that notes its call, and ends with the exit code that the environment names.
FAKE = """#!/bin/sh
trap 'kill ${slow:-} 2>/dev/null; exit 6' TERM
if [ -n "${SLOW:-}" ]; then sleep 30 & slow=$!; fi
echo "$@" >>"$CALLS"
echo 'what it says'
if [ -n "${SLOW:-}" ]; then wait $slow; fi
exit "$CODE"
"""


def verdicts():
    """Exit code -> "no failure", "failure, repeat" or "failure, do not repeat"."""
    table = subprocess.run([os.environ["GR_BINARY"], "reference", "exit-codes"], check=True, capture_output=True, text=True, timeout=LIMIT)
    return {int(code): verdict for code, verdict in re.findall(r"^\| (\d) \| [^|]+ \| ([^|]+) \|", table.stdout, re.M)}


def codes(verdict):
    return {code for code, other in verdicts().items() if other == verdict}


def yaml_of(path):
    try:
        import yaml
    except ImportError:
        raise unittest.SkipTest("PyYAML is not installed") from None
    return yaml.safe_load(path.read_text())


class Faked(unittest.TestCase):
    """A folder with a fake program on the PATH, and a replication file."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        program = self.folder / "gorgias-replicate"
        program.write_text(FAKE)
        program.chmod(0o755)
        self.file = self.folder / "replication.yaml"
        self.file.touch()
        self.calls = self.folder / "calls"

    def environment(self, code, **more):
        return {**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}", "CALLS": str(self.calls), "CODE": str(code), "PAUSE": "0", **more}

    def count(self):
        return len(self.calls.read_text().splitlines()) if self.calls.exists() else 0


class Systemd(unittest.TestCase):
    def setting(self, name):
        return {int(code) for code in re.search(rf"^{name}=(.*)$", next(SYSTEMD.glob("*.d/*.conf")).read_text(), re.M)[1].split()}

    def test_exit_codes(self):
        self.assertEqual(self.setting("SuccessExitStatus") | {0}, codes("no failure"))
        self.assertEqual(self.setting("RestartPreventExitStatus"), codes("failure, do not repeat"))

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd is not installed")
    def test_units_are_right_and_confined(self):
        names = [f"{path.stem}mycompany{path.suffix}" for path in sorted(SYSTEMD.glob("*@.*"))]
        self.assertEqual(len(names), 5)
        with tempfile.TemporaryDirectory() as root:
            units = Path(root, "usr/lib/systemd/system")
            shutil.copytree(SYSTEMD, units)
            for name in ("sysinit", "basic", "shutdown", "timers", "network-online"):
                Path(units, f"{name}.target").write_text("[Unit]\nDescription=x\n")
            os.makedirs(Path(root, "usr/bin"))
            shutil.copy(os.environ["GR_BINARY"], Path(root, "usr/bin/gorgias-replicate"))
            done = subprocess.run(["systemd-analyze", "verify", "--man=no", f"--root={root}", *names], capture_output=True, text=True,
                                  timeout=LIMIT)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            services = [name for name in names if name.endswith(".service")]
            done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=15", f"--root={root}", *services],
                                  capture_output=True, text=True, timeout=LIMIT)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Cron(Faked):
    def run_it(self, code, command="run", **more):
        return subprocess.run([PACKAGING / "cron" / "gorgias-replicate-cron", command, self.file], capture_output=True, text=True,
                              timeout=LIMIT, env=self.environment(code, **more))

    def test_exit_codes(self):
        for code, verdict in verdicts().items():
            with self.subTest(code=code):
                self.calls.unlink(missing_ok=True)
                done = self.run_it(code)
                self.assertEqual(self.count(), 3 if verdict == "failure, repeat" else 1)
                if verdict == "no failure":
                    self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
                else:
                    self.assertEqual(done.returncode, code)
                    self.assertEqual(done.stdout, "what it says\n")

    def test_an_audit_that_found_gaps_is_heard_of(self):
        self.assertEqual(self.run_it(1, "audit").returncode, 1)
        self.assertEqual(self.count(), 1)

    def test_one_at_a_time(self):
        with open(self.file) as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            self.assertEqual(self.run_it(0).returncode, 0)
        self.assertEqual(self.count(), 0)
        self.run_it(0)
        self.assertEqual(self.count(), 1)


class Kubernetes(Faked):
    def setUp(self):
        super().setUp()
        self.job = yaml_of(PACKAGING / "kubernetes" / "cronjob.yaml")["spec"]["jobTemplate"]["spec"]
        container = self.job["template"]["spec"]["containers"][0]
        self.command = [*container["command"], *container["args"]]

    def test_exit_codes(self):
        self.assertEqual(set(self.job["podFailurePolicy"]["rules"][0]["onExitCodes"]["values"]), codes("failure, do not repeat"))
        for code, verdict in verdicts().items():
            with self.subTest(code=code):
                done = subprocess.run(self.command, env=self.environment(code), capture_output=True, timeout=LIMIT)
                self.assertEqual(done.returncode, 0 if verdict == "no failure" else code)

    def test_a_signal_is_handed_on(self):
        process = subprocess.Popen(self.command, env=self.environment(1, SLOW="1"), stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.assertEqual(process.stdout.readline(), b"what it says\n")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(LIMIT), 0)


class Airflow(Faked):
    def test_exit_codes(self):
        class Retried(Exception):
            pass

        class Failed(Retried):
            pass

        class Skipped(Retried):
            pass

        modules = {"airflow": types.ModuleType("airflow"), "airflow.decorators": types.ModuleType("airflow.decorators"),
                   "airflow.exceptions": types.ModuleType("airflow.exceptions")}
        modules["airflow.decorators"].dag = lambda **_: lambda function: function
        modules["airflow.decorators"].task = lambda function, **_: lambda *arguments: None
        modules["airflow.exceptions"].__dict__.update(AirflowException=Retried, AirflowFailException=Failed, AirflowSkipException=Skipped)
        sys.modules.update(modules)
        self.addCleanup(lambda: [sys.modules.pop(name) for name in modules])
        call = runpy.run_path(str(PACKAGING / "airflow" / "gorgias_replicate_dag.py"))["call"]
        wanted = {"no failure": (None, Skipped), "failure, repeat": (Retried,), "failure, do not repeat": (Failed,)}
        for code, verdict in verdicts().items():
            with self.subTest(code=code):
                self.assertIn(self.outcome(call, "run", code), wanted[verdict])
        self.assertIs(self.outcome(call, "audit", 1), Failed)

    def outcome(self, call, command, code):
        kept = dict(os.environ)
        os.environ.update(self.environment(code))
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                call(command)
        except Exception as error:   # which one is what is asked
            return type(error)
        finally:
            os.environ.clear()
            os.environ.update(kept)
        return None


class Compose(unittest.TestCase):
    def test_services_are_built_from_what_there_is(self):
        root = PACKAGING.parent
        stages = set(re.findall(r"^FROM \S+ AS (\S+)$", (root / "Dockerfile").read_text(), re.M))
        services = yaml_of(root / "docker-compose.yml")["services"]
        for name, service in services.items():
            with self.subTest(name):
                self.assertIn(service.get("build", {}).get("target", "build"), stages)
                for other, wanted in service.get("depends_on", {}).items():
                    self.assertIn(other, services)
                    self.assertEqual(wanted["condition"] == "service_healthy", "healthcheck" in services[other])
