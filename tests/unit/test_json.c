/* layers: codec */
/* test_json.c - the scanner: what it takes and refuses, where values end, what it says of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/codec/json.h"
#include "gr/codec/text.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FFFD         "\xEF\xBF\xBD"

/* Reads one whole text; the copy has no byte to spare, so that ASan sees each one read too many. */
static bool
accepts(const char *text, size_t len, struct gr_json_value *value_out, const char **failed_out)
{
    char *copy = gr_strndup(text, len);
    char *exact = gr_realloc(copy, len == 0 ? 1 : len, 1);
    struct gr_json_reader reader = gr_json_open(exact, len);
    bool ok = gr_json_value(&reader, value_out) && gr_json_end(&reader);

    *failed_out = reader.failed;
    gr_free(exact);
    return ok;
}

static void
accepts_json(void **state)
{
    static const char *const texts[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1",
        "-1",
        "12.5",
        "0.0",
        "-0.0e-0",
        "1e5",
        "1E+5",
        "1e-5",
        "123456789012345678901234567890",
        "1.7976931348623157e309",
        "0e99",
        "\"\"",
        "\"a\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\"",
        "\"\x7f\"",
        "\"\\u0000\"",
        "\"\\uD800\"",
        "\"\\uDC00\\uD800\"",
        "\"\\uD800\\n\"",
        "\"\\uD800\\u0041\"",
        "\"\xff\"",
        "\"\xed\xa0\x80\"",
        "[]",
        "[ ]",
        " [ 1 , 2 ] ",
        "[[],[[]],{}]",
        "{}",
        "{ }",
        "{\"a\":1}",
        "{\"\":0}",
        "{\"a\":1,\"a\":2}",
        "\t\r\n {\t\"a\"\r:\n1 }\t",
        "[1,[2,{\"a\":[3,{}]}],4]",
        "\"0123456789abcdef\"",
        "\"0123456789abcde\\\"f0123456789\"",
        "[\"\xe2\x80\xa8\"]",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct gr_json_value value;
        const char *failed;

        if (!accepts(texts[i], strlen(texts[i]), &value, &failed))
            fail_msg("refused (%s): %s", failed, texts[i]);
    }
}

