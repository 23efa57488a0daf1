"""The account's few-of-a-kind objects: users, teams, tags, macros, rules, custom fields, views, integrations, the account itself,
and the extras that no stream needs. They are few, so they are built at once."""

import words
from clock import DAY, HOUR, SECOND

AST = {"type": "Program", "sourceType": "script", "loc": {"start": {"line": 1, "column": 0}, "end": {"line": 1, "column": 40}},
       "body": [{"type": "IfStatement", "alternate": None,
                 "test": {"type": "CallExpression", "callee": {"type": "Identifier", "name": "eq"},
                          "arguments": [{"type": "Literal", "raw": "false", "value": False}]},
                 "consequent": {"type": "BlockStatement", "body": []}}]}


class Furniture:
    def __init__(self, population):
        self.p = population
        self.born = population.start - 400 * DAY

    def at(self, n, step=DAY):
        """Creation times: in order, now and then without a fraction, and with ties (imports create several at once)."""
        us = self.born + (n - n % 4 if n % 4 == 1 else n) * step
        return self.p.iso(us - us % SECOND if n % 3 == 0 else us)

    def users(self):
        roles = ("admin", "agent", "lead-agent", "basic-agent", "lite-agent", "observer-agent", "agent")
        for n, agent in enumerate(self.p.people.agents):
            bot = agent["email"].startswith("bot@")
            gone = n % 10 == 9
            yield {"id": agent["id"], "uri": f"/api/users/{agent['id']}/", "active": not gone, "bio": "Line 1\nLine 2 <b>" if n % 5 == 0 else None,
                   "client_id": "658d6f54fbff9b7c6f2d0321" if bot else None, "country": None if bot else ("FR", "US", "DE")[n % 3],
                   "created_datetime": self.at(n), "updated_datetime": self.at(n + 100) if n % 4 else None,
                   "deactivated_datetime": self.at(n + 200) if gone else None, "email": agent["email"],
                   "external_id": f"user-{n}" if n % 3 == 0 else None, "firstname": agent["firstname"], "lastname": agent["lastname"],
                   "name": agent["name"], "language": ("fr", "en")[n % 2], "meta": agent["meta"],
                   "role": {"name": "bot" if bot else "agent" if roles[n % 7] == "lead-agent" else roles[n % 7]},
                   "timezone": None if bot else "US/Pacific", "has_2fa_enabled": n % 2 == 0, "has_password": not bot}

    def teams(self):
        agents = self.p.people.agents
        for n, team in enumerate(self.p.people.teams):
            yield {"id": team["id"], "uri": f"/api/teams/{team['id']}/", "name": team["name"],
                   "description": (None, "", "Handles <b>fulfilment</b>")[n % 3], "decoration": team["decoration"],
                   "members": [{"id": a["id"], "name": a["name"], "email": a["email"], "meta": a["meta"]} for a in agents[n::4]],
                   "created_datetime": None if self.p.hostile and n == 3 else self.at(n)}

    def tags(self):
        for n, tag in enumerate(self.p.people.tags):
            usage = 9_223_372_036_854_775_807 if self.p.hostile and n == 2 else n * 7919 % 5000
            yield {"id": tag["id"], "uri": f"/api/tags/{tag['id']}/", "name": tag["name"], "description": (None, "", "A tag")[n % 3],
                   "decoration": tag["decoration"], "usage": usage, "created_datetime": self.at(n), "deleted_datetime": None}

    def macros(self):
        for n in range(self.p.sizes.macros):
            topic = words.TOPICS[n % len(words.TOPICS)]
            id = 23453 + n
            yield {"id": id, "external_id": f"CUS-{n}" if n % 5 == 0 else None, "name": f"{topic[0].title()} {n} 🚚", "intent": topic[2],
                   "language": ("en", None, "de")[n % 3], "usage": n * 58392 % 1000,
                   "actions": [{"name": "addTags", "title": "Add tags", "type": "user", "description": None, "arguments": {"tags": topic[0]}},
                               {"name": "setResponseText", "title": "Reply", "type": "user",
                                "arguments": {"body_text": "Hi\x00" if self.p.hostile else topic[5], "body_html": f"<div>{topic[5]}</div>"}}],
                   "created_datetime": self.at(n), "updated_datetime": self.at(n + 50) if n % 6 else None,
                   "archived_datetime": self.at(n + 300) if n % 7 == 6 else None, "uri": f"/api/macros/{id}/"}

    def rules(self):
        for n in range(self.p.sizes.rules):
            id = 1234 + n
            managed = n % 4 == 3
            yield {"id": id, "uri": f"/api/rules/{id}/", "name": f"Auto-close {n}", "description": None if n % 2 else "Über-rule",
                   "code": "if (eq(ticket.from_agent, false)) {\n  Action('setStatus', { status: 'closed' })\n}",
                   "code_ast": None if managed else AST, "event_types": "ticket-created,ticket-updated",
                   "priority": "50" if self.p.hostile and managed else 100 - n, "type": "managed" if managed else "user",
                   "settings": {"slug": "auto-close-spam", "allow_list": ["a@example.com"], "block_list": []} if managed else None,
                   "created_datetime": self.at(n), "updated_datetime": self.at(n + 9) if n % 3 else None,
                   "deactivated_datetime": self.at(n + 99) if n % 5 == 4 else None}

    def custom_fields(self):
        """Two kinds of object, active and archived, with ties and nulls in priority: four lists."""
        kinds = (("text", {"input_type": "dropdown", "choices": ["Shipping::Late", "Shipping::Lost", "Ærger::Ø"], "default": None}),
                 ("number", {"input_type": "input_number", "min": -1.5, "max": 1e12, "placeholder": "€"}),
                 ("boolean", {"input_type": "dropdown", "choices": [True, False], "default": False}))
        for n in range(self.p.sizes.custom_fields):
            customer = n % 3 == 2
            data_type, settings = kinds[n % 3] if not customer else kinds[0]
            yield {"id": (201 if customer else 123) + n // 3 * 2 + (n % 3 if not customer else 0),
                   "object_type": "Customer" if customer else "Ticket", "label": f"Field {n}" if n else "Contact reason",
                   "description": (None, "")[n % 2], "priority": None if n % 5 == 4 else n // 4, "required": n == 0,
                   "requirement_type": ("required", "visible", "conditional")[n % 3],
                   "managed_type": "contact_reason" if n == 0 else None, "external_id": f"custom-field-{n}" if n % 4 == 1 else None,
                   "definition": {"data_type": data_type, "input_settings": settings}, "created_datetime": self.at(n),
                   "updated_datetime": self.at(n + 30), "deactivated_datetime": self.at(n + 60) if n % 4 >= 2 else None}

    def views(self):
        agents, teams = self.p.people.agents, self.p.people.teams
        filters = ("eq(ticket.status, 'open')", "eq(ticket.status, 'closed') && eq(ticket.channel, 'email')", "eq(ticket.spam, true)", "")
        for n in range(self.p.sizes.views):
            id = 97940 + n
            yield {"id": id, "uri": f"/api/views/{id}/", "name": f"View {n} 🙏", "slug": f"view-{n}", "category": ("user", "system")[n % 2],
                   "type": "ticket-list", "visibility": ("public", "shared", "private")[n % 3], "section_id": 383 if n % 3 == 0 else None,
                   "decoration": {"emoji": "🙏"} if n % 2 else None, "display_order": "0" if self.p.hostile and n == 1 else n * 10,
                   "fields": ["id", "details", "tags"], "filters": filters[n % 4], "filters_ast": AST if filters[n % 4] else None,
                   "order_by": "updated_datetime", "order_dir": ("desc", "asc")[n % 2], "search": None,
                   "shared_with_users": [{"id": a["id"], "name": a["name"], "meta": a["meta"]} for a in agents[:1]] if n % 3 == 1 else [],
                   "shared_with_teams": teams[:1] if n % 3 == 1 else [], "created_datetime": self.at(n, HOUR), "deactivated_datetime": None}

    def integrations(self):
        for n in range(self.p.sizes.integrations):
            id, type = 6 + n * 9, words.INTEGRATIONS[n % len(words.INTEGRATIONS)]
            http = None
            if type == "http":
                http = {"id": 987 + n, "url": "https://hooks.example.com/g?email={{ticket.customer.email}}", "method": "POST",
                        "headers": {"x-api-key": "REDACT-ME"}, "form": "{\"ticket\":{{ticket}}}" if n % 2 == 0 else {"hello": "world"},
                        "request_content_type": "application/json", "response_content_type": "application/json",
                        "triggers": {"ticket-created": True, "ticket-updated": n % 2 == 0}}
            meta = {"shopify": {"shop_name": "shop-de", "shop_domain": "shop.example.com", "shop_id": 77_280_352_667_901,
                                "sync_state": {"is_initialized": True}, "webhooks": [{"topic": "orders/create", "webhook_id": 1_081_234_567_890}]},
                    "email": {"address": "support@example.com", "signature": {"html": "<p>Bye</p>", "text": "Bye"}}}.get(type)
            yield {"id": id, "uri": f"/api/integrations/{id}/", "name": f"{type} {n}", "type": type, "description": None if n % 2 else "in use",
                   "application_id": None, "managed": n % 5 == 0, "business_hours_id": 7 if n % 4 == 0 else None,
                   "decoration": {"color": "#0d87dd"} if type == "gorgias_chat" else None, "meta": meta,
                   "user": {"id": self.p.people.agents[0]["id"]} if self.p.people.agents and n % 3 else None, "http": http,
                   "created_datetime": self.at(n), "updated_datetime": self.at(n + 40),
                   "deactivated_datetime": self.at(n + 80) if n % 6 == 5 else None, "locked_datetime": None, "deleted_datetime": None}

    def account(self):
        return {"domain": "acme", "created_datetime": self.p.iso(self.born), "deactivated_datetime": None, "status": {"status": "active"},
                "meta": {"company_id": "c_1", "company_domain": "example.com", "analytics_group_id": None, "hasCreditCard": True},
                "current_subscription": {"plan": "pro-monthly", "status": "active", "start_datetime": self.p.iso(self.born + DAY)},
                "settings": [
                    {"id": 987, "type": "business-hours", "data": {"timezone": "Europe/Paris", "business_hours": [
                        {"days": "1,2,3,4,5", "from_time": "09:00", "to_time": "22:00"}]}},
                    {"id": 988, "type": "views-ordering", "data": {"views": {"97940": {"display_order": 1}, "1916032": {"display_order": 2}},
                                                                   "view_sections": {"383": {"display_order": 0}}}},
                    {"id": 989, "type": "satisfaction-surveys", "data": {"send_survey_for_chat": True, "survey_interval": 24,
                                                                        "survey_email_html": "<p>👋</p>"}}]}

    # -- extras

    def calls(self):
        for n, i in enumerate(i for i in range(0, self.p.n, 50)):
            p = self.p.plan(i)
            yield {"id": 51_000 + 3 * n, "integration_id": 51, "ticket_id": p.id, "phone_number_id": 4, "external_id": f"CA{n:032x}",
                   "provider": "twilio", "status": "completed", "direction": ("inbound", "outbound")[n % 2],
                   "phone_number_source": "+4922112345", "country_source": "DE", "phone_number_destination": "+15035550100",
                   "country_destination": "US", "duration": n * 37 % 900, "started_datetime": self.p.iso(p.created),
                   "created_datetime": self.p.iso(p.created), "updated_datetime": self.p.iso(p.updated), "initiated_by_agent_id": None,
                   "last_answered_by_agent_id": self.p.people.agents[0]["id"] if self.p.people.agents else None, "last_rang_agent_id": None,
                   "last_monitoring_agent_id": None, "monitoring_status": None,
                   "customer_id": None if p.customer is None else self.p.customer_id(p.customer), "has_voicemail": False,
                   "has_call_recording": n % 2 == 0, "queue_id": None, "status_in_queue": None, "answered_by_external_number": None,
                   "answered_by_external_customer_id": None, "summaries": []}

    def call_events(self):
        for n, call in enumerate(self.calls()):
            for k, type in enumerate(("phone-call-ringing", "phone-call-answered", "completed-phone-call")):
                yield {"id": 91_000 + 4 * n + k, "account_id": 1, "call_id": call["id"], "type": type, "user_id": None,
                       "customer_id": call["customer_id"], "created_datetime": call["created_datetime"],
                       "meta": "{}" if self.p.hostile and k == 0 else {}}

    def recordings(self):
        for n, call in enumerate(self.calls()):
            if call["has_call_recording"]:
                yield {"id": 71_000 + n, "call_id": call["id"], "external_id": f"RE{n:032x}", "url": "https://recordings.example.com/r.mp3",
                       "duration": call["duration"], "type": "call-recording", "created_datetime": call["created_datetime"],
                       "deleted_datetime": self.at(n) if n % 6 == 4 else None, "deleted_by_user_id": None, "error_code": None}

    def jobs(self):
        for n in range(3):
            yield {"id": 800 + n, "type": ("exportTicket", "deleteTicket", "applyMacro")[n], "status": "done", "params": {},
                   "info": {"progress_count": n, "progress_cursor": ("x", 7, None)[n]}, "meta": None, "user_id": None,
                   "created_datetime": self.at(n), "started_datetime": self.at(n), "ended_datetime": self.at(n), "failed_datetime": None,
                   "locked_datetime": None, "scheduled_datetime": None, "cancel_requested_datetime": None, "cancelled_datetime": None,
                   "uri": f"/api/jobs/{800 + n}/"}

    def widgets(self):
        for n in range(4):
            yield {"id": 300 + n, "context": "ticket", "order": n, "template": {"type": "wrapper", "widgets": []}, "type": "shopify",
                   "created_datetime": self.at(n), "updated_datetime": self.at(n), "deactivated_datetime": None, "uri": f"/api/widgets/{300 + n}/"}
