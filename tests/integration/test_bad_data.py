"""Whatever the API sends, the stream goes on: each value is kept as far as its column can hold it, the original goes to
_gorgias_replicate.rejected, the summary counts it, and the good values beside it are where they belong."""

import json
import os
import unittest

from harness import BINARY, Case
from raw_api import RawApi, envelope

R = "\ufffd"


def nested(levels):
    return b'{"a":' * levels + b"0" + b"}" * levels


NO_INTEGER, NO_BOOLEAN, NO_DATETIME = "not an integer", "not a boolean", "not a datetime"
NUL, SURROGATE, NO_UTF8, BEYOND_NUMERIC = "holds U+0000", "holds an unpaired surrogate", "is not UTF-8", "beyond numeric"
# column, the value as it is sent, what is stored (as text), why it is rejected, if it is
VALUES = (
    ("messages_count", b"12", "12", None), ("messages_count", b'"12"', "12", None), ("messages_count", b"12.0", "12", None),
    ("messages_count", b"1e2", "100", None), ("messages_count", b"-0", "0", None), ("messages_count", b"null", None, None),
    ("messages_count", b"9223372036854775807", "9223372036854775807", None),
    ("messages_count", b"-9223372036854775808", "-9223372036854775808", None),
    ("messages_count", b"9223372036854775808", None, "beyond bigint"), ("messages_count", b"-9223372036854775809", None, "beyond bigint"),
    ("messages_count", b"1e999", None, "beyond bigint"), ("messages_count", b"1.5", None, NO_INTEGER), ("messages_count", b'"x"', None, NO_INTEGER),
    ("messages_count", b'"1e2"', None, NO_INTEGER), ("messages_count", b'""', None, NO_INTEGER), ("messages_count", b"true", None, NO_INTEGER),
    ("messages_count", b"[]", None, NO_INTEGER), ("messages_count", b'{"a":1}', None, NO_INTEGER), ("messages_count", b'"\xff"', None, NO_INTEGER),
    ("messages_count", b'"\\u0000"', None, NO_INTEGER),
    ("subject", b'"x"', "x", None), ("subject", b'""', "", None), ("subject", b"5", "5", None), ("subject", b"true", "true", None),
    ("subject", b'{"a":[1]}', '{"a":[1]}', None), ("subject", b"[1e999999]", "[1e999999]", None),
    ("subject", b'"a\\u0000b"', f"a{R}b", NUL), ("subject", b'"\\ud800"', R, SURROGATE), ("subject", b'"\\udc00\\ud800"', R + R, SURROGATE),
    ("subject", b'"\\ud83d\\ude00"', "\U0001F600", None), ("subject", b'"a\xffb"', f"a{R}b", NO_UTF8), ("subject", b'"\xc0\x80"', R + R, NO_UTF8),
    ("subject", b'"\xed\xa0\x80"', R * 3, NO_UTF8), ("subject", b'"\xe2\x82"', R * 2, NO_UTF8), ("subject", b'"\xf4\x90\x80\x80"', R * 4, NO_UTF8),
    ("subject", b'"tab\\tquote\\"back\\\\slash\\nnewline\\\\N"', 'tab\tquote"back\\slash\nnewline\\N', None),
    ("subject", b'{"a":"\xff"}', f'{{"a":"{R}"}}', NO_UTF8),
    ("spam", b"true", "true", None), ("spam", b'"false"', "false", None), ("spam", b"null", None, None), ("spam", b"1", None, NO_BOOLEAN),
    ("spam", b'"yes"', None, NO_BOOLEAN), ("spam", b"[]", None, NO_BOOLEAN), ("spam", b'"true\\u0000"', None, NO_BOOLEAN),
    ("closed_datetime", b'"2026-01-02T03:04:05.123456+00:00"', "2026-01-02 03:04:05.123456+00", None),
    ("closed_datetime", b'"2026-01-02T03:04:05.123456789Z"', "2026-01-02 03:04:05.123456+00", None),
    ("closed_datetime", b'"2026-01-02T03:04:05"', "2026-01-02 03:04:05+00", None), ("closed_datetime", b'"2026-01-02t03:04:05z"', "2026-01-02 03:04:05+00", None),
    ("closed_datetime", b'"2026-01-02 03:04:05"', "2026-01-02 03:04:05+00", None), ("closed_datetime", b'"2026-01-02"', "2026-01-02 00:00:00+00", None),
    ("closed_datetime", b'"2026-01-02T03:04:05+14:00"', "2026-01-01 13:04:05+00", None),
    ("closed_datetime", b'"2026-01-02T03:04:05-15:59"', "2026-01-02 19:03:05+00", None),
    ("closed_datetime", b'"2016-12-31T23:59:60Z"', "2017-01-01 00:00:00+00", None), ("closed_datetime", b'"2016-12-31T24:00:00Z"', None, NO_DATETIME),
    ("closed_datetime", b'"0000-01-01T00:00:00Z"', "0001-01-01 00:00:00+00 BC", None),
    ("closed_datetime", b'"0000-01-01T00:00:00+15:00"', "0002-12-31 09:00:00+00 BC", None),
    ("closed_datetime", b'"9999-12-31T23:59:59-15:59"', "10000-01-01 15:58:59+00", None),
    ("closed_datetime", b'"10000-01-01T00:00:00Z"', None, NO_DATETIME), ("closed_datetime", b'"294277-01-01T00:00:00Z"', None, NO_DATETIME),
    ("closed_datetime", b'"2026-02-30"', None, NO_DATETIME), ("closed_datetime", b'""', None, NO_DATETIME), ("closed_datetime", b"1767323045", None, NO_DATETIME),
    ("closed_datetime", b"true", None, NO_DATETIME), ("closed_datetime", b'{"at":"2026-01-02"}', None, NO_DATETIME),
    ("closed_datetime", b'"2026-01-02T03:04:05Z\\u0000"', None, NO_DATETIME), ("closed_datetime", b'"infinity"', None, NO_DATETIME),
    ("meta", b"true", "true", None), ("meta", b"5", "5", None), ("meta", b'"text"', '"text"', None), ("meta", b"[]", "[]", None), ("meta", b"null", None, None),
    ("meta", b'{"b":1,"a":[{}],"b":2}', '{"a": [{}], "b": 2}', None), ("meta", b'{"a":"\\u0000"}', f'{{"a": "{R}"}}', NUL),
    ("meta", b'{"\\u0000":1}', f'{{"{R}": 1}}', NUL), ("meta", b'[[{"\\ud800":"\\udfff"}]]', f'[[{{"{R}": "{R}"}}]]', SURROGATE),
    ("meta", b'{"a":["\xff\xfe"]}', f'{{"a": ["{R}{R}"]}}', NO_UTF8), ("meta", b'{"\xff":1}', f'{{"{R}": 1}}', NO_UTF8),
    ("meta", b"1e131072", None, BEYOND_NUMERIC), ("meta", b'{"a":[1e131072,2]}', '{"a": [null, 2]}', BEYOND_NUMERIC),
    ("meta", b"12345678901234567890123456789012345678901234567890", "12345678901234567890123456789012345678901234567890", None),
    ("meta", nested(64), nested(64).decode().replace(":", ": "), None),
    ("meta", nested(10_000), nested(512).decode().replace(":0", ":null").replace(":", ": "), "nested deeper than 512 levels"),
)
# What is a row of a list and cannot be one of the table, and why.
NO_ROWS = ((b"null", "not an object"), (b"5", "not an object"), (b'"x"', "not an object"), (b"[]", "not an object"), (b"[1,2]", "not an object"),
           (b"{}", "without its key"), (b'{"subject":"no id"}', "without its key"), (b'{"id":null}', "without its key"), (b'{"id":true}', "without its key"),
           (b'{"id":"x"}', "without its key"), (b'{"id":1.5}', "without its key"), (b'{"id":9223372036854775808}', "without its key"),
           (b'{"id":[1]}', "without its key"), (b'{"id":"1\\u0000"}', "without its key"), (b'{"id":null,"subject":"\xff\\u0000"}', "without its key"))


