"""Tests of the simulator. Each talks to a simulator over loopback, as the tool does."""

import base64
import gzip
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from collections import Counter
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlencode

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import clock  # noqa: E402
from bucket import Bucket  # noqa: E402
from changes import WEIGHTS, Changes  # noqa: E402
from endpoints import ENDPOINTS  # noqa: E402
from faults import FAULTS, Rule  # noqa: E402
from gorgias_sim import ACCOUNT, Simulator  # noqa: E402
from shelf import Shelf  # noqa: E402

BASIC = "Basic " + base64.b64encode(b"sim@example.com:sim-key").decode()

# The list form of every object.
FIELDS = {
    "tickets": "id uri external_id language status priority channel via from_agent spam customer assignee_user assignee_team subject summary "
               "excerpt integrations meta tags messages_count is_unread created_datetime opened_datetime last_received_message_datetime "
               "last_message_datetime last_sent_message_not_delivered updated_datetime closed_datetime snooze_datetime trashed_datetime "
               "custom_fields",
    "ticket_messages": "id uri message_id ticket_id external_id public channel via source sender receiver auth_customer_identity "
                       "integration_id intents rule_id from_agent subject body_text body_html stripped_text stripped_html "
                       "stripped_signature headers attachments actions macros meta created_datetime sent_datetime failed_datetime "
                       "deleted_datetime opened_datetime last_sending_error is_retriable replied_by replied_to",
    "customers": "id external_id active email name firstname lastname language timezone created_datetime updated_datetime meta data note "
                 "custom_fields",
    "events": "id context created_datetime data object_id object_type type user_id uri",
    "satisfaction_surveys": "id body_text created_datetime customer_id meta score scored_datetime sent_datetime should_send_datetime "
                            "ticket_id uri",
    "users": "id active bio country created_datetime updated_datetime deactivated_datetime email external_id firstname lastname name language "
             "meta role timezone has_2fa_enabled has_password uri client_id",
    "teams": "id name description decoration members created_datetime uri",
    "tags": "id name description decoration usage created_datetime deleted_datetime uri",
    "macros": "id external_id name intent language usage actions created_datetime updated_datetime archived_datetime uri",
    "rules": "id name description code code_ast event_types priority type settings created_datetime updated_datetime deactivated_datetime uri",
    "custom_fields": "id object_type label description priority required requirement_type managed_type external_id definition "
                     "created_datetime updated_datetime deactivated_datetime",
    "views": "id name slug category type visibility section_id decoration display_order fields filters filters_ast order_by order_dir search "
             "shared_with_users shared_with_teams created_datetime deactivated_datetime uri",
    "integrations": "id name type description application_id managed business_hours_id created_datetime updated_datetime "
                    "deactivated_datetime locked_datetime deleted_datetime uri user decoration meta http",
    "account": "domain created_datetime deactivated_datetime status settings current_subscription meta",
}


class Answer:
    def __init__(self, response):
        self.status, self.headers = response.status, response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)


class Case(unittest.TestCase):
    """A fresh simulator for each test; `options` of the class say which."""

    options = {}

    def setUp(self):
        self.sim = self.enterContext(Simulator(**{"seed": 7, "tickets": 60, "rate": "off", **self.options}))
        self.connection = http.client.HTTPConnection("127.0.0.1", self.sim.port, timeout=10)
        self.addCleanup(self.connection.close)

    def ask(self, path, method="GET", body=None, auth=BASIC, headers=None):
        headers = {**({"Authorization": auth} if auth else {}), **(headers or {})}
        try:
            self.connection.request(method, path, body, headers)
            return Answer(self.connection.getresponse())
        except Exception:
            self.connection.close()
            raise

    def get(self, path, **query):
        return self.ask(f"/api/{path}" + ("?" + urlencode(query, doseq=True) if query else ""))

    def control(self, method, path, body=None):
        answer = self.ask(f"/_sim/{path}", method, None if body is None else json.dumps(body), auth=None)
        return answer.status, answer.json

    def walk(self, path, **query):
        """All rows of a list, page by page."""
        rows, query = [], {"limit": 100, **query}
        while True:
            answer = self.get(path, **query)
            self.assertEqual(answer.status, 200, answer.body[:300])
            rows += answer.json["data"]
            query["cursor"] = answer.json["meta"]["next_cursor"]
            if query["cursor"] is None:
                return rows

    def refused(self, path, field, **query):
        answer = self.get(path, **query)
        self.assertEqual(answer.status, 400, f"{path} {query}")
        self.assertIn(field, answer.json["error"]["data"])

    def ids(self, rows):
        return [row["id"] for row in rows]


