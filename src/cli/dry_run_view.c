/* dry_run_view.c - what a run would do. */
#include "gr/cli/dry_run_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/time.h"
#include "gr/cli/doc.h"
#include "gr/cli/grid.h"
#include "gr/cli/memory_view.h"
#include "gr/cli/moment.h"
#include "gr/cli/plan_view.h"
#include "gr/cli/text.h"

static bool
has_bookmark(const struct gr_forecast_stream *stream)
{
    return stream->state != NULL && stream->state->bookmark_us != GR_TIME_NONE &&
           !stream->plan->has_range;
}

static bool
begins_at_anchor(const struct gr_plan *plan, const struct gr_forecast_stream *stream)
{
    return stream->plan->mode == GR_MODE_INCREMENTAL &&
           stream->plan->schema->walk != GR_WALK_FULL &&
           stream->plan->schema->walk != GR_WALK_NONE && !has_bookmark(stream) &&
           plan->source.anchor_us != GR_TIME_NONE;
}

static void
put_from(const struct gr_forecast_stream *stream, struct gr_buf *out)
{
    const struct gr_schema *schema = stream->plan->schema;

    if (schema->walk == GR_WALK_NONE) {
        gr_buf_printf(out, "rows of %s",
                      schema->made_from != NULL ? schema->made_from : schema->parent);
    } else if (stream->estimate.basis == GR_BASIS_NOTHING) {
        gr_buf_puts(out, "-");
    } else {
        gr_moment_put(stream->from_us, "the beginning", out);
        if (stream->plan->has_range)
            gr_buf_puts(out, " to ");
        if (stream->plan->has_range)
            gr_moment_put(stream->plan->range_to_us, "now", out);
    }
}

static void
put_numbers(struct gr_grid *grid, const struct gr_forecast *forecast,
            const struct gr_estimate *estimate)
{
    if (estimate->requests < 0) {
        gr_grid_put(grid, "unknown");
        gr_grid_put(grid, "unknown");
        return;
    }
    gr_grid_put_number(grid, estimate->requests);
    gr_moment_put_span(gr_estimate_ms(estimate->requests, &forecast->rate), gr_grid_cell(grid));
}

static void
put_notes(const struct gr_plan *plan, const struct gr_forecast_stream *stream, struct gr_buf *out)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf walk = gr_buf_new(0);
    char number[GR_TEXT_NUMBER], text[64];

    gr_plan_view_put_notes(stream->plan, out);
    if (stream->is_fresh)
        gr_text_join(out, "complete within its min_interval");
    if (begins_at_anchor(plan, stream))
        gr_text_join(out, "begins at anchor_date");
    if (stream->state == NULL)
        return;
    (void)snprintf(text, sizeof(text), "%s in its queue",
                   gr_text_number(stream->state->queue, number));
    if (stream->state->queue > 0)
        gr_text_join(out, text);
    gr_memory_view_put(stream->state->walk, &walk);
    if (walk.len > 0)
        gr_text_join(out, gr_buf_text(&walk));
}

static void
put_stream(struct gr_grid *grid, const struct gr_forecast *forecast,
           const struct gr_forecast_stream *stream)
{
    gr_grid_put(grid, stream->plan->name);
    gr_grid_put(grid, gr_mode_name(stream->plan->mode));
    put_from(stream, gr_grid_cell(grid));
    put_numbers(grid, forecast, &stream->estimate);
    gr_grid_put(grid, gr_basis_name(stream->estimate.basis));
}

/* --- notes ---------------------------------------------------------------------------------- */

enum { NAMES_MAX = 3 }; /* of streams that share a note */

/* What is to be said of each stream, once for all of which it is true. */
struct notes {
    const struct gr_forecast *forecast;
    char **texts; /* owned, of each stream */
};

/* Where its rows go, and whatever else there is. */
static char *
note_text(const struct gr_plan *plan, const struct gr_forecast_stream *stream)
{
    struct gr_buf text = gr_buf_new(0);
    bool is_namesake = strcmp(stream->plan->table_name, stream->plan->name) == 0;

    gr_buf_printf(&text, "into %s%s%s", stream->plan->table_schema, is_namesake ? "" : ".",
                  is_namesake ? "" : stream->plan->table_name);
    put_notes(plan, stream, &text);
    return gr_buf_take(&text);
}

