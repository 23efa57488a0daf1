/* spare.c - the second session of a fill. It has no lock and no staging: the fence, which each
   commit looks at, is what keeps it from writing for a run that was overtaken. */
#include "gr/base/log.h"
#include "gr/engine/engine.h"

static const char session_name[] = "gorgias-replicate fill";

static void
fail(struct gr_engine *engine, struct gr_error *err)
{
    (void)gr_fail_in(err, "goes on with one session");
    gr_log_error(GR_LOG_DEBUG, NULL, err);
    gr_spare_retire(engine);
    gr_spare_close(engine);
}

void
gr_spare_want(struct gr_engine *engine)
{
    struct gr_error err;

    if (engine->spare.state != GR_SPARE_UNASKED)
        return;
    engine->spare.state = GR_SPARE_OPENING;
    if (!gr_pg_open_begin(&engine->plan->target, session_name, &engine->spare.pg, &err))
        fail(engine, &err);
}

/* Commits that were not waited for went with a crash of the server, and what comes behind them must
   not claim them: as long as both sessions have lived at one time, there was none. */
static void
prove(struct gr_engine *engine)
{
    struct gr_error ignored; /* whoever needs the first session will find it broken, too */
    bool is_busy = engine->job.pg == engine->pg || engine->fill.pg == engine->pg;

    if (!is_busy && gr_pg_exec(engine->pg, "select", &ignored)) {
        engine->spare.state = GR_SPARE_READY;
        gr_log(GR_LOG_DEBUG, NULL, "fills in two sessions", NULL);
    }
}

void
gr_spare_poll(struct gr_engine *engine)
{
    struct gr_error err;

    if (engine->spare.state == GR_SPARE_OPENING) {
        enum gr_pg_opening opening = gr_pg_open_poll(engine->spare.pg, &err);

        if (opening == GR_PG_REFUSED)
            fail(engine, &err);
        else if (opening == GR_PG_OPEN)
            engine->spare.state = GR_SPARE_UNPROVEN;
    }
    if (engine->spare.state == GR_SPARE_UNPROVEN)
        prove(engine);
}

bool
gr_spare_is_ready(const struct gr_engine *engine)
{
    return engine->spare.state == GR_SPARE_READY;
}

void
gr_spare_retire(struct gr_engine *engine)
{
    engine->spare.state = GR_SPARE_RETIRED;
}

void
gr_spare_close(struct gr_engine *engine)
{
    gr_pg_close(engine->spare.pg);
    engine->spare.pg = NULL;
}

struct gr_http_socket
gr_spare_socket(const struct gr_engine *engine)
{
    struct gr_http_socket socket = {.fd = -1};

    if (engine->spare.state == GR_SPARE_OPENING)
        socket.fd = gr_pg_open_socket(engine->spare.pg, &socket.wants_write);
    return socket;
}
