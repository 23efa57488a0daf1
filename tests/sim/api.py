"""The API itself: a request to /api comes in, a Reply goes out."""

import base64
import json
import re
from dataclasses import dataclass
from functools import partial
from urllib.parse import parse_qsl, quote

import views
from cursors import BadCursor
from endpoints import BY_PATH, Param, integer, limit, one_of
from faults import EARLY, FAULTS
from reply import Reply
from shelf import NULL_NUMBER, dump, sort_value

VIEW_ORDERS = ("created_datetime", "updated_datetime", "last_message_datetime", "last_received_message_datetime", "closed_datetime",
               "snooze_datetime", "priority")


def _view_value(order, row):
    if order == "priority":
        return ("low", "normal", "high", "critical").index(row["priority"]) if row["priority"] else -1
    try:
        return sort_value(order, row)
    except ValueError:   # a hostile datetime
        return NULL_NUMBER


class Refused(Exception):
    """Status 400, with what is wrong with which parameter."""

    def __init__(self, field, message):
        super().__init__(message)
        self.data = {field: [message]}


@dataclass
class Query:
    """A list call, read and checked."""
    endpoint: object
    values: dict
    order: str
    descending: bool
    limit: int
    cursor: str
    signature: tuple
    overlap: int = 0

    def refuse(self, field, message):
        raise Refused(field, message)


def parameters(query, declared):
    """The query string's values by name, each checked by its declaration. Unknown and repeated ones are refused."""
    given = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in declared:
            raise Refused(name, "Unknown field.")
        given.setdefault(name, []).append(value)
    values = {}
    for name, texts in given.items():
        param = declared[name]
        if len(texts) > max(1, param.many):
            raise Refused(name, f"Longer than maximum length {param.many}." if param.many else "Given more than once.")
        try:
            checked = [param.check(text) for text in texts]
        except ValueError as error:
            raise Refused(name, str(error)) from None
        values[name] = checked if param.many else checked[0]
    for name, param in declared.items():
        if param.required and name not in values:
            raise Refused(name, "Missing data for required field.")
        if param.needs and name in values and param.needs not in values:
            raise Refused(param.needs, f"Required when {name} is given.")
    return values


