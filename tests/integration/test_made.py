"""ticket_custom_field_values: one row for each ticket and field, made of the tickets that are copied, in their transactions."""

import signal
import subprocess
import unittest

from harness import Case

STREAMS = ("tickets", "ticket_custom_field_values")
# What the table of tickets says, by another way than the program's.
DIFFERENCES = """
    select coalesce(m.ticket_id, w.ticket_id) as ticket_id, coalesce(m.id, w.id) as id, w.value as wanted, m.value as found
    from gorgias.ticket_custom_field_values as m full join (
        select t.id as ticket_id, (e.value ->> 'id')::bigint as id, nullif(e.value -> 'value', 'null') as value, t._deleted_at as gone_at
        from gorgias.tickets as t, jsonb_each(t.custom_fields) as e where jsonb_typeof(t.custom_fields) = 'object'
    ) as w on m.ticket_id = w.ticket_id and m.id = w.id
    where m.ticket_id is null or w.ticket_id is null or m.value is distinct from w.value or m._deleted_at is distinct from w.gone_at"""


class Made(Case):
    def setUp(self):
        super().setUp()
        self.simulator(seed=4, tickets=250)

    def give(self, id, **fields):
        """The ticket gets these values: names are those of fields, f123."""
        self.sim.mutate("ticket_update", id=id, fields={"custom_fields": {
            name[1:]: {"id": int(name[1:]), "value": value} for name, value in fields.items()} if fields else None})

    def tickets(self):
        return [ticket["id"] for ticket in self.sim.truth("tickets")]

    def assert_exact(self):
        self.assertEqual([], self.database.rows(DIFFERENCES))
        wanted = {(ticket["id"], field["id"]) for ticket in self.sim.truth("tickets") for field in (ticket["custom_fields"] or {}).values()}
        alive = "select ticket_id, id from gorgias.ticket_custom_field_values where _deleted_at is null"
        self.assertEqual(wanted, {(int(row["ticket_id"]), int(row["id"])) for row in self.database.rows(alive)})
        self.assertGreater(len(wanted), 5)

    def copied(self, streams=STREAMS, **options):
        for n, id in enumerate(self.tickets()[:120]):
            self.give(id, f123=f"Close::{n}", f124=n * 1.5, f125=n % 2 == 0)
        file = self.replication(streams, **options)
        result = self.run_replication(file)
        self.assert_exact()
        self.assertEqual(0, result.stream("ticket_custom_field_values")["requests"])
        return file

    def test_the_first_run_and_what_changes(self):
        file = self.copied()
        ids = self.tickets()
        before = self.database.rows("select ticket_id, id, xmin::text as x from gorgias.ticket_custom_field_values")
        self.give(ids[0], f123="Other", f124=0.0, f125=True)      # one value changes
        self.give(ids[1], f123="Close::1")                        # two are gone
        self.give(ids[2])                                         # all are gone
        self.give(ids[200], f123="New", f777={"a": [1, "\u00e9"]}, f124=None)
        self.sim.mutate("ticket_delete", id=ids[3])
        self.sim.mutate("ticket_merge", loser=ids[4], winner=ids[5])
        result = self.run_replication(file)
        # Without events nobody has said that tickets are gone.
        alive = "select count(*) from gorgias.ticket_custom_field_values where ticket_id = {} and _deleted_at is null"
        self.assertEqual([3, 1, 0, 3], [self.database.value(alive.format(id)) for id in (ids[0], ids[1], ids[2], ids[200])])
        self.assertEqual([], self.database.rows(DIFFERENCES))
        self.assertEqual(5, result.stream("ticket_custom_field_values")["deleted"])
        changed = {(row["ticket_id"], row["id"]): row["x"] for row in before}
        kept = [row for row in self.database.rows("select ticket_id, id, xmin::text as x from gorgias.ticket_custom_field_values")
                if changed.get((row["ticket_id"], row["id"])) == row["x"]]
        self.assertGreater(len(kept), 330)   # the others were not rewritten
        self.assertEqual(self.database.value("select value::text from gorgias.ticket_custom_field_values where id = 777"), '{"a": [1, "\u00e9"]}')

    def test_tickets_that_are_gone_take_theirs_along(self):
        for missing in ("soft", "hard"):
            with self.subTest(missing=missing):
                file = self.copied((*STREAMS, "events", "ticket_messages"),
                                   defaults={"target_options": {"delete_missing": missing}, "object": "gorgias.{stream_name}"}, name=f"{missing}.yaml")
                ids = self.tickets()
                self.sim.mutate("ticket_delete", id=ids[0])
                self.sim.mutate("ticket_merge", loser=ids[1], winner=ids[2])
                self.run_replication(file)
                self.assert_exact()
                marked = self.database.value("select count(*) from gorgias.ticket_custom_field_values where _deleted_at is not null")
                self.assertEqual(6 if missing == "soft" else 0, marked)
                self.database.do("drop schema gorgias cascade; drop schema _gorgias_replicate cascade")

    def test_values_that_are_marked_instead_of_deleted(self):
        file = self.copied({"tickets": None, "ticket_custom_field_values": {"target_options": {"delete_missing": "soft"}}})
        self.give(self.tickets()[0], f123="x")
        self.run_replication(file)
        gone = "select count(*) from gorgias.ticket_custom_field_values where _deleted_at is not null"
        self.assertEqual(2, self.database.value(gone))
        self.give(self.tickets()[0], f123="x", f124=1, f125=True)
        self.run_replication(file)
        self.assertEqual(0, self.database.value(gone))
        self.assert_exact()

    def test_a_stream_that_joins_later(self):
        """What was copied without it is made up for once, and again after runs that did not have it."""
        alone = self.replication(("tickets",), name="alone.yaml")
        self.run_replication(alone)
        file = self.copied()
        # The next run's walk does not come down to the first of them any more.
        for n in range(2):
            self.give(self.tickets()[n], f123="changed while it was away")
            self.run_replication(alone)
            self.sim.advance("1h")
        self.assertNotEqual([], self.database.rows(DIFFERENCES))
        self.run_replication(file)
        self.assert_exact()

    def test_a_table_that_was_only_made(self):
        alone = self.replication(("tickets",), name="alone.yaml")
        self.run_replication(alone)
        file = self.replication(STREAMS)
        self.run_replication(file, "--mode", "definition-only")
        self.assertEqual(0, self.database.value("select count(*) from gorgias.ticket_custom_field_values"))
        self.run_replication(file)
        self.assert_exact()

    def test_it_runs_whenever_tickets_do(self):
        file = self.copied()
        self.give(self.tickets()[0], f123="changed")
        result = self.run_replication(file, "--streams", "tickets")
        self.assertEqual(set(STREAMS), {stream["stream"] for stream in result.summary["streams"]})
        self.assert_exact()
        self.sim.clear_log()
        self.database.do("delete from gorgias.ticket_custom_field_values where id = 124; update gorgias.ticket_custom_field_values set _hash = 0")
        self.run_replication(file, "--streams", "ticket_custom_field_values", "--full-refresh")
        self.assert_exact()
        self.assertEqual([], self.requests())

    def test_it_is_left_out_where_it_is_taken_away(self):
        """And catches up in the next run that has it, though tickets have moved on."""
        file = self.copied()
        self.give(self.tickets()[0], f123="changed while it was away")
        result = self.run_replication(file, "--streams", "-ticket_custom_field_values")
        self.assertEqual(["tickets"], [stream["stream"] for stream in result.summary["streams"]])
        self.assertNotEqual([], self.database.rows(DIFFERENCES))
        self.sim.advance("1h")
        self.run_replication(file)
        self.assert_exact()

    def test_full_walks(self):
        file = self.copied()
        for mode in ("full-refresh", "truncate"):
            with self.subTest(mode=mode):
                self.give(self.tickets()[7], f123=mode)
                self.sim.mutate("ticket_delete")
                self.run_replication(file, "--mode", mode)
                self.assert_exact()

    def test_a_ticket_that_an_audit_has_repaired(self):
        file = self.copied()
        self.database.do("delete from gorgias.tickets where id % 2 = 0; delete from gorgias.ticket_custom_field_values where ticket_id % 2 = 0")
        self.assertEqual(1, self.command("audit", file).code)
        self.run_replication(file)
        self.assert_exact()

    def test_odd_values(self):
        ids = self.tickets()
        for n, fields in enumerate(("text", [1], {}, {"abc": {"id": "abc", "value": 1}}, {"125": "bare"}, {"126": {"value": "\u0000 x", "prediction": {"p": 1}}},
                                    {"99999999999999999999": {"value": 1}}, {"-1": {"value": 1}}, {"123": None},
                                    {"7": {"value": 7}, "07": {"value": 8}})):
            self.sim.mutate("ticket_update", id=ids[n], fields={"custom_fields": fields})
        self.run_replication(self.replication(STREAMS))
        rows = {(ids.index(int(row["ticket_id"])), int(row["id"])): (row["value"], row["_extra"])
                for row in self.database.rows(f"select * from gorgias.ticket_custom_field_values where ticket_id in ({','.join(map(str, ids[:10]))})")}
        self.assertEqual({(4, 125): ("bare", None), (5, 126): ("\ufffd x", {"prediction": {"p": 1}}), (8, 123): (None, None), (9, 7): (7, None)}, rows)

    def test_a_kill_at_any_moment(self):
        """Whatever is committed is exact: tickets and their values are in one transaction."""
        for n, id in enumerate(self.tickets()):
            self.give(id, f123=n)
        file = self.replication(STREAMS)
        self.sim.set(latency="30ms")
        for _ in range(6):
            run = self.start("run", file, "--progress", "never")
            try:
                run.wait(0.25)
            except subprocess.TimeoutExpired:
                run.send_signal(signal.SIGKILL)
            self.finish(run)
            if self.database.value("select count(*) from pg_tables where tablename = 'ticket_custom_field_values'"):
                self.assertEqual([], self.database.rows(DIFFERENCES))
        self.run_replication(file)
        self.assert_exact()

    def test_definition_only_has_no_rows(self):
        self.copied()
        self.database.do("drop schema gorgias cascade; drop schema _gorgias_replicate cascade")
        streams = {"tickets": None, "ticket_custom_field_values": {"mode": "definition-only"}}
        result = self.run_replication(self.replication(streams, name="definition.yaml"))
        self.assertEqual(0, result.stream("ticket_custom_field_values")["inserted"])
        self.assertEqual(0, self.database.value("select count(*) from gorgias.ticket_custom_field_values"))
        self.run_replication(self.replication(STREAMS))
        self.assert_exact()

    def test_a_limit_is_that_of_tickets(self):
        file = self.replication({"tickets": None, "ticket_custom_field_values": {"source_options": {"limit": 3}}})
        self.assertIn("only that one's limit counts", self.command("validate", file).stdout)
        self.run_replication(file)
        self.assert_exact()

    def test_what_is_not_run_may_be_anything(self):
        file = self.replication((*STREAMS, "customers"))
        self.assertIn("in mode snapshot", self.command("run", file, "--mode", "snapshot").stderr)
        result = self.run_replication(file, "--mode", "snapshot", "--streams", "customers")
        self.assertEqual(["customers"], [stream["stream"] for stream in result.summary["streams"]])

    def test_files_that_cannot_be(self):
        for streams, says in ((("ticket_custom_field_values",), "is made from tickets, which this file does not have"),
                              ({"tickets": {"disabled": True}, "ticket_custom_field_values": None}, "is made from tickets, which this file has disabled"),
                              ({"tickets": {"mode": "snapshot"}, "ticket_custom_field_values": None}, "several times in mode snapshot"),
                              ({"tickets": {"select": ["-custom_fields"]}, "ticket_custom_field_values": None}, "is not there as jsonb"),
                              ({"tickets": None, "ticket_custom_field_values": {"columns": {"value": "bigint"}}}, "can be text or jsonb")):
            with self.subTest(says=says):
                result = self.command("validate", self.replication(streams))
                self.assertEqual(2, result.code, str(result))
                self.assertIn(says, result.stderr)

    def test_names_of_tickets_that_are_not_run(self):
        """Which table and column values are made of, the file says, whether it is run or not."""
        files = (({"object": "a.t", "select": ["*", "custom_fields as cf"]}, None),
                 (None, {"target_options": {"column_casing": "upper"}, "object": "gorgias.{stream_name}"}))
        for n, (tickets, defaults) in enumerate(files):
            with self.subTest(n=n):
                file = self.replication({"tickets": tickets, "ticket_custom_field_values": None}, defaults=defaults, name=f"{n}.yaml")
                self.run_replication(file)
                rows = self.database.value("select count(*) from gorgias.ticket_custom_field_values")
                self.database.do("delete from gorgias.ticket_custom_field_values")
                self.assertEqual(0, self.command("state", file, "reset", "ticket_custom_field_values").code)
                self.run_replication(file, "--streams", "ticket_custom_field_values")
                self.assertEqual(rows, self.database.value("select count(*) from gorgias.ticket_custom_field_values"))
                self.assertGreater(rows, 5)
                self.database.do("drop schema gorgias cascade; drop schema _gorgias_replicate cascade; drop schema if exists a cascade")

    def test_other_names(self):
        self.give(self.tickets()[0], f123="named")
        file = self.replication({"tickets": {"object": "a.t", "select": ["*", "custom_fields as cf"]},
                                 "ticket_custom_field_values": {"object": "b.v", "columns": {"value": "text"}, "mode": "full-refresh"}})
        self.run_replication(file)
        self.assertEqual("named", self.database.value(f"select value from b.v where ticket_id = {self.tickets()[0]} and id = 123"))


if __name__ == "__main__":
    unittest.main()
