/* preview.c - rows of a stream, asked for and put nowhere. */
#include "gr/engine/preview.h"

#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/codec/made.h"
#include "gr/codec/print.h"
#include "gr/source/gorgias.h"

enum { SPARE_PAGES = 10 }; /* that may hold nothing of what is wanted */

/* A preview under way. */
struct preview {
    const struct gr_plan_stream *stream;
    struct gr_plan_stream listed; /* whose list is walked: the same, or with whose rows its come */
    struct gr_asking asking;
    struct gr_row_layout *layout, *listed_layout;
    struct gr_walk walk;
    struct gr_buf rows; /* of the stream, to be shown */
    struct gr_rejects rejects;
    int64_t left; /* rows to be shown yet */
    gr_preview_take *take;
    void *context;
};

bool
gr_preview_page(struct gr_asking *asking, const struct gr_plan_stream *stream,
                const struct gr_walk_ask *ask, const struct gr_page_sink *sink,
                struct gr_page *page, struct gr_error *err)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf url = gr_buf_new(0);
    struct gr_page_sink own = *sink;
    struct gr_http_response *response;
    bool is_list = stream->schema->shape == GR_SHAPE_LIST;
    bool ok;

    gr_gorgias_list_url(&url, stream->schema,
                        &(struct gr_list_ask){.order = ask->order,
                                              .cursor = ask->cursor,
                                              .since_us = ask->since_us,
                                              .limit = ask->limit,
                                              .pass = ask->pass});
    if (!gr_asking_get(asking, gr_buf_text(&url), &response, err))
        return false;
    own.asked = gr_buf_text(&url);
    ok = (is_list ? gr_page_list : gr_page_object)(gr_buf_text(&response->body), response->body.len,
                                                   &own, page, err) ||
         gr_fail_in(err, "%s", response->path);
    if (ok) {
        page->facts.clock_us = response->date_us;
        page->facts.local_clock_us = gr_clock_us();
    }
    gr_http_response_free(response);
    return ok;
}

/* What the table could not hold as it came: a run would keep it beside the rows. */
static void
log_rejects(struct preview *preview)
{
    for (size_t i = 0; i < preview->rejects.count; i++) {
        const struct gr_reject *reject = &preview->rejects.items[i];

        gr_log(GR_LOG_WARN, preview->stream->name, "would be rejected", "key", reject->key,
               "column", reject->column != NULL ? reject->column : "all of it", "because",
               reject->reason, NULL);
    }
    gr_rejects_free(&preview->rejects);
}

static bool
show(struct preview *preview, struct gr_error *err)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf lines = gr_buf_new(0);
    const char *at = gr_buf_text(&preview->rows);
    const char *end = at + preview->rows.len;

    for (; at < end && preview->left > 0; preview->left--) {
        at = gr_print_tuple(preview->stream, at, &lines);
        gr_buf_putc(&lines, '\n');
    }
    gr_buf_reset(&preview->rows);
    return preview->take(preview->context, &lines, err);
}

/* --- rows that come with those of another stream --------------------------------------------- */

static bool
encode(void *context, const char *object, size_t len)
{
    struct preview *preview = context;
    struct gr_json_reader reader = gr_json_open(object, len);
    struct gr_json_value value;
    struct gr_row_facts facts;
    struct gr_error refused;

    /* What is no row is among the rejects then. */
    return gr_json_value(&reader, &value) && (gr_row_encode(preview->layout, &value, &preview->rows,
                                                            &facts, &preview->rejects, &refused) ||
                                              true);
}

static void
make(struct preview *preview, const char *tuple, int64_t key)
{
    const struct gr_schema *schema = preview->stream->schema;
    int column = gr_schema_column(preview->listed.schema, schema->made_of);
    struct gr_print_field value = gr_print_field(tuple, (size_t)column);

    if (value.at != NULL)
        gr_made_rows(schema, key, value.at, value.len, encode, preview);
}

static bool
take_asked(struct preview *preview, const struct gr_http_response *response, int64_t key,
           struct gr_error *err)
{
    GR_CLEANUP(gr_page_free) struct gr_page page = {0};
    struct gr_page_sink sink = {
        .layout = preview->layout, .rows = &preview->rows, .rejects = &preview->rejects};
    const char *body = gr_buf_text(&response->body);

    return (gr_page_is_object(body, response->body.len, preview->stream->columns[0].field, key,
                              err) &&
            gr_page_object(body, response->body.len, &sink, &page, err)) ||
           gr_fail_in(err, "%s", response->path);
}

/* One that has gone since the list was read is no row. */
static bool
ask(struct preview *preview, int64_t key, struct gr_error *err)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf url = gr_buf_new(0);
    struct gr_http_response *response;
    bool ok;

    gr_gorgias_object_url(&url, preview->stream->schema, key);
    if (!gr_asking_get(&preview->asking, gr_buf_text(&url), &response, err))
        return err->fault == GR_FAULT_MISSING;
    ok = take_asked(preview, response, key, err);
    gr_http_response_free(response);
    return ok;
}

