/* layers: codec */
/* fuzz_row.c - any JSON as a row: the tuple is well formed, PostgreSQL could hold its texts, and
   what is not in it as it came is among the rejects; and it is the same from a tape. */
#include "fuzz.h"
#include "gr/codec/row.h"
#include "tuple.h"

/* Names of one letter, that they be found soon. */
static const struct gr_column columns[] = {
    {.name = "i", .field = "i", .type = GR_TYPE_BIGINT, .is_key = true},
    {.name = "k", .field = "k", .type = GR_TYPE_TEXT, .is_key = true},
    {.name = "b", .field = "b", .type = GR_TYPE_BIGINT},
    {.name = "d", .field = "d", .type = GR_TYPE_DOUBLE},
    {.name = "o", .field = "o", .type = GR_TYPE_BOOLEAN},
    {.name = "t", .field = "t", .type = GR_TYPE_TEXT},
    {.name = "z", .field = "z", .type = GR_TYPE_TIMESTAMPTZ},
    {.name = "j", .field = "j", .type = GR_TYPE_JSONB, .is_volatile = true},
    {.name = "j2", .field = "j", .type = GR_TYPE_TEXT},
};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]) };

static const char *const ignored[] = {"n"};
static const struct gr_schema schema = {.parent_key = "b"};
static const struct gr_plan_stream stream = {
    .schema = &schema,
    .columns = columns,
    .column_count = COLUMNS,
    .key_count = 2,
    .cursor_column = 6,
    .ignored_fields = ignored,
    .ignored_count = 1,
};

/* The same object with j opened: x and, in y, z are columns, and j.w is known and left out. */
static struct gr_column opened;
static struct gr_column opened_fields[] = {
    {.field = "j__w", .member = "w", .type = GR_TYPE_TEXT, .within = &opened},
};
static struct gr_column opened = {.field = "j",
                                  .member = "j",
                                  .type = GR_TYPE_JSONB,
                                  .fields = opened_fields,
                                  .field_count = 1,
                                  .is_volatile = true};
static const struct gr_column inner = {.field = "j__y", .member = "y", .within = &opened};
static const struct gr_column nested_columns[] = {
    {.name = "i", .field = "i", .type = GR_TYPE_BIGINT, .is_key = true},
    {.name = "k", .field = "k", .type = GR_TYPE_TEXT, .is_key = true},
    {.name = "b", .field = "b", .type = GR_TYPE_BIGINT},
    {.name = "d", .field = "d", .type = GR_TYPE_DOUBLE},
    {.name = "o", .field = "o", .type = GR_TYPE_BOOLEAN},
    {.name = "t", .field = "t", .type = GR_TYPE_TEXT},
    {.name = "z", .field = "z", .type = GR_TYPE_TIMESTAMPTZ},
    {.name = "x", .field = "j__x", .member = "x", .type = GR_TYPE_TEXT, .within = &opened},
    {.name = "y", .field = "j__y__z", .member = "z", .type = GR_TYPE_JSONB, .within = &inner},
};
static const struct gr_plan_stream nested = {
    .schema = &schema,
    .columns = nested_columns,
    .column_count = sizeof(nested_columns) / sizeof(nested_columns[0]),
    .key_count = 2,
    .cursor_column = 6,
    .ignored_fields = ignored,
    .ignored_count = 1,
};

static void
require_rejects(const struct gr_rejects *rejects)
{
    for (size_t i = 0; i < rejects->count; i++) {
        require(rejects->items[i].reason != NULL);
        require(strlen(rejects->items[i].original) <= GR_REJECT_BYTES);
        require_text(rejects->items[i].original, strlen(rejects->items[i].original));
        require_text(rejects->items[i].key, strlen(rejects->items[i].key));
    }
}

