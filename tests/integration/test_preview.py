"""preview: rows as they would be stored, and nothing else happens."""

import unittest

import truth
from harness import ALL_STREAMS, Case


class Preview(Case):
    def setUp(self):
        super().setUp()
        self.simulator(seed=301, tickets=130)

    def preview(self, file, *arguments, expect=0):
        result = self.command("preview", file, *arguments)
        self.assertEqual(expect, result.code, str(result))
        return [truth.loads(line) for line in result.stdout.split("\n") if line]   # not splitlines(): that splits at U+2028, too

    def assert_shows_what_a_run_stores(self, file, *streams):
        shown = {stream: self.preview(file, stream, "--limit", "1000") for stream in streams}
        self.run_replication(file)
        for stream in streams:
            with self.subTest(stream=stream):
                stored = self.database.rows(f"select * from gorgias.{stream}")
                self.assertEqual(len(stored), len(shown[stream]))
                self.assertEqual(set(stored[0]) - {"_loaded_at", "_deleted_at", "_hash"}, set(shown[stream][0]))
                keys = {"id": 1, truth.key_of(stream): 1}   # ticket_id, too
                by_key = {tuple(str(row.get(key)) for key in keys): row for row in stored}
                self.assertEqual(len(stored), len(by_key))
                for row in shown[stream]:
                    there = by_key[tuple(str(row.get(key)) for key in keys)]
                    for column, value in row.items():
                        if column.endswith("_datetime"):   # PostgreSQL writes them in another form
                            continue
                        self.assertEqual(there[column], value, (stream, column))

    def test_rows_are_those_that_a_run_stores(self):
        self.simulator(seed=305, tickets=60, hostile=True)
        self.assert_shows_what_a_run_stores(self.replication(ALL_STREAMS), *ALL_STREAMS)

    def test_values_of_every_form_are_made_as_by_a_run(self):
        fields = {"1": {"id": 1, "value": "text", "prediction": {"a": [1, None]}}, "2": {"value": 2.5}, "3": {"value": None}, "4": "bare", "5": None,
                  "6": {"id": 99, "ticket_id": 98, "value": {"b": "\u00e9"}}, "007": {"value": 1}, "x": {"value": 1}, "-8": 1, "9": [], "10": {}}
        ids = [ticket["id"] for ticket in self.sim.truth("tickets")]
        for id in ids[1:]:
            self.sim.mutate("ticket_update", id=id, fields={"custom_fields": None})
        self.sim.mutate("ticket_update", id=ids[0], fields={"custom_fields": fields})
        self.assert_shows_what_a_run_stores(self.replication(("tickets", "ticket_custom_field_values")), "ticket_custom_field_values")
        self.assertEqual(8, self.database.value("select count(*) from gorgias.ticket_custom_field_values"))

    def test_rows_that_come_with_those_of_another_stream(self):
        file = self.replication(("tickets", "ticket_custom_field_values", "customers", "customer_details"))
        self.sim.clear_log()
        self.assertEqual(3, len(self.preview(file, "customer_details", "--limit", "3")))
        self.assertEqual(4, len(self.requests()))   # a page of customers, and each of them
        gone = self.sim.truth("customers")
        self.sim.add_faults({"match": f"/api/customers/{gone[0]['id']}", "fault": "404", "times": "forever"})
        self.assertEqual(len(gone) - 1, len(self.preview(file, "customer_details", "--limit", "1000")))
        self.sim.clear_log()
        self.assertEqual(3, len(self.preview(file, "ticket_custom_field_values", "--limit", "3")))
        self.assertEqual(1, len(self.requests()))
        self.assertEqual(2, len(self.preview(file, "tickets", "--limit", "2")))   # though the values go along with a run of it
        self.assertEqual(2, len(self.preview(file, "ticket?", "--limit", "2")))
        self.assertIn("fits 2 streams", self.command("preview", file, "ticket*").stderr)

    def test_newest_first_and_no_more_than_asked_for(self):
        file = self.replication(target="postgresql:///nowhere?host=/nonexistent")   # which must not matter
        self.sim.clear_log()
        rows = self.preview(file, "tickets", "--limit", "7")
        newest = sorted((row["updated_datetime"] for row in self.sim.truth("tickets")), reverse=True)[:7]
        self.assertEqual([when[:19] for when in newest], [row["updated_datetime"][:19] for row in rows])
        self.assertEqual(1, len(self.requests()))
        self.assertEqual(10, len(self.preview(file, "ticket_messages")))
        self.assertEqual(2, len(self.requests()))
        self.assertEqual(110, len(self.preview(file, "tickets", "--limit", "110")))
        self.assertEqual(4, len(self.requests()))
        self.assertEqual([], self.database.rows("select from pg_namespace where nspname in ('gorgias', '_gorgias_replicate')"))

    def test_select_and_extra(self):
        (row,) = self.preview(self.replication({"tags": {"select": ["name as label"]}}), "tags", "--limit", "1")
        self.assertEqual(["id", "label", "_extra"], list(row))

    def test_wrong_input(self):
        file = self.replication(("tickets", "tags"))
        for arguments, code, said in (((file,), 2, "needs an argument: STREAM"), ((file, "ticket"), 2, 'did you mean "tickets"?'),
                                      ((file, "t*"), 2, "fits 2 streams"), ((file, "tickets", "more"), 2, 'unexpected argument "more"'),
                                      ((self.folder + "/none.yaml", "tickets"), 2, "cannot open"),
                                      ((file, "tickets", "--limit", "0"), 2, "a whole number from 1")):
            with self.subTest(arguments=arguments):
                result = self.command("preview", *arguments)
                self.assertEqual((code, ""), (result.code, result.stdout), str(result))
                self.assertIn(said, result.stderr)
        refused = self.command("preview", self.replication(("tags",), source=self.gorgias(api_key="wrong-key"), name="wrong.yaml"), "tags")
        self.assertEqual(3, refused.code, str(refused))
        self.assertIn("HINT", refused.stderr)
        self.sim.set(forbid="/api/tags")
        self.assertEqual(1, self.command("preview", file, "tags").code)


if __name__ == "__main__":
    unittest.main()
