/* status_view.c - how a replication stands. */
#include "gr/cli/status_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gr/base/time.h"
#include "gr/cli/doc.h"
#include "gr/cli/grid.h"
#include "gr/cli/memory_view.h"
#include "gr/cli/moment.h"
#include "gr/cli/output.h"
#include "gr/cli/text.h"
#include "gr/engine/estimate.h"

/* The account's rate as far as the state and the connection tell. */
static struct gr_rate
rate_of(const struct gr_plan *plan, const struct gr_overview *overview)
{
    struct gr_rate rate = plan->source.rate;

    if (overview->has_budget && !rate.is_stated) {
        rate.requests = overview->budget_requests;
        rate.per_ms = overview->budget_per_ms;
    }
    return rate;
}

int64_t
gr_status_view_drain_ms(const struct gr_plan *plan, const struct gr_overview *overview,
                        const struct gr_overview_stream *stream)
{
    struct gr_rate rate = rate_of(plan, overview);

    if (stream->plan == NULL || stream->plan->schema->ask == GR_ASK_NONE)
        return -1;
    return gr_estimate_ms(gr_estimate_queue(stream->plan->schema->ask, stream->queue), &rate);
}

static const char *
mark_of(enum gr_verdict verdict)
{
    if (verdict == GR_VERDICT_NEVER || verdict == GR_VERDICT_ABSENT)
        return "-";
    return gr_verdict_facts(verdict)->is_wrong ? "✗" : "✓";
}

/* --- the table ------------------------------------------------------------------------------ */

static void
put_age(struct gr_grid *grid, int64_t us, const struct gr_overview *overview, const char *suffix)
{
    struct gr_buf *cell = gr_grid_cell(grid);

    gr_moment_put_age(us, overview->now_us, "-", cell);
    if (us != GR_TIME_NONE)
        gr_buf_puts(cell, suffix);
}

static void
put_queue(struct gr_grid *grid, const struct gr_plan *plan, const struct gr_overview *overview,
          const struct gr_overview_stream *stream)
{
    int64_t ms = gr_status_view_drain_ms(plan, overview, stream);

    if (ms < 0 && stream->queue == 0)
        gr_grid_put(grid, "-");
    else
        gr_grid_put_number(grid, stream->queue);
    if (ms >= 0 && stream->queue > 0)
        gr_moment_put_span(ms, gr_grid_cell(grid));
    else
        gr_grid_put(grid, "-");
}

static void
put_audit(struct gr_grid *grid, const struct gr_overview *overview,
          const struct gr_overview_stream *stream)
{
    struct gr_buf *cell = gr_grid_cell(grid);

    if (stream->audit_run_id == 0) {
        gr_buf_puts(cell, "never");
        return;
    }
    if (stream->audit_missing + stream->audit_gone > 0)
        gr_buf_printf(cell, "%" PRId64 " gaps, ", stream->audit_missing + stream->audit_gone);
    else
        gr_buf_puts(cell, stream->audit != NULL ? "unfinished, " : "no gaps, ");
    gr_moment_put_age(stream->audited_us, overview->now_us, "", cell);
    gr_buf_puts(cell, " ago");
}

static void
put_stream(struct gr_grid *grid, const struct gr_plan *plan, const struct gr_overview *overview,
           const struct gr_overview_stream *stream)
{
    enum gr_verdict verdict = gr_overview_verdict(stream);

    gr_grid_put(grid, mark_of(verdict));
    gr_grid_put(grid, stream->stream);
    gr_grid_put(grid, gr_verdict_facts(verdict)->name);
    put_age(grid, stream->ended_us != GR_TIME_NONE ? stream->ended_us : stream->started_us,
            overview, " ago");
    gr_grid_put_number(grid, gr_overview_rows(stream));
    put_age(grid, gr_overview_as_of(stream), overview, "");
    gr_moment_put(stream->bookmark_us, "-", gr_grid_cell(grid));
    put_queue(grid, plan, overview, stream);
    gr_grid_put_number(grid, stream->rejected_values);
    gr_grid_put_number(grid, stream->field_count);
    put_audit(grid, overview, stream);
}

static void
put_grid(const struct gr_plan *plan, const struct gr_overview *overview, size_t width,
         struct gr_buf *out)
{
    static const struct gr_grid_column columns[] = {
        {.title = ""},
        {.title = "STREAM", .is_cut = true},
        {.title = "STATE"},
        {.title = "LAST RUN"},
        {.title = "ROWS", .is_right = true},
        {.title = "LAG", .is_right = true},
        {.title = "BOOKMARK"},
        {.title = "QUEUE", .is_right = true},
        {.title = "DRAINS IN", .is_right = true},
        {.title = "REJECTED", .is_right = true},
        {.title = "NEW FIELDS", .is_right = true},
        {.title = "AUDIT"},
    };
    GR_CLEANUP(gr_grid_free_var)
    struct gr_grid *grid = gr_grid_new(columns, sizeof(columns) / sizeof(columns[0]));

