/* stream.c - the phases of a stream. */
#include "gr/engine/stream.h"

#include <assert.h>
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/engine/engine.h"

#define TO(phase) (1U << GR_PHASE_##phase)

/* clang-format off */
static const struct {
    const char *name;
    gr_phase_step *step;
    gr_phase_answer *answer;       /* of a request of one of its lanes   */
    gr_phase_committed *committed; /* its script                         */
    unsigned may_follow;
    const char *leaves;            /* what `kill -9` in it leaves behind */
} phases[GR_PHASE_COUNT] = {
    [GR_PHASE_OPEN]   = {"open",   gr_phase_open,   NULL,             NULL,
                         TO(MAKE) | TO(AUDIT) | TO(WALK) | TO(CLOSE),
                         "the table as it was, perhaps with new columns"},
    [GR_PHASE_MAKE]   = {"make",   gr_phase_make,   NULL,             gr_making_all_committed,
                         TO(CLOSE),
                         "the rows that are made of what the other stream has committed"},
    [GR_PHASE_AUDIT]  = {"audit",  gr_phase_audit,  NULL,             gr_auditing_committed,
                         TO(WALK) | TO(DRAIN) | TO(CLOSE),
                         "all that was found and repaired, and where the next audit goes on"},
    [GR_PHASE_WALK]   = {"walk",   gr_phase_walk,   gr_walking_answer,   gr_walking_committed,
                         TO(OPEN) | TO(FINISH) | TO(SETTLE) | TO(CLOSE),
                         "all committed pages, and where to go on; of a scan: its staging table"},
    [GR_PHASE_FINISH] = {"finish", gr_phase_finish, gr_finish_answer, gr_finish_committed,
                         TO(AUDIT) | TO(WALK) | TO(SETTLE) | TO(CLOSE),
                         "the table as before the scan, and its staging table"},
    [GR_PHASE_SETTLE] = {"settle", gr_phase_settle, NULL,             gr_settle_committed,
                         TO(WALK) | TO(DRAIN) | TO(CLOSE),
                         "the walk's rows and bookmark; the queue, perhaps shortened"},
    [GR_PHASE_DRAIN]  = {"drain",  gr_phase_drain,  gr_drain_answer,  gr_drain_committed,
                         TO(AUDIT) | TO(SETTLE),
                         "every answered entry with its rows; the others in the queue"},
    [GR_PHASE_CLOSE]  = {"close",  gr_phase_close,  NULL,             NULL,
                         TO(DONE),
                         "everything but the stream's totals, perhaps post_sql"},
    [GR_PHASE_DONE]   = {"done",   NULL,            NULL,             NULL,
                         0,
                         "the finished stream"},
};
/* clang-format on */

const char *
gr_phase_name(enum gr_phase phase)
{
    return phase >= 0 && phase < GR_PHASE_COUNT ? phases[phase].name : "?";
}

void
gr_phases_reference(struct gr_buf *out)
{
    gr_buf_puts(out,
                "# Phases of a stream\n\nPrinted by `gorgias-replicate reference phases` from "
                "the table of `src/engine/stream.c`.\n\n"
                "| phase | goes on to | what `kill -9` there leaves behind |\n|---|---|---|\n");
    for (int i = 0; i < GR_PHASE_COUNT; i++) {
        const char *between = "";

        gr_buf_printf(out, "| %s | ", phases[i].name);
        for (int j = 0; j < GR_PHASE_COUNT; j++) {
            if ((phases[i].may_follow & (1U << j)) == 0)
                continue;
            gr_buf_printf(out, "%s%s", between, phases[j].name);
            between = ", ";
        }
        gr_buf_printf(out, " | %s |\n", phases[i].leaves);
    }
}

void
gr_stream_end(struct gr_stream *stream, enum gr_status status)
{
    stream->phase = GR_PHASE_DONE;
    stream->report->status = status;
    stream->report->activity = "";
    stream->report->ended_ms = gr_clock_ms();
    for (size_t i = 0; i < stream->engine->lane_count; i++)
        gr_lane_reset(&stream->lanes[i]);
    if (stream->engine->scout != NULL && stream->engine->scout->stream == stream)
        stream->engine->scout = NULL;
}

void
gr_stream_fail(struct gr_stream *stream, const struct gr_error *err)
{
    if (gr_fault_facts(err->fault)->scope == GR_SCOPE_RUN)
        gr_engine_fail(stream->engine, err);
    if (stream->phase == GR_PHASE_DONE)
        return;
    if (gr_fault_facts(err->fault)->scope != GR_SCOPE_RUN)
        gr_log_error(GR_LOG_ERROR, stream->plan->name, err);
    stream->report->error = *err;
    stream->has_closed = false; /* its totals are yet to be written */
    gr_stream_end(stream, GR_STATUS_FAILED);
}

void
gr_stream_stop(struct gr_stream *stream)
{
    if (stream->phase == GR_PHASE_DONE)
        return;
    for (size_t i = 0; i < stream->engine->lane_count; i++) {
        struct gr_lane *lane = &stream->lanes[i];

        /* What a lane holds is whole and is still committed; what is on its way is let go. */
        if (lane->state == GR_LANE_READY || lane->state == GR_LANE_FLIGHT)
            gr_lane_reset(lane);
    }
    if (stream->phase == GR_PHASE_OPEN)
        gr_stream_end(stream, GR_STATUS_STOPPED);
}

