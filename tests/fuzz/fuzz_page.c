/* layers: engine */
/* fuzz_page.c - any body as a page: taken whole or not at all, its facts add up, and a tape changes
   nothing. The first byte says what is asked for: O an object, W a list of which a walk wants the
   newer rows, else a list. */
#include "fuzz.h"
#include "gr/base/time.h"
#include "gr/engine/page.h"
#include "tuple.h"

#define ANCHOR_US INT64_C(1704067200000000) /* 2024-01-01 */

static const struct gr_column columns[] = {
    {.name = "id", .field = "id", .type = GR_TYPE_BIGINT, .is_key = true},
    {.name = "z", .field = "z", .type = GR_TYPE_TIMESTAMPTZ},
    {.name = "t", .field = "t", .type = GR_TYPE_TEXT},
    {.name = "j", .field = "j", .type = GR_TYPE_JSONB},
};
static const struct gr_schema schema = {.stream = "tickets",
                                        .walk = GR_WALK_NEWEST_FIRST,
                                        .cursor = "z",
                                        .columns = columns,
                                        .column_count = 4,
                                        .key_count = 1};
static const struct gr_plan_stream stream = {.name = "tickets",
                                             .schema = &schema,
                                             .columns = columns,
                                             .column_count = 4,
                                             .key_count = 1,
                                             .cursor_column = 1,
                                             .range_from_us = GR_TIME_NONE,
                                             .range_to_us = GR_TIME_NONE};
static const char before[] = "rows of the page before";

static void
require_rows(const struct gr_buf *rows, const struct gr_page *page)
{
    const char *at = rows->data + sizeof(before) - 1;
    const char *end = rows->data + rows->len;

    for (int64_t i = 0; i < page->wanted; i++) {
        int64_t key = 0;

        for (int b = 0; b < 8; b++)
            key = (int64_t)((uint64_t)key << 8 | (unsigned char)at[6 + b]);
        require(key == page->tuples[i].key);
        require(page->tuples[i].bytes == (size_t)(require_tuple(&stream, at, end) - at));
        at = require_tuple(&stream, at, end);
    }
    require(at == end);
}

static void
require_facts(const struct gr_page *page, bool has_walk)
{
    const struct gr_page_facts *facts = &page->facts;

    require(page->wanted + page->refused <= facts->rows);
    require(has_walk || page->wanted + page->refused == facts->rows);
    require((facts->first_us == GR_TIME_NONE) == (facts->last_us == GR_TIME_NONE));
    require(facts->max_us >= facts->first_us && facts->max_us >= facts->last_us);
    require(!facts->descends || facts->first_us == facts->max_us);
    require(!facts->ascends || facts->last_us == facts->max_us);
    require(facts->next_cursor == page->next_cursor);
    if (page->next_cursor != NULL)
        require_text(page->next_cursor, strlen(page->next_cursor));
    require(page->next_cursor == NULL || page->next_cursor[0] != '\0');
}

static void
require_rejects(const struct gr_rejects *rejects, const struct gr_page *page)
{
    int64_t objects = 0;

    for (size_t i = 0; i < rejects->count; i++) {
        objects += rejects->items[i].column == NULL ? 1 : 0;
        require_text(rejects->items[i].original, strlen(rejects->items[i].original));
    }
    require(objects == page->refused);
}

static bool
take(const uint8_t *data, size_t size, const struct gr_page_sink *sink, struct gr_page *page,
     struct gr_error *err)
{
    const char *body = (const char *)data + 1;

    return *data == 'O' ? gr_page_object(body, size - 1, sink, page, err)
                        : gr_page_list(body, size - 1, sink, page, err);
}

/* `sink` has no tape, and has taken the page, or refused it for the reason in `err`. */
static void
require_same_from_tape(const uint8_t *data, size_t size, const struct gr_page_sink *sink, bool ok,
                       const struct gr_error *err)
{
    GR_CLEANUP(gr_rejects_free) struct gr_rejects rejects = {0};
    GR_CLEANUP(gr_buf_free) struct gr_buf rows = gr_buf_new(0);
    GR_CLEANUP(gr_page_free) struct gr_page page = {0};
    GR_CLEANUP(gr_tape_free) struct gr_tape tape = {0};
    struct gr_page_sink taped = *sink;
    struct gr_error reason;

    gr_buf_puts(&rows, before);
    taped.rows = &rows;
    taped.rejects = &rejects;
    taped.tape = &tape;
    require(take(data, size, &taped, &page, &reason) == ok);
    require(ok || strcmp(reason.message, err->message) == 0);
    require(rows.len == sink->rows->len && memcmp(rows.data, sink->rows->data, rows.len) == 0);
    require(rejects.count == sink->rejects->count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GR_CLEANUP(gr_rejects_free) struct gr_rejects rejects = {0};
    GR_CLEANUP(gr_buf_free) struct gr_buf rows = gr_buf_new(0);
    GR_CLEANUP(gr_page_free) struct gr_page page = {0};
    struct gr_walk walk = {
        .stream = &stream, .anchor_us = ANCHOR_US, .from_us = GR_TIME_NONE, .to_us = GR_TIME_NONE};
    struct gr_page_sink sink = {.rows = &rows, .rejects = &rejects};
    struct gr_error err;
    bool ok;

    if (size == 0)
        return 0;
    gr_buf_puts(&rows, before);
    sink.layout = gr_row_layout_new(&stream);
    sink.walk = *data == 'W' ? &walk : NULL;
    ok = take(data, size, &sink, &page, &err);
    require_same_from_tape(data, size, &sink, ok, &err);
    if (ok) {
        require_rows(&rows, &page);
        require_facts(&page, sink.walk != NULL);
        require_rejects(&rejects, &page);
    } else {
        require_error(&err, GR_FAULT_PAYLOAD);
        require(rows.len == sizeof(before) - 1 && rejects.count == 0);
        require(page.tuples == NULL && page.next_cursor == NULL);
    }
    gr_row_layout_free(sink.layout);
    return 0;
}
