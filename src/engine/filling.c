/*
 * filling.c - the commit of a walk that fills its empty table. A COPY costs the backend as much to
 * begin and to end as some hundred rows, and rows are sent as they come: so it stays open while
 * pages come quickly, nobody else wants the warehouse, and a kill would not repeat more than it
 * may. What it has sent it does not keep: broken off, the walk reads its pages again.
 */
#include "gr/base/time.h"
#include "gr/engine/engine.h"

/* Moves the rows of pages that are whole. While the backend has something to do, nobody is late. */
static void
extend(struct gr_stream *stream, struct gr_script *script)
{
    if (stream->batch.rows.len > 0)
        gr_script_append(script, &stream->batch.rows);
    if (gr_script_unsent(script) > 0)
        stream->starved_ms = gr_clock_ms();
}

void
gr_filling_begin(struct gr_stream *stream)
{
    struct gr_script *script = gr_script_new(stream->plan->name);

    gr_commit_fence(script, &stream->table, stream->engine->run_id);
    stream->count_step = gr_commit_fill(script, &stream->table);
    stream->batch.is_open = stream->was_filled = true;
    extend(stream, script);
    gr_warehouse_start(stream, script);
    gr_filling_step(stream);
}

static bool
is_enough(const struct gr_stream *stream)
{
    int64_t rows = stream->batch.pages * stream->plan->schema->page_limit;
    int64_t limit = stream->plan->batch_limit_rows;

    return stream->batch.pages > gr_walking_most(stream) || (limit > 0 && rows >= limit);
}

static bool
must_end(const struct gr_stream *stream)
{
    return is_enough(stream) || stream->engine->is_waited_for || stream->engine->is_stopping ||
           stream->walk.is_done || gr_walk_is_scan(&stream->walk) ||
           gr_clock_ms() - stream->starved_ms >= GR_RELAX_MS;
}

void
gr_filling_step(struct gr_stream *stream)
{
    extend(stream, stream->engine->script);
    if (must_end(stream))
        gr_filling_end(stream);
}

void
gr_filling_end(struct gr_stream *stream)
{
    struct gr_script *script = stream->engine->script;
    const struct gr_stream *parent = gr_walking_parent(stream);
    const struct gr_batch *batch = &stream->batch;

    extend(stream, script);
    gr_stream_commit_state(stream, script, batch->walk, batch->bookmark_us, batch->clock_us,
                           gr_walking_commit_kind(stream));
    gr_commit_filled(script, &stream->table, batch->tuples, batch->tuple_count, stream->feeds,
                     stream->feed_count);
    if (parent != NULL && parent->report->deleted > 0)
        gr_commit_orphans(script, &stream->table, stream->parent_table);
    gr_walking_put_rest(stream, script);
    gr_script_copy_close(script);
    gr_warehouse_show(stream, script);
}
