/* layers: codec */
/* test_row.c - objects into tuples: matching, _extra, fingerprints, facts and rejects. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/time.h"
#include "gr/codec/row.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FFFD         "\xEF\xBF\xBD"

static const struct gr_column columns[] = {
    {.name = "id", .field = "id", .type = GR_TYPE_BIGINT, .is_key = true},
    {.name = "title", .field = "subject", .type = GR_TYPE_TEXT},
    {.name = "updated", .field = "updated_datetime", .type = GR_TYPE_TIMESTAMPTZ},
    {.name = "ticket_id", .field = "ticket_id", .type = GR_TYPE_BIGINT},
    {.name = "spam", .field = "spam", .type = GR_TYPE_BOOLEAN},
    {.name = "score", .field = "score", .type = GR_TYPE_DOUBLE},
    {.name = "meta", .field = "meta", .type = GR_TYPE_JSONB},
    {.name = "is_unread", .field = "is_unread", .type = GR_TYPE_BOOLEAN, .is_volatile = true},
};
static const char *const ignored[] = {"secret", "noise"};
static const struct gr_schema schema = {.stream = "things", .parent_key = "ticket_id"};
static const struct gr_plan_stream stream = {
    .name = "things",
    .schema = &schema,
    .columns = columns,
    .column_count = COUNT(columns),
    .key_count = 1,
    .cursor_column = 2,
    .ignored_fields = ignored,
    .ignored_count = COUNT(ignored),
};

/* What becomes of one object. */
struct encoded {
    bool ok;
    struct gr_buf copy;
    struct gr_row_facts facts;
    struct gr_rejects rejects;
    struct gr_error err;
};

static void
encoded_free(struct encoded *encoded)
{
    gr_buf_free(&encoded->copy);
    gr_rejects_free(&encoded->rejects);
}

static struct encoded
encode(struct gr_row_layout *layout, const char *json)
{
    struct gr_json_reader reader = gr_json_open(json, strlen(json));
    struct gr_json_value value;
    struct encoded encoded = {.copy = gr_buf_new(0)};

    if (!gr_json_value(&reader, &value))
        fail_msg("no JSON (%s): %s", reader.failed, json);
    encoded.ok = gr_row_encode(layout, &value, &encoded.copy, &encoded.facts, &encoded.rejects,
                               &encoded.err);
    return encoded;
}

static struct encoded
encode_once(const struct gr_plan_stream *of, const char *json)
{
    struct gr_row_layout *layout = gr_row_layout_new(of);
    struct encoded encoded = encode(layout, json);

    gr_row_layout_free(layout);
    return encoded;
}

static uint64_t
big_endian(const char *at, int bytes)
{
    uint64_t value = 0;

    for (int i = 0; i < bytes; i++)
        value = value << 8 | (unsigned char)at[i];
    return value;
}

/* One field of a tuple as text; numbers by their type. */
static const char *
put_field(struct gr_buf *text, const char *at, enum gr_type type)
{
    uint32_t len = (uint32_t)big_endian(at, 4);
    uint64_t bits;
    double real;

    at += 4;
    if (len == UINT32_MAX) {
        gr_buf_puts(text, "NULL");
        return at;
    }
    if (type == GR_TYPE_TEXT || type == GR_TYPE_JSONB) {
        gr_buf_put(text, at, len);
    } else if (type == GR_TYPE_BOOLEAN) {
        gr_buf_puts(text, big_endian(at, 1) != 0 ? "t" : "f");
    } else if (type == GR_TYPE_DOUBLE) {
        bits = big_endian(at, 8);
        memcpy(&real, &bits, sizeof(real));
        gr_buf_printf(text, "%g", real);
    } else {
        gr_buf_printf(text, "%" PRId64, (int64_t)big_endian(at, 8));
    }
    return at + len;
}

/* The tuple as text, fields between bars, the hash left out; nothing must stand behind it. */
static char *
tuple_text(const struct gr_plan_stream *of, const struct gr_buf *copy, int64_t hash)
{
    struct gr_buf text = gr_buf_new(0);
    struct gr_buf hash_text = gr_buf_new(0);
    char wanted[32];
    const char *at = copy->data + 2;

    assert_int_equal(big_endian(copy->data, 2), of->column_count + 2);
    for (size_t c = 0; c < of->column_count; c++) {
        at = put_field(&text, at, of->columns[c].type);
        gr_buf_putc(&text, '|');
    }
    at = put_field(&hash_text, at, GR_TYPE_BIGINT);
    (void)snprintf(wanted, sizeof(wanted), "%" PRId64, hash);
    assert_string_equal(gr_buf_text(&hash_text), wanted);
    at = put_field(&text, at, GR_TYPE_TEXT);
    assert_ptr_equal(at, copy->data + copy->len);
    gr_buf_free(&hash_text);
    return gr_buf_take(&text);
}

