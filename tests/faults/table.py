"""What must come of every fault at every place where the program asks. Rows, and the one function that reads them."""

# What a fault does to a request, whatever the place:
#   passing   asked again after a pause: once or several times it is ridden out; for ever, the stream fails
#   harmless  nothing is lost by it, however often
#   final     the stream fails at once, also the first time
#   refused   400 and the like: with a cursor, the cursor has expired, and the walk begins again; without, final
#   order     an incremental walk falls back to reading everything; where no order is claimed it is harmless
#   loop      a cursor that was used before: an incremental walk falls back; a full one fails
#   empty     an empty page that names a next one is harmless until it comes too often
#   stale     known by the uri, or as a page that came before; where nothing was asked before, nothing is stale
#   cursor    a cursor that the next request is refused for: the walk begins again, five times at most
#   end       a list that ends too early: a full page is asked for again before that is believed. If it says so twice, or is not full,
#             nothing shows it
# `silent`: not a byte comes; so from the first request of a run on it ends the run soon (test_network.py).
# `lists`: there is nothing to spoil in the answer about a single object. `none`: at these places the fault is an answer like any other.
FAULTS = (
    # fault, arguments, kind, further facts
    ("400", {}, "refused", {}),
    ("409", {}, "refused", {}),
    ("403", {}, "final", {}),
    ("404", {}, "final", {"none": ("exists", "object", "confirm", "parent")}),   # there 404 means: gone
    ("redirect", {}, "final", {}),
    ("redirect", {"code": 301}, "final", {}),
    ("408", {}, "passing", {}),
    ("425", {}, "passing", {}),
    ("500", {}, "passing", {}),
    ("500-html", {}, "passing", {}),
    ("502", {}, "passing", {}),
    ("503", {}, "passing", {}),
    ("503-html", {"headers": {"Retry-After": "1"}}, "passing", {}),
    ("504", {}, "passing", {}),
    ("520", {}, "passing", {}),
    ("521", {}, "passing", {}),
    ("522", {}, "passing", {}),
    ("523", {}, "passing", {}),
    ("524", {}, "passing", {}),
    ("429", {"retry_after": 1}, "passing", {"forever": False}),   # for ever: test_limits.py
    ("429", {"retry_after": "soon", "body": "html"}, "passing", {"forever": False}),
    ("429-date", {"by": "1s"}, "passing", {"forever": False}),
    ("429-no-retry", {"body": "empty"}, "passing", {"forever": False}),
    ("truncated", {}, "passing", {}),
    ("truncated", {"keep": 0.98}, "passing", {}),
    ("reset-before", {}, "passing", {"silent": True}),
    ("reset-mid", {}, "passing", {}),
    ("closed", {}, "passing", {"silent": True}),
    ("stall", {}, "passing", {}),
    ("stall", {"keep": 0}, "passing", {"silent": True}),
    ("wrong-length", {"by": 10}, "passing", {}),
    ("wrong-length", {}, "passing", {}),
    ("chunked-cut", {"size": 100}, "passing", {}),
    ("old-http", {"keep": 0.7}, "passing", {}),
    ("garbled", {}, "passing", {}),
    ("html-200", {}, "passing", {}),
    ("empty-body", {}, "passing", {}),
    ("no-content", {}, "passing", {}),
    ("two-documents", {}, "passing", {}),
    ("trailing", {}, "passing", {}),
    ("json-string", {}, "passing", {}),
    ("gzip-cut", {}, "passing", {}),
    ("gzip-garbled", {}, "passing", {}),
    ("deep", {"levels": 100_000}, "passing", {}),
    ("null-data", {}, "passing", {"lists": True}),
    ("missing-data", {}, "passing", {"lists": True}),
    ("missing-meta", {}, "passing", {"lists": True}),
    ("bare-array", {}, "passing", {"lists": True, "doubtful": True}),   # the only page of a list is right without an envelope
    ("next-type", {}, "passing", {"lists": True}),
    ("stale", {}, "stale", {}),
    ("chunked", {"size": 7}, "harmless", {}),
    ("old-http", {}, "harmless", {}),
    ("slow", {"bytes": 3000, "every": "1ms"}, "harmless", {}),
    ("html-type", {}, "harmless", {}),
    ("huge", {"bytes": 2_000_000}, "harmless", {}),
    ("no-date", {}, "harmless", {}),
    ("skewed-date", {"by": "3h"}, "harmless", {}),
    ("skewed-date", {"by": "-48h"}, "harmless", {}),
    ("no-limit-header", {}, "harmless", {}),
    ("call-limit", {"value": "0/0"}, "harmless", {}),
    ("call-limit", {"value": "40/0"}, "harmless", {}),
    ("call-limit", {"value": "-1/-40"}, "harmless", {}),
    ("call-limit", {"value": "many/9999999999999999999999"}, "harmless", {}),
    ("header-flood", {"count": 500}, "harmless", {}),
    ("bad-utf8", {}, "harmless", {"lists": True, "none": ("account", "exists", "object", "confirm")}),
    ("shrunk-page", {}, "harmless", {"lists": True}),
    ("reversed", {}, "order", {"lists": True}),
    ("shuffled", {"seed": 3}, "order", {"lists": True}),
    ("swapped", {}, "order", {"lists": True}),
    ("swapped", {"at": 1}, "order", {"lists": True}),
    ("duplicated", {}, "order", {"lists": True}),
    ("overlap", {}, "order", {"lists": True, "cursor": True}),
    ("overlap", {"rows": 3}, "order", {"lists": True, "cursor": True}),
    ("ignore-order", {}, "order", {"lists": True}),
    ("repeated-cursor", {}, "loop", {"lists": True}),
    ("empty-page", {}, "empty", {"lists": True}),
    ("bad-next", {}, "cursor", {"lists": True}),
    ("expired-cursor", {}, "cursor", {"lists": True, "cursor": True}),
    ("early-end", {}, "end", {}),
    ("gone", {}, "alone", {}),   # takes all streams along: test_network.py
    ("401", {}, "alone", {}),    # ends the run: test_network.py
)