/* The stream's own rows of the listed ones. */
static bool
bring(struct preview *preview, const struct gr_page *page, const struct gr_buf *listed,
      struct gr_error *err)
{
    const char *tuple = gr_buf_text(listed);

    if (preview->stream->schema->walk != GR_WALK_NONE) {
        gr_buf_put(&preview->rows, tuple, listed->len);
        return show(preview, err);
    }
    for (int64_t i = 0; i < page->wanted && preview->left > 0; i++) {
        if (preview->stream->schema->made_from != NULL)
            make(preview, tuple, page->tuples[i].key);
        else if (!ask(preview, page->tuples[i].key, err))
            return false;
        log_rejects(preview);
        if (!show(preview, err))
            return false;
        tuple += page->tuples[i].bytes;
    }
    return true;
}

/* --- the walk -------------------------------------------------------------------------------- */

static bool
step(struct preview *preview, const struct gr_walk_ask *ask, struct gr_error *err)
{
    GR_CLEANUP(gr_page_free) struct gr_page page = {0};
    GR_CLEANUP(gr_buf_free) struct gr_buf listed = gr_buf_new(0);
    struct gr_page_sink sink = {.layout = preview->listed_layout,
                                .walk = &preview->walk,
                                .rows = &listed,
                                .rejects = &preview->rejects};

    if (!gr_preview_page(&preview->asking, &preview->listed, ask, &sink, &page, err))
        return false;
    log_rejects(preview);
    return bring(preview, &page, &listed, err) && gr_walk_page(&preview->walk, &page.facts, err);
}

/* A walk that turns into one through everything would show rows a second time. */
static bool
walk(struct preview *preview, struct gr_error *err)
{
    bool was_scan = gr_walk_is_scan(&preview->walk);
    int64_t limit = preview->stream->limit_rows;
    int64_t pages = limit / preview->listed.schema->page_limit + SPARE_PAGES;
    struct gr_walk_ask ask;

    while (pages-- > 0 && preview->left > 0 && gr_walk_next(&preview->walk, &ask)) {
        if (!step(preview, &ask, err))
            return false;
        if (gr_walk_is_scan(&preview->walk) != was_scan) {
            gr_log(GR_LOG_WARN, preview->stream->name, "a run would read everything instead",
                   "because", preview->walk.note, NULL);
            break;
        }
    }
    if (preview->left == limit)
        gr_log(GR_LOG_INFO, preview->stream->name, "has no rows that a first run would read", NULL);
    return true;
}

static void
on_new_field(void *context, const char *name)
{
    const struct preview *preview = context;

    gr_log(GR_LOG_WARN, preview->stream->name, "a field that the schema does not name", "field",
           name, "kept_in", "_extra", NULL);
}

/* The stream itself; or, as its schema has it, the one with whose rows its come. */
static struct gr_plan_stream
listed_for(const struct gr_plan *plan, const struct gr_plan_stream *stream)
{
    const char *from =
        stream->schema->made_from != NULL ? stream->schema->made_from : stream->schema->parent;
    const struct gr_schema *schema;

    if (stream->schema->walk != GR_WALK_NONE)
        return *stream;
    schema = gr_schemas_find(&plan->schemas, from);
    return (struct gr_plan_stream){
        .name = schema->stream,
        .schema = schema,
        .mode = GR_MODE_INCREMENTAL,
        .note = "",
        .columns = schema->columns,
        .column_count = schema->column_count,
        .key_count = schema->key_count,
        .cursor_column = schema->cursor != NULL ? gr_schema_column(schema, schema->cursor) : -1,
        .range_from_us = GR_TIME_NONE,
        .range_to_us = GR_TIME_NONE};
}

bool
gr_preview(const struct gr_plan *plan, const struct gr_plan_stream *stream, gr_preview_take *take,
           void *context, struct gr_error *err)
{
    struct preview preview = {.stream = stream,
                              .listed = listed_for(plan, stream),
                              .rows = gr_buf_new(0),
                              .left = stream->limit_rows,
                              .take = take,
                              .context = context};
    bool ok;

    preview.layout = gr_row_layout_new(stream);
    preview.listed_layout = gr_row_layout_new(&preview.listed);
    gr_row_on_new_field(stream->schema->walk == GR_WALK_NONE ? preview.layout
                                                             : preview.listed_layout,
                        on_new_field, &preview);
    gr_walk_begin(&preview.walk, &preview.listed, preview.listed.mode != GR_MODE_INCREMENTAL,
                  plan->source.anchor_us, GR_TIME_NONE, NULL, gr_clock_us());
    ok = gr_asking_open(&preview.asking, &plan->source, err) && walk(&preview, err);
    gr_asking_close(&preview.asking);
    gr_walk_free(&preview.walk);
    gr_row_layout_free(preview.layout);
    gr_row_layout_free(preview.listed_layout);
    gr_rejects_free(&preview.rejects);
    gr_buf_free(&preview.rows);
    return ok;
}
