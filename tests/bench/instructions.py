"""Instructions that parsing and encoding take for each row, under callgrind: the same on a busy machine and on an idle one. Compared with
what instructions.txt says; more than 3 % above it is a failure."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

from workload import Account
from page_server import PER_PAGE, Pages

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BASELINE = os.path.join(HERE, "instructions.txt")
MOST = 1.03
FEW, MANY = 2, 12   # rounds: what they differ by is rounds alone, without the start of the program
PATHS = [(stream, types) for stream in ("tickets", "messages") for types in ("staged", "typed")]


def compiler():
    return subprocess.run(["cc", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()[0]


def build(folder):
    program = os.path.join(folder, "bench_codec")
    # The code that is counted is what the preset `release` has compiled.
    subprocess.run(["cc", "-std=c17", "-D_POSIX_C_SOURCE=200809L", "-O2", f"-I{ROOT}/include", "-o", program,
                    os.path.join(HERE, "bench_codec.c"), f"{ROOT}/build/release/libgr_codec.a", f"{ROOT}/build/release/libgr_base.a"],
                   check=True)
    return program


def render(folder):
    pages = Pages(Account(tickets=PER_PAGE, messages=PER_PAGE)).lists
    for stream in ("tickets", "messages"):
        with open(os.path.join(folder, stream), "wb") as file:
            file.write(pages[f"/api/{stream}"][0].split(b"\r\n\r\n", 1)[1])


def count(program, folder, stream, types, rounds):
    done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/callgrind.out", program, stream,
                           os.path.join(folder, stream), types, str(rounds)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=300)
    found = re.search(r"Collected : (\d+)", done.stdout)
    if done.returncode or not found:
        sys.exit(f"bench: callgrind failed: {done.stdout[-600:]}")
    return int(found[1])


def measure():
    with tempfile.TemporaryDirectory(prefix="gr-bench-") as folder:
        program = build(folder)
        render(folder)
        for stream, types in PATHS:
            many, few = (count(program, folder, stream, types, rounds) for rounds in (MANY, FEW))
            yield f"{stream} {types}", round((many - few) / (MANY - FEW) / PER_PAGE)


def read():
    with open(BASELINE) as file:
        lines = [line.rstrip("\n") for line in file if line.strip()]
    return lines[0].removeprefix("# "), {name: int(number) for name, number in (line.rsplit(" ", 1) for line in lines[1:])}


def write(counts):
    with open(BASELINE, "w") as file:
        file.write(f"# {compiler()}\n" + "".join(f"{name} {number}\n" for name, number in counts.items()))


def compare(counts):
    known_compiler, known = read()
    print("| instructions for each row | committed | now | |\n|---|---:|---:|---:|")
    for name, number in counts.items():
        print(f"| {name} | {known[name]:,} | {number:,} | {number / known[name] - 1:+.1%} |")
    worse = [name for name, number in counts.items() if number > known[name] * MOST]
    if compiler() != known_compiler:
        print(f"bench: not judged: the committed numbers are of another compiler, {known_compiler}", file=sys.stderr)
        return 0
    if worse:
        print(f"bench: more than {MOST - 1:.0%} above tests/bench/instructions.txt: {', '.join(worse)}. If that is meant, "
              "scripts/bench --instructions --write", file=sys.stderr)
    return bool(worse)


def main(is_writing):
    if shutil.which("valgrind") is None:
        print("bench: skipped: no valgrind to count instructions with (apt-get install valgrind)", file=sys.stderr)
        return 0
    counts = dict(measure())
    if is_writing:
        write(counts)
    return compare(counts)
