"""What may happen to an account. Each public method of Changes is one kind of change: it keeps the account consistent, raises the
events that the API documents and bumps updated_datetime where the API is supposed to.

An id that is not given is picked at random. `at` dates a change (default: now); `touch=False` leaves updated_datetime alone."""

import inspect
from random import Random

import clock as time
import words
from account import STREAMS
from clock import DAY, SECOND

# stream -> (object type of its events, prefix of their types, or None where no event is documented)
CONFIGURATION = {"users": ("User", "user"), "teams": ("Team", "team"), "tags": ("Tag", "tag"), "macros": ("Macro", "macro"),
                 "rules": ("Rule", "rule"), "views": ("View", "view"), "integrations": ("Integration", "integration"),
                 "custom_fields": (None, "custom-field"), "widgets": ("Widget", "widget")}

# For random_changes: how often what happens, roughly as in a living helpdesk.
WEIGHTS = {"ticket_create": 14, "message_create": 30, "ticket_update": 10, "ticket_close": 9, "ticket_assign": 4, "ticket_tag": 5,
           "ticket_trash": 2, "ticket_delete": 2, "ticket_merge": 2, "ticket_import": 1, "message_sent": 4, "message_update": 3,
           "message_delete": 2, "message_backdate": 1, "customer_create": 3, "customer_update": 5, "customer_merge": 1,
           "customer_delete": 1, "survey_create": 3, "survey_score": 4, "tag_create": 1, "tag_rename": 1, "tag_usage": 2,
           "tag_delete": 1, "user_create": 0.5, "user_deactivate": 0.5, "macro_create": 0.5, "macro_use": 2, "macro_archive": 1,
           "field_move": 1, "field_archive": 0.5, "team_members": 1, "view_update": 0.5, "rule_update": 0.5, "integration_sync": 1}


class Nothing(LookupError):
    """There is no object that the change could happen to."""