/* True if the notes of the stream hold this one. */
static bool
has_note(const char *text, const char *note, size_t len)
{
    while (text != NULL) {
        if (strncmp(text, note, len) == 0 && (text[len] == '\0' || text[len] == ';'))
            return true;
        text = strstr(text, "; ");
        text = text != NULL ? text + 2 : NULL;
    }
    return false;
}

static void
put_names(const struct notes *notes, const char *note, size_t len, struct gr_buf *out)
{
    const struct gr_forecast *forecast = notes->forecast;
    size_t count = 0, named = 0;

    for (size_t i = 0; i < forecast->count; i++)
        count += has_note(notes->texts[i], note, len);
    if (count == forecast->count && count > 1) {
        gr_buf_puts(out, "all");
        return;
    }
    for (size_t i = 0; i < forecast->count && named < NAMES_MAX; i++)
        if (has_note(notes->texts[i], note, len))
            gr_buf_printf(out, "%s%s", named++ > 0 ? ", " : "", forecast->streams[i].plan->name);
    if (count > named)
        gr_buf_printf(out, " and %zu more", count - named);
}

static void
put_new_notes(const struct notes *notes, size_t stream, struct gr_buf *out)
{
    const char *note = notes->texts[stream];

    while (*note != '\0') {
        const char *end = strstr(note, "; ");
        size_t len = end != NULL ? (size_t)(end - note) : strlen(note);
        bool is_new = true;

        for (size_t i = 0; i < stream; i++)
            is_new = is_new && !has_note(notes->texts[i], note, len);
        if (is_new) {
            gr_buf_puts(out, "  ");
            put_names(notes, note, len, out);
            gr_buf_printf(out, ": %.*s\n", (int)len, note);
        }
        note += len + (end != NULL ? 2 : 0);
    }
}

static void
put_all_notes(const struct gr_plan *plan, const struct gr_forecast *forecast, struct gr_buf *out)
{
    struct notes notes = {.forecast = forecast,
                          .texts = gr_alloc(forecast->count, sizeof(notes.texts[0]))};

    for (size_t i = 0; i < forecast->count; i++)
        notes.texts[i] = note_text(plan, &forecast->streams[i]);
    for (size_t i = 0; i < forecast->count; i++)
        put_new_notes(&notes, i, out);
    for (size_t i = 0; i < forecast->count; i++)
        gr_free(notes.texts[i]);
    gr_free(notes.texts);
}

/* --- the table ------------------------------------------------------------------------------ */

static void
put_last_lines(const struct gr_plan *plan, const struct gr_forecast *forecast, struct gr_buf *out)
{
    char requests[GR_TEXT_NUMBER], per[GR_TIME_TEXT];

    gr_duration_format(forecast->rate.per_ms, per);
    gr_buf_printf(out, "%s: %zu stream%s, %s -> %s (%s)\n", plan->file, plan->count,
                  plan->count == 1 ? "" : "s", plan->source.name, plan->target.name,
                  plan->target.shown);
    gr_buf_printf(out, "gorgias-replicate: a run would ask about %s requests, and wait ",
                  gr_text_number(forecast->requests, requests));
    gr_moment_put_span(forecast->ms, out);
    gr_buf_printf(out, " for the rate limit of %" PRId64 " per %s", forecast->rate.requests, per);
    if (forecast->unknown > 0)
        gr_buf_printf(out, "; %zu stream%s cannot be estimated, and come%s on top",
                      forecast->unknown, forecast->unknown == 1 ? "" : "s",
                      forecast->unknown == 1 ? "s" : "");
    gr_buf_puts(out, "\ngorgias-replicate: nothing was written");
    if (forecast->asked != NULL)
        gr_buf_printf(out, "; one request was made, for a page of %s", forecast->asked);
    gr_buf_putc(out, '\n');
}

