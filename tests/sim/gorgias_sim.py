#!/usr/bin/env python3
"""A simulator of the Gorgias API. See README.md beside this file."""

import argparse
import asyncio
import gc
import json
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import clock  # noqa: E402
import faults  # noqa: E402
from settings import SETTINGS  # noqa: E402
from simulator import Simulator  # noqa: E402

__all__ = ["Simulator"]

# option -> (type, default, help): the size and the nature of the account
ACCOUNT = {
    "seed": (int, 1, "the same seed and --now make the same account"),
    "tickets": (int, 200, "tickets"),
    "customers": (int, None, "customers; default a third of the tickets"),
    "messages-per-ticket": (float, 4.0, "mean number of messages of a ticket"),
    "days": (int, 365, "age of the oldest ticket"),
    "users": (int, 12, "users"),
    "teams": (int, 4, "teams"),
    "tags": (int, 25, "tags"),
    "macros": (int, 30, "macros"),
    "rules": (int, 8, "rules"),
    "custom-fields": (int, 9, "custom fields"),
    "views": (int, 8, "views"),
    "integrations": (int, 8, "integrations"),
    "body-bytes": (int, 0, "extra length of each message's body"),
}


def arguments(argv=None):
    parser = argparse.ArgumentParser(prog="gorgias_sim.py", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--port-file", metavar="PATH", help="gets the port as soon as it listens")
    parser.add_argument("--scenario", metavar="PATH", help='JSON: rules, or {"rules": [...], "settings": {...}}')
    parser.add_argument("--list-faults", action="store_true", help="print the fault vocabulary")
    parser.add_argument("--now", metavar="DATETIME", help="where the simulator's clock starts; default now")
    parser.add_argument("--frozen", action="store_true", help="the clock moves only by /_sim/clock")
    parser.add_argument("--warm", action="store_true", help="render every object before listening, for benchmarks")
    parser.add_argument("--hostile", action="store_true", help="sprinkle values that break careless readers")
    parser.add_argument("--old-fields", action="store_true", help="tickets carry `requester`, as the API's older versions do")
    parser.add_argument("--datetimes", choices=clock.FORMS, default="offset", help="how datetimes are written")
    account = parser.add_argument_group("the account")
    for name, (kind, default, help) in ACCOUNT.items():
        account.add_argument(f"--{name}", type=kind, default=default, metavar="N", help=f"{help}" + (f" ({default})" if default is not None else ""))
    switches = parser.add_argument_group("settings, also to be changed by POST /_sim/settings")
    for name, (default, help) in SETTINGS.items():
        option = "--" + name.replace("_", "-")
        if isinstance(default, bool):
            switches.add_argument(option, action=argparse.BooleanOptionalAction, default=default, help=help)
        else:
            switches.add_argument(option, type=type(default), default=default, metavar="X", help=f"{help} ({default})" if default != "" else help)
    return parser.parse_args(argv)


async def serve(simulator, port_file):
    loop, server = asyncio.get_running_loop(), simulator.server
    running = asyncio.ensure_future(server.serve())
    await asyncio.sleep(0)   # lets it set itself up
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stopping.set)
    if port_file:
        # Written aside and renamed: whoever waits for the file never reads half a number.
        with open(port_file + ".new", "w") as file:
            file.write(f"{simulator.port}\n")
        os.replace(port_file + ".new", port_file)
    rows = sum(len(shelf) for shelf in simulator.account.shelves.values())
    print(f"gorgias-sim: {simulator.url}, {rows} objects", file=sys.stderr, flush=True)
    await running


def main(argv=None):
    options = vars(arguments(argv))
    if options.pop("list_faults"):
        print(faults.listing())
        return 0
    port_file, scenario = options.pop("port_file"), options.pop("scenario")
    try:
        if scenario:
            with open(scenario) as file:
                scenario = json.load(file)
        gc.disable()   # millions of small objects are made, and none is garbage
        simulator = Simulator(scenario=scenario, **options)
        gc.freeze()
        gc.enable()
    except (OSError, ValueError, faults.BadRule) as error:
        print(f"gorgias_sim.py: {error}", file=sys.stderr)
        return 2
    try:
        asyncio.run(serve(simulator, port_file))
    finally:
        if port_file and os.path.exists(port_file):
            os.remove(port_file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
