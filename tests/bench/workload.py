"""A made-up account for the benchmark: tickets of about 1.9 KB and messages of about 4 KB, newest first, the same for the same seed.
Ticket k is the k-th newest, message m the m-th newest; the newest tickets have four messages each until there are no more."""

import random
from datetime import datetime, timedelta, timezone

PER_TICKET = 4
FIRST_TICKET, FIRST_MESSAGE = 300_000_000, 800_000_000
NEWEST = datetime(2026, 1, 1, tzinfo=timezone.utc)   # fixed, so that the same seed makes the same bytes


class Account:
    def __init__(self, tickets, messages, seed=7):
        self.tickets, self.messages, self.seed = tickets, messages, seed
        self.random = random.Random(seed)
        # Words of all lengths and frequencies: text of one repeated word would compress as no real text does.
        self.words = [f"w{self.random.randrange(10 ** self.random.randrange(2, 7)):x}" for _ in range(4000)]

    def text(self, length):
        return " ".join(self.random.choices(self.words, k=length // 5))[:length]

    def person(self, number):
        return {"id": 900_000_000 + number, "email": f"person{number}@example.com", "name": f"Person {number}", "firstname": "Person",
                "lastname": str(number), "meta": {"name_set_via": "email", "location_info": {"country": "US", "city": self.text(8)}}}

    def moment(self, k):
        """Strictly older with growing k."""
        return (NEWEST - timedelta(seconds=37 * k, microseconds=self.random.randrange(1, 999_999))).isoformat()

    def messages_of(self, k):
        return max(0, min(PER_TICKET, self.messages - k * PER_TICKET))

    def ticket(self, k):
        ticket, moment = FIRST_TICKET - k, self.moment(k)
        return {
            "id": ticket, "uri": f"/api/tickets/{ticket}/", "external_id": None, "language": "en",
            "status": self.random.choice(["open", "closed"]), "priority": "normal", "channel": "email", "via": "email", "from_agent": False,
            "spam": False, "customer": self.person(k % 70_000), "assignee_user": self.person(k % 40),
            "assignee_team": {"id": 3, "name": "Team", "decoration": {"emoji": {"id": "x", "name": self.text(10)}}},
            "subject": self.text(60), "summary": None, "excerpt": self.text(200),
            "integrations": [{"name": "Support", "address": "support@example.com", "type": "gmail"}], "meta": {"a": self.text(40)},
            "tags": [{"id": tag, "name": self.text(12), "decoration": {"color": "#F58D86"}} for tag in range(k % 5)],
            "messages_count": self.messages_of(k), "is_unread": False, "created_datetime": moment, "opened_datetime": moment,
            "last_received_message_datetime": moment, "last_message_datetime": moment, "last_sent_message_not_delivered": False,
            "updated_datetime": moment, "closed_datetime": None, "snooze_datetime": None, "trashed_datetime": None,
            "custom_fields": {str(field): {"id": field, "value": self.text(20)} for field in range(5)}}

    def message(self, m):
        message, ticket, body = FIRST_MESSAGE - m, FIRST_TICKET - m // PER_TICKET, self.text(900)
        return {
            "id": message, "uri": f"/api/tickets/{ticket}/messages/{message}/", "message_id": f"<{message}@example.com>",
            "ticket_id": ticket, "external_id": None, "public": True, "channel": "email", "via": "email",
            "source": {"type": "email", "from": {"name": "a", "address": "b@example.com"},
                       "to": [{"name": "a", "address": "b@example.com"}], "cc": [], "bcc": []},
            "sender": self.person(m % 70_000), "receiver": self.person(m % 40), "integration_id": 5, "intents": [], "rule_id": None,
            "from_agent": False, "subject": self.text(60), "body_text": body, "body_html": f"<div>{body}</div>", "stripped_text": body,
            "stripped_html": None, "stripped_signature": None, "headers": {self.text(8): self.text(30) for _ in range(8)},
            "attachments": [], "actions": [], "macros": [], "meta": None, "created_datetime": self.moment(m), "sent_datetime": None,
            "failed_datetime": None, "deleted_datetime": None, "opened_datetime": None, "last_sending_error": None, "is_retriable": False}
