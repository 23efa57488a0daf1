"""The units under a systemd that runs: credentials, confinement, timer, exit codes and the journal, against the simulator and PostgreSQL."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from harness import BINARY, TIMEOUT, Case, postgres  # noqa: E402

SYSTEMD = HERE.parents[1] / "packaging" / "systemd"
SYSTEM = Path("/usr/lib/systemd/system")   # where this machine's own units are
TARGETS = ("sysinit", "basic", "shutdown", "timers", "sockets", "network-online", "multi-user")
RUN = "gorgias-replicate-run@mycompany"
# A sanitizer's search for leaks traces the process, which no service may do.
SANITIZED = "[Service]\nEnvironment=ASAN_OPTIONS=exitcode=99:detect_leaks=0\n"


class Systemd:
    """A systemd over a copy of this machine's files; says `why_not` where it does not start."""

    def __init__(self, sockets):
        self.folder = tempfile.TemporaryDirectory(prefix="gr-booted-")
        units = Path(self.folder.name, "units")
        shutil.copytree(SYSTEMD, units)
        for name in TARGETS:
            Path(units, f"{name}.target").write_text("[Unit]\nDefaultDependencies=no\n")
        for name in ("systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket"):
            if Path(SYSTEM, name).exists():
                shutil.copy(Path(SYSTEM, name), units)
        Path(units, "sockets.target").write_text("[Unit]\nDefaultDependencies=no\nWants=systemd-journald.socket\n")
        Path(units, "multi-user.target").write_text("[Unit]\nRequires=basic.target sockets.target\n")
        Path(units, "gorgias-replicate-.service.d", "sanitized.conf").write_text(SANITIZED)
        self.said = open(Path(self.folder.name, "said"), "w+")
        self.process = subprocess.Popen([HERE / "booted.sh", units, BINARY, sockets], stdin=subprocess.DEVNULL, stdout=self.said, stderr=self.said)
        self.why_not = self._wait()

    def _wait(self):
        until = time.monotonic() + TIMEOUT
        while time.monotonic() < until:
            if self.process.poll() is not None:
                self.said.seek(0)
                return self.said.read().strip().splitlines()[-1]
            if self._first() and self.do("systemctl", "is-active", "multi-user.target").returncode == 0:
                return None
            time.sleep(0.2)
        self.said.seek(0)
        return "it does not come up: " + self.said.read()

    def _first(self):
        """Its process 1, as it is called outside."""
        return Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().strip()

    def do(self, *command, text=""):
        return subprocess.run(["nsenter", "-t", self._first(), "-m", "-p", "-u", "-i", "-C", *command], input=text, capture_output=True, text=True,
                              timeout=TIMEOUT, env={"PATH": "/usr/sbin:/usr/bin", "LANG": "C.UTF-8"})

    def write(self, path, text, mode="644"):
        return self.do("install", "-D", "-m", mode, "/dev/stdin", path, text=text)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.said.seek(0)
        group = self.said.readline().strip()
        # The groups of its services are left, and empty as soon as the last process is gone.
        for folder in sorted((folder for folder, _, _ in os.walk(group) if group.startswith("/")), key=len, reverse=True):
            for _ in range(100):
                try:
                    os.rmdir(folder)
                    break
                except OSError:
                    time.sleep(0.05)
        self.said.close()
        self.folder.cleanup()


