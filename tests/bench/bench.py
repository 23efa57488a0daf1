#!/usr/bin/env python3
"""Ours, the floors, what people write by hand and the peers, measured in one run; see docs/performance.md.

    scripts/bench [--rows N] [--rounds R]     the table of speeds
    scripts/bench --requests                  the table of requests, computed, and measured against the simulator
    scripts/bench --pace                      the part of the allowance that is used, second by second, against the simulator
    scripts/bench --instructions [--write]    instructions for each row against the committed ones
    scripts/bench --install                   fetches the peers that pip and npm have into build/bench"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time

import allowance
import install
import instructions
import pace
from contestants import CONTESTANTS, Sizes
from stage import Database, Failed, Stage


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def machine(stage):
    with open("/proc/cpuinfo") as file:
        models = {line.split(":", 1)[1].strip() for line in file if line.startswith("model name")}
    version = subprocess.run([f"{stage.warehouse.programs}/postgres", "--version"], stdout=subprocess.PIPE, text=True).stdout.strip()
    return (f"{', '.join(models) or platform.machine()}, {os.cpu_count()} cores, {version}, Linux {platform.release()}; "
            f"load before the run {os.getloadavg()[0]:.1f}")


def prepare(stage, sizes):
    """Renders what the floors load, out of tables that ours has loaded, and a database with the same tables empty."""
    say("rendering the account, and the files of the floors")
    schema = "create schema gorgias;"
    for stream, api in (("tickets", stage.api(sizes.tickets)), ("ticket_messages", stage.messages(sizes.messages))):
        loaded = stage.warehouse.database()   # one for each: these are two accounts
        stage.measure(stage.replicate(api, loaded, [stream]), loaded, 1)
        for form in ("text", "binary"):
            path = os.path.join(stage.place, f"{stream}.{form}")
            stage.measure(stage.psql(loaded, f"\\copy gorgias.{stream} to '{path}' with (format {form})"), loaded, 1)
        schema += subprocess.run([f"{stage.warehouse.programs}/pg_dump", "-s", "-t", f"gorgias.{stream}", "-h", stage.warehouse.place, "-U",
                                  "postgres", loaded.name], stdout=subprocess.PIPE, text=True, check=True).stdout
        loaded.drop()
    shape = stage.warehouse.database()
    shape.do(schema)
    # By hand one would not have the columns that ours adds.
    shape.do("create schema hand; create table hand.tickets (like gorgias.tickets including all)")
    ours = shape.column("select attname from pg_attribute where attrelid = 'hand.tickets'::regclass and attname like '\\_%'")
    shape.do("alter table hand.tickets " + ", ".join(f'drop column "{name}"' for name in ours))
    Database(stage.warehouse, "postgres").do(f'alter database "{shape.name}" rename to "shape"')
    write_lines(stage, sizes.peer_tickets)


def write_lines(stage, rows):
    """The tickets as JSON lines, for a peer that reads files."""
    api, cursor = stage.api(rows), ""
    with open(os.path.join(stage.place, "tickets.jsonl"), "w") as file:
        while cursor is not None:
            page = api.get(f"/api/tickets?limit=100{cursor and '&cursor=' + cursor}")
            file.writelines(json.dumps(row) + "\n" for row in page["data"])
            cursor = page["meta"]["next_cursor"]


def play(stage, sizes, rounds, deadline, is_short):
    """name, stream -> one Took a round. Each round has everybody in it, each time in another order."""
    results, absent = {}, {}
    players = []
    for contestant in CONTESTANTS:
        if is_short and not contestant.names[0].startswith(("ours", "floor")):
            continue
        why = contestant.needs(stage)
        if why:
            absent[contestant.names[0]] = why
        else:
            players.append(contestant)
    for number in range(rounds):
        if time.monotonic() > deadline:
            say(f"time is over after {number} of {rounds} rounds")
            break
        turn = number % len(players)
        for contestant in players[turn:] + players[:turn]:
            if contestant.names[0] in absent:
                continue
            say(f"round {number + 1} of {rounds}: {contestant.stream}, {contestant.names[0]}")
            try:
                for name, took in zip(contestant.names, contestant.run(stage, sizes)):
                    results.setdefault((name, contestant.stream), {})[number] = took
            except Failed as error:
                absent[contestant.names[0]] = f"failed: {error}"
                if not contestant.is_peer:
                    raise
    return results, absent


def median(results, what):
    return statistics.median(what(took) for took in results.values())


def ratio(mine, others, what):
    """Of pairs within a round: what disturbs a round disturbs both."""
    pairs = [what(mine[number]) / what(others[number]) for number in mine if number in others]
    return statistics.median(pairs)


def show(results, absent):
    print("| stream | | rows | rows/s | least - most | of the binary floor | client CPU s | server CPU s | peak MB | requests | WAL MB |")
    print("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for (name, stream), rounds in sorted(results.items(), key=lambda item: item[0][1] != "tickets"):
        rates = [took.rate for took in rounds.values()]
        of_floor = ratio(rounds, results[("floor: \\copy binary", stream)], lambda took: took.rate)
        one = next(iter(rounds.values()))
        print(f"| {stream} | {name} | {one.rows:,} | {statistics.median(rates):,.0f} | {min(rates):,.0f} - {max(rates):,.0f} "
              f"| {of_floor:.2f} | {median(rounds, lambda t: t.cpu):.2f} | {median(rounds, lambda t: t.server_cpu):.2f} "
              f"| {median(rounds, lambda t: t.peak_mb):.1f} | {median(rounds, lambda t: t.requests):,.0f} "
              f"| {median(rounds, lambda t: t.wal_mb):,.1f} |")
    first, again = results[("ours: first load", "tickets")], results[("ours: again, none changed", "tickets")]
    print(f"\nThe run that finds nothing changed takes {ratio(again, first, lambda took: took.seconds):.2f} of the first load's time; "
          f"ours spends {median(first, lambda t: t.cpu / t.rows * 1e6):.1f} s of CPU per million tickets.")
    for name, why in absent.items():
        print(f"\nNot in the table, or not in all rounds: {name}: {why}")


def speeds(options):
    sizes = Sizes(options.rows, options.rows // 4, min(options.rows, options.peer_rows))
    with Stage() as stage:
        print(f"{machine(stage)}\n", flush=True)
        prepare(stage, sizes)
        results, absent = play(stage, sizes, options.rounds, time.monotonic() + options.minutes * 60, options.short)
        played = len(results[("ours: first load", "tickets")])
        print(f"Medians of {played} interleaved rounds; ratios are medians of pairs within a round. Load after the run "
              f"{os.getloadavg()[0]:.1f}.\n")
        show(results, absent)


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000, help="tickets; a quarter as many messages (default %(default)s)")
    parser.add_argument("--peer-rows", type=int, default=20_000, help="tickets for those that are much slower (default %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default %(default)s)")
    parser.add_argument("--minutes", type=float, default=60, help="after which no new round begins (default %(default)s)")
    parser.add_argument("--short", action="store_true", help="ours and the floors alone")
    parser.add_argument("--requests", action="store_true", help="the table of requests and hours")
    parser.add_argument("--pace", action="store_true", help="the table of the allowance's use")
    parser.add_argument("--instructions", action="store_true", help="instructions for each row, under valgrind")
    parser.add_argument("--write", action="store_true", help="with --instructions: make these the committed ones")
    parser.add_argument("--install", action="store_true", help="fetch peers into build/bench")
    options = parser.parse_args()
    if options.rows < 100 or options.rounds < 1 or options.peer_rows < 100:
        parser.error("--rows and --peer-rows must be 100 at least, --rounds 1")
    if options.install:
        install.main()
    elif options.requests:
        allowance.main()
    elif options.pace:
        pace.main()
    elif options.instructions:
        sys.exit(instructions.main(options.write))
    else:
        speeds(options)


if __name__ == "__main__":
    try:
        main()
    except Failed as error:
        sys.exit(f"bench: {error}")
