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

/* Of a stream that is yet to open, or opens again, nobody knows whom it will feed. */
bool
gr_stream_feeds(const struct gr_stream *feeder, const struct gr_stream *stream)
{
    if (feeder == stream)
        return false;
    if (!feeder->is_open || !stream->is_open)
        return feeder->phase == GR_PHASE_OPEN;
    for (size_t i = 0; i < feeder->feed_count; i++) {
        const char *object = feeder->feeds[i].object;
        size_t len = strlen(stream->table.object);

        if (strncmp(object, stream->table.object, len) == 0 &&
            (object[len] == '\0' || object[len] == GR_QUEUE_OF_ROWS[0]))
            return true;
    }
    return false;
}

/* It has come to where it neither asks nor writes. */
static bool
rests(const struct gr_stream *stream)
{
    return stream->phase >= GR_PHASE_CLOSE || stream->phase == GR_PHASE_SETTLE;
}

/* ... and will not do so any more unless it is fed. */
static bool
is_quiet(const struct gr_stream *stream)
{
    return stream->phase >= GR_PHASE_CLOSE ||
           (stream->phase == GR_PHASE_SETTLE && stream->rounds > 0 && !stream->is_fed &&
            !stream->is_settled && !gr_warehouse_works_for(stream) &&
            stream->queue_count < GR_QUEUE_BLOCK);
}

enum feeders { ALL_FEEDERS, BUT_CHILDREN };

bool
gr_stream_is_child(const struct gr_stream *stream, const struct gr_stream *parent)
{
    return stream->plan->schema->parent != NULL &&
           strcmp(stream->plan->schema->parent, parent->plan->schema->stream) == 0;
}

/* True if `holds` is true of every stream that feeds this one. */
static bool
do_all(const struct gr_stream *stream, enum feeders which, bool (*holds)(const struct gr_stream *))
{
    for (size_t i = 0; i < stream->engine->count; i++) {
        const struct gr_stream *other = &stream->engine->streams[i];

        if (gr_stream_feeds(other, stream) && !holds(other) &&
            (which == ALL_FEEDERS || !gr_stream_is_child(other, stream)))
            return false;
    }
    return true;
}

void
gr_settle_feed(struct gr_stream *feeder)
{
    for (size_t i = 0; i < feeder->engine->count; i++) {
        struct gr_stream *other = &feeder->engine->streams[i];

        if (gr_stream_feeds(feeder, other))
            other->is_fed = true;
    }
}

static bool
parent_has_walked(const struct gr_stream *stream)
{
    const char *parent = stream->plan->schema->parent;
    const struct gr_stream *other =
        parent != NULL ? gr_engine_stream(stream->engine, parent) : NULL;

    return other == NULL || other->phase == GR_PHASE_DONE || other->walk_is_over;
}

/* What has left nothing but children is told from what was never here once the children's walk has
   brought them. */
static bool
children_have_walked(const struct gr_stream *stream)
{
    for (size_t i = 0; i < stream->engine->count; i++) {
        const struct gr_stream *other = &stream->engine->streams[i];
        const char *parent = other->plan->schema->parent;

        if (parent != NULL && strcmp(parent, stream->plan->schema->stream) == 0 &&
            other->phase != GR_PHASE_DONE && !other->walk_is_over)
            return false;
    }
    return true;
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
    stream->is_fed = true;
    stream->rounds = 0;
    stream->queue_count = 0;
    stream->queue_seq = 0;
}

/* No list shows which rows there are: at first, and where all are to be read anew, each is asked
 * for. */
static bool
begins_with_all(const struct gr_stream *stream)
{
    return stream->plan->schema->walk == GR_WALK_NONE && stream->rounds == 1 &&
           (stream->table.is_empty || stream->plan->mode != GR_MODE_INCREMENTAL);
}

