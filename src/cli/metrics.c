/* metrics.c - a run as a file for Prometheus' textfile collector. */
#include "gr/cli/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gr/base/time.h"

/* A value in thousandths; `is_there` false: the series has none. */
struct value {
    bool is_there;
    int64_t thousandths;
};

static struct value
whole(int64_t number)
{
    return (struct value){true, number * 1000};
}

static struct value
run_success(const struct gr_run_report *report, int64_t now_us)
{
    (void)now_us;
    return whole(report->exit_code == 0 ? 1 : 0);
}

static struct value
run_timestamp(const struct gr_run_report *report, int64_t now_us)
{
    (void)report;
    return (struct value){true, now_us / 1000};
}

static struct value
run_duration(const struct gr_run_report *report, int64_t now_us)
{
    (void)now_us;
    return (struct value){true, report->now_ms - report->started_ms};
}

static struct value
run_requests(const struct gr_run_report *report, int64_t now_us)
{
    (void)now_us;
    return whole(report->requests);
}

static struct value
run_throttled(const struct gr_run_report *report, int64_t now_us)
{
    (void)now_us;
    return whole(report->throttled);
}

static struct value
stream_as_of(const struct gr_run_report *report, const struct gr_stream_report *stream,
             int64_t now_us)
{
    (void)report;
    (void)now_us;
    if (stream->as_of_us == GR_TIME_NONE)
        return (struct value){0};
    return (struct value){true, stream->as_of_us / 1000};
}

static struct value
stream_lag(const struct gr_run_report *report, const struct gr_stream_report *stream,
           int64_t now_us)
{
    int64_t as_of_us = stream->as_of_us;

    (void)report;
    if (as_of_us == GR_TIME_NONE)
        return (struct value){0};
    return (struct value){true, as_of_us < now_us ? (now_us - as_of_us) / 1000 : 0};
}

static struct value
stream_success(const struct gr_run_report *report, const struct gr_stream_report *stream,
               int64_t now_us)
{
    (void)now_us;
    (void)report;
    return whole(stream->status == GR_STATUS_SUCCEEDED ? 1 : 0);
}

static struct value
stream_duration(const struct gr_run_report *report, const struct gr_stream_report *stream,
                int64_t now_us)
{
    (void)now_us;
    return (struct value){stream->started_ms > 0, gr_summary_duration_ms(report, stream)};
}

static struct value
stream_queue(const struct gr_run_report *report, const struct gr_stream_report *stream,
             int64_t now_us)
{
    (void)now_us;
    (void)report;
    return stream->queue >= 0 ? whole(stream->queue) : (struct value){0};
}

static struct value
stream_bookmark(const struct gr_run_report *report, const struct gr_stream_report *stream,
                int64_t now_us)
{
    (void)now_us;
    (void)report;
    if (stream->bookmark_us == GR_TIME_NONE)
        return (struct value){0};
    return (struct value){true, stream->bookmark_us / 1000};
}

/* Everything is of one run and starts again with the next: gauges, no counters. */
#define AT(member) offsetof(struct gr_stream_report, member)
/* clang-format off */
static const struct {
    const char *name;
    const char *help;
    struct value (*of)(const struct gr_run_report *report, int64_t now_us);
} run_metrics[] = {
    {"run_success", "1 if the last run did everything asked for", run_success},
    {"last_run_timestamp_seconds", "When the last run ended", run_timestamp},
    {"run_duration_seconds", "How long the last run took", run_duration},
    {"run_requests", "Requests to the API in the last run", run_requests},
    {"run_throttled_requests", "Requests of the last run that the API answered with 429", run_throttled},
};

