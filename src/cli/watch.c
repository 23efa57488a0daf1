/* watch.c - draws the live display, or logs how the streams are doing. */
#include "gr/cli/watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "gr/base/alloc.h"
#include "gr/base/buf.h"
#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/cli/output.h"
#include "gr/cli/progress.h"
#include "gr/cli/summary.h"

enum { DRAW_EVERY_MS = 200, SAMPLE_EVERY_MS = 4000, LINE_EVERY_MS = 30000, FIELD_MAX = 32 };

struct gr_watch {
    bool is_live;
    bool has_said_stop;
    const volatile sig_atomic_t *stop; /* borrowed                                           */
    bool *has_ended;                   /* owned; of each stream: its line is logged          */
    size_t count;
    int64_t drawn_ms;            /* 0: not yet                                         */
    int64_t line_ms;             /* when lines for running streams were logged         */
    struct gr_buf text;          /* owned; what stands on the terminal, or would       */
    size_t lines;                /* on the terminal now                                */
    struct gr_sample samples[2]; /* owned; the newer, the older: rates go by the older */
};

struct gr_watch *
gr_watch_new(bool is_live, const volatile sig_atomic_t *stop)
{
    struct gr_watch *watch = gr_alloc(1, sizeof(*watch));

    *watch = (struct gr_watch){.is_live = is_live, .stop = stop, .text = gr_buf_new(0)};
    return watch;
}

/* Moves to the display's first line and deletes from there on. */
static void
clear(struct gr_watch *watch)
{
    if (watch->lines > 0)
        (void)fprintf(stderr, "\r\033[%zuA\033[J", watch->lines);
    (void)fflush(stderr);
    watch->lines = 0;
}

static void
show(struct gr_watch *watch)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf bytes = gr_buf_new(0);

    /* One write for clearing and drawing: nothing flickers. */
    if (watch->lines > 0)
        gr_buf_printf(&bytes, "\r\033[%zuA\033[J", watch->lines);
    gr_buf_puts(&bytes, gr_buf_text(&watch->text));
    watch->lines = 0;
    for (size_t i = 0; i < watch->text.len; i++)
        watch->lines += watch->text.data[i] == '\n' ? 1 : 0;
    (void)fwrite(gr_buf_text(&bytes), 1, bytes.len, stderr);
    (void)fflush(stderr);
}

void
gr_watch_around(void *context, bool is_before)
{
    struct gr_watch *watch = context;

    if (!watch->is_live)
        return;
    if (is_before)
        clear(watch);
    else
        show(watch);
}

void
gr_watch_free(struct gr_watch *watch)
{
    if (watch == NULL)
        return;
    if (watch->is_live)
        clear(watch);
    gr_sample_free(&watch->samples[0]);
    gr_sample_free(&watch->samples[1]);
    gr_buf_free(&watch->text);
    gr_free(watch->has_ended);
    gr_free(watch);
}

static const char *
field(int64_t number, char text[FIELD_MAX])
{
    (void)snprintf(text, FIELD_MAX, "%" PRId64, number);
    return text;
}

/* The same, but nothing for a number that is mostly 0 and not missed then. */
static const char *
field_if(int64_t number, char text[FIELD_MAX])
{
    return number > 0 ? field(number, text) : NULL;
}

static void
log_stream(const struct gr_run_report *report, const struct gr_stream_report *stream)
{
    char n[8][FIELD_MAX], duration[GR_TIME_TEXT];
    bool is_running = stream->status == GR_STATUS_RUNNING;
    const char *event = gr_status_name(stream->status);

    gr_duration_format(gr_summary_duration_ms(report, stream), duration);
    gr_log(GR_LOG_INFO, stream->name, stream->status == GR_STATUS_SUCCEEDED ? "done" : event,
           "rows", field(stream->rows_read, n[0]), "inserted", field(stream->inserted, n[1]),
           "updated", field(stream->updated, n[2]), "unchanged", field(stream->unchanged, n[3]),
           "deleted", field(stream->deleted, n[4]), "rejected", field_if(stream->rejected, n[5]),
           "requests", field(stream->requests, n[6]), "queue", field_if(stream->queue, n[7]), "in",
           duration, "activity", is_running ? stream->activity : NULL, NULL);
}

static bool
is_over(const struct gr_stream_report *stream)
{
    return stream->status == GR_STATUS_SUCCEEDED || stream->status == GR_STATUS_FAILED ||
           stream->status == GR_STATUS_STOPPED;
}

static void
log_ended(struct gr_watch *watch, const struct gr_run_report *report)
{
    if (watch->count != report->count) {
        gr_free(watch->has_ended);
        watch->has_ended = gr_alloc(report->count + 1, sizeof(watch->has_ended[0]));
        watch->count = report->count;
    }
    for (size_t i = 0; i < report->count; i++) {
        if (watch->has_ended[i] || !is_over(&report->streams[i]))
            continue;
        watch->has_ended[i] = true;
        if (report->streams[i].started_ms > 0)
            log_stream(report, &report->streams[i]);
    }
}

static void
log_running(struct gr_watch *watch, const struct gr_run_report *report)
{
    if (watch->line_ms == 0)
        watch->line_ms = report->started_ms;
    if (report->now_ms - watch->line_ms < LINE_EVERY_MS)
        return;
    watch->line_ms = report->now_ms;
    for (size_t i = 0; i < report->count; i++)
        if (report->streams[i].status == GR_STATUS_RUNNING)
            log_stream(report, &report->streams[i]);
}

/* The older of the samples is 4 to 8 seconds old. */
static void
sample(struct gr_watch *watch, const struct gr_run_report *report)
{
    struct gr_sample older = watch->samples[1];

    if (watch->samples[0].at_ms != 0 && report->now_ms - watch->samples[0].at_ms < SAMPLE_EVERY_MS)
        return;
    watch->samples[1] = watch->samples[0];
    watch->samples[0] = older;
    gr_sample_take(&watch->samples[0], report);
}

static void
draw(struct gr_watch *watch, const struct gr_run_report *report)
{
    size_t width = gr_output_width(STDERR_FILENO);
    size_t height = gr_output_height(STDERR_FILENO);

    if (watch->drawn_ms != 0 && report->now_ms - watch->drawn_ms < DRAW_EVERY_MS)
        return;
    watch->drawn_ms = report->now_ms;
    sample(watch, report);
    gr_buf_reset(&watch->text);
    /* The last column stays free, and the last line: a terminal wraps or scrolls there. */
    gr_progress_put(report, &watch->samples[1], width > 1 ? width - 1 : 1,
                    height > 1 ? height - 1 : 0, &watch->text);
    show(watch);
}

void
gr_watch_see(void *context, const struct gr_run_report *report)
{
    struct gr_watch *watch = context;

    if (!watch->has_said_stop && watch->stop != NULL && *watch->stop != 0) {
        watch->has_said_stop = true;
        gr_log(GR_LOG_WARN, NULL, "stopping in good order; a second signal stops at once", NULL);
    }
    log_ended(watch, report);
    if (watch->is_live)
        draw(watch, report);
    else
        log_running(watch, report);
}