    for (size_t i = 0; i < overview->count; i++)
        put_stream(grid, plan, overview, &overview->streams[i]);
    gr_grid_print(grid, width, out);
}

/* --- what is to be said in words ------------------------------------------------------------ */

static void
put_safe(struct gr_buf *out, const char *before, const char *text, const char *behind)
{
    gr_buf_puts(out, before);
    gr_output_put_redacted(out, text);
    gr_buf_puts(out, behind);
}

static const char *
writer_of(const struct gr_overview_stream *stream)
{
    if (stream->run_id == 0)
        return "";
    return stream->file != NULL ? stream->file : "another file";
}

/* A line for each file that wrote them: two files may share a state, each with many streams. */
static void
put_absent(const struct gr_overview *overview, size_t first, struct gr_buf *out)
{
    const char *writer = writer_of(&overview->streams[first]);
    size_t count = 0;

    for (size_t i = overview->in_file; i < first; i++)
        if (strcmp(writer_of(&overview->streams[i]), writer) == 0)
            return;
    for (size_t i = first; i < overview->count; i++)
        if (strcmp(writer_of(&overview->streams[i]), writer) == 0)
            gr_buf_printf(out, "%s%s", count++ > 0 ? ", " : "", overview->streams[i].object);
    gr_buf_puts(out, count == 1
                         ? ": is in the state, and no stream of this file (or disabled in it)"
                         : ": are in the state, and no streams of this file (or disabled in "
                           "it)");
    if (*writer != '\0')
        gr_buf_printf(out, "; last written by %s", writer);
    gr_buf_putc(out, '\n');
}

static void
put_failure(const struct gr_overview_stream *stream, struct gr_buf *out)
{
    gr_buf_printf(out, "%s: failed in run %" PRId64, stream->stream, stream->run_id);
    if (stream->error != NULL)
        put_safe(out, ": ", stream->error, "");
    gr_buf_putc(out, '\n');
    if (stream->hint != NULL)
        put_safe(out, "  HINT: ", stream->hint, "\n");
}

void
gr_status_view_put_trouble(const struct gr_overview_stream *stream, struct gr_buf *out)
{
    enum gr_verdict verdict = gr_overview_verdict(stream);

    if (verdict == GR_VERDICT_FAILED)
        put_failure(stream, out);
    if (verdict == GR_VERDICT_LOST)
        gr_buf_printf(out,
                      "%s: run %" PRId64
                      " ended without saying so (killed?); what it had committed "
                      "stays, and the next run goes on\n",
                      stream->stream, stream->run_id);
    if (verdict == GR_VERDICT_STOPPED)
        gr_buf_printf(out,
                      "%s: run %" PRId64 " stopped before it was complete; the next one goes on\n",
                      stream->stream, stream->run_id);
    if (verdict == GR_VERDICT_UNFINISHED)
        gr_buf_printf(
            out,
            "%s: has not been read to its end yet, or not since its bookmark was changed; "
            "the next run goes on\n",
            stream->stream);
    if (stream->audit_missing + stream->audit_gone > 0)
        gr_buf_printf(out,
                      "%s: the audit of run %" PRId64 " found %" PRId64 " missing and %" PRId64
                      " gone rows, and repaired them\n",
                      stream->stream, stream->audit_run_id, stream->audit_missing,
                      stream->audit_gone);
}

static void
put_notes(const struct gr_plan *plan, const struct gr_overview_stream *stream, struct gr_buf *out)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf walk = gr_buf_new(0);
    char number[GR_TEXT_NUMBER];

    gr_status_view_put_trouble(stream, out);
    gr_memory_view_put(stream->walk, &walk);
    if (walk.len > 0)
        gr_buf_printf(out, "%s: unfinished: %s\n", stream->stream, gr_buf_text(&walk));
    if (stream->rejected_values > 0)
        gr_buf_printf(out, "%s: %s values rejected, kept in \"%s\".rejected\n", stream->stream,
                      gr_text_number(stream->rejected_values, number), plan->state_schema);
    if (stream->fields != NULL)
        put_safe(out, "", stream->stream, ": new fields, kept in _extra: ");
    if (stream->fields != NULL)
        put_safe(out, "", stream->fields, "\n");
}

