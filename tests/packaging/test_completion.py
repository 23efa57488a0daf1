"""The completions of packaging/completions, each in its own shell, as somebody types."""
import os
import pty
import re
import select
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parents[2] / "packaging" / "completions"
PROGRAM = "gorgias-replicate"
LIMIT = 30   # seconds until a shell has answered


def bash(line, folder="."):
    """What bash would offer at the end of a line."""
    words = re.findall(r"=|[^\s=]+", line) + ([""] if line.endswith(" ") else [])
    script = f"""source {shlex.quote(str(SCRIPTS / "gorgias-replicate.bash"))}
        COMP_WORDS=({' '.join(map(shlex.quote, words))}) COMP_CWORD={len(words) - 1}
        _gorgias_replicate
        printf '%s\\n' "${{COMPREPLY[@]}}" """
    done = subprocess.run(["bash", "--norc", "-c", script], cwd=folder, check=True, capture_output=True, text=True, timeout=LIMIT)
    assert not done.stderr, done.stderr
    return done.stdout.split()


def fish(line, folder="."):
    script = f"source {shlex.quote(str(SCRIPTS / 'gorgias-replicate.fish'))}; complete -C {shlex.quote(line)}"
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(["fish", "--no-config", "-c", script], cwd=folder, check=True, capture_output=True, text=True,
                              timeout=LIMIT, env={**os.environ, "HOME": home})
    assert not done.stderr, done.stderr
    return [answer.split("\t")[0] for answer in done.stdout.splitlines()]


def zsh(line, wanted):
    """Types a line and a tabulator into zsh; True once `wanted` shows up behind it."""
    child, terminal = pty.fork()
    if child == 0:
        os.execvpe("zsh", ["zsh", "-f", "-i"], {**os.environ, "TERM": "dumb", "PS1": "> "})
    try:
        os.write(terminal, f"fpath=({shlex.quote(str(SCRIPTS))} $fpath); autoload -Uz compinit; compinit -u -D; "
                           f"bindkey '^I' complete-word; setopt no_beep; echo rea''dy\n".encode())
        seen = read_until(terminal, "ready\r\n")
        assert "ready\r\n" in seen, seen
        os.write(terminal, f"{line}\t".encode())
        return wanted in read_until(terminal, wanted)
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(terminal)


def read_until(terminal, wanted):
    seen, end = "", time.monotonic() + LIMIT
    while wanted not in seen and time.monotonic() < end:
        if select.select([terminal], [], [], 1)[0]:
            seen += os.read(terminal, 65536).decode(errors="replace")
    return seen


class Bash(unittest.TestCase):
    def test_commands(self):
        self.assertIn("run", bash(f"{PROGRAM} "))
        self.assertEqual(bash(f"{PROGRAM} va"), ["validate"])
        self.assertNotIn("reference", bash(f"{PROGRAM} "))

    def test_options_are_the_commands_own(self):
        self.assertIn("--max-duration", bash(f"{PROGRAM} run x.yaml --"))
        self.assertIn("--columns", bash(f"{PROGRAM} discover --"))
        self.assertNotIn("--columns", bash(f"{PROGRAM} run --"))
        self.assertIn("--version", bash(f"{PROGRAM} --"))

    def test_values(self):
        self.assertEqual(bash(f"{PROGRAM} run x.yaml --mode tr"), ["truncate"])
        self.assertEqual(bash(f"{PROGRAM} run x.yaml --mode=tr"), ["truncate"])
        self.assertIn("truncate", bash(f"{PROGRAM} run x.yaml --mode="))
        self.assertEqual(bash(f"{PROGRAM} run x.yaml -o "), ["text", "json"])
        self.assertEqual(bash(f"{PROGRAM} run x.yaml --streams tags,ticket_m"), ["tags,ticket_messages"])
        self.assertEqual(bash(f"{PROGRAM} run x.yaml --limit "), [])

    def test_options_of_one_name(self):
        self.assertEqual(bash(f"{PROGRAM} status x.yaml --output "), ["text", "json"])
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "page.html").touch()
            self.assertEqual(bash(f"{PROGRAM} report x.yaml --output ", folder), ["page.html"])

    def test_arguments_are_counted_without_the_values_of_options(self):
        self.assertEqual(bash(f"{PROGRAM} state --log-level debug x.yaml "), ["show", "reset", "set"])
        self.assertEqual(bash(f"{PROGRAM} state --log-level=debug x.yaml "), ["show", "reset", "set"])
        self.assertEqual(bash(f"{PROGRAM} state x.yaml reset tags eve"), ["events"])
        self.assertEqual(bash(f"{PROGRAM} preview x.yaml vi"), ["views"])

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("one.yaml", "two.yml", "three.txt"):
                Path(folder, name).touch()
            self.assertEqual(sorted(bash(f"{PROGRAM} run ", folder)), ["one.yaml", "two.yml"])


@unittest.skipUnless(shutil.which("fish"), "fish is not installed")
class Fish(unittest.TestCase):
    def test_commands(self):
        self.assertIn("run", fish(f"{PROGRAM} "))
        self.assertNotIn("reference", fish(f"{PROGRAM} "))

    def test_options_and_values(self):
        self.assertIn("--max-duration", fish(f"{PROGRAM} run x.yaml --"))
        self.assertNotIn("--columns", fish(f"{PROGRAM} run --"))
        self.assertIn("truncate", fish(f"{PROGRAM} run x.yaml --mode "))
        self.assertIn("tags,ticket_messages", fish(f"{PROGRAM} run x.yaml --streams tags,ticket_m"))

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "one.yaml").touch()
            self.assertIn("one.yaml", fish(f"{PROGRAM} run ", folder))


@unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
class Zsh(unittest.TestCase):
    def test_what_is_typed_is_completed(self):
        for line, wanted in ((f"{PROGRAM} vali", "validate "), (f"{PROGRAM} run --max-d", "--max-duration="),
                             (f"{PROGRAM} run --mode tr", "truncate "), (f"{PROGRAM} state x.yaml re", "reset "),
                             (f"{PROGRAM} run --streams tags,eve", "tags,events"), (f"{PROGRAM} state x.yaml set acc", "account ")):
            with self.subTest(line):
                self.assertTrue(zsh(line, wanted))