class Place:
    """Where the program asks. `kind`: down, up, scan, account; in the queue: ids, parent, exists, object; confirm."""

    def __init__(self, name, stream, kind, match, query="", pages=1):
        self.name, self.stream, self.kind, self.match, self.query, self.pages = name, stream, kind, match, query, pages
        self.is_walk = kind in ("down", "up", "scan")
        self.is_list = self.is_walk or kind in ("ids", "parent")


# Pages are small: see `schemas` in test_matrix.py. `pages`: at least so many in a first load.
WALKS = (
    Place("tickets", "tickets", "down", "/api/tickets", pages=3),
    Place("customers", "customers", "down", "/api/customers", pages=3),
    Place("messages", "ticket_messages", "down", "/api/messages", pages=3),
    Place("surveys", "satisfaction_surveys", "down", "/api/satisfaction-surveys", pages=3),
    Place("events", "events", "up", "/api/events", pages=3),
    Place("tags", "tags", "scan", "/api/tags", pages=3),
    Place("custom fields", "custom_fields", "scan", "/api/custom-fields", pages=4),
    Place("account", "account", "account", "/api/account"),
)
ASKS = (
    Place("tickets by ids", "tickets", "ids", "/api/tickets", "ticket_ids="),
    Place("messages of a ticket", "ticket_messages", "parent", "/api/messages", "ticket_id="),
    Place("a customer", "customers", "exists", "/api/customers/*"),
    Place("a survey", "satisfaction_surveys", "object", "/api/satisfaction-surveys/*"),
    Place("a missing field", "custom_fields", "confirm", "/api/custom-fields/*"),
)
TIMES = {"once": 1, "several": 3, "for ever": "forever"}

RIDES, FALLS_BACK, FAILS, EITHER = "rides it out", "falls back", "stream fails", "fails, or rides it out"


def applies(fault, place, times):
    name, _, kind, facts = fault
    if kind == "alone" or place.kind in facts.get("none", ()):
        return False
    if kind == "end":
        return times == "once" and place.is_walk
    if facts.get("silent") and place.kind == "account" and times != "once":
        return False
    return not (times == "for ever" and facts.get("forever") is False)


def outcome(fault, place, times, page, is_first=True):
    """What must come of it: `times` from the request for this page (1, 2, ...) on, in a first load or a later run."""
    name, _, kind, facts = fault
    for_ever = times == "for ever"
    if facts.get("lists") and not place.is_list or kind in ("harmless", "end"):
        return RIDES
    if kind == "stale":
        return EITHER
    if facts.get("doubtful"):
        return EITHER if for_ever else RIDES
    if kind == "passing" and for_ever and place.kind in ("exists", "confirm") and not name[0].isdigit():
        return EITHER   # the status is 404, and what spoils but its body changes nothing
    if kind == "passing":
        return FAILS if for_ever else RIDES
    if kind == "final":
        return FAILS
    if kind == "refused":
        # Begun again after one refusal, the first page is asked for without a cursor, and refused for good.
        if page == 1 or times != "once" and place.is_walk:
            return FAILS
        return RIDES
    if not place.is_walk:
        return EITHER if kind in ("loop", "empty", "cursor") else RIDES
    incremental = place.kind != "scan"
    if not is_first and incremental and (kind != "order" or facts.get("cursor")):
        return EITHER   # a single page may be all that is asked for
    if kind == "order":
        if facts.get("cursor") and page == 1 and times == "once":
            return RIDES
        # Read in the other direction, a cursor leads back to what was read: a full walk must not end there.
        # And where the fault outlasts the fall back, it meets the full walk that follows.
        leads_back = name in ("ignore-order", "overlap")
        if leads_back and (not incremental or times != "once"):
            return EITHER
        return FALLS_BACK if incremental else RIDES
    if kind == "loop":
        return FALLS_BACK if incremental and not for_ever else FAILS
    if kind == "empty":
        return {"once": RIDES, "several": FALLS_BACK if incremental else FAILS, "for ever": FAILS}[times]
    assert kind == "cursor"
    return FAILS if for_ever else RIDES