static void
refuses_what_is_not_json(void **state)
{
    static const struct {
        const char *text;
        const char *failed;
    } cases[] = {
        {"", "ends too early"},
        {"  ", "ends too early"},
        {"nul", "not a value"},
        {"nulL", "not a value"},
        {"True", "not a value"},
        {"NaN", "not a value"},
        {"Infinity", "not a value"},
        {"-Infinity", "not a number"},
        {"'a'", "not a value"},
        {"\xEF\xBB\xBF[]", "not a value"},
        {"+1", "not a value"},
        {".5", "not a value"},
        {"-", "not a number"},
        {"01", "not a number"},
        {"-01", "not a number"},
        {"1.", "not a number"},
        {"1.e1", "not a number"},
        {"1e", "not a number"},
        {"1e+", "not a number"},
        {"[1e]", "not a number"},
        {"0x10", "something follows the value"},
        {"1 2", "something follows the value"},
        {"[] []", "something follows the value"},
        {"truex", "something follows the value"},
        {"\"", "ends inside a string"},
        {"\"abc", "ends inside a string"},
        {"\"abcdefghijklmnopq", "ends inside a string"},
        {"\"\\", "not an escape"},
        {"\"\\\"", "ends inside a string"},
        {"\"\\x41\"", "not an escape"},
        {"\"\\u12\"", "not an escape"},
        {"\"\\u12g4\"", "not an escape"},
        {"\"\\uD800\\uDC0\"", "not an escape"},
        {"\"\\a\"", "not an escape"},
        {"\"a\nb\"", "a control character in a string"},
        {"\"a\x1f\"", "a control character in a string"},
        {"\"\t\"", "a control character in a string"},
        {"[", "ends too early"},
        {"[1", "ends too early"},
        {"[1,", "ends too early"},
        {"[1,]", "not a value"},
        {"[,1]", "not a value"},
        {"[,]", "not a value"},
        {"[1 2]", "no comma and no end"},
        {"[1}", "no comma and no end"},
        {"]", "not a value"},
        {"[]]", "something follows the value"},
        {"{", "no name of a member"},
        {"{1:2}", "no name of a member"},
        {"{a:1}", "no name of a member"},
        {"{\"a\"}", "no colon"},
        {"{\"a\" 1}", "no colon"},
        {"{\"a\":}", "not a value"},
        {"{\"a\":1,}", "no name of a member"},
        {"{\"a\":1 \"b\":2}", "no comma and no end"},
        {"{\"a\":1]", "no comma and no end"},
        {"{,}", "no name of a member"},
        {"{\"a\":1", "ends too early"},
        {"{\"a", "ends inside a string"},
        {"[\f1]", "not a value"},
        {"[1]\xC2\xA0", "something follows the value"},
        {"/* */ 1", "not a value"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gr_json_value value;
        const char *failed;

        if (accepts(cases[i].text, strlen(cases[i].text), &value, &failed))
            fail_msg("taken: %s", cases[i].text);
        assert_string_equal(failed, cases[i].failed);
    }
}

static void
refuses_zero_bytes(void **state)
{
    static const struct {
        const char *text;
        size_t len;
    } cases[] = {{"\"a\0b\"", 5}, {"[\0]", 3}, {"1\0", 2}, {"\0", 1}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gr_json_value value;
        const char *failed;

        assert_false(accepts(cases[i].text, cases[i].len, &value, &failed));
    }
}

/* `levels` containers, alternating between arrays and objects. */
static char *
nested(unsigned levels)
{
    struct gr_buf text = gr_buf_new(0);

    for (unsigned i = 0; i < levels; i++)
        gr_buf_puts(&text, i % 2 == 0 ? "[" : "{\"a\":");
    gr_buf_puts(&text, levels % 2 == 0 ? "0" : "[]");
    for (unsigned i = levels; i > 0; i--)
        gr_buf_putc(&text, (i - 1) % 2 == 0 ? ']' : '}');
    return gr_buf_take(&text);
}

static void
limits_depth(void **state)
{
    static const struct {
        unsigned levels; /* an odd number has one more inside */
        bool is_taken;
        bool is_storable;
    } cases[] = {{64, true, true},     {65, true, true},      {511, true, true},
                 {512, true, true},    {514, true, false},    {10000, true, false},
                 {65536, true, false}, {65538, false, false}, {1000000, false, false}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        GR_CLEANUP(gr_free_var) char *text = nested(cases[i].levels);
        struct gr_json_value value;
        const char *failed;

        assert_int_equal(accepts(text, strlen(text), &value, &failed), cases[i].is_taken);
        if (!cases[i].is_taken)
            assert_string_equal(failed, "nested too deep");
        else
            assert_int_equal((value.flags & GR_JSON_TOO_DEEP) == 0, cases[i].is_storable);
    }
}

/* 512 levels are left, the next one is null; what lies beside it stays as it is. */
static void
cuts_what_is_too_deep(void **state)
{
    GR_CLEANUP(gr_free_var) char *deep = nested(10000);
    GR_CLEANUP(gr_free_var) char *fitting = nested(512);
    GR_CLEANUP(gr_buf_free) struct gr_buf out = gr_buf_new(0);
    struct gr_json_reader reader = gr_json_open(deep, strlen(deep));
    struct gr_json_value value;
    char *zero = strchr(fitting, '0');

    (void)state;
    assert_true(gr_json_value(&reader, &value));
    gr_json_storable(&value, &out);
    reader = gr_json_open(gr_buf_text(&out), out.len);
    assert_true(gr_json_value(&reader, &value) && gr_json_end(&reader));
    assert_int_equal(value.flags & GR_JSON_UNSTORABLE, 0);
    *zero = '\0';
    assert_int_equal(strncmp(gr_buf_text(&out), fitting, strlen(fitting)), 0);
    assert_int_equal(strncmp(gr_buf_text(&out) + strlen(fitting), "null", 4), 0);
    assert_string_equal(gr_buf_text(&out) + strlen(fitting) + 4, zero + 1);
}

static void
says_what_is_inside(void **state)
{
    static const struct {
        const char *text;
        enum gr_json_kind kind;
        unsigned flags;
    } cases[] = {
        {"null", GR_JSON_NULL, 0},
        {"true", GR_JSON_TRUE, 0},
        {"false", GR_JSON_FALSE, 0},
        {"12", GR_JSON_NUMBER, 0},
        {"\"a\"", GR_JSON_STRING, 0},
        {"\"\\n\"", GR_JSON_STRING, GR_JSON_ESCAPED},
        {"[\"\\n\"]", GR_JSON_ARRAY, 0},
        {"\"\\\\u0000\"", GR_JSON_STRING, GR_JSON_ESCAPED},
        {"\"\\u0000\"", GR_JSON_STRING, GR_JSON_ESCAPED | GR_JSON_HAS_NUL},
        {"{\"\\u0000\":1}", GR_JSON_OBJECT, GR_JSON_HAS_NUL},
        {"[[{\"a\":[\"\\u0000\"]}]]", GR_JSON_ARRAY, GR_JSON_HAS_NUL},
        {"\"\\ud83d\\ude00\"", GR_JSON_STRING, GR_JSON_ESCAPED},
        {"\"\\ude00\\ud83d\"", GR_JSON_STRING, GR_JSON_ESCAPED | GR_JSON_HAS_SURROGATE},
        {"\"\\ud83d\\ud83d\\ude00\"", GR_JSON_STRING, GR_JSON_ESCAPED | GR_JSON_HAS_SURROGATE},
        {"\"\xF0\x9F\x98\x80\"", GR_JSON_STRING, 0},
        {"\"\xF0\x9F\x98\"", GR_JSON_STRING, GR_JSON_BAD_UTF8},
        {"\"\xC0\x80\"", GR_JSON_STRING, GR_JSON_BAD_UTF8},
        {"\"\xED\xA0\x80\"", GR_JSON_STRING, GR_JSON_BAD_UTF8},
        {"\"\xF4\x90\x80\x80\"", GR_JSON_STRING, GR_JSON_BAD_UTF8},
        {"[1e131071]", GR_JSON_ARRAY, 0},
        {"[1e131072]", GR_JSON_ARRAY, GR_JSON_HUGE_NUMBER},
        {"1E-16384", GR_JSON_NUMBER, GR_JSON_HUGE_NUMBER},
        {"[\"\\u0000\xff\\ud800\",1e999999]", GR_JSON_ARRAY,
         GR_JSON_UNSTORABLE & ~GR_JSON_TOO_DEEP},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct gr_json_value value;
        const char *failed;

        assert_true(accepts(cases[i].text, strlen(cases[i].text), &value, &failed));
        assert_int_equal(value.kind, cases[i].kind);
        assert_int_equal(value.flags, cases[i].flags);
        assert_int_equal(value.len, strlen(cases[i].text));
    }
}

static struct gr_json_value
read_value(const char *text)
{
    struct gr_json_reader reader = gr_json_open(text, strlen(text));
    struct gr_json_value value;

    assert_true(gr_json_value(&reader, &value));
    assert_true(gr_json_end(&reader));
    return value;
}

static void
decodes_strings(void **state)
{
    static const struct {
        const char *text;
        const char *decoded;
        unsigned flags;
    } cases[] = {
        {"\"\"", "", 0},
        {"\"plain\"", "plain", 0},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 0},
        {"\"\\u0041\\u00e9\\u20AC\\uD83D\\uDE00\\uFFFF\"",
         "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\xEF\xBF\xBF", 0},
        {"\"0123456789abcdef\\n0123456789abcdefg\\t\"", "0123456789abcdef\n0123456789abcdefg\t", 0},
        {"\"a\\u0000b\"", "a" FFFD "b", GR_JSON_HAS_NUL},
        {"\"a\\ud800b\"", "a" FFFD "b", GR_JSON_HAS_SURROGATE},
        {"\"\\udc00\\ud83d\\ude00\\ud800\"", FFFD "\xF0\x9F\x98\x80" FFFD, GR_JSON_HAS_SURROGATE},
        {"\"\\ud800\\u0000\"", FFFD FFFD, GR_JSON_HAS_NUL | GR_JSON_HAS_SURROGATE},
        {"\"a\xff\xC3\xA9\xE2\x82z\"", "a" FFFD "\xC3\xA9" FFFD FFFD "z", GR_JSON_BAD_UTF8},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        GR_CLEANUP(gr_buf_free) struct gr_buf out = gr_buf_new(0);
        struct gr_json_value value = read_value(cases[i].text);

        gr_buf_puts(&out, ">");
        assert_int_equal(gr_json_decode(&value, &out), cases[i].flags);
        assert_string_equal(gr_buf_text(&out) + 1, cases[i].decoded);
        assert_int_equal(out.len, strlen(cases[i].decoded) + 1);
        assert_true(gr_json_is(&value, cases[i].decoded));
        assert_false(gr_json_is(&value, "other"));
    }
}

