/* run.c - the loop: all streams of a plan, side by side. */
#include "gr/engine/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gr/base/alloc.h"
#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/engine/engine.h"
#include "gr/sink/prune.h"
#include "gr/sink/state.h"

enum { PROGRESS_MS = 200, IDLE_MS = 1000, OPENINGS_MAX = 5, ENDINGS_MAX = 5 };

/* clang-format off */
static const char *const status_names[GR_STATUS_COUNT] = {
    [GR_STATUS_WAITING] = "waiting",
    [GR_STATUS_RUNNING] = "running",
    [GR_STATUS_SUCCEEDED] = "succeeded",
    [GR_STATUS_FAILED] = "failed",
    [GR_STATUS_STOPPED] = "stopped",
};
/* clang-format on */

const char *
gr_status_name(enum gr_status status)
{
    return status >= 0 && status < GR_STATUS_COUNT ? status_names[status] : "?";
}

struct gr_stream *
gr_engine_stream(struct gr_engine *engine, const char *name)
{
    for (size_t i = 0; i < engine->count; i++)
        if (strcmp(engine->streams[i].plan->schema->stream, name) == 0)
            return &engine->streams[i];
    return NULL;
}

void
gr_engine_fail(struct gr_engine *engine, const struct gr_error *err)
{
    if (engine->fatal.fault != GR_OK)
        return;
    engine->fatal = *err;
    gr_log_error(GR_LOG_ERROR, NULL, err);
}

static void
report_now(struct gr_engine *engine)
{
    struct gr_run_report *report = engine->report;

    report->now_ms = gr_clock_ms();
    report->budget_level = gr_ratelimit_level(&engine->budget, report->now_ms * 1000);
    report->budget_requests = engine->budget.rate.requests;
    report->budget_per_ms = engine->budget.rate.per_ms;
    for (size_t i = 0; i < engine->count; i++)
        if (engine->report->streams[i].status == GR_STATUS_RUNNING)
            engine->report->streams[i].activity =
                gr_stream_activity(&engine->streams[i], report->now_ms);
    if (engine->options->progress != NULL)
        engine->options->progress(engine->options->context, report);
}

/* The first request goes alone. So it is one of a list that may be long, because its next page
   waits for this one: lists are chains, and the longest is the run's. */
static size_t
longest_list(const struct gr_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->streams[i].schema->walk == GR_WALK_NEWEST_FIRST)
            return i;
    return 0;
}

/* A stream starts in the report before it starts to run. */
static void
init_streams(struct gr_engine *engine)
{
    const struct gr_plan *plan = engine->plan;

    engine->count = plan->count;
    engine->turn = longest_list(plan);
    engine->lane_count = (size_t)plan->lanes;
    engine->streams = gr_alloc(plan->count, sizeof(engine->streams[0]));
    engine->report->streams = gr_alloc(plan->count, sizeof(engine->report->streams[0]));
    engine->report->count = plan->count;
    for (size_t i = 0; i < plan->count; i++) {
        struct gr_stream *stream = &engine->streams[i];
        struct gr_buf object = gr_buf_new(0);

        stream->engine = engine;
        stream->plan = &plan->streams[i];
        stream->report = &engine->report->streams[i];
        stream->lanes = gr_alloc(engine->lane_count, sizeof(stream->lanes[0]));
        for (size_t j = 0; j < engine->lane_count; j++)
            stream->lanes[j].stream = stream;
        stream->batch.bookmark_us = stream->batch.clock_us = GR_TIME_NONE;
        stream->making.step = SIZE_MAX;
        stream->is_fed = stream->finds_known = true;
        gr_buf_printf(&object, "%s.%s", stream->plan->table_schema, stream->plan->table_name);
        *stream->report =
            (struct gr_stream_report){.name = stream->plan->name,
                                      .mode = gr_mode_name(stream->plan->mode),
                                      .object = gr_buf_take(&object),
                                      .note = stream->plan->note,
                                      .activity = "waits for its turn",
                                      .queue = stream->plan->schema->ask != GR_ASK_NONE ? 0 : -1,
                                      .bookmark_us = GR_TIME_NONE,
                                      .as_of_us = GR_TIME_NONE};
    }
}

static bool
has_ended(const struct gr_engine *engine)
{
    for (size_t i = 0; i < engine->count; i++)
        if (engine->streams[i].phase != GR_PHASE_DONE)
            return false;
    return engine->job.script == NULL && engine->fill.script == NULL;
}

