/* plan_view.c - a plan as a table or as JSON. */
#include "gr/cli/plan_view.h"

#include <stdio.h>

#include "gr/base/time.h"
#include "gr/cli/doc.h"
#include "gr/cli/grid.h"
#include "gr/cli/moment.h"
#include "gr/cli/text.h"

/* Where the stream begins to read. */
static void
put_from(const struct gr_plan *plan, const struct gr_plan_stream *stream, struct gr_buf *out)
{
    if (stream->mode == GR_MODE_DEFINITION_ONLY) {
        gr_buf_puts(out, "nothing is read");
    } else if (stream->has_range) {
        gr_moment_put(stream->range_from_us, "the beginning", out);
        gr_buf_puts(out, " to ");
        gr_moment_put(stream->range_to_us, "now", out);
    } else if (stream->schema->made_from != NULL) {
        gr_buf_printf(out, "rows of %s, without requests", stream->schema->made_from);
    } else if (stream->schema->walk == GR_WALK_NONE) {
        gr_buf_printf(out, "a request for each of %s", stream->schema->parent);
    } else if (stream->mode == GR_MODE_INCREMENTAL && stream->schema->walk != GR_WALK_FULL) {
        gr_buf_puts(out, "bookmark, else ");
        gr_moment_put(plan->source.anchor_us, "the beginning", out);
    } else {
        gr_buf_puts(out, "everything");
    }
}

void
gr_plan_view_put_notes(const struct gr_plan_stream *stream, struct gr_buf *out)
{
    char number[GR_TEXT_NUMBER], text[96];

    if (stream->note != NULL && stream->note[0] != '\0')
        gr_text_join(out, stream->note);
    if (stream->mode == GR_MODE_INCREMENTAL && stream->schema->walk == GR_WALK_NONE &&
        stream->schema->parent != NULL) {
        gr_text_join(out, "first all, then those that are new or changed");
    } else if (stream->mode == GR_MODE_INCREMENTAL && stream->schema->parent != NULL) {
        (void)snprintf(text, sizeof(text), "and what %.40s finds changed", stream->schema->parent);
        gr_text_join(out, text);
    }
    if (stream->limit_rows > 0 && stream->schema->walk != GR_WALK_NONE) {
        (void)snprintf(text, sizeof(text), "at most %s rows",
                       gr_text_number(stream->limit_rows, number));
        gr_text_join(out, text);
    }
    if (stream->ignored_count > 0) {
        (void)snprintf(text, sizeof(text), "%s fields left out by select",
                       gr_text_number((int64_t)stream->ignored_count, number));
        gr_text_join(out, text);
    }
}

void
gr_plan_view_put(const struct gr_plan *plan, struct gr_buf *out)
{
    static const struct gr_grid_column columns[] = {
        {.title = "STREAM"}, {.title = "MODE"},  {.title = "OBJECT"},
        {.title = "FROM"},   {.title = "NOTES"},
    };
    GR_CLEANUP(gr_grid_free_var) struct gr_grid *grid = gr_grid_new(columns, 5);

    for (size_t i = 0; i < plan->count; i++) {
        const struct gr_plan_stream *stream = &plan->streams[i];

        gr_grid_put(grid, stream->name);
        gr_grid_put(grid, gr_mode_name(stream->mode));
        gr_buf_printf(gr_grid_cell(grid), "%s.%s", stream->table_schema, stream->table_name);
        put_from(plan, stream, gr_grid_cell(grid));
        gr_plan_view_put_notes(stream, gr_grid_cell(grid));
    }
    gr_grid_print(grid, 0, out);
    gr_buf_printf(out, "%s is valid: %zu stream%s, %s -> %s (%s)\n", plan->file, plan->count,
                  plan->count == 1 ? "" : "s", plan->source.name, plan->target.name,
                  plan->target.shown);
}

static struct json_object *
stream_doc(const struct gr_plan *plan, const struct gr_plan_stream *stream)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    struct json_object *item = gr_doc_object();

    gr_doc_put_text(item, "stream", stream->name);
    gr_doc_put_text(item, "mode", gr_mode_name(stream->mode));
    gr_buf_printf(&text, "%s.%s", stream->table_schema, stream->table_name);
    gr_doc_put_text(item, "object", gr_buf_text(&text));
    gr_doc_put_text(item, "endpoint", stream->schema->path);
    gr_buf_reset(&text);
    put_from(plan, stream, &text);
    gr_doc_put_text(item, "from", gr_buf_text(&text));
    gr_doc_put_time(item, "range_from", stream->has_range ? stream->range_from_us : GR_TIME_NONE);
    gr_doc_put_time(item, "range_to", stream->has_range ? stream->range_to_us : GR_TIME_NONE);
    gr_doc_put_int(item, "columns", (int64_t)stream->column_count);
    gr_doc_put_text(item, "delete_missing", stream->missing == GR_MISSING_SOFT ? "soft" : "hard");
    gr_buf_reset(&text);
    gr_plan_view_put_notes(stream, &text);
    gr_doc_put_text(item, "notes", gr_buf_text(&text));
    return item;
}

void
gr_plan_view_put_json(const struct gr_plan *plan, struct gr_buf *out)
{
    GR_CLEANUP(gr_doc_free_var) struct json_object *doc = gr_doc_object();
    struct json_object *streams = gr_doc_array();
    struct json_object *warnings = gr_doc_array();

    gr_doc_put_text(doc, "file", plan->file);
    gr_doc_put_bool(doc, "valid", true);
    gr_doc_put_text(doc, "source", plan->source.name);
    gr_doc_put_text(doc, "base_url", plan->source.base_url);
    gr_doc_put_text(doc, "target", plan->target.name);
    gr_doc_put_text(doc, "warehouse", plan->target.shown);
    gr_doc_put_text(doc, "state_schema", plan->state_schema);
    gr_doc_put_time(doc, "anchor", plan->source.anchor_us);
    gr_doc_put_int(doc, "threads", plan->threads);
    for (size_t i = 0; i < plan->count; i++)
        gr_doc_add(streams, stream_doc(plan, &plan->streams[i]));
    gr_doc_put(doc, "streams", streams);
    for (size_t i = 0; i < plan->warning_count; i++)
        gr_doc_add_text(warnings, plan->warnings[i]);
    gr_doc_put(doc, "warnings", warnings);
    gr_doc_print_json(doc, out);
}
