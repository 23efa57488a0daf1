"""The live display: drawn over itself on a terminal, gone at the end, and never mixed up with the log."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import unittest

from harness import BINARY, TIMEOUT, Case


class Screen:
    """A terminal as the program writes to it: lines, the way up, and the deletion of what is below."""

    MOVES = re.compile(r"\x1b\[(\d*)([A-Za-z])")

    def __init__(self):
        self.lines, self.row, self.seen = [""], 0, set()

    def write(self, text):
        while text:
            move = self.MOVES.match(text)
            if move is None:
                self._put(text[0])
                text = text[1:]
            elif move[2] == "A":
                self.row = max(0, self.row - int(move[1] or 1))
                text = text[move.end():]
            elif move[2] == "J":
                del self.lines[self.row + 1:]
                self.lines[self.row] = ""
                text = text[move.end():]
            elif move[2] == "m":   # a colour
                text = text[move.end():]
            else:
                raise AssertionError(f"unexpected: {move[0]!r}")

    def _put(self, character):
        if character == "\r":
            return
        if character == "\n":
            self.seen.add(self.lines[self.row])
            self.row += 1
            if self.row == len(self.lines):
                self.lines.append("")
            return
        self.lines[self.row] += character


class Display(Case):
    def begin(self, file, *options, width=100, height=12):
        """Starts a run with a terminal for its stderr; what it has written there is on self.screen, once it has ended."""
        ours, its = pty.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
        process = subprocess.Popen([BINARY, "run", file, *options], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=its,
                                   env=self.environment({"TERM": "xterm"}), cwd=self.folder)
        process.files = []
        self.addCleanup(self._reap, process)
        os.close(its)
        self.written = b""
        self.reader = threading.Thread(target=self.read, args=(ours,))
        self.reader.start()
        return process

    def read(self, ours):
        with open(ours, "rb", buffering=0) as terminal:
            try:
                while text := terminal.read(65536):
                    self.written += text
            except OSError:   # the other end is closed
                pass

    def end(self, process):
        process.wait(TIMEOUT)
        self.reader.join()
        self.screen = Screen()
        self.screen.write(self.written.decode())
        return process.returncode

    def test_it_is_drawn_and_goes(self):
        self.simulator(seed=131, tickets=300, latency="60ms")
        process = self.begin(self.replication(), height=30)
        self.assertEqual(0, self.end(process))
        # Lines of streams and of the run were there, within the width; the log alone is left, a line for each stream.
        drawn = [line for line in self.screen.seen if re.match(r"tickets +[\d,]+ rows +[\d,]+/s +\d+ requests", line)]
        self.assertTrue(drawn, self.screen.seen)
        self.assertTrue(any(re.match(r"\S+ \| \d+/14 streams \| \d+ requests", line) for line in self.screen.seen), self.screen.seen)
        self.assertLess(max(map(len, drawn)), 100)
        left = [line for line in self.screen.lines if line]
        self.assertEqual(14, len([line for line in left if ": done " in line]), left)
        self.assertEqual([], [line for line in left if re.search(r" rows +[\d,]+/s | streams \| ", line)])

    def test_it_fits_a_small_terminal(self):
        self.simulator(seed=132, tickets=60, latency="60ms")
        process = self.begin(self.replication(), width=40, height=4)
        self.assertEqual(0, self.end(process))
        drawn = [line for line in self.screen.seen if re.search(r" rows +[\d,]+|/14 streams|^and \d+ more$", line) and ": " not in line]
        self.assertTrue(any(re.match(r"and \d+ more$", line) for line in drawn), drawn)
        self.assertLess(max(map(len, drawn)), 40)

    def test_a_signal_is_answered_at_once(self):
        self.simulator(seed=133, tickets=300)
        self.sim.add_faults({"match": "/api/tags", "times": "forever", "fault": "429", "args": {"retry_after": 600}})
        process = self.begin(self.replication(("tickets", "tags")))
        self.wait_for(lambda: self.requests("/api/tags"), "a request", process)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(6, self.end(process))
        said = [line for line in self.screen.lines if "stopping in good order; a second signal stops at once" in line]
        self.assertEqual(1, len(said), self.screen.lines)

    def test_no_display_where_it_would_be_in_the_way(self):
        self.simulator(seed=134, tickets=60, latency="30ms")
        for options in (("--progress", "never"), ("--log-format", "json")):
            with self.subTest(options=options):
                self.assertEqual(0, self.end(self.begin(self.replication(("tickets", "tags")), *options)))
                self.assertEqual([], [line for line in self.screen.seen if " streams | " in line])


if __name__ == "__main__":
    unittest.main()