static void
settle(struct gr_stream *stream, bool is_new_round)
{
    const struct gr_schema *schema = stream->plan->schema;
    struct gr_script *script = gr_script_new(stream->plan->name);
    GR_CLEANUP(gr_free_var) char *walk = gr_walk_state_json(&stream->walk);

    gr_stream_commit_state(stream, script, walk, stream->walk.bookmark_us, stream->walk.clock_us,
                           GR_COMMIT_PLAIN);
    if (is_new_round && begins_with_all(stream))
        gr_commit_queue_all(script, &stream->table);
    if (is_new_round && schema->parent != NULL) {
        gr_commit_queue_resolve(script, &stream->table);
        gr_commit_queue_census(script, &stream->table, stream->parent_table,
                               may_settle(stream) ? stream->walk.read_since_us - GR_LATE_US
                                                  : GR_TIME_NONE,
                               stream->walk.floor_us);
    }
    if (stream->answer_count > 0)
        gr_commit_queue_answered(script, &stream->table, stream->answers, stream->answer_count);
    if (is_new_round && may_settle(stream))
        gr_commit_queue_settle(script, &stream->table, stream->parent_table,
                               stream->walk.read_since_us - GR_LATE_US, stream->walk.floor_us);
    if (is_new_round && (schema->ask == GR_ASK_IDS || schema->ask == GR_ASK_EXISTS) &&
        !stream->has_absent_child)
        gr_commit_queue_prune(script, &stream->table, gr_stream_child(stream));
    stream->reach_step = SIZE_MAX;
    if (may_reread(stream, is_new_round))
        stream->reach_step = gr_commit_queue_reach(script, &stream->table, stream->parent_table,
                                                   stream->walk.read_since_us - GR_LATE_US);
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

        stream->queue[i] =
            (struct gr_queue_entry){.key = gr_rows_int(rows, i, 0),
                                    .v_us = v != NULL ? strtoll(v, NULL, 10) : GR_TIME_NONE,
                                    .seq = gr_rows_int(rows, i, 2)};
        stream->queue_seq = stream->queue[i].seq;
    }
    stream->report->queue = (int64_t)rows->count;
    stream->reach_us = GR_TIME_NONE;
    if (stream->reach_step != SIZE_MAX && gr_script_rows(script, stream->reach_step)->count > 0)
        stream->reach_us = gr_rows_int(gr_script_rows(script, stream->reach_step), 0, 0);
    stream->is_settled = rows->count > 0 || stream->reach_us != GR_TIME_NONE;
    return true;
}

/* The first round begins when the parent's walk is over. A later one needs news, and begins when
   whoever feeds this stream rests: two streams can feed each other, a ticket its messages and a
   message the ticket that it has left. */
static bool
may_begin_round(const struct gr_stream *stream)
{
    if (!stream->is_fed || stream->rounds >= GR_ROUNDS_MAX || !children_have_walked(stream))
        return false;
    return stream->rounds == 0 ? parent_has_walked(stream) : do_all(stream, ALL_FEEDERS, rests);
}

static void
begin_settling(struct gr_stream *stream, bool is_new_round)
{
    if (!gr_warehouse_is_free(stream->engine))
        return;
    stream->report->activity = "settles its queue";
    stream->has_emptied = false;
    if (is_new_round) {
        stream->is_fed = false;
        stream->rounds++;
    }
    settle(stream, is_new_round);
}

/* What was read of the queue is drained, or answered by the list. */
static enum gr_phase
after_settling(struct gr_stream *stream)
{
    stream->is_settled = false;
    if (stream->reach_us == GR_TIME_NONE)
        return GR_PHASE_DRAIN;
    reread(stream);
    return GR_PHASE_WALK;
}

bool
gr_phase_settle(struct gr_stream *stream, enum gr_phase *next, struct gr_error *err)
{
    bool is_more = stream->queue_count == GR_QUEUE_BLOCK;

    (void)err;
    if (gr_warehouse_works_for(stream))
        return true;
    if (!gr_stream_has_queue(stream) || stream->engine->is_stopping) {
        *next = GR_PHASE_CLOSE;
    } else if (stream->is_settled) {
        *next = after_settling(stream);
    } else if (is_more || may_begin_round(stream)) {
        begin_settling(stream, !is_more);
    } else {
        /* What children may still say of a parent that they have left is a hint: without it the
           stream is as complete as its own list and the events make it. */
        stream->has_emptied = is_quiet(stream) && do_all(stream, BUT_CHILDREN, is_quiet);
        stream->report->activity = "waits for the streams that feed it";
        if ((stream->has_emptied && do_all(stream, ALL_FEEDERS, is_quiet)) ||
            stream->rounds >= GR_ROUNDS_MAX)
            *next = GR_PHASE_CLOSE;
    }
    return true;
}