class Api:
    def __init__(self, account, settings, cursors):
        self.account, self.settings, self.cursors = account, settings, cursors
        self.served = 0
        self.kept = {}   # path without an id -> target and body of the last good answer

    def answer(self, request, faults):
        """The reply to a request that has been let in. `faults` are the rules' faults: [(name, args)]."""
        self.served += 1
        path, target = request.path, request.target
        try:
            reply = self._route(path.removeprefix("/api").strip("/"), request, [f for f in faults if f[0] in EARLY])
        except Refused as refused:
            reply = Reply.error(target, 400, "Bad request.", refused.data)
        reply.number = self.served
        kind = re.sub(r"/\d+$", "/", path)
        kept, body = self.kept.get(kind, (target, None))
        reply.kept = body if kept != target else None
        for name, arguments in faults:
            if name not in EARLY:
                FAULTS[name][1](reply, **(arguments or {}))
        if reply.status == 200 and not faults:
            reply.finish()
            self.kept[kind] = target, reply.body
        return reply

    # -- routing

    def _route(self, path, request, early):
        target, account = request.target, self.account
        not_found = Reply.error(target, 404, "Resource not found.")
        if request.method == "PUT" and path == "views/0/items":
            return self._adhoc_view(request)
        if request.method != "GET":
            return Reply.error(target, 405, "The specified HTTP method is not allowed.")
        if path in BY_PATH:
            return self._list(BY_PATH[path], request, early)
        if path == "account":
            parameters(request.query, {})
            return Reply(target, body=dump(account.account))
        if path == "account/settings":
            wanted = parameters(request.query, {"type": Param(str)}).get("type")
            return Reply(target, body=dump({"data": [s for s in account.account["settings"] if wanted in (None, s["type"])]}))
        match = re.fullmatch(r"(.+?)/(\d{1,18})((?:/.*)?)", path)
        if not match or match[1] not in BY_PATH or not BY_PATH[match[1]].single:
            return not_found
        endpoint, id, rest = BY_PATH[match[1]], int(match[2]), match[3].strip("/")
        merged = account.merged.get(endpoint.shelf, {}).get(id)
        if merged is not None and (endpoint.shelf == "customers" or self.settings.merged_ticket == "301"):
            while merged in account.merged[endpoint.shelf]:
                merged = account.merged[endpoint.shelf][merged]
            reply = Reply(target, 301, b"", None)
            reply.headers["Location"] = f"{request.origin}/api/{endpoint.path}/{merged}" + (f"/{rest}" if rest else "")
            return reply
        shelf = account.shelves[endpoint.shelf]
        if endpoint.shelf == "users" and id == 0 and shelf.rows:
            id = shelf.ids()[0]   # the caller
        if id not in shelf:
            return not_found
        if not rest:
            relations = {"relationships": Param(one_of("custom_fields"), many=1)} if endpoint.path in ("tickets", "customers") else {}
            parameters(request.query, relations)
            if endpoint.shelf == "tickets":
                return Reply(target, body=dump(account.ticket_detail(id)))
            if endpoint.shelf == "customers":
                return Reply(target, body=dump(account.customer_detail(id)))
            return Reply(target, body=shelf.data(id))
        return self._below(endpoint, id, rest, request) or not_found

    def _below(self, endpoint, id, rest, request):
        """What hangs below a single object."""
        account, target = self.account, request.target
        if endpoint.path == "tickets":
            row = account.tickets.row(id)
            if rest == "messages":   # deprecated: the whole thread, oldest first
                parameters(request.query, {})
                return Reply.page(target, [dump(message) for message in account.messages_of(id)])
            if rest == "tags":
                return Reply(target, body=dump({"data": row["tags"]}))
            match = re.fullmatch(r"messages/(\d{1,18})", rest)
            if match and int(match[1]) in account.messages and int(match[1]) in account.thread(id):
                return Reply(target, body=account.messages.data(int(match[1])))
        if rest == "custom-fields" and endpoint.path in ("tickets", "customers"):
            values = account.shelves[endpoint.shelf].row(id)["custom_fields"] or {}
            return Reply(target, body=dump({"data": [
                {"field": account.custom_fields.row(v["id"]) if v["id"] in account.custom_fields else {"id": v["id"]}, "value": v["value"]}
                for v in values.values()]}))
        if endpoint.path == "views" and rest == "items":
            view = account.views.row(id)
            return self._view_items(request, view["filters"], f"{view['order_by']}:{view['order_dir']}", f"/api/views/{id}/items/")
        return None

    # -- lists

    def _read(self, endpoint, request):
        declared = {**endpoint.params, "cursor": Param(str), "limit": Param(limit)}
        if endpoint.ordered:
            declared["order_by"] = Param(endpoint.order)
        values = parameters(request.query, declared)
        order, descending = values.pop("order_by", None) or endpoint.order(endpoint.default)
        # A cursor belongs to the request that it was minted for, whatever the order of its parameters; the page size may change.
        same = tuple(sorted(p for p in parse_qsl(request.query, keep_blank_values=True) if p[0] not in ("cursor", "limit")))
        return Query(endpoint, values, order, descending, values.pop("limit", endpoint.limit), values.pop("cursor", None),
                     (endpoint.path, same))

    def _list(self, endpoint, request, early):
        query = self._read(endpoint, request)
        for name, arguments in early:
            FAULTS[name][1](query, **(arguments or {}))
        shelf, target = self.account.shelves[endpoint.shelf], request.target
        ids, keep, bounds = self._filters(endpoint, query.values, shelf)
        if endpoint.bare and self.settings.bare_array:
            found, _ = shelf.page(query.order, query.descending, None, len(shelf), keep=keep, ids=ids, bounds=bounds)
            reply = Reply.page(target, [shelf.data(id) for _, id in found])
            reply.bare = True
            return reply
        if endpoint.shelf == "messages" and self.settings.unknown_ticket_messages == "404" \
                and query.values.get("ticket_id", None) not in self.account.tickets and "ticket_id" in query.values:
            return Reply.error(target, 404, "Resource not found.")

        direction, position = "next", None
        if query.cursor is not None:
            try:
                direction, position = self.cursors.redeem(query.cursor, query.signature)
            except BadCursor as error:
                raise Refused("cursor", str(error)) from None
        # Backwards is forwards in the opposite order, turned round.
        back = direction == "prev"
        if query.overlap and position is not None:
            before, _ = shelf.page(query.order, query.descending == back, position, query.overlap, bounds=bounds, keep=keep, ids=ids)
            position = before[-1] if len(before) == query.overlap else None
        found, more = shelf.page(query.order, query.descending != back, position, query.limit, bounds=bounds, keep=keep, ids=ids)
        if back:
            found.reverse()
        mint = partial(self.cursors.mint, query.signature)
        reply = Reply.page(target, [shelf.data(id) for _, id in found])
        if found and (more or back):
            reply.next_cursor = mint("next", query.order, found[-1])
        if found and query.cursor is not None and (more or not back):
            reply.prev_cursor = mint("prev", query.order, found[0])
        reply.start, reply.cursor = position, query.cursor
        reply.mint = lambda where, nonce: mint("next", query.order, where, nonce)
        return reply

    def _filters(self, endpoint, values, shelf):
        """What the parameters leave: ids or None for all, a predicate or None, and bounds of the sort value."""
        groups, keeps, low, high = [], [], None, None
        for name, param in endpoint.params.items():
            value = values.get(name, param.default)
            if value is None:
                continue
            if name.startswith("created_datetime["):
                comparator = name[17:-1]
                edge = value + (comparator in ("gt", "lte"))
                if comparator in ("gt", "gte"):
                    low = edge if low is None else max(low, edge)
                else:
                    high = edge if high is None else min(high, edge)
            elif name == "ticket_ids":
                groups.append(set(value))
            elif name == "types":
                wanted = set(value)
                keeps.append(lambda id, wanted=wanted: self.account.event_type(id) in wanted)
            elif name == "view_id" and endpoint.shelf == "tickets":
                if value not in self.account.views:
                    groups.append(set())
                else:
                    fits = views.matcher(self.account.views.row(value)["filters"])
                    keeps.append(lambda id, fits=fits: fits(shelf.row(id)))
            elif name == "ticket_id" and endpoint.shelf == "messages":
                groups.append(set(self.account.thread(value)))
            elif param.group:
                groups.append(set(shelf.group(param.group, value)))
            elif param.keep:
                keeps.append(lambda id, param=param, value=value: param.keep(shelf.row(id), value))
        ids = set.intersection(*groups) if groups else None
        keep = (lambda id: all(k(id) for k in keeps)) if keeps else None
        return ids, keep, (low, high)

    # -- the items of views: a paging of their own

    def _adhoc_view(self, request):
        try:
            view = json.loads(request.body)["view"]
            return self._view_items(request, view.get("filters", ""),
                                    f"{view.get('order_by', 'updated_datetime')}:{view.get('order_dir', 'desc')}", "/api/views/0/items/")
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Refused("view", "Invalid view.") from None

    def _view_items(self, request, filters, default, path):
        """Microseconds and a flag make the cursor; the item on the edge is named, and ignored."""
        orders = tuple(f"{name}:{way}" for name in VIEW_ORDERS for way in ("asc", "desc"))
        values = parameters(request.query, {
            "cursor": Param(str), "direction": Param(one_of("next", "prev")), "ignored_item": Param(integer), "limit": Param(limit),
            "order_by": Param(one_of(*orders))})
        order, _, way = values.get("order_by", default).partition(":")
        try:
            fits = views.matcher(filters)
        except ValueError as error:
            raise Refused("filters", str(error)) from None
        tickets = self.account.tickets
        rows = [(_view_value(order, row), id) for id in tickets.rows if fits(row := tickets.row(id))]
        back = values.get("direction") == "prev"
        rows.sort(reverse=(way == "desc") != back)
        start = 0
        if "cursor" in values:
            try:
                edge = int(base64.b64decode(values["cursor"], validate=True).split(b"-")[0])
            except ValueError:
                raise Refused("cursor", "Invalid cursor.") from None
            ignored = (edge, values.get("ignored_item", 0))
            start = sum(1 for row in rows if (row <= ignored if (way == "asc") != back else row >= ignored))
        size = values.get("limit", 30)
        page, more = rows[start:start + size], len(rows) > start + size
        if back:
            page.reverse()

        def link(direction, row):
            cursor = quote(base64.b64encode(f"{row[0]}-false".encode()).decode(), safe="")
            return f"{path}?direction={direction}&ignored_item={row[1]}&cursor={cursor}"
        meta = {"current_cursor": values.get("cursor"), "prev_items": link("prev", page[0]) if page and "cursor" in values else None,
                "next_items": link("next", page[-1]) if page and (more or back) else None}
        body = b'{"data":[' + b",".join(tickets.data(id) for _, id in page) + b'],"meta":' + json.dumps(meta).encode()
        return Reply(request.target, body=body + b',"object":"list","uri":' + json.dumps(request.target).encode() + b"}")
