/* audit_view.c - what an audit came to, as a table with its gaps, or as JSON. */
#include "gr/cli/audit_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gr/base/time.h"
#include "gr/cli/doc.h"
#include "gr/cli/grid.h"
#include "gr/cli/text.h"

enum { GAPS_SHOWN = 20 }; /* of each stream and kind; JSON has all */

static bool
has_gaps(const struct gr_stream_report *stream)
{
    return stream->audit.totals.missing > 0 || stream->audit.totals.gone > 0;
}

const char *
gr_audit_view_result(const struct gr_stream_report *stream)
{
    if (stream->status == GR_STATUS_FAILED)
        return "failed";
    if (has_gaps(stream))
        return "gaps";
    if (stream->audit.is_over)
        return "proven";
    if (stream->audit.method == GR_AUDIT_NO_CLAIM || stream->audit.method == GR_AUDIT_NEITHER)
        return gr_audit_method_name(stream->audit.method);
    return "unfinished";
}

/* The result, and what the operator should know of it. */
static void
put_result(const struct gr_stream_report *stream, struct gr_buf *out)
{
    const char *result = gr_audit_view_result(stream);
    char number[GR_TEXT_NUMBER];

    gr_buf_puts(out, result);
    if (stream->status == GR_STATUS_FAILED)
        gr_buf_printf(out, ": %s", gr_fault_facts(stream->error.fault)->name);
    else if (stream->audit.method == GR_AUDIT_NO_CLAIM)
        gr_buf_puts(out, ": no run of it has been complete yet");
    else if (stream->audit.method == GR_AUDIT_NEITHER)
        gr_buf_printf(out, ": its list takes about %s requests",
                      gr_text_number(stream->audit.list_requests, number));
    else if (stream->audit.is_over && stream->audit.method == GR_AUDIT_IDS && !has_gaps(stream))
        gr_buf_puts(out, ", as far as ids show");
    else if (!stream->audit.is_over)
        gr_buf_printf(out, "%s",
                      has_gaps(stream) ? ", unfinished: the next audit goes on"
                                       : ": the next audit goes on");
}

static void
put_numbers(struct gr_grid *grid, const struct gr_audit_totals *totals, int64_t requests)
{
    gr_grid_put_number(grid, totals->windows);
    gr_grid_put_number(grid, totals->checked);
    gr_grid_put_number(grid, totals->missing);
    gr_grid_put_number(grid, totals->gone);
    gr_grid_put_number(grid, totals->not_due);
    gr_grid_put_number(grid, totals->changed);
    gr_grid_put_number(grid, requests);
}

static void
put_grid(const struct gr_run_report *report, struct gr_buf *out)
{
    static const struct gr_grid_column columns[] = {
        {.title = "STREAM"},
        {.title = "METHOD"},
        {.title = "WINDOWS", .is_right = true},
        {.title = "CHECKED", .is_right = true},
        {.title = "MISSING", .is_right = true},
        {.title = "GONE", .is_right = true},
        {.title = "NOT DUE", .is_right = true},
        {.title = "CHANGED", .is_right = true},
        {.title = "REQUESTS", .is_right = true},
        {.title = "RESULT"},
    };
    GR_CLEANUP(gr_grid_free_var)
    struct gr_grid *grid = gr_grid_new(columns, sizeof(columns) / sizeof(columns[0]));
    struct gr_audit_totals total = {0};

    for (size_t i = 0; i < report->count; i++) {
        const struct gr_stream_report *stream = &report->streams[i];
        const struct gr_audit_totals *totals = &stream->audit.totals;
        bool has_method =
            stream->audit.method == GR_AUDIT_LIST || stream->audit.method == GR_AUDIT_IDS;

        gr_grid_put(grid, stream->name);
        gr_grid_put(grid, has_method ? gr_audit_method_name(stream->audit.method) : "-");
        put_numbers(grid, totals, stream->requests);
        put_result(stream, gr_grid_cell(grid));
        total.windows += totals->windows;
        total.checked += totals->checked;
        total.missing += totals->missing;
        total.gone += totals->gone;
        total.not_due += totals->not_due;
        total.changed += totals->changed;
    }
    gr_grid_put(grid, "total");
    gr_grid_put(grid, "");
    put_numbers(grid, &total, report->requests);
    gr_grid_put(grid, "");
    gr_grid_print(grid, 0, out);
}

static void
put_gaps(const char *stream, const char *what, char *const *keys, int64_t count, struct gr_buf *out)
{
    char number[GR_TEXT_NUMBER];

    for (int64_t i = 0; i < count && i < GAPS_SHOWN; i++)
        gr_buf_printf(out, "%s %s %s\n", stream, keys[i], what);
    if (count > GAPS_SHOWN)
        gr_buf_printf(out, "%s: and %s more like that; --output json has them all\n", stream,
                      gr_text_number(count - GAPS_SHOWN, number));
}

