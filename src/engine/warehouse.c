/* warehouse.c - one script at a time, and beside it one whose COPY is open; across broken
   connections. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "gr/base/alloc.h"
#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/engine/engine.h"
#include "gr/sink/state.h"

enum { RECONNECT_MS = 60000, RECONNECT_PAUSE_MS = 1000, CONFLICTS_MAX = 5, LOSSES_MAX = 50 };

static bool
is_busy(const struct gr_engine *engine)
{
    return engine->job.script != NULL || engine->is_claimed || engine->fill.pg == engine->pg;
}

bool
gr_warehouse_is_free(struct gr_engine *engine)
{
    engine->is_waited_for = engine->is_waited_for || is_busy(engine);
    return !is_busy(engine);
}

bool
gr_warehouse_is_quiet(struct gr_engine *engine)
{
    bool is_quiet = !is_busy(engine) && engine->fill.script == NULL;

    engine->is_waited_for = engine->is_waited_for || !is_quiet;
    return is_quiet;
}

/* What pre_sql has set up is set up in the first session alone. And nothing begins beside a job
   that somebody waits for: a first load would leave no moment without one. */
struct gr_pg *
gr_warehouse_place(const struct gr_stream *stream)
{
    struct gr_engine *engine = stream->engine;
    bool may_beside = gr_spare_is_ready(engine) && stream->plan->pre_sql == NULL;
    bool has_room =
        engine->fill.script == NULL && (engine->job.script == NULL || !engine->is_waited_for);

    if (has_room && may_beside && engine->job.pg != engine->spare.pg)
        return engine->spare.pg;
    if (has_room && engine->job.pg != engine->pg)
        return engine->pg;
    engine->is_waited_for = true;
    return NULL;
}

bool
gr_warehouse_works_for(const struct gr_stream *stream)
{
    return stream->engine->job.owner == stream || stream->engine->fill.owner == stream;
}

/* A script that cannot even begin fails at the next poll, like one that fails later. */
static void
start(struct gr_job *job)
{
    job->error.fault = GR_OK;
    (void)gr_script_start(job->script, job->pg, &job->error);
}

void
gr_warehouse_show(const struct gr_stream *stream, const struct gr_script *script)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);

    if (!gr_log_wants(GR_LOG_DEBUG))
        return;
    gr_script_print(script, &text);
    gr_log(GR_LOG_DEBUG, stream->plan->name, "sql", "script", gr_buf_text(&text), NULL);
}

static void
begin(struct gr_job *job, struct gr_stream *stream, struct gr_script *script, struct gr_pg *pg)
{
    assert(job->script == NULL);
    *job = (struct gr_job){.pg = pg, .script = script, .owner = stream, .begun_ms = gr_clock_ms()};
    stream->engine->is_waited_for = false;
    start(job);
}

void
gr_warehouse_start(struct gr_stream *stream, struct gr_script *script)
{
    struct gr_engine *engine = stream->engine;

    engine->conflicts = 0;
    gr_warehouse_show(stream, script);
    begin(&engine->job, stream, script, engine->pg);
}

void
gr_warehouse_start_fill(struct gr_stream *stream, struct gr_script *script, struct gr_pg *pg)
{
    begin(&stream->engine->fill, stream, script, pg);
}

bool
gr_warehouse_end_fill(struct gr_engine *engine)
{
    engine->is_claimed = engine->job.script != NULL;
    if (engine->is_claimed)
        return false;
    engine->conflicts = 0;
    engine->is_waited_for = false; /* or they say so again */
    engine->job = engine->fill;
    engine->fill = (struct gr_job){0};
    return true;
}

static void
end_script(struct gr_engine *engine, struct gr_job *job)
{
    if (job == &engine->fill) {
        engine->is_claimed = false;
        job->owner->batch.is_open = false;
    }
    gr_script_free(job->script);
    *job = (struct gr_job){0};
}

static void
log_end(const struct gr_job *job)
{
    char ms[24];

    if (!gr_log_wants(GR_LOG_DEBUG))
        return;
    (void)snprintf(ms, sizeof(ms), "%" PRId64, gr_clock_ms() - job->begun_ms);
    gr_log(GR_LOG_DEBUG, job->owner->plan->name, "sql done", "ms", ms, NULL);
}