class Changes:
    def __init__(self, account, settings):
        self._account, self._settings = account, settings

    # -- dispatch

    def mutate(self, kind, **arguments):
        if kind.startswith("_") or kind in ("mutate", "random_changes", "kinds") or not hasattr(self, kind):
            raise ValueError(f"no such change: {kind}")
        if isinstance(arguments.get("at"), str):
            arguments["at"] = time.parse(arguments["at"])
        try:
            inspect.signature(getattr(self, kind)).bind(**arguments)
        except TypeError as error:
            raise ValueError(f"{kind}: {error}") from None
        return getattr(self, kind)(**arguments)

    @classmethod
    def kinds(cls):
        return sorted(name for name in vars(cls) if not name.startswith("_") and name not in ("mutate", "random_changes", "kinds"))

    def random_changes(self, n, seed=1, over=None):
        """n changes drawn by WEIGHTS; `over` spreads them over that much of the simulator's time. Returns what happened."""
        rng, done = Random(seed), []
        kinds, weights = list(WEIGHTS), list(WEIGHTS.values())
        step = time.duration(over) // max(1, n) if over else 0
        before, self._account.rng = self._account.rng, rng
        try:
            while len(done) < n:
                self._account.clock.advance(step)
                kind = rng.choices(kinds, weights)[0]
                try:
                    done.append({"kind": kind, **self.mutate(kind)})
                except Nothing:
                    done.append({"kind": kind, "id": None})
        finally:
            self._account.rng = before
        return done

    # -- helpers

    def _now(self, at=None):
        return self._account.clock.tick() if at is None else at

    def _iso(self, us):
        return self._account.iso(us)

    def _pick(self, stream, id=None, keep=None):
        shelf = self._account.shelves[STREAMS.get(stream, stream)]
        if id is not None:
            if id not in shelf:
                raise Nothing(f"no {stream} {id}")
            return id
        index = next(iter(shelf.indexes.values()))
        for _ in range(30 if index else 0):
            id = self._account.rng.choice(index)[1]
            if keep is None or keep(shelf.row(id)):
                return id
        raise Nothing(f"no {stream} to pick")

    def _touch(self, ticket_id, at, **fields):
        """Change a ticket; its updated_datetime follows unless `at` is None."""
        if at is not None:
            fields["updated_datetime"] = self._iso(at)
        return self._account.tickets.change(ticket_id, fields)

    def _recount(self, ticket_id, at, **fields):
        """After its thread changed: the fields of a ticket that follow from its messages."""
        messages = self._account.messages_of(ticket_id)
        received = [m for m in messages if not m["from_agent"]]
        self._touch(ticket_id, at, messages_count=len(messages),
                    last_message_datetime=messages[-1]["created_datetime"] if messages else None,
                    last_received_message_datetime=received[-1]["created_datetime"] if received else None,
                    excerpt=(messages[-1]["stripped_text"] or "")[:200] if messages else None, **fields)

    def _event(self, type, object_type, id, **more):
        return self._account.record(type, object_type, id, **more)

    def _merge_event(self, kind, loser, winner, now):
        """Which side it names and what its data holds is not documented."""
        named, other = (winner, loser) if self._settings.merge_event == "winner" else (loser, winner)
        data = {f"other_{kind.lower()}": {"id": other, "name": None}} if self._settings.merge_data else None
        self._event(f"{kind.lower()}-merged", kind, named, at=now, data=data)

    def _agent(self):
        people = self._account.population.people.agents
        return self._account.rng.choice(people) if people else None

    # -- tickets

    def ticket_create(self, messages=1, at=None, customer_id=None, fields=None, imported=False):
        """A new ticket with its messages. imported: created in the past, like an import from another helpdesk."""
        a, rng = self._account, self._account.rng
        now = self._now()
        created = at if at is not None else now
        id = a.tickets.next_id(rng)
        channel, via, _, _ = words.CHANNELS[rng.randrange(len(words.CHANNELS))]
        topic = words.TOPICS[rng.randrange(len(words.TOPICS))]
        try:
            customer = a.customers.row(self._pick("customers", customer_id))
            customer = {name: customer[name] for name in ("id", "email", "name", "firstname", "lastname", "meta")}
        except Nothing:
            customer = None
        a.tickets.add({
            "id": id, "uri": f"/api/tickets/{id}/", "external_id": f"IMPORT-{id}" if imported else None, "language": "en",
            "status": "open", "priority": "normal", "channel": channel, "via": via, "from_agent": False, "spam": False,
            "customer": customer, "assignee_user": None, "assignee_team": None, "subject": topic[3].replace("{order}", str(id % 10000)),
            "summary": None, "excerpt": None, "integrations": [], "meta": {}, "tags": [], "messages_count": 0, "is_unread": True,
            "created_datetime": self._iso(created), "opened_datetime": None, "last_received_message_datetime": None,
            "last_message_datetime": None, "last_sent_message_not_delivered": False,
            "updated_datetime": self._iso(now if imported or at is None else at), "closed_datetime": None, "snooze_datetime": None,
            "trashed_datetime": None, "custom_fields": None,
            **({"requester": customer} if a.population.old_fields else {}), **(fields or {})})
        self._event("ticket-created", "Ticket", id, at=now)
        ids = [self._new_message(id, created + n * SECOND if at is not None else self._now(), from_agent=n % 2 == 1) for n in range(messages)]
        # The ticket was added before its messages: it ends up as new as the last of them.
        latest = self._now() if imported or at is None else at
        self._recount(id, latest)
        return {"id": id, "messages": ids}

    def ticket_import(self, id=None, at=None, messages=2):
        """A ticket created long ago that appears only now. Its updated_datetime is now."""
        at = self._now() - self._account.rng.randint(30, 300) * DAY if at is None else at
        return self.ticket_create(messages=messages, at=at, imported=True)

    def ticket_update(self, id=None, fields=None, at=None, touch=True):
        """Set fields; without any, a new subject."""
        id = self._pick("tickets", id)
        now = self._now(at)
        fields = fields or {"subject": f"Changed {now}"}
        old = self._account.tickets.row(id)
        self._touch(id, now if touch else None, **fields)
        if "subject" in fields:
            self._event("ticket-subject-updated", "Ticket", id, at=now, data={"old_subject": old["subject"], "new_subject": fields["subject"]})
        else:
            self._event("ticket-updated", "Ticket", id, at=now)
        return {"id": id}

    def ticket_close(self, id=None, at=None):
        """Close an open ticket, or reopen a closed one."""
        id, now = self._pick("tickets", id), self._now(at)
        closing = self._account.tickets.row(id)["status"] == "open"
        self._touch(id, now, status="closed" if closing else "open", closed_datetime=self._iso(now) if closing else None)
        self._event("ticket-closed" if closing else "ticket-reopened", "Ticket", id, at=now)
        return {"id": id}

    def ticket_assign(self, id=None, at=None):
        id, now, agent = self._pick("tickets", id), self._now(at), self._agent()
        opened = self._account.tickets.row(id)["opened_datetime"] or self._iso(now)
        self._touch(id, now, assignee_user=agent, opened_datetime=opened)
        self._event("ticket-assigned", "Ticket", id, at=now, data={"assignee_user_id": agent and agent["id"]})
        return {"id": id}

    def ticket_tag(self, id=None, tag_id=None, at=None):
        a = self._account
        id, now, tag = self._pick("tickets", id), self._now(at), a.tags.row(self._pick("tags", tag_id))
        tags = [t for t in a.tickets.row(id)["tags"] or [] if t["id"] != tag["id"]]
        self._touch(id, now, tags=tags + [{name: tag[name] for name in ("id", "name", "decoration")}])
        a.tags.change(tag["id"], {"usage": tag["usage"] + 1})
        self._event("ticket-tags-added", "Ticket", id, at=now, data={"tags_added": [tag["id"]]})
        return {"id": id, "tag": tag["id"]}

    def ticket_trash(self, id=None, at=None):
        """Into the trash; out of it if it was there. The list keeps showing it."""
        id, now = self._pick("tickets", id), self._now(at)
        trashing = self._account.tickets.row(id)["trashed_datetime"] is None
        self._touch(id, now, trashed_datetime=self._iso(now) if trashing else None)
        self._event("ticket-trashed" if trashing else "ticket-untrashed", "Ticket", id, at=now)
        return {"id": id}

    def ticket_delete(self, id=None, orphans=None, event=True):
        """Delete for good. orphans (default: the setting): its messages stay in the list of messages."""
        a = self._account
        id = self._pick("tickets", id)
        thread = set(a.thread(id))
        a.tickets.remove(id)
        if not (self._settings.orphans if orphans is None else orphans):
            for message in thread:
                if message in a.messages:
                    a.messages.remove(message)
            a.thread(id).clear()
        if event:
            self._event("ticket-deleted", "Ticket", id)
        return {"id": id, "messages": sorted(thread)}

    def ticket_merge(self, loser=None, winner=None, at=None, touch=True):
        """The loser's messages move to the winner; the loser is gone."""
        a = self._account
        loser = self._pick("tickets", loser)
        winner = self._pick("tickets", winner, keep=lambda row: row["id"] != loser)
        if winner == loser:
            raise ValueError("a ticket cannot be merged into itself")
        now = self._now(at)
        moved = sorted(m for m in a.thread(loser) if m in a.messages)
        for message in moved:
            a.messages.change(message, {"ticket_id": winner, "uri": f"/api/tickets/{winner}/messages/{message}/"})
        a.thread(winner).update(moved)
        a.thread(loser).clear()
        a.tickets.remove(loser)
        a.merged["tickets"][loser] = winner
        self._recount(winner, now if touch else None)
        self._merge_event("Ticket", loser, winner, now)
        return {"id": loser, "winner": winner, "messages": moved}

    # -- messages

    def _new_message(self, ticket_id, at, from_agent=False, fields=None):
        a = self._account
        ticket = a.tickets.row(ticket_id)
        id = a.messages.next_id(a.rng)
        topic = a.rng.choice(words.TOPICS)
        text = f"{topic[5] if from_agent else topic[4]} [{id}]"
        people = a.population.people.agents
        agent = (ticket["assignee_user"] or (a.rng.choice(people) if people else None)) if from_agent else None
        a.messages.add({
            "id": id, "uri": f"/api/tickets/{ticket_id}/messages/{id}/", "message_id": f"<{id}@mail.example.com>", "ticket_id": ticket_id,
            "external_id": None, "public": True, "channel": ticket["channel"], "via": "helpdesk" if from_agent else ticket["via"],
            "source": {"type": ticket["channel"], "from": {"name": None, "address": None}, "to": [], "cc": [], "bcc": [], "extra": None},
            "sender": agent if from_agent else ticket["customer"], "receiver": ticket["customer"] if from_agent else None,
            "auth_customer_identity": None, "integration_id": None, "intents": [], "rule_id": None, "from_agent": from_agent,
            "subject": ticket["subject"], "body_text": text, "body_html": f"<div>{text}</div>", "stripped_text": text,
            "stripped_html": None, "stripped_signature": None, "headers": None, "attachments": [], "actions": [], "macros": [],
            "meta": None, "created_datetime": self._iso(at), "sent_datetime": None if from_agent else self._iso(at),
            "failed_datetime": None, "deleted_datetime": None, "opened_datetime": None, "last_sending_error": None,
            "is_retriable": False, "replied_by": None, "replied_to": None, **(fields or {})})
        a.thread(ticket_id).add(id)
        self._event("ticket-message-created", "TicketMessage", id)
        return id

    def message_create(self, ticket_id=None, from_agent=None, at=None, touch=True, fields=None):
        """A message in a ticket. An agent's is not yet sent: message_sent comes later."""
        ticket_id = self._pick("tickets", ticket_id)
        from_agent = self._account.rng.random() < 0.5 if from_agent is None else from_agent
        now = self._now()
        id = self._new_message(ticket_id, now if at is None else at, from_agent, fields)
        self._recount(ticket_id, now if touch else None, is_unread=not from_agent)
        return {"id": id, "ticket_id": ticket_id}

    def message_backdate(self, ticket_id=None, at=None, touch=True):
        """A message that appears now and claims to be old."""
        at = self._now() - self._account.rng.randint(1, 200) * DAY if at is None else at
        return self.message_create(ticket_id, from_agent=False, at=at, touch=touch)

    def _message_change(self, id, fields, event, touch, at=None):
        a, now = self._account, self._now(at)
        ticket = a.messages.row(id)["ticket_id"]
        a.messages.change(id, fields)
        if touch and ticket in a.tickets:
            self._touch(ticket, now)
        if event:
            self._event(event, "TicketMessage", id, at=now)
        return {"id": id, "ticket_id": ticket}

    def message_sent(self, id=None, at=None, touch=True, event=False):
        """The asynchronous sending succeeds: sent_datetime is filled. No event says so."""
        id = self._pick("messages", id, keep=lambda row: row["sent_datetime"] is None and row["failed_datetime"] is None)
        return self._message_change(id, {"sent_datetime": self._iso(self._now(at))}, "ticket-message-updated" if event else None, touch)

    def message_fail(self, id=None, touch=True):
        id = self._pick("messages", id, keep=lambda row: row["sent_datetime"] is None and row["failed_datetime"] is None)
        return self._message_change(id, {"failed_datetime": self._iso(self._now()), "last_sending_error": {"error": "550 no mailbox"},
                                         "is_retriable": True}, "ticket-message-failed", touch)

    def message_update(self, id=None, fields=None, touch=True, event=True):
        """Edited; without fields, a new text."""
        id = self._pick("messages", id)
        fields = fields or {"body_text": f"Edited {self._now()}", "intents": [{"name": "other/other", "is_user_feedback": True, "rejected": None}]}
        return self._message_change(id, fields, "ticket-message-updated" if event else None, touch)

    def message_delete(self, id=None, soft=False, touch=True, event=True):
        """Gone from the lists; soft: listed on with deleted_datetime set."""
        a = self._account
        id = self._pick("messages", id)
        if soft:
            return self._message_change(id, {"deleted_datetime": self._iso(self._now())}, "ticket-message-deleted" if event else None, touch)
        ticket = a.messages.remove(id)["ticket_id"]
        a.thread(ticket).discard(id)
        now = self._now()
        if ticket in a.tickets:
            self._recount(ticket, now if touch else None)
        if event:
            self._event("ticket-message-deleted", "TicketMessage", id, at=now)
        return {"id": id, "ticket_id": ticket}

    # -- customers

    def customer_create(self, at=None, fields=None):
        a, now = self._account, self._now(at)
        id = a.customers.next_id(a.rng)
        first, last = a.rng.choice(words.FIRST), a.rng.choice(words.LAST)
        a.customers.add({"id": id, "external_id": None, "active": True, "email": f"new{id}@example.com", "name": f"{first} {last}",
                         "firstname": first, "lastname": last, "language": "en", "timezone": "UTC", "created_datetime": self._iso(now),
                         "updated_datetime": self._iso(now), "meta": None, "data": None, "note": None, "custom_fields": {}, **(fields or {})})
        self._event("customer-created", "Customer", id, at=now)
        return {"id": id}

    def customer_update(self, id=None, fields=None, at=None, touch=True):
        id, now = self._pick("customers", id), self._now(at)
        fields = fields or {"note": f"Changed {now}"}
        self._account.customers.change(id, {**fields, **({"updated_datetime": self._iso(now)} if touch else {})})
        self._event("customer-updated", "Customer", id, at=now)
        return {"id": id}

    def customer_merge(self, loser=None, winner=None):
        """The loser answers 301 from now on; its tickets become the winner's."""
        a = self._account
        loser = self._pick("customers", loser)
        winner = self._pick("customers", winner, keep=lambda row: row["id"] != loser)
        if winner == loser:
            raise ValueError("a customer cannot be merged into itself")
        survivor = a.customers.row(winner)
        compact = {name: survivor[name] for name in ("id", "email", "name", "firstname", "lastname", "meta")}
        for ticket in sorted(a.tickets.group("customer.id", loser)):
            now, old = self._now(), a.tickets.row(ticket)["customer"]
            self._touch(ticket, now, customer=compact)
            self._event("ticket-customer-updated", "Ticket", ticket, at=now, data={
                "old_customer": {"id": old["id"], "name": old["name"]}, "new_customer": {"id": winner, "name": compact["name"]}})
        a.customers.remove(loser)
        a.merged["customers"][loser] = winner
        now = self._now()
        a.customers.change(winner, {"updated_datetime": self._iso(now)})
        self._merge_event("Customer", loser, winner, now)
        return {"id": loser, "winner": winner}

    def customer_delete(self, id=None, event=True):
        id = self._pick("customers", id)
        self._account.customers.remove(id)
        if event:
            self._event("customer-deleted", "Customer", id)
        return {"id": id}

    # -- surveys

    def survey_create(self, ticket_id=None, at=None):
        """A survey for a ticket that has none, sent at once."""
        a = self._account
        ticket_id = self._pick("tickets", ticket_id, keep=lambda row: row["customer"] and not a.surveys.group("ticket_id", row["id"]))
        now, id = self._now(at), a.surveys.next_id(a.rng)
        customer = a.tickets.row(ticket_id)["customer"]
        a.surveys.add({"id": id, "body_text": None, "created_datetime": self._iso(now), "customer_id": customer and customer["id"], "meta": None,
                       "score": None, "scored_datetime": None, "sent_datetime": self._iso(now), "should_send_datetime": self._iso(now),
                       "ticket_id": ticket_id, "uri": f"/api/satisfaction-surveys/{id}/"})
        self._event("satisfaction-survey-sent", "SatisfactionSurvey", id, at=now)
        return {"id": id, "ticket_id": ticket_id}

    def survey_score(self, id=None, score=None, at=None, event=True):
        """Answered, perhaps long after it was created."""
        a = self._account
        id = self._pick("surveys", id, keep=lambda row: row["score"] is None)
        now, score = self._now(at), score or a.rng.randint(1, 5)
        a.surveys.change(id, {"score": score, "scored_datetime": self._iso(now), "body_text": words.COMMENTS.get(score)})
        if event:
            self._event("satisfaction-survey-responded", "SatisfactionSurvey", id, at=now, data={"score": score, "body_text": None})
        return {"id": id}

    # -- the configuration: what all of these streams can do

    def object_create(self, stream, fields=None, at=None):
        """A copy of an existing object under a new id, named anew."""
        a, now = self._account, self._now(at)
        shelf = a.shelves[STREAMS.get(stream, stream)]
        row = dict(shelf.row(self._pick(stream)))
        row["id"] = id = shelf.next_id(a.rng)
        if "uri" in row:
            row["uri"] = row["uri"].rsplit("/", 2)[0] + f"/{id}/"
        row["label" if "label" in row else "name"] = f"New {stream} {id}"
        for name in row:
            if name in ("created_datetime", "updated_datetime"):
                row[name] = self._iso(now)
            elif name in ("archived_datetime", "deactivated_datetime", "deleted_datetime"):
                row[name] = None
        if "email" in row:
            row["email"] = f"new{id}@shop.example.com"
        if "usage" in row:
            row["usage"] = 0
        shelf.add({**row, **(fields or {})})
        self._configured(stream, "created", id, now)
        return {"id": id}

    def object_update(self, stream, id=None, fields=None, at=None, suffix="updated"):
        """Change a configuration object. `suffix` chooses the event's type."""
        id, now = self._pick(stream, id), self._now(at)
        shelf = self._account.shelves[STREAMS.get(stream, stream)]
        row = shelf.row(id)
        if fields is None:
            fields = {"label" if "label" in row else "name": f"Renamed {now}"}
        if "updated_datetime" in row:
            fields = {"updated_datetime": self._iso(now), **fields}
        shelf.change(id, fields)
        if suffix:
            self._configured(stream, suffix, id, now)
        return {"id": id}

    def object_delete(self, stream, id=None, event=True):
        id = self._pick(stream, id)
        self._account.shelves[STREAMS.get(stream, stream)].remove(id)
        if event:
            self._configured(stream, "deleted", id, self._now())
        return {"id": id}

    def _configured(self, stream, suffix, id, at):
        object_type, prefix = CONFIGURATION[stream]
        if object_type or suffix in ("created", "updated"):
            # The type of custom-field events is unknown; their own name is the best guess.
            self._event(f"{prefix}-{suffix}", object_type or "CustomField", id, at=at)

    def tag_create(self, name=None):
        return self.object_create("tags", {"name": name} if name else None)

    def tag_rename(self, id=None, name=None):
        return self.object_update("tags", id, {"name": name or f"renamed {self._now()}"}, suffix="renamed")

    def tag_usage(self, id=None, by=1):
        """The counter moves; nothing else, and no event."""
        id = self._pick("tags", id)
        tags = self._account.tags
        tags.change(id, {"usage": tags.row(id)["usage"] + by})
        return {"id": id}

    def tag_delete(self, id=None, soft=False):
        """Gone; soft: listed on with deleted_datetime set."""
        if soft:
            return self.object_update("tags", id, {"deleted_datetime": self._iso(self._now())}, suffix="deleted")
        return self.object_delete("tags", id)

    def tag_merge(self, loser=None, winner=None):
        loser = self._pick("tags", loser)
        winner = self._pick("tags", winner, keep=lambda row: row["id"] != loser)
        tags = self._account.tags
        tags.change(winner, {"usage": tags.row(winner)["usage"] + tags.remove(loser)["usage"]})
        self._configured("tags", "merged", loser, self._now())
        return {"id": loser, "winner": winner}

    def user_create(self, fields=None):
        return self.object_create("users", fields)

    def user_deactivate(self, id=None):
        return self.object_update("users", id, {"active": False, "deactivated_datetime": self._iso(self._now())})

    def user_delete(self, id=None):
        return self.object_delete("users", id)

    def macro_create(self, fields=None):
        return self.object_create("macros", fields)

    def macro_use(self, id=None, by=1):
        """Its usage counts up: the default order of the list moves. updated_datetime stays."""
        id = self._pick("macros", id)
        macros = self._account.macros
        macros.change(id, {"usage": macros.row(id)["usage"] + by})
        return {"id": id}

    def macro_archive(self, id=None):
        """Archived, or brought back: it changes from one of the two lists to the other."""
        id = self._pick("macros", id)
        archiving = self._account.macros.row(id)["archived_datetime"] is None
        return self.object_update("macros", id, {"archived_datetime": self._iso(self._now()) if archiving else None})

    def macro_delete(self, id=None):
        return self.object_delete("macros", id)

    def field_create(self, fields=None):
        return self.object_create("custom_fields", fields)

    def field_move(self, id=None, priority=None):
        """The only order of the list changes under the reader's feet."""
        priority = self._account.rng.randint(0, 9) if priority is None else priority
        return self.object_update("custom_fields", id, {"priority": priority})

    def field_archive(self, id=None):
        id = self._pick("custom_fields", id)
        archiving = self._account.custom_fields.row(id)["deactivated_datetime"] is None
        return self.object_update("custom_fields", id, {"deactivated_datetime": self._iso(self._now()) if archiving else None})

    def team_members(self, id=None):
        """Somebody joins or leaves: no updated_datetime shows it."""
        id = self._pick("teams", id)
        members = self._account.teams.row(id)["members"]
        agent = self._agent()
        stays = [m for m in members if agent is None or m["id"] != agent["id"]]
        if agent and len(stays) == len(members):
            stays = members + [{name: agent[name] for name in ("id", "name", "email", "meta")}]
        return self.object_update("teams", id, {"members": stays})

    def view_update(self, id=None, fields=None):
        return self.object_update("views", id, fields)

    def rule_update(self, id=None, fields=None):
        return self.object_update("rules", id, fields)

    def integration_sync(self, id=None):
        """meta.sync_state churns without an event."""
        id = self._pick("integrations", id)
        meta = self._account.integrations.row(id)["meta"]
        return self.object_update("integrations", id, {"meta": {**(meta or {}), "sync_state": {"page": self._now()}}}, suffix=None)

    def integration_deactivate(self, id=None):
        return self.object_update("integrations", id, {"deactivated_datetime": self._iso(self._now())}, suffix="deactivated")

    def account_update(self, fields=None):
        self._account.account.update(fields or {"status": {"status": f"active-{self._now()}"}})
        self._event("account-updated", "Account", 1)
        return {"id": None}

    # -- by force: no consistency, no events

    def clear(self, stream):
        """Empty a whole list."""
        shelf = self._account.shelves[STREAMS.get(stream, stream)]
        gone = len(shelf)
        shelf.clear()
        return {"id": None, "gone": gone}

    def set(self, stream, id, fields):
        """Set fields of any object, silently."""
        self._account.shelves[STREAMS.get(stream, stream)].change(self._pick(stream, id), fields)
        return {"id": id}

    def put(self, stream, row):
        """Insert an object as it is."""
        self._account.shelves[STREAMS.get(stream, stream)].add(row)
        if STREAMS.get(stream, stream) == "messages":
            self._account.thread(row["ticket_id"]).add(row["id"])
        return {"id": row["id"]}

    def drop(self, stream, id=None):
        """Remove an object, silently."""
        id = self._pick(stream, id)
        row = self._account.shelves[STREAMS.get(stream, stream)].remove(id)
        if STREAMS.get(stream, stream) == "messages":
            self._account.thread(row["ticket_id"]).discard(id)
        return {"id": id}
