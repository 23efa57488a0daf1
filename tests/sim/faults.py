"""The fault vocabulary, and the rules that say when a fault or a change happens."""

import fnmatch
import gzip
import inspect
import json
from dataclasses import dataclass
from random import Random

import clock

# name -> (one line of help, function). A function takes the reply and the fault's arguments and spoils the reply.
FAULTS = {}
# Faults that act on the request, before the list is read.
EARLY = ("ignore-order", "expired-cursor", "shrunk-page", "overlap")


class BadRule(ValueError):
    pass


def fault(name, help):
    def register(function):
        FAULTS[name] = (help, function)
        return function
    return register


def _status(code, default_type, default_body):
    def spoil(reply, body=None, headers=None):
        kind = default_type if body is None or not str(body).startswith("<") else "text/html"
        reply.replace(code, default_body if body is None else str(body).encode(), kind)
        for name, value in (headers or {}).items():
            reply.headers[name] = str(value)
    return spoil


def _error(text):
    return json.dumps({"error": {"msg": text}}).encode()


def _html(code, text):
    return f"<html><head><title>{code} {text}</title></head><body><center><h1>{code} {text}</h1></center></body></html>".encode()


for _code, _text in ((400, "Bad request."), (401, "Unauthorized."), (403, "You do not have permission to do this."),
                     (404, "Resource not found."), (408, "Request timeout."), (409, "The resource already exists."), (425, "Too early."),
                     (500, "Internal error."),
                     (503, "An external service had an issue.")):
    fault(str(_code), f"status {_code} with the API's JSON body (args: body, headers)")(_status(_code, "application/json", _error(_text)))
for _code, _text in ((500, "Internal Server Error"), (502, "Bad Gateway"), (503, "Service Unavailable"), (504, "Gateway Timeout"),
                     (520, "Web Server Returned an Unknown Error"), (521, "Web Server Is Down"), (522, "Connection Timed Out"),
                     (523, "Origin Is Unreachable"), (524, "A Timeout Occurred")):
    _name = f"{_code}-html" if _code in (500, 503) else str(_code)
    fault(_name, f"status {_code} with an HTML page (args: body, headers)")(_status(_code, "text/html", _html(_code, _text)))


@fault("429", "rate limited (args: retry_after, seconds or any text, default 1; body: json, html, empty)")
def too_many(reply, retry_after=1, body="json"):
    too_many_body(reply, body)
    if retry_after is not None:
        reply.headers["Retry-after"] = str(retry_after)


def too_many_body(reply, body):
    kinds = {"json": (_error("Too many requests."), "application/json"), "html": (_html(429, "Too Many Requests"), "text/html"), "empty": (b"", None)}
    reply.replace(429, *kinds[body])


@fault("429-no-retry", "rate limited, without Retry-after (args: body)")
def too_many_silent(reply, body="json"):
    too_many(reply, None, body)


@fault("429-date", "rate limited, with a date for Retry-after (args: by, the time until then, default 1s)")
def too_many_until(reply, by="1s"):
    too_many(reply, None)
    reply.retry_by = clock.duration(by)


@fault("redirect", "302 to another host (args: to, code)")
def redirect(reply, to="http://elsewhere.invalid", code=302):
    reply.replace(code, b"", None)
    reply.headers["Location"] = to + reply.target


@fault("truncated", "the body ends early and the connection closes (args: keep, the share that is sent, default 0.5)")
def truncated(reply, keep=0.5):
    reply.wire = ("cut", keep)


@fault("reset-before", "the connection is reset before a byte of the answer")
def reset_before(reply):
    reply.wire = ("reset", None)


@fault("reset-mid", "the connection is reset in the middle of the body (args: keep)")
def reset_mid(reply, keep=0.5):
    reply.wire = ("reset", keep)


@fault("closed", "the connection is closed in good order instead of an answer")
def closed(reply):
    reply.wire = ("close", None)


@fault("gone", "the server goes away: all connections are reset, new ones refused (args: time, default 2s), and then it is back")
def gone(reply, time="2s"):
    reply.wire = ("gone", clock.duration(time) / clock.SECOND)


@fault("old-http", "HTTP/1.0 without a length: the close of the connection ends the body (args: keep, the share that is sent, default 1)")
def old_http(reply, keep=1.0):
    reply.wire = ("old", keep)


@fault("slow", "the answer drips (args: bytes per drop, default 64; every, default 50ms)")
def slow(reply, bytes=64, every="50ms"):
    reply.wire = ("drip", bytes, clock.duration(every) / clock.SECOND)


@fault("stall", "half of the answer, then silence (args: keep; time, default 1h; 0 for keep: not even headers)")
def stall(reply, keep=0.5, time="1h"):
    reply.wire = ("stall", keep, clock.duration(time) / clock.SECOND)


