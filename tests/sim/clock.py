"""Time: the simulator's clock, ISO-8601 in every form the API has been seen to write, and durations such as 250ms."""

import re
import time
from datetime import datetime, timedelta, timezone
from email.utils import formatdate

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MICROSECOND = timedelta(microseconds=1)
SECOND, MINUTE, HOUR, DAY = 1_000_000, 60_000_000, 3_600_000_000, 86_400_000_000

_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?")
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h|d)?")
_UNITS = {"us": 1, "ms": 1000, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY, None: SECOND}

FORMS = ("offset", "naive", "z", "space", "mixed")


def iso(us, form="offset"):
    """Python's isoformat, as the live API: the fraction is left out when it is zero."""
    text = (EPOCH + timedelta(microseconds=us)).isoformat()
    if form == "offset":
        return text
    if form == "mixed":
        form = FORMS[us // 7 % 4]
    if form == "naive":
        return text[:-6]
    if form == "z":
        return text[:-6] + "Z"
    return text.replace("T", " ") if form == "space" else text


def parse(text):
    """Microseconds since 1970. A value without an offset is UTC. ValueError for anything but a full date and time."""
    if not isinstance(text, str) or not _ISO.fullmatch(text):
        raise ValueError(f"not a datetime: {text!r}")
    # Short fractions are padded: fromisoformat wants three or six digits.
    moment = datetime.fromisoformat(re.sub(r"\.\d+", lambda m: m[0].ljust(7, "0"), text))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return (moment - EPOCH) // MICROSECOND


def duration(text):
    """'250ms', '2h', '7d' or a number of seconds, in microseconds."""
    if isinstance(text, (int, float)):
        return int(text * SECOND)
    match = _DURATION.fullmatch(text.strip())
    if not match:
        raise ValueError(f"not a duration: {text!r}")
    return int(float(match[1]) * _UNITS[match[2]])


class Clock:
    """Wall time plus an offset that tests may move; frozen, it stands still but for advance()."""

    def __init__(self, start=None, frozen=False):
        real = time.time_ns() // 1000
        self.offset = 0 if start is None else start - real
        self.stopped = real + self.offset if frozen else None
        self.last = 0

    def now(self):
        return self.stopped if self.stopped is not None else time.time_ns() // 1000 + self.offset

    def tick(self):
        """A moment later than every earlier tick: two changes never share one by accident."""
        self.last = max(self.now(), self.last + 1)
        return self.last

    def advance(self, us):
        self.offset += us
        if self.stopped is not None:
            self.stopped += us

    def date(self, skew=0):
        """The Date header."""
        return formatdate((self.now() + skew) / SECOND, usegmt=True)
