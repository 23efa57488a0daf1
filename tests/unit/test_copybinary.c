/* layers: codec */
/* test_copybinary.c - each type takes what it can hold, and says what it cannot. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gr/base/time.h"
#include "gr/codec/copybinary.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FFFD         "\xEF\xBF\xBD"

/* One value in, and the field that comes out as text: "null", digits, or the bytes. */
struct field_case {
    const char *json;
    const char *field;
    const char *reason; /* NULL: none */
};

static uint64_t
big_endian(const char *at, int bytes)
{
    uint64_t value = 0;

    for (int i = 0; i < bytes; i++)
        value = value << 8 | (unsigned char)at[i];
    return value;
}

static void
field_text(enum gr_type type, const char *field, size_t len, char *text, size_t text_max)
{
    int64_t number = len == 8 ? (int64_t)big_endian(field, 8) : 0;
    double real = 0;

    if (type == GR_TYPE_BIGINT || type == GR_TYPE_TIMESTAMPTZ) {
        assert_int_equal(len, 8);
        (void)snprintf(text, text_max, "%" PRId64, number);
    } else if (type == GR_TYPE_DOUBLE) {
        assert_int_equal(len, 8);
        memcpy(&real, &number, sizeof(real));
        (void)snprintf(text, text_max, "%.17g", real);
    } else if (type == GR_TYPE_BOOLEAN) {
        assert_int_equal(len, 1);
        assert_in_range(field[0], 0, 1);
        (void)snprintf(text, text_max, "%s", field[0] == 1 ? "t" : "f");
    } else {
        (void)snprintf(text, text_max, "%.*s", (int)len, field);
    }
}

static void
check(enum gr_type type, const struct field_case *wanted)
{
    struct gr_json_reader reader = gr_json_open(wanted->json, strlen(wanted->json));
    struct gr_json_value value;
    char room[600];
    char text[600] = "null";
    struct gr_copy_out out = {.at = room};
    const char *reason;
    size_t len;

    assert_true(gr_json_value(&reader, &value));
    memset(room, 0x55, sizeof(room));
    reason = gr_copy_value(&out, type, &value);
    len = (size_t)big_endian(room, 4);
    assert_int_equal(out.is_null, len == UINT32_MAX);
    assert_int_equal(out.at - room, 4 + (out.is_null ? 0 : len));
    if (!out.is_null)
        field_text(type, room + 4, len, text, sizeof(text));
    if (strcmp(text, wanted->field) != 0)
        fail_msg("%s became %s, not %s", wanted->json, text, wanted->field);
    if (wanted->reason == NULL)
        assert_null(reason);
    else
        assert_string_equal(reason == NULL ? "no reason" : reason, wanted->reason);
    gr_copy_out_free(&out);
}