class Lists(Case):
    def test_every_list_is_read_to_its_end(self):
        for endpoint in ENDPOINTS:
            with self.subTest(endpoint.path):
                shelf = self.sim.account.shelves[endpoint.shelf]
                passes = [{}]
                if endpoint.shelf == "custom_fields":
                    passes = [{"object_type": t, "archived": a} for t in ("Ticket", "Customer") for a in ("false", "true")]
                elif endpoint.shelf == "macros":
                    passes = [{}, {"archived": "true"}]
                rows = [row for query in passes for row in self.walk(endpoint.path, limit=7, **query)]
                self.assertTrue(rows)
                self.assertEqual(sorted(self.ids(rows)), sorted(shelf.rows))

    def test_all_documented_fields_are_there(self):
        for stream, fields in FIELDS.items():
            with self.subTest(stream):
                rows = self.sim.truth(stream)
                self.assertTrue(rows)
                for row in rows:
                    self.assertEqual(sorted(row), sorted(fields.split()))

    def test_envelope(self):
        page = self.get("tickets", limit=2).json
        self.assertEqual(list(page), ["object", "uri", "data", "meta"])
        self.assertEqual(page["object"], "list")
        self.assertEqual(page["uri"], "/api/tickets?limit=2")
        self.assertEqual(list(page["meta"]), ["prev_cursor", "next_cursor", "total_resources"])
        self.assertIsNone(page["meta"]["prev_cursor"])

    def test_default_limits(self):
        self.assertEqual(len(self.get("tickets").json["data"]), 30)
        self.sim.account.rules.clear()
        for n in range(120):
            self.sim.mutate("put", stream="rules", row={"id": n + 1, "created_datetime": clock.iso(n)})
        self.assertEqual(len(self.get("rules").json["data"]), 100)

    def test_orders(self):
        for endpoint in ENDPOINTS:
            if not endpoint.ordered:
                continue
            query = {"object_type": "Ticket"} if endpoint.path == "custom-fields" else {}
            for order in endpoint.orders:
                ways = []
                for way in ("asc", "desc"):
                    text = ",".join(f"{name}:{way}" for name in order.split(","))
                    ways.append(self.ids(self.walk(endpoint.path, order_by=text, limit=9, **query)))
                with self.subTest(endpoint.path, order=order):
                    self.assertEqual(ways[0], ways[1][::-1])
        rows = self.walk("tickets", order_by="updated_datetime:desc", limit=13)
        keys = [(clock.parse(row["updated_datetime"]), row["id"]) for row in rows]
        self.assertEqual(keys, sorted(keys, reverse=True))

    def test_default_orders(self):
        for path, order in (("tickets", "created_datetime:desc"), ("users", "name:asc"), ("macros", "usage:desc"),
                            ("messages", "created_datetime:desc"), ("customers", "created_datetime:desc")):
            self.assertEqual(self.ids(self.get(path, limit=50).json["data"]), self.ids(self.get(path, limit=50, order_by=order).json["data"]))

    def test_slash_at_the_end(self):
        self.assertEqual(self.ask("/api/tags/").json["data"], self.ask("/api/tags").json["data"])

    def test_last_page_is_known_by_the_next_row(self):
        page = self.get("tickets", limit=60).json
        self.assertEqual((len(page["data"]), page["meta"]["next_cursor"]), (60, None))
        self.assertIsNotNone(self.get("tickets", limit=59).json["meta"]["next_cursor"])

    def test_cursor_is_a_keyset(self):
        page = self.get("tickets", limit=5, order_by="updated_datetime:desc").json
        way, moment, id = json.loads(base64.b64decode(page["meta"]["next_cursor"]))
        last = page["data"][-1]
        self.assertEqual((way, id), ("next", last["id"]))
        self.assertEqual(clock.parse(moment), clock.parse(last["updated_datetime"]))
        self.assertNotIn("+", moment)
        self.assertEqual(len(json.loads(base64.b64decode(self.get("tags", limit=2, order_by="usage:desc,name:desc").json["meta"]["next_cursor"]))), 4)

    def test_walking_back(self):
        first = self.get("tickets", limit=10).json
        second = self.get("tickets", limit=10, cursor=first["meta"]["next_cursor"]).json
        third = self.get("tickets", limit=10, cursor=second["meta"]["next_cursor"]).json
        back = self.get("tickets", limit=10, cursor=third["meta"]["prev_cursor"]).json
        self.assertEqual(back["data"], second["data"])
        again = self.get("tickets", limit=10, cursor=back["meta"]["prev_cursor"]).json
        self.assertEqual(again["data"], first["data"])
        self.assertIsNone(again["meta"]["prev_cursor"])

    def test_ties_are_walked_by_id(self):
        for ticket in self.sim.truth("tickets"):
            self.sim.mutate("set", stream="tickets", id=ticket["id"], fields={"updated_datetime": "2026-01-01T00:00:00+00:00"})
        for way, backwards in (("asc", False), ("desc", True)):
            ids = self.ids(self.walk("tickets", order_by=f"updated_datetime:{way}", limit=7))
            self.assertEqual(ids, sorted(self.sim.account.tickets.rows, reverse=backwards))

    def test_null_sorts_as_in_postgresql(self):
        id = self.sim.truth("tickets")[20]["id"]
        self.sim.mutate("set", stream="tickets", id=id, fields={"updated_datetime": None})
        self.assertEqual(self.walk("tickets", order_by="updated_datetime:desc", limit=1)[0]["id"], id)
        self.assertEqual(self.walk("tickets", order_by="updated_datetime:asc", limit=1)[-1]["id"], id)

    def test_messages_count_agrees(self):
        counted = Counter(row["ticket_id"] for row in self.sim.truth("ticket_messages"))
        for ticket in self.sim.truth("tickets"):
            self.assertEqual(ticket["messages_count"], counted[ticket["id"]])

    def test_bare_arrays(self):
        self.sim.set(bare_array=True)
        for path in ("satisfaction-surveys", "users", "teams", "rules", "views"):
            rows = self.get(path, limit=1).json
            self.assertIsInstance(rows, list)
            self.assertGreater(len(rows), 1)
        self.assertIn("meta", self.get("tags").json)


