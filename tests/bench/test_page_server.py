"""What the benchmark's server says is consistent: with itself, and with what it says elsewhere."""

import json
import threading
import unittest
import urllib.request

from workload import Account
from page_server import Pages, Server


class PageServer(unittest.TestCase):
    def setUp(self):
        self.server = Server(Pages(Account(tickets=250, messages=321)))
        threading.Thread(target=self.server.run, daemon=True).start()
        self.addCleanup(self.server.socket.close)

    def get(self, target):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.server.port}{target}", timeout=20) as answer:
            return json.load(answer)

    def walk(self, path):
        rows, cursor = [], ""
        while cursor is not None:
            page = self.get(f"{path}?limit=100{cursor and '&cursor=' + cursor}")
            rows += page["data"]
            cursor = page["meta"]["next_cursor"]
        return rows

    def test_lists_are_complete_and_newest_first(self):
        for path, count, column in (("/api/tickets", 250, "updated_datetime"), ("/api/messages", 321, "created_datetime")):
            rows = self.walk(path)
            self.assertEqual(count, len({row["id"] for row in rows}))
            moments = [row[column] for row in rows]
            self.assertEqual(sorted(moments, reverse=True), moments)

    def test_a_ticket_has_as_many_messages_as_it_says(self):
        messages = self.walk("/api/messages")
        for ticket in self.walk("/api/tickets"):
            thread = self.get(f"/api/messages?ticket_id={ticket['id']}")["data"]
            self.assertEqual(ticket["messages_count"], len(thread))
            self.assertEqual([message for message in messages if message["ticket_id"] == ticket["id"]], thread)

    def test_counts_requests_but_not_the_question(self):
        self.get("/api/tickets")
        self.get("/api/users")
        self.assertEqual([2, 2], [self.get("/_count"), self.get("/_count")])


if __name__ == "__main__":
    unittest.main()
