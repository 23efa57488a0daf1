/* run.c - a script at work: a transaction that never blocks. */
#include "script.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"

enum {
    CHUNK_BYTES = 32 * 1024, /* handed to libpq at once: it keeps what the socket will not take */
    TURNS = 512,             /* of one poll, after which others get their turn: about 16 MB     */
};

static const char copy_header[COPY_HEADER_BYTES] = "PGCOPY\n\377\r\n";
static const char copy_trailer[2] = "\377\377";
/* Ends a COPY that we believe has failed; the server names its own error, if there was one. */
static const char stopped[] = "gorgias-replicate: stopped early";

static void
fail(struct gr_script *script, const PGresult *result)
{
    struct gr_error err;

    (void)gr_pg_fail(script->pg, result, &err);
    if (!script->has_failed) {
        script->failure = err;
        script->has_failed = true;
        /* Whether or not the server said why, a session that is gone may be had again. */
        if (PQstatus(gr_pg_conn(script->pg)) == CONNECTION_BAD)
            script->failure.fault = GR_FAULT_LOST;
    }
}

static void
lose(struct gr_script *script)
{
    PGconn *conn = gr_pg_conn(script->pg);
    PGresult *result;

    /* The server's last words may wait in libpq's buffer. */
    while (PQstatus(conn) == CONNECTION_BAD && (result = PQgetResult(conn)) != NULL) {
        if (PQresultStatus(result) == PGRES_FATAL_ERROR &&
            PQresultErrorField(result, PG_DIAG_SQLSTATE) != NULL)
            fail(script, result);
        PQclear(result);
    }
    fail(script, NULL);
    script->failure.fault = GR_FAULT_LOST;
    script->phase = PHASE_FAILED;
}

/* A protocol state that we did not reckon with: the session is of no more use. */
static void
confuse(struct gr_script *script, const char *at)
{
    if (!script->has_failed)
        (void)gr_fail(&script->failure, GR_FAULT_LOST, "PostgreSQL: unexpected answer at %s", at);
    script->has_failed = true;
    script->failure.fault = GR_FAULT_LOST;
    script->phase = PHASE_FAILED;
}

/* Sends steps from `at` up to a COPY, a decision or the end, with BEGIN and COMMIT as they fall. */
static void
send_group(struct gr_script *script)
{
    PGconn *conn = gr_pg_conn(script->pg);
    bool is_open = true;
    bool is_ok = PQenterPipelineMode(conn) == 1;

    script->awaits_begin = !script->has_begun;
    if (is_ok && script->awaits_begin)
        is_ok = PQsendQueryParams(conn, "begin", 0, NULL, NULL, NULL, NULL, 0) == 1;
    script->sent = script->at;
    while (is_ok && is_open && script->sent < script->count) {
        const struct step *step = &script->steps[script->sent];

        if (step->is_copy)
            break;
        is_ok = PQsendQueryParams(conn, step->sql, (int)step->param_count, NULL,
                                  (const char *const *)step->params, NULL, NULL, 0) == 1;
        is_open = step->decides == DECIDES_NOTHING;
        script->sent++;
    }
    script->awaits_commit = is_open && script->sent == script->count;
    if (is_ok && script->awaits_commit)
        is_ok = PQsendQueryParams(conn, "commit", 0, NULL, NULL, NULL, NULL, 0) == 1;
    is_ok = is_ok && PQpipelineSync(conn) == 1;
    script->phase = PHASE_PIPE;
    if (!is_ok)
        lose(script);
}

/* Sends what comes next. */
static void
advance(struct gr_script *script)
{
    PGconn *conn = gr_pg_conn(script->pg);

    if (script->has_failed) {
        script->phase = PHASE_FAILED;
        if (PQtransactionStatus(conn) != PQTRANS_IDLE) {
            script->phase = PHASE_ROLLBACK;
            if (PQsendQuery(conn, "rollback") != 1)
                lose(script);
        }
    } else if (script->is_committed) {
        script->phase = PHASE_DONE;
    } else if (script->has_begun && script->at < script->count &&
               script->steps[script->at].is_copy) {
        script->phase = PHASE_COPY_BEGIN;
        script->copied = 0;
        if (PQsendQuery(conn, script->steps[script->at].sql) != 1)
            lose(script);
    } else {
        send_group(script);
    }
}

static void
take_step(struct gr_script *script, PGresult *result)
{
    struct step *step = &script->steps[script->at++];

    step->touched = (int64_t)strtoll(PQcmdTuples(result), NULL, 10);
    gr_rows_take(&step->rows, result);
}

static void
take_commit(struct gr_script *script, PGresult *result)
{
    script->awaits_commit = false;
    script->is_committed = strcmp(PQcmdStatus(result), "COMMIT") == 0;
    if (!script->is_committed && !script->has_failed) {
        (void)gr_fail(&script->failure, GR_FAULT_DATA, "the transaction was rolled back");
        script->has_failed = true;
    }
}

/* Lets go of the tuples of `copy` that are not chosen. Done again, the script sends what it has:
   the others were here already when they were let go. */