class BadData(Case):
    def setUp(self):
        super().setUp()
        self.api = RawApi()
        self.addCleanup(self.api.close)

    def source(self):
        return {"type": "gorgias", "subdomain": "demo", "email": "sim@example.com", "api_key": "sim-key", "base_url": self.api.url,
                "anchor_date": "2001-01-01", "rate": {"requests": 100000, "per": "1s"}}

    def file(self, *streams, **more):
        return self.replication(streams or ("tickets",), source=self.source(), **more)

    def tickets(self, *rows, per_page=None, second=0):
        """Objects of /api/tickets from the bytes of their members, newest first, unless they are whole objects already."""
        self.api.rows("/api/tickets", [row if row[:1] != b'"' or row == b'"x"' else
                                       b'{"updated_datetime":"2026-01-01T%02d:%02d:%02d",%s}' % (20 - i // 3600, 59 - i // 60 % 60, 59 - i % 60, row)
                                       for i, row in enumerate(rows)], per_page)

    def rejected(self, columns="key, column_name, reason, original"):
        return [tuple(row.values()) for row in self.database.rows(f"select {columns} from _gorgias_replicate.rejected order by key, column_name, original")]

    def test_each_kind_of_value_in_each_kind_of_column(self):
        self.tickets(*(b'"id":%d,"channel":"beside","%s":%s' % (i, column.encode(), value) for i, (column, value, _, _) in enumerate(VALUES)), per_page=30)
        result = self.run_replication(self.file())
        rejects = {key: (column, reason, original) for key, column, reason, original in self.rejected()}
        for i, (column, value, stored, reason) in enumerate(VALUES):
            with self.subTest(column=column, value=value[:60]):
                (row,) = self.database.rows(f"select {column}::text as value, channel, _extra from gorgias.tickets where id = {i}")
                self.assertEqual({"value": stored, "channel": "beside", "_extra": None}, row)
                expected = (column, reason, value.decode("utf-8", "replace")) if reason else None
                found = rejects.get(str(i))
                if reason == NO_UTF8 or b"\xff" in value:   # one U+FFFD for each byte that is none, where Python may take several for one
                    expected, found = expected[:2], found[:2]
                self.assertEqual(expected, found)
        count = sum(reason is not None for _, _, _, reason in VALUES)
        self.assertEqual(count, len(rejects))
        self.assertEqual(count, result.stream("tickets")["rejected"])
        self.assertEqual(len(VALUES), result.stream("tickets")["inserted"])

        # The same again is rejected again, and kept once; what has become fine is in the table.
        result = self.run_replication(self.file())
        self.assertEqual(count, len(self.rejected()))
        self.assertEqual(0, result.stream("tickets")["updated"])
        self.tickets(*(b'"id":%d,"subject":"fine"' % i for i in range(len(VALUES))))
        result = self.run_replication(self.file())
        self.assertEqual(0, result.stream("tickets")["rejected"])
        self.assertEqual(len(VALUES), self.database.value("select count(*) from gorgias.tickets where subject = 'fine' and messages_count is null"))
        self.assertEqual(count, len(self.rejected()))

    def test_objects_that_are_no_rows(self):
        good = b'"id":"77","subject":"key as a text"'
        self.tickets(*(row for row, _ in NO_ROWS), good)
        result = self.run_replication(self.file())
        self.assertEqual([77], self.database.column("select id from gorgias.tickets"))
        self.assertEqual(sorted(reason for _, reason in NO_ROWS), sorted(reason for _, _, reason, _ in self.rejected()))
        self.assertEqual([None], list({column for _, column, _, _ in self.rejected()}))
        self.assertEqual(len(NO_ROWS), result.stream("tickets")["rejected"])
        # A full walk that met such objects cannot tell what is gone.
        self.database.do("insert into gorgias.tickets (id, _loaded_at, _hash) values (5, now(), 0)")
        result = self.run_replication(self.file(), "--full-refresh")
        self.assertEqual([5, 77], sorted(self.database.column("select id from gorgias.tickets where _deleted_at is null")))

    def test_new_fields_under_any_name(self):
        names = {b"plain": "plain", b"": "", b"Id": "Id", b"SUBJECT": "SUBJECT", b"_loaded_at": "_loaded_at", b"_hash": "_hash", b"_extra": "_extra",
                 b"_deleted_at": "_deleted_at", b"a\\u0000b": f"a{R}b", b"\\ud800": R, b"b\xffc": f"b{R}c", b"quote\\\"s'": "quote\"s'", b"new\\nline": "new\nline",
                 b"\xc3\xa4\xf0\x9f\x98\x80": "\u00e4\U0001F600", b"x" * 100_000: "x" * 100_000}
        self.tickets(b'"id":1,"subject":"s",' + b",".join(b'"%s":%d' % (name, i) for i, name in enumerate(names)))
        result = self.run_replication(self.file())
        self.assertEqual({name: i for i, name in enumerate(names.values())}, self.database.value("select _extra from gorgias.tickets"))
        self.assertEqual("s", self.database.value("select subject from gorgias.tickets"))
        self.assertEqual([NUL, SURROGATE, NO_UTF8], sorted(reason for _, _, reason, _ in self.rejected()))
        self.assertEqual(3, result.stream("tickets")["rejected"])
        warned = [line for line in result.stderr.splitlines() if "a field that the schema does not name" in line]
        self.assertEqual(len(names), len(warned), result.stderr[:3000])
        # Reported once, also across runs.
        self.tickets(b'"id":1,"subject":"t","plain":1,"later":2')
        result = self.run_replication(self.file(), "--full-refresh")
        warned = [line for line in result.stderr.splitlines() if "a field that the schema does not name" in line]
        self.assertEqual(1, len(warned), result.stderr)
        self.assertIn("later", warned[0])

    def test_a_long_incompressible_name(self):
        name = "".join(f"{i * 2654435761 % 2 ** 32:08x}" for i in range(12_500))   # 100 kB that no index takes
        self.tickets(b'"id":1,"%s":true,"%sx":{"\\u0000":1}' % (name.encode(), name.encode()))
        self.run_replication(self.file())
        self.assertEqual({name: True, name + "x": {R: 1}}, self.database.value("select _extra from gorgias.tickets"))

    def test_five_thousand_new_fields(self):
        self.tickets(b'"id":1,' + b",".join(b'"f%d":"\\u0000"' % i for i in range(5000)), b'"id":2')
        result = self.run_replication(self.file())
        self.assertEqual(5000, self.database.value("select count(*) from gorgias.tickets, jsonb_object_keys(_extra)"))
        self.assertEqual(5000, len(self.rejected()))
        self.assertEqual(5000, result.stream("tickets")["rejected"])

    def test_members_and_rows_that_come_twice(self):
        self.tickets(b'"id":1,"subject":"a","subject":"b","x":1,"x":2', b'"id":2,"subject":"newer"', b'"id":2,"subject":"older"')
        self.run_replication(self.file())
        self.assertEqual([{"id": 1, "subject": "b", "_extra": {"x": 2}}, {"id": 2, "subject": "newer", "_extra": None}],
                         self.database.rows("select id, subject, _extra from gorgias.tickets order by id"))
        # A name that becomes another's when it is made storable takes its value from the table, not from the rejects.
        self.tickets(b'"id":3,"y\\u0000":1,"y\xef\xbf\xbd":2')
        self.run_replication(self.file(), "--full-refresh")
        self.assertEqual([("3", "_extra", NUL, '{"y\\u0000":1}')], self.rejected())

    def test_a_value_longer_than_what_is_kept_of_it(self):
        """What is cut says so, and the table has the rest."""
        self.tickets(b'"id":1,"subject":"' + b"\xc3\xa4" * 100_000 + b'\\u0000"')
        self.run_replication(self.file())
        self.assertEqual(100_001, self.database.value("select length(subject) from gorgias.tickets"))
        (reject,) = self.rejected("reason, original, octet_length(original)")
        self.assertEqual(f"{NUL}; the original is cut: it has 200008 bytes", reject[0])
        self.assertLessEqual(reject[2], 65536)

    def test_a_body_of_fifty_megabytes(self):
        """One message of 50 MB: copied whole, and memory stays within a small multiple of the page."""
        size = 50_000_000
        body = b'{"id":1,"ticket_id":1,"created_datetime":"2026-01-01T00:00:00Z","body_text":"%s","body_html":"h"}' % (b"0123456789" * (size // 10))
        self.api.pages["/api/messages"] = [envelope([body])]
        process = self.start("run", self.file("ticket_messages"), "--output", "json", "--progress", "never")
        peak = 0
        while process.poll() is None:
            try:
                with open(f"/proc/{process.pid}/status") as status:
                    peak = max([peak] + [int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:")])
            except OSError:
                pass
        result = self.finish(process)
        self.assertEqual(0, result.code, str(result))
        self.assertEqual(size, self.database.value("select length(body_text) from gorgias.ticket_messages"))
        with open(BINARY, "rb") as binary:
            has_sanitizers = b"__asan_init" in binary.read()
        if not has_sanitizers:   # they keep what was freed for a while
            self.assertLess(peak, 5 * size)
            self.assertGreater(peak, size)

    def test_an_error_that_is_no_text(self):
        """What a failing answer says goes into the log and into the database, whatever bytes it is made of."""
        self.api.answers["/api/tickets"] = (403, {}, b'{"error":{"msg":"no \xff\xfe\xc3\\u0000 \\ud800 \x1b[31m\n"}}')
        self.api.answers["/api/tags"] = (302, {"Location": b"/\xff\xc3?\x1b[31m".decode("latin-1")}, b"")
        self.api.rows("/api/users", [b'{"id":1}'])
        result = self.run_replication(self.file("tickets", "tags", "users"), "--log-format", "json", expect=1)
        self.assertEqual(["failed", "failed", "succeeded"], [stream["status"] for stream in sorted(result.summary["streams"], key=lambda s: ["tickets", "tags", "users"].index(s["stream"]))])
        for line in result.stderr.splitlines():
            json.loads(line)
        self.assertNotIn("\x1b", result.stderr)
        self.assertEqual(2, self.database.value("select count(*) from _gorgias_replicate.stream_runs where error like 'HTTP %'"))


class BadTables(Case):
    """A table that is not as the plan has it: that stream fails with what to do about it, or copes; the others go on."""

    def setUp(self):
        super().setUp()
        self.simulator(seed=7, tickets=12)

    def spoil(self, sql):
        self.run_replication(self.replication(("users",)))
        self.database.do(sql)

    def failed(self, *streams, says):
        result = self.run_replication(self.replication(streams or ("tags", "users")), expect=1)
        for word in (says,) if isinstance(says, str) else says:
            self.assertIn(word, result.stderr)
        self.assertIn("tags", result.stderr)
        self.assertEqual("failed", result.stream("tags")["status"])
        self.assertEqual("succeeded", result.stream("users")["status"])
        return result

    def create(self, columns="id bigint primary key", more=""):
        self.database.do(f"create schema gorgias; create table gorgias.tags ({columns}); {more}")

    def test_a_column_that_is_too_short(self):
        self.create("id bigint primary key, name varchar(2)")
        self.failed(says=("character varying(2)", "make it text"))

    def test_a_column_of_a_smaller_type(self):
        self.sim.mutate("set", stream="tags", id=self.sim.truth("tags")[0]["id"], fields={"usage": 2 ** 40})
        self.create("id bigint primary key, usage integer")
        self.failed(says=("integer out of range", "make it bigint"))

    def test_a_column_that_wants_a_value(self):
        self.create("id bigint primary key, owner text not null")
        result = self.failed(says="owner")
        self.assertNotIn("Failing row contains", result.stdout + result.stderr)   # rows hold what customers wrote

    def test_generated_columns(self):
        """One of ours is left to PostgreSQL, and said; one of the user's own is no matter."""
        self.create("id bigint primary key, name text generated always as ('x') stored, twice bigint generated always as (id * 2) stored")
        result = self.run_replication(self.replication(("tags", "users")))
        self.assertIn("generated", result.stderr)
        self.assertEqual([{"name": "x", "ok": True}], self.database.rows("select distinct name, twice = id * 2 as ok from gorgias.tags"))

    def test_a_view(self):
        self.database.do("create schema gorgias; create view gorgias.tags as select 1 as id")
        self.failed(says="exists, but is no table")

    def test_a_trigger_that_refuses(self):
        self.create(more="create function gorgias.no() returns trigger language plpgsql as $$ begin raise exception 'not on my watch'; end $$;"
                         "create trigger no before insert on gorgias.tags for each row execute function gorgias.no()")
        self.failed(says="not on my watch")


if __name__ == "__main__":
    unittest.main()
