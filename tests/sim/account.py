"""The account as the API shows it: the shelves, who hangs on whom, and the record of events."""

import uuid
from random import Random

from furniture import Furniture
from population import KINDS, Population
from shelf import Shelf, dump, sort_value

# What the tool calls a stream, and the shelf behind it.
STREAMS = {"tickets": "tickets", "ticket_messages": "messages", "customers": "customers", "events": "events",
           "satisfaction_surveys": "surveys", "users": "users", "teams": "teams", "tags": "tags", "macros": "macros", "rules": "rules",
           "custom_fields": "custom_fields", "views": "views", "integrations": "integrations", "voice_calls": "calls", "voice_call_events": "call_events",
           "voice_call_recordings": "recordings", "jobs": "jobs", "widgets": "widgets"}


class Account:
    def __init__(self, clock, **options):
        self.clock = clock
        self.population = population = Population(now=clock.now(), **options)
        self.rng = Random(population.seed)
        created, updated = "created_datetime", "updated_datetime"
        self.shelves = {
            "tickets": Shelf((created, updated), population.build_ticket, groups=("customer.id", "external_id")),
            "messages": Shelf((created,), population.build_message),
            "customers": Shelf((created, updated), population.build_customer, groups=("email", "external_id", "name")),
            "events": Shelf((created,), population.build_event, groups=("object_id",)),
            "surveys": Shelf((created,), population.build_survey, groups=("ticket_id",)),
            "users": Shelf((created, "name", "email", "role.name")),
            "teams": Shelf((created, "name")),
            "tags": Shelf((created, "name", "usage,name")),
            "macros": Shelf((created, updated, "name", "usage", "language")),
            "rules": Shelf((created,)),
            "custom_fields": Shelf(("priority",)),
            "views": Shelf((created,)),
            "integrations": Shelf((created,)),
            "calls": Shelf((created,)),
            "call_events": Shelf((created,)),
            "recordings": Shelf((created,)),
            "jobs": Shelf((created,)),
            "widgets": Shelf((created, "order")),
        }
        for name, (rows, indexes) in population.build().items():
            self.shelves[name].fill(rows, indexes)
        furniture = Furniture(population)
        for name, shelf in self.shelves.items():
            if hasattr(furniture, name):
                for row in getattr(furniture, name)():
                    shelf.add(row)
        self.account = furniture.account()
        self._threads = {}         # ticket id -> message ids, for tickets whose thread is no longer the seeded one
        self.merged = {"tickets": {}, "customers": {}}   # loser -> survivor
        if population.hostile:
            self._strange_events()

    def __getattr__(self, name):
        """account.tickets is the shelf of that name."""
        try:
            return self.__dict__["shelves"][name]
        except KeyError:
            raise AttributeError(name) from None

    def iso(self, us):
        return self.population.iso(us)

    def warm(self):
        """Render everything now: a benchmark should measure its subject, not the simulator's first reading."""
        for shelf in self.shelves.values():
            for id in shelf.ids():
                shelf.data(id)

    # -- threads

    def thread(self, ticket_id):
        """The ids of a ticket's messages, listed or orphaned, in no particular order."""
        ids = self._threads.get(ticket_id)
        if ids is None:
            seeded = self.population.position.get(ticket_id)
            ids = set() if seeded is None else set(self.population.thread(seeded))
            self._threads[ticket_id] = ids
        return ids

    def messages_of(self, ticket_id):
        """A ticket's messages, oldest first."""
        rows = [self.messages.row(id) for id in self.thread(ticket_id) if id in self.messages]
        return sorted(rows, key=lambda row: (sort_value("created_datetime", row), row["id"]))

    # -- events

    def record(self, type, object_type, object_id, *, data=None, user_id=None, at=None, context=None):
        """Append an event. Events are the past: they are never changed."""
        at = self.clock.tick() if at is None else at
        id = self.events.next_id(self.rng)
        return self.events.add({
            "id": id, "context": context or str(uuid.UUID(int=self.rng.getrandbits(128))), "created_datetime": self.iso(at), "data": data,
            "object_id": object_id, "object_type": object_type, "type": type, "user_id": user_id, "uri": f"/api/events/{id}/"})

    def event_type(self, id):
        """Without building the event: the filter by type may pass over many."""
        seed = self.events.rows[id]
        if type(seed) is dict:
            return seed["type"]
        return KINDS[0] if seed < 0 else KINDS[seed & 0xFF]

    def _strange_events(self):
        for n in range(3):
            at = self.clock.now() - (n + 1) * 86_400_000_000
            self.record("some-future-event", "NewObject", n + 1, data={"deep": [[[1]], {"k": None}], "nul": "\x00"}, at=at)
            self.record("ticket-teleported", "Ticket", next(iter(self.tickets.rows), 1), data=None, at=at)

    # -- the detail forms of single objects

    def ticket_detail(self, id):
        row = self.tickets.row(id)
        customer = (row["customer"] or {}).get("id")
        surveys = sorted(self.surveys.group("ticket_id", id))
        detail = {name: value for name, value in row.items() if name not in ("excerpt", "messages_count", "integrations")}
        user, team = row["assignee_user"], row["assignee_team"]
        detail.update(assignee_user_id=user["id"] if user else None, assignee_team_id=team["id"] if team else None,
                      messages=self.messages_of(id), events=[], reply_options={"email": {"answerable": True}},
                      satisfaction_survey=self.surveys.row(surveys[0]) if surveys else None)
        if customer in self.customers:
            detail["customer"] = self.customer_detail(customer)
        return detail

    def customer_detail(self, id):
        row = dict(self.customers.row(id))
        row["channels"] = [{"id": id % 1_000_000, "type": "email", "address": row["email"], "preferred": True,
                            "created_datetime": row["created_datetime"], "updated_datetime": None, "deleted_datetime": None}] \
            if row["email"] else []
        row["integrations"] = {"6": {"__integration_type__": "shopify", "customer": {"id": 667_928_133_655, "orders_count": 2},
                                     "orders": [{"id": 772_803_526_679, "name": "#1042", "total_tax": "0.02"}]}} if id % 2 else {}
        return row

    def truth(self, stream):
        """Every object that a complete reading of the list, or of each single object, would return now, as JSON rows."""
        if stream == "account":
            return [dump(self.account)]
        if stream == "customer_details":
            return [dump(self.customer_detail(id)) for id in self.customers.ids()]
        shelf = self.shelves[STREAMS.get(stream, stream)]
        return [shelf.data(id) for id in shelf.ids()]
