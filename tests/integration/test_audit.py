"""The audit: what the tables claim against what the source has, and the repair of what is found."""

import signal
import unittest

from harness import Case, SECRETS, parameters

AUDITS = "_gorgias_replicate.audits"


class Audit(Case):
    def audit(self, file, *options, expect=0):
        """`audit FILE --output json`; fails unless it ends with `expect`."""
        result = self.command("audit", file, "--output", "json", "--progress", "never", *options)
        self.assertEqual(expect, result.code, str(result))
        for secret in SECRETS:
            self.assertNotIn(secret, result.stdout + result.stderr)
        return result

    def gaps(self, result):
        """stream -> (ids that were missing, ids that are gone), of the streams that have any."""
        found = {stream["stream"]: ([int(key) for key in stream["missing_keys"]], [int(key) for key in stream["gone_keys"]])
                 for stream in result.summary["streams"]}
        for stream in result.summary["streams"]:
            self.assertEqual(stream["missing"], len(stream["missing_keys"]))
            self.assertEqual(stream["gone"], len(stream["gone_keys"]))
        return {stream: pair for stream, pair in found.items() if pair != ([], [])}

    def remembered(self):
        return self.database.rows("select object, bookmark, walk, source, mode, source_clock, completed_at from _gorgias_replicate.streams order by 1")


class List(Audit):
    def test_a_clean_copy_is_proven(self):
        sim = self.simulator(seed=1, tickets=150, hostile=True)
        file = self.replication()
        self.run_replication(file)
        before, versions = self.remembered(), self.database.versions("gorgias.tickets")
        sim.clear_log()
        result = self.audit(file)
        self.assertEqual({"list"}, {stream["method"] for stream in result.summary["streams"]})
        self.assertEqual({"proven"}, {stream["result"] for stream in result.summary["streams"]})
        self.assertEqual({}, self.gaps(result))
        self.assertEqual(150, result.stream("tickets")["checked"])
        self.assertEqual(before, self.remembered())
        self.assertEqual(versions, self.database.versions("gorgias.tickets"))
        self.assertEqual(len(self.requests()), result.summary["requests"])


if __name__ == "__main__":
    unittest.main()
