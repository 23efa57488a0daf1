/* preview.c - rows of a stream, asked for and put nowhere. */
#include "gr/engine/preview.h"

#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/codec/print.h"
#include "gr/source/gorgias.h"

enum { SPARE_PAGES = 10 }; /* that may hold nothing of what is wanted */

/* A preview under way. */
struct preview {
    const struct gr_plan_stream *stream;
    struct gr_asking asking;
    struct gr_row_layout *layout;
    struct gr_walk walk;
    struct gr_buf rows;
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

static bool
step(struct preview *preview, const struct gr_walk_ask *ask, struct gr_error *err)
{
    GR_CLEANUP(gr_page_free) struct gr_page page = {0};
    struct gr_page_sink sink = {.layout = preview->layout,
                                .walk = &preview->walk,
                                .rows = &preview->rows,
                                .rejects = &preview->rejects};

    if (!gr_preview_page(&preview->asking, preview->stream, ask, &sink, &page, err))
        return false;
    log_rejects(preview);
    return show(preview, err) && gr_walk_page(&preview->walk, &page.facts, err);
}

/* A walk that turns into one through everything would show rows a second time. */
static bool
walk(struct preview *preview, struct gr_error *err)
{
    bool was_scan = gr_walk_is_scan(&preview->walk);
    int64_t limit = preview->stream->limit_rows;
    int64_t pages = limit / preview->stream->schema->page_limit + SPARE_PAGES;
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

bool
gr_preview(const struct gr_plan *plan, const struct gr_plan_stream *stream, gr_preview_take *take,
           void *context, struct gr_error *err)
{
    struct preview preview = {.stream = stream,
                              .rows = gr_buf_new(0),
                              .left = stream->limit_rows,
                              .take = take,
                              .context = context};
    bool ok;

    preview.layout = gr_row_layout_new(stream);
    gr_row_on_new_field(preview.layout, on_new_field, &preview);
    gr_walk_begin(&preview.walk, stream, stream->mode != GR_MODE_INCREMENTAL,
                  plan->source.anchor_us, GR_TIME_NONE, NULL, gr_clock_us());
    ok = gr_asking_open(&preview.asking, &plan->source, err) && walk(&preview, err);
    gr_asking_close(&preview.asking);
    gr_walk_free(&preview.walk);
    gr_row_layout_free(preview.layout);
    gr_rejects_free(&preview.rejects);
    gr_buf_free(&preview.rows);
    return ok;
}
