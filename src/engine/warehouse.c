/* warehouse.c - one script at a time on the one connection, across broken connections. */
#include <inttypes.h>
#include <stdio.h>

#include "gr/base/alloc.h"
#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/engine/engine.h"
#include "gr/sink/state.h"

enum { RECONNECT_MS = 60000, RECONNECT_PAUSE_MS = 1000, CONFLICTS_MAX = 5, LOSSES_MAX = 50 };

bool
gr_warehouse_is_free(struct gr_engine *engine)
{
    engine->is_waited_for = engine->is_waited_for || engine->script != NULL;
    return engine->script == NULL;
}

bool
gr_warehouse_is_open(const struct gr_engine *engine)
{
    return engine->script != NULL && gr_script_is_open(engine->script);
}

/* A script that cannot even begin fails at the next poll, like one that fails later. */
static void
start(struct gr_engine *engine)
{
    engine->script_error.fault = GR_OK;
    (void)gr_script_start(engine->script, engine->pg, &engine->script_error);
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

void
gr_warehouse_start(struct gr_stream *stream, struct gr_script *script)
{
    struct gr_engine *engine = stream->engine;

    engine->script = script;
    engine->owner = stream;
    engine->conflicts = 0;
    engine->is_waited_for = false;
    engine->script_ms = gr_clock_ms();
    stream->has_script = true;
    if (!gr_script_is_open(script)) /* which is shown when it is whole */
        gr_warehouse_show(stream, script);
    start(engine);
}

static void
end_script(struct gr_engine *engine)
{
    gr_script_free(engine->script);
    engine->script = NULL;
    engine->owner->has_script = false;
    engine->owner = NULL;
}

static void
log_end(const struct gr_engine *engine)
{
    char ms[24];

    if (!gr_log_wants(GR_LOG_DEBUG))
        return;
    (void)snprintf(ms, sizeof(ms), "%" PRId64, gr_clock_ms() - engine->script_ms);
    gr_log(GR_LOG_DEBUG, engine->owner->plan->name, "sql done", "ms", ms, NULL);
}

/* A commit that is on disk has taken all before it there. */
static void
note_durability(struct gr_engine *engine)
{
    bool is_relaxed = gr_script_is_relaxed(engine->script);

    for (size_t i = 0; i < engine->count && !is_relaxed; i++)
        engine->streams[i].is_unsure = false;
    /* Where a scan has staged to, a crash is noticed by what it leaves there. */
    if (is_relaxed && !gr_walk_is_scan(&engine->owner->walk))
        engine->owner->is_unsure = true;
}

static void
tell_owner(struct gr_engine *engine)
{
    struct gr_stream *stream = engine->owner;
    struct gr_error err;
    bool ok;

    log_end(engine);
    note_durability(engine);
    ok = gr_stream_committed(stream, engine->script, &err);
    end_script(engine);
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
go_on(struct gr_engine *engine)
{
    struct gr_stream *owner = engine->owner;

    if (owner->phase == GR_PHASE_DRAIN || owner->phase == GR_PHASE_DONE || owner->must_reopen) {
        end_script(engine);
    } else if (!gr_script_can_repeat(engine->script)) {
        end_script(engine);
        gr_walking_lost_session(owner);
    } else {
        start(engine);
    }
}

void
gr_warehouse_poll(struct gr_engine *engine)
{
    struct gr_stream *owner = engine->owner;
    enum gr_script_status status;
    struct gr_error err;

    if (engine->script == NULL)
        return;
    if (gr_script_is_open(engine->script) && owner->phase != GR_PHASE_WALK)
        gr_filling_end(owner);
    err = engine->script_error;
    status = err.fault != GR_OK ? GR_SCRIPT_FAILED : gr_script_poll(engine->script, &err);
    if (status == GR_SCRIPT_BUSY)
        return;
    if (status == GR_SCRIPT_DONE) {
        tell_owner(engine);
        return;
    }
    if (err.fault == GR_FAULT_LOST) {
        gr_log_error(GR_LOG_WARN, owner->plan->name, &err);
        gr_log(GR_LOG_INFO, owner->plan->name, "connects again, and tries for a minute", NULL);
        if (gr_warehouse_reconnect(engine, &err)) {
            gr_log(GR_LOG_INFO, owner->plan->name, "the warehouse is back", NULL);
            go_on(engine);
            return;
        }
        if (err.fault == GR_FAULT_LOST)
            err.fault = GR_FAULT_TARGET;
    } else if (err.fault == GR_FAULT_CONFLICT && gr_script_can_repeat(engine->script) &&
               ++engine->conflicts < CONFLICTS_MAX) {
        gr_log_error(GR_LOG_WARN, owner->plan->name, &err);
        start(engine);
        return;
    } else if ((err.fault == GR_FAULT_DATA || err.fault == GR_FAULT_CONFLICT) &&
               owner->phase == GR_PHASE_WALK && owner->was_filled) {
        end_script(engine);
        gr_log_error(GR_LOG_DEBUG, owner->plan->name, &err);
        gr_log(GR_LOG_INFO, owner->plan->name, "its table is not its own; merges from now on",
               NULL);
        gr_walking_refused_fill(owner);
        return;
    } else if (err.fault == GR_FAULT_UNSTAGED) {
        end_script(engine);
        gr_log_error(GR_LOG_WARN, owner->plan->name, &err);
        if (owner->phase == GR_PHASE_DRAIN)
            gr_drain_session_lost(owner);
        else if (owner->phase != GR_PHASE_DONE)
            gr_walking_unstaged(owner);
        return;
    }
    end_script(engine);
    gr_stream_fail(owner, &err);
}

void
gr_warehouse_push(const struct gr_engine *engine)
{
    struct gr_error ignored;

    if (engine->script != NULL && engine->script_error.fault == GR_OK)
        (void)gr_script_poll(engine->script, &ignored);
}

struct gr_http_socket
gr_warehouse_socket(const struct gr_engine *engine)
{
    struct gr_http_socket socket = {.fd = -1};

    if (engine->script != NULL)
        socket.fd = gr_script_socket(engine->script, &socket.wants_write);
    return socket;
}