static void
makes_values_storable(void **state)
{
    static const struct {
        const char *text;
        const char *storable;
    } cases[] = {
        {" [1, 2] ", "[1, 2]"},
        {"[\"\\u0000\", \"\\\\u0000\"]", "[\"" FFFD "\", \"\\\\u0000\"]"},
        {"{\"a\\u0000\":\"\\ud83d\\ude00\\ud83d\"}", "{\"a" FFFD "\":\"\\ud83d\\ude00" FFFD "\"}"},
        {"[\"\\\"1e999999\\\"\",-1e999999,1e5]", "[\"\\\"1e999999\\\"\",null,1e5]"},
        {"1e999999", "null"},
        {"[0e-20000,\"\xfe\\u12aB\",true]", "[null,\"" FFFD "\\u12aB\",true]"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        GR_CLEANUP(gr_buf_free) struct gr_buf out = gr_buf_new(0);
        struct gr_json_value value = read_value(cases[i].text);

        gr_json_storable(&value, &out);
        assert_string_equal(gr_buf_text(&out), cases[i].storable);
        assert_int_equal(read_value(gr_buf_text(&out)).flags & GR_JSON_UNSTORABLE, 0);
    }
}

static void
respects_the_buffers_limit(void **state)
{
    struct gr_json_value value = read_value("\"0123456789\"");
    GR_CLEANUP(gr_buf_free) struct gr_buf out = gr_buf_new(4);

    (void)state;
    (void)gr_json_decode(&value, &out);
    assert_non_null(out.failed);
    assert_int_equal(out.len, 0);
}

/* Random texts from a seed. */

static uint64_t
next_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static unsigned
below(uint64_t *seed, unsigned limit)
{
    return (unsigned)(next_random(seed) >> 33) % limit;
}

static void
put_space(struct gr_buf *text, uint64_t *seed)
{
    if (below(seed, 3) == 0)
        gr_buf_putc(text, " \n\r\t"[below(seed, 4)]);
}

static void
put_string(struct gr_buf *text, uint64_t *seed)
{
    static const char *const pieces[] = {
        "a",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        " ",
        "\\\"",
        "\\\\",
        "\\n",
        "\\u0000",
        "\\ud83d\\ude00",
        "\\ud83d",
        "\\udead",
        "\xC3\xA9",
        "\xE2\x82\xAC",
        "\xF0\x9F\x98\x80",
        "\xff",
        "0123456789",
        "the quick brown fox jumps over the lazy dog",
        "\\\\\\\\",
        "\\\\\\\"",
    };
    unsigned count = below(seed, 8) == 0 ? below(seed, 40) : below(seed, 5);
    unsigned kinds = below(seed, 2) == 0 ? 8 : (unsigned)COUNT(pieces);

    gr_buf_putc(text, '"');
    for (unsigned i = 0; i < count; i++)
        gr_buf_puts(text, pieces[below(seed, kinds)]);
    gr_buf_putc(text, '"');
}

static void
put_random(struct gr_buf *text, uint64_t *seed, unsigned levels)
{
    static const char *const scalars[] = {"null",   "true",        "false",    "0",
                                          "-1.5e3", "12345678901", "1e400000", "0.25"};
    unsigned kind = below(seed, levels == 0 ? 2 : 4);

    put_space(text, seed);
    if (kind == 0)
        gr_buf_puts(text, scalars[below(seed, COUNT(scalars))]);
    if (kind == 1)
        put_string(text, seed);
    if (kind >= 2) {
        unsigned count = below(seed, 5);

        gr_buf_putc(text, kind == 2 ? '[' : '{');
        for (unsigned i = 0; i < count; i++) {
            gr_buf_puts(text, i > 0 ? "," : "");
            put_space(text, seed);
            if (kind == 3) {
                put_string(text, seed);
                put_space(text, seed);
                gr_buf_putc(text, ':');
            }
            put_random(text, seed, levels - 1);
        }
        put_space(text, seed);
        gr_buf_putc(text, kind == 2 ? ']' : '}');
    }
    put_space(text, seed);
}

/* Between what was found there is nothing but space and what parts values. */
static void
assert_gap(const char *from, const char *to)
{
    assert_true(from <= to);
    for (; from < to; from++)
        assert_non_null(memchr(" \n\r\t,:", *from, 7));
}

static void
assert_same(const struct gr_json_value *a, const struct gr_json_value *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->flags, b->flags);
    assert_ptr_equal(a->start, b->start);
    assert_int_equal(a->len, b->len);
}

