#!/usr/bin/env python3
"""An API that is no bottleneck: every page of an account is rendered once, at the start, and then sent from memory as it is.

    page_server.py --tickets N --messages M --port-file FILE

/api/tickets and /api/messages come newest first, a hundred a page, and their cursors are page numbers; /api/messages?ticket_id= has the
messages of one ticket; all other lists are empty. GET /_count answers how many requests there were. It ends with its standard input, so
that it cannot outlive whoever started it."""

import argparse
import json
import os
import socket
import sys
import threading
from urllib.parse import parse_qs

from workload import Account, FIRST_TICKET, PER_TICKET

PER_PAGE = 100
HEAD = ("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Gorgias-Account-Api-Call-Limit: 1/40\r\nContent-Length: {}\r\n\r\n")


def answer(body):
    return HEAD.format(len(body)).encode() + body


def envelope(uri, rows, following=None):
    """Rows are JSON already."""
    meta = json.dumps({"prev_cursor": None, "next_cursor": following, "total_resources": None})
    return f'{{"object": "list", "uri": {json.dumps(uri)}, "data": [{", ".join(rows)}], "meta": {meta}}}'.encode()


class Pages:
    """The answers to every request that there can be."""

    def __init__(self, account):
        self.lists = {"/api/tickets": self.render("/api/tickets", account.tickets, account.ticket)}
        self.places = []   # of each message: the page, and where in the page it begins and ends
        self.lists["/api/messages"] = self.render("/api/messages", account.messages, account.message, self.places)

    @staticmethod
    def render(path, count, make, places=None):
        pages, total = [], max(1, -(-count // PER_PAGE))
        for page in range(total):
            rows = [json.dumps(make(k)) for k in range(page * PER_PAGE, min(count, (page + 1) * PER_PAGE))]
            uri = f"{path}?limit={PER_PAGE}" + (f"&cursor={page}" if page else "")
            pages.append(answer(envelope(uri, rows, str(page + 1) if page + 1 < total else None)))
            if places is not None:
                at = pages[-1].index(b'"data": [') + len(b'"data": [')
                for row in rows:
                    places.append((page, at, at + len(row)))
                    at += len(row) + len(", ")
        return pages

    def thread(self, ticket):
        first = (FIRST_TICKET - ticket) * PER_TICKET
        places = self.places[first:first + PER_TICKET] if first >= 0 else []
        rows = [self.lists["/api/messages"][page][begin:end].decode() for page, begin, end in places]
        return answer(envelope(f"/api/messages?ticket_id={ticket}", rows))

    def find(self, target):
        path, _, query = target.partition("?")
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        if path == "/api/messages" and "ticket_id" in asked:
            return self.thread(int(asked["ticket_id"]))
        pages = self.lists.get(path.rstrip("/"))
        if pages is None:
            return answer(envelope(path, []))
        page = int(asked.get("cursor", 0))
        return pages[page] if page < len(pages) else answer(envelope(path, []))


class Server:
    def __init__(self, pages):
        self.pages, self.count, self.lock = pages, 0, threading.Lock()
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.socket.getsockname()[1]

    def run(self):
        while True:
            connection, _ = self.socket.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self.converse(connection)
            except (OSError, ValueError, IndexError):   # a client that leaves, or talks nonsense, is its own trouble
                pass

    def converse(self, connection):
        got = b""
        while True:
            while b"\r\n\r\n" not in got:
                more = connection.recv(65536)
                if not more:
                    return
                got += more
            request, got = got.split(b"\r\n\r\n", 1)
            target = request.split(b" ", 2)[1].decode()
            if target == "/_count":
                connection.sendall(answer(str(self.count).encode()))
                continue
            with self.lock:
                self.count += 1
            connection.sendall(self.pages.find(target))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tickets", type=int, required=True)
    parser.add_argument("--messages", type=int, default=0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--port-file", required=True)
    options = parser.parse_args()
    server = Server(Pages(Account(options.tickets, options.messages, options.seed)))
    with open(options.port_file + ".new", "w") as file:
        file.write(str(server.port))
    os.rename(options.port_file + ".new", options.port_file)
    threading.Thread(target=server.run, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
