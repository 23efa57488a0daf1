/*
 * making.c - streams that are made of another's rows: their rows are written in the transactions
 * that write those.
 *
 * Whatever a run that did not know of them has done to the other table is made up for first, all at
 * once.
 */
#include <stdlib.h>
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/time.h"
#include "gr/engine/engine.h"
#include "gr/sink/sql.h"

/* The stream that `made` is made from, where it is of this run. */
static struct gr_stream *
maker_of(const struct gr_stream *made)
{
    return gr_engine_stream(made->engine, made->plan->schema->made_from);
}

static bool
is_made_from(const struct gr_stream *made, const struct gr_stream *maker)
{
    const char *from = made->plan->schema->made_from;

    return from != NULL && strcmp(from, maker->plan->schema->stream) == 0 &&
           made->plan->mode != GR_MODE_DEFINITION_ONLY;
}

void
gr_making_begin(struct gr_stream *maker)
{
    for (size_t i = 0; i < maker->engine->count; i++)
        if (is_made_from(&maker->engine->streams[i], maker))
            maker->engine->streams[i].making.step = SIZE_MAX;
}

bool
gr_making_is_wanted(const struct gr_stream *maker)
{
    for (size_t i = 0; i < maker->engine->count; i++)
        if (is_made_from(&maker->engine->streams[i], maker))
            return true;
    return false;
}

void
gr_making_put(struct gr_stream *maker, struct gr_script *script, const int64_t *keys, size_t count)
{
    for (size_t i = 0; i < maker->engine->count; i++) {
        struct gr_stream *made = &maker->engine->streams[i];

        if (!made->is_open || !is_made_from(made, maker))
            continue;
        made->table.parent = &maker->table;
        made->making.step = gr_commit_made(script, &made->table, maker->table.name, keys, count);
    }
}

void
gr_making_committed(struct gr_stream *maker, const struct gr_script *script)
{
    for (size_t i = 0; i < maker->engine->count; i++) {
        struct gr_stream *made = &maker->engine->streams[i];

        if (is_made_from(made, maker) && made->making.step != SIZE_MAX)
            gr_stream_count(made, script, made->making.step);
    }
    gr_making_begin(maker);
}

/* --- the phase ------------------------------------------------------------------------------ */

/* The other table as this run, or another one, has it. */
static bool
find_from(struct gr_stream *made, struct gr_error *err)
{
    const char *from = made->plan->schema->made_from;
    struct gr_buf quoted = gr_buf_new(0);
    const char *schema, *table;
    bool exists;

    if (!gr_stream_find(made, from, &schema, &table, &exists, err))
        return false;
    if (!exists) {
        (void)gr_fail(err, GR_FAULT_DATA, "there is no table %s.%s, of which the rows are made",
                      schema, table);
        return gr_hint(err, "Run the stream %s first, or together with this one.", from);
    }
    gr_sql_name(&quoted, schema, table);
    made->parent_table = gr_buf_take(&quoted);
    gr_buf_printf(&quoted, "%s.%s", schema, table);
    made->making.from = gr_buf_take(&quoted);
    return true;
}

/* No run has written there since the last one that kept this stream along with it. */
static bool
find_whether_current(struct gr_stream *made, struct gr_error *err)
{
    const char *params[] = {made->table.object, made->making.from};
    GR_CLEANUP(gr_buf_free) struct gr_buf sql = gr_buf_new(0);
    struct gr_rows rows;

    gr_buf_printf(&sql,
                  "select from %s.streams as m join %s.streams as f on f.object = $2"
                  " where m.object = $1 and m.walk is not null and m.run_id >= f.run_id",
                  made->table.state, made->table.state);
    if (!gr_pg_query(made->engine->pg, gr_buf_text(&sql), params, 2, &rows, err))
        return false;
    made->making.is_current =
        rows.count > 0 && made->plan->mode == GR_MODE_INCREMENTAL && !made->table.was_created;
    gr_rows_free(&rows);
    return true;
}

static void
make_all(struct gr_stream *made)
{
    struct gr_script *script = gr_script_new(made->plan->name);

    made->table.parent = gr_stream_other(made, made->plan->schema->made_from);
    made->making.has_all = !made->making.is_current;
    made->making.is_sure = true;
    gr_stream_commit_state(made, script, NULL, GR_TIME_NONE, GR_TIME_NONE, GR_COMMIT_PLAIN);
    if (made->making.has_all)
        made->count_step = gr_commit_made(script, &made->table, made->parent_table, NULL, 0);
    made->report->activity = "makes its rows";
    gr_warehouse_start(made, script);
}

bool
gr_making_all_committed(struct gr_stream *made, const struct gr_script *script,
                        struct gr_error *err)
{
    (void)err;
    if (made->making.has_all)
        gr_stream_count(made, script, made->count_step);
    made->making.is_begun = true;
    return true;
}

bool
gr_phase_make(struct gr_stream *made, enum gr_phase *next, struct gr_error *err)
{
    const struct gr_stream *maker = maker_of(made);

    if (gr_warehouse_works_for(made) || (maker != NULL && maker->phase == GR_PHASE_OPEN))
        return true;
    if (!made->making.is_begun && !gr_warehouse_is_free(made->engine))
        return true;
    if (!made->making.is_begun && made->making.from == NULL &&
        (!find_from(made, err) || !find_whether_current(made, err)))
        return false;
    if (!made->making.is_begun && !made->engine->is_stopping) {
        make_all(made);
        return true;
    }
    made->report->activity = "goes along with what it is made from";
    if (maker == NULL || maker->phase == GR_PHASE_DONE)
        *next = GR_PHASE_CLOSE;
    return true;
}
