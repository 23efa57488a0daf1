/* summary.c - what a run came to, as a table or JSON. */
#include "gr/cli/summary.h"

#include <inttypes.h>
#include <stdio.h>

#include "gr/base/time.h"
#include "gr/cli/doc.h"
#include "gr/cli/grid.h"
#include "gr/cli/text.h"

int64_t
gr_summary_count(const struct gr_run_report *report, enum gr_status status)
{
    int64_t count = 0;

    for (size_t i = 0; i < report->count; i++)
        count += report->streams[i].status == status ? 1 : 0;
    return count;
}

const char *
gr_summary_status(const struct gr_run_report *report)
{
    if (report->exit_code == 0)
        return "succeeded";
    if (report->exit_code == gr_fault_facts(GR_FAULT_CANCELLED)->exit_code)
        return "stopped";
    /* 1: streams have failed, but nothing that ends a run has happened. */
    if (report->exit_code == 1 &&
        gr_summary_count(report, GR_STATUS_FAILED) < (int64_t)report->count)
        return "partial";
    return "failed";
}

int64_t
gr_summary_duration_ms(const struct gr_run_report *report, const struct gr_stream_report *stream)
{
    int64_t end_ms = stream->ended_ms > 0 ? stream->ended_ms : report->now_ms;

    return stream->started_ms > 0 && end_ms > stream->started_ms ? end_ms - stream->started_ms : 0;
}

static void
put_numbers(struct gr_grid *grid, const struct gr_stream_report *stream)
{
    gr_grid_put_number(grid, stream->rows_read);
    gr_grid_put_number(grid, stream->inserted);
    gr_grid_put_number(grid, stream->updated);
    gr_grid_put_number(grid, stream->unchanged);
    gr_grid_put_number(grid, stream->deleted);
    gr_grid_put_number(grid, stream->rejected);
    gr_grid_put_number(grid, stream->requests);
}

static void
put_status(struct gr_grid *grid, const struct gr_stream_report *stream)
{
    char text[64];

    if (stream->status == GR_STATUS_FAILED) {
        (void)snprintf(text, sizeof(text), "failed: %s", gr_fault_facts(stream->error.fault)->name);
        gr_grid_put(grid, text);
    } else if (stream->status == GR_STATUS_WAITING) {
        gr_grid_put(grid, "not started");
    } else {
        gr_grid_put(grid, gr_status_name(stream->status));
    }
}

static void
put_stream(struct gr_grid *grid, const struct gr_run_report *report,
           const struct gr_stream_report *stream)
{
    char duration[GR_TIME_TEXT];

    gr_duration_format(gr_summary_duration_ms(report, stream), duration);
    gr_grid_put(grid, stream->name);
    gr_grid_put(grid, stream->mode);
    put_numbers(grid, stream);
    gr_grid_put(grid, stream->started_ms > 0 ? duration : "-");
    put_status(grid, stream);
}

/* The requests of the run, too: those of no stream are among them. */
static void
put_totals(struct gr_grid *grid, const struct gr_run_report *report)
{
    struct gr_stream_report total = {.requests = report->requests};
    char duration[GR_TIME_TEXT];

    for (size_t i = 0; i < report->count; i++) {
        total.rows_read += report->streams[i].rows_read;
        total.inserted += report->streams[i].inserted;
        total.updated += report->streams[i].updated;
        total.unchanged += report->streams[i].unchanged;
        total.deleted += report->streams[i].deleted;
        total.rejected += report->streams[i].rejected;
    }
    gr_duration_format(report->now_ms - report->started_ms, duration);
    gr_grid_put(grid, "total");
    gr_grid_put(grid, "");
    put_numbers(grid, &total);
    gr_grid_put(grid, duration);
    gr_grid_put(grid, gr_summary_status(report));
}

/* The last line, in Sling's manner. */
static void
put_last_line(const struct gr_run_report *report, const struct gr_run_facts *facts,
              struct gr_buf *out)
{
    int64_t stopped = gr_summary_count(report, GR_STATUS_STOPPED);
    int64_t waiting =
        gr_summary_count(report, GR_STATUS_WAITING) + gr_summary_count(report, GR_STATUS_RUNNING);
    char duration[GR_TIME_TEXT], requests[GR_TEXT_NUMBER], throttled[GR_TEXT_NUMBER];

    gr_duration_format(report->now_ms - report->started_ms, duration);
    gr_buf_printf(out, "gorgias-replicate: %" PRId64 " succeeded, %" PRId64 " failed",
                  gr_summary_count(report, GR_STATUS_SUCCEEDED),
                  gr_summary_count(report, GR_STATUS_FAILED));
    if (stopped > 0)
        gr_buf_printf(out, ", %" PRId64 " stopped", stopped);
    if (waiting > 0)
        gr_buf_printf(out, ", %" PRId64 " not finished", waiting);
    gr_buf_printf(out, " | %s -> %s | %s | %s request%s (%s throttled)\n", facts->source,
                  facts->target, duration, gr_text_number(report->requests, requests),
                  report->requests == 1 ? "" : "s", gr_text_number(report->throttled, throttled));
}

