"""customer_details: each customer is asked for by id, through a queue that customers feed."""

import signal
import unittest

from harness import Case

STREAMS = ("customers", "customer_details")


class Details(Case):
    def setUp(self):
        super().setUp()
        self.simulator(seed=6, tickets=60, customers=80)

    def copied(self, streams=STREAMS, **options):
        file = self.replication(streams, **options)
        result = self.run_replication(file)
        self.assert_equals_source("customers", "customer_details")
        return file, result

    def customers(self):
        return [customer["id"] for customer in self.sim.truth("customers")]

    def asked(self):
        return [request["path"] for request in self.requests("/api/customers/")]

    def test_the_first_run_and_what_changes(self):
        file, result = self.copied()
        self.assertEqual(len(self.customers()), result.stream("customer_details")["requests"])
        self.assertEqual(0, self.database.value("select count(*) from _gorgias_replicate.queue"))
        self.sim.clear_log()
        self.run_replication(file)
        self.assertEqual([], self.asked())
        before = self.database.versions("gorgias.customer_details")
        changed = self.customers()[7]
        self.sim.mutate("customer_update", id=changed, fields={"name": "Changed"})
        new = self.sim.mutate("customer_create")["id"]
        self.run_replication(file)
        self.assertEqual({f"/api/customers/{changed}", f"/api/customers/{new}"}, set(self.asked()))
        self.assert_equals_source("customers", "customer_details")
        after = self.database.versions("gorgias.customer_details")
        self.assertEqual({str(changed), str(new)}, {key for key in after if after[key] != before.get(key)})

    def test_customers_that_are_gone(self):
        for missing in ("soft", "hard"):
            with self.subTest(missing=missing):
                file, _ = self.copied((*STREAMS, "events"), defaults={"target_options": {"delete_missing": missing}, "object": "gorgias.{stream_name}"},
                                      name=f"{missing}.yaml")
                self.sim.mutate("customer_delete")
                self.sim.mutate("customer_merge")
                self.run_replication(file)
                self.assert_equals_source("customers", "customer_details")
                for stream in STREAMS:
                    self.assertEqual(2 if missing == "soft" else 0, self.database.value(f"select count(*) from gorgias.{stream} where _deleted_at is not null"))
                self.database.do("drop schema gorgias cascade; drop schema _gorgias_replicate cascade")

    def test_a_stream_that_joins_later(self):
        """Until then nothing waits in a queue that nobody would ever empty."""
        alone = self.replication(("customers", "events"), name="alone.yaml")
        self.run_replication(alone)
        self.sim.mutate("customer_update")
        self.sim.mutate("customer_merge")
        self.run_replication(alone)
        self.assertEqual(0, self.database.value("select count(*) from _gorgias_replicate.queue where object like '%details'"))
        file, _ = self.copied()
        # Once its table is there, a run without it remembers what is to be asked.
        self.sim.mutate("customer_update")
        self.run_replication(alone)
        self.sim.clear_log()
        self.run_replication(file)
        self.assertEqual(1, len(self.asked()))
        self.assert_equals_source("customers", "customer_details")

    def test_full_refresh_asks_for_all(self):
        file, _ = self.copied()
        self.database.do("update gorgias.customer_details set name = 'x', _hash = 0 where id % 2 = 0; delete from gorgias.customer_details where id % 5 = 0")
        self.sim.clear_log()
        self.run_replication(file, "--streams", "customer_details", "--mode", "full-refresh")
        self.assertEqual(len(self.customers()), len(self.asked()))
        self.assert_equals_source("customers", "customer_details")

    def test_a_kill_loses_no_answer(self):
        file = self.replication(STREAMS)
        self.sim.add_faults({"match": "/api/customers/*", "request": 40, "fault": "stall", "args": {"keep": 0}, "times": 4})
        run = self.start("run", file)
        self.wait_for(lambda: self.sim.faults.rules[0].fired, "the queue in use", run)
        run.send_signal(signal.SIGKILL)
        self.finish(run)
        self.sim.clear_faults()
        there = self.database.value("select count(*) from gorgias.customer_details")
        self.sim.clear_log()
        self.run_replication(file)
        self.assert_equals_source("customers", "customer_details")
        self.assertEqual(len(self.customers()) - there, len(self.asked()))
        self.assertGreater(there, 10)

    def test_one_that_cannot_be_answered_waits(self):
        customer = self.customers()[3]
        self.sim.add_faults({"match": f"/api/customers/{customer}", "fault": "403", "times": "forever"})
        file = self.replication(STREAMS)
        self.run_replication(file, expect=1)
        self.assertEqual([customer], [int(key) for key in self.database.column("select key from _gorgias_replicate.queue")])
        self.sim.clear_faults()
        self.run_replication(file)
        self.assert_equals_source("customers", "customer_details")

    def test_a_part_asks_for_nothing(self):
        result = self.run_replication(self.replication(STREAMS), "--limit", "10")
        self.assertEqual(0, result.stream("customer_details")["requests"])
        self.assertIn("none is asked for", result.stream("customer_details")["note"])
        self.copied()

    def test_without_customers(self):
        """Nobody would notice that nothing is ever asked for."""
        result = self.run_replication(self.replication(STREAMS[1:], name="alone.yaml"), expect=1)
        self.assertIn("there is no table gorgias.customers", result.stderr)
        self.assertIn("Run the stream customers first", result.stderr)
        self.run_replication(self.replication(STREAMS[:1], name="customers.yaml"))
        self.run_replication(self.replication(STREAMS[1:], name="alone.yaml"))
        self.assert_equals_source("customers", "customer_details")

    def test_names_of_customers_that_are_not_run(self):
        defaults = {"target_options": {"column_casing": "upper"}, "object": "gorgias.{stream_name}"}
        file = self.replication({"customers": {"object": "a.c"}, "customer_details": None}, defaults=defaults)
        self.run_replication(file, "--streams", "customers")
        result = self.run_replication(file, "--streams", "customer_details")
        self.assertEqual(len(self.customers()), result.stream("customer_details")["inserted"])
        self.sim.mutate("customer_update")
        self.run_replication(file, "--streams", "customers")   # feeds the queue of the table that is there
        self.assertEqual(1, self.database.value("select count(*) from _gorgias_replicate.queue"))

    def test_an_audit_leaves_it_out(self):
        file, _ = self.copied()
        self.sim.clear_log()
        result = self.command("audit", file)
        self.assertEqual(0, result.code, str(result))
        self.assertIn('stream "customer_details" is not audited', result.stderr)
        self.assertEqual([], self.asked())

    def test_the_plan_says_what_it_costs(self):
        self.assertIn("a request for each of customers", self.command("validate", self.replication(STREAMS)).stdout)


if __name__ == "__main__":
    unittest.main()