/* Why the run has to stop, or NULL: for the loop, and for what waits outside of it. */
static const char *
why_stop(const struct gr_engine *engine, int64_t now_ms)
{
    const struct gr_run_options *options = engine->options;

    if (options->stop != NULL && *options->stop != 0)
        return "a signal asked for it";
    if (options->max_duration_ms > 0 &&
        now_ms - engine->report->started_ms >= options->max_duration_ms)
        return "--max-duration is over";
    return NULL;
}

static bool
must_stop(void *context)
{
    return why_stop(context, gr_clock_ms()) != NULL;
}

/* Stops in good order, once: by a signal or when --max-duration is over. */
static void
maybe_stop(struct gr_engine *engine, int64_t now_ms)
{
    const char *why = why_stop(engine, now_ms);

    if (why == NULL && gr_requests_are_spent(engine) && gr_http_in_flight(engine->http) == 0 &&
        gr_requests_wait(engine))
        why = "the allowance of --max-requests is spent";
    if (engine->is_stopping || why == NULL)
        return;
    gr_log(GR_LOG_INFO, NULL, "stops in good order", "because", why, NULL);
    engine->is_stopping = true;
    engine->was_stopped = true;
    for (size_t i = 0; i < engine->count; i++)
        gr_stream_stop(&engine->streams[i]);
}

/* After a fault that ends the run nothing more is asked; what is whole is still committed, unless
   it is the warehouse that has failed. */
static void
wind_down(struct gr_engine *engine)
{
    if (engine->fatal.fault == GR_OK || engine->has_wound_down)
        return;
    engine->has_wound_down = engine->is_stopping = true;
    for (size_t i = 0; i < engine->count; i++) {
        struct gr_stream *stream = &engine->streams[i];

        gr_stream_stop(stream);
        if (engine->fatal.fault != GR_FAULT_AUTH && engine->fatal.fault != GR_FAULT_UNREACHABLE &&
            stream->phase != GR_PHASE_DONE) {
            stream->report->status = GR_STATUS_STOPPED;
            stream->report->ended_ms = gr_clock_ms();
            stream->report->activity = "";
            stream->phase = GR_PHASE_DONE;
        }
    }
}

static int64_t
pause_ms(const struct gr_engine *engine, int64_t now_ms)
{
    int64_t due = engine->is_stopping ? -1 : gr_requests_due_ms(engine, now_ms);
    int64_t most = engine->options->progress != NULL ? PROGRESS_MS : IDLE_MS;

    most = gr_warehouse_pause_ms(engine, most);
    return due < 0 || due > most ? most : due;
}

/* What one stream does can be what another has waited for. */
static void
step_streams(struct gr_engine *engine)
{
    bool is_news = true;

    while (is_news) {
        is_news = false;
        for (size_t i = 0; i < engine->count; i++) {
            struct gr_stream *stream = &engine->streams[(engine->turn + i) % engine->count];
            enum gr_phase before = stream->phase;

            gr_stream_step(stream);
            is_news = is_news || stream->phase != before;
        }
    }
}

static void
loop(struct gr_engine *engine)
{
    int64_t last_report_ms = 0;

    while (!has_ended(engine)) {
        int64_t now_ms = gr_clock_ms();
        struct gr_http_socket sockets[4];

        gr_warehouse_poll(engine);
        gr_spare_poll(engine);
        gr_leasing_poll(engine, now_ms);
        gr_requests_take(engine, now_ms);
        maybe_stop(engine, now_ms);
        wind_down(engine);
        step_streams(engine);
        gr_requests_start(engine, gr_clock_ms());
        if (now_ms - last_report_ms >= PROGRESS_MS) {
            report_now(engine);
            last_report_ms = now_ms;
        }
        if (has_ended(engine))
            break;
        sockets[0] = gr_job_socket(&engine->job);
        sockets[1] = gr_job_socket(&engine->fill);
        sockets[2] = gr_spare_socket(engine);
        sockets[3] = gr_leasing_socket(engine);
        gr_http_wait(engine->http, sockets, sizeof(sockets) / sizeof(sockets[0]),
                     pause_ms(engine, gr_clock_ms()));
    }
    report_now(engine);
}

/* A connection that breaks meanwhile is no reason to give up: all of it is harmless when done
   twice, and of two rows in runs the first is lost. */
static bool
open_warehouse(struct gr_engine *engine, struct gr_error *err)
{
    const struct gr_plan *plan = engine->plan;

    for (int i = 0; i < OPENINGS_MAX; i++) {
        gr_pg_close(engine->pg);
        engine->pg = NULL;
        if (gr_pg_open(&plan->target, &engine->pg, err) &&
            gr_state_open(engine->pg, plan->state_schema, err) &&
            gr_state_begin(engine->pg, plan, &engine->run_id, err))
            return true;
        if (err->fault != GR_FAULT_LOST)
            return false;
        gr_log_error(GR_LOG_WARN, NULL, err);
    }
    return false;
}