class Filters(Case):
    def test_strictness(self):
        for path in [e.path for e in ENDPOINTS]:
            kind = {"object_type": "Ticket"} if path == "custom-fields" else {}
            for limit in ("0", "101", "-1", "x", ""):
                self.refused(path, "limit", limit=limit, **kind)
            self.refused(path, "no_such", no_such="1", **kind)
            self.refused(path, "order_by", order_by="colour:asc", **kind)
            self.refused(path, "cursor", cursor="%%%", **kind)
            self.refused(path, "cursor", cursor="WyJuZXh0IiwgIjIwMjItMDEtMjRUMTM6MTE6NDQuODEyNzE3IiwgMTEwMF0=", **kind)
        self.refused("tickets", "status", status="open")
        self.refused("tickets", "page", page="2")
        self.refused("tickets", "limit", limit=["1", "2"])
        self.refused("tickets", "trashed", trashed="maybe")
        self.refused("tickets", "order_by", order_by="created_datetime")
        self.refused("tags", "order_by", order_by="usage:desc")
        self.refused("tags", "order_by", order_by="usage:desc,name:asc")
        self.refused("messages", "order_by", order_by="updated_datetime:desc")
        self.refused("phone/voice-calls", "order_by", order_by="created_datetime:desc")
        self.refused("custom-fields", "object_type")
        self.refused("custom-fields", "object_type", object_type="Order")
        self.refused("events", "object_id", object_type="Ticket")
        self.refused("events", "object_type", object_type="Message", object_id=1)
        self.refused("events", "types", types="ticket-exploded")
        self.refused("account", "limit", limit="1")

    def test_error_body(self):
        self.assertEqual(self.get("tickets", status="open").json, {"error": {"msg": "Bad request.", "data": {"status": ["Unknown field."]}}})

    def test_ticket_ids(self):
        ids = sorted(self.sim.account.tickets.rows)[:5]
        self.assertEqual(sorted(self.ids(self.walk("tickets", ticket_ids=ids + [1]))), ids)
        self.assertEqual(self.get("tickets", limit=100, ticket_ids=list(range(1, 101))).json["data"], [])
        self.refused("tickets", "ticket_ids", ticket_ids=list(range(1, 102)))

    def test_trashed_are_listed_unless_refused(self):
        id = self.sim.mutate("ticket_create")["id"]
        self.sim.mutate("ticket_trash", id=id)
        for query, listed in (({}, True), ({"trashed": "true"}, True), ({"trashed": "false"}, False)):
            self.assertEqual(id in self.ids(self.walk("tickets", **query)), listed, query)

    def test_messages_of_a_ticket(self):
        ticket = max(self.sim.truth("tickets"), key=lambda t: t["messages_count"])
        rows = self.walk("messages", ticket_id=ticket["id"], limit=2)
        self.assertEqual(len(rows), ticket["messages_count"])
        self.assertEqual({row["ticket_id"] for row in rows}, {ticket["id"]})
        self.assertEqual(self.get("messages", ticket_id=1).json["data"], [])
        self.sim.set(unknown_ticket_messages="404")
        self.assertEqual(self.get("messages", ticket_id=1).status, 404)

    def test_event_dates(self):
        events = sorted(self.sim.truth("events"), key=lambda e: (clock.parse(e["created_datetime"]), e["id"]))
        edge = clock.parse(events[len(events) // 2]["created_datetime"])
        text = clock.iso(edge, "z")
        for comparator, holds in (("gt", edge.__lt__), ("gte", edge.__le__), ("lt", edge.__gt__), ("lte", edge.__ge__)):
            wanted = [e["id"] for e in events if holds(clock.parse(e["created_datetime"]))]
            query = {f"created_datetime[{comparator}]": text, "order_by": "created_datetime:asc"}
            self.assertEqual(self.ids(self.walk("events", **query)), wanted)
            plain = self.ask(f"/api/events?created_datetime[{comparator}]={text}&order_by=created_datetime:asc&limit=100")
            self.assertEqual(self.ids(plain.json["data"]), wanted[:100])
        for bad in ("yesterday", "2026-13-01T00:00:00Z", "2026-01-01", "2026-01-01T00:00:00+00:00"):
            # The last one: a plus that is not encoded is a blank.
            self.assertEqual(self.ask(f"/api/events?created_datetime[gte]={bad}").status, 400, bad)

    def test_event_filters(self):
        events = self.sim.truth("events")
        for kind in ("ticket-created", "ticket-message-created", "customer-created", "satisfaction-survey-sent"):
            self.assertEqual(sorted(self.ids(self.walk("events", types=kind))), sorted(e["id"] for e in events if e["type"] == kind))
        ticket = events[0]["object_id"]
        self.assertEqual(sorted(self.ids(self.walk("events", object_id=ticket))), sorted(e["id"] for e in events if e["object_id"] == ticket))
        self.assertTrue(self.walk("events", object_id=ticket, object_type=events[0]["object_type"]))

    def test_other_filters(self):
        ticket = next(t for t in self.sim.truth("tickets") if t["customer"])
        self.assertIn(ticket["id"], self.ids(self.walk("tickets", customer_id=ticket["customer"]["id"])))
        survey = self.sim.truth("satisfaction_surveys")[0]
        self.assertEqual(self.walk("satisfaction-surveys", ticket_id=survey["ticket_id"]), [survey])
        customer = next(c for c in self.sim.truth("customers") if c["email"])
        self.assertEqual(self.walk("customers", email=customer["email"]), [customer])


class Cursors(Case):
    def test_belong_to_their_request(self):
        cursor = self.get("tickets", limit=5, order_by="created_datetime:desc").json["meta"]["next_cursor"]
        self.refused("tickets", "cursor", cursor=cursor, order_by="updated_datetime:desc")
        self.refused("messages", "cursor", cursor=cursor)
        self.assertEqual(self.get("tickets", limit=9, order_by="created_datetime:desc", cursor=cursor).status, 200)
        self.sim.set(cursor_params="ignore")
        self.assertEqual(self.get("tickets", cursor=cursor).status, 200)

    def test_expire(self):
        cursor = self.get("tickets", limit=5).json["meta"]["next_cursor"]
        self.sim.advance("59m")
        self.assertEqual(self.get("tickets", limit=5, cursor=cursor).status, 200)
        self.sim.advance("2m")
        self.refused("tickets", "cursor", cursor=cursor)

    def test_a_changed_row_jumps_over_the_cursor(self):
        query = {"limit": 10, "order_by": "updated_datetime:desc"}
        page = self.get("tickets", **query).json
        unread = self.walk("tickets", **query)[30]["id"]
        self.sim.mutate("ticket_update", id=unread)
        rest = []
        cursor = page["meta"]["next_cursor"]
        while cursor:
            page = self.get("tickets", cursor=cursor, **query).json
            rest += self.ids(page["data"])
            cursor = page["meta"]["next_cursor"]
        self.assertEqual(len(rest), 49)
        self.assertNotIn(unread, rest)
        self.assertEqual(self.get("tickets", **query).json["data"][0]["id"], unread)


class SingleObjects(Case):
    def test_by_id(self):
        for endpoint in ENDPOINTS:
            if endpoint.single:
                id = next(iter(self.sim.account.shelves[endpoint.shelf].rows))
                self.assertEqual(self.get(f"{endpoint.path}/{id}").json["id"], id)
                answer = self.get(f"{endpoint.path}/999999999999")
                self.assertEqual((answer.status, answer.json), (404, {"error": {"msg": "Resource not found."}}))
        self.assertEqual(self.ask("/api/account").json["domain"], "acme")
        self.assertIn("data", self.get("account/settings").json)

    def test_ticket_detail(self):
        ticket = max(self.sim.truth("tickets"), key=lambda t: t["messages_count"])
        detail = self.get(f"tickets/{ticket['id']}", relationships="custom_fields").json
        self.assertEqual(len(detail["messages"]), ticket["messages_count"])
        self.assertIn("channels", detail["customer"])
        self.assertNotIn("excerpt", detail)
        thread = self.get(f"tickets/{ticket['id']}/messages").json
        self.assertEqual(thread["data"], detail["messages"])
        self.assertIsNone(thread["meta"]["next_cursor"])
        message = thread["data"][0]
        self.assertEqual(self.ask(message["uri"]).json, message)
        for rest in ("tags", "custom-fields"):
            self.assertIn("data", self.get(f"tickets/{ticket['id']}/{rest}").json)

    def test_merged_customer(self):
        loser, winner, last = list(self.sim.account.customers.rows)[:3]
        self.sim.mutate("customer_merge", loser=loser, winner=winner)
        self.sim.mutate("customer_merge", loser=winner, winner=last)
        answer = self.get(f"customers/{loser}")
        self.assertEqual((answer.status, answer.body), (301, b""))
        self.assertEqual(answer.headers["Location"], f"{self.sim.url}/api/customers/{last}")
        self.assertEqual(self.get(f"customers/{loser}/custom-fields").status, 301)
        self.assertNotIn(loser, self.ids(self.walk("customers")))

    def test_other_paths(self):
        answer = self.get("no-such-thing")
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (404, "application/json"))
        answer = self.ask("/elsewhere")
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (404, "text/html; charset=utf-8"))
        self.assertEqual(self.ask("/api/tickets", "POST", "{}").status, 405)

    def test_view_items(self):
        view = next(v for v in self.sim.truth("views") if v["filters"] == "eq(ticket.status, 'open')")
        self.sim.mutate("ticket_create")
        target, seen = f"/api/views/{view['id']}/items?limit=3", []
        while target:
            page = self.ask(target).json
            seen += self.ids(page["data"])
            target = page["meta"]["next_items"] and page["meta"]["next_items"] + "&limit=3"
        self.assertEqual(sorted(seen), sorted(t["id"] for t in self.sim.truth("tickets") if t["status"] == "open"))
        since = clock.iso(self.sim.clock.now() - clock.MINUTE, "naive")
        self.sim.mutate("ticket_update")
        body = json.dumps({"view": {"type": "ticket-list", "filters": f"gte(ticket.updated_datetime, '{since}')", "order_by": "updated_datetime",
                                    "order_dir": "asc"}})
        wanted = [t["id"] for t in self.sim.truth("tickets") if clock.parse(t["updated_datetime"]) >= clock.parse(since)]
        self.assertEqual(sorted(self.ids(self.ask("/api/views/0/items", "PUT", body).json["data"])), sorted(wanted))


class Access(Case):
    options = {"key": "right"}

    def test_basic(self):
        for given in (None, "", "Basic", "Basic ???", BASIC, "Bearer x", "Basic " + base64.b64encode(b":right").decode()):
            answer = self.ask("/api/tickets", auth=given)
            self.assertEqual((answer.status, answer.json), (401, {"error": {"msg": "Unauthorized."}}), given)
            self.assertIn("X-Gorgias-Account-Api-Call-Limit", answer.headers)
        good = "Basic " + base64.b64encode(b"sim@example.com:right").decode()
        self.assertEqual(self.ask("/api/tickets", auth=good).status, 200)
        self.sim.set(forbid="/api/users*")
        self.assertEqual(self.ask("/api/users", auth=good).status, 403)

    def grant(self, **form):
        form = {"grant_type": "refresh_token", "client_id": "sim-client", "client_secret": "sim-secret", "refresh_token": "sim-refresh", **form}
        return self.ask("/oauth/token", "POST", urlencode(form), auth=None, headers={"Content-Type": "application/x-www-form-urlencoded"})

    def test_oauth(self):
        first = self.grant().json
        self.assertEqual((first["token_type"], first["expires_in"]), ("Bearer", 86400))
        self.assertEqual(self.ask("/api/tickets", auth="Bearer " + first["access_token"]).status, 200)
        self.assertEqual(self.grant().json, {"error": "invalid_grant"})   # it has rotated
        self.sim.advance("25h")
        self.assertEqual(self.ask("/api/tickets", auth="Bearer " + first["access_token"]).status, 401)
        self.assertEqual(self.grant(refresh_token=first["refresh_token"]).status, 200)
        self.assertEqual(self.grant(client_secret="wrong").status, 401)
        self.assertEqual(self.grant(grant_type="password").status, 400)
        self.sim.set(rotate=False, refresh_token="again")
        self.assertEqual(self.grant(refresh_token="again").json["refresh_token"], "again")
        self.assertEqual(self.grant(refresh_token="again").status, 200)

    def test_log_has_no_secrets(self):
        self.ask("/api/tickets")
        self.grant()
        self.assertNotIn("sim-secret", json.dumps(self.sim.log()))
        self.assertNotIn(BASIC.split()[1], json.dumps(self.sim.log()))