/* The members of a container cover it. */
static void
assert_covers(const struct gr_json_value *container)
{
    struct gr_json_reader inside = gr_json_inside(container);
    struct gr_json_value name = {0}, value;
    bool is_object = container->kind == GR_JSON_OBJECT;
    const char *at = container->start + 1;
    unsigned flags = 0;

    while (is_object ? gr_json_member(&inside, &name, &value) : gr_json_element(&inside, &value)) {
        if (is_object) {
            assert_gap(at, name.start);
            at = name.start + name.len;
        }
        assert_gap(at, value.start);
        at = value.start + value.len;
        flags |= name.flags | value.flags;
        if (value.kind >= GR_JSON_ARRAY)
            assert_covers(&value);
    }
    assert_null(inside.failed);
    assert_gap(at, container->start + container->len - 1);
    assert_int_equal(container->flags, flags & GR_JSON_UNSTORABLE);
}

static bool
next_in(struct gr_json_reader *inside, bool is_object, struct gr_json_value *name,
        struct gr_json_value *value)
{
    return is_object ? gr_json_member(inside, name, value) : gr_json_element(inside, value);
}

/* What is read from a tape is what is read from the text. */
static void
assert_taped(const struct gr_json_value *plain, const struct gr_json_value *taped)
{
    bool is_object = plain->kind == GR_JSON_OBJECT;
    struct gr_json_reader inside, inside_taped;
    struct gr_json_value name = {0}, value, name_taped = {0}, value_taped;

    assert_same(plain, taped);
    if (plain->kind < GR_JSON_ARRAY)
        return;
    inside = gr_json_inside(plain);
    inside_taped = gr_json_inside(taped);
    while (next_in(&inside, is_object, &name, &value)) {
        assert_true(next_in(&inside_taped, is_object, &name_taped, &value_taped));
        assert_same(&name, &name_taped);
        assert_taped(&value, &value_taped);
    }
    assert_false(next_in(&inside_taped, is_object, &name_taped, &value_taped));
    assert_null(inside_taped.failed);
}