static bool
open_run(struct gr_engine *engine, struct gr_error *err)
{
    const struct gr_plan *plan = engine->plan;

    if (!open_warehouse(engine, err))
        return false;
    engine->report->run_id = engine->run_id;
    gr_oauth_init(&engine->oauth, &plan->source);
    if (!gr_http_open(&plan->source, &engine->http, err))
        return false;
    gr_http_on_stop(engine->http, must_stop, engine);
    gr_leasing_open(engine, gr_clock_ms());
    return true;
}

static bool
is_proven(const struct gr_engine *engine)
{
    for (size_t i = 0; i < engine->count; i++)
        if (!engine->report->streams[i].audit.is_over)
            return false;
    return true;
}

static bool
has_found(const struct gr_engine *engine)
{
    for (size_t i = 0; i < engine->count; i++) {
        const struct gr_audit_totals *totals = &engine->report->streams[i].audit.totals;

        if (totals->missing > 0 || totals->gone > 0)
            return true;
    }
    return false;
}

static int
exit_code_of(const struct gr_engine *engine)
{
    bool failed = false;

    if (engine->fatal.fault != GR_OK)
        return gr_fault_facts(engine->fatal.fault)->exit_code;
    for (size_t i = 0; i < engine->count; i++)
        failed = failed || engine->report->streams[i].status == GR_STATUS_FAILED;
    if (engine->plan->is_audit)
        return gr_audit_exit_code(failed, has_found(engine), is_proven(engine));
    if (failed)
        return 1;
    return engine->was_stopped ? gr_fault_facts(GR_FAULT_CANCELLED)->exit_code : 0;
}

static const char *
run_status(const struct gr_engine *engine, int exit_code)
{
    size_t failed = 0;

    for (size_t i = 0; i < engine->count; i++)
        failed += engine->report->streams[i].status == GR_STATUS_FAILED;
    /* An audit that found something has done what it was asked for. */
    if (exit_code == 0 || (engine->plan->is_audit && exit_code == 1 && failed == 0))
        return "succeeded";
    if (exit_code == gr_fault_facts(GR_FAULT_CANCELLED)->exit_code)
        return "stopped";
    return exit_code == 1 && failed < engine->count ? "partial" : "failed";
}

/* Streams that failed or were cut short have not written their totals themselves. */
static bool
write_stream_totals(struct gr_stream *stream, struct gr_error *err)
{
    struct gr_engine *engine = stream->engine;
    struct gr_stream_totals totals;
    struct gr_script *script;
    bool ok;

    if (!stream->is_open || stream->has_closed)
        return true;
    script = gr_script_new(stream->plan->name);
    gr_stream_totals(stream, stream->report->status, &totals);
    gr_commit_stream_run(script, &stream->table, engine->run_id, &totals);
    ok = gr_script_run(script, engine->pg, err);
    gr_script_free(script);
    if (!ok && err->fault != GR_FAULT_LOST)
        gr_log_error(GR_LOG_WARN, stream->plan->name, err);
    return ok || err->fault != GR_FAULT_LOST;
}

static bool
write_totals(struct gr_engine *engine, const struct gr_run_totals *totals, struct gr_error *err)
{
    for (size_t i = 0; i < engine->count; i++)
        if (!write_stream_totals(&engine->streams[i], err))
            return false;
    return gr_state_end(engine->pg, engine->plan->state_schema, engine->run_id, totals, err);
}

/* The run is over, and what it has come to is written: nothing depends on this. */
static void
prune(struct gr_engine *engine)
{
    struct gr_error err;
    int64_t pruned;
    char number[24];

    if (!gr_prune(engine->pg, engine->plan, engine->run_id, &pruned, &err)) {
        (void)gr_hint(&err, "The next run tries again.");
        gr_log_error(GR_LOG_WARN, NULL, &err);
    } else if (pruned > 0) {
        (void)snprintf(number, sizeof(number), "%" PRId64, pruned);
        gr_log(GR_LOG_INFO, NULL, "forgets runs that are older than GR_KEEP_RUNS", "runs", number,
               NULL);
    }
}

/* Across a broken connection, like the commits: or a run that has done everything would stay among
   those that are at work, and be taken for lost. */