void
gr_summary_put(const struct gr_run_report *report, const struct gr_run_facts *facts,
               struct gr_buf *out)
{
    static const struct gr_grid_column columns[] = {
        {.title = "STREAM"},
        {.title = "MODE"},
        {.title = "READ", .is_right = true},
        {.title = "INSERTED", .is_right = true},
        {.title = "UPDATED", .is_right = true},
        {.title = "UNCHANGED", .is_right = true},
        {.title = "DELETED", .is_right = true},
        {.title = "REJECTED", .is_right = true},
        {.title = "REQUESTS", .is_right = true},
        {.title = "TIME", .is_right = true},
        {.title = "STATUS"},
    };
    GR_CLEANUP(gr_grid_free_var)
    struct gr_grid *grid = gr_grid_new(columns, sizeof(columns) / sizeof(columns[0]));

    for (size_t i = 0; i < report->count; i++)
        put_stream(grid, report, &report->streams[i]);
    put_totals(grid, report);
    gr_grid_print(grid, 0, out);
    put_last_line(report, facts, out);
}

void
gr_summary_put_error(struct json_object *item, const struct gr_error *error)
{
    bool has_failed = error->fault != GR_OK;

    gr_doc_put_text(item, "fault", has_failed ? gr_fault_facts(error->fault)->name : NULL);
    if (has_failed)
        gr_doc_put_message(item, "error", error->message);
    else
        gr_doc_put_text(item, "error", NULL);
    if (has_failed && error->hint[0] != '\0')
        gr_doc_put_message(item, "hint", error->hint);
    else
        gr_doc_put_text(item, "hint", NULL);
}

static struct json_object *
stream_doc(const struct gr_run_report *report, const struct gr_stream_report *stream)
{
    struct json_object *item = gr_doc_object();

    gr_doc_put_text(item, "stream", stream->name);
    gr_doc_put_text(item, "object", stream->object);
    gr_doc_put_text(item, "mode", stream->mode);
    gr_doc_put_text(item, "status", gr_status_name(stream->status));
    gr_doc_put_int(item, "rows_read", stream->rows_read);
    gr_doc_put_int(item, "inserted", stream->inserted);
    gr_doc_put_int(item, "updated", stream->updated);
    gr_doc_put_int(item, "unchanged", stream->unchanged);
    gr_doc_put_int(item, "deleted", stream->deleted);
    gr_doc_put_int(item, "rejected", stream->rejected);
    gr_doc_put_int(item, "requests", stream->requests);
    gr_doc_put_int(item, "retries", stream->retries);
    gr_doc_put_int(item, "pages", stream->pages);
    gr_doc_put_int(item, "bytes", stream->bytes);
    if (stream->queue >= 0)
        gr_doc_put_int(item, "queue", stream->queue);
    else
        gr_doc_put_text(item, "queue", NULL);
    gr_doc_put_time(item, "bookmark", stream->bookmark_us);
    gr_doc_put_int(item, "duration_ms", gr_summary_duration_ms(report, stream));
    gr_doc_put_text(item, "note",
                    stream->note != NULL && stream->note[0] != '\0' ? stream->note : NULL);
    gr_summary_put_error(item, &stream->error);
    return item;
}

void
gr_summary_put_json(const struct gr_run_report *report, const struct gr_run_facts *facts,
                    struct gr_buf *out)
{
    GR_CLEANUP(gr_doc_free_var) struct json_object *doc = gr_doc_object();
    struct json_object *streams = gr_doc_array();

    gr_doc_put_int(doc, "run_id", report->run_id);
    gr_doc_put_text(doc, "status", gr_summary_status(report));
    gr_doc_put_int(doc, "exit_code", report->exit_code);
    gr_doc_put_text(doc, "file", facts->file);
    gr_doc_put_text(doc, "source", facts->source);
    gr_doc_put_text(doc, "target", facts->target);
    gr_doc_put_time(doc, "started_at", facts->started_us);
    gr_doc_put_int(doc, "duration_ms", report->now_ms - report->started_ms);
    gr_doc_put_int(doc, "requests", report->requests);
    gr_doc_put_int(doc, "throttled", report->throttled);
    gr_summary_put_error(doc, &report->error);
    for (size_t i = 0; i < report->count; i++)
        gr_doc_add(streams, stream_doc(report, &report->streams[i]));
    gr_doc_put(doc, "streams", streams);
    gr_doc_print_json(doc, out);
}