void
gr_stream_step(struct gr_stream *stream)
{
    while (stream->phase != GR_PHASE_DONE) {
        enum gr_phase next = stream->phase;
        struct gr_error err;

        if (!phases[stream->phase].step(stream, &next, &err)) {
            gr_stream_fail(stream, &err);
            return;
        }
        if (next == stream->phase)
            return;
        assert((phases[stream->phase].may_follow & (1U << next)) != 0);
        gr_log(GR_LOG_DEBUG, stream->plan->name, "phase", "from", phases[stream->phase].name, "to",
               phases[next].name, NULL);
        stream->phase = next;
    }
}

bool
gr_stream_answer(struct gr_lane *lane, struct gr_http_response *response,
                 const struct gr_error *fault, struct gr_error *err)
{
    gr_phase_answer *answer = phases[lane->stream->phase].answer;

    if (answer == NULL)
        return gr_fail(err, GR_FAULT_BUG, "a response came in phase %s",
                       gr_phase_name(lane->stream->phase));
    return answer(lane, response, fault, err);
}

bool
gr_stream_committed(struct gr_stream *stream, const struct gr_script *script, struct gr_error *err)
{
    gr_phase_committed *committed = phases[stream->phase].committed;

    if (committed != NULL && !committed(stream, script, err))
        return false;
    gr_making_committed(stream, script);
    return true;
}

void
gr_stream_count(struct gr_stream *stream, const struct gr_script *script, size_t step)
{
    struct gr_counts counts = gr_commit_counts(script, step);

    stream->report->inserted += counts.inserted;
    stream->report->updated += counts.updated;
    stream->report->unchanged += counts.unchanged;
    stream->report->deleted += counts.deleted;
    if (counts.inserted + counts.updated + counts.deleted > 0)
        gr_settle_feed(stream);
}

const struct gr_table *
gr_stream_child(const struct gr_stream *stream)
{
    for (size_t i = 0; i < stream->engine->count; i++) {
        const struct gr_stream *other = &stream->engine->streams[i];

        if (other->is_open && other->plan->schema->parent != NULL &&
            strcmp(other->plan->schema->parent, stream->plan->schema->stream) == 0)
            return &other->table;
    }
    return NULL;
}

const char *
gr_stream_activity(const struct gr_stream *stream, int64_t now_ms)
{
    const char *waiting = NULL;

    if (gr_warehouse_works_for(stream))
        return "commits";
    for (size_t i = 0; i < stream->engine->lane_count; i++) {
        const struct gr_lane *lane = &stream->lanes[i];

        if (lane->state == GR_LANE_FLIGHT)
            return "waits for the source";
        if (lane->state == GR_LANE_READY)
            waiting = lane->ready_ms > now_ms ? "pauses after a fault" : "waits for the API budget";
        if (lane->state == GR_LANE_HELD)
            waiting = "waits for the warehouse";
    }
    if (waiting == NULL && stream->batch.pages > 0)
        waiting = "waits for the warehouse";
    return waiting != NULL ? waiting : stream->report->activity;
}

void
gr_stream_commit_state(struct gr_stream *stream, struct gr_script *script, const char *walk,
                       int64_t bookmark_us, int64_t clock_us, enum gr_commit_kind kind)
{
    gr_making_begin(stream);
    if (stream->plan->schema->made_from != NULL)
        walk = stream->making.is_sure ? "{\"made\": true}" : NULL;
    if (gr_stream_is_audit(stream)) {
        gr_auditing_commit_state(stream, script, walk, stream->auditing.after);
        return;
    }
    gr_commit_state(script, &stream->table,
                    &(struct gr_commit_state){.run_id = stream->engine->run_id,
                                              .bookmark_us = bookmark_us,
                                              .walk = walk,
                                              .source = stream->engine->plan->source.base_url,
                                              .mode = gr_mode_name(stream->plan->mode),
                                              .source_clock_us =
                                                  stream->plan->has_range ? GR_TIME_NONE : clock_us,
                                              .is_complete = kind == GR_COMMIT_COMPLETE,
                                              .is_relaxed = kind == GR_COMMIT_RELAXED});
}

void
gr_stream_free(struct gr_stream *stream)
{
    for (size_t i = 0; i < stream->engine->lane_count; i++)
        gr_lane_reset(&stream->lanes[i]);
    gr_free(stream->lanes);
    gr_opening_undo(stream);
    gr_walk_free(&stream->walk);
    gr_walking_free(stream);
    gr_free(stream->finishing.missing);
    gr_free(stream->finishing.gone);
    for (size_t i = 0; i < stream->finishing.keep_count; i++)
        gr_free(stream->finishing.keep[i]);
    gr_free(stream->finishing.keep);
    gr_free(stream->auditing.kept);
    gr_free(stream->making.from);
    gr_free(stream->queue);
    gr_free(stream->answers);
    gr_free(stream->page_tuples);
    for (size_t i = 0; i < stream->new_field_count; i++)
        gr_free(stream->new_fields[i]);
    gr_free(stream->new_fields);
}