static void
encodes_objects(void **state)
{
    static const struct {
        const char *json;
        const char *tuple;
    } cases[] = {
        {"{\"id\":1}", "1|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL"},
        {"{\"id\":1,\"subject\":\"a\\nb\",\"updated_datetime\":\"2000-01-01T00:00:00.000002\","
         "\"ticket_id\":2,\"spam\":false,\"score\":0.5,\"meta\":{\"k\": "
         "[null]},\"is_unread\":true}",
         "1|a\nb|2|2|f|0.5|{\"k\": [null]}|t|NULL"},
        {" { \"meta\" : null , \"id\" : \"7\" } ", "7|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL"},
        {"{\"i\\u0064\":7,\"title\":\"is a column, but no field\"}",
         "7|NULL|NULL|NULL|NULL|NULL|NULL|NULL|{\"title\":\"is a column, but no field\"}"},
        {"{\"id\":7,\"new\":{\"a\" :1},\"secret\":1,\"x\":null,\"noise\":\"\\u0000\"}",
         "7|NULL|NULL|NULL|NULL|NULL|NULL|NULL|{\"new\":{\"a\" :1},\"x\":null}"},
        {"{\"id\":1,\"spam\":true,\"id\":2,\"spam\":null}",
         "2|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL"},
        {"{\"id\":1,\"new\":1,\"b\":0,\"n\\u0065w\":2,\"new\":3}",
         "1|NULL|NULL|NULL|NULL|NULL|NULL|NULL|{\"b\":0,\"new\":3}"},
        {"{\"id\":1,\"subject\":[1, \"x\"],\"meta\":\"text\",\"score\":\"1.25\"}",
         "1|[1, \"x\"]|NULL|NULL|NULL|1.25|\"text\"|NULL|NULL"},
        {"{\"id\":1,\"\":0,\"i\":1,\"idd\":2}",
         "1|NULL|NULL|NULL|NULL|NULL|NULL|NULL|{\"\":0,\"i\":1,\"idd\":2}"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        GR_CLEANUP(encoded_free) struct encoded encoded = encode_once(&stream, cases[i].json);
        GR_CLEANUP(gr_free_var) char *text = NULL;

        assert_true(encoded.ok);
        assert_int_equal(encoded.rejects.count, 0);
        text = tuple_text(&stream, &encoded.copy, encoded.facts.hash);
        assert_string_equal(text, cases[i].tuple);
    }
}

static void
keeps_what_it_can(void **state)
{
    static const struct {
        const char *json;
        const char *tuple;
        const char *column;
        const char *reason;
        const char *original;
    } cases[] = {
        {"{\"subject\":\"before\\u0000after\",\"id\":5}",
         "5|before" FFFD "after|NULL|NULL|NULL|NULL|NULL|NULL|NULL", "title", "holds U+0000",
         "\"before\\u0000after\""},
        {"{\"id\":5,\"ticket_id\":9223372036854775808}",
         "5|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL", "ticket_id", "beyond bigint",
         "9223372036854775808"},
        {"{\"id\":5,\"spam\":\"maybe\"}", "5|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL", "spam",
         "not a boolean", "\"maybe\""},
        {"{\"id\":5,\"updated_datetime\":\"yesterday\"}",
         "5|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL", "updated", "not a datetime", "\"yesterday\""},
        {"{\"id\":5,\"meta\":{\"note\":\"VIP \xff\"}}",
         "5|NULL|NULL|NULL|NULL|NULL|{\"note\":\"VIP " FFFD "\"}|NULL|NULL", "meta", "is not UTF-8",
         "{\"note\":\"VIP " FFFD "\"}"},
        {"{\"id\":5,\"new\\ud800\":[1e200000]}",
         "5|NULL|NULL|NULL|NULL|NULL|NULL|NULL|{\"new" FFFD "\":[null]}", "_extra",
         "holds an unpaired surrogate", "{\"new\\ud800\":[1e200000]}"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        GR_CLEANUP(encoded_free) struct encoded encoded = encode_once(&stream, cases[i].json);
        GR_CLEANUP(gr_free_var) char *text = NULL;

        assert_true(encoded.ok);
        text = tuple_text(&stream, &encoded.copy, encoded.facts.hash);
        assert_string_equal(text, cases[i].tuple);
        assert_int_equal(encoded.rejects.count, 1);
        assert_string_equal(encoded.rejects.items[0].key, "5");
        assert_string_equal(encoded.rejects.items[0].column, cases[i].column);
        assert_string_equal(encoded.rejects.items[0].reason, cases[i].reason);
        assert_string_equal(encoded.rejects.items[0].original, cases[i].original);
    }
}

static void
refuses_objects_without_key(void **state)
{
    static const struct {
        const char *json;
        const char *reason;
        const char *message;
    } cases[] = {
        {"{}", "without its key", "object without its key \"id\""},
        {"{\"id\":null}", "without its key", "object without its key \"id\""},
        {"{\"id\":\"x\",\"spam\":7}", "without its key", "object without its key \"id\""},
        {"{\"id\":1e30}", "without its key", "object without its key \"id\""},
        {"[1]", "not an object", "a row that is not an object"},
        {"\"x\"", "not an object", "a row that is not an object"},
        {"null", "not an object", "a row that is not an object"},
    };
    struct gr_row_layout *layout = gr_row_layout_new(&stream);

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        GR_CLEANUP(encoded_free) struct encoded encoded = encode(layout, cases[i].json);

        assert_false(encoded.ok);
        assert_int_equal(encoded.copy.len, 0);
        assert_null(encoded.copy.failed);
        assert_int_equal(encoded.err.fault, GR_FAULT_PAYLOAD);
        assert_string_equal(encoded.err.message, cases[i].message);
        assert_int_equal(encoded.rejects.count, 1);
        assert_string_equal(encoded.rejects.items[0].key, "");
        assert_null(encoded.rejects.items[0].column);
        assert_string_equal(encoded.rejects.items[0].reason, cases[i].reason);
        assert_string_equal(encoded.rejects.items[0].original, cases[i].json);
    }
    gr_row_layout_free(layout);
}

static void
leaves_a_full_buffer_as_it_was(void **state)
{
    static const char json[] = "{\"id\":9,\"subject\":\"long enough\"}";
    struct gr_row_layout *layout = gr_row_layout_new(&stream);
    struct gr_json_reader reader = gr_json_open(json, sizeof(json) - 1);
    GR_CLEANUP(gr_buf_free) struct gr_buf copy = gr_buf_new(24);
    struct gr_rejects rejects = {0};
    struct gr_row_facts facts;
    struct gr_json_value value;
    struct gr_error err;

    (void)state;
    gr_buf_puts(&copy, "what was there");
    assert_true(gr_json_value(&reader, &value));
    assert_false(gr_row_encode(layout, &value, &copy, &facts, &rejects, &err));
    assert_string_equal(gr_buf_text(&copy), "what was there");
    assert_non_null(copy.failed);
    assert_int_equal(rejects.count, 1);
    assert_string_equal(rejects.items[0].key, "9");
    assert_string_equal(rejects.items[0].reason, "too large");
    gr_rejects_free(&rejects);
    gr_row_layout_free(layout);
}

static void
tells_facts(void **state)
{
    static const struct {
        const char *json;
        struct gr_row_facts facts;
    } cases[] = {
        {"{\"id\":-4,\"ticket_id\":\"12\",\"updated_datetime\":\"1970-01-01T00:00:01Z\"}",
         {-4, 1000000, 12, 0}},
        {"{\"id\":4,\"ticket_id\":null,\"updated_datetime\":null}",
         {4, GR_TIME_NONE, INT64_MIN, 0}},
        {"{\"id\":4,\"ticket_id\":1.5,\"updated_datetime\":3}", {4, GR_TIME_NONE, INT64_MIN, 0}},
        {"{\"id\":4}", {4, GR_TIME_NONE, INT64_MIN, 0}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        GR_CLEANUP(encoded_free) struct encoded encoded = encode_once(&stream, cases[i].json);

        assert_true(encoded.ok);
        assert_int_equal(encoded.facts.key, cases[i].facts.key);
        assert_int_equal(encoded.facts.cursor_us, cases[i].facts.cursor_us);
        assert_int_equal(encoded.facts.parent, cases[i].facts.parent);
    }
}

/* A text key of two columns, no cursor, no schema, one field in two columns, the parent left out.
 */
static void
takes_other_layouts(void **state)
{
    static const struct gr_column some[] = {
        {.name = "domain", .field = "domain", .type = GR_TYPE_TEXT, .is_key = true},
        {.name = "nr", .field = "nr", .type = GR_TYPE_BIGINT, .is_key = true},
        {.name = "domain_too", .field = "domain", .type = GR_TYPE_TEXT},
        {.name = "n", .field = "n", .type = GR_TYPE_BIGINT},
    };
    static const char *const left_out[] = {"ticket_id"};
    struct gr_plan_stream other = {.columns = some,
                                   .column_count = COUNT(some),
                                   .key_count = 2,
                                   .cursor_column = -1,
                                   .ignored_fields = left_out,
                                   .ignored_count = 1};
    static const char json[] = "{\"domain\":\"a\\u0062\",\"nr\":3,\"n\":\"?\",\"ticket_id\":8}";
    GR_CLEANUP(encoded_free) struct encoded encoded = encode_once(&other, json);
    GR_CLEANUP(encoded_free) struct encoded with_parent = {0};
    GR_CLEANUP(gr_free_var) char *text = NULL;

    (void)state;
    assert_true(encoded.ok);
    text = tuple_text(&other, &encoded.copy, encoded.facts.hash);
    assert_string_equal(text, "ab|3|ab|NULL|NULL");
    assert_int_equal(encoded.facts.key, 0);
    assert_int_equal(encoded.facts.cursor_us, GR_TIME_NONE);
    assert_int_equal(encoded.facts.parent, INT64_MIN);
    assert_string_equal(encoded.rejects.items[0].key, "ab,3");
    other.schema = &schema;
    with_parent = encode_once(&other, json);
    assert_int_equal(with_parent.facts.parent, 8);
    assert_int_equal(with_parent.facts.hash, encoded.facts.hash);
}

/* customer is opened; of its fields id is a column, note and deep lie deeper in box, whose rest is
   not known; name is known and left out. meta is a column as a whole and meta__k besides. */
static struct gr_column customer;
static struct gr_column customer_fields[] = {
    {.field = "customer__id", .member = "id", .type = GR_TYPE_BIGINT, .within = &customer},
    {.field = "customer__name", .member = "name", .type = GR_TYPE_TEXT, .within = &customer},
};
static struct gr_column customer = {.name = "customer",
                                    .field = "customer",
                                    .member = "customer",
                                    .type = GR_TYPE_JSONB,
                                    .fields = customer_fields,
                                    .field_count = 2};
static const struct gr_column box = {
    .field = "customer__box", .member = "box", .within = &customer};
static const struct gr_column meta = {.field = "meta", .member = "meta"};
static const struct gr_column nested_columns[] = {
    {.name = "id", .field = "id", .type = GR_TYPE_BIGINT, .is_key = true},
    {.name = "c",
     .field = "customer__id",
     .member = "id",
     .type = GR_TYPE_BIGINT,
     .within = &customer},
    {.name = "n", .field = "customer__box__n", .member = "n", .type = GR_TYPE_TEXT, .within = &box},
    {.name = "meta", .field = "meta", .type = GR_TYPE_JSONB},
    {.name = "k", .field = "meta__k", .member = "k", .type = GR_TYPE_TEXT, .within = &meta},
};
static const struct gr_column whole_columns[] = {
    {.name = "id", .field = "id", .type = GR_TYPE_BIGINT, .is_key = true},
    {.name = "customer", .field = "customer", .type = GR_TYPE_JSONB},
    {.name = "meta", .field = "meta", .type = GR_TYPE_JSONB},
};
static const struct gr_plan_stream nested = {.columns = nested_columns,
                                             .column_count = COUNT(nested_columns),
                                             .key_count = 1,
                                             .cursor_column = -1};
static const struct gr_plan_stream whole = {.columns = whole_columns,
                                            .column_count = COUNT(whole_columns),
                                            .key_count = 1,
                                            .cursor_column = -1};

static void
opens_nested_values(void **state)
{
    static const struct {
        const char *json;
        const char *tuple;
    } cases[] = {
        {"{\"id\":1,\"customer\":{\"id\":7,\"name\":\"x\",\"box\":{\"n\":\"y\"}}}",
         "1|7|y|NULL|NULL|NULL"},
        {"{\"id\":1}", "1|NULL|NULL|NULL|NULL|NULL"},
        {"{\"id\":1,\"customer\":null,\"meta\":null}", "1|NULL|NULL|NULL|NULL|NULL"},
        {"{\"id\":1,\"customer\":{}}", "1|NULL|NULL|NULL|NULL|NULL"},
        /* What the schema does not know of them is kept under joined names. */
        {"{\"id\":1,\"new\":0,\"customer\":{\"a\\u0022b\":[1],\"box\":{\"z\":2}}}",
         "1|NULL|NULL|NULL|NULL|{\"new\":0,\"customer__a\\u0022b\":[1],\"customer__box__z\":2}"},
        {"{\"id\":1,\"customer\":{\"\\u0000\":\"\\u0000\"}}",
         "1|NULL|NULL|NULL|NULL|{\"customer__" FFFD "\":\"" FFFD "\"}"},
        /* What should be an object and is none. */
        {"{\"id\":1,\"customer\":5}", "1|NULL|NULL|NULL|NULL|{\"customer\":5}"},
        {"{\"id\":1,\"customer\":{\"box\":[2]}}", "1|NULL|NULL|NULL|NULL|{\"customer__box\":[2]}"},
        /* A column has it all. */
        {"{\"id\":1,\"meta\":{\"k\":\"v\",\"l\":1}}", "1|NULL|NULL|{\"k\":\"v\",\"l\":1}|v|NULL"},
        {"{\"id\":1,\"meta\":[3]}", "1|NULL|NULL|[3]|NULL|NULL"},
        /* A field that is called like a nested one is not it. */
        {"{\"id\":1,\"customer\":{\"id\":2},\"customer__id\":3}",
         "1|2|NULL|NULL|NULL|{\"customer__id\":3}"},
        /* The last one counts, of a name in a value and of the value. */
        {"{\"id\":1,\"customer\":{\"id\":2,\"id\":4,\"x\":1,\"x\":2}}",
         "1|4|NULL|NULL|NULL|{\"customer__x\":2}"},
        {"{\"id\":1,\"customer\":{\"id\":2},\"customer\":{}}", "1|NULL|NULL|NULL|NULL|NULL"},
    };
    struct gr_row_layout *layout = gr_row_layout_new(&nested);
    uint64_t apart = 0;

    (void)state;
    for (int round = 0; round < 2; round++) /* with what the layout has learnt, too */
        for (size_t i = 0; i < COUNT(cases); i++) {
            GR_CLEANUP(encoded_free) struct encoded encoded = encode(layout, cases[i].json);
            GR_CLEANUP(encoded_free) struct encoded as_whole = encode_once(&whole, cases[i].json);
            GR_CLEANUP(gr_free_var) char *text = NULL;

            assert_true(encoded.ok);
            text = tuple_text(&nested, &encoded.copy, encoded.facts.hash);
            assert_string_equal(text, cases[i].tuple);
            /* The same but for what says that these fields are columns. */
            if (round == 0 && i == 0)
                apart = (uint64_t)encoded.facts.hash - (uint64_t)as_whole.facts.hash;
            assert_int_not_equal(apart, 0);
            assert_int_equal((uint64_t)encoded.facts.hash - (uint64_t)as_whole.facts.hash, apart);
        }
    gr_row_layout_free(layout);
}

static void
reports_values_of_nested_columns(void **state)
{
    GR_CLEANUP(encoded_free)
    struct encoded encoded =
        encode_once(&nested, "{\"id\":1,\"customer\":{\"id\":{\"deep\":1},\"y\":\"\\u0000\"}}");

    (void)state;
    assert_true(encoded.ok);
    assert_int_equal(encoded.rejects.count, 2);
    assert_string_equal(encoded.rejects.items[0].column, "c");
    assert_string_equal(encoded.rejects.items[0].original, "{\"deep\":1}");
    assert_string_equal(encoded.rejects.items[1].original, "{\"customer__y\":\"\\u0000\"}");
}

static void
count_name(void *context, const char *name)
{
    struct gr_buf *names = context;

    gr_buf_printf(names, "%s ", name);
}

static void
reports_new_nested_names_once(void **state)
{
    struct gr_row_layout *layout = gr_row_layout_new(&nested);
    GR_CLEANUP(gr_buf_free) struct gr_buf names = gr_buf_new(0);

    (void)state;
    gr_row_on_new_field(layout, count_name, &names);
    for (int i = 0; i < 2; i++) {
        GR_CLEANUP(encoded_free)
        struct encoded encoded = encode(
            layout,
            "{\"id\":1,\"customer\":{\"a\":1,\"name\":\"\",\"box\":{\"b\":1}},\"meta\":{\"c\":1}}");

        assert_true(encoded.ok);
    }
    assert_string_equal(gr_buf_text(&names), "customer__a customer__box__b ");
    gr_row_layout_free(layout);
}

static int64_t
hash_of(const char *json)
{
    GR_CLEANUP(encoded_free) struct encoded encoded = encode_once(&stream, json);

    assert_true(encoded.ok);
    return encoded.facts.hash;
}

static void
fingerprints_what_counts(void **state)
{
    static const char base[] = "{\"id\":1,\"subject\":\"s\",\"spam\":true,\"x\":[1]}";
    static const struct {
        const char *json;
        bool is_same;
    } cases[] = {
        {"{\"x\":[1],\"spam\":true,\"subject\":\"s\",\"id\":1}", true},
        {" { \"id\" : 1, \"subject\":\"s\" ,\"spam\":true,\"\\u0078\":[1] } ", true},
        {"{\"id\":1,\"subject\":\"s\",\"spam\":true,\"x\":[1],\"is_unread\":true}", true},
        {"{\"id\":1,\"subject\":\"s\",\"spam\":true,\"x\":[1],\"secret\":[1,2]}", true},
        {"{\"x\":2,\"id\":3,\"id\":1,\"subject\":\"s\",\"spam\":true,\"x\":[1]}", true},
        {"{\"id\":1,\"subject\":\"s\",\"spam\":true,\"x\":[ 1]}", true},
        {"{\"id\":1,\"subject\":\"\\u0073\",\"spam\":true,\"x\":[1]}", true},
        {"{\"id\":1,\"subject\":\"s\",\"spam\":true,\"x\":[1,1]}", false},
        {"{\"id\":1,\"subject\":\"s\",\"spam\":true,\"x\":[[1]]}", false},
        {"{\"id\":1,\"subject\":\"s\",\"spam\":true,\"x\":{\"1\":null}}", false},
        {"{\"id\":1,\"subject\":\"s\",\"spam\":true,\"y\":[1]}", false},
        {"{\"id\":1,\"subject\":\"s\",\"spam\":true}", false},
        {"{\"id\":1,\"subject\":true,\"spam\":\"s\",\"x\":[1]}", false},
        {"{\"id\":1,\"subject\":\"s\",\"spam\":true,\"x\":[1],\"meta\":null}", false},
        {"{\"id\":1,\"subject\":\"s\",\"spam\":true,\"x\":[1],\"y\":null}", false},
        {"{\"id\":1,\"subject\":\"S\",\"spam\":true,\"x\":[1]}", false},
        {"{\"id\":1,\"x\":\"s\",\"spam\":true,\"subject\":[1]}", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if ((hash_of(cases[i].json) == hash_of(base)) != cases[i].is_same)
            fail_msg("%s", cases[i].json);
}

static void
fingerprints_what_nested_values_mean(void **state)
{
    static const char base[] =
        "{\"id\":1,\"meta\":{\"a\":[1,{\"b\":\"caf\xC3\xA9\",\"c\":{}}],\"d\":[],\"e\":\"\\n/\"}}";
    static const struct {
        const char *json;
        bool is_same;
    } cases[] = {
        {"{\"id\":1,\"meta\": {\"e\":\"\\u000a\\/\", \"d\":[ ], \"a\":[1, {\"c\":{ },"
         "\"b\":\"caf\\u00e9\"}]}}",
         true},
        {"{\"id\":1,\"meta\":{\"a\":[{\"b\":\"caf\xC3\xA9\",\"c\":{}},1],\"d\":[],\"e\":\"\\n/\"}}",
         false},
        {"{\"id\":1,\"meta\":{\"a\":[1,{\"b\":\"caf\xC3\xA9\",\"c\":[]}],\"d\":[],\"e\":\"\\n/\"}}",
         false},
        {"{\"id\":1,\"meta\":{\"a\":[1,{\"c\":\"caf\xC3\xA9\",\"b\":{}}],\"d\":[],\"e\":\"\\n/\"}}",
         false},
        {"{\"id\":1,\"meta\":{\"a\":[1,{\"b\":\"cafe\",\"c\":{}}],\"d\":[],\"e\":\"\\n/\"}}",
         false},
        {"{\"id\":1,\"meta\":{\"a\":[1,{\"b\":\"caf\xC3\xA9\",\"c\":{}}],\"d\":[],\"e\":\"\\\\n/"
         "\"}}",
         false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if ((hash_of(cases[i].json) == hash_of(base)) != cases[i].is_same)
            fail_msg("%s", cases[i].json);
}

/* Stands in tables: see test_hash.c. */
static void
never_changes_its_fingerprint(void **state)
{
    (void)state;
    assert_int_equal(hash_of("{\"id\":1,\"subject\":\"caf\xC3\xA9\",\"meta\":{\"a\":[1,2,3]},"
                             "\"new\":\"a text of more than thirty-two bytes, to be sure\"}"),
                     (int64_t)UINT64_C(0xF4BF98B31CEF8374));
}

/* Any byte that changes inside of a value changes the fingerprint. */
static void
sees_every_byte(void **state)
{
    char json[] = "{\"id\":1,\"subject\":\"0123456789012345678901234567890123456789012345678\"}";
    int64_t before = hash_of(json);

    (void)state;
    for (size_t i = 19; json[i + 2] != '\0'; i++) {
        char old = json[i];

        json[i] = 'x';
        assert_int_not_equal(hash_of(json), before);
        json[i] = old;
    }
    assert_int_equal(hash_of(json), before);
}

struct names {
    size_t count;
    size_t longest;
    char last[64];
};

static void
note_name(void *context, const char *name)
{
    struct names *names = context;

    names->count++;
    if (strlen(name) > names->longest)
        names->longest = strlen(name);
    (void)snprintf(names->last, sizeof(names->last), "%s", name);
}

static void
reports_new_names_once(void **state)
{
    struct gr_row_layout *layout = gr_row_layout_new(&stream);
    struct names names = {0};

    (void)state;
    gr_row_on_new_field(layout, note_name, &names);
    for (int i = 0; i < 3; i++) {
        GR_CLEANUP(encoded_free)
        struct encoded encoded =
            encode(layout, "{\"id\":1,\"n\\u0065w\\u0000\":0,\"secret\":1,\"new\\u0000\":2}");

        assert_true(encoded.ok);
        assert_int_equal(names.count, 1);
        assert_string_equal(names.last, "new" FFFD);
    }
    gr_row_layout_free(layout);
}

/* A name is a key of a table of state, whose index has its bounds; the row keeps it whole. */
static void
reports_the_beginning_of_long_names(void **state)
{
    struct gr_row_layout *layout = gr_row_layout_new(&stream);
    struct names names = {0};
    GR_CLEANUP(gr_buf_free) struct gr_buf json = gr_buf_new(0);

    (void)state;
    gr_row_on_new_field(layout, note_name, &names);
    gr_buf_puts(&json, "{\"id\":1");
    for (int i = 0; i < 2; i++) { /* two names of the same beginning */
        gr_buf_puts(&json, ",\"");
        for (int j = 0; j < 300; j++)
            gr_buf_puts(&json, "\xC3\xA4");
        gr_buf_printf(&json, "%d\":%d", i, i);
    }
    gr_buf_puts(&json, "}");
    for (int i = 0; i < 2; i++) {
        GR_CLEANUP(encoded_free) struct encoded encoded = encode(layout, gr_buf_text(&json));
        GR_CLEANUP(gr_free_var) char *text = NULL;

        assert_true(encoded.ok);
        assert_int_equal(names.count, 1);
        assert_int_equal(names.longest, GR_ROW_NAME_BYTES);
        text = tuple_text(&stream, &encoded.copy, encoded.facts.hash);
        assert_non_null(strstr(text, gr_buf_text(&json) + strlen("{\"id\":1,")));
    }
    gr_row_layout_free(layout);
}

/* Names beyond the bound are no longer reported, but nothing of them is lost. */
static void
bounds_what_it_remembers(void **state)
{
    enum { MEMBERS = 3 * GR_ROW_NAMES_MAX };
    struct gr_row_layout *layout = gr_row_layout_new(&stream);
    struct names names = {0};
    GR_CLEANUP(gr_buf_free) struct gr_buf json = gr_buf_new(0);

    (void)state;
    gr_row_on_new_field(layout, note_name, &names);
    gr_buf_puts(&json, "{\"id\":1");
    for (int i = 0; i < MEMBERS; i++)
        gr_buf_printf(&json, ",\"field_%d\":%d", i % (MEMBERS / 2), i);
    gr_buf_puts(&json, "}");
    for (int i = 0; i < 2; i++) {
        GR_CLEANUP(encoded_free) struct encoded encoded = encode(layout, gr_buf_text(&json));
        GR_CLEANUP(gr_free_var) char *text = NULL;

        assert_true(encoded.ok);
        text = tuple_text(&stream, &encoded.copy, encoded.facts.hash);
        assert_null(strstr(text, "\"field_0\":0,"));
        assert_non_null(strstr(text, "{\"field_0\":1500,"));
        assert_non_null(strstr(text, ",\"field_1499\":2999}"));
        assert_int_equal(names.count, GR_ROW_NAMES_MAX);
    }
    gr_row_layout_free(layout);
}

/* Members in ever other orders, some of them missing: always the same tuple as a fresh layout's. */
static void
does_not_depend_on_the_last_object(void **state)
{
    static const char *const objects[] = {
        "{\"id\":1,\"subject\":\"a\",\"spam\":true,\"new\":1,\"ticket_id\":4}",
        "{\"ticket_id\":4,\"new\":2,\"id\":1}",
        "{\"id\":1}",
        "{\"new\":1,\"subject\":\"a\",\"id\":1,\"newer\":1,\"spam\":true}",
        "{\"spam\":false,\"spam\":true,\"id\":2,\"noise\":1,\"subject\":null}",
    };
    struct gr_row_layout *layout = gr_row_layout_new(&stream);

    (void)state;
    for (size_t i = 0; i < 50; i++) {
        const char *json = objects[i * i % 7 % COUNT(objects)];
        GR_CLEANUP(encoded_free) struct encoded encoded = encode(layout, json);
        GR_CLEANUP(encoded_free) struct encoded fresh = encode_once(&stream, json);

        assert_int_equal(encoded.copy.len, fresh.copy.len);
        assert_memory_equal(encoded.copy.data, fresh.copy.data, fresh.copy.len);
    }
    gr_row_layout_free(layout);
}

static void
cuts_rejects_between_characters(void **state)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf json = gr_buf_new(0);
    GR_CLEANUP(encoded_free) struct encoded encoded = {0};

    (void)state;
    gr_buf_puts(&json, "{\"id\":1,\"spam\":\"");
    for (int i = 0; i < GR_REJECT_BYTES; i++)
        gr_buf_puts(&json, i == 5 ? "\xff" : "\xE2\x82\xAC");
    gr_buf_puts(&json, "\"}");
    encoded = encode_once(&stream, gr_buf_text(&json));
    assert_int_equal(encoded.rejects.count, 1);
    assert_int_equal(strlen(encoded.rejects.items[0].original), GR_REJECT_BYTES);
    assert_string_equal(encoded.rejects.items[0].original + GR_REJECT_BYTES - 3, "\xE2\x82\xAC");
    assert_memory_equal(encoded.rejects.items[0].original + 16, FFFD, 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_objects),
        cmocka_unit_test(keeps_what_it_can),
        cmocka_unit_test(refuses_objects_without_key),
        cmocka_unit_test(leaves_a_full_buffer_as_it_was),
        cmocka_unit_test(tells_facts),
        cmocka_unit_test(takes_other_layouts),
        cmocka_unit_test(opens_nested_values),
        cmocka_unit_test(reports_values_of_nested_columns),
        cmocka_unit_test(reports_new_nested_names_once),
        cmocka_unit_test(fingerprints_what_counts),
        cmocka_unit_test(fingerprints_what_nested_values_mean),
        cmocka_unit_test(never_changes_its_fingerprint),
        cmocka_unit_test(sees_every_byte),
        cmocka_unit_test(reports_new_names_once),
        cmocka_unit_test(reports_the_beginning_of_long_names),
        cmocka_unit_test(bounds_what_it_remembers),
        cmocka_unit_test(does_not_depend_on_the_last_object),
        cmocka_unit_test(cuts_rejects_between_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
