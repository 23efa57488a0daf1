"""The simulator as a whole: who is let in, what is counted, what is logged, and the remote control."""

import json
import random
import threading
import time
from collections import Counter, deque
from fnmatch import fnmatchcase
from urllib.parse import parse_qs

import clock
import settings as switches
from account import STREAMS, Account
from api import Api
from bucket import Bucket
from changes import Changes, Nothing
from clock import Clock
from cursors import Cursors, shown
from faults import EARLY, FAULTS, BadRule, Faults, too_many_body
from oauth import Doorkeeper
from reply import Reply
from server import Server

NOT_FOUND_PAGE = (b"<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>The requested URL was not found "
                  b"on the server. If you entered the URL manually please check your spelling and try again.</p>\n")


class Simulator:
    """`with Simulator(seed=1, tickets=50) as sim:` serves on sim.url until the block is left.

    Keywords: those of Population (population.py), those of settings.py, and host, port, now (ISO-8601), frozen, warm, scenario (rules,
    see faults.py)."""

    LOG = 500_000   # requests to remember

    def __init__(self, *, host="127.0.0.1", port=0, now=None, frozen=False, warm=False, scenario=None, **options):
        given = {name: options.pop(name) for name in list(options) if name in switches.SETTINGS}
        self.lock = threading.RLock()
        self.clock = Clock(clock.parse(now) if isinstance(now, str) else now, frozen)
        self.settings = switches.Settings()
        self.settings.update(given)
        self.cursors = Cursors(self.clock, clock.duration(self.settings.cursor_ttl))
        self.doorkeeper = Doorkeeper(self.clock, self.settings)
        self.account = Account(self.clock, **options)
        if warm:
            self.account.warm()
        self.changes = Changes(self.account, self.settings)
        self.api = Api(self.account, self.settings, self.cursors)
        self.faults = Faults(self.account.population.seed)
        self.requests, self.counts, self.number = deque(maxlen=self.LOG), Counter(), 0
        self.settings.listeners.append(self._switched)
        self._switched(switches.SETTINGS)   # everything once
        if isinstance(scenario, dict):
            self.settings.update(scenario.get("settings", {}))
            scenario = scenario.get("rules", [])
        if scenario:
            self.faults.add(scenario)
        self.server = Server(self, host, port)

    # -- running

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.stop()

    @property
    def port(self):
        return self.server.port

    @property
    def url(self):
        return f"http://{self.server.host}:{self.server.port}"

    # -- the remote control, in-process

    def mutate(self, kind, **arguments):
        """One change (changes.py); returns what it touched, such as {"id": 7}."""
        with self.lock:
            return self.changes.mutate(kind, **arguments)

    def random_changes(self, n, seed=1, over=None):
        with self.lock:
            return self.changes.random_changes(n, seed, over)

    def truth(self, stream):
        """All objects of a stream as they are now, parsed."""
        return json.loads(self.truth_bytes(stream))

    def truth_bytes(self, stream):
        with self.lock:
            return b"[" + b",".join(self.account.truth(stream)) + b"]"

    def add_faults(self, *rules):
        with self.lock:
            return self.faults.add(list(rules))

    def clear_faults(self):
        with self.lock:
            self.faults.clear()

    def log(self):
        with self.lock:
            return list(self.requests)

    def clear_log(self):
        with self.lock:
            self.requests.clear()
            self.counts.clear()

    def stats(self):
        with self.lock:
            by_path, by_status = Counter(), Counter()
            for (path, status), n in self.counts.items():
                by_path[path] += n
                by_status[str(status)] += n
            return {"requests": sum(by_path.values()), "by_path": by_path, "by_status": by_status,
                    "by_path_and_status": {f"{path} {status}": n for (path, status), n in self.counts.items()},
                    "429": by_status["429"],
                    "bucket": {name: {"used": bucket.header(), "taken": bucket.taken, "refused": bucket.refused}
                               for name, bucket in self.buckets.items()},
                    "rows": {name: len(shelf) for name, shelf in self.account.shelves.items()}}

    def advance(self, by):
        with self.lock:
            self.clock.advance(clock.duration(by))

    def set(self, **given):
        with self.lock:
            self.settings.update(given)

    def token(self, life=None):
        """A fresh OAuth2 access token."""
        with self.lock:
            return self.doorkeeper.grant(life)

    # -- settings that need more than being noted

    def _switched(self, given):
        s = self.settings
        if "rate" in given or "oauth_rate" in given:
            self.buckets = {"key": Bucket.parse(s.rate), "oauth": Bucket.parse(s.oauth_rate)}
        for bucket in self.buckets.values():
            bucket.header()   # what was, drains at the old pace
            bucket.other = s.other_client
            if given.get("eat"):
                bucket.eat(s.eat)
        self.cursors.ttl = clock.duration(s.cursor_ttl)
        self.cursors.strict = s.cursor_params == "strict"
        self._delay = switches.span(s.latency)

    def delay(self, request):
        """Seconds to wait before answering."""
        low, high = self._delay
        return 0 if request.path.startswith("/_sim") else low if low == high else random.uniform(low, high)

    # -- requests

    def answer(self, request):
        """Called by the server for each request; everything happens under one lock, so changes fall between requests."""
        with self.lock:
            if request.path == "/_sim" or request.path.startswith("/_sim/"):
                return self._control(request)
            reply, fired = self._public(request)
            reply.finish()
            if reply.call_limit is None and "no-limit-header" not in fired:
                reply.call_limit = self.buckets[request.client or "key"].header()
            self._note(request, reply, fired)
            return reply

    def _public(self, request):
        if request.path == "/oauth/token":
            return self._token(request)
        if request.path != "/api" and not request.path.startswith("/api/"):
            return Reply(request.target, 404, NOT_FOUND_PAGE, "text/html; charset=utf-8"), []
        request.client = self.doorkeeper.admit(request.headers)
        if request.client is None:
            return Reply.error(request.target, 401, "Unauthorized."), []
        wait = self.buckets[request.client].take()
        if wait is not None:
            reply = Reply(request.target)
            too_many_body(reply, self.settings.body_429)
            reply.headers["Retry-after"] = str(wait)
            return reply, []
        if any(fnmatchcase(request.path, pattern.strip()) for pattern in self.settings.forbid.split(",") if pattern.strip()):
            return Reply.error(request.target, 403, "You do not have permission to do this."), []
        rules = self.faults.firing(request.path, request.query)
        reply = self.api.answer(request, [(rule.fault, rule.args) for rule in rules if rule.fault])
        for rule in rules:   # the page has been read; now the account may move
            self._act(rule)
        return reply, [rule.fault for rule in rules if rule.fault]

    def _token(self, request):
        """The token endpoint has no bucket. What a gateway answers in its place has not reached it: no token rotates."""
        rules = self.faults.firing(request.path, request.query)
        names = [rule.fault for rule in rules if rule.fault and rule.fault not in EARLY]
        stays = any(name[:3].isdigit() for name in names)
        reply = Reply(request.target) if stays else self.doorkeeper.token(request)
        for rule in rules:
            if rule.fault in names:
                FAULTS[rule.fault][1](reply, **(rule.args or {}))
            self._act(rule)
        return reply, names

    def _act(self, rule):
        """What a scenario lets happen after the request. A change that finds nothing to change is no error."""
        for change in rule.mutate if isinstance(rule.mutate, list) else [rule.mutate] if rule.mutate else []:
            try:
                self.changes.mutate(**change)
            except Nothing:
                pass
        if rule.random:
            self.changes.random_changes(**rule.random)
        if rule.advance:
            self.clock.advance(clock.duration(rule.advance))
        if rule.settings:
            self.settings.update(rule.settings)

    def _note(self, request, reply, fired):
        self.number += 1
        self.counts[request.path, reply.status] += 1
        cursor = parse_qs(request.query).get("cursor")
        self.requests.append({
            "n": self.number, "time": clock.iso(self.clock.now()), "real": time.monotonic(), "method": request.method, "path": request.path,
            "query": request.query, "status": reply.status, "bytes": len(reply.body), "cursor": shown(cursor[0]) if cursor else None,
            "user_agent": request.headers.get("user-agent"), "faults": fired, "connection": request.connection})

    # -- the remote control, over HTTP

    def _control(self, request):
        path, method = request.path.removeprefix("/_sim").strip("/"), request.method
        try:
            body = json.loads(request.body) if request.body else {}
            if (method, path) == ("POST", "mutate"):
                done = []
                for change in body if isinstance(body, list) else [body]:
                    change = dict(change)
                    done.append(self.changes.mutate(change.pop("kind", ""), **change))
                answer = done if isinstance(body, list) else done[0]
            elif (method, path) == ("GET", "mutate"):
                answer = Changes.kinds()
            elif (method, path) == ("POST", "random"):
                answer = self.changes.random_changes(body["n"], body.get("seed", 1), body.get("over"))
            elif (method, path) == ("POST", "faults"):
                answer = {"added": self.faults.add(body["rules"] if isinstance(body, dict) and "rules" in body else body)}
            elif (method, path) == ("GET", "faults"):
                answer = {"rules": [vars(rule) for rule in self.faults.rules], "known": {name: help for name, (help, _) in FAULTS.items()}}
            elif (method, path) == ("DELETE", "faults"):
                self.faults.clear()
                answer = {}
            elif (method, path) == ("GET", "log"):
                answer = list(self.requests)
            elif (method, path) == ("DELETE", "log"):
                self.clear_log()
                answer = {}
            elif method == "GET" and path.startswith("truth/"):
                stream = path.removeprefix("truth/")
                if stream not in STREAMS and stream not in self.account.shelves and stream != "account":
                    return Reply.json(request.target, {"error": f"no such stream: {stream}"}, 404)
                return Reply(request.target, body=self.truth_bytes(stream))
            elif (method, path) == ("GET", "stats"):
                answer = self.stats()
            elif path == "clock":
                if method == "POST":
                    self.clock.advance(clock.duration(body["advance"]))
                answer = {"now": clock.iso(self.clock.now())}
            elif path == "settings":
                if method == "POST":
                    self.settings.update(body)
                answer = self.settings.public()
            elif (method, path) == ("POST", "token"):
                answer = {"access_token": self.doorkeeper.grant(body.get("life"))}
            elif (method, path) == ("GET", ""):
                answer = {"control": ["mutate", "random", "faults", "log", "truth/STREAM", "stats", "clock", "settings", "token"]}
            else:
                return Reply.json(request.target, {"error": "not found"}, 404)
        except Nothing as error:
            return Reply.json(request.target, {"error": str(error)}, 409)
        except (ValueError, BadRule, KeyError, TypeError, AttributeError) as error:
            return Reply.json(request.target, {"error": f"{type(error).__name__}: {error}"}, 400)
        return Reply.json(request.target, answer)