static void
puts_bigints(void **state)
{
    static const struct field_case cases[] = {
        {"null", "null", NULL},
        {"0", "0", NULL},
        {"-1", "-1", NULL},
        {"9223372036854775807", "9223372036854775807", NULL},
        {"-9223372036854775808", "-9223372036854775808", NULL},
        {"9223372036854775808", "null", "beyond bigint"},
        {"1e400", "null", "beyond bigint"},
        {"1e999999", "null", "beyond bigint"},
        {"5.0", "5", NULL},
        {"1e2", "100", NULL},
        {"5.5", "null", "not an integer"},
        {"\"100\"", "100", NULL},
        {"\"-100\"", "-100", NULL},
        {"\"\\u0031\\u0030\"", "10", NULL},
        {"\"9223372036854775808\"", "null", "beyond bigint"},
        {"\"\"", "null", "not an integer"},
        {"\"-\"", "null", "not an integer"},
        {"\" 1\"", "null", "not an integer"},
        {"\"+1\"", "null", "not an integer"},
        {"\"007\"", "null", "not an integer"},
        {"\"1e2\"", "null", "not an integer"},
        {"\"5.0\"", "null", "not an integer"},
        {"\"1\\u0000\"", "null", "not an integer"},
        {"\"abc\"", "null", "not an integer"},
        {"true", "null", "not an integer"},
        {"[1]", "null", "not an integer"},
        {"{}", "null", "not an integer"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check(GR_TYPE_BIGINT, &cases[i]);
}

static void
puts_doubles(void **state)
{
    static const struct field_case cases[] = {
        {"null", "null", NULL},
        {"0.5", "0.5", NULL},
        {"-0", "-0", NULL},
        {"1.5e-07", "1.4999999999999999e-07", NULL},
        {"100", "100", NULL},
        {"\"42.5\"", "42.5", NULL},
        {"\"1e2\"", "100", NULL},
        {"9007199254740993", "9007199254740992", NULL},
        {"1e309", "null", "beyond double"},
        {"1e-400", "null", "beyond double"},
        {"\"NaN\"", "null", "not a number"},
        {"\"\"", "null", "not a number"},
        {"\"1 \"", "null", "not a number"},
        {"false", "null", "not a number"},
        {"[]", "null", "not a number"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check(GR_TYPE_DOUBLE, &cases[i]);
}

static void
puts_booleans(void **state)
{
    static const struct field_case cases[] = {
        {"null", "null", NULL},
        {"true", "t", NULL},
        {"false", "f", NULL},
        {"\"true\"", "t", NULL},
        {"\"false\"", "f", NULL},
        {"\"tru\\u0065\"", "t", NULL},
        {"\"True\"", "null", "not a boolean"},
        {"1", "null", "not a boolean"},
        {"0", "null", "not a boolean"},
        {"\"\"", "null", "not a boolean"},
        {"{}", "null", "not a boolean"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check(GR_TYPE_BOOLEAN, &cases[i]);
}

static void
puts_texts(void **state)
{
    static const struct field_case cases[] = {
        {"null", "null", NULL},
        {"\"\"", "", NULL},
        {"\"a\\tb\"", "a\tb", NULL},
        {"\"null\"", "null", NULL},
        {"12", "12", NULL},
        {"1.50", "1.50", NULL},
        {"1e999999", "1e999999", NULL},
        {"true", "true", NULL},
        {"false", "false", NULL},
        {"{\"a\": [1]}", "{\"a\": [1]}", NULL},
        {"[\"\\u0000\\ud800\"]", "[\"\\u0000\\ud800\"]", NULL},
        {"[\"a\xff\"]", "[\"a" FFFD "\"]", "is not UTF-8"},
        {"\"before\\u0000after\\u0001\"", "before" FFFD "after\001", "holds U+0000"},
        {"\"\\ud83d x\"", FFFD " x", "holds an unpaired surrogate"},
        {"\"a\xC3\"", "a" FFFD, "is not UTF-8"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check(GR_TYPE_TEXT, &cases[i]);
}

static void
puts_timestamps(void **state)
{
    static const struct field_case cases[] = {
        {"null", "null", NULL},
        {"\"2000-01-01T00:00:00+00:00\"", "0", NULL},
        {"\"2000-01-01T00:00:00.000001Z\"", "1", NULL},
        {"\"1999-12-31T23:59:59.999999\"", "-1", NULL},
        {"\"2000-01-01 02:00:00+02:00\"", "0", NULL},
        {"\"2000-01-01T00:00:0\\u0030Z\"", "0", NULL},
        {"\"2025-10-13T11:09:13.002432+00:00\"", "813668953002432", NULL},
        {"\"0000-01-01T00:00:00Z\"", "-63113904000000000", NULL},
        {"\"9999-12-31T23:59:59.999999Z\"", "252455615999999999", NULL},
        {"\"2025-02-29T00:00:00Z\"", "null", "not a datetime"},
        {"\"\"", "null", "not a datetime"},
        {"\"soon\"", "null", "not a datetime"},
        {"\"2025-10-13T11:09:13Z\\u0000\"", "null", "not a datetime"},
        {"1760353753", "null", "not a datetime"},
        {"{}", "null", "not a datetime"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check(GR_TYPE_TIMESTAMPTZ, &cases[i]);
}

static void
puts_jsonb(void **state)
{
    static const struct field_case cases[] = {
        {"null", "null", NULL},
        {"[1,  2]", "[1,  2]", NULL},
        {"\"x\"", "\"x\"", NULL},
        {"12", "12", NULL},
        {"true", "true", NULL},
        {"{\"a\":\"\\u0000\"}", "{\"a\":\"" FFFD "\"}", "holds U+0000"},
        {"[\"\\udead\"]", "[\"" FFFD "\"]", "holds an unpaired surrogate"},
        {"[\"\xfe\"]", "[\"" FFFD "\"]", "is not UTF-8"},
        {"[1e131072,2]", "[null,2]", "beyond numeric"},
        {"1e131072", "null", "beyond numeric"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check(GR_TYPE_JSONB, &cases[i]);
}

static void
says_the_number(void **state)
{
    static const struct {
        enum gr_type type;
        const char *json;
        int64_t number;
    } cases[] = {
        {GR_TYPE_BIGINT, "12", 12},
        {GR_TYPE_BIGINT, "\"12\"", 12},
        {GR_TYPE_BIGINT, "null", INT64_MIN},
        {GR_TYPE_BIGINT, "\"x\"", INT64_MIN},
        {GR_TYPE_TIMESTAMPTZ, "\"1970-01-01T00:00:01Z\"", 1000000},
        {GR_TYPE_TIMESTAMPTZ, "\"x\"", GR_TIME_NONE},
        {GR_TYPE_TEXT, "12", INT64_MIN},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gr_json_reader reader = gr_json_open(cases[i].json, strlen(cases[i].json));
        struct gr_json_value value;
        char room[64];
        struct gr_copy_out out = {.at = room, .number = 77};

        assert_true(gr_json_value(&reader, &value));
        (void)gr_copy_value(&out, cases[i].type, &value);
        assert_int_equal(out.number, cases[i].number);
        gr_copy_out_free(&out);
    }
}

static void
keeps_to_postgresqls_range(void **state)
{
    static const struct {
        int64_t unix_us;
        bool is_held;
    } cases[] = {
        {0, true},
        {INT64_MAX, true},
        {INT64_C(-210866803200000000), true}, /* 4714-11-24 BC, where PostgreSQL begins */
        {INT64_C(-210866803200000001), false},
        {INT64_MIN, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t pg_us = 7;

        assert_int_equal(gr_copy_timestamp(cases[i].unix_us, &pg_us), cases[i].is_held);
        assert_int_equal(pg_us, cases[i].is_held ? cases[i].unix_us - INT64_C(946684800000000) : 7);
    }
}

/* A type without an encoder would be a call of nothing. */
static void
has_an_encoder_for_each_type(void **state)
{
    struct gr_json_reader reader = gr_json_open("\"x\"", 3);
    struct gr_json_value value;

    (void)state;
    assert_true(gr_json_value(&reader, &value));
    for (unsigned i = 0; i < GR_TYPE_COUNT; i++) {
        char room[64];
        struct gr_copy_out out = {.at = room};

        (void)gr_copy_value(&out, (enum gr_type)i, &value);
        assert_in_range(out.at - room, 4, sizeof(room));
        gr_copy_out_free(&out);
    }
}

/* Puts a nested value that is on tape, and requires that `field` comes out. */
static void
check_nested(const char *json, bool is_typed, const char *field)
{
    GR_CLEANUP(gr_tape_free) struct gr_tape tape = {0};
    struct gr_json_reader reader = gr_json_open_taped(json, strlen(json), &tape);
    size_t version = is_typed ? 1 : 0;
    struct gr_json_value value;
    char room[600];
    struct gr_copy_out out = {.at = room, .is_typed = is_typed};
    size_t len;

    assert_true(gr_json_value(&reader, &value));
    assert_null(gr_copy_value(&out, GR_TYPE_JSONB, &value));
    len = (size_t)big_endian(room, 4);
    assert_int_equal(out.at - room, 4 + len);
    assert_int_equal(len, version + strlen(field));
    assert_int_equal(room[4], is_typed ? 1 : field[0]);
    assert_memory_equal(room + 4 + version, field, strlen(field));
    gr_copy_out_free(&out);
}

/* What jsonb sorts anyway, by the length of names and then by their bytes. */
static void
orders_members_for_jsonb(void **state)
{
    static const struct {
        const char *json;
        const char *ordered;
    } cases[] = {
        {"{}", "{}"},
        {"{ }", "{ }"},
        {"[1, {}]", "[1,{}]"},
        {"[1, 2]", "[1, 2]"},
        {"{\"a\": 1, \"b\": 2}", "{\"a\": 1,\"b\": 2}"},
        {"{\"b\":1,\"a\":2}", "{\"a\":2,\"b\":1}"},
        {"{\"bb\":1,\"c\":2,\"a\":[]}", "{\"a\":[],\"c\":2,\"bb\":1}"},
        {"{\"b\":1,\"a\":2,\"b\":3,\"a\":4}", "{\"a\":2,\"a\":4,\"b\":1,\"b\":3}"},
        {"{\"\xC3\xA9\":1,\"zz\":2,\"z\":3}", "{\"z\":3,\"zz\":2,\"\xC3\xA9\":1}"},
        {"{\"b\": {\"y\":1, \"x\":[{\"d\":0,\"c\":\"\\n\"}]}, \"a\" : 5}",
         "{\"a\" : 5,\"b\":{\"x\":[{\"c\":\"\\n\",\"d\":0}],\"y\":1}}"},
        {"{\"b\\n\": {\"y\":1, \"x\":2}, \"a\":0}", "{\"b\\n\": {\"y\":1, \"x\":2}, \"a\":0}"},
        {"\"text\"", "\"text\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        check_nested(cases[i].json, true, cases[i].ordered);
        check_nested(cases[i].json, false, cases[i].json);
    }
}

/* Of 32 members an object is ordered, of 33 it is not. */
static void
leaves_large_objects_as_they_came(void **state)
{
    (void)state;
    for (int count = 32; count <= 33; count++) {
        GR_CLEANUP(gr_buf_free) struct gr_buf came = gr_buf_new(0);
        GR_CLEANUP(gr_buf_free) struct gr_buf ordered = gr_buf_new(0);

        for (int i = 0; i < count; i++) {
            gr_buf_printf(&came, "%c\"%02d\":0", i == 0 ? '{' : ',', count - 1 - i);
            gr_buf_printf(&ordered, "%c\"%02d\":0", i == 0 ? '{' : ',', i);
        }
        gr_buf_putc(&came, '}');
        gr_buf_putc(&ordered, '}');
        check_nested(gr_buf_text(&came), true, gr_buf_text(count == 32 ? &ordered : &came));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_an_encoder_for_each_type),
        cmocka_unit_test(puts_bigints),
        cmocka_unit_test(puts_doubles),
        cmocka_unit_test(puts_booleans),
        cmocka_unit_test(puts_texts),
        cmocka_unit_test(puts_timestamps),
        cmocka_unit_test(puts_jsonb),
        cmocka_unit_test(says_the_number),
        cmocka_unit_test(keeps_to_postgresqls_range),
        cmocka_unit_test(orders_members_for_jsonb),
        cmocka_unit_test(leaves_large_objects_as_they_came),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
