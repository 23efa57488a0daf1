"""The API's lists, declared: path, shelf, parameters, orders. What is not declared here is refused, as the API refuses it."""

import re
from dataclasses import dataclass, field

import clock

# Event types that the filter accepts.
EVENT_TYPES = frozenset("""
account-created account-deactivated account-setting-updated account-updated action-executed custom-field-created custom-field-updated
custom-field-condition-created custom-field-condition-deleted custom-field-condition-disabled custom-field-condition-enabled
custom-field-condition-updated customer-created customer-deleted customer-merged customer-updated integration-created
integration-deactivated integration-deleted integration-reactivated integration-updated macro-created macro-deleted macro-updated
rule-created rule-deleted rule-executed rule-priority-updated rule-suggestion-suggested rule-updated satisfaction-survey-responded
satisfaction-survey-sent tag-created tag-deleted tag-merged tag-renamed tag-updated team-created team-deleted team-updated
ticket-assigned ticket-closed ticket-created ticket-customer-updated ticket-deleted ticket-excluded-from-auto-merge
ticket-excluded-from-csat ticket-marked-spam ticket-merged ticket-message-created ticket-message-deleted ticket-message-failed
ticket-message-summary-created ticket-message-updated ticket-reopened ticket-satisfaction-survey-skipped ticket-self-unsnoozed
ticket-sla-policy-assigned ticket-snoozed ticket-split ticket-subject-updated ticket-tags-added ticket-tags-removed
ticket-team-assigned ticket-team-unassigned ticket-trashed ticket-unassigned ticket-unmarked-spam ticket-untrashed ticket-updated
user-2fa-changed user-created user-deleted user-invited user-logged-in user-logged-out user-password-changed user-password-reset
user-updated view-created view-deactivated view-deleted view-updated widget-created widget-deleted widget-updated""".split())
OBJECT_TYPES = frozenset(("Account", "Macro", "Tag", "Customer", "Team", "View", "Widget", "User", "TicketMessage", "Ticket", "Rule",
                          "Integration", "SatisfactionSurvey"))
ROLES = ("admin", "agent", "basic-agent", "bot", "internal-agent", "lite-agent", "observer-agent")


# -- checks: text of a parameter -> value, or ValueError with the API's kind of message

def integer(text, least=1, most=None):
    if not re.fullmatch(r"-?\d{1,18}", text):
        raise ValueError("Not a valid integer.")
    value = int(text)
    if value < least or most is not None and value > most:
        raise ValueError(f"Must be greater than or equal to {least}" + (f" and less than or equal to {most}." if most is not None else "."))
    return value


def limit(text):
    return integer(text, 1, 100)


def text(value):
    if len(value) > 1024:
        raise ValueError("Longer than maximum length 1024.")
    return value


def boolean(value):
    if value not in ("true", "false"):
        raise ValueError("Not a valid boolean.")
    return value == "true"


def datetime(value):
    try:
        return clock.parse(value)
    except ValueError:
        raise ValueError("Not a valid datetime.") from None


def one_of(*allowed):
    def check(value):
        if value not in allowed:
            raise ValueError(f"Must be one of: {', '.join(sorted(allowed))}.")
        return value
    return check


@dataclass(frozen=True)
class Param:
    """One query parameter. `group` names the field that finds the rows; `keep(row, value)` tells whether a row stays in the list;
    with neither it is accepted and changes nothing. `many`: may be repeated, up to that often. `default` filters where it is absent."""
    check: object
    group: str = None
    keep: object = None
    many: int = 0
    required: bool = False
    needs: str = None         # a parameter that must come along
    default: object = None


@dataclass(frozen=True)
class Endpoint:
    path: str
    shelf: str
    params: dict = field(default_factory=dict)
    orders: tuple = ("created_datetime",)
    default: str = "created_datetime:desc"
    limit: int = 30
    ordered: bool = True      # takes order_by at all
    bare: bool = False        # one of the lists that the documentation shows as a bare array
    single: bool = True       # GET by id exists

    def order(self, text):
        """('usage,name', True) for 'usage:desc,name:desc'."""
        parts = [part.partition(":") for part in text.split(",")]
        names, ways = ",".join(name for name, _, _ in parts), {way for _, _, way in parts}
        if names not in self.orders or len(ways) != 1 or not ways <= {"asc", "desc"}:
            raise ValueError("Must be one of: " + ", ".join(
                ",".join(f"{name}:{way}" for name in order.split(",")) for order in self.orders for way in ("asc", "desc")) + ".")
        return names, ways == {"desc"}