class Units(Case):
    @classmethod
    def setUpClass(cls):
        os.chmod(postgres().place, 0o755)   # the service's user is nobody that PostgreSQL knows
        cls.systemd = Systemd(postgres().place)
        cls.addClassCleanup(cls.systemd.close)
        if cls.systemd.why_not:
            print(f"systemd cannot be started here: {cls.systemd.why_not}", file=sys.stderr)
            raise unittest.SkipTest(cls.systemd.why_not)

    def setUp(self):
        super().setUp()
        self.simulator(seed=4, tickets=20, customers=10)
        connections = {"GORGIAS": self.gorgias(), "WAREHOUSE": self.database.url(host="/run/sockets")}
        self.systemd.write("/etc/gorgias-replicate/env.yaml", json.dumps({"connections": connections}), "600")
        self.systemd.write("/etc/gorgias-replicate/mycompany.yaml", json.dumps({
            "source": "GORGIAS", "target": "WAREHOUSE", "defaults": {"mode": "incremental", "object": "gorgias.{stream_name}"},
            "streams": {"tickets": None, "tags": None}}))
        self.addCleanup(self.systemd.do, "rm", "-rf", f"/etc/systemd/system/{RUN}.service.d", f"/etc/systemd/system/{RUN}.timer.d")

    def drop_in(self, unit, text):
        self.systemd.write(f"/etc/systemd/system/{unit}.d/test.conf", text)
        self.assertEqual(0, self.systemd.do("systemctl", "daemon-reload").returncode)

    def service(self, unit):
        """Starts a service; gives systemctl's exit code, the program's own where that was not 0, and the end of what it said."""
        self.systemd.do("systemctl", "reset-failed")
        started = self.systemd.do("systemctl", "start", unit).returncode
        # What has ended well is forgotten.
        code = int(self.systemd.do("systemctl", "show", "-P", "ExecMainStatus", unit).stdout) if started else 0
        return started, code, self.systemd.do("journalctl", "-u", unit, "-o", "cat", "--no-pager", "-n", "30").stdout

    def test_a_run_has_its_credentials_and_what_it_needs(self):
        started, _, said = self.service(f"{RUN}.service")
        self.assertEqual(0, started, said)
        self.assertEqual(20, self.database.value("select count(*) from gorgias.tickets"))
        self.assertIn("2 succeeded, 0 failed", said)
        # Nobody else reads them: neither the file nor the service's copy.
        seen = self.systemd.do("setpriv", "--reuid=65534", "--clear-groups", "cat", "/etc/gorgias-replicate/env.yaml")
        self.assertNotEqual(0, seen.returncode)
        started, _, said = self.service("gorgias-replicate-audit@mycompany.service")
        self.assertEqual(0, started, said)
        self.assertIn("2 proven", said)

    def test_a_failure_is_seen(self):
        self.sim.set(forbid="/api/tags")
        started, code, said = self.service(f"{RUN}.service")
        self.assertEqual((True, 1), (started != 0, code), said)
        self.assertEqual("failed", self.systemd.do("systemctl", "is-failed", f"{RUN}.service").stdout.strip())
        errors = self.systemd.do("journalctl", "-u", f"{RUN}.service", "-p", "err", "-o", "cat", "--no-pager", "_SYSTEMD_UNIT=" + RUN + ".service").stdout
        self.assertRegex(errors, "(?m)^error tags: HTTP 403 from /api/tags")
        self.assertNotIn("done rows=", errors)
        # 5 is no failure: another run has the lock.
        self.sim.set(forbid="")
        self.sim.add_faults({"match": "/api/tags", "fault": "stall", "args": {"keep": 0}})
        other = self.start("run", self.replication(("tickets", "tags")), "--progress", "never")
        self.wait_for(lambda: self.requests("/api/tags")[1:], "the other run's request", other)
        started, _, said = self.service(f"{RUN}.service")
        self.assertEqual(0, started, said)
        self.assertIn("is at work on this replication", said)

    def test_the_timer_starts_runs(self):
        self.drop_in(f"{RUN}.timer", "[Timer]\nOnCalendar=\nOnCalendar=*-*-* *:*:*\nRandomizedDelaySec=0\nAccuracySec=1us\n")
        self.assertEqual(0, self.systemd.do("systemctl", "start", f"{RUN}.timer").returncode)
        self.wait_for(lambda: len(self.requests("/api/tags")) > 1, "a second run")
        self.assertEqual(0, self.systemd.do("systemctl", "stop", f"{RUN}.timer").returncode)
        self.wait_for(lambda: self.systemd.do("systemctl", "is-active", f"{RUN}.service").stdout.strip() == "inactive", "the end of the last run")

    def test_what_a_run_leaves_for_others(self):
        """The drop-ins of scheduling.md: metrics in a folder that others read, and a page after each run."""
        self.systemd.do("groupadd", "--system", "--force", "gorgias-metrics")
        self.systemd.do("install", "-d", "-m", "2775", "-g", "gorgias-metrics", "/var/lib/prometheus/node-exporter")
        documented = re.findall(rf"```ini\n# systemctl edit {RUN}.service\n(.*?)```", (HERE.parents[1] / "docs/scheduling.md").read_text(), re.S)
        wanted = [text for text in documented if "--metrics-file" in text or "-report@" in text]
        self.assertEqual(2, len(wanted))
        self.drop_in(f"{RUN}.service", "\n".join(wanted))
        started, _, said = self.service(f"{RUN}.service")
        self.assertEqual(0, started, said)
        metrics = self.systemd.do("setpriv", "--reuid=65534", "--clear-groups", "cat", "/var/lib/prometheus/node-exporter/mycompany.prom").stdout
        self.assertIn('gorgias_replicate_run_success{replication="mycompany.yaml"} 1', metrics)
        page = "/var/lib/gorgias-replicate/mycompany.html"
        self.wait_for(lambda: self.systemd.do("cat", page).stdout.rstrip().endswith("</html>"), "the page")
        self.assertIn("All is well", self.systemd.do("cat", page).stdout)


if __name__ == "__main__":
    unittest.main()