static void
put_budget(const struct gr_plan *plan, const struct gr_overview *overview, struct gr_buf *out)
{
    char per[GR_TIME_TEXT];

    if (!overview->has_budget)
        return;
    gr_duration_format(overview->budget_per_ms, per);
    gr_buf_printf(out, "budget of %s: %.0f of %" PRId64 " requests per %s in use",
                  plan->source.base_url, overview->budget_used, overview->budget_requests, per);
    if (plan->source.rate.share < 1.0)
        gr_buf_printf(out, "; our share is %.0f %%", plan->source.rate.share * 100);
    gr_buf_putc(out, '\n');
}

static void
put_run(const struct gr_overview *overview, struct gr_buf *out)
{
    const struct gr_overview_run *run = &overview->run;
    char requests[GR_TEXT_NUMBER], throttled[GR_TEXT_NUMBER];

    if (run->run_id == 0)
        return;
    gr_buf_printf(out, "run %" PRId64 " %s ", run->run_id, run->status);
    gr_moment_put_age(run->ended_us != GR_TIME_NONE ? run->ended_us : run->started_us,
                      overview->now_us, "", out);
    gr_buf_printf(out, " ago (host %s, pid %" PRId64 ", %s request%s, %s throttled)\n",
                  run->host != NULL ? run->host : "?", run->pid,
                  gr_text_number(run->requests, requests), run->requests == 1 ? "" : "s",
                  gr_text_number(run->throttled, throttled));
    if (run->error != NULL)
        put_safe(out, "  ", run->error, "\n");
    if (run->error != NULL && run->hint != NULL)
        put_safe(out, "  HINT: ", run->hint, "\n");
}

int64_t
gr_status_view_wrong(const struct gr_overview *overview)
{
    int64_t wrong = 0;

    for (size_t i = 0; i < overview->in_file; i++)
        wrong += gr_verdict_facts(gr_overview_verdict(&overview->streams[i]))->is_wrong;
    return wrong;
}

static void
put_last_line(const struct gr_plan *plan, const struct gr_overview *overview, struct gr_buf *out)
{
    int64_t wrong = gr_status_view_wrong(overview);

    if (!overview->has_state)
        gr_buf_puts(out, "gorgias-replicate: no run has ever begun");
    else if (wrong == 0)
        gr_buf_printf(out, "gorgias-replicate: all %zu streams are well", overview->in_file);
    else
        gr_buf_printf(out, "gorgias-replicate: %" PRId64 " of %zu streams need a look", wrong,
                      overview->in_file);
    gr_buf_printf(out, " | %s -> %s (%s)\n", plan->source.name, plan->target.name,
                  plan->target.shown);
}

void
gr_status_view_put(const struct gr_plan *plan, const struct gr_overview *overview, size_t width,
                   struct gr_buf *out)
{
    put_grid(plan, overview, width, out);
    for (size_t i = 0; i < overview->in_file; i++)
        put_notes(plan, &overview->streams[i], out);
    for (size_t i = overview->in_file; i < overview->count; i++)
        put_absent(overview, i, out);
    put_budget(plan, overview, out);
    put_run(overview, out);
    put_last_line(plan, overview, out);
}

/* --- JSON ----------------------------------------------------------------------------------- */

static void
put_message(struct json_object *item, const char *key, const char *text)
{
    if (text == NULL)
        gr_doc_put_text(item, key, NULL);
    else
        gr_doc_put_message(item, key, text);
}

static void
put_count(struct json_object *item, const char *key, int64_t number)
{
    if (number < 0)
        gr_doc_put_text(item, key, NULL);
    else
        gr_doc_put_int(item, key, number);
}

static struct json_object *
audit_doc(const struct gr_overview_stream *stream)
{
    struct json_object *item = gr_doc_object();

    gr_doc_put_int(item, "run_id", stream->audit_run_id);
    gr_doc_put_time(item, "at", stream->audited_us);
    gr_doc_put_bool(item, "unfinished", stream->audit != NULL);
    gr_doc_put_int(item, "checked", stream->audit_checked);
    gr_doc_put_int(item, "missing", stream->audit_missing);
    gr_doc_put_int(item, "gone", stream->audit_gone);
    gr_doc_put_int(item, "changed", stream->audit_changed);
    return item;
}

static struct json_object *
last_run_doc(const struct gr_overview_stream *stream)
{
    struct json_object *item = gr_doc_object();

    gr_doc_put_int(item, "run_id", stream->run_id);
    gr_doc_put_text(item, "status", stream->status);
    gr_doc_put_text(item, "mode", stream->mode);
    gr_doc_put_time(item, "started_at", stream->started_us);
    gr_doc_put_time(item, "ended_at", stream->ended_us);
    gr_doc_put_int(item, "rows_read", stream->rows_read);
    gr_doc_put_int(item, "inserted", stream->inserted);
    gr_doc_put_int(item, "updated", stream->updated);
    gr_doc_put_int(item, "unchanged", stream->unchanged);
    gr_doc_put_int(item, "deleted", stream->deleted);
    gr_doc_put_int(item, "rejected", stream->rejected);
    gr_doc_put_int(item, "requests", stream->requests);
    put_message(item, "error", stream->error);
    put_message(item, "hint", stream->hint);
    return item;
}

