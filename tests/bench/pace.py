"""How much of the allowance ours uses, second by second, against the simulator under the real limit and at the latency of an ocean."""

import math
import subprocess
import time
import types

from allowance import BURST, PER_S
from stage import Failed, Stage

LATENCY = "250ms"
MOMENTS = (1, 2, 5, 10, 20)   # seconds after the first request
REAL = {"requests": 40, "per": "20s"}
OTHER = 1.0                   # requests a second of another client: half of what the bucket leaks


def permitted(seconds):
    """Requests that the best client could have sent in that time: into an empty bucket, and then one for each that leaks."""
    return BURST + math.floor(seconds * PER_S)


class Paced:
    """One account, one warehouse, and runs whose requests are counted."""

    def __init__(self, stage, simulator):
        self.stage, self.simulator, self.database = stage, simulator, stage.warehouse.database()

    def command(self, **source):
        return self.stage.replicate(types.SimpleNamespace(url=self.simulator.url), self.database, ["*"], **source)

    def load(self):
        done = subprocess.run(self.command(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=300,
                              env=self.stage.environment())
        if done.returncode:
            raise Failed(f"the first copy ended with {done.returncode}: {done.stderr[-600:]}")
        self.simulator.random_changes(60, seed=1, over="2h")
        self.database.do("delete from _gorgias_replicate.rate_budget")   # what it has used is of a simulator without a limit

    def pace(self, other=0.0):
        """Requests up to each of the moments, or None from when the run was over; and how many were refused."""
        self.simulator.set(rate="40/20s", latency=LATENCY, other_client=other)
        self.simulator.clear_log()
        process = subprocess.Popen(self.command(rate=REAL), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.stage.environment())
        deadline = time.monotonic() + MOMENTS[-1] + 5
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        process.terminate()
        process.wait(30)
        log = self.simulator.log()
        times = [request["real"] - log[0]["real"] for request in log]
        counts = [sum(at <= moment for at in times) if moment <= times[-1] else None for moment in MOMENTS]
        return counts, sum(request["status"] == 429 for request in log)


def scenarios():
    from gorgias_sim import Simulator
    for what, tickets, is_loaded, other in (("first copy of all streams", 20_000, False, 0.0),
                                            ("60 changes, all streams", 3_000, True, 0.0),
                                            ("first copy, another client takes 1 a second", 20_000, False, OTHER)):
        with Stage() as stage, Simulator(seed=3, tickets=tickets, rate="off") as simulator:
            paced = Paced(stage, simulator)
            if is_loaded:
                paced.load()
            yield (what, other, *paced.pace(other))


def main():
    print(f"Requests within so many seconds of the first one, at {LATENCY} of latency; in brackets their part of what the bucket permits: "
          f"{BURST} at once and {PER_S} a second, less what the other client takes.\n")
    print("| | " + " | ".join(f"{moment} s" for moment in MOMENTS) + " | refused |\n|---|" + "---:|" * (len(MOMENTS) + 1), flush=True)
    for what, other, counts, refused in scenarios():
        cells = ["-" if count is None else f"{count} ({count / (permitted(moment) - math.floor(other * moment)):.2f})"
                 for count, moment in zip(counts, MOMENTS)]
        print(f"| {what} | " + " | ".join(cells) + f" | {refused} |", flush=True)
