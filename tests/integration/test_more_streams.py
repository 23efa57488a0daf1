"""The streams that no wildcard includes: each has to be named."""

import json
import unittest

from harness import ALL_STREAMS, STREAMS, Case

LISTS = ("voice_calls", "voice_call_events", "voice_call_recordings", "jobs", "widgets")


class Named(Case):
    def test_no_wildcard_includes_them(self):
        listed = json.loads(self.command("--discover", "--format", "json").stdout)
        self.assertEqual(set(STREAMS), {entry["stream"] for entry in listed if entry["in_wildcard"]})
        self.assertEqual(set(ALL_STREAMS), {entry["stream"] for entry in listed})
        self.simulator(seed=1, tickets=4)
        result = self.run_replication(self.replication(("*", "jobs")))
        self.assertEqual({*STREAMS, "jobs"}, {stream["stream"] for stream in result.summary["streams"]})
        result = self.command("validate", self.replication(("voice_*",)))
        self.assertEqual(2, result.code, str(result))
        self.assertIn('"voice_*" matches only streams that no wildcard includes', result.stderr)
        self.assertIn("Name each of them", result.stderr)


class Lists(Case):
    def setUp(self):
        super().setUp()
        self.simulator(seed=8, tickets=700)

    def copied(self):
        file = self.replication(LISTS)
        self.run_replication(file)
        self.assert_equals_source(*LISTS)
        return file

    def test_changes(self):
        file = self.copied()
        before = {stream: self.database.versions(f"gorgias.{stream}") for stream in LISTS}
        self.sim.mutate("object_update", stream="voice_calls", suffix=None, fields={"status": "completed", "summaries": [{"text": "\u00e9"}]})
        self.sim.mutate("object_update", stream="jobs", suffix=None, fields={"status": "running", "info": {"progress_cursor": 7}})
        self.sim.mutate("object_update", stream="widgets", suffix=None, fields={"order": 77})
        self.sim.mutate("object_update", stream="voice_call_recordings", suffix=None, fields={"deleted_datetime": "2026-01-01T00:00:00+00:00", "duration": 12.5})
        result = self.run_replication(file)
        self.assert_equals_source(*LISTS)
        for stream in LISTS:
            after = self.database.versions(f"gorgias.{stream}")
            self.assertEqual(int(stream != "voice_call_events"), sum(after[key] != before[stream][key] for key in after), stream)
            self.assertEqual(0, result.stream(stream)["deleted"])

    def test_deletions(self):
        file = self.copied()
        for stream in LISTS:
            self.sim.mutate("drop", stream=stream)
        result = self.run_replication(file)
        self.assert_equals_source(*LISTS)
        self.assertEqual([1] * len(LISTS), [result.stream(stream)["deleted"] for stream in LISTS])

    def test_an_account_without_voice(self):
        """What the plan or the role forbids fails alone."""
        self.sim.set(forbid="/api/phone/voice-calls,/api/phone/voice-call-events")
        result = self.run_replication(self.replication(LISTS), expect=1)
        failed = {stream["stream"] for stream in result.summary["streams"] if stream["status"] == "failed"}
        self.assertEqual({"voice_calls", "voice_call_events"}, failed)
        self.assert_equals_source("voice_call_recordings", "jobs", "widgets")
        result = self.command("check", self.replication(LISTS))
        self.assertEqual((1, 2), (result.code, result.stdout.count("✗")), str(result))

    def test_an_audit(self):
        file = self.copied()
        self.assertEqual(0, self.command("audit", file).code)
        self.database.do("delete from gorgias.jobs; update gorgias.widgets set type = 'x'; update gorgias.voice_calls set id = -id")
        self.assertEqual(1, self.command("audit", file).code)
        self.assert_equals_source("jobs", "voice_calls")


if __name__ == "__main__":
    unittest.main()