/* A row with opened values is as good, and its fingerprint always as far from the other's. */
static void
require_nested(const struct gr_json_value *value, const struct gr_row_facts *facts)
{
    GR_CLEANUP(gr_rejects_free) struct gr_rejects rejects = {0};
    GR_CLEANUP(gr_buf_free) struct gr_buf copy = gr_buf_new(0);
    static uint64_t apart;
    struct gr_row_layout *layout = gr_row_layout_new(&nested);
    struct gr_row_facts found;
    struct gr_error err;

    require(gr_row_encode(layout, value, &copy, &found, &rejects, &err));
    require(require_tuple(&nested, copy.data, copy.data + copy.len) == copy.data + copy.len);
    if (apart == 0)
        apart = (uint64_t)found.hash - (uint64_t)facts->hash;
    require((uint64_t)found.hash - (uint64_t)facts->hash == apart && apart != 0);
    require(found.key == facts->key);
    require_rejects(&rejects);
    gr_row_layout_free(layout);
}

static void
require_same_rejects(const struct gr_rejects *a, const struct gr_rejects *b)
{
    require(a->count == b->count);
    for (size_t i = 0; i < a->count; i++) {
        require(a->items[i].column == b->items[i].column);
        require(strcmp(a->items[i].key, b->items[i].key) == 0);
        require(strcmp(a->items[i].reason, b->items[i].reason) == 0);
        require(strcmp(a->items[i].original, b->items[i].original) == 0);
    }
}

/* The value was read from `text` without a tape, and has become `copy` and `rejects`. */
static void
require_same_from_tape(const char *text, size_t len, struct gr_row_layout *layout,
                       const struct gr_buf *copy, const struct gr_rejects *rejects)
{
    GR_CLEANUP(gr_tape_free) struct gr_tape tape = {0};
    GR_CLEANUP(gr_rejects_free) struct gr_rejects rejects_taped = {0};
    GR_CLEANUP(gr_buf_free) struct gr_buf taped = gr_buf_new(0);
    struct gr_json_reader reader = gr_json_open_taped(text, len, &tape);
    struct gr_row_facts facts;
    struct gr_json_value value;
    struct gr_error err;

    require(gr_json_value(&reader, &value));
    require(gr_row_encode(layout, &value, &taped, &facts, &rejects_taped, &err) == (copy->len > 0));
    require(taped.len == copy->len &&
            (copy->len == 0 || memcmp(taped.data, copy->data, copy->len) == 0));
    require_same_rejects(rejects, &rejects_taped);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gr_json_reader reader = gr_json_open((const char *)data, size);
    GR_CLEANUP(gr_rejects_free) struct gr_rejects rejects = {0};
    GR_CLEANUP(gr_buf_free) struct gr_buf copy = gr_buf_new(0);
    GR_CLEANUP(gr_buf_free) struct gr_buf again = gr_buf_new(0);
    struct gr_row_layout *layout;
    struct gr_row_facts facts;
    struct gr_json_value value;
    struct gr_error err;
    bool ok;

    if (!gr_json_value(&reader, &value))
        return 0;
    layout = gr_row_layout_new(&stream);
    ok = gr_row_encode(layout, &value, &copy, &facts, &rejects, &err);
    require_same_from_tape((const char *)data, size, layout, &copy, &rejects);
    if (ok) {
        require(require_tuple(&stream, copy.data, copy.data + copy.len) == copy.data + copy.len);
        for (size_t i = 0; i < rejects.count; i++)
            require(rejects.items[i].column != NULL);
        require(gr_row_encode(layout, &value, &again, &facts, &rejects, &err));
        require(copy.len == again.len && memcmp(copy.data, again.data, copy.len) == 0);
        require_nested(&value, &facts);
    } else {
        require_error(&err, GR_FAULT_PAYLOAD);
        require(copy.len == 0 && rejects.count > 0);
        require(rejects.items[rejects.count - 1].column == NULL);
    }
    require_rejects(&rejects);
    gr_row_layout_free(layout);
    return 0;
}