class Budget(unittest.TestCase):
    def test_leaks(self):
        now = [100.0]
        bucket = Bucket(40, 20.0, now=lambda: now[0])
        self.assertEqual([bucket.take() for _ in range(40)], [None] * 40)
        self.assertEqual(bucket.header(), "40/40")
        self.assertEqual(bucket.take(), 1)
        now[0] += 1
        self.assertEqual([bucket.take(), bucket.take()], [None, None])
        self.assertIsNotNone(bucket.take())
        now[0] += 100
        self.assertEqual(bucket.header(), "0/40")

    def test_announced_wait_is_enough(self):
        now = [0.0]
        bucket = Bucket(3, 50.0, now=lambda: now[0])
        for _ in range(50):
            wait = bucket.take()
            if wait:
                now[0] += wait
                self.assertIsNone(bucket.take())

    def test_another_client(self):
        now = [0.0]
        bucket = Bucket(40, 20.0, now=lambda: now[0])
        bucket.eat(39)
        self.assertIsNone(bucket.take())
        self.assertIsNotNone(bucket.take())
        bucket.other = 1.5
        now[0] += 2   # 4 drained, 3 dripped in
        self.assertEqual([bucket.take() is None for _ in range(2)], [True, False])

    def test_parse(self):
        self.assertIsNone(Bucket.parse("off").take())
        self.assertEqual(Bucket.parse("80/10s").per, 10)
        for bad in ("", "40", "0/1s", "x/1s", "40/0"):
            with self.assertRaises(ValueError):
                Bucket.parse(bad)


class Throttle(Case):
    options = {"rate": "3/1h", "oauth_rate": "5/1h"}

    def test_429(self):
        used = [self.get("teams").headers["X-Gorgias-Account-Api-Call-Limit"] for _ in range(3)]
        self.assertEqual(used, ["1/3", "2/3", "3/3"])
        for body, type in (("json", "application/json"), ("html", "text/html"), ("empty", None)):
            self.sim.set(body_429=body)
            answer = self.get("teams")
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (429, type))
            self.assertTrue(answer.headers["Retry-after"].isdigit())
            self.assertEqual(answer.headers["X-Gorgias-Account-Api-Call-Limit"], "3/3")
        # An OAuth2 application has a bucket of its own; the control API has none.
        answer = self.ask("/api/teams", auth="Bearer " + self.sim.token())
        self.assertEqual(answer.headers["X-Gorgias-Account-Api-Call-Limit"], "1/5")
        self.assertEqual(self.control("GET", "stats")[1]["429"], 3)
        self.sim.set(rate="9/1h")
        self.assertEqual(self.get("teams").status, 200)
        self.sim.set(eat=8)
        self.assertEqual(self.get("teams").status, 429)

    def test_header_is_everywhere(self):
        for path, auth in (("/api/teams", BASIC), ("/api/teams", None), ("/api/nothing", BASIC), ("/nothing", None), ("/oauth/token", None)):
            answer = self.ask(path, auth=auth)
            self.assertRegex(answer.headers["X-Gorgias-Account-Api-Call-Limit"], r"^\d/3$")
            self.assertIsNotNone(answer.headers["Date"])


class Time(Case):
    options = {"now": "2026-03-01T12:00:00Z", "frozen": True}

    def test_date_header_follows_the_clock(self):
        self.assertEqual(self.get("teams").headers["Date"], "Sun, 01 Mar 2026 12:00:00 GMT")
        self.assertEqual(self.control("POST", "clock", {"advance": "2h"})[1]["now"], "2026-03-01T14:00:00+00:00")
        self.assertEqual(self.get("teams").headers["Date"], "Sun, 01 Mar 2026 14:00:00 GMT")

    def test_a_change_dates_from_the_clock(self):
        id = self.sim.mutate("ticket_update")["id"]
        self.assertEqual(self.get(f"tickets/{id}").json["updated_datetime"][:19], "2026-03-01T12:00:00")
        self.sim.mutate("ticket_update", id=id, at="2026-02-03T04:05:06Z")
        self.assertEqual(self.get(f"tickets/{id}").json["updated_datetime"], "2026-02-03T04:05:06+00:00")

    def test_latency(self):
        self.sim.set(latency="30ms-40ms")
        began = time.monotonic()
        self.get("teams")
        self.assertGreaterEqual(time.monotonic() - began, 0.03)

    def test_forms(self):
        self.assertEqual(clock.iso(0), "1970-01-01T00:00:00+00:00")
        self.assertEqual(clock.iso(1), "1970-01-01T00:00:00.000001+00:00")
        for form in clock.FORMS:
            for us in (0, 1, 1_700_000_000_123_456, 1_700_000_000_000_000):
                self.assertEqual(clock.parse(clock.iso(us, form)), us)
        self.assertEqual(clock.parse("2026-01-01T00:00:00.5Z") % clock.SECOND, 500_000)
        for bad in ("", "2026-01-01", "2026-1-1T00:00:00", "2026-02-30T00:00:00", None, 5):
            with self.assertRaises(ValueError):
                clock.parse(bad)


