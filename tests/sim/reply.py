"""An answer in the making: kept as rows and meta until the last moment, so that faults can spoil each part of it."""

import json
from http import HTTPStatus


class Reply:
    def __init__(self, target, status=200, body=b"", type="application/json"):
        self.target, self.status, self.body = target, status, body
        self.headers = {"Content-Type": type} if type else {}
        self.listing = False          # made of rows and cursors, not of body
        self.rows = self.next_cursor = self.prev_cursor = None
        self.bare, self.without = False, None
        self.wire = None              # how the bytes are to go wrong, see server.py
        self.date, self.skew, self.call_limit, self.retry_by = True, 0, None, None
        # For faults that need to know where the page began.
        self.mint, self.start, self.cursor, self.number = None, None, None, 0
        self.kept = None              # the body of an earlier answer

    @classmethod
    def json(cls, target, value, status=200):
        return cls(target, status, json.dumps(value, separators=(",", ":")).encode())

    @classmethod
    def error(cls, target, status, text, data=None):
        return cls.json(target, {"error": {"msg": text, **({"data": data} if data else {})}}, status)

    @classmethod
    def page(cls, target, rows, next_cursor=None, prev_cursor=None):
        reply = cls(target)
        reply.listing, reply.rows, reply.next_cursor, reply.prev_cursor = True, rows, next_cursor, prev_cursor
        return reply

    def replace(self, status, body, type):
        """Another answer altogether."""
        self.status, self.body, self.listing = status, body, False
        self.headers.pop("Content-Type", None)
        if type:
            self.headers["Content-Type"] = type

    def finish(self):
        """Rows and cursors become the body."""
        if not self.listing:
            return
        self.listing = False
        data = b"null" if self.rows is None else b"[" + b",".join(self.rows) + b"]"
        if self.bare:
            self.body = data
            return
        meta = {"prev_cursor": self.prev_cursor, "next_cursor": self.next_cursor, "total_resources": None}
        parts = {"object": b'"list"', "uri": json.dumps(self.target).encode(), "data": data,
                 "meta": json.dumps(meta, separators=(",", ":")).encode()}
        parts.pop(self.without, None)
        self.body = b"{" + b",".join(b'"%s":%s' % (name.encode(), part) for name, part in parts.items()) + b"}"

    def reason(self):
        try:
            return HTTPStatus(self.status).phrase
        except ValueError:
            return "Unknown"