@fault("wrong-length", "Content-Length differs from the body (args: by, default -10)")
def wrong_length(reply, by=-10):
    reply.wire = ("length", by)


@fault("chunked", "no fault: chunked transfer encoding, which every client must read (args: size)")
def chunked(reply, size=1000):
    reply.wire = ("chunked", size, False)


@fault("chunked-cut", "chunked, and closed before the last chunk (args: size)")
def chunked_cut(reply, size=1000):
    reply.wire = ("chunked", size, True)


@fault("garbled", "status 200, and a body that is not JSON (args: body)")
def garbled(reply, body='{"object":"list","data":[{"id":1,"subject":"tr\x00\x01\ufffd'):
    reply.replace(200, body.encode(), "application/json")


@fault("empty-body", "status 200, and no body at all")
def empty_body(reply):
    reply.replace(200, b"", "application/json")


@fault("no-content", "status 204")
def no_content(reply):
    reply.replace(204, b"", None)


@fault("two-documents", "the right JSON, twice")
def two_documents(reply):
    reply.finish()
    reply.body *= 2


@fault("trailing", "the right JSON with something behind it (args: text)")
def trailing(reply, text="\r\n<!-- cached -->"):
    reply.finish()
    reply.body += text.encode()


@fault("json-string", "a body that is JSON, but a string")
def json_string(reply):
    reply.replace(200, b'"maintenance"', "application/json")


@fault("gzip-cut", "Content-Encoding gzip, and only a part of it (args: keep)")
def gzip_cut(reply, keep=0.5):
    reply.finish()
    reply.body = gzip.compress(reply.body)
    reply.body = reply.body[:int(len(reply.body) * keep)]
    reply.headers["Content-Encoding"] = "gzip"


@fault("gzip-garbled", "Content-Encoding gzip, and bytes that are no such thing")
def gzip_garbled(reply):
    reply.finish()
    reply.body = bytes(byte ^ 0x55 for byte in gzip.compress(reply.body))
    reply.headers["Content-Encoding"] = "gzip"


@fault("stale", "what a proxy has kept: the last answer to another request for the same list, or for another object of it")
def stale(reply):
    if reply.kept:
        reply.replace(200, reply.kept, "application/json")


@fault("html-200", "status 200 with an HTML page")
def html_200(reply):
    reply.replace(200, b"<!doctype html><html><body>We are down for maintenance</body></html>", "text/html")


@fault("html-type", "the right JSON under Content-Type text/html")
def html_type(reply):
    reply.headers["Content-Type"] = "text/html; charset=utf-8"


@fault("bad-utf8", "the right JSON with bytes in a string that are not UTF-8")
def bad_utf8(reply):
    reply.finish()
    reply.body = reply.body.replace(b'"', b'"\xff\xc3\x28": 1, "', 1) if reply.body.startswith(b"{") else reply.body + b"\xff"


@fault("deep", "a body nested deeper than any parser should follow (args: levels)")
def deep(reply, levels=200_000):
    reply.replace(200, b'{"object":"list","data":' + b"[" * levels + b"]" * levels + b"}", "application/json")


@fault("huge", "a valid body of many bytes (args: bytes, default 64000000)")
def huge(reply, bytes=64_000_000):
    reply.finish()
    reply.body += b" " * max(0, bytes - len(reply.body))


@fault("null-data", "\"data\": null")
def null_data(reply):
    reply.rows = None


@fault("missing-data", "an envelope without \"data\"")
def missing_data(reply):
    reply.without = "data"


@fault("missing-meta", "an envelope without \"meta\"")
def missing_meta(reply):
    reply.without = "meta"


@fault("bare-array", "the page as a bare array, without an envelope")
def bare_array(reply):
    reply.bare = True


@fault("empty-page", "no rows, and a new cursor to where the page would have begun")
def empty_page(reply):
    if reply.mint:
        reply.rows, reply.next_cursor = [], reply.mint(reply.start, reply.number)


@fault("repeated-cursor", "next_cursor is the cursor that was sent: a loop")
def repeated_cursor(reply):
    if reply.mint:
        reply.next_cursor = reply.cursor or reply.mint(None, reply.number)


@fault("early-end", "next_cursor is null although rows follow: nothing shows it")
def early_end(reply):
    reply.next_cursor = None


@fault("bad-next", "next_cursor is a cursor that the next request gets 400 for")
def bad_next(reply):
    reply.next_cursor = "WyJuZXh0IiwgbnVsbCwgMF0="


@fault("next-type", "next_cursor is no text (args: value, default 7)")
def next_type(reply, value=7):
    reply.next_cursor = value


@fault("swapped", "two neighbours of the page in the wrong order (args: at)")
def swapped(reply, at=0):
    if reply.rows and len(reply.rows) > at + 1:
        reply.rows = reply.rows[:at] + [reply.rows[at + 1], reply.rows[at]] + reply.rows[at + 2:]


