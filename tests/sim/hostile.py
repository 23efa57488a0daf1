"""Values that the API may legally or illegally send and that break careless readers. Some rows get some of them."""

from shelf import HUGE

UGLY = ("before\x00after", "lone high \ud83d", "lone low \udc00 end", "👩‍👩‍👧‍👦 שלום e\u0301 \u2028 ZWJ", "\x01\t\r\n\x1f", "",
        "<script>alert(1)</script> '; DROP TABLE tickets; --", "\\N", "\\", "a\tb\\nc", "\ufeffBOM", "{\"json\":1}", "NULL", "x" * 70_000)

# stream -> variants; each sets fields. Ids and sort columns stay sane: a list that cannot be paged tests nothing.
VARIANTS = {
    "tickets": (
        lambda n: {"subject": UGLY[n % len(UGLY)]},
        lambda n: {"meta": {"big": 9007199254740993, "huge": HUGE, "tiny": 1.5e-07, "deep": [[1, [2, {"deep": [None, True]}]], []],
                            "nul\x00key": "\x00", "": "empty key"}},
        lambda n: {"messages_count": "3"},
        lambda n: {"external_id": 12345, "language": ""},
        lambda n: {"x_new_field": {"a": 1}, "Mixed Case \"quoted\"": True, "_loaded_at": "mine", "order": "desc"},
        lambda n: {"channel": "carrier-pigeon", "via": None, "priority": None},
        lambda n: {"opened_datetime": "0000-00-00T00:00:00", "snooze_datetime": "soon"},
        lambda n: {"closed_datetime": "2025-12-31T23:59:59.999999+00:00", "opened_datetime": "infinity"},
        lambda n: {"customer": None, "assignee_user": [], "tags": None},
        lambda n: {"excerpt": UGLY[(n // 7) % len(UGLY)], "custom_fields": {"124": {"id": 124, "value": 1e308}}},
        lambda n: {"spam": "yes", "is_unread": None, "from_agent": 1},
    ),
    "messages": (
        lambda n: {"body_text": UGLY[n % len(UGLY)], "body_html": UGLY[(n + 1) % len(UGLY)]},
        lambda n: {"rule_id": 9223372036854775808, "integration_id": "28643"},
        lambda n: {"last_sending_error": "550 mailbox unavailable", "headers": {"X\x00": "\x00", "x": "1", "X": "2"}},
        lambda n: {"opened_datetime": "2026-02-30T00:00:00+00:00"},
        lambda n: {"replied_to": {"id": 1}, "replied_by": 7, "attachments": None, "x_unknown": [1, [2]]},
        lambda n: {"integration_id": 1.5, "public": None, "source": None},
    ),
    "customers": (
        lambda n: {"note": UGLY[n % len(UGLY)], "name": UGLY[(n // 3) % (len(UGLY) - 1)]},
        lambda n: {"meta": {"big": 18446744073709551616, "nan": "NaN"}, "data": [1, "two", {}]},
        lambda n: {"active": "true", "language": 7, "channels_hint": None},
    ),
    "surveys": (
        lambda n: {"score": "5"},
        lambda n: {"body_text": UGLY[n % len(UGLY)], "score": 4.0},
        lambda n: {"customer_id": 10 ** 30, "score": 99999999999},
        lambda n: {"meta": {"postcall": True, "id": 9007199254740993}, "x_extra": None},
    ),
    "events": (
        lambda n: {"data": {"text": UGLY[n % len(UGLY)], "deep": [[[1]], {"k": None}]}, "context": None},
        lambda n: {"user_id": "601409", "x_extra": 1},
    ),
}


def spoil(stream, row, n):
    """Every third row gets one variant; which one follows from its position."""
    if n % 3 == 0:
        variants = VARIANTS[stream]
        row.update(variants[n // 3 % len(variants)](n))
    return row
