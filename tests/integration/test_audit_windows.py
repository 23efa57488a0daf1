"""The audit by ids, within its allowance; and the audit as a run: killed, stopped, overtaken, printed."""

import signal
import unittest

from audited import AUDITS, Audit


class Ids(Audit):
    """The allowance is too small for the list."""

    def windows(self, stream):
        return self.database.rows(f"select run_id, window_name, missing, gone from {AUDITS} where stream = '{stream}' and method = 'ids'"
                                  " order by checked_at, run_id")

    def test_windows_go_on_from_audit_to_audit(self):
        sim = self.simulator(seed=31, tickets=1000, messages_per_ticket=1)
        file = self.replication(("tickets",))
        self.run_replication(file)
        tickets = sorted(ticket["id"] for ticket in sim.truth("tickets"))
        lost = [tickets[10], tickets[500], tickets[990]]
        for id in lost:
            sim.mutate("drop", stream="tickets", id=id)
        codes, counts = [], []
        for _ in range(8):
            sim.clear_log()
            result = self.command("audit", file, "--output", "json", "--progress", "never", "--max-requests", "3")
            codes.append(result.code)
            counts.append(len(self.requests()))
            self.assertEqual("ids", result.stream("tickets")["method"])
            if result.stream("tickets")["complete"]:
                break
        self.assertLessEqual(max(counts), 3)
        self.assertEqual((1, True), (codes[0], 6 in codes))
        self.assertEqual(sorted(map(str, lost)), sorted(self.database.column(f"select unnest(gone_keys) from {AUDITS}")))
        self.assert_equals_source("tickets")
        self.assertTrue(all(row["window_name"].startswith("id ") for row in self.windows("tickets")))
        self.assertGreater(len(codes), 3)
        found, codes = self.rounds(file, "--max-requests", "3")   # and begins anew
        self.assertEqual(({}, 0), (found, codes[-1]))
        self.assertIsNone(self.database.value("select audit from _gorgias_replicate.streams where stream = 'tickets'"))

    def test_a_short_answer_is_not_believed(self):
        sim = self.simulator(seed=36, tickets=350)
        file = self.replication(("tickets",))
        self.run_replication(file)
        lost = sim.mutate("drop", stream="tickets")["id"]
        for fault in ("shrunk-page", "early-end"):   # one row, and no cursor
            sim.add_faults({"match": "/api/tickets", "query": "ticket_ids=", "request": 1, "times": 1, "fault": fault})
        sim.add_faults({"match": "/api/tickets", "query": "ticket_ids=", "request": 2, "times": 1, "fault": "500"})
        found, codes = self.rounds(file, "--max-requests", "3")
        self.assertEqual({"tickets": ([], [lost])}, found)
        self.assert_equals_source("tickets")

    def test_a_window_that_was_not_answered_comes_again(self):
        sim = self.simulator(seed=37, tickets=350)
        file = self.replication(("tickets",))
        self.run_replication(file)
        lost = sorted(ticket["id"] for ticket in sim.truth("tickets"))[5]
        sim.mutate("drop", stream="tickets", id=lost)
        sim.add_faults({"match": "/api/tickets", "query": "ticket_ids=", "request": 1, "fault": "400"})
        result = self.audit(file, "--max-requests", "4", "--threads", "1", expect=1)
        self.assertEqual(("failed", 0), (result.stream("tickets")["result"], result.stream("tickets")["gone"]))
        found, codes = self.rounds(file, "--max-requests", "4")
        self.assertEqual({"tickets": ([], [lost])}, found)

    def test_tickets_that_others_name(self):
        sim = self.simulator(seed=32, tickets=700)
        file = self.replication(("tickets", "ticket_messages", "satisfaction_surveys", "events"))
        self.run_replication(file)
        ids = self.database.column("select id from gorgias.tickets order by id limit 3 offset 300")
        self.database.do(f"delete from gorgias.tickets where id in ({','.join(map(str, ids))})")
        found, codes = self.rounds(file, "--streams", "tickets,ticket_messages,satisfaction_surveys", "--max-requests", "5")
        self.assertEqual(sorted(map(int, ids)), sorted(found["tickets"][0]))
        self.assert_equals_source("tickets", "ticket_messages")

    def test_messages_are_counted_by_ticket(self):
        sim = self.simulator(seed=33, tickets=400, messages_per_ticket=4)
        file = self.replication(("tickets", "ticket_messages"))
        self.run_replication(file)
        gone = sim.mutate("message_delete", touch=False, event=False)["id"]
        back = sim.mutate("message_backdate", touch=False)["id"]
        taken = self.database.value("select min(id) from gorgias.ticket_messages")
        self.database.do(f"delete from gorgias.ticket_messages where id = {taken}")
        sim.clear_log()
        result = self.audit(file, "--max-requests", "12", expect=1)
        self.assertEqual(["list", "ids"], [result.stream(stream)["method"] for stream in ("tickets", "ticket_messages")])
        missing, dead = self.gaps(result)["ticket_messages"]
        self.assertEqual((sorted([back, taken]), [gone]), (sorted(missing), dead))
        self.assertEqual(3, len(self.requests("/api/messages")))
        self.assert_equals_source("ticket_messages")
        sim.clear_log()
        self.assertEqual({}, self.gaps(self.audit(file, "--max-requests", "12")))
        self.assertEqual([], self.requests("/api/messages"))

    def test_objects_are_asked_for_one_by_one(self):
        sim = self.simulator(seed=34, tickets=900, customers=300)
        file = self.replication(("satisfaction_surveys", "customers"))
        self.run_replication(file)
        customers = sorted(customer["id"] for customer in sim.truth("customers"))
        surveys = sorted(survey["id"] for survey in sim.truth("satisfaction_surveys"))
        sim.mutate("drop", stream="customers", id=customers[0])
        sim.mutate("customer_merge", loser=customers[2])
        sim.mutate("drop", stream="satisfaction_surveys", id=surveys[1])
        for stream, gone in (("customers", [customers[0], customers[2]]), ("satisfaction_surveys", [surveys[1]])):
            found, asked = [], []
            for _ in range(2):
                sim.clear_log()
                result = self.command("audit", file, "--streams", stream, "--output", "json", "--max-requests", "2")
                self.assertEqual("ids", result.stream(stream)["method"])
                found += self.gaps(result).get(stream, ([], []))[1]
                asked += [int(request["path"].rsplit("/", 1)[1]) for request in self.requests()]
            self.assertEqual(gone, found)
            self.assertEqual((customers if stream == "customers" else surveys)[:4], sorted(asked))
            self.assertEqual(len(gone), self.database.value(f"select count(*) from gorgias.{stream} where _deleted_at is not null"))

    def test_events_over_the_allowance_are_said_to_be_unchecked(self):
        sim = self.simulator(seed=35, tickets=300)
        file = self.replication(("events", "tags"))
        self.run_replication(file)
        pages = -(-len(sim.truth("events")) // 100)
        sim.clear_log()
        result = self.audit(file, "--max-requests", str(pages), expect=6)
        self.assertEqual(("unchecked", pages + 1), (result.stream("events")["result"], result.stream("events")["list_requests"]))
        self.assertEqual("proven", result.stream("tags")["result"])
        self.assertEqual([], self.requests("/api/events"))


class Process(Audit):
    def test_a_kill_in_the_middle(self):
        sim = self.simulator(seed=41, tickets=1000, messages_per_ticket=1)
        file = self.replication(("tickets", "ticket_messages"))
        self.run_replication(file)
        before = self.remembered()
        tickets = sorted(ticket["id"] for ticket in sim.truth("tickets"))
        lost = [tickets[5], tickets[500], tickets[990]]
        for id in lost:
            sim.mutate("drop", stream="tickets", id=id)
        for options, pages in ((("--streams", "tickets"), 4), (("--streams", "tickets", "--max-requests", "9"), 6)):
            with self.subTest(options=options):
                sim.set(latency="20ms")
                sim.clear_log()
                process = self.start("audit", file, *options)
                self.wait_for(lambda pages=pages: len(self.requests("/api/tickets")) >= pages, f"{pages} pages", process)
                self.kill(process)
                sim.set(latency="0")
                self.assertEqual(before, self.remembered())
        self.audit(file, expect=1)
        # Each is found once, by one of the three.
        self.assertEqual(sorted(map(str, lost)), sorted(self.database.column(f"select unnest(gone_keys) from {AUDITS}")))
        self.assert_equals_source("tickets")
        self.assertEqual({}, self.gaps(self.audit(file)))

    def test_sigterm_in_the_middle(self):
        sim = self.simulator(seed=42, tickets=700)
        file = self.replication(("tickets", "customers"))
        self.run_replication(file)
        sim.set(latency="30ms")
        sim.clear_log()
        process = self.start("audit", file, "--output", "json")
        self.wait_for(lambda: len(self.requests("/api/tickets")) >= 4, "four pages", process)
        process.send_signal(signal.SIGTERM)
        result = self.finish(process)
        self.assertEqual(6, result.code, str(result))
        self.assertEqual("unfinished", result.stream("tickets")["result"])
        self.assertEqual("stopped", self.database.value("select status from _gorgias_replicate.runs order by run_id desc limit 1"))
        sim.set(latency="0")
        self.assertEqual({}, self.gaps(self.audit(file)))

    def test_the_time_is_over(self):
        sim = self.simulator(seed=43, tickets=500)
        file = self.replication(("tickets",))
        self.run_replication(file)
        sim.set(latency="1s")
        self.audit(file, "--max-duration", "1s", expect=6)

    def test_sessions_that_break(self):
        """Whether a commit was made or not when its session broke: what it found is told once."""
        sim = self.simulator(seed=48, tickets=700)
        file = self.replication(("tickets", "customers", "events"))
        self.run_replication(file)
        for options, method in (((), "list"), (("--streams", "tickets", "--max-requests", "7"), "ids")):
            with self.subTest(method=method):
                tickets = sorted(ticket["id"] for ticket in sim.truth("tickets"))
                lost = [tickets[7], tickets[320], tickets[-1]]
                for id in lost:
                    sim.mutate("drop", stream="tickets", id=id)
                sim.set(latency="30ms")
                process = self.start("audit", file, "--output", "json", "--progress", "never", *options)
                for _ in range(4):
                    sim.clear_log()
                    self.wait_for(lambda p=process: len(self.requests()) > 0 or p.poll() is not None, "a request")
                    self.database.do("select pg_terminate_backend(pid) from pg_stat_activity where application_name ~ '^gorgias-replicate'"
                                     " and datname = current_database()")
                result = self.finish(process)
                sim.set(latency="0")
                self.assertIn(result.code, (1,) if method == "list" else (1, 6), str(result))
                self.assertEqual(method, result.stream("tickets")["method"])
                found = self.gaps(result).get("tickets", ([], []))[1]
                if method == "ids":   # what had to be asked for again has used up the allowance
                    found += self.rounds(file, *options)[0].get("tickets", ([], []))[1]
                self.assertEqual(sorted(lost), sorted(found))
                self.assert_equals_source("tickets")

    def test_an_audit_that_was_overtaken_commits_nothing(self):
        sim = self.simulator(seed=50, tickets=500)
        file = self.replication(("tickets",))
        self.run_replication(file)
        sim.mutate("drop", stream="tickets")
        sim.set(latency="50ms")
        sim.clear_log()
        process = self.start("audit", file)
        self.wait_for(lambda: len(self.requests()) >= 2, "two pages", process)
        process.send_signal(signal.SIGSTOP)
        self.database.do("select pg_terminate_backend(pid) from pg_stat_activity where application_name ~ '^gorgias-replicate'"
                         " and datname = current_database()")
        self.wait_for_sessions_to_end()
        self.run_replication(file)
        versions = self.database.versions("gorgias.tickets")
        process.send_signal(signal.SIGCONT)
        self.assertEqual(5, self.finish(process).code)
        self.assertEqual(versions, self.database.versions("gorgias.tickets"))
        self.assertEqual(0, self.database.value(f"select count(*) from {AUDITS}"))

    def test_exit_codes(self):
        sim = self.simulator(seed=49, tickets=10)
        file = self.replication(("tags",))
        self.run_replication(file)
        for expect, arguments in ((2, (file, "--streams", "nonsense")), (2, (file, "--mode", "incremental")),
                                  (3, (self.replication(("tags",), source=self.gorgias(api_key="wrong"), name="3.yaml"),)),
                                  (4, (self.replication(("tags",), target=self.database.url("nobody"), name="4.yaml"),))):
            with self.subTest(expect=expect, arguments=arguments):
                self.assertEqual(expect, self.command("audit", *arguments).code)
        sim.set(forbid="/api/tags")
        self.assertEqual(1, self.command("audit", file).code)

    def test_one_at_a_time(self):
        sim = self.simulator(seed=44, tickets=90)
        file = self.replication(("tickets",))
        self.run_replication(file)
        sim.set(latency="2s")
        for first, second in (("run", "audit"), ("audit", "run"), ("audit", "audit")):
            with self.subTest(first=first, second=second):
                sim.clear_log()
                process = self.start(first, file)
                self.wait_for(lambda: self.database.value("select count(*) from _gorgias_replicate.runs where status = 'running'") == 1,
                              "the lock", process)
                self.assertEqual(5, self.command(second, file).code)
                self.assertEqual(0, self.finish(process).code)

    def test_the_allowance_is_kept(self):
        sim = self.simulator(seed=45, tickets=400)
        file = self.replication()
        self.run_replication(file)
        for most in (1, 7, 30):
            with self.subTest(most=most):
                sim.clear_log()
                sim.add_faults({"match": "/api/*", "request": 3, "fault": "500"})   # a second try counts, too
                self.audit(file, "--max-requests", str(most), expect=6)
                self.assertLessEqual(len(self.requests()), most)

    def test_what_it_prints(self):
        sim = self.simulator(seed=46, tickets=60)
        file = self.replication({"tickets": None, "tags": None, "users": {"mode": "snapshot"}})
        self.run_replication(file)
        tag, ticket = sim.mutate("drop", stream="tags")["id"], self.database.value("select min(id) from gorgias.tickets")
        self.database.do(f"delete from gorgias.tickets where id = {ticket}")
        result = self.command("audit", file)
        self.assertEqual(1, result.code, str(result))
        self.assertIn(f"\ntickets {ticket} was missing: loaded\ntags {tag} is gone at the source: deleted\n", result.stdout)
        self.assertIn('stream "users" is not audited', result.stderr)
        self.assertEqual(2, self.command("audit", self.replication({"users": {"mode": "snapshot"}}, name="other.yaml")).code)
        run = self.database.rows("select status, exit_code from _gorgias_replicate.runs order by run_id desc limit 1")[0]
        self.assertEqual(("succeeded", 1), (run["status"], run["exit_code"]))

    def test_state_tables_of_layout_1(self):
        self.simulator(seed=47, tickets=20)
        file = self.replication(("tags",))
        self.run_replication(file)
        self.database.do("drop table _gorgias_replicate.audits; alter table _gorgias_replicate.streams drop column audit;"
                         " update _gorgias_replicate.version set layout = 1")
        self.audit(file)
        self.assertEqual(3, self.database.value("select layout from _gorgias_replicate.version"))


if __name__ == "__main__":
    unittest.main()
