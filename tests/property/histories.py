#!/usr/bin/env python3
"""Random histories of an account and of runs that replicate it; see history.py for what one is, unseen.py for what is left out.

    python3 tests/property/histories.py --seed 17                  one history, again
    python3 tests/property/histories.py --count 10                 the short form of ctest
    python3 tests/property/histories.py --seconds 3600 --from-seed 1000 --jobs 2

Ends with exit 1 if a history failed. Ctrl-C ends it in good order."""

import argparse
import itertools
import json
import os
import selectors
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)


def arguments(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, help="play this one history, and tell its steps")
    parser.add_argument("--now", type=int, metavar="S", help="where the simulator's clock begins, in seconds since 1970 (now)")
    parser.add_argument("--from-seed", type=int, default=1, metavar="N", help="the first seed (1)")
    parser.add_argument("--count", type=int, metavar="N", help="end after so many histories")
    parser.add_argument("--seconds", type=float, metavar="S", help="begin no history after so many seconds")
    parser.add_argument("--jobs", type=int, default=1, metavar="J", help="histories side by side, each with a PostgreSQL of its own (1)")
    parser.add_argument("--every", type=int, default=1, help=argparse.SUPPRESS)   # of the workers: each J-th seed
    parser.add_argument("--lines", action="store_true", help=argparse.SUPPRESS)   # of the workers: a JSON object for each history
    given = parser.parse_args(argv)
    if given.seed is not None:
        given.from_seed, given.count = given.seed, 1
    if given.count is None and given.seconds is None:
        given.count = 10
    return given


class Tally:
    def __init__(self):
        self.totals, self.began = {"histories": 0, "failed": 0, "runs": 0, "kills": 0, "changes": 0}, time.monotonic()

    def add(self, told):
        self.totals["histories"] += 1
        for name in ("runs", "kills", "changes"):
            self.totals[name] += told["counts"][name]
        if told["trouble"]:
            self.totals["failed"] += 1
            steps = "\n".join(f"  {n}. {step}" for n, step in enumerate(told["steps"], 1))
            print(f"--- history {told['seed']} failed in step {len(told['steps'])}\n{steps}\n{told['trouble']}\n"
                  f"--- again: python3 tests/property/histories.py --seed {told['seed']} --now {told['now']}", flush=True)

    def close(self):
        told = ", ".join(f"{number} {name}" for name, number in self.totals.items())
        print(f"property: {told}; {time.monotonic() - self.began:.0f} s", flush=True)
        return 1 if self.totals["failed"] or not self.totals["histories"] else 0


def played(given):
    """One dict for each history, as they end."""
    from history import play   # its server is this process's own

    deadline = None if given.seconds is None else time.monotonic() + given.seconds
    for number, seed in enumerate(itertools.count(given.from_seed, given.every)):
        if number == given.count or deadline is not None and time.monotonic() >= deadline:
            return
        yield play(seed, given.now)


def workers(given):
    """The same from several processes; a count is shared out."""
    for job in range(given.jobs):
        more = ["--lines", "--every", str(given.jobs), "--from-seed", str(given.from_seed + job)]
        if given.count is not None:
            share = len(range(job, given.count, given.jobs))
            if share == 0:
                continue
            more += ["--count", str(share)]
        if given.seconds is not None:
            more += ["--seconds", str(given.seconds)]
        yield subprocess.Popen([sys.executable, "-B", os.path.abspath(__file__), *more],
                               stdout=subprocess.PIPE, text=True)


def gathered(given):
    """What the workers tell, as it comes."""
    running = list(workers(given))
    try:
        with selectors.DefaultSelector() as selector:
            for worker in running:
                selector.register(worker.stdout, selectors.EVENT_READ)
            while selector.get_map():
                for key, _ in selector.select():
                    line = key.fileobj.readline()
                    if line:
                        yield json.loads(line)
                    else:
                        selector.unregister(key.fileobj)
    finally:
        for worker in running:
            worker.send_signal(signal.SIGINT)
            worker.wait(60)


def main(argv=None):
    given = arguments(argv)
    tally = Tally()
    try:
        for told in gathered(given) if given.jobs > 1 and given.seed is None else played(given):
            if given.lines:
                print(json.dumps(told), flush=True)
                continue
            tally.add(told)
            if given.seed is not None and not told["trouble"]:
                print("\n".join(f"  {n}. {step}" for n, step in enumerate(told["steps"], 1)))
    except KeyboardInterrupt:
        pass
    return 0 if given.lines else tally.close()


if __name__ == "__main__":
    sys.exit(main())
