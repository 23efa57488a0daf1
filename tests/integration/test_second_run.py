"""Later runs: what did not change costs little and is not rewritten; what did arrives, whatever it was."""

import unittest
from math import ceil

import truth
from harness import CONFIGURATION, STREAMS, Case, parameters

INCREMENTAL = tuple(stream for stream in STREAMS if stream not in CONFIGURATION)


class SecondRun(Case):
    def copied(self, **options):
        """An account, copied once; returns its replication file."""
        self.simulator(**options)
        file = self.replication()
        self.run_replication(file)
        self.sim.clear_log()
        return file

    def test_nothing_changed(self):
        file = self.copied(seed=21, tickets=900)
        before = {stream: self.database.versions(f"gorgias.{stream}") for stream in STREAMS}
        result = self.run_replication(file)
        # One page each for tickets, customers and messages, of events what is younger than five minutes; surveys of the last 90 days;
        # the configuration in full: 1 + 1 + 1 + 1 + n + (7 lists, 2 of macros, 4 of custom fields).
        surveys = [row for row in self.sim.truth("satisfaction_surveys")
                   if truth.as_timestamptz(row["created_datetime"]) > self.sim.clock.now() - 90 * 86_400_000_000]
        self.assertLessEqual(len(self.requests()), 4 + ceil((len(surveys) + 1) / 100) + 13 + 2)
        for stream in STREAMS:
            with self.subTest(stream=stream):
                told = result.stream(stream)
                self.assertEqual((0, 0, 0), (told["inserted"], told["updated"], told["deleted"]))
                self.assertEqual(before[stream], self.database.versions(f"gorgias.{stream}"))
        self.assert_equals_source(result=result)

    def test_after_many_changes(self):
        """Everything that can happen to an account, in several rounds with different luck."""
        file = self.copied(seed=22, tickets=260, hostile=True)
        for luck in range(1, 5):
            with self.subTest(luck=luck):
                self.sim.random_changes(120, seed=luck, over="3h")
                self.sim.clear_log()
                result = self.run_replication(file)
                self.assert_equals_source(result=result)
                self.assert_dead_rows_are_marked()
                self.assertEqual(0, self.queue())
                # 120 changes touch at most as many tickets and customers; each may ask one or two questions.
                self.assertLess(len(self.requests()), 300)

    def assert_dead_rows_are_marked(self):
        for stream in CONFIGURATION:   # hard: gone without a trace
            self.assertEqual(0, self.database.value(f"select count(*) from gorgias.{stream} where _deleted_at is not null"), stream)
        for stream in INCREMENTAL:     # soft: still there, marked
            there = {str(row["id"]) for row in self.sim.truth(stream)}
            dead = self.database.column(f"select id::text from gorgias.{stream} where _deleted_at is not null")
            self.assertEqual(set(), set(dead) & there, stream)

    def test_each_change_by_itself(self):
        """One change of each kind, with the tables compared after each: so a failure names its change."""
        file = self.copied(seed=23, tickets=60)
        self.sim.random_changes(30, seed=3)   # so that there are unsent messages, unscored surveys and the like
        self.run_replication(file)
        for kind, arguments in CHANGES:
            with self.subTest(kind=kind, **{name: str(value) for name, value in arguments.items()}):
                self.sim.advance("1h")
                self.sim.mutate(kind, **{**self.subject(kind), **arguments})
                result = self.run_replication(file)
                self.assert_equals_source(result=result)

    def subject(self, kind):
        """The object of a change that only few can have."""
        unsent = [row["id"] for row in self.sim.truth("ticket_messages") if row["sent_datetime"] is None and row["failed_datetime"] is None]
        unscored = [row["id"] for row in self.sim.truth("satisfaction_surveys") if row["score"] is None]
        few = {"message_sent": unsent, "message_fail": unsent, "survey_score": unscored}
        return {"id": few[kind][0]} if kind in few else {}

    def test_few_tickets_cost_few_requests(self):
        file = self.copied(seed=24, tickets=600)
        self.sim.advance("1h")   # beyond the lookback, so that only what changes is near the top
        ids = [ticket["id"] for ticket in self.sim.truth("tickets")][100:112]
        for id in ids:
            self.sim.mutate("message_create", ticket_id=id)
        result = self.run_replication(file)
        self.assertLessEqual(len(self.requests("/api/messages")), 12 + 3)
        self.assertLessEqual(len(self.requests("/api/tickets")), 2)
        self.assert_equals_source(result=result)
        tickets, messages = result.stream("tickets"), result.stream("ticket_messages")
        self.assertEqual((0, 12), (tickets["inserted"], tickets["updated"]))
        self.assertEqual(12, messages["inserted"])

    def test_an_older_version_never_replaces_a_newer_one(self):
        file = self.copied(seed=25, tickets=20)
        id = self.database.value("select id::text from gorgias.tickets order by updated_datetime desc limit 1")
        # With another fingerprint: an unchanged row would not be written whatever its age.
        self.database.do("update gorgias.tickets set updated_datetime = updated_datetime + interval '1 hour', subject = 'newer',"
                         f" _hash = _hash # 1 where id = {id}")
        self.run_replication(file)
        self.assertEqual("newer", self.database.value(f"select subject from gorgias.tickets where id = {id}"))

    def test_late_scores(self):
        """A survey far below the lookback gets its score: its event tells."""
        file = self.copied(seed=26, tickets=150, days=300)
        (id, *_) = [row["id"] for row in self.sim.truth("satisfaction_surveys")
                    if row["score"] is None and truth.as_timestamptz(row["created_datetime"]) < self.sim.clock.now() - 120 * 86_400_000_000]
        self.sim.advance("1h")
        self.sim.mutate("survey_score", id=id, score=2)
        result = self.run_replication(file)
        self.assertEqual(2, self.database.value(f"select score from gorgias.satisfaction_surveys where id = {id}"))
        self.assert_equals_source("satisfaction_surveys", result=result)

    def test_merges_whomever_the_event_names(self):
        for names in ("loser", "winner"):
            for answer in ("404", "301"):
                with self.subTest(event_names=names, answer=answer):
                    self.database = self.database.server.database()
                    file = self.copied(seed=27, tickets=50, merge_event=names, merged_ticket=answer)
                    self.sim.advance("1h")
                    tickets = self.sim.mutate("ticket_merge")
                    self.sim.mutate("customer_merge")
                    result = self.run_replication(file)
                    self.assert_equals_source(result=result)
                    self.assertEqual(tickets["winner"], self.database.value(
                        f"select distinct ticket_id::text::bigint from gorgias.ticket_messages where id in ({ids(tickets['messages'])})"))

    def test_a_deleted_ticket_takes_its_messages_along(self):
        file = self.copied(seed=28, tickets=40, orphans=False)
        gone = self.sim.mutate("ticket_delete")
        self.run_replication(file)
        self.assertEqual(1, self.database.value(f"select count(*) from gorgias.tickets where id = {gone['id']} and _deleted_at is not null"))
        self.assertEqual(len(gone["messages"]), self.database.value(
            f"select count(*) from gorgias.ticket_messages where ticket_id = {gone['id']} and _deleted_at is not null"))
        self.assertEqual(0, self.queue())

    def test_a_customer_that_moved_is_not_followed(self):
        """GET of a merged customer answers 301 to the survivor: whose data must not land in the loser's row."""
        file = self.copied(seed=29, tickets=40)
        merged = self.sim.mutate("customer_merge")
        self.run_replication(file)
        self.assertEqual([], [request for request in self.requests("/api/customers/") if request["path"].endswith(str(merged["winner"]))
                              and request["status"] == 200 and "redirect" in str(request["faults"])])
        self.assertEqual(1, self.database.value(f"select count(*) from gorgias.customers where id = {merged['id']} and _deleted_at is not null"))
        self.assert_equals_source("customers")

    def test_new_columns_are_added_and_others_left_alone(self):
        file = self.copied(seed=30, tickets=20)
        self.database.do("alter table gorgias.tickets drop column language; alter table gorgias.tickets add column mine text default 'x'")
        self.sim.advance("1h")
        self.sim.mutate("ticket_update")
        self.run_replication(file)
        self.assertEqual(2, self.database.value("select count(*) from information_schema.columns where table_schema = 'gorgias'"
                                                " and table_name = 'tickets' and column_name in ('language', 'mine')"))
        self.assertEqual(20, self.database.value("select count(*) from gorgias.tickets where mine = 'x'"))

    def test_events_are_read_from_the_bookmark(self):
        file = self.copied(seed=31, tickets=100)
        self.sim.advance("2h")
        self.sim.mutate("ticket_close")
        self.run_replication(file)
        (asked,) = self.requests("/api/events")
        self.assertIn("created_datetime[gte]", parameters(asked))
        self.assertEqual("created_datetime:asc", parameters(asked)["order_by"])


