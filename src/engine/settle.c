/*
 * settle.c - the queue of a stream before it is drained: entries that the walk of this run has
 * answered are removed, and the next block of the others is read.
 */
#include <stdlib.h>
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/engine/engine.h"

bool
gr_stream_has_queue(const struct gr_stream *stream)
{
    enum gr_mode mode = stream->plan->mode;

    return stream->plan->schema->ask != GR_ASK_NONE && !stream->walk.is_stopped &&
           !stream->plan->has_range &&
           (mode == GR_MODE_INCREMENTAL || mode == GR_MODE_FULL_REFRESH ||
            mode == GR_MODE_TRUNCATE);
}

bool
gr_stream_feeds(const struct gr_stream *feeder, const struct gr_stream *stream)
{
    for (size_t i = 0; i < feeder->feed_count; i++) {
        size_t len = strlen(stream->table.object);

        if (strncmp(feeder->feeds[i].object, stream->table.object, len) == 0)
            return feeder != stream;
    }
    return false;
}

/* Feeders that have not ended may still name rows; of the parent only the walk is waited for. */
static bool
feeders_have_ended(const struct gr_stream *stream)
{
    for (size_t i = 0; i < stream->engine->count; i++) {
        const struct gr_stream *other = &stream->engine->streams[i];

        if (other->phase != GR_PHASE_DONE && gr_stream_feeds(other, stream))
            return false;
    }
    return true;
}

static bool
parent_has_walked(const struct gr_stream *stream)
{
    const char *parent = stream->plan->schema->parent;
    const struct gr_stream *other =
        parent != NULL ? gr_engine_stream(stream->engine, parent) : NULL;

    return other == NULL || other->phase == GR_PHASE_DONE || other->walk_is_over;
}

/* A row in the table was not always read by this run's walk; one that a question must answer for
   being there at all may be settled only where the walk has filled the table from nothing. */
static bool
may_settle(const struct gr_stream *stream)
{
    enum gr_ask ask = stream->plan->schema->ask;

    if (stream->walk.read_since_us == GR_TIME_NONE)
        return false;
    return ask == GR_ASK_PARENT || ask == GR_ASK_OBJECT || stream->table.was_created;
}

/* A long queue is answered by walking through all rows once more, where that costs less. */
static bool
may_reread(const struct gr_stream *stream, bool is_new_round)
{
    const struct gr_schema *schema = stream->plan->schema;

    return is_new_round && !stream->has_reread && schema->ask == GR_ASK_PARENT &&
           schema->walk == GR_WALK_NEWEST_FIRST && schema->parent_count != NULL &&
           stream->parent_table != NULL && stream->plan->cursor_column >= 0 &&
           !gr_walk_is_scan(&stream->walk) && stream->walk.read_since_us != GR_TIME_NONE;
}

static void
reread(struct gr_stream *stream)
{
    char floor[GR_TIME_TEXT];

    gr_time_format(stream->reach_us, floor);
    gr_log(GR_LOG_INFO, stream->plan->name,
           "reads the list once more: fewer requests than asking for each entry of the queue",
           "down_to", floor, NULL);
    gr_walk_reread(&stream->walk, stream->reach_us);
    stream->has_reread = true;
    stream->reach_us = GR_TIME_NONE;
    /* The queue is settled anew afterwards, from its beginning. */
    stream->has_drained = false;
    stream->queue_count = 0;
    stream->queue_seq = 0;
}

static void
settle(struct gr_stream *stream, bool is_new_round)
{
    const struct gr_schema *schema = stream->plan->schema;
    struct gr_script *script = gr_script_new(stream->plan->name);
    GR_CLEANUP(gr_free_var) char *walk = gr_walk_state_json(&stream->walk);

    gr_stream_commit_state(stream, script, walk, stream->walk.bookmark_us, stream->walk.clock_us,
                           false);
    if (is_new_round && schema->ask == GR_ASK_PARENT)
        gr_commit_queue_resolve(script, &stream->table);
    if (is_new_round && may_settle(stream))
        gr_commit_queue_settle(script, &stream->table, stream->parent_table,
                               stream->walk.read_since_us, stream->walk.floor_us);
    if (is_new_round && (schema->ask == GR_ASK_IDS || schema->ask == GR_ASK_EXISTS))
        gr_commit_queue_prune(script, &stream->table, gr_stream_child(stream));
    stream->reach_step = SIZE_MAX;
    if (may_reread(stream, is_new_round))
        stream->reach_step = gr_commit_queue_reach(script, &stream->table, stream->parent_table,
                                                   stream->walk.read_since_us);
    stream->rows_step =
        gr_commit_queue_next(script, &stream->table, stream->queue_seq, GR_QUEUE_BLOCK);
    gr_warehouse_start(stream, script);
}

bool
gr_settle_committed(struct gr_stream *stream, const struct gr_script *script, struct gr_error *err)
{
    const struct gr_rows *rows = gr_script_rows(script, stream->rows_step);

    (void)err;
    gr_free(stream->queue);
    stream->queue = gr_alloc(rows->count, sizeof(stream->queue[0]));
    stream->queue_count = rows->count;
    stream->queue_next = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const char *v = gr_rows_text(rows, i, 1);

        stream->queue[i] = (struct gr_queue_entry){
            .key = gr_rows_int(rows, i, 0),
            .v_us = v != NULL ? strtoll(v, NULL, 10) : GR_TIME_NONE,
            .seq = gr_rows_int(rows, i, 2)};
        stream->queue_seq = stream->queue[i].seq;
    }
    stream->report->queue = (int64_t)rows->count;
    stream->is_settled = true;
    stream->reach_us = GR_TIME_NONE;
    if (stream->reach_step != SIZE_MAX && gr_script_rows(script, stream->reach_step)->count > 0)
        stream->reach_us = gr_rows_int(gr_script_rows(script, stream->reach_step), 0, 0);
    return true;
}

bool
gr_phase_settle(struct gr_stream *stream, enum gr_phase *next, struct gr_error *err)
{
    bool feeders_ended = feeders_have_ended(stream);
    bool is_more = stream->queue_count == GR_QUEUE_BLOCK;

    (void)err;
    if (!gr_stream_has_queue(stream) || stream->engine->is_stopping) {
        if (!stream->has_script)
            *next = GR_PHASE_CLOSE;
        return true;
    }
    if (stream->is_settled) {
        stream->is_settled = false;
        if (stream->reach_us != GR_TIME_NONE) {
            reread(stream);
            *next = GR_PHASE_WALK;
            return true;
        }
        stream->has_emptied = stream->queue_count == 0 && stream->is_last_round;
        *next = stream->queue_count > 0 ? GR_PHASE_DRAIN
                : stream->is_last_round ? GR_PHASE_CLOSE
                                        : GR_PHASE_SETTLE;
        return true;
    }
    if (stream->has_script)
        return true;
    /* The first round begins when the parent's walk is over, the last when nobody feeds any more. */
    if (!is_more && !feeders_ended && (stream->has_drained || !parent_has_walked(stream))) {
        stream->report->activity = "waits for the streams that feed it";
        return true;
    }
    if (!gr_warehouse_is_free(stream->engine))
        return true;
    stream->report->activity = "settles its queue";
    stream->is_last_round = is_more ? stream->is_last_round : feeders_ended;
    stream->has_drained = true;
    settle(stream, !is_more);
    return true;
}
