/* leasing.c - the connection on which the run takes its leases of the shared budget. It is a small
   one of its own, so that a long merge never delays a request, and the run can do without it. */
#include "gr/base/log.h"
#include "gr/engine/engine.h"
#include "gr/sink/budget.h"

static const char session_name[] = "gorgias-replicate budget";

static void
close_session(struct gr_leasing *leasing)
{
    gr_script_free(leasing->script);
    gr_pg_close(leasing->pg);
    leasing->script = NULL;
    leasing->pg = NULL;
    leasing->is_opening = false;
}

static void
lose(struct gr_engine *engine, struct gr_error *err, int64_t now_us)
{
    struct gr_leasing *leasing = &engine->leasing;

    close_session(leasing);
    gr_lease_lose(&leasing->lease, now_us);
    (void)gr_fail_in(err, "the API budget is not shared with other runs for now");
    gr_log_error(leasing->was_told ? GR_LOG_DEBUG : GR_LOG_WARN, NULL, err);
    leasing->was_told = true;
}

/* What a crash of the server takes back of the level is as if it had drained. */
static void
take_session(struct gr_engine *engine, int64_t now_us)
{
    struct gr_leasing *leasing = &engine->leasing;
    struct gr_error err;

    leasing->is_opening = false;
    if (gr_pg_exec(leasing->pg, "set synchronous_commit = off", &err))
        gr_lease_regain(&leasing->lease);
    else
        lose(engine, &err, now_us);
}

void
gr_leasing_open(struct gr_engine *engine, int64_t now_ms)
{
    struct gr_error err;

    if (gr_pg_open_as(&engine->plan->target, session_name, &engine->leasing.pg, &err))
        take_session(engine, now_ms * 1000);
    else
        lose(engine, &err, now_ms * 1000);
}

/* Meanwhile everything else goes on: a server that does not answer holds nothing up. */
static void
open_again(struct gr_engine *engine, int64_t now_us)
{
    struct gr_leasing *leasing = &engine->leasing;
    struct gr_error err;

    leasing->is_opening = gr_pg_open_begin(&engine->plan->target, session_name, &leasing->pg, &err);
    if (!leasing->is_opening)
        lose(engine, &err, now_us);
}

static void
go_on_opening(struct gr_engine *engine, int64_t now_us)
{
    struct gr_error err;
    enum gr_pg_opening opening = gr_pg_open_poll(engine->leasing.pg, &err);

    if (opening == GR_PG_OPEN)
        take_session(engine, now_us);
    else if (opening == GR_PG_REFUSED)
        lose(engine, &err, now_us);
}

void
gr_leasing_close(struct gr_engine *engine)
{
    close_session(&engine->leasing);
}

void
gr_leasing_ask(struct gr_engine *engine, int64_t now_ms)
{
    struct gr_leasing *leasing = &engine->leasing;
    const struct gr_ratelimit *limit = &engine->budget;
    int64_t wanted = gr_lease_asks(&leasing->lease, limit, now_ms * 1000);
    struct gr_error err;

    if (wanted == 0)
        return;
    leasing->script = gr_script_new("lease");
    leasing->step =
        gr_budget_take(leasing->script, engine->plan->state_schema,
                       &(struct gr_budget_ask){.account = engine->plan->source.base_url,
                                               .run_id = engine->run_id,
                                               .requests = limit->rate.requests,
                                               .per_ms = limit->rate.per_ms,
                                               .burst = gr_ratelimit_burst(limit),
                                               .spacing_us = limit->spacing_us,
                                               .seen = gr_ratelimit_seen(limit, now_ms * 1000),
                                               .wanted = wanted});
    gr_lease_ask(&leasing->lease, wanted, now_ms * 1000);
    if (!gr_script_start(leasing->script, leasing->pg, &err))
        lose(engine, &err, now_ms * 1000);
}

/* A question that has not failed may take its time, up to a point. */
static void
be_patient(struct gr_engine *engine, int64_t now_us)
{
    struct gr_error err;

    if (!gr_lease_is_overdue(&engine->leasing.lease, now_us))
        return;
    (void)gr_fail(&err, GR_FAULT_LOST, "PostgreSQL at %s: no answer in time",
                  engine->plan->target.shown);
    lose(engine, &err, now_us);
}

void
gr_leasing_poll(struct gr_engine *engine, int64_t now_ms)
{
    struct gr_leasing *leasing = &engine->leasing;
    enum gr_script_status status;
    struct gr_budget_answer answer;
    struct gr_error err;

    if (leasing->is_opening)
        go_on_opening(engine, now_ms * 1000);
    else if (!engine->is_stopping && gr_lease_looks_again(&leasing->lease, now_ms * 1000))
        open_again(engine, now_ms * 1000);
    if (leasing->script == NULL)
        return;
    status = gr_script_poll(leasing->script, &err);
    if (status == GR_SCRIPT_BUSY) {
        be_patient(engine, now_ms * 1000);
        return;
    }
    if (status == GR_SCRIPT_FAILED) {
        lose(engine, &err, now_ms * 1000);
        return;
    }
    answer = gr_budget_answer(leasing->script, leasing->step);
    gr_script_free(leasing->script);
    leasing->script = NULL;
    gr_lease_answer(&leasing->lease, &engine->budget, answer.granted, answer.wait_us,
                    now_ms * 1000);
}

struct gr_http_socket
gr_leasing_socket(const struct gr_engine *engine)
{
    const struct gr_leasing *leasing = &engine->leasing;
    struct gr_http_socket socket = {.fd = -1};

    if (leasing->is_opening)
        socket.fd = gr_pg_open_socket(leasing->pg, &socket.wants_write);
    else if (leasing->script != NULL)
        socket.fd = gr_script_socket(leasing->script, &socket.wants_write);
    return socket;
}