@fault("reversed", "the page's rows in the opposite order")
def reversed_rows(reply):
    if reply.rows:
        reply.rows = reply.rows[::-1]


@fault("shuffled", "the page's rows in random order (args: seed)")
def shuffled(reply, seed=1):
    if reply.rows:
        Random(seed).shuffle(reply.rows)


@fault("duplicated", "the page's first row once more at its end")
def duplicated(reply):
    if reply.rows:
        reply.rows = reply.rows + reply.rows[:1]


@fault("shrunk-page", "fewer rows than asked for although more follow (args: rows, default 1); the cursor is right")
def shrunk_page(query, rows=1):
    query.limit = min(query.limit, rows)


@fault("overlap", "the page begins with rows of the page before (args: rows, default 1)")
def overlap(query, rows=1):
    query.overlap = rows


@fault("ignore-order", "the list in another order than asked for: the opposite one (args: order_by)")
def ignore_order(query, order_by=None):
    if order_by:
        query.order, query.descending = query.endpoint.order(order_by)
    else:
        query.descending = not query.descending


@fault("expired-cursor", "a request with a cursor gets 400")
def expired_cursor(query):
    if query.cursor:
        query.refuse("cursor", "The cursor has expired.")


@fault("no-date", "no Date header")
def no_date(reply):
    reply.date = False


@fault("skewed-date", "the Date header is off (args: by, default 3h; may begin with -)")
def skewed_date(reply, by="3h"):
    reply.skew = -clock.duration(by[1:]) if str(by).startswith("-") else clock.duration(by)


@fault("no-limit-header", "no X-Gorgias-Account-Api-Call-Limit header")
def no_limit_header(reply):
    reply.call_limit = None


@fault("call-limit", "another X-Gorgias-Account-Api-Call-Limit (args: value)")
def call_limit(reply, value="39/40"):
    reply.call_limit = value


@fault("header-flood", "many long headers (args: count)")
def header_flood(reply, count=2000):
    for n in range(count):
        reply.headers[f"X-Filler-{n}"] = "x" * 100


def listing():
    """The table for --list-faults."""
    return "\n".join(f"{name:16} {help}" for name, (help, _) in sorted(FAULTS.items()))


@dataclass
class Rule:
    """When a request to a path that matches (fnmatch, such as /api/tickets or /api/*) comes for the `request`-th time, and `times`
    times from then on (None: for ever; with `every`: each every-th), with `probability`: the fault happens, or the change afterwards."""

    match: str = "/api/*"
    query: str = ""             # only requests whose query contains this
    request: int = 1
    times: int = 1
    every: int = 1
    probability: float = 1.0
    fault: str = None
    args: dict = None
    mutate: object = None       # {"kind": ..., ...} or a list of them
    random: dict = None         # {"n": .., "seed": ..}
    advance: str = None
    settings: dict = None
    seen: int = 0
    fired: int = 0

    @classmethod
    def of(cls, given):
        given = dict(given)
        times = given.get("times", 1)
        if times in ("forever", "for ever", -1):
            given["times"] = None
        try:
            rule = cls(**given)
        except TypeError as error:
            raise BadRule(str(error)) from None
        if rule.fault is None and not (rule.mutate or rule.random or rule.advance or rule.settings):
            raise BadRule("a rule needs one of: fault, mutate, random, advance, settings")
        if rule.fault is not None and rule.fault not in FAULTS:
            raise BadRule(f"no such fault: {rule.fault} (--list-faults shows all)")
        if rule.fault is not None:
            try:
                inspect.signature(FAULTS[rule.fault][1]).bind(None, **(rule.args or {}))
            except TypeError as error:
                raise BadRule(f"{rule.fault}: {error}") from None
        rule.match = rule.match.rstrip("/") or "/"
        return rule

    def matches(self, path, query, rng):
        if not fnmatch.fnmatchcase(path, self.match) or self.query not in query:
            return False
        self.seen += 1
        since = self.seen - self.request
        if since < 0 or since % self.every or self.times is not None and self.fired >= self.times:
            return False
        if self.probability < 1 and rng.random() >= self.probability:
            return False
        self.fired += 1
        return True


class Faults:
    """The rules in force."""

    def __init__(self, seed=1):
        self.rules, self.rng = [], Random(seed)

    def add(self, rules):
        new = [Rule.of(rule) for rule in (rules if isinstance(rules, list) else [rules])]
        self.rules.extend(new)
        return len(new)

    def clear(self):
        self.rules = []

    def firing(self, path, query):
        """The rules that this request fires. Every rule counts its own requests, so all are asked."""
        return [rule for rule in self.rules if rule.matches(path, query, self.rng)]
