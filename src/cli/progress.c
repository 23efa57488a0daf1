/* progress.c - what the display of a running replication says. */
#include "gr/cli/progress.h"

#include <inttypes.h>

#include "gr/base/alloc.h"
#include "gr/base/time.h"
#include "gr/cli/summary.h"
#include "gr/cli/text.h"

enum { NAME_MAX_WIDTH = 30, ROWS_WIDTH = 11, RATE_WIDTH = 7, REQUESTS_WIDTH = 7 };

void
gr_sample_take(struct gr_sample *sample, const struct gr_run_report *report)
{
    if (sample->count != report->count) {
        gr_free(sample->rows);
        sample->rows = gr_alloc(report->count + 1, sizeof(sample->rows[0]));
        sample->count = report->count;
    }
    sample->at_ms = report->now_ms;
    for (size_t i = 0; i < report->count; i++)
        sample->rows[i] = report->streams[i].rows_read;
}

void
gr_sample_free(struct gr_sample *sample)
{
    gr_free(sample->rows);
    *sample = (struct gr_sample){0};
}

/* Rows a second since the sample; without one, since the stream's start. */
static int64_t
rows_per_second(const struct gr_run_report *report, size_t index, const struct gr_sample *before)
{
    const struct gr_stream_report *stream = &report->streams[index];
    int64_t from_ms = stream->started_ms;
    int64_t rows = stream->rows_read;

    if (before->count == report->count && before->at_ms > from_ms) {
        from_ms = before->at_ms;
        rows -= before->rows[index];
    }
    if (report->now_ms <= from_ms || rows < 0)
        return 0;
    return rows * 1000 / (report->now_ms - from_ms);
}

static size_t
name_width(const struct gr_run_report *report)
{
    size_t width = 0;

    for (size_t i = 0; i < report->count; i++) {
        size_t name = gr_text_width(report->streams[i].name);

        width = name > width ? name : width;
    }
    return width < NAME_MAX_WIDTH ? width : NAME_MAX_WIDTH;
}

/* Appends `line`, cut to the width, and ends it. */
static void
put_line(struct gr_buf *out, const struct gr_buf *line, size_t width)
{
    gr_text_cut(out, gr_buf_text(line), width);
    gr_buf_putc(out, '\n');
}

static void
put_stream(const struct gr_run_report *report, size_t index, const struct gr_sample *before,
           size_t width, struct gr_buf *out)
{
    const struct gr_stream_report *stream = &report->streams[index];
    GR_CLEANUP(gr_buf_free) struct gr_buf line = gr_buf_new(0);
    char number[GR_TEXT_NUMBER];

    gr_text_pad(&line, stream->name, name_width(report), false);
    gr_text_pad(&line, gr_text_number(stream->rows_read, number), ROWS_WIDTH, true);
    gr_buf_puts(&line, " rows ");
    gr_text_pad(&line, gr_text_number(rows_per_second(report, index, before), number), RATE_WIDTH,
                true);
    gr_buf_puts(&line, "/s ");
    gr_text_pad(&line, gr_text_number(stream->requests, number), REQUESTS_WIDTH, true);
    gr_buf_puts(&line, " requests");
    if (stream->queue >= 0)
        gr_buf_printf(&line, "  queue %s", gr_text_number(stream->queue, number));
    if (stream->activity != NULL)
        gr_buf_printf(&line, "  %s", stream->activity);
    put_line(out, &line, width);
}

static void
put_run(const struct gr_run_report *report, size_t width, struct gr_buf *out)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf line = gr_buf_new(0);
    int64_t open =
        gr_summary_count(report, GR_STATUS_WAITING) + gr_summary_count(report, GR_STATUS_RUNNING);
    char number[GR_TEXT_NUMBER], duration[GR_TIME_TEXT];
    double used = report->budget_level * (double)report->budget_requests;

    gr_duration_format(report->now_ms - report->started_ms, duration);
    gr_buf_printf(&line, "%s | %" PRId64 "/%zu streams | %s requests", duration,
                  (int64_t)report->count - open, report->count,
                  gr_text_number(report->requests, number));
    if (report->throttled > 0)
        gr_buf_printf(&line, " (%s throttled)", gr_text_number(report->throttled, number));
    if (report->budget_requests > 0)
        gr_buf_printf(&line, " | API budget %" PRId64 "/%" PRId64, (int64_t)(used + 0.5),
                      report->budget_requests);
    put_line(out, &line, width);
}

void
gr_progress_put(const struct gr_run_report *report, const struct gr_sample *before, size_t width,
                size_t height, struct gr_buf *out)
{
    size_t running = (size_t)gr_summary_count(report, GR_STATUS_RUNNING);
    size_t shown = running;

    if (height > 0 && running + 1 > height)
        shown = height > 2 ? height - 2 : 0;
    for (size_t i = 0, n = 0; i < report->count && n < shown; i++) {
        if (report->streams[i].status != GR_STATUS_RUNNING)
            continue;
        put_stream(report, i, before, width, out);
        n++;
    }
    if (shown < running && height > 1) {
        GR_CLEANUP(gr_buf_free) struct gr_buf line = gr_buf_new(0);

        gr_buf_printf(&line, "and %zu more", running - shown);
        put_line(out, &line, width);
    }
    put_run(report, width, out);
}