static void
read_both(const struct gr_buf *text, struct gr_tape *tape)
{
    struct gr_json_reader reader = gr_json_open(gr_buf_text(text), text->len);
    struct gr_json_reader taped = gr_json_open_taped(gr_buf_text(text), text->len, tape);
    struct gr_json_value value, value_taped;

    if (!gr_json_value(&reader, &value) || !gr_json_end(&reader))
        fail_msg("refused (%s): %s", reader.failed, gr_buf_text(text));
    assert_true(gr_json_value(&taped, &value_taped) && gr_json_end(&taped));
    assert_taped(&value, &value_taped);
}

static void
reads_the_same_from_a_tape(void **state)
{
    GR_CLEANUP(gr_tape_free) struct gr_tape tape = {0};
    GR_CLEANUP(gr_tape_free) struct gr_tape narrow = {.limit = 16};

    (void)state;
    for (uint64_t round = 1; round <= 3000; round++) {
        GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
        uint64_t seed = round * UINT64_C(0xA0761D6478BD642F);

        put_random(&text, &seed, 1 + below(&seed, 7));
        read_both(&text, &tape);
        read_both(&text, &narrow);
    }
}

/* Too deep is what has more levels inside than are storable, wherever it stands itself. */
static void
tells_on_a_tape_what_is_too_deep(void **state)
{
    static const unsigned levels[] = {511, 512, 514, 700, 1200};
    GR_CLEANUP(gr_tape_free) struct gr_tape tape = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(levels); i++) {
        GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
        GR_CLEANUP(gr_free_var) char *deep = nested(levels[i]);

        gr_buf_printf(&text, "[[], %s, {\"a\": %s}, [1]]", deep, deep);
        read_both(&text, &tape);
    }
}