static void
end_run(struct gr_engine *engine, int exit_code)
{
    const struct gr_run_report *report = engine->report;
    struct gr_error err;
    struct gr_run_totals totals = {
        .status = run_status(engine, exit_code),
        .exit_code = exit_code,
        .requests = report->requests,
        .throttled = report->throttled,
        .error = engine->fatal.fault != GR_OK ? engine->fatal.message : NULL,
        .hint = engine->fatal.hint[0] != '\0' ? engine->fatal.hint : NULL};

    if (engine->fatal.fault == GR_FAULT_FENCED || engine->fatal.fault == GR_FAULT_TARGET)
        return;
    for (int i = 0; i < ENDINGS_MAX; i++) {
        if (write_totals(engine, &totals, &err)) {
            prune(engine);
            return;
        }
        if (err.fault != GR_FAULT_LOST || !gr_warehouse_reconnect(engine, &err))
            break;
    }
    (void)gr_fail_in(&err, "what the run has come to could not be written down");
    gr_log_error(GR_LOG_WARN, NULL, &err);
}

static void
close_run(struct gr_engine *engine)
{
    for (size_t i = 0; i < engine->count; i++)
        gr_stream_free(&engine->streams[i]);
    gr_free(engine->streams);
    gr_tape_free(&engine->tape);
    gr_script_free(engine->job.script);
    gr_script_free(engine->fill.script);
    gr_http_close(engine->http);
    gr_oauth_free(&engine->oauth);
    gr_leasing_close(engine);
    gr_spare_close(engine);
    gr_pg_close(engine->pg);
}

/* What an audit has found is read where it was written: a commit whose answer was lost counts, too.
 */
static void
collect(struct gr_engine *engine)
{
    struct gr_error err;

    if (!engine->plan->is_audit || engine->fatal.fault == GR_FAULT_TARGET ||
        gr_auditing_collect(engine, &err))
        return;
    if (err.fault == GR_FAULT_LOST && gr_warehouse_reconnect(engine, &err) &&
        gr_auditing_collect(engine, &err))
        return;
    gr_engine_fail(engine, &err);
}

/* A log that holds many runs shows where one begins, how it ended and what it is called in the
   state tables. */
static void
log_begin(const struct gr_engine *engine)
{
    char run[24];

    (void)snprintf(run, sizeof(run), "%" PRId64, engine->run_id);
    gr_log(GR_LOG_INFO, NULL, "the run begins", "run", run, NULL);
}

static void
log_end(const struct gr_engine *engine)
{
    const struct gr_run_report *report = engine->report;
    char run[24], code[24], requests[24], throttled[24], duration[GR_TIME_TEXT];

    (void)snprintf(run, sizeof(run), "%" PRId64, engine->run_id);
    (void)snprintf(code, sizeof(code), "%d", report->exit_code);
    (void)snprintf(requests, sizeof(requests), "%" PRId64, report->requests);
    (void)snprintf(throttled, sizeof(throttled), "%" PRId64, report->throttled);
    gr_duration_format(gr_clock_ms() - report->started_ms, duration);
    gr_log(GR_LOG_INFO, NULL, "the run has ended", "run", run, "status",
           run_status(engine, report->exit_code), "exit_code", code, "requests", requests,
           "throttled", report->throttled > 0 ? throttled : NULL, "in", duration, NULL);
}

bool
gr_run(const struct gr_plan *plan, const struct gr_run_options *options,
       struct gr_run_report *report, struct gr_error *err)
{
    struct gr_engine engine = {.plan = plan, .options = options, .report = report};
    struct gr_error refusal;
    bool is_open;

    *report = (struct gr_run_report){.started_ms = gr_clock_ms()};
    engine.random = (uint64_t)gr_clock_us() ^ ((uint64_t)getpid() << 32) ^ 0x9E3779B97F4A7C15U;
    gr_ratelimit_init(&engine.budget, &plan->source.rate, report->started_ms * 1000);
    init_streams(&engine);
    is_open = open_run(&engine, &refusal);
    if (!is_open)
        engine.fatal = refusal;
    if (is_open) {
        log_begin(&engine);
        loop(&engine);
        collect(&engine);
        report->exit_code = exit_code_of(&engine);
        end_run(&engine, report->exit_code);
        log_end(&engine);
    } else {
        report->exit_code = exit_code_of(&engine);
        report->now_ms = gr_clock_ms();
    }
    report->error = engine.fatal;
    close_run(&engine);
    if (!is_open)
        *err = report->error;
    return is_open;
}

void
gr_run_report_free(struct gr_run_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        char *object;

        memcpy(&object, &report->streams[i].object, sizeof(object));
        gr_free(object);
        gr_audit_totals_free(&report->streams[i].audit.totals);
    }
    gr_free(report->streams);
    *report = (struct gr_run_report){0};
}