static void
choose(struct gr_script *script, const struct gr_rows *chosen, struct step *copy)
{
    size_t from = 0, to = 0, next = 0;

    if (copy->is_chosen)
        return;
    for (size_t i = 0; i < copy->tuple_count; i++) {
        bool is_wanted = next < chosen->count && gr_rows_int(chosen, next, 0) == (int64_t)i + 1;

        if (is_wanted) {
            memmove(copy->data.data + to, copy->data.data + from, copy->tuples[i]);
            to += copy->tuples[i];
            next++;
        }
        from += copy->tuples[i];
    }
    script->left_out += copy->tuple_count - next;
    copy->data.len = to;
    copy->is_chosen = true;
}

/* What a fence, check, gate or choice at the end of a group has decided. */
static void
decide(struct gr_script *script)
{
    const struct step *step = script->at == 0 ? NULL : &script->steps[script->at - 1];

    if (!script->has_failed && step != NULL && step->decides == DECIDES_CHOICE)
        choose(script, &step->rows, &script->steps[script->at]);
    if (script->has_failed || step == NULL || step->touched > 0)
        return;
    if (step->decides == DECIDES_FENCE) {
        (void)gr_fail(&script->failure, GR_FAULT_FENCED, "another run has taken over");
        (void)gr_hint(&script->failure, "Let one run at a time work on a replication; what this "
                                        "one had committed is kept.");
        script->has_failed = true;
    } else if (step->decides == DECIDES_CHECK) {
        (void)gr_fail(&script->failure, GR_FAULT_UNSTAGED, "%s", step->message);
        (void)gr_hint(&script->failure, "%s", step->hint);
        script->has_failed = true;
    } else if (step->decides == DECIDES_GATE || step->decides == DECIDES_CHOICE) {
        script->at = step->past;
    }
}

static void
end_group(struct gr_script *script)
{
    if (PQexitPipelineMode(gr_pg_conn(script->pg)) != 1) {
        confuse(script, "the end of a pipeline");
        return;
    }
    if (script->sent > 0 && script->at == script->sent)
        decide(script);
    advance(script);
}

static void
on_pipe(struct gr_script *script, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    if (result == NULL)
        return; /* the end of one statement's results */
    if (status == PGRES_PIPELINE_SYNC)
        end_group(script);
    else if (status == PGRES_PIPELINE_ABORTED)
        return; /* not run, because one before has failed */
    else if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail(script, result);
    else if (script->awaits_begin) {
        script->awaits_begin = false;
        script->has_begun = true;
    } else if (script->at < script->sent)
        take_step(script, result);
    else if (script->awaits_commit)
        take_commit(script, result);
    else
        confuse(script, "a pipeline");
}

static void
on_copy_begin(struct gr_script *script, PGresult *result)
{
    if (result == NULL)
        advance(script);
    else if (PQresultStatus(result) == PGRES_COPY_IN)
        script->phase = PHASE_COPY_DATA;
    else if (PQresultStatus(result) == PGRES_FATAL_ERROR)
        fail(script, result);
    else
        confuse(script, "COPY");
}

static void
on_copy_end(struct gr_script *script, PGresult *result)
{
    if (result == NULL) {
        if (!script->has_failed)
            script->at++;
        advance(script);
    } else if (PQresultStatus(result) == PGRES_COMMAND_OK) {
        script->steps[script->at].touched = (int64_t)strtoll(PQcmdTuples(result), NULL, 10);
    } else {
        fail(script, result);
        /* Not an error of the server's, then: nothing stands against doing it again. */
        if (strstr(script->failure.message, stopped) != NULL)
            script->failure.fault = GR_FAULT_CONFLICT;
    }
}

static void
on_rollback(struct gr_script *script, PGresult *result)
{
    if (result == NULL)
        script->phase = PHASE_FAILED;
}

static void
take(struct gr_script *script, PGresult *result)
{
    switch (script->phase) {
    case PHASE_PIPE:
        on_pipe(script, result);
        break;
    case PHASE_COPY_BEGIN:
        on_copy_begin(script, result);
        break;
    case PHASE_COPY_END:
        on_copy_end(script, result);
        break;
    case PHASE_ROLLBACK:
        on_rollback(script, result);
        break;
    case PHASE_COPY_DATA:
    case PHASE_IDLE:
    case PHASE_DONE:
    case PHASE_FAILED:
        break;
    }
    PQclear(result);
}

/* The next piece of header, data and trailer. */
static size_t
next_piece(const struct gr_script *script, const char **at_out)
{
    const struct gr_buf *data = &script->steps[script->at].data;
    size_t from = script->copied;

    if (from < sizeof(copy_header)) {
        *at_out = copy_header + from;
        return sizeof(copy_header) - from;
    }
    from -= sizeof(copy_header);
    if (from < data->len) {
        *at_out = data->data + from;
        return data->len - from < CHUNK_BYTES ? data->len - from : CHUNK_BYTES;
    }
    from -= data->len;
    *at_out = copy_trailer + from;
    return sizeof(copy_trailer) - from;
}

/* An open COPY whose tuples have all been handed over: more may come. */
static bool
is_starved(const struct gr_script *script)
{
    const struct step *step = &script->steps[script->at];

    return step->is_open && script->copied == sizeof(copy_header) + step->data.len;
}