def archived(name):
    """Absent or false: the active ones only. True: the archived ones only."""
    return Param(boolean, keep=lambda row, wanted: (row[name] is not None) == wanted, default=False)


def contains(name):
    return Param(text, keep=lambda row, value: value.lower() in (row[name] or "").lower())


def equals(name, check=text, many=0):
    if many:
        return Param(check, keep=lambda row, values: row[name] in values, many=many)
    return Param(check, keep=lambda row, value: row[name] == value)


CREATED_UPDATED = ("created_datetime", "updated_datetime")
ACCEPTED = Param(text)
ACCEPTED_ID = Param(integer)

ENDPOINTS = (
    Endpoint("tickets", "tickets", {
        "customer_id": Param(integer, group="customer.id"), "external_id": Param(text, group="external_id"),
        "view_id": Param(integer), "rule_id": Param(integer, keep=lambda row, value: False), "ticket_ids": Param(integer, many=100),
        "trashed": Param(boolean, keep=lambda row, wanted: wanted or row["trashed_datetime"] is None)}, CREATED_UPDATED),
    Endpoint("messages", "messages", {"ticket_id": Param(integer)}),
    Endpoint("customers", "customers", {
        "email": Param(text, group="email"), "external_id": Param(text, group="external_id"), "name": Param(text, group="name"),
        "language": equals("language"), "timezone": equals("timezone"), "view_id": ACCEPTED_ID, "channel_type": ACCEPTED,
        "channel_address": Param(text, group="email")}, CREATED_UPDATED),
    Endpoint("events", "events", {
        "object_id": Param(integer, group="object_id"),
        "object_type": Param(one_of(*OBJECT_TYPES), keep=lambda row, value: row["object_type"] == value, needs="object_id"),
        "user_ids": equals("user_id", integer, many=100), "types": Param(one_of(*EVENT_TYPES), many=100),
        **{f"created_datetime[{comparator}]": Param(datetime) for comparator in ("gt", "gte", "lt", "lte")}}),
    Endpoint("satisfaction-surveys", "surveys", {"ticket_id": Param(integer, group="ticket_id")}, bare=True),
    Endpoint("users", "users", {
        "email": equals("email"), "external_id": equals("external_id"), "search": contains("name"), "available_first": Param(boolean),
        "roles": Param(one_of(*ROLES), keep=lambda row, values: row["role"]["name"] in values, many=10)},
        ("created_datetime", "name", "email", "role.name"), "name:asc", bare=True),
    Endpoint("teams", "teams", {}, ("created_datetime", "name"), bare=True),
    Endpoint("tags", "tags", {"search": contains("name")}, ("created_datetime", "name", "usage,name")),
    Endpoint("macros", "macros", {
        "search": contains("name"), "tags": Param(text, many=100), "languages": equals("language", text, many=100),
        "ticket_id": ACCEPTED_ID, "message_id": ACCEPTED_ID, "number_predictions": Param(lambda value: integer(value, 0)),
        "archived": archived("archived_datetime")}, ("usage", "name", "created_datetime", "updated_datetime", "language"), "usage:desc"),
    Endpoint("rules", "rules", {}, limit=100, bare=True),
    Endpoint("custom-fields", "custom_fields", {
        "object_type": Param(one_of("Ticket", "Customer"), keep=lambda row, value: row["object_type"] == value, required=True),
        "search": contains("label"),
        "archived": archived("deactivated_datetime")}, ("priority",), "priority:desc"),
    Endpoint("views", "views", {}, bare=True),
    Endpoint("integrations", "integrations", {"type": equals("type")}),
    Endpoint("phone/voice-calls", "calls", {"ticket_id": equals("ticket_id", integer)}, ordered=False),
    Endpoint("phone/voice-call-events", "call_events", {"call_id": equals("call_id", integer)}, default="created_datetime:asc",
             ordered=False, bare=True, single=False),
    Endpoint("phone/voice-call-recordings", "recordings", {"call_id": equals("call_id", integer)}, ordered=False, single=False),
    Endpoint("jobs", "jobs", {"status": equals("status"), "type": equals("type")}),
    Endpoint("widgets", "widgets", {"integration_id": ACCEPTED_ID, "app_id": ACCEPTED}, ("created_datetime", "order")),
)
BY_PATH = {endpoint.path: endpoint for endpoint in ENDPOINTS}
