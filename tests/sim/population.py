"""The seeded account. Everything about ticket i follows from (seed, i), so that a large account is planned, not stored:
a Plan says what happens to a ticket and when; the builders turn plans into the API's objects when somebody reads them."""

from array import array
from bisect import bisect_right
from functools import lru_cache
from itertools import accumulate
from math import exp
from random import Random
from types import SimpleNamespace
from uuid import UUID

import words
from clock import DAY, HOUR, MINUTE, SECOND, iso
from hostile import spoil

# Sequences are shared by all tenants of the API: high, with gaps, and some are beyond 32 bits.
TICKETS, TICKETS_LATE = 274_313_359, 2_147_483_648
CUSTOMERS, CUSTOMERS_LATE = 358_036_840, 4_294_967_296
SURVEYS, EVENTS, MESSAGES_MIDDLE = 3_416_057, 9_876_543_210, 2_147_483_648

# What a ticket's life records. An event's seed carries its position here, so that events can be filtered unbuilt.
KINDS = ("customer-created", "ticket-created", "ticket-message-created", "ticket-assigned", "ticket-tags-added",
         "ticket-closed", "satisfaction-survey-sent", "satisfaction-survey-responded", "ticket-trashed",
         "ticket-marked-spam", "ticket-snoozed")
KIND = {name: code for code, name in enumerate(KINDS)}

HOURS = tuple(accumulate((1, 1, 1, 1, 1, 2, 4, 7, 10, 12, 12, 11, 10, 11, 11, 10, 9, 8, 8, 8, 7, 5, 3, 2)))
CHANNEL_SHARES = tuple(accumulate(share for _, _, share, _ in words.CHANNELS))
SCORE_SHARES = tuple(accumulate(words.SCORES.values()))


def pick(shares, r):
    return bisect_right(shares, r * shares[-1])


class Plan:
    """What happens to one ticket: moments in microseconds, people as positions."""

    __slots__ = ("index", "id", "customer", "channel", "topic", "agent", "team", "created", "messages", "assigned", "closed",
                 "snoozed", "trashed", "spam", "survey", "tags", "updated", "context")