class Seeding(unittest.TestCase):
    NOW = "2026-03-01T12:00:00Z"

    def account(self, **options):
        return Simulator(now=self.NOW, frozen=True, **options)

    def streams(self, **options):
        sim = self.account(**options)
        sim.server.socket.close()
        return {stream: sim.truth_bytes(stream) for stream in FIELDS}

    def test_same_seed_same_account(self):
        one = self.streams(seed=3, tickets=80, hostile=True)
        self.assertEqual(one, self.streams(seed=3, tickets=80, hostile=True))
        self.assertNotEqual(one["tickets"], self.streams(seed=4, tickets=80, hostile=True)["tickets"])

    def test_sizes(self):
        rows = {name: json.loads(data) for name, data in self.streams(tickets=40, customers=17, users=3, teams=2, tags=5, macros=6,
                                                                      messages_per_ticket=2).items()}
        self.assertEqual([len(rows[s]) for s in ("tickets", "customers", "users", "teams", "tags", "macros")], [40, 17, 3, 2, 5, 6])
        empty = self.streams(tickets=0, customers=0, users=0, teams=0, tags=0, macros=0, rules=0, custom_fields=0, views=0, integrations=0)
        self.assertEqual({data for name, data in empty.items() if name != "account"}, {b"[]"})

    def test_plausible(self):
        sim = self.account(tickets=1500)
        sim.server.socket.close()
        tickets, surveys = sim.truth("tickets"), sim.truth("satisfaction_surveys")
        now = clock.parse(self.NOW)
        for t in tickets:
            created, updated = clock.parse(t["created_datetime"]), clock.parse(t["updated_datetime"])
            self.assertTrue(now - 366 * clock.DAY <= created <= updated <= now)
            self.assertEqual(t["status"] == "closed", t["closed_datetime"] is not None)
            for name in ("opened_datetime", "closed_datetime", "last_message_datetime"):
                if t[name]:
                    self.assertTrue(created <= clock.parse(t[name]) <= now)
        self.assertGreater(len({t["channel"] for t in tickets}), 6)
        self.assertTrue(0.02 < sum(t["status"] == "open" for t in tickets) / len(tickets) < 0.3)
        self.assertEqual({s["score"] for s in surveys}, {None, 1, 2, 3, 4, 5})
        self.assertTrue(any(t["id"] > 2 ** 31 for t in tickets) and any(t["id"] < 2 ** 31 for t in tickets))
        self.assertTrue(any("." not in t["created_datetime"] for t in tickets))
        known, messages = {c["id"] for c in sim.truth("customers")}, {m["id"] for m in sim.truth("ticket_messages")}
        self.assertTrue(all(t["customer"]["id"] in known for t in tickets))
        by_type = Counter(e["type"] for e in sim.truth("events"))
        self.assertEqual(by_type["ticket-created"], 1500)
        self.assertEqual(by_type["ticket-message-created"], len(messages))
        self.assertEqual(by_type["satisfaction-survey-responded"], sum(s["score"] is not None for s in surveys))
        for event in sim.truth("events"):
            if event["object_type"] == "TicketMessage":
                self.assertIn(event["object_id"], messages)

    def test_hostile(self):
        sim = self.account(tickets=400, hostile=True)
        sim.server.socket.close()
        text = b"".join(sim.truth_bytes(stream) for stream in FIELDS)
        for sign in (b"\\u0000", b"\\ud83d\"", b"9007199254740993", b"1e400", b"9223372036854775808", b'"messages_count":"3"',
                     b"some-future-event", b"x_new_field", b'"updated_datetime":null'):
            self.assertIn(sign, text)
        tickets = sim.truth("tickets")
        self.assertGreater(Counter(t["updated_datetime"] for t in tickets).most_common(1)[0][1], 40)
        self.assertTrue(any(clock.parse(t["created_datetime"]) > clock.parse(self.NOW) for t in tickets))
        self.assertEqual(max(Counter(m["ticket_id"] for m in sim.truth("ticket_messages")).values()), 250)

    def test_forms_of_datetimes(self):
        for form, pattern in (("naive", r"\d$"), ("z", r"Z$"), ("space", r"^\S+ \S+$"), ("offset", r"\+00:00$")):
            for row in json.loads(self.streams(tickets=20, datetimes=form)["tickets"]):
                self.assertRegex(row["updated_datetime"], pattern)

    def test_speed(self):
        # Generous bounds: a machine under load must not fail this, a quadratic algorithm must.
        began = time.monotonic()
        sim = self.account(tickets=20_000)
        sim.server.socket.close()
        self.assertLess(time.monotonic() - began, 10)
        shelf = sim.account.tickets
        for _ in range(2):
            began, after, pages = time.monotonic(), None, 0
            while True:
                found, more = shelf.page("updated_datetime", True, after, 100)
                b",".join(shelf.data(id) for _, id in found)
                after, pages = found[-1], pages + 1
                if not more:
                    break
        self.assertEqual(pages, 200)
        self.assertGreater(pages / (time.monotonic() - began), 300)


