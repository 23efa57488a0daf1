/*
 * filling.c - the commit of a walk that fills its empty table. A COPY costs the backend as much to
 * begin and to end as some hundred rows, and rows are sent as they come: so it stays open while
 * pages come quickly, nobody else wants the warehouse, and a kill would not repeat more than it
 * may. What it has sent it does not keep: broken off, the walk reads its pages again.
 *
 * Where the backend is slower than the pages, there are two of them: a COPY ends as soon as enough
 * of it waits to be sent, and the next one is open in the other session meanwhile. They commit one
 * after the other, in the order of the pages.
 */
#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/engine/engine.h"

enum { HELD_MS = 5000 };

/* Moves the rows of pages that are whole. Where those of the page before have not gone yet, the
   backend is the slower one. While it has something to do, nobody is late. */
static void
extend(struct gr_stream *stream, struct gr_script *script)
{
    if (stream->batch.rows.len > 0) {
        if (gr_script_unsent(script) > 0 && stream->plan->pre_sql == NULL)
            gr_spare_want(stream->engine);
        gr_script_append(script, &stream->batch.rows);
    }
    if (gr_script_unsent(script) > 0)
        stream->starved_ms = gr_clock_ms();
}

void
gr_filling_begin(struct gr_stream *stream, struct gr_pg *pg)
{
    struct gr_script *script = gr_script_new(stream->plan->name);

    stream->batch.copy_step = gr_commit_fill(script, &stream->table);
    stream->batch.is_open = true;
    stream->held_ms = 0;
    extend(stream, script);
    gr_warehouse_start_fill(stream, script, pg);
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
is_ahead(const struct gr_stream *stream)
{
    return gr_script_unsent(stream->engine->fill.script) >= GR_AHEAD_BYTES;
}

static bool
must_end(const struct gr_stream *stream)
{
    const struct gr_engine *engine = stream->engine;

    return is_enough(stream) || engine->is_waited_for || engine->is_stopping ||
           stream->phase != GR_PHASE_WALK || stream->walk.is_done ||
           gr_walk_is_scan(&stream->walk) || gr_clock_ms() - stream->starved_ms >= GR_RELAX_MS ||
           (gr_spare_is_ready(engine) && is_ahead(stream));
}

/* False: another script has to come to its end before. */
static bool
end(struct gr_stream *stream)
{
    const struct gr_stream *parent = gr_walking_parent(stream);
    const struct gr_batch *batch = &stream->batch;
    struct gr_script *script = stream->engine->fill.script;

    if (!gr_warehouse_end_fill(stream->engine))
        return false;
    gr_stream_commit_state(stream, script, batch->walk, batch->bookmark_us, batch->clock_us,
                           gr_walking_commit_kind(stream));
    gr_commit_filled(script, &stream->table, batch->tuples, batch->tuple_count, stream->feeds,
                     stream->feed_count);
    if (parent != NULL && parent->report->deleted > 0)
        gr_commit_orphans(script, &stream->table, stream->parent_table);
    gr_walking_put_rest(stream, script);
    gr_script_copy_close(script);
    gr_warehouse_show(stream, script);
    return true;
}

/* The other script takes long. Perhaps it waits for a row of this one, by a key that came twice or
   by a trigger of the table's owner: then neither would ever end, and the server sees no circle. */
static void
wait_for_end(struct gr_stream *stream)
{
    int64_t now_ms = gr_clock_ms();

    if (stream->held_ms == 0)
        stream->held_ms = now_ms;
    if (now_ms - stream->held_ms < HELD_MS)
        return;
    gr_log(GR_LOG_INFO, stream->plan->name,
           "a commit takes long: lets go of what came behind it, and goes on with one session",
           NULL);
    gr_spare_retire(stream->engine);
    gr_walking_lost_session(stream);
}

void
gr_filling_step(struct gr_stream *stream)
{
    extend(stream, stream->engine->fill.script);
    if (!must_end(stream))
        stream->held_ms = 0;
    else if (!end(stream))
        wait_for_end(stream);
}

void
gr_filling_give_up(struct gr_stream *stream)
{
    if (!stream->batch.is_open)
        return;
    gr_script_give_up(stream->engine->fill.script);
    stream->batch.is_open = false;
}