class Population:
    def __init__(self, *, now, seed=1, tickets=200, customers=None, messages_per_ticket=4.0, days=365, users=12, teams=4, tags=25,
                 macros=30, rules=8, custom_fields=9, views=8, integrations=8, hostile=False, datetimes="offset", body_bytes=0, old_fields=False):
        self.seed, self.now, self.days, self.hostile, self.form = seed, now, days, hostile, datetimes
        self.n, self.old_fields = tickets, old_fields
        self.customers = max(1, tickets // 3) if customers is None else customers
        self.mean, self.body_bytes = messages_per_ticket, body_bytes
        self.start = now - days * DAY
        self.sizes = SimpleNamespace(users=users, teams=teams, tags=tags, macros=macros, rules=rules, custom_fields=custom_fields,
                                     views=views, integrations=integrations)
        self._rng = Random()
        self._tie_block = max(2, min(1000, tickets // 2))
        self.plan = lru_cache(8192)(self._plan)
        self.customer = lru_cache(8192)(self._customer)
        self.people = _People(self)
        self._survey_of, self.survey_tickets = {}, array("q")

    # -- ids

    def ticket_id(self, i):
        base = TICKETS if i < self.n - max(1, self.n // 50) else TICKETS_LATE
        return base + 7 * i + (i * 2654435761 + self.seed >> 7) % 7

    def customer_id(self, c):
        base = CUSTOMERS if c < self.customers - max(1, self.customers // 50) else CUSTOMERS_LATE
        return base + 5 * c + (c * 2654435761 + self.seed >> 7) % 5

    # -- plans

    def _moment(self, r, us):
        """One moment in eight has no fraction: the API then writes none."""
        return us - us % SECOND if r() < 0.125 else us

    def _plan(self, i):
        rng, now = self._rng, self.now
        rng.seed(self.seed * 1_000_003 + i)
        r = rng.random
        p = Plan()
        p.index, p.id = i, self.ticket_id(i)

        # Created by day evenly, within the day when people are awake; today only up to now.
        day = self.start + int((i + r()) / self.n * (now - self.start))
        day -= day % DAY
        created = day + int((pick(HOURS, r()) + r()) * HOUR)
        if created > now - MINUTE:
            created = day + int(r() * max(now - day - MINUTE, 0))
        p.created = created = self._moment(r, max(created, self.start))

        p.channel = pick(CHANNEL_SHARES, r())
        p.topic = int(r() ** 1.4 * len(words.TOPICS))
        p.customer = int(r() * self.customers * (i + 1) / self.n) if self.customers else None
        p.spam = r() < 0.02
        agents = self.people.agents
        p.agent = int(r() ** 1.5 * len(agents)) if agents and r() < 0.9 else None
        p.team = int(r() * self.sizes.teams) if self.sizes.teams and r() < 0.5 else None

        # The conversation: customer and agents in turn. An agent's pace and the channel make the first response.
        wanted = 0 if self.mean <= 0 else 1 + (int(rng.expovariate(1 / (self.mean - 1)) + 0.5) if self.mean > 1 else 0)
        if p.spam:
            wanted = min(wanted, 1)
        elif self.hostile and i == 3:
            wanted = 250   # a thread of three pages
        pace = 0.5 + 0.35 * ((p.agent or 0) % 5)
        median = words.CHANNELS[p.channel][3] * MINUTE
        p.messages, at, from_agent = [], created, False
        for _ in range(wanted):
            if at > now - SECOND:
                break
            p.messages.append((at, from_agent))
            answering = p.agent is not None and not from_agent or (from_agent and r() < 0.25)
            wait = median * pace if answering else median * 1.5 + 10 * MINUTE
            if self.hostile and i == 3:
                wait = SECOND
            at = self._moment(r, at + SECOND + int(wait * exp(rng.gauss(0, 0.9))))
            from_agent = answering
        last = p.messages[-1][0] if p.messages else created
        p.assigned = min(created + int(r() * 5 * MINUTE), now) if p.agent is not None else None

        age = now - last
        closing = 0.97 if age > 7 * DAY else 0.85 if age > 2 * DAY else 0.5 if age > 4 * HOUR else 0.15
        p.closed = min(self._moment(r, last + int(r() * HOUR) + SECOND), now) if r() < closing else None
        p.snoozed = now + int(r() * 5 * DAY) if p.closed is None and r() < 0.08 else None
        p.trashed = min(last + int(r() * 5 * DAY) + MINUTE, now) if r() < 0.015 else None

        p.survey = None
        if p.closed is not None and not p.spam and p.customer is not None and r() < 0.35:
            surveyed = min(p.closed + SECOND // 5, now)
            due = surveyed - surveyed % SECOND + DAY
            sent = due + int(r() * MINUTE) if due + MINUTE < now else None
            scored = self._moment(r, sent + int(rng.expovariate(1 / (2 * DAY)))) if sent and r() < 0.4 else None
            if scored is not None and scored > now:
                scored = None
            # Quick agents are liked: the score leans on the pace.
            score = 1 + pick(SCORE_SHARES, r() ** (0.7 + 0.3 * pace)) if scored else None
            p.survey = (surveyed, due, sent, scored, score)

        p.tags = sorted({p.topic, int(r() ** 2 * self.sizes.tags)} if r() < 0.5 else {p.topic} if r() < 0.7 else set())
        p.tags = [t for t in p.tags if t < self.sizes.tags]
        p.context = rng.getrandbits(128)
        known = (last, p.closed or 0, p.trashed or 0, p.assigned or 0)
        p.updated = min(max(known) + int(r() * SECOND), now)
        if self.hostile:
            self._strain(p)
        return p

    def _strain(self, p):
        """Hostile moments: large groups of equal updated_datetime, null ones, tickets created in the future."""
        i, block = p.index, self._tie_block
        if i % 97 == 5:
            p.updated = None
        elif block // 5 <= i % block < block * 9 // 20:
            tie = self.now - 3 * DAY - i // block * HOUR
            p.updated = tie
            if i % block < block * 6 // 20:   # imported in one transaction: everything at the same moment
                p.created, p.messages = tie, [(tie, from_agent) for _, from_agent in p.messages]
        if i % 89 == 7:
            p.created = self.now + 40 * DAY

    # -- the whole account's lists

    def build(self):
        """All ids and all index entries, in one pass over the plans: {shelf: (rows, indexes)}."""
        tickets, by_updated, by_created = {}, [], []
        messages, surveys, events = [], [], []
        self.first = array("q", (0,))
        keep_events = self.now - self.days * DAY
        for i in range(self.n):
            p = self._plan(i)
            tickets[p.id] = i
            by_created.append((p.created, p.id))
            by_updated.append((p.updated if p.updated is not None else 1 << 62, p.id))
            offset = self.first[-1]
            for j, (at, _) in enumerate(p.messages):
                messages.append((at, offset + j))
            self.first.append(offset + len(p.messages))
            if p.survey:
                surveys.append((p.survey[0], i))
            for k, (at, kind, *_) in enumerate(self._happenings(p)):
                if at >= keep_events:
                    events.append((at, i << 24 | k << 8 | KIND[kind]))
        people = [(self.customer_created(c), -1 - c) for c in range(self.customers)]
        events.extend(event for event in people if event[0] >= keep_events)
        for index in (by_created, by_updated, messages, surveys, events):
            index.sort()

        # Ids of messages and events follow time; messages cross 2^31 in the middle.
        self.message_ids = array("q", bytes(8 * len(messages)))
        base = MESSAGES_MIDDLE - 3 * (len(messages) // 2)
        for rank, (at, offset) in enumerate(messages):
            id = base + 3 * rank + rank * 40503 % 3
            self.message_ids[offset] = id
            messages[rank] = (at, id)
        message_rows = {id: offset for offset, id in enumerate(self.message_ids)}
        survey_rows = {}
        for rank, (at, i) in enumerate(surveys):
            id = SURVEYS + 3 * rank + rank % 2
            survey_rows[id] = i
            self._survey_of[i] = id
            surveys[rank] = (at, id)
        event_rows = {}
        for rank, (at, seed) in enumerate(events):
            id = EVENTS + 2 * rank + rank * 40503 % 2
            event_rows[id] = seed
            events[rank] = (at, id)
        self.position = dict(tickets)   # outlives the deletion of a ticket
        customers = {self.customer_id(c): c for c in range(self.customers)}
        return {
            "tickets": (tickets, {"created_datetime": by_created, "updated_datetime": by_updated}),
            "messages": (message_rows, {"created_datetime": messages}),
            "surveys": (survey_rows, {"created_datetime": surveys}),
            "events": (event_rows, {"created_datetime": events}),
            "customers": (customers, {
                "created_datetime": sorted((self.customer_created(c), id) for id, c in customers.items()),
                "updated_datetime": sorted((self.customer_updated(c), id) for id, c in customers.items())}),
        }

    def thread(self, i):
        """The message ids of ticket i."""
        return self.message_ids[self.first[i]:self.first[i + 1]].tolist()

    # -- customers

    def customer_created(self, c):
        r = c * 2654435761 % 1000003 / 1000003
        at = self.start - 30 * DAY + int((c + r) / max(1, self.customers) * (self.now - self.start))
        return at - at % SECOND if c % 8 == 0 else at

    def customer_updated(self, c):
        created = self.customer_created(c)
        if self.hostile and c % 10 < 4 and self.customers > 10:
            return max(self.now - 2 * DAY, created)   # a tie group
        return created if c % 3 else min(created + (c * 7919 % 400) * HOUR + 1, self.now)

    def _customer(self, c):
        """The part of a customer that tickets and messages embed."""
        first = words.FIRST[c * 7 % len(words.FIRST)]
        last = words.LAST[c // len(words.FIRST) * 11 % len(words.LAST)]
        id = self.customer_id(c)
        if c % 9 == 4:   # from a social channel: no address, no name
            return {"id": id, "email": None, "name": None, "firstname": "", "lastname": "", "meta": {}}
        _, zone, country, city = words.LANGUAGES[c % len(words.LANGUAGES)]
        meta = {"name_set_via": "shopify", "location_info": {"ip": f"192.0.2.{c % 250}", "city": city, "country_code": country,
                                                              "time_zone": {"name": zone}}} if c % 2 else {}
        return {"id": id, "email": f"{first}.{last}{c}@example.com".lower().replace("'", ""), "name": f"{first} {last}",
                "firstname": first, "lastname": last, "meta": meta}

    def build_customer(self, id, c):
        compact = self.customer(c)
        language, zone, _, city = words.LANGUAGES[c % len(words.LANGUAGES)]
        known = c % 9 != 4
        row = {
            "id": id,
            "external_id": f"customer-{c}" if c % 3 == 0 else None,
            "active": c % 50 != 49,
            "email": compact["email"],
            "name": compact["name"],
            "firstname": compact["firstname"],
            "lastname": compact["lastname"],
            "language": language if known else None,
            "timezone": zone if known else None,
            "created_datetime": self.iso(self.customer_created(c)),
            "updated_datetime": self.iso(self.customer_updated(c)),
            "meta": dict(compact["meta"]) if known else None,
            "data": {"city": city, "tier": "gold"} if c % 7 == 0 else None,
            "note": "Prefers to be called in the morning." if c % 11 == 0 else None,
            "custom_fields": {"201": {"id": 201, "value": "wholesale"}} if c % 6 == 0 else {},
        }
        return spoil("customers", row, c) if self.hostile else row

    # -- tickets and what hangs on them

    def iso(self, us):
        return None if us is None else iso(us, self.form)

    def build_ticket(self, id, i):
        p = self.plan(i)
        channel, via, _, _ = words.CHANNELS[p.channel]
        topic = words.TOPICS[p.topic]
        agent = None if p.agent is None else self.people.agents[p.agent]
        received = [at for at, from_agent in p.messages if not from_agent]
        subject = None if channel in ("chat", "sms", "whatsapp") else topic[3].replace("{order}", str(1000 + i))
        row = {
            "id": id,
            "uri": f"/api/tickets/{id}/",
            "external_id": f"RETURN#{i}" if i % 20 == 0 else None,
            "language": words.LANGUAGES[(p.customer or 0) % len(words.LANGUAGES)][0] if p.messages else None,
            "status": "closed" if p.closed else "open",
            "priority": ("normal", "normal", "normal", "normal", "high", "low", "critical")[i % 7],
            "channel": channel,
            "via": via,
            "from_agent": bool(p.messages and p.messages[0][1]),
            "spam": p.spam,
            "customer": None if p.customer is None else self.customer(p.customer),
            "assignee_user": agent,
            "assignee_team": None if p.team is None else self.people.teams[p.team],
            "subject": subject,
            "summary": {"content": f"The customer writes about: {topic[0]}.", "created_datetime": self.iso(p.created),
                        "updated_datetime": self.iso(p.created), "triggered_by": agent["id"] if agent else None}
                       if i % 10 == 0 else None,
            "excerpt": self.text(p, len(p.messages) - 1)[:200] if p.messages else None,
            "integrations": [{"name": "Support", "address": "support@example.com", "type": "gmail"}] if channel == "email" else [],
            "meta": {} if i % 4 else None,
            "tags": [self.people.tags[t] for t in p.tags],
            "messages_count": len(p.messages),
            "is_unread": p.closed is None and i % 3 == 0,
            "created_datetime": self.iso(p.created),
            "opened_datetime": self.iso(p.assigned),
            "last_received_message_datetime": self.iso(received[-1]) if received else None,
            "last_message_datetime": self.iso(p.messages[-1][0]) if p.messages else None,
            "last_sent_message_not_delivered": i % 200 == 199,
            "updated_datetime": self.iso(p.updated),
            "closed_datetime": self.iso(p.closed),
            "snooze_datetime": self.iso(p.snoozed),
            "trashed_datetime": self.iso(p.trashed),
            "custom_fields": {"123": {"id": 123, "value": topic[1]}} if p.index % 10 < 7 else None,
        }
        if self.old_fields:
            row["requester"] = row["customer"]
        return spoil("tickets", row, i) if self.hostile else row

    def text(self, p, j):
        topic = words.TOPICS[p.topic]
        said = topic[5] if p.messages[j][1] else topic[4]
        text = said if j < 2 else f"{said} ({j + 1})"
        return text + "\n" + "Lorem ipsum dolor sit amet. " * (self.body_bytes // 28) if self.body_bytes else text

    def build_message(self, id, offset):
        i = bisect_right(self.first, offset) - 1
        p, j = self.plan(i), offset - self.first[i]
        at, from_agent = p.messages[j]
        channel, via, _, _ = words.CHANNELS[p.channel]
        note = from_agent and (i + j) % 12 == 0 and j > 1
        failed = from_agent and i % 200 == 199 and j == len(p.messages) - 1
        customer = None if p.customer is None else self.customer(p.customer)
        agent = None if p.agent is None else self.people.agents[p.agent]
        text = self.text(p, j)
        email = channel in ("email", "contact_form")
        here = {"name": "Support", "address": "support@example.com"}
        there = {"name": customer and customer["name"], "address": customer and customer["email"]}
        sent = None if failed else min(at + (SECOND if from_agent and not note else 0), self.now)
        row = {
            "id": id,
            "uri": f"/api/tickets/{p.id}/messages/{id}/",
            "message_id": f"<{id}.{i}@mail.example.com>" if email else None,
            "ticket_id": p.id,
            "external_id": f"MSG-{offset}" if offset % 5 == 0 else None,
            "public": not note,
            "channel": "internal-note" if note else channel,
            "via": "internal-note" if note else "helpdesk" if from_agent else via,
            "source": {"type": channel, "from": here if from_agent else there, "to": [] if note else [there if from_agent else here],
                       "cc": [], "bcc": [], "extra": {"include_thread": True} if email else None},
            "sender": agent if from_agent else customer,
            "receiver": None if note else customer if from_agent else None,
            "auth_customer_identity": None,
            "integration_id": 28643 if email and not from_agent else None,
            "intents": [{"name": words.TOPICS[p.topic][2], "is_user_feedback": False, "rejected": None}] if not from_agent else [],
            "rule_id": 1234 if from_agent and offset % 17 == 0 else None,
            "from_agent": from_agent,
            "subject": words.TOPICS[p.topic][3].replace("{order}", str(1000 + i)) if email else None,
            "body_text": text,
            "body_html": f"<div>{text}</div>",
            "stripped_text": text,
            "stripped_html": f"<div>{text}</div>" if email else None,
            "stripped_signature": f"--\n{customer['name']}" if email and customer and not from_agent else None,
            "headers": {"X-MS-Has-Attach": "", "reply-to": there["address"]} if email and not from_agent else None,
            "attachments": [{"url": f"https://uploads.example.com/{id}/photo.png", "name": "photo.png", "content_type": "image/png",
                             "size": 48_576, "public": True, "extra": None}] if p.topic == 3 and j == 0 else [],
            "actions": [{"name": "setResponseText", "title": "Reply", "type": "user", "status": "success",
                         "arguments": {"body_text": text}}] if from_agent and offset % 9 == 0 else [],
            "macros": [{"id": 23453 + offset % 7}] if from_agent and offset % 4 == 0 else [],
            "meta": {"current_page": "https://shop.example.com/cart"} if channel == "chat" else None,
            "created_datetime": self.iso(at),
            "sent_datetime": self.iso(sent),
            "failed_datetime": self.iso(min(at + 4 * SECOND, self.now)) if failed else None,
            "deleted_datetime": None,
            "opened_datetime": self.iso(min(at + HOUR, self.now)) if from_agent and email and offset % 3 == 0 else None,
            "last_sending_error": {"error": "550 5.1.1 mailbox unavailable"} if failed else None,
            "is_retriable": failed,
            "replied_by": None,
            "replied_to": None,
        }
        return spoil("messages", row, offset) if self.hostile else row

    def build_survey(self, id, i):
        p = self.plan(i)
        created, due, sent, scored, score = p.survey
        row = {
            "id": id,
            "body_text": words.COMMENTS[score] if score and i % 3 == 0 else None,
            "created_datetime": self.iso(created),
            "customer_id": self.customer_id(p.customer),
            "meta": {"postcall": True} if p.channel == 3 else None,
            "score": score,
            "scored_datetime": self.iso(scored),
            "sent_datetime": self.iso(sent),
            "should_send_datetime": self.iso(due),
            "ticket_id": p.id,
            "uri": f"/api/satisfaction-surveys/{id}/",
        }
        return spoil("surveys", row, i) if self.hostile else row

    # -- events

    def _happenings(self, p):
        """(moment, type, object type, which, user, data) in the order of a ticket's life; `which` is a position, not yet an id."""
        yield p.created, "ticket-created", "Ticket", None, False, None
        if p.spam:
            yield p.created, "ticket-marked-spam", "Ticket", None, False, None
        if p.tags:
            yield p.created, "ticket-tags-added", "Ticket", None, False, "tags"
        for j, (at, from_agent) in enumerate(p.messages):
            yield at, "ticket-message-created", "TicketMessage", j, from_agent, None
        if p.assigned is not None:
            yield p.assigned, "ticket-assigned", "Ticket", None, True, "assignee"
        if p.snoozed is not None:
            yield p.updated or p.created, "ticket-snoozed", "Ticket", None, True, None
        if p.closed is not None:
            yield p.closed, "ticket-closed", "Ticket", None, True, None
        if p.survey and p.survey[2]:
            yield p.survey[2], "satisfaction-survey-sent", "SatisfactionSurvey", None, False, None
            if p.survey[3]:
                yield p.survey[3], "satisfaction-survey-responded", "SatisfactionSurvey", None, False, "score"
        if p.trashed is not None:
            yield p.trashed, "ticket-trashed", "Ticket", None, True, None

    def build_event(self, id, seed):
        if seed < 0:
            c = -1 - seed
            at, kind, type, object_id, user, data = (self.customer_created(c), "customer-created", "Customer", self.customer_id(c),
                                                     None, None)
            context = None
        else:
            p = self.plan(seed >> 24)
            at, kind, type, which, by_agent, about = list(self._happenings(p))[seed >> 8 & 0xFFFF]
            agent = self.people.agents[p.agent]["id"] if p.agent is not None else None
            user = agent if by_agent else None
            data = {"tags": lambda: {"tags_added": [self.people.tags[t]["id"] for t in p.tags]},
                    "assignee": lambda: {"assignee_user_id": agent},
                    "score": lambda: {"score": p.survey[4], "body_text": None}}[about]() if about else None
            object_id = p.id
            if type == "TicketMessage":
                object_id = self.message_ids[self.first[p.index] + which]
            elif type == "SatisfactionSurvey":
                object_id = self._survey_of[p.index]
            context = str(UUID(int=p.context))
        row = {"id": id, "context": context, "created_datetime": self.iso(at), "data": data, "object_id": object_id,
               "object_type": type, "type": kind, "user_id": user, "uri": f"/api/events/{id}/"}
        return spoil("events", row, id) if self.hostile else row


class _People:
    """The compact forms that tickets embed, frozen at the start: agents, teams and tags."""

    def __init__(self, population):
        sizes = population.sizes
        names = [words.AGENTS[n % len(words.AGENTS)] + (f" {n // len(words.AGENTS) + 1}" if n >= len(words.AGENTS) else "")
                 for n in range(sizes.users)]
        self.agents = []
        for n, name in enumerate(names):
            first, _, last = name.partition(" ")
            self.agents.append({"id": 601409 + 13 * n, "email": f"{first}{n}@shop.example.com".lower(), "name": name,
                                "firstname": first, "lastname": last, "meta": {"sso": "google"} if n == 0 else {}, "bio": None})
        if len(self.agents) > 2:   # the AI agent is a user like the others
            self.agents[1].update(id=560050, email="bot@658d6f54fbff9b7c6f2d0321", name="AI Agents", firstname="AI", lastname="Agents")
        self.teams = [{"id": 12 + n, "name": words.TEAMS[n % len(words.TEAMS)] + (f" {n}" if n >= len(words.TEAMS) else ""),
                       "decoration": {"emoji": {"id": "package", "name": "Package", "native": "📦", "colons": ":package:",
                                                "unified": "1f4e6", "emoticons": [], "skin": None}} if n % 2 == 0
                       else {"emoji": "🔥"}} for n in range(sizes.teams)]
        self.tags = [{"id": (5 + n) if n < sizes.tags - 1 or n == 0 else 3_000_000_007,
                      "name": words.TAGS[n] if n < len(words.TAGS) else f"tag {n}",
                      "decoration": {"color": f"#{n * 49157 % 0xFFFFFF:06X}"} if n % 3 else None} for n in range(sizes.tags)]