class Mutations(Case):
    options = {"frozen": True, "now": "2026-03-01T12:00:00Z", "tickets": 40}

    def consistent(self):
        """What must hold after every change: the indexes, the counts, the threads."""
        account = self.sim.account
        for name, shelf in account.shelves.items():
            for order, index in shelf.indexes.items():
                self.assertEqual(sorted(id for _, id in index), sorted(shelf.rows), (name, order))
                self.assertEqual(index, sorted(index))
        counted = Counter(m["ticket_id"] for m in self.sim.truth("ticket_messages"))
        for t in self.sim.truth("tickets"):
            self.assertEqual(t["messages_count"], counted[t["id"]])
            self.assertEqual(set(account.thread(t["id"])), {m["id"] for m in account.messages_of(t["id"])})

    def events(self, since):
        return [(e["type"], e["object_id"]) for e in self.sim.truth("events") if e["id"] > since]

    def test_each_kind(self):
        """Every change runs, leaves a consistent account, and is visible or recorded."""
        given = {"object_create": {"stream": "views"}, "object_update": {"stream": "teams"}, "object_delete": {"stream": "rules"},
                 "clear": {"stream": "macros"}, "drop": {"stream": "tags"}}
        for kind in Changes.kinds():
            if kind in ("set", "put"):
                continue
            with self.subTest(kind):
                if kind in ("message_sent", "message_fail"):
                    self.sim.mutate("message_create", from_agent=True)
                if kind.startswith("macro_"):
                    self.sim.mutate("put", stream="macros", row={**MACRO, "id": self.sim.account.macros.top + 1})
                before = {stream: self.sim.truth_bytes(stream) for stream in FIELDS}
                self.sim.mutate(kind, **given.get(kind, {}))
                self.assertNotEqual(before, {stream: self.sim.truth_bytes(stream) for stream in FIELDS})
                self.consistent()

    def test_ticket_changes_bump_and_tell(self):
        for kind, type in (("ticket_update", "ticket-subject-updated"), ("ticket_trash", "ticket-trashed"), ("ticket_tag", "ticket-tags-added"),
                           ("ticket_assign", "ticket-assigned")):
            id = self.sim.mutate("ticket_create", fields={"updated_datetime": "2026-01-01T00:00:00+00:00"})["id"]
            since = self.sim.account.events.top
            self.sim.mutate(kind, id=id)
            self.assertEqual(self.events(since), [(type, id)])
            self.assertEqual(self.walk("tickets", order_by="updated_datetime:desc")[0]["id"], id)
        self.sim.mutate("ticket_update", id=id, fields={"meta": {"a": 1}}, touch=False, at="2026-03-09T00:00:00Z")
        self.assertEqual(self.get(f"tickets/{id}").json["meta"], {"a": 1})
        self.assertLess(self.get(f"tickets/{id}").json["updated_datetime"], "2026-03-09")

    def test_delete_and_orphans(self):
        for orphans in (False, True):
            made = self.sim.mutate("ticket_create", messages=3)
            since = self.sim.account.events.top
            self.sim.mutate("ticket_delete", id=made["id"], orphans=orphans)
            self.assertEqual(self.get(f"tickets/{made['id']}").status, 404)
            self.assertEqual(self.get("tickets", ticket_ids=made["id"]).json["data"], [])
            self.assertEqual(len(self.walk("messages", ticket_id=made["id"])), 3 if orphans else 0)
            self.assertEqual(set(made["messages"]) <= set(self.ids(self.walk("messages"))), orphans)
            self.assertEqual(self.events(since), [("ticket-deleted", made["id"])])

    def test_merge(self):
        loser, winner = self.sim.mutate("ticket_create", messages=3), self.sim.mutate("ticket_create", messages=2)
        since = self.sim.account.events.top
        self.sim.mutate("ticket_merge", loser=loser["id"], winner=winner["id"])
        self.assertEqual(self.get(f"tickets/{loser['id']}").status, 404)
        self.assertEqual(len(self.walk("messages", ticket_id=winner["id"])), 5)
        self.assertEqual(self.get("tickets", ticket_ids=winner["id"]).json["data"][0]["messages_count"], 5)
        self.assertEqual(self.events(since), [("ticket-merged", loser["id"])])
        self.sim.set(merged_ticket="301")
        self.assertTrue(self.get(f"tickets/{loser['id']}").headers["Location"].endswith(f"/api/tickets/{winner['id']}"))

    def test_messages(self):
        ticket = self.sim.mutate("ticket_create")["id"]
        id = self.sim.mutate("message_create", ticket_id=ticket, from_agent=True)["id"]
        self.assertIsNone(self.get(f"tickets/{ticket}/messages/{id}").json["sent_datetime"])
        self.sim.mutate("message_sent", id=id)
        self.assertIsNotNone(self.get(f"tickets/{ticket}/messages/{id}").json["sent_datetime"])
        old = self.sim.mutate("message_backdate", ticket_id=ticket, at="2025-06-01T00:00:00Z")["id"]
        self.assertEqual(self.walk("messages", ticket_id=ticket)[-1]["id"], old)
        self.sim.mutate("message_delete", id=old)
        self.assertNotIn(old, self.ids(self.walk("messages")))
        self.sim.mutate("message_delete", id=id, soft=True)
        self.assertIsNotNone(self.get(f"tickets/{ticket}/messages/{id}").json["deleted_datetime"])

    def test_import(self):
        id = self.sim.mutate("ticket_import", at="2025-07-01T00:00:00Z")["id"]
        self.assertEqual(self.walk("tickets", order_by="updated_datetime:desc")[0]["id"], id)
        row = self.get("tickets", ticket_ids=id).json["data"][0]
        self.assertEqual((row["created_datetime"], row["messages_count"]), ("2025-07-01T00:00:00+00:00", 2))

    def test_survey_scored_later(self):
        id = self.sim.mutate("survey_create")["id"]
        self.sim.advance("40d")
        self.sim.mutate("survey_score", id=id, score=4)
        row = self.get(f"satisfaction-surveys/{id}").json
        self.assertEqual((row["score"], row["created_datetime"][:10], row["scored_datetime"][:10]), (4, "2026-03-01", "2026-04-10"))

    def test_empty_list(self):
        self.sim.mutate("clear", stream="customers")
        page = self.get("customers").json
        self.assertEqual((page["data"], page["meta"]["next_cursor"]), ([], None))

    def test_random_history(self):
        done = self.sim.random_changes(400, seed=5, over="2h")
        self.assertEqual(len(done), 400)
        self.assertGreater(len({d["kind"] for d in done}), len(WEIGHTS) // 2)
        self.consistent()
        self.assertEqual(clock.iso(self.sim.clock.now()), "2026-03-01T14:00:00+00:00")
        with Simulator(**{"seed": 7, "rate": "off", **self.options}) as other:
            other.random_changes(400, seed=5, over="2h")
            for stream in FIELDS:
                self.assertEqual(other.truth_bytes(stream), self.sim.truth_bytes(stream), stream)

    def test_random_history_of_a_hostile_account(self):
        with Simulator(seed=2, tickets=60, hostile=True) as sim:
            sim.random_changes(400, seed=1)

    def test_mistakes(self):
        for change in ({"kind": "no_such"}, {"kind": "_pick"}, {"kind": "ticket_update", "colour": 1}, {}, {"kind": "ticket_trash", "at": "noon"}):
            self.assertEqual(self.control("POST", "mutate", change)[0], 400, change)
        self.assertEqual(self.control("POST", "mutate", {"kind": "ticket_trash", "id": 1})[0], 409)


MACRO = {"external_id": None, "name": "m", "intent": None, "language": None, "usage": 0, "actions": [], "created_datetime": clock.iso(0),
         "updated_datetime": None, "archived_datetime": None, "uri": "/api/macros/0/"}


class FaultVocabulary(Case):
    def fault(self, name, request=1, **rule):
        self.sim.clear_faults()
        args = rule.pop("args", None)
        self.sim.add_faults({"match": "/api/tickets", "fault": name, "request": request, "args": args, **rule})

    def test_statuses(self):
        for name, status, type in (("400", 400, "application/json"), ("401", 401, "application/json"), ("403", 403, "application/json"),
                                   ("404", 404, "application/json"), ("409", 409, "application/json"), ("500", 500, "application/json"),
                                   ("503", 503, "application/json"), ("502", 502, "text/html"), ("504", 504, "text/html"),
                                   ("500-html", 500, "text/html"), ("503-html", 503, "text/html"), ("429", 429, "application/json"),
                                   ("429-no-retry", 429, "application/json"), ("html-200", 200, "text/html"), ("redirect", 302, None),
                                   ("408", 408, "application/json"), ("425", 425, "application/json"), ("520", 520, "text/html"),
                                   ("521", 521, "text/html"), ("522", 522, "text/html"), ("523", 523, "text/html"), ("524", 524, "text/html"),
                                   ("no-content", 204, None), ("429-date", 429, "application/json")):
            self.fault(name)
            answer = self.get("tickets")
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (status, type), name)
            self.assertEqual(self.get("tickets").status, 200)
        self.fault("429", args={"retry_after": 7})
        self.assertEqual(self.get("tickets").headers["Retry-after"], "7")
        self.fault("429-no-retry")
        self.assertNotIn("Retry-after", self.get("tickets").headers)
        self.fault("429-date", args={"by": "1h"})
        answer = self.get("tickets")
        until, now = (parsedate_to_datetime(answer.headers[name]) for name in ("Retry-After", "Date"))
        self.assertIn((until - now).total_seconds(), (3600, 3601))
        self.fault("redirect", args={"to": "http://127.0.0.2:1"})
        self.assertEqual(self.get("tickets", limit=1).headers["Location"], "http://127.0.0.2:1/api/tickets?limit=1")

    def test_broken_connections(self):
        for name, error in (("truncated", http.client.IncompleteRead), ("reset-before", ConnectionResetError), ("reset-mid", ConnectionError),
                            ("closed", http.client.RemoteDisconnected), ("chunked-cut", http.client.IncompleteRead)):
            self.fault(name)
            with self.assertRaises(error, msg=name):
                self.get("tickets", limit=100)
            self.connection.close()
            self.assertEqual(self.get("tickets").status, 200)

    def test_a_server_that_is_gone_for_a_while(self):
        self.fault("gone", args={"time": "300ms"})
        with self.assertRaises(ConnectionError):
            self.get("tickets")
        refused = 0
        for _ in range(200):
            self.connection.close()
            try:
                answer = self.get("tickets")
                break
            except ConnectionRefusedError:
                refused += 1
                time.sleep(0.02)
        self.assertGreater(refused, 0)
        self.assertEqual(answer.status, 200)

    def test_slow_and_stalled(self):
        self.fault("slow", args={"bytes": 400, "every": "5ms"})
        began = time.monotonic()
        self.assertEqual(len(self.get("tickets", limit=10).json["data"]), 10)
        self.assertGreater(time.monotonic() - began, 0.05)
        self.fault("stall")
        self.connection.timeout = 0.3
        self.connection.close()
        with self.assertRaises(TimeoutError):
            self.get("tickets")

    def test_framing(self):
        self.fault("wrong-length", args={"by": 10})
        with self.assertRaises(http.client.IncompleteRead):
            self.get("tickets")
        self.connection.close()
        self.fault("wrong-length")
        with self.assertRaises(ValueError):
            self.get("tickets").json
        self.connection.close()
        self.fault("old-http")
        answer = self.get("tickets")
        self.assertNotIn("Content-Length", answer.headers)
        self.assertEqual(len(answer.json["data"]), 30)
        self.connection.close()
        self.fault("old-http", args={"keep": 0.5})
        with self.assertRaises(ValueError):
            self.get("tickets").json
        self.connection.close()
        self.fault("chunked")
        answer = self.get("tickets", limit=100)
        self.assertEqual((answer.headers["Transfer-Encoding"], len(answer.json["data"])), ("chunked", 60))

    def test_bodies(self):
        for name in ("garbled", "bad-utf8", "two-documents", "trailing", "empty-body", "gzip-cut", "gzip-garbled"):
            self.fault(name)
            with self.assertRaises(ValueError, msg=name):
                self.get("tickets").json
        self.fault("gzip-cut", args={"keep": 1.0})
        answer = self.get("tickets")
        self.assertEqual(answer.headers["Content-Encoding"], "gzip")
        self.assertEqual(len(json.loads(gzip.decompress(answer.body))["data"]), 30)
        self.fault("json-string")
        self.assertIsInstance(self.get("tickets").json, str)
        self.fault("html-type")
        answer = self.get("tickets")
        self.assertTrue(answer.headers["Content-Type"].startswith("text/html") and answer.json["data"])
        self.fault("null-data")
        self.assertIsNone(self.get("tickets").json["data"])
        self.fault("missing-meta")
        self.assertNotIn("meta", self.get("tickets").json)
        self.fault("missing-data")
        self.assertNotIn("data", self.get("tickets").json)
        self.fault("bare-array")
        self.assertIsInstance(self.get("tickets").json, list)
        self.fault("huge", args={"bytes": 1_000_000})
        self.assertEqual(len(self.get("tickets").body), 1_000_000)
        self.fault("deep", args={"levels": 5000})
        self.assertIn(b"[" * 5000, self.get("tickets").body)

    def test_pages(self):
        whole = self.ids(self.walk("tickets"))
        self.fault("empty-page", 3)
        self.assertEqual(self.ids(self.walk("tickets", limit=10)), whole)
        self.assertEqual(len(self.sim.log()[-1:]) and sum(r["faults"] == ["empty-page"] for r in self.sim.log()), 1)
        self.fault("empty-page", 1)
        self.assertEqual(self.ids(self.walk("tickets", limit=10)), whole)
        self.fault("shrunk-page", 2)
        self.assertEqual(self.ids(self.walk("tickets", limit=10)), whole)
        self.fault("repeated-cursor", 2, times="forever")
        first = self.get("tickets", limit=10).json
        second = self.get("tickets", limit=10, cursor=first["meta"]["next_cursor"]).json
        self.assertEqual(second["meta"]["next_cursor"], first["meta"]["next_cursor"])
        self.fault("early-end", 2)
        self.assertEqual(self.ids(self.walk("tickets", limit=10)), whole[:20])
        self.fault("bad-next")
        self.refused("tickets", "cursor", cursor=self.get("tickets", limit=10).json["meta"]["next_cursor"])
        for name in ("reversed", "shuffled"):
            self.fault(name)
            ids = self.ids(self.get("tickets", limit=30).json["data"])
            self.assertNotEqual(ids, whole[:30])
            self.assertEqual(sorted(ids), sorted(whole[:30]))
        self.fault("swapped", args={"at": 1})
        self.assertEqual(self.ids(self.get("tickets", limit=4).json["data"]), [whole[0], whole[2], whole[1], whole[3]])
        self.fault("next-type")
        self.assertEqual(self.get("tickets", limit=10).json["meta"]["next_cursor"], 7)
        first = self.get("tickets", limit=10).json
        for rows in (1, 4, 10):
            self.fault("overlap", args={"rows": rows})
            page = self.get("tickets", limit=10, cursor=first["meta"]["next_cursor"]).json
            self.assertEqual(self.ids(page["data"]), whole[10 - rows:20 - rows])
        self.fault("stale", 2)
        first = self.get("tickets", limit=10)
        self.assertEqual(self.get("tickets", limit=10, cursor=first.json["meta"]["next_cursor"]).body, first.body)
        one, other = whole[:2]
        self.fault("stale", match="/api/tickets/*", request=2)
        self.assertEqual(self.get(f"tickets/{one}").body, self.get(f"tickets/{other}").body)
        self.fault("duplicated")
        self.assertEqual(self.ids(self.get("tickets", limit=3).json["data"]), whole[:3] + whole[:1])
        self.fault("ignore-order")
        self.assertEqual(self.ids(self.get("tickets", limit=3).json["data"]), whole[:-4:-1])
        self.fault("ignore-order", times="forever")
        self.assertEqual(self.ids(self.walk("tickets", limit=10)), whole[::-1])
        self.fault("expired-cursor")
        cursor = self.get("tickets", limit=3).json["meta"]["next_cursor"]
        self.fault("expired-cursor")
        self.refused("tickets", "cursor", limit=3, cursor=cursor)

    def test_headers(self):
        self.fault("no-date")
        self.assertNotIn("Date", self.get("tickets").headers)
        self.fault("skewed-date", args={"by": "-48h"})
        self.assertNotEqual(self.get("tickets").headers["Date"][:7], self.get("tickets").headers["Date"][:7])
        self.fault("no-limit-header")
        self.assertNotIn("X-Gorgias-Account-Api-Call-Limit", self.get("tickets").headers)
        self.fault("call-limit", args={"value": "nonsense"})
        self.assertEqual(self.get("tickets").headers["X-Gorgias-Account-Api-Call-Limit"], "nonsense")
        self.fault("header-flood", args={"count": 50})
        self.assertEqual(sum(name.startswith("X-Filler") for name in self.get("tickets").headers), 50)

    def test_the_token_endpoint_has_faults_too(self):
        form = {"grant_type": "refresh_token", "refresh_token": "sim-refresh", "client_id": "sim-client", "client_secret": "sim-secret"}

        def ask():
            connection = http.client.HTTPConnection("127.0.0.1", self.sim.port, timeout=10)
            connection.request("POST", "/oauth/token", urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"})
            answer = connection.getresponse()
            body = answer.read()
            connection.close()
            return answer.status, body
        self.fault("502", match="/oauth/token")
        self.assertEqual(ask()[0], 502)
        self.fault("json-string", match="/oauth/token")
        self.assertEqual(ask(), (200, b'"maintenance"'))   # the 502 came from elsewhere; this one has rotated the token
        self.assertEqual(ask()[0], 400)

    def test_every_fault_has_a_test(self):
        with open(__file__) as file:
            text = file.read().split("def test_every_fault_has_a_test")[0]
        for name in FAULTS:
            self.assertIn(f'"{name}"', text)

    def test_when(self):
        def statuses(n, **rule):
            self.fault("500", **rule)
            return [self.get("tickets", limit=1).status for _ in range(n)]
        self.assertEqual(statuses(4, request=2), [200, 500, 200, 200])
        self.assertEqual(statuses(4, request=2, times=2), [200, 500, 500, 200])
        self.assertEqual(statuses(4, request=3, times="forever"), [200, 200, 500, 500])
        self.assertEqual(statuses(5, request=2, every=2, times="forever"), [200, 500, 200, 500, 200])
        drawn = statuses(60, times="forever", probability=0.5)
        self.assertTrue(10 < drawn.count(500) < 50)
        self.fault("500", query="limit=1")
        self.assertEqual([self.get("tickets", limit=2).status, self.get("teams").status, self.get("tickets", limit=1).status], [200, 200, 500])

    def test_mistakes(self):
        for rule in ({"fault": "earthquake"}, {}, {"fault": "500", "wen": 1}, {"fault": "slow", "args": {"speed": 1}}):
            with self.assertRaises(ValueError):
                Rule.of(rule)
            self.assertEqual(self.control("POST", "faults", [rule])[0], 400)


class Scenarios(Case):
    options = {"scenario": {"rules": [
        {"match": "/api/tickets", "request": 2, "mutate": {"kind": "ticket_create", "fields": {"subject": "between pages"}}},
        {"match": "/api/messages", "request": 1, "mutate": [{"kind": "clear", "stream": "macros"}, {"kind": "clear", "stream": "rules"}],
         "advance": "3h", "settings": {"orphans": True}},
        {"match": "/api/teams", "times": "forever", "random": {"n": 5, "seed": 1}}]}}

    def test_changes_between_pages(self):
        self.assertEqual(len(self.walk("tickets", limit=20)), 60)   # the new one is before the cursor
        self.assertEqual(self.get("tickets", limit=1).json["data"][0]["subject"], "between pages")
        before = self.sim.clock.now()
        self.get("messages")
        self.assertGreaterEqual(self.sim.clock.now() - before, 3 * clock.HOUR)
        self.assertEqual((len(self.sim.account.macros), len(self.sim.account.rules), self.sim.settings.orphans), (0, 0, True))
        events = len(self.sim.account.events)
        self.get("teams")
        self.assertGreater(len(self.sim.account.events), events)


class Control(Case):
    def test_over_http(self):
        status, made = self.control("POST", "mutate", {"kind": "ticket_create", "messages": 2})
        self.assertEqual((status, len(made["messages"])), (200, 2))
        self.assertEqual(len(self.control("POST", "mutate", [{"kind": "tag_create"}, {"kind": "tag_rename"}])[1]), 2)
        self.assertEqual(len(self.control("POST", "random", {"n": 20, "seed": 1})[1]), 20)
        self.assertIn("ticket_merge", self.control("GET", "mutate")[1])
        for stream in FIELDS:
            self.assertEqual(self.control("GET", f"truth/{stream}"), (200, self.sim.truth(stream)))
        self.assertEqual(self.control("GET", "truth/unicorns")[0], 404)
        self.assertEqual(self.control("POST", "settings", {"rate": "1/1h"})[1]["rate"], "1/1h")
        self.assertNotIn("key", self.control("GET", "settings")[1])
        for bad in ({"rate": "fast"}, {"no_such": 1}, {"bare_array": "yes"}, {"latency": "long"}, {"auth": "maybe"}):
            self.assertEqual(self.control("POST", "settings", bad)[0], 400, bad)
        self.assertEqual(self.control("POST", "faults", [{"fault": "502"}]), (200, {"added": 1}))
        self.assertEqual(len(self.control("GET", "faults")[1]["rules"]), 1)
        self.control("DELETE", "faults")
        self.assertEqual(self.control("GET", "faults")[1]["rules"], [])
        self.assertEqual(self.control("GET", "nothing")[0], 404)
        self.assertEqual(self.control("POST", "mutate", None)[0], 400)
        token = self.control("POST", "token", {})[1]["access_token"]
        self.assertEqual(self.ask("/api/teams", auth=f"Bearer {token}").status, 200)

    def test_log_and_stats(self):
        self.control("DELETE", "log")
        page = self.ask("/api/tickets?limit=7", headers={"User-Agent": "tool/1"}).json
        self.ask("/api/tickets?limit=7&cursor=" + quote(page["meta"]["next_cursor"], safe=""))
        self.ask("/api/nothing")
        log = self.control("GET", "log")[1]
        self.assertEqual([(r["method"], r["path"], r["status"]) for r in log],
                         [("GET", "/api/tickets", 200), ("GET", "/api/tickets", 200), ("GET", "/api/nothing", 404)])
        self.assertEqual((log[0]["query"], log[0]["user_agent"], log[0]["cursor"]), ("limit=7", "tool/1", None))
        self.assertEqual(log[1]["cursor"][0], "next")
        self.assertEqual([r["n"] for r in log], list(range(log[0]["n"], log[0]["n"] + 3)))
        stats = self.control("GET", "stats")[1]
        self.assertEqual((stats["requests"], stats["by_path"]["/api/tickets"], stats["by_status"]["404"]), (3, 2, 1))

    def test_connections(self):
        for _ in range(3):
            self.get("teams")
        self.assertEqual(len({r["connection"] for r in self.sim.log()}), 1)
        self.sim.set(keepalive_max=1)
        self.assertEqual(self.get("teams").headers["Connection"], "close")
        with socket.create_connection(("127.0.0.1", self.sim.port), timeout=5) as raw:
            raw.sendall(b"nonsense\r\n\r\n")
            self.assertTrue(raw.recv(100).startswith(b"HTTP/1.1 400"))


class CommandLine(unittest.TestCase):
    def test_nothing_outlives_the_block(self):
        with Simulator(tickets=5) as sim:
            idle = socket.create_connection(("127.0.0.1", sim.port), timeout=5)
        self.addCleanup(idle.close)
        try:
            self.assertEqual(idle.recv(1), b"")
        except ConnectionResetError:   # it was not accepted yet
            pass
        self.assertFalse(sim.server.thread.is_alive())
        with self.assertRaises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", sim.port), timeout=5)

    def test_runs_and_stops(self):
        with tempfile.TemporaryDirectory() as folder:
            port_file, scenario = os.path.join(folder, "port"), os.path.join(folder, "scenario.json")
            with open(scenario, "w") as file:
                json.dump({"rules": [{"fault": "502"}], "settings": {"rate": "7/1h"}}, file)
            process = subprocess.Popen([sys.executable, os.path.join(HERE, "gorgias_sim.py"), "--port", "0", "--port-file", port_file,
                                        "--tickets", "20", "--scenario", scenario], stderr=subprocess.DEVNULL)
            try:
                deadline = time.monotonic() + 20
                while not os.path.exists(port_file):
                    self.assertLess(time.monotonic(), deadline)
                    self.assertIsNone(process.poll())
                    time.sleep(0.02)
                with open(port_file) as file:
                    port = int(file.read())
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                self.addCleanup(connection.close)
                connection.request("GET", "/api/tickets", headers={"Authorization": BASIC})
                answer = Answer(connection.getresponse())
                self.assertEqual((answer.status, answer.headers["X-Gorgias-Account-Api-Call-Limit"]), (502, "1/7"))
                # It must end although a connection is open.
                process.send_signal(signal.SIGTERM)
                self.assertEqual(process.wait(5), 0)
                self.assertFalse(os.path.exists(port_file))
            finally:
                process.kill()
                process.wait()

    def test_listing_and_mistakes(self):
        def run(*options):
            return subprocess.run([sys.executable, os.path.join(HERE, "gorgias_sim.py"), *options], capture_output=True, text=True, timeout=20)
        listed = run("--list-faults")
        self.assertEqual((listed.returncode, len(listed.stdout.splitlines())), (0, len(FAULTS)))
        self.assertEqual(run("--rate", "fast").returncode, 2)
        self.assertEqual(run("--nonsense").returncode, 2)
        help = run("--help").stdout
        for option in ACCOUNT:
            self.assertIn(f"--{option}", help)

    def test_readme_knows_every_fault_and_setting(self):
        with open(os.path.join(HERE, "README.md")) as file:
            text = file.read()
        from settings import SETTINGS
        for name in [*FAULTS, *SETTINGS]:
            self.assertIn(f"`{name}`", text)
        for kind in Changes.kinds():
            self.assertIn(f"`{kind}`", text)


class Shelves(unittest.TestCase):
    def test_a_page_is_found_without_sorting(self):
        """The index of a large list is cut, not copied: a page costs the same at its end as at its beginning."""
        shelf = Shelf(("created_datetime",))
        size = 300_000
        index = CountingList((n // 10, n) for n in range(size))
        shelf.fill({n: n for n in range(size)}, {"created_datetime": index})
        for after in (None, (5, 50), (29_000, 290_001)):
            for descending in (False, True):
                index.reads = 0
                found, _ = shelf.page("created_datetime", descending, after, 100)
                self.assertLess(index.reads, 100)
                self.assertTrue(found)


class CountingList(list):
    """Counts single reads; slices of a page are one read."""
    reads = 0

    def __getitem__(self, at):
        self.reads += 1
        return super().__getitem__(at)


if __name__ == "__main__":
    unittest.main()
