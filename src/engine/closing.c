/* closing.c - the phase in which the stream's totals are written. */
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/engine/engine.h"

/* Everything that was to be done for the stream has been done. */
static bool
is_whole(const struct gr_stream *stream)
{
    if (stream->is_fresh || stream->plan->mode == GR_MODE_DEFINITION_ONLY)
        return true;
    if (gr_stream_is_audit(stream))
        return stream->report->audit.is_over;
    if (stream->plan->schema->made_from != NULL)
        return stream->making.is_begun;
    return stream->walk.is_done && !stream->walk.scan.is_active &&
           (!gr_stream_has_queue(stream) || stream->has_emptied);
}

/* Everything is there up to the moment when the walk began: not so after a part of the rows. */
static bool
is_complete(const struct gr_stream *stream)
{
    return stream->is_whole && !stream->is_fresh && stream->report->error.fault == GR_OK &&
           !stream->walk.is_stopped && !stream->plan->has_range &&
           stream->plan->mode != GR_MODE_DEFINITION_ONLY;
}

/* A part of the rows has no beginning, and what is always read in full needs none. */
static void
put_anchor(const struct gr_stream *stream, struct gr_script *script)
{
    int64_t anchor_us = gr_walk_anchor(&stream->walk, stream->anchor_us);

    if (anchor_us != stream->anchor_us && stream->is_whole && !stream->is_fresh &&
        !stream->walk.is_stopped && stream->report->error.fault == GR_OK &&
        stream->plan->mode != GR_MODE_DEFINITION_ONLY && !gr_stream_is_audit(stream) &&
        stream->plan->schema->walk != GR_WALK_FULL)
        gr_commit_anchor(script, &stream->table, anchor_us);
}

static enum gr_status
final_status(const struct gr_stream *stream)
{
    if (stream->report->error.fault != GR_OK)
        return GR_STATUS_FAILED;
    if (stream->engine->is_stopping && !stream->is_whole)
        return GR_STATUS_STOPPED;
    return GR_STATUS_SUCCEEDED;
}

void
gr_stream_totals(const struct gr_stream *stream, enum gr_status status,
                 struct gr_stream_totals *totals)
{
    const struct gr_stream_report *report = stream->report;

    *totals = (struct gr_stream_totals){.status = gr_status_name(status),
                                        .rows_read = report->rows_read,
                                        .inserted = report->inserted,
                                        .updated = report->updated,
                                        .unchanged = report->unchanged,
                                        .deleted = report->deleted,
                                        .rejected = report->rejected,
                                        .requests = report->requests,
                                        .pages = report->pages,
                                        .bytes = report->bytes};
    if (report->error.fault != GR_OK) {
        totals->error = report->error.message;
        totals->hint = report->error.hint[0] != '\0' ? report->error.hint : NULL;
    }
}

bool
gr_phase_close(struct gr_stream *stream, enum gr_phase *next, struct gr_error *err)
{
    struct gr_engine *engine = stream->engine;
    enum gr_status status;
    struct gr_stream_totals totals;
    GR_CLEANUP(gr_free_var) char *walk = NULL;
    struct gr_script *script;

    if (stream->has_closed && !gr_warehouse_works_for(stream)) {
        if (is_complete(stream) && !gr_stream_is_audit(stream))
            stream->report->as_of_us =
                stream->walk.clock_us != GR_TIME_NONE ? stream->walk.clock_us : gr_clock_us();
        gr_stream_end(stream, final_status(stream));
        *next = GR_PHASE_DONE;
        return true;
    }
    if (stream->has_closed || !gr_warehouse_is_quiet(engine))
        return true;
    stream->is_whole = is_whole(stream);
    status = final_status(stream);
    if (stream->plan->post_sql != NULL && !stream->is_fresh && status == GR_STATUS_SUCCEEDED &&
        !gr_stream_sql(stream, "post_sql", stream->plan->post_sql, err)) {
        if (err->fault != GR_FAULT_LOST)
            return false;
        gr_log_error(GR_LOG_WARN, stream->plan->name, err);
        return gr_warehouse_reconnect(engine, err); /* and once more */
    }
    script = gr_script_new(stream->plan->name);
    /* What a stop has kept from being answered, the next run answers by what was read. */
    if (stream->is_whole || !engine->is_stopping)
        gr_walk_settled(&stream->walk);
    walk = gr_walk_state_json(&stream->walk);
    gr_stream_commit_state(stream, script, walk, stream->walk.bookmark_us,
                           stream->walk.scan.is_active ? GR_TIME_NONE : stream->walk.clock_us,
                           is_complete(stream) ? GR_COMMIT_COMPLETE : GR_COMMIT_PLAIN);
    put_anchor(stream, script);
    gr_stream_totals(stream, status, &totals);
    gr_commit_stream_run(script, &stream->table, engine->run_id, &totals);
    stream->has_closed = true;
    gr_warehouse_start(stream, script);
    return true;
}
