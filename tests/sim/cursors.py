"""Cursors as the API writes them: base64 of a JSON list of direction, sort value(s) and id. They are remembered as they are minted,
so that a foreign, an expired or a misused one is told apart."""

import base64
import json
from collections import OrderedDict

import clock
from shelf import NULL_NUMBER, NULL_TEXT


class BadCursor(ValueError):
    pass


def _shown(order, value):
    if value in (NULL_NUMBER, NULL_TEXT):
        return None
    return clock.iso(value, "naive") if order.endswith("_datetime") else value


class Cursors:
    KEPT = 500_000

    def __init__(self, clock, ttl):
        self.clock, self.ttl, self.strict = clock, ttl, True
        self.minted = OrderedDict()   # cursor -> {signature: (moment, direction, position)}

    def mint(self, signature, direction, order, position, nonce=None):
        """A cursor for what lies beyond the position (value, id); None is the list's very beginning."""
        parts = [direction]
        if position is None:
            parts.append(None)
        else:
            value, id = position
            parts += [_shown(o, v) for o, v in zip(order.split(","), value)] if isinstance(value, tuple) else [_shown(order, value)]
            parts.append(id)
        if nonce is not None:
            parts.append(nonce)
        text = base64.b64encode(json.dumps(parts).encode()).decode()
        # The same row may be the edge of pages of several requests.
        self.minted.setdefault(text, {})[signature] = (self.clock.now(), direction, position)
        if len(self.minted) > self.KEPT:
            self.minted.popitem(last=False)
        return text

    def redeem(self, text, signature):
        """(direction, position) of a cursor, or BadCursor with the reason."""
        try:
            json.loads(base64.b64decode(text, validate=True))
        except ValueError:
            raise BadCursor("Invalid cursor.") from None
        known = self.minted.get(text)
        if known is None:
            raise BadCursor("Unknown cursor.")
        if signature not in known and self.strict:
            raise BadCursor("The cursor belongs to a request with other parameters.")
        moment, direction, position = known.get(signature) or next(iter(known.values()))
        if self.clock.now() - moment > self.ttl:
            raise BadCursor("The cursor has expired.")
        return direction, position


def shown(text):
    """What a cursor says, for the log; None when it says nothing."""
    try:
        return json.loads(base64.b64decode(text, validate=True))
    except ValueError:
        return None