static const struct {
    const char *name;
    const char *help;
    size_t at; /* of an int64_t; counts where `of` is NULL */
    struct value (*of)(const struct gr_run_report *report, const struct gr_stream_report *stream,
                       int64_t now_us);
} stream_metrics[] = {
    {"stream_success", "1 if the stream did everything asked for", 0, stream_success},
    {"stream_rows_read", "Rows read from the API", AT(rows_read), NULL},
    {"stream_rows_inserted", "Rows inserted", AT(inserted), NULL},
    {"stream_rows_updated", "Rows updated", AT(updated), NULL},
    {"stream_rows_unchanged", "Rows read that were up to date", AT(unchanged), NULL},
    {"stream_rows_deleted", "Rows deleted, or marked as deleted", AT(deleted), NULL},
    {"stream_values_rejected", "Values that PostgreSQL cannot hold", AT(rejected), NULL},
    {"stream_requests", "Requests to the API", AT(requests), NULL},
    {"stream_bytes", "Bytes of the API's answers", AT(bytes), NULL},
    {"stream_duration_seconds", "How long the stream took", 0, stream_duration},
    {"stream_queue_depth", "Entries that are still to be asked for", 0, stream_queue},
    {"stream_bookmark_timestamp_seconds", "Up to when the source has been read", 0, stream_bookmark},
    {"stream_as_of_timestamp_seconds", "Up to when the table is known to hold everything", 0, stream_as_of},
    {"stream_lag_seconds", "How far the table was behind the source when the run ended", 0, stream_lag},
};
/* clang-format on */

/* name="value" with what the format wants escaped. */
static void
put_label(struct gr_buf *out, const char *name, const char *text)
{
    gr_buf_printf(out, "%s=\"", name);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            gr_buf_putc(out, '\\');
        if (*text == '\n')
            gr_buf_puts(out, "\\n");
        else
            gr_buf_putc(out, *text);
    }
    gr_buf_putc(out, '"');
}

static void
put_head(struct gr_buf *out, const char *name, const char *help)
{
    gr_buf_printf(out, "# HELP gorgias_replicate_%s %s\n# TYPE gorgias_replicate_%s gauge\n", name,
                  help, name);
}

/* A line; `stream` NULL: of the run. */
static void
put_line(struct gr_buf *out, const char *name, const struct gr_run_facts *facts,
         const struct gr_stream_report *stream, struct value value)
{
    const char *slash = strrchr(facts->file, '/');

    gr_buf_printf(out, "gorgias_replicate_%s{", name);
    put_label(out, "replication", slash != NULL ? slash + 1 : facts->file);
    if (stream != NULL) {
        gr_buf_putc(out, ',');
        put_label(out, "stream", stream->name);
        gr_buf_putc(out, ',');
        put_label(out, "mode", stream->mode);
    }
    gr_buf_printf(out, "} %" PRId64, value.thousandths / 1000);
    if (value.thousandths % 1000 != 0)
        gr_buf_printf(out, ".%03" PRId64, value.thousandths % 1000);
    gr_buf_putc(out, '\n');
}

void
gr_metrics_put(const struct gr_run_report *report, const struct gr_run_facts *facts, int64_t now_us,
               struct gr_buf *out)
{
    for (size_t i = 0; i < sizeof(run_metrics) / sizeof(run_metrics[0]); i++) {
        put_head(out, run_metrics[i].name, run_metrics[i].help);
        put_line(out, run_metrics[i].name, facts, NULL, run_metrics[i].of(report, now_us));
    }
    for (size_t i = 0; i < sizeof(stream_metrics) / sizeof(stream_metrics[0]); i++) {
        bool has_head = false;

        for (size_t j = 0; j < report->count; j++) {
            const struct gr_stream_report *stream = &report->streams[j];
            const void *at = (const char *)stream + stream_metrics[i].at;
            struct value value = stream_metrics[i].of != NULL
                                     ? stream_metrics[i].of(report, stream, now_us)
                                     : whole(*(const int64_t *)at);

            if (!value.is_there)
                continue;
            if (!has_head)
                put_head(out, stream_metrics[i].name, stream_metrics[i].help);
            has_head = true;
            put_line(out, stream_metrics[i].name, facts, stream, value);
        }
    }
}
