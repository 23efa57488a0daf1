"""Full refresh by difference: the table becomes equal to the source, and nobody who reads it is disturbed."""

import threading
import unittest

from harness import CONFIGURATION, Case, Poll


class Refresh(Case):
    def copied(self, streams=CONFIGURATION, defaults=None, **options):
        self.simulator(**{"seed": 71, "tickets": 10, "tags": 230, **options})
        file = self.replication(streams, defaults={"mode": "full-refresh", **(defaults or {})})
        self.run_replication(file)
        return file

    def test_what_others_built_on_a_table_stays(self):
        file = self.copied(("tags", "users"))
        self.database.do("""
            create view public.tag_names as select id, name from gorgias.tags;
            create role reader_of_tags login; grant usage on schema gorgias to reader_of_tags; grant select on gorgias.tags to reader_of_tags;
            create index my_index on gorgias.tags (lower(name));
            create table public.mine (tag bigint references gorgias.tags (id) on delete set null);
            insert into public.mine select id from gorgias.tags""")
        self.addCleanup(self.database.do, "drop owned by reader_of_tags; drop role reader_of_tags")
        before = self.database.versions("gorgias.tags")
        oid = self.database.value("select 'gorgias.tags'::regclass::oid::text::bigint as oid")
        renamed, gone = self.sim.mutate("tag_rename")["id"], self.sim.mutate("tag_delete")["id"]
        result = self.run_replication(file)
        self.assert_equals_source("tags", result=result)
        after = self.database.versions("gorgias.tags")
        self.assertEqual({str(renamed), str(gone)}, {id for id in before if after.get(id) != before[id]})
        self.assertEqual((1, 1), (result.stream("tags")["updated"], result.stream("tags")["deleted"]))
        self.assertEqual(oid, self.database.value("select 'gorgias.tags'::regclass::oid::text::bigint as oid"))
        self.assertEqual(229, self.database.value("select count(*) from public.tag_names"))
        self.assertEqual(1, self.database.value("select count(*) from public.mine where tag is null"))
        self.assertEqual(1, self.database.value("select count(*) from pg_indexes where indexname = 'my_index'"))
        self.database.do("select count(*) from gorgias.tags", user="reader_of_tags")

    def test_readers_never_see_an_empty_table(self):
        file = self.copied(("tags",))
        for tag in self.sim.truth("tags")[:40]:
            self.sim.mutate("tag_rename", id=tag["id"])
        self.sim.set(latency="100ms")
        with Poll(lambda: self.database.value("select count(*) from gorgias.tags")) as poll:
            self.run_replication(file)
            self.run_replication(file, "--full-refresh")
        self.assertEqual({230}, set(poll.seen))

    def test_an_emptied_endpoint_empties_the_table(self):
        file = self.copied(("views", "rules", "users"))
        self.sim.mutate("clear", stream="views")
        result = self.run_replication(file)
        self.assertEqual(0, self.database.value("select count(*) from gorgias.views"))
        self.assertEqual(8, result.stream("views")["deleted"])
        self.assert_equals_source("rules", "users")

    def test_a_failed_list_empties_nothing(self):
        for fault in ("500", "null-data", "missing-data", "garbled", "403"):
            with self.subTest(fault=fault):
                self.database = self.database.server.database()
                file = self.copied(("views",))
                self.sim.add_faults({"match": "/api/views", "times": "forever", "fault": fault})
                result = self.command("run", file, "--output", "json", "--max-duration", "3s")
                self.assertNotEqual(0, result.code, str(result))
                self.assertEqual(8, self.database.value("select count(*) from gorgias.views"))

    def test_a_list_of_things_that_are_no_rows_deletes_nothing(self):
        file = self.copied(("users",))
        users = self.alive("users")
        for body in ('{"data": [null, 5, {"id": null}, {"x": 1}], "meta": {"next_cursor": null}}', '[{"id": 1.5}]'):
            with self.subTest(body=body):
                # For ever: a page of which nothing can be read is asked for again.
                self.sim.add_faults({"match": "/api/users", "times": "forever", "fault": "garbled", "args": {"body": body}})
                result = self.run_replication(file)
                self.assertEqual(0, result.stream("users")["deleted"])
                self.assertGreater(result.stream("users")["rejected"], 0)
                self.assertIn("no row was deleted", result.stderr)
                self.assertEqual(users, self.alive("users"))
                self.sim.clear_faults()
        self.run_replication(file)
        self.assert_equals_source("users")

    def test_a_list_cut_short_by_an_error_deletes_nothing(self):
        file = self.copied(("tags",))
        self.sim.add_faults({"match": "/api/tags", "request": 2, "times": "forever", "fault": "403"})
        result = self.run_replication(file, expect=1)
        self.assertEqual("failed", result.stream("tags")["status"])
        self.assertEqual(230, self.database.value("select count(*) from gorgias.tags"))

    def test_a_part_of_a_list_deletes_nothing(self):
        self.simulator(seed=77, tickets=5, tags=25)
        file = self.replication(("tags",))
        self.run_replication(file)
        self.run_replication(file, "--limit", "10")
        self.assertEqual(25, self.alive("tags"))
        self.assert_equals_source("tags")

    def test_a_field_that_was_passed_over_is_not_deleted(self):
        """custom_fields are listed by priority, which changes under the reader's feet: only GET says whether one is gone."""
        self.simulator(seed=74, tickets=10)
        for _ in range(260):
            self.sim.mutate("field_create")
        file = self.replication(("custom_fields",))
        self.run_replication(file)
        fields = [field for field in self.sim.truth("custom_fields") if field["object_type"] == "Ticket" and field["deactivated_datetime"] is None]
        self.assertGreater(len(fields), 100)
        fields.sort(key=lambda field: (-(field["priority"] or 0), -field["id"]))
        # After the first page was read, a row of the second moves to the first: it was on neither.
        moved = fields[-1]["id"]
        self.sim.add_faults({"match": "/api/custom-fields", "query": "object_type=Ticket",
                             "mutate": {"kind": "set", "stream": "custom_fields", "id": moved, "fields": {"priority": 4999}}})
        gone = fields[5]["id"]
        self.sim.mutate("drop", stream="custom_fields", id=gone)
        result = self.run_replication(file)
        self.assertEqual(1, self.database.value(f"select count(*) from gorgias.custom_fields where id = {moved}"))
        self.assertEqual(0, self.database.value(f"select count(*) from gorgias.custom_fields where id = {gone}"))
        self.sim.clear_faults()
        result = self.run_replication(file)
        self.assert_equals_source("custom_fields", result=result)

    def test_soft_deletion(self):
        file = self.copied(("tags",), defaults={"target_options": {"delete_missing": "soft"}})
        id = self.sim.mutate("tag_delete")["id"]
        result = self.run_replication(file)
        self.assertEqual(1, self.database.value(f"select count(*) from gorgias.tags where id = {id} and _deleted_at is not null"))
        self.assert_equals_source("tags", result=result)
        before = self.database.versions("gorgias.tags")
        self.run_replication(file)   # and is not marked again and again
        self.assertEqual(before, self.database.versions("gorgias.tags"))

    def test_modes(self):
        for mode, runs in (("truncate", 2), ("snapshot", 2), ("definition-only", 1)):
            with self.subTest(mode=mode):
                self.database = self.database.server.database()
                file = self.copied(("tags",), defaults={"mode": mode}, tags=30)
                if runs == 2:
                    self.run_replication(file)
                count = self.database.value("select count(*) from gorgias.tags")
                self.assertEqual({"truncate": 30, "snapshot": 60, "definition-only": 0}[mode], count)
                if mode == "truncate":
                    self.assert_equals_source("tags")

    def test_a_large_stream_can_be_refreshed_in_full(self):
        sim = self.simulator(seed=72, tickets=330)
        file = self.replication(("tickets", "customers"))
        self.run_replication(file)
        before = self.database.versions("gorgias.tickets")
        gone = sim.mutate("ticket_delete")["id"]
        silent = sim.truth("tickets")[9]["id"]
        sim.mutate("ticket_update", id=silent, fields={"subject": "changed without a trace"}, touch=False)
        result = self.run_replication(file, "--full-refresh", "--streams", "tickets")
        self.assert_equals_source("tickets", "customers", result=result)
        after = self.database.versions("gorgias.tickets")
        self.assertEqual({str(gone), str(silent)}, {id for id in before if after.get(id) != before[id]})

    def test_messages_go_with_a_ticket_that_is_gone_when_they_come(self):
        """They were sent before it went, and wait for a first load of their table while the refresh marks it: the copy does not look."""
        self.simulator(seed=71, tickets=80, messages_per_ticket=5)
        self.run_replication(self.replication(("tickets",)))
        newest = sorted(self.sim.truth("ticket_messages"), key=lambda message: (message["created_datetime"], message["id"]), reverse=True)
        ticket = newest[150]["ticket_id"]   # on the second page
        self.sim.add_faults({"match": "/api/messages", "request": 2, "fault": "slow", "args": {"bytes": 40000, "every": "500ms"},
                             "mutate": {"kind": "ticket_delete", "id": ticket}},
                            {"match": "/api/tickets", "fault": "503-html", "args": {"headers": {"Retry-After": "1"}}})
        holder = threading.Thread(target=self.database.do, args=("begin; lock table gorgias.tickets in share mode; select pg_sleep(9); commit",))
        holder.start()
        self.addCleanup(holder.join)
        self.run_replication(self.replication({"tickets": {"mode": "full-refresh", "target_options": {"delete_missing": "soft"}},
                                               "ticket_messages": None}))
        gone = self.database.column(f"select _deleted_at from gorgias.tickets where id = {ticket} and _deleted_at is not null")
        self.assertEqual(1, len(gone))
        # In the commit that brought them; they would be asked for once more, but later, or in the next run.
        self.assertEqual(gone, self.database.column(f"select distinct _deleted_at from gorgias.ticket_messages where ticket_id = {ticket}"))

    def test_a_full_refresh_that_is_interrupted(self):
        sim = self.simulator(seed=73, tickets=900)
        file = self.replication(("tickets",))
        self.run_replication(file)
        sim.clear_log()
        sim.set(latency="40ms")
        process = self.start("run", file, "--full-refresh")
        self.wait_for(lambda: len(self.requests("/api/tickets")) >= 5, "five pages", process)
        self.kill(process)
        sim.set(latency="0")
        self.assertEqual(900, self.alive("tickets"))
        sim.mutate("ticket_delete")
        result = self.run_replication(file, "--full-refresh")
        self.assert_equals_source("tickets", result=result)


if __name__ == "__main__":
    unittest.main()