static void
put_unfinished(struct json_object *item, const struct gr_overview_stream *stream)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf walk = gr_buf_new(0);

    gr_memory_view_put(stream->walk, &walk);
    gr_doc_put_text(item, "unfinished", walk.len > 0 ? gr_buf_text(&walk) : NULL);
}

static struct json_object *
stream_doc(const struct gr_plan *plan, const struct gr_overview *overview,
           const struct gr_overview_stream *stream)
{
    enum gr_verdict verdict = gr_overview_verdict(stream);
    int64_t as_of_us = gr_overview_as_of(stream);
    struct json_object *item = gr_doc_object();

    gr_doc_put_text(item, "stream", stream->stream);
    gr_doc_put_text(item, "object", stream->object);
    gr_doc_put_text(item, "state", gr_verdict_facts(verdict)->name);
    gr_doc_put_bool(item, "ok", !gr_verdict_facts(verdict)->is_wrong);
    gr_doc_put_bool(item, "in_file", stream->plan != NULL);
    gr_doc_put(item, "last_run", stream->run_id > 0 ? last_run_doc(stream) : NULL);
    gr_doc_put_time(item, "bookmark", stream->bookmark_us);
    gr_doc_put_time(item, "completed_at", stream->completed_us);
    gr_doc_put_time(item, "as_of", as_of_us);
    put_count(item, "lag_ms",
              as_of_us == GR_TIME_NONE      ? -1
              : as_of_us > overview->now_us ? 0
                                            : (overview->now_us - as_of_us) / 1000);
    gr_doc_put_int(item, "queue", stream->queue);
    gr_doc_put_time(item, "queue_since", stream->queue_since_us);
    put_count(item, "queue_drain_ms", gr_status_view_drain_ms(plan, overview, stream));
    gr_doc_put_int(item, "rejected_values", stream->rejected_values);
    gr_doc_put_json(item, "new_fields", stream->field_list != NULL ? stream->field_list : "[]");
    put_unfinished(item, stream);
    gr_doc_put(item, "audit", stream->audit_run_id > 0 ? audit_doc(stream) : NULL);
    return item;
}

static struct json_object *
run_doc(const struct gr_overview_run *run)
{
    struct json_object *item = gr_doc_object();

    gr_doc_put_int(item, "run_id", run->run_id);
    gr_doc_put_text(item, "status", run->status);
    put_count(item, "exit_code", run->exit_code);
    gr_doc_put_text(item, "file", run->file);
    gr_doc_put_text(item, "host", run->host);
    gr_doc_put_int(item, "pid", run->pid);
    gr_doc_put_text(item, "version", run->version);
    gr_doc_put_time(item, "started_at", run->started_us);
    gr_doc_put_time(item, "ended_at", run->ended_us);
    gr_doc_put_int(item, "requests", run->requests);
    gr_doc_put_int(item, "throttled", run->throttled);
    put_message(item, "error", run->error);
    put_message(item, "hint", run->hint);
    return item;
}

static struct json_object *
budget_doc(const struct gr_overview *overview)
{
    struct json_object *item = gr_doc_object();

    gr_doc_put_int(item, "used", (int64_t)(overview->budget_used + 0.5));
    gr_doc_put_int(item, "requests", overview->budget_requests);
    gr_doc_put_int(item, "per_ms", overview->budget_per_ms);
    return item;
}

void
gr_status_view_put_json(const struct gr_plan *plan, const struct gr_overview *overview,
                        struct gr_buf *out)
{
    GR_CLEANUP(gr_doc_free_var) struct json_object *doc = gr_doc_object();
    struct json_object *streams = gr_doc_array();

    gr_doc_put_text(doc, "file", plan->file);
    gr_doc_put_text(doc, "source", plan->source.name);
    gr_doc_put_text(doc, "target", plan->target.name);
    gr_doc_put_text(doc, "state_schema", plan->state_schema);
    gr_doc_put_time(doc, "at", overview->now_us);
    gr_doc_put_bool(doc, "has_run", overview->has_state);
    gr_doc_put_int(doc, "wrong", gr_status_view_wrong(overview));
    gr_doc_put(doc, "run", overview->run.run_id > 0 ? run_doc(&overview->run) : NULL);
    gr_doc_put(doc, "budget", overview->has_budget ? budget_doc(overview) : NULL);
    for (size_t i = 0; i < overview->count; i++)
        gr_doc_add(streams, stream_doc(plan, overview, &overview->streams[i]));
    gr_doc_put(doc, "streams", streams);
    gr_doc_print_json(doc, out);
}