/* A commit that is on disk has taken all before it there. */
static void
note_durability(struct gr_engine *engine)
{
    bool is_relaxed = gr_script_is_relaxed(engine->job.script);

    for (size_t i = 0; i < engine->count && !is_relaxed; i++)
        engine->streams[i].is_unsure = false;
    /* Where a scan has staged to, a crash is noticed by what it leaves there. */
    if (is_relaxed && !gr_walk_is_scan(&engine->job.owner->walk))
        engine->job.owner->is_unsure = true;
}

static void
tell_owner(struct gr_engine *engine)
{
    struct gr_stream *stream = engine->job.owner;
    struct gr_error err;
    bool ok;

    log_end(&engine->job);
    note_durability(engine);
    ok = gr_stream_committed(stream, engine->job.script, &err);
    end_script(engine, &engine->job);
    if (!ok)
        gr_stream_fail(stream, &err);
}

/* The temporary tables of every open stream, in a new session. */
static bool
restage(struct gr_engine *engine, struct gr_error *err)
{
    for (size_t i = 0; i < engine->count; i++) {
        struct gr_stream *stream = &engine->streams[i];
        GR_CLEANUP(gr_buf_free) struct gr_buf sql = gr_buf_new(0);

        if (!stream->is_open)
            continue;
        gr_table_session_sql(&stream->table, &sql);
        if (!gr_pg_exec(engine->pg, gr_buf_text(&sql), err))
            return false;
        gr_drain_session_lost(stream);
        if (stream->is_unsure) /* the server may have crashed */
            gr_walking_lost_session(stream);
    }
    return true;
}

/* A statement that crashes its backend does so each time, and what is read again in between is
   committed again: nothing but the number tells that it will not end. */
static bool
fail_again(const struct gr_engine *engine, struct gr_error *err)
{
    (void)gr_fail(err, GR_FAULT_TARGET,
                  "PostgreSQL at %s: the connection broke %d times in one run",
                  engine->plan->target.shown, LOSSES_MAX);
    return gr_hint(err, "The server's log says why it ends the session: a trigger, a statement of "
                        "pre_sql or post_sql, or memory may be the cause.");
}

bool
gr_warehouse_reconnect(struct gr_engine *engine, struct gr_error *err)
{
    int64_t give_up_ms = gr_clock_ms() + RECONNECT_MS;

    if (++engine->losses >= LOSSES_MAX)
        return fail_again(engine, err);
    for (;;) {
        if (gr_pg_reopen(engine->pg, err) &&
            gr_state_resume(engine->pg, engine->plan, engine->run_id, err) && restage(engine, err))
            return true;
        if (err->fault == GR_FAULT_FENCED || gr_clock_ms() >= give_up_ms ||
            (engine->options->stop != NULL && *engine->options->stop != 0))
            return false;
        gr_clock_sleep(RECONNECT_PAUSE_MS);
    }
}

/* After a lost connection the same script runs again: everything in it is harmless when done twice.
   (The end of a scan sees by its staging whether it was committed or a crash has emptied it.) Only
   answers are asked for again, because what was staged of them went with the session; a stream
   that opens again reads its pages once more; and one that has failed meanwhile wants nothing. */
static void
go_on(struct gr_engine *engine, struct gr_job *job)
{
    struct gr_stream *owner = job->owner;

    if (owner->phase == GR_PHASE_DRAIN || owner->phase == GR_PHASE_DONE || owner->must_reopen) {
        end_script(engine, job);
    } else if (!gr_script_can_repeat(job->script)) {
        end_script(engine, job);
        gr_walking_lost_session(owner);
    } else {
        start(job);
    }
}

