"""What the tests of the audit stand on."""

from harness import Case, SECRETS

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

    def rounds(self, file, *options, most=12):
        """Audits until one has come to the end of the round; returns the gaps of all of them."""
        found, codes = {}, []
        for _ in range(most):
            result = self.command("audit", file, "--output", "json", "--progress", "never", *options)
            self.assertIn(result.code, (0, 1, 6), str(result))
            codes.append(result.code)
            for stream, (missing, gone) in self.gaps(result).items():
                kinds = found.setdefault(stream, ([], []))
                kinds[0].extend(missing)
                kinds[1].extend(gone)
            if all(stream["complete"] for stream in result.summary["streams"]):
                return found, codes
        self.fail(f"no end: {codes}")

    def remembered(self):
        """What runs remember of the streams: an audit leaves it as it is."""
        return self.database.rows("select object, bookmark, walk, source, mode, source_clock, completed_at from _gorgias_replicate.streams"
                                  " order by 1")