static int64_t
count_results(const struct gr_run_report *report, const char *result)
{
    int64_t count = 0;

    for (size_t i = 0; i < report->count; i++)
        count += strcmp(gr_audit_view_result(&report->streams[i]), result) == 0;
    return count;
}

static void
put_last_line(const struct gr_run_report *report, const struct gr_run_facts *facts,
              struct gr_buf *out)
{
    static const struct {
        const char *result, *said;
    } results[] = {
        {"proven", "proven"},       {"gaps", "with gaps"},           {"unfinished", "unfinished"},
        {"unchecked", "unchecked"}, {"no claim", "without a claim"}, {"failed", "failed"},
    };
    char duration[GR_TIME_TEXT], requests[GR_TEXT_NUMBER];
    const char *comma = "";

    gr_buf_puts(out, "gorgias-replicate: ");
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        int64_t count = count_results(report, results[i].result);

        if (count == 0)
            continue;
        gr_buf_printf(out, "%s%" PRId64 " %s", comma, count, results[i].said);
        comma = ", ";
    }
    gr_duration_format(report->now_ms - report->started_ms, duration);
    gr_buf_printf(out, " | %s -> %s | %s | %s request%s\n", facts->source, facts->target, duration,
                  gr_text_number(report->requests, requests), report->requests == 1 ? "" : "s");
}

void
gr_audit_view_put(const struct gr_plan *plan, const struct gr_run_report *report,
                  const struct gr_run_facts *facts, struct gr_buf *out)
{
    put_grid(report, out);
    for (size_t i = 0; i < report->count; i++) {
        const struct gr_stream_report *stream = &report->streams[i];
        const struct gr_audit_totals *totals = &stream->audit.totals;

        put_gaps(stream->name, "was missing: loaded", totals->missing_keys, totals->missing, out);
        put_gaps(stream->name,
                 plan->streams[i].missing == GR_MISSING_HARD ? "is gone at the source: deleted"
                                                             : "is gone at the source: marked",
                 totals->gone_keys, totals->gone, out);
    }
    put_last_line(report, facts, out);
}

static struct json_object *
keys_doc(char *const *keys, int64_t count)
{
    struct json_object *items = gr_doc_array();

    for (int64_t i = 0; i < count; i++)
        gr_doc_add_text(items, keys[i]);
    return items;
}

static struct json_object *
stream_doc(const struct gr_run_report *report, const struct gr_stream_report *stream)
{
    const struct gr_audit_totals *totals = &stream->audit.totals;
    struct json_object *item = gr_doc_object();
    GR_CLEANUP(gr_buf_free) struct gr_buf result = gr_buf_new(0);

    put_result(stream, &result);
    gr_doc_put_text(item, "stream", stream->name);
    gr_doc_put_text(item, "object", stream->object);
    gr_doc_put_text(item, "method", gr_audit_method_name(stream->audit.method));
    gr_doc_put_text(item, "result", gr_audit_view_result(stream));
    gr_doc_put_text(item, "explained", gr_buf_text(&result));
    gr_doc_put_bool(item, "complete", stream->audit.is_over);
    gr_doc_put_int(item, "windows", totals->windows);
    gr_doc_put_int(item, "checked", totals->checked);
    gr_doc_put_int(item, "missing", totals->missing);
    gr_doc_put_int(item, "gone", totals->gone);
    gr_doc_put_int(item, "not_due", totals->not_due);
    gr_doc_put_int(item, "changed", totals->changed);
    gr_doc_put_int(item, "repaired", totals->missing + totals->gone + totals->changed);
    gr_doc_put_int(item, "requests", stream->requests);
    gr_doc_put_int(item, "list_requests", stream->audit.list_requests);
    gr_doc_put_int(item, "duration_ms", gr_summary_duration_ms(report, stream));
    gr_doc_put_text(item, "note", stream->note[0] != '\0' ? stream->note : NULL);
    gr_summary_put_error(item, &stream->error);
    gr_doc_put(item, "missing_keys", keys_doc(totals->missing_keys, totals->missing));
    gr_doc_put(item, "gone_keys", keys_doc(totals->gone_keys, totals->gone));
    return item;
}

void
gr_audit_view_put_json(const struct gr_run_report *report, const struct gr_run_facts *facts,
                       struct gr_buf *out)
{
    GR_CLEANUP(gr_doc_free_var) struct json_object *doc = gr_doc_object();
    struct json_object *streams = gr_doc_array();

    gr_doc_put_int(doc, "run_id", report->run_id);
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