void
gr_dry_run_view_put(const struct gr_plan *plan, const struct gr_forecast *forecast,
                    struct gr_buf *out)
{
    static const struct gr_grid_column columns[] = {
        {.title = "STREAM"},
        {.title = "MODE"},
        {.title = "FROM"},
        {.title = "REQUESTS", .is_right = true},
        {.title = "TIME", .is_right = true},
        {.title = "BY"},
    };
    GR_CLEANUP(gr_grid_free_var)
    struct gr_grid *grid = gr_grid_new(columns, sizeof(columns) / sizeof(columns[0]));

    for (size_t i = 0; i < forecast->count; i++)
        put_stream(grid, forecast, &forecast->streams[i]);
    gr_grid_print(grid, 0, out);
    put_all_notes(plan, forecast, out);
    put_last_lines(plan, forecast, out);
}

/* --- JSON ----------------------------------------------------------------------------------- */

static void
put_known(struct json_object *item, const char *key, int64_t number)
{
    if (number < 0)
        gr_doc_put_text(item, key, NULL);
    else
        gr_doc_put_int(item, key, number);
}

static struct json_object *
stream_doc(const struct gr_plan *plan, const struct gr_forecast *forecast,
           const struct gr_forecast_stream *stream)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    const struct gr_estimate *estimate = &stream->estimate;
    struct json_object *item = gr_doc_object();

    gr_doc_put_text(item, "stream", stream->plan->name);
    gr_doc_put_text(item, "mode", gr_mode_name(stream->plan->mode));
    gr_buf_printf(&text, "%s.%s", stream->plan->table_schema, stream->plan->table_name);
    gr_doc_put_text(item, "object", gr_buf_text(&text));
    gr_doc_put_text(item, "endpoint", stream->plan->schema->path);
    gr_doc_put_time(item, "from", stream->from_us);
    gr_doc_put_time(item, "to", stream->plan->has_range ? stream->plan->range_to_us : GR_TIME_NONE);
    gr_doc_put_time(item, "bookmark",
                    has_bookmark(stream) ? stream->state->bookmark_us : GR_TIME_NONE);
    put_known(item, "requests", estimate->requests);
    put_known(item, "time_ms",
              estimate->requests < 0 ? -1 : gr_estimate_ms(estimate->requests, &forecast->rate));
    gr_doc_put_text(item, "by", gr_basis_name(estimate->basis));
    gr_doc_put_int(item, "queue", stream->state != NULL ? stream->state->queue : 0);
    gr_buf_reset(&text);
    put_notes(plan, stream, &text);
    gr_doc_put_text(item, "notes", gr_buf_text(&text));
    return item;
}

static void
put_error(struct json_object *doc, const char *key, const struct gr_error *error)
{
    if (error->fault == GR_OK)
        gr_doc_put_text(doc, key, NULL);
    else
        gr_doc_put_message(doc, key, error->message);
}

void
gr_dry_run_view_put_json(const struct gr_plan *plan, const struct gr_forecast *forecast,
                         struct gr_buf *out)
{
    GR_CLEANUP(gr_doc_free_var) struct json_object *doc = gr_doc_object();
    struct json_object *streams = gr_doc_array();

    gr_doc_put_text(doc, "file", plan->file);
    gr_doc_put_bool(doc, "dry_run", true);
    gr_doc_put_text(doc, "source", plan->source.name);
    gr_doc_put_text(doc, "base_url", plan->source.base_url);
    gr_doc_put_text(doc, "target", plan->target.name);
    gr_doc_put_text(doc, "warehouse", plan->target.shown);
    gr_doc_put_time(doc, "anchor", plan->source.anchor_us);
    gr_doc_put_int(doc, "requests", forecast->requests);
    gr_doc_put_int(doc, "time_ms", forecast->ms);
    gr_doc_put_int(doc, "unknown_streams", (int64_t)forecast->unknown);
    gr_doc_put_int(doc, "rate_requests", forecast->rate.requests);
    gr_doc_put_int(doc, "rate_per_ms", forecast->rate.per_ms);
    gr_doc_put_text(doc, "asked", forecast->asked);
    put_error(doc, "source_error", &forecast->source);
    put_error(doc, "warehouse_error", &forecast->warehouse);
    for (size_t i = 0; i < forecast->count; i++)
        gr_doc_add(streams, stream_doc(plan, forecast, &forecast->streams[i]));
    gr_doc_put(doc, "streams", streams);
    gr_doc_print_json(doc, out);
}