static void
lose(struct gr_engine *engine, struct gr_job *job, struct gr_error *err)
{
    struct gr_stream *owner = job->owner;

    gr_log_error(GR_LOG_WARN, owner->plan->name, err);
    if (job->pg == engine->spare.pg) {
        gr_log(GR_LOG_INFO, owner->plan->name, "goes on with one session", NULL);
        gr_spare_retire(engine);
        go_on(engine, job);
        gr_spare_close(engine);
        return;
    }
    gr_log(GR_LOG_INFO, owner->plan->name, "connects again, and tries for a minute", NULL);
    if (gr_warehouse_reconnect(engine, err)) {
        gr_log(GR_LOG_INFO, owner->plan->name, "the warehouse is back", NULL);
        go_on(engine, job);
        return;
    }
    if (err->fault == GR_FAULT_LOST)
        err->fault = GR_FAULT_TARGET;
    end_script(engine, job);
    gr_stream_fail(owner, err);
}

static void
lack_staging(struct gr_stream *owner)
{
    if (owner->phase == GR_PHASE_DRAIN)
        gr_drain_session_lost(owner);
    else if (owner->phase != GR_PHASE_DONE)
        gr_walking_unstaged(owner);
}

static void
fail(struct gr_engine *engine, struct gr_job *job, struct gr_error *err)
{
    struct gr_stream *owner = job->owner;
    bool is_fill = !gr_script_can_repeat(job->script);
    bool is_given_up = gr_script_is_given_up(job->script);

    if (is_fill && job == &engine->job)
        gr_filling_give_up(owner); /* what was to follow this one */
    if (err->fault == GR_FAULT_LOST) {
        lose(engine, job, err);
        return;
    }
    if (err->fault == GR_FAULT_CONFLICT && !is_fill && ++engine->conflicts < CONFLICTS_MAX) {
        gr_log_error(GR_LOG_WARN, owner->plan->name, err);
        start(job);
        return;
    }
    end_script(engine, job);
    if (is_given_up)
        return;
    if ((err->fault == GR_FAULT_DATA || err->fault == GR_FAULT_CONFLICT) && is_fill &&
        owner->phase == GR_PHASE_WALK) {
        gr_log_error(GR_LOG_DEBUG, owner->plan->name, err);
        gr_log(GR_LOG_INFO, owner->plan->name, "its table is not its own; merges from now on",
               NULL);
        gr_walking_refused_fill(owner);
    } else if (err->fault == GR_FAULT_UNSTAGED) {
        gr_log_error(GR_LOG_WARN, owner->plan->name, err);
        lack_staging(owner);
    } else {
        gr_stream_fail(owner, err);
    }
}

static void
poll_job(struct gr_engine *engine, struct gr_job *job)
{
    enum gr_script_status status;
    struct gr_error err;

    if (job->script == NULL)
        return;
    err = job->error;
    status = err.fault != GR_OK ? GR_SCRIPT_FAILED : gr_script_poll(job->script, &err);
    if (status == GR_SCRIPT_DONE)
        tell_owner(engine);
    else if (status == GR_SCRIPT_FAILED)
        fail(engine, job, &err);
}

void
gr_warehouse_poll(struct gr_engine *engine)
{
    struct gr_stream *filler;

    poll_job(engine, &engine->job);
    filler = engine->fill.owner;
    if (filler != NULL && filler->batch.is_open && filler->phase != GR_PHASE_WALK)
        gr_filling_step(filler);
    poll_job(engine, &engine->fill);
}

static void
push(const struct gr_job *job)
{
    struct gr_error ignored;

    if (job->script != NULL && job->error.fault == GR_OK)
        (void)gr_script_poll(job->script, &ignored);
}

void
gr_warehouse_push(const struct gr_engine *engine)
{
    push(&engine->job);
    push(&engine->fill);
}

static bool
is_over(const struct gr_job *job)
{
    return job->script != NULL && (job->error.fault != GR_OK || gr_script_is_over(job->script));
}

/* What the push between rows has brought to its end is told at once. */
int64_t
gr_warehouse_pause_ms(const struct gr_engine *engine, int64_t most_ms)
{
    if (is_over(&engine->job) || is_over(&engine->fill))
        return 0;
    return engine->fill.script != NULL && GR_RELAX_MS < most_ms ? GR_RELAX_MS : most_ms;
}

struct gr_http_socket
gr_job_socket(const struct gr_job *job)
{
    struct gr_http_socket socket = {.fd = -1};

    if (job->script != NULL)
        socket.fd = gr_script_socket(job->script, &socket.wants_write);
    return socket;
}
