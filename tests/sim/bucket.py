"""The leaky bucket that limits the account's requests."""

import math
import re
import time

from clock import SECOND, duration


class Bucket:
    """Holds `limit` requests and drains `limit` every `per` seconds. Runs on real time: the client waits in real time."""

    def __init__(self, limit=40, per=20.0, now=time.monotonic):
        self.limit, self.per, self.now = limit, per, now
        self.level, self.other, self.refused, self.taken = 0.0, 0.0, 0, 0
        self.seen = now()

    @classmethod
    def parse(cls, text, **options):
        """'40/20s', or 'off' for a bucket that is never full."""
        if text == "off":
            return cls(limit=0, **options)
        match = re.fullmatch(r"(\d+)/(\S+)", text)
        if not match or int(match[1]) < 1 or duration(match[2]) <= 0:
            raise ValueError(f"not a rate: {text!r} (40/20s, or off)")
        return cls(int(match[1]), duration(match[2]) / SECOND, **options)

    def _settle(self):
        """Drain what time has drained. Another client's share, in requests a second, drips in meanwhile."""
        now = self.now()
        if self.limit:
            net = self.limit / self.per - self.other
            self.level = min(max(self.level - net * (now - self.seen), 0.0), float(self.limit))
        self.seen = now

    def take(self):
        """None when there was room, else the whole seconds to wait."""
        self._settle()
        # A billionth of slack: after exactly the announced wait, rounding must not refuse.
        if self.limit and self.level + 1 > self.limit + 1e-9:
            self.refused += 1
            return max(1, math.ceil((self.level + 1 - self.limit) * self.per / self.limit))
        self.level += 1
        self.taken += 1
        return None

    def eat(self, requests):
        """Another client's burst."""
        self._settle()
        self.level = min(self.level + requests, float(self.limit or self.level))

    def header(self):
        self._settle()
        if not self.limit:
            return "0/1000000"
        return f"{min(math.ceil(self.level), self.limit)}/{self.limit}"