/*
 * Hands over a piece, or the end; false if libpq has no room. In the middle of COPY the server has
 * nothing to say but that it failed, and libpq does not look: so whatever arrives ends the sending.
 */
static bool
copy_on(struct gr_script *script)
{
    PGconn *conn = gr_pg_conn(script->pg);
    struct pollfd fd = {.fd = PQsocket(conn), .events = POLLIN};
    const char *piece;
    size_t len = next_piece(script, &piece);
    const char *reason = script->is_given_up || poll(&fd, 1, 0) > 0 ? stopped : NULL;
    int sent;

    if (reason == NULL && is_starved(script))
        return false;
    if (reason != NULL || len == 0)
        sent = PQputCopyEnd(conn, reason);
    else
        sent = PQputCopyData(conn, piece, (int)len);
    if (sent < 0)
        lose(script);
    else if (sent > 0 && (reason != NULL || len == 0))
        script->phase = PHASE_COPY_END;
    else if (sent > 0)
        script->copied += len;
    return sent != 0;
}

/* One turn; false if there is something to wait for. */
static bool
turn(struct gr_script *script)
{
    PGconn *conn = gr_pg_conn(script->pg);
    int flushed = PQflush(conn);

    script->wants_write = flushed == 1;
    if (flushed < 0) {
        lose(script);
        return true;
    }
    if (script->phase == PHASE_COPY_DATA) {
        if (flushed == 0 && copy_on(script))
            return true;
        script->wants_write = flushed == 1 || script->is_given_up || !is_starved(script);
        if (flushed == 0)
            return false;
        /* The socket is full because the server has stopped reading, perhaps with an error. */
        struct pollfd fd = {.fd = PQsocket(conn), .events = POLLIN};

        return poll(&fd, 1, 0) > 0 && copy_on(script) && script->phase != PHASE_COPY_DATA;
    }
    if (PQconsumeInput(conn) != 1) {
        lose(script);
        return true;
    }
    if (PQisBusy(conn))
        return false;
    take(script, PQgetResult(conn));
    if (script->phase != PHASE_DONE && PQstatus(conn) == CONNECTION_BAD)
        lose(script);
    return true;
}

static enum gr_script_status
give_failure(const struct gr_script *script, struct gr_error *err)
{
    *err = script->failure;
    (void)gr_fail_in(err, "%s", script->what);
    return GR_SCRIPT_FAILED;
}

enum gr_script_status
gr_script_poll(struct gr_script *script, struct gr_error *err)
{
    assert(script->phase != PHASE_IDLE);
    for (int i = 0; i < TURNS; i++) {
        if (script->phase == PHASE_DONE)
            return GR_SCRIPT_DONE;
        if (script->phase == PHASE_FAILED)
            return give_failure(script, err);
        if (!turn(script))
            return GR_SCRIPT_BUSY;
    }
    script->wants_write = true; /* so that whoever waits comes back at once */
    return GR_SCRIPT_BUSY;
}

bool
gr_script_start(struct gr_script *script, struct gr_pg *pg, struct gr_error *err)
{
    assert(script->gate == SIZE_MAX);
    for (size_t i = 0; i < script->count; i++) {
        script->steps[i].touched = 0;
        gr_rows_free(&script->steps[i].rows);
    }
    script->pg = pg;
    script->at = script->sent = 0;
    script->has_begun = script->is_committed = script->has_failed = script->wants_write = false;
    if (script->session != 0 && script->session != gr_pg_session(pg)) {
        (void)gr_fail(&script->failure, GR_FAULT_UNSTAGED,
                      "what it needs was in a session that broke");
        script->has_failed = true;
        script->phase = PHASE_FAILED;
    } else if (PQstatus(gr_pg_conn(pg)) == CONNECTION_BAD) {
        lose(script);
    } else {
        advance(script);
    }
    return script->phase != PHASE_FAILED || give_failure(script, err) != GR_SCRIPT_FAILED;
}

bool
gr_script_is_over(const struct gr_script *script)
{
    return script->phase == PHASE_DONE || script->phase == PHASE_FAILED;
}

int
gr_script_socket(const struct gr_script *script, bool *wants_write_out)
{
    bool is_busy = script->phase != PHASE_IDLE && !gr_script_is_over(script);

    *wants_write_out = is_busy && script->wants_write;
    return is_busy ? PQsocket(gr_pg_conn(script->pg)) : -1;
}

bool
gr_script_run(struct gr_script *script, struct gr_pg *pg, struct gr_error *err)
{
    enum gr_script_status status;

    if (!gr_script_start(script, pg, err))
        return false;
    while ((status = gr_script_poll(script, err)) == GR_SCRIPT_BUSY) {
        bool wants_write;
        struct pollfd fd = {.fd = gr_script_socket(script, &wants_write), .events = POLLIN};

        if (wants_write)
            fd.events |= POLLOUT;
        (void)poll(&fd, 1, -1); /* a signal only makes us look again */
    }
    return status == GR_SCRIPT_DONE;
}