def ids(values):
    return ",".join(map(str, values))


CHANGES = [
    ("ticket_create", {"messages": 3}), ("ticket_create", {"messages": 0}), ("ticket_import", {}), ("ticket_update", {}), ("ticket_close", {}),
    ("ticket_assign", {}), ("ticket_tag", {}), ("ticket_trash", {}), ("ticket_delete", {}), ("ticket_merge", {}), ("message_create", {}),
    ("message_create", {"touch": False}), ("message_backdate", {}), ("message_update", {}), ("message_update", {"touch": False}),
    ("message_delete", {}), ("message_delete", {"touch": False}), ("message_delete", {"soft": True}), ("message_create", {"from_agent": True}), ("message_create", {"from_agent": True}),
    ("message_fail", {}), ("message_sent", {}),
    ("customer_create", {}), ("customer_update", {}), ("customer_merge", {}), ("customer_delete", {}), ("survey_create", {}),
    ("survey_score", {}), ("survey_score", {"event": False}), ("tag_create", {}), ("tag_rename", {}), ("tag_usage", {}), ("tag_delete", {}),
    ("tag_delete", {"soft": True}), ("tag_merge", {}), ("user_create", {}), ("user_deactivate", {}), ("user_delete", {}), ("macro_create", {}),
    ("macro_use", {}), ("macro_archive", {}), ("macro_archive", {}), ("macro_delete", {}), ("field_create", {}), ("field_move", {}),
    ("field_archive", {}), ("team_members", {}), ("view_update", {}), ("rule_update", {}), ("integration_sync", {}),
    ("integration_deactivate", {}), ("account_update", {}), ("clear", {"stream": "views"}), ("clear", {"stream": "rules"}),
]


if __name__ == "__main__":
    unittest.main()
