#!/usr/bin/env python3
"""Kills runs, cuts their connections and crashes their PostgreSQL at any message that they send to it, and looks at what is left.

    crash.py --all                             every point of every scenario, killed and cut, before and after: hours
    crash.py --points 200 --seed 7             as many of each scenario, drawn by a seed
    crash.py --scenario first-load --point 812 --action kill-after     one of them again, as a failure says
    crash.py --minutes 20 ...                  no more points after this time

Exit 1 if a point was not as it should be; each is named with the command that does it again. GR_BINARY says which program."""

import argparse
import random
import sys
import time

from points import interesting
from world import ACTIONS, SCENARIOS, Durable, World


class Crashed(World):
    SERVER = staticmethod(lambda: Crashed.server_kind())
    server_kind = staticmethod(World.SERVER)

    def runTest(self):
        pass


def attempts_of(world, options):
    """The points and actions that were asked for."""
    actions = [options.action] if options.action else [action for action in ACTIONS if options.crash == action.startswith("crash")]
    if options.point:
        return [(options.point, action) for action in actions]
    points = world.points if options.every else interesting(world.points)
    attempts = [(point, action) for point in points for action in actions]
    if options.points:
        random.Random(options.seed).shuffle(attempts)
        attempts = attempts[:options.points]
    return attempts


def try_scenario(scenario, options, deadline):
    """(points tried, failures)"""
    world, tried, failures = Crashed(), 0, 0
    world.setUp()
    try:
        world.prepare(scenario)
        attempts = attempts_of(world, options)
        print(f"{scenario}: {len(world.points)} messages, {len(attempts)} attempts", flush=True)
        for point, action in attempts:
            if time.monotonic() > deadline:
                break
            tried += 1
            try:
                world.try_point(point, action)
            except AssertionError as error:
                failures += 1
                print(f"FAILED {error}\n", flush=True)
    finally:
        world.doCleanups()
    return tried, failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="all points that change anything")
    parser.add_argument("--every", action="store_true", help="with --all: the messages as well that change nothing by themselves")
    parser.add_argument("--scenario", choices=SCENARIOS, help="this one alone")
    parser.add_argument("--action", choices=ACTIONS, help="this one alone")
    parser.add_argument("--crash", action="store_true", help="crash PostgreSQL instead of killing and cutting")
    parser.add_argument("--point", type=int, help="the number of a message")
    parser.add_argument("--points", type=int, help="how many attempts of each scenario")
    parser.add_argument("--seed", type=int, default=1, help="of the choice (default 1)")
    parser.add_argument("--minutes", type=float, default=1e6, help="begin nothing more after this time")
    options = parser.parse_args()
    if not (options.all or options.points or options.point):
        parser.error("one of --all, --points and --point")
    if options.point and not (options.scenario and options.action):
        parser.error("--point needs --scenario and --action")
    if options.action and options.action.startswith("crash"):
        options.crash = True
    if options.crash:
        Crashed.server_kind = staticmethod(Durable)
    scenarios = [options.scenario] if options.scenario else list(SCENARIOS)
    began = time.monotonic()
    tried = failures = 0
    for i, scenario in enumerate(scenarios):
        # Each scenario has its share of the time.
        some, bad = try_scenario(scenario, options, began + options.minutes * 60 * (i + 1) / len(scenarios))
        tried, failures = tried + some, failures + bad
    print(f"{tried} attempts, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
