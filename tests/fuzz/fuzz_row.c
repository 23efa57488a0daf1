/* fuzz_row.c - any JSON as a row: the tuple is well formed, and PostgreSQL could hold its texts. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gr/codec/row.h"
#include "gr/codec/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

static void
require(bool condition)
{
    if (!condition)
        abort();
}

static void
require_text(const char *at, size_t len)
{
    const char *end = at + len;

    while (at < end) {
        size_t one = gr_utf8_length(at, end);

        require(one > 0 && *at != '\0');
        at += one;
    }
}

static void
require_jsonb(const char *at, size_t len)
{
    struct gr_json_reader reader = gr_json_open(at, len);
    struct gr_json_value value;

    require(gr_json_value(&reader, &value) && gr_json_end(&reader));
    require((value.flags & GR_JSON_UNSTORABLE) == 0);
}

static void
require_field(enum gr_type type, const char *at, size_t len)
{
    if (type == GR_TYPE_TEXT)
        require_text(at, len);
    else if (type == GR_TYPE_JSONB)
        require_jsonb(at, len);
    else
        require(len == (type == GR_TYPE_BOOLEAN ? 1 : 8));
}

static uint32_t
big_endian(const char *at, int bytes)
{
    uint32_t value = 0;

    for (int i = 0; i < bytes; i++)
        value = value << 8 | (unsigned char)at[i];
    return value;
}

static void
require_tuple(const struct gr_buf *copy)
{
    const char *at = copy->data;
    const char *end = copy->data + copy->len;

    require(copy->len > 2 && big_endian(at, 2) == COLUMNS + 2);
    at += 2;
    for (size_t c = 0; c < COLUMNS + 2; c++) {
        enum gr_type type = c < COLUMNS    ? columns[c].type
                            : c == COLUMNS ? GR_TYPE_BIGINT
                                           : GR_TYPE_JSONB;
        uint32_t len;

        require(end - at >= 4);
        len = big_endian(at, 4);
        at += 4;
        if (len == UINT32_MAX) {
            require(c >= 2 && c != COLUMNS);
            continue;
        }
        require((size_t)(end - at) >= len);
        require_field(type, at, len);
        at += len;
    }
    require(at == end);
}

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

    if (!gr_json_value(&reader, &value))
        return 0;
    layout = gr_row_layout_new(&stream);
    if (gr_row_encode(layout, &value, &copy, &facts, &rejects, &err)) {
        require_tuple(&copy);
        require(gr_row_encode(layout, &value, &again, &facts, &rejects, &err));
        require(copy.len == again.len && memcmp(copy.data, again.data, copy.len) == 0);
    } else {
        require(copy.len == 0 && rejects.count > 0);
        require(rejects.items[rejects.count - 1].column == NULL);
    }
    require_rejects(&rejects);
    gr_row_layout_free(layout);
    return 0;
}