static void
reads_without_a_tape_what_does_not_fit(void **state)
{
    static const char text[] = "[1, {\"a\": []}, [2]]"; /* seven entries */
    struct gr_json_value value;

    (void)state;
    for (size_t limit = 1; limit <= 9; limit++) {
        GR_CLEANUP(gr_tape_free) struct gr_tape tape = {.limit = limit};
        struct gr_json_reader reader = gr_json_open_taped(text, sizeof(text) - 1, &tape);

        for (int i = 0; i < 2; i++) {
            assert_true(gr_json_value(&reader, &value) && gr_json_end(&reader));
            assert_int_equal(value.entry != NULL, limit >= 7);
            assert_int_equal(value.len, sizeof(text) - 1);
            reader = gr_json_open_taped(text, sizeof(text) - 1, &tape);
        }
        assert_in_range(tape.cap, 0, limit);
    }
}

static void
finds_spans_that_tile_random_texts(void **state)
{
    (void)state;
    for (uint64_t round = 1; round <= 3000; round++) {
        GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
        uint64_t seed = round * UINT64_C(0x9E3779B97F4A7C15);
        struct gr_json_reader reader;
        struct gr_json_value value;

        put_random(&text, &seed, 1 + below(&seed, 7));
        reader = gr_json_open(gr_buf_text(&text), text.len);
        if (!gr_json_value(&reader, &value) || !gr_json_end(&reader))
            fail_msg("refused (%s): %s", reader.failed, gr_buf_text(&text));
        if (value.kind >= GR_JSON_ARRAY)
            assert_covers(&value);
    }
}

/* Whatever is cut off or overwritten: no read out of bounds (ASan), and what is still taken can
   still be walked; a text cut short is never taken, but where a number could end. */
static void
survives_mutations(void **state)
{
    (void)state;
    for (uint64_t round = 1; round <= 20000; round++) {
        GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
        uint64_t seed = round * UINT64_C(0xD1342543DE82EF95);
        GR_CLEANUP(gr_free_var) char *exact = NULL;
        struct gr_json_reader reader;
        struct gr_json_value value;
        size_t len;

        put_random(&text, &seed, 1 + below(&seed, 4));
        len = text.len;
        if (below(&seed, 3) == 0)
            len = below(&seed, (unsigned)len + 1);
        exact = gr_realloc(gr_strndup(gr_buf_text(&text), len), len == 0 ? 1 : len, 1);
        for (unsigned i = below(&seed, 3); i > 0 && len > 0; i--)
            exact[below(&seed, (unsigned)len)] = (char)below(&seed, 256);
        reader = gr_json_open(exact, len);
        if (gr_json_value(&reader, &value) && gr_json_end(&reader) && value.kind >= GR_JSON_ARRAY)
            assert_covers(&value);
        assert_true(reader.at <= len);
    }
}

static void
measures_utf8(void **state)
{
    /* Laws, over all code points and all pairs of first bytes. */
    char bytes[4];
    size_t good = 0;

    (void)state;
    for (uint32_t code = 1; code <= 0x10FFFF; code++) {
        size_t len;

        if (gr_text_is_surrogate(code))
            continue;
        len = (size_t)(gr_utf8_put(bytes, code) - bytes);
        assert_int_equal(gr_utf8_length(bytes, bytes + len), len);
        assert_int_equal(gr_utf8_length(bytes, bytes + len - (len > 1 ? 1 : 0)), len > 1 ? 0 : 1);
    }
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            memcpy(bytes, (const char[]){(char)first, (char)second, '\x80', '\x80'}, 4);
            good += gr_utf8_length(bytes, bytes + 4) > 1 ? 1 : 0;
        }
    }
    /* 30 x 64 of two bytes; 32 + 14 x 64 + 32 of three; 48 + 3 x 64 + 16 of four. */
    assert_int_equal(good, 1920 + 960 + 256);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_json),
        cmocka_unit_test(refuses_what_is_not_json),
        cmocka_unit_test(refuses_zero_bytes),
        cmocka_unit_test(limits_depth),
        cmocka_unit_test(cuts_what_is_too_deep),
        cmocka_unit_test(says_what_is_inside),
        cmocka_unit_test(decodes_strings),
        cmocka_unit_test(makes_values_storable),
        cmocka_unit_test(respects_the_buffers_limit),
        cmocka_unit_test(finds_spans_that_tile_random_texts),
        cmocka_unit_test(reads_the_same_from_a_tape),
        cmocka_unit_test(tells_on_a_tape_what_is_too_deep),
        cmocka_unit_test(reads_without_a_tape_what_does_not_fit),
        cmocka_unit_test(survives_mutations),
        cmocka_unit_test(measures_utf8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
