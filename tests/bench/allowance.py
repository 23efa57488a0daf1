"""Requests, and hours under the real limit, for tickets and messages by each tool's own pattern: computed, and for ours also measured
against the simulator. Only the two big streams: the others are a few pages each with everybody."""

import math
import subprocess
import sys
import types

from stage import Failed, Stage

PER_PAGE, BURST, PER_S = 100, 40, 2   # 40 requests in 20 s: a bucket of 40 that leaks 2 a second
PER_TICKET = 4
ACCOUNTS = (28_600, 1_000_000)
CHANGED = 0.02


def pages(rows):
    return max(1, math.ceil(rows / PER_PAGE))


def whole(rows):
    """Ours asks for a full last page twice, before it believes that it was the last."""
    return pages(rows) + (rows > 0 and rows % PER_PAGE == 0)


def span(requests):
    """Nobody can be faster, however many requests are in flight."""
    seconds = max(0, requests - BURST) / PER_S
    if seconds == 0:
        return "at once"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


# -- first copies

def lists(tickets, messages):
    # Two lists, a hundred rows a page.
    return pages(tickets) + pages(messages)


def ours_first(tickets, messages):
    # The same; the queue of tickets is settled by what the walk of messages has read, without a question.
    return whole(tickets) + whole(messages)


def each_ticket(tickets, messages):
    # The messages are those of a ticket, asked for once for every ticket that the list named.
    return pages(tickets) + tickets


# -- nightly runs: `changed` tickets since the last one, each with a new message at most, and `depth` messages created since the oldest
# of these tickets

def ours_nightly(changed, depth):
    # Both lists down to the bookmark; then every changed ticket's whole thread, so that edits and deletions show: ticket by ticket, or by
    # reading the list of messages once more down to where it covers the changed tickets, whichever is less.
    return pages(changed) + pages(changed) + min(changed, pages(depth))


def lists_nightly(changed, depth):
    # Both lists down to what is older than the last run. Messages that were edited or deleted later are not seen.
    return pages(changed) + pages(changed)


def each_changed(changed, depth):
    # The list of tickets down to the last run, and the messages of each ticket that it named.
    return pages(changed) + changed


# tool, first copy, nightly run, what its way does not see
TOOLS = (
    ("ours", ours_first, ours_nightly, "deletions of tickets, unless events are copied too"),
    # Its source asks /tickets by updated_datetime:desc and /messages by created_datetime:desc, 100 a page, at 2 requests a second, and
    # stops at the first page that is older than the interval.
    ("ingestr", lists, lists_nightly, "edits and deletions of messages, deletions of tickets"),
    # Its manifest reads both lists as data feeds, 100 a page, under a budget of 40 requests in 20 s.
    ("Airbyte source-gorgias", lists, lists_nightly, "edits and deletions of messages, deletions of tickets"),
    # Both public taps have messages as a child of tickets: /tickets/{id}/messages.
    ("Singer taps", each_ticket, each_changed, "deletions of tickets"),
    # Its documentation calls ticket_messages a child endpoint: one request for each ticket that the run's tickets stream has queued.
    ("Sling", each_ticket, each_changed, "deletions of tickets"),
)


def show(tickets):
    changed = round(tickets * CHANGED)
    everything, newest = tickets * PER_TICKET, changed * PER_TICKET
    for name, first, nightly, unseen in TOOLS:
        counts = (first(tickets, everything), nightly(changed, everything), nightly(changed, newest))
        print(f"| {tickets:,} | {name} | " + " | ".join(f"{count:,} | {span(count)}" for count in counts) + f" | {unseen} |")


# -- measured

class Small:
    """A small account in the simulator, and what ours asks of it."""

    def __init__(self, stage, simulator):
        self.stage, self.simulator, self.database = stage, simulator, stage.warehouse.database()
        self.messages = simulator.truth("ticket_messages")

    def run(self):
        # A change that is as old as the run could be seen by it or not.
        self.simulator.advance("1h")
        self.simulator.clear_log()
        command = self.stage.replicate(types.SimpleNamespace(url=self.simulator.url), self.database, ["tickets", "ticket_messages"])
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=300, env=self.stage.environment())
        if done.returncode:
            raise Failed(f"a run against the simulator ended with {done.returncode}: {done.stderr[-600:]}")
        return len(self.simulator.log())

    def change(self, tickets):
        """Returns how many messages the list has down to the oldest of the tickets."""
        self.simulator.advance("1h")
        for ticket in tickets:
            self.simulator.mutate("ticket_update", id=ticket["id"])
        since = min(ticket["created_datetime"] for ticket in tickets)
        return sum(message["created_datetime"] >= since for message in self.messages)


def measured():
    from gorgias_sim import Simulator
    with Stage() as stage, Simulator(seed=1, tickets=500, rate="off") as simulator:
        small = Small(stage, simulator)
        tickets = sorted(simulator.truth("tickets"), key=lambda ticket: ticket["created_datetime"])
        yield "first copy", ours_first(len(tickets), len(small.messages)), small.run()
        yield "nothing changed", ours_nightly(0, 0), small.run()
        for what, chosen in (("10 tickets of any age changed", tickets[::50]), ("50 tickets of any age changed", tickets[::10]),
                             ("the newest 50 tickets changed", tickets[-50:])):
            depth = small.change(chosen)
            yield what, ours_nightly(len(chosen), depth), small.run()
        print(f"\nThe account that was measured: {len(tickets)} tickets, {len(small.messages)} messages.")


def main():
    print(f"Tickets and {PER_TICKET} messages each; 40 requests in 20 s. Nightly: {CHANGED:.0%} of the tickets changed, spread over all "
          "ages, or the newest ones.\n")
    print("| tickets | tool | first copy: requests | time | nightly, any age: requests | time | nightly, the newest: requests | time | "
          "its way does not see |\n|---:|---|---:|---:|---:|---:|---:|---:|---|")
    for tickets in ACCOUNTS:
        show(tickets)
    print("\n| ours against the simulator | computed | measured |\n|---|---:|---:|", flush=True)
    off = 0
    for what, computed, found in measured():
        print(f"| {what} | {computed} | {found} |", flush=True)
        # A page more or less where a walk's last rows lie: its five minutes of lookback, or where a page of the list ends.
        off += abs(found - computed) > 2
    if off:
        print("bench: the formula of ours is not true any more", file=sys.stderr)
        sys.exit(1)
