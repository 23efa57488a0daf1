/* amend.c - what a person changes in the state of streams. */
#include "gr/sink/amend.h"

#include "gr/base/time.h"
#include "gr/sink/commit.h"
#include "gr/sink/sql.h"
#include "locks.h"

/* The next number of runs is above that of any run which still believes that it may commit. */
static size_t
put_amendment(struct gr_script *script, const struct gr_plan *plan,
              const struct gr_objects *objects, int64_t bookmark_us)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf schema GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf runs GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf names GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    char bookmark[GR_TIME_TEXT];
    const char *params[] = {NULL, NULL, NULL};

    gr_sql_ident(&schema, plan->state_schema);
    gr_sql_name(&runs, plan->state_schema, "runs");
    gr_sql_text_array(&names, objects->names, objects->count);
    gr_time_format(bookmark_us, bookmark);
    params[0] = gr_buf_text(&names);
    params[1] = bookmark_us == GR_TIME_NONE ? NULL : bookmark;
    params[2] = gr_buf_text(&runs);
    gr_buf_printf(
        &sql,
        "with former as (select object, bookmark from %s.streams"
        " where object = any($1::text[]) for update), next as"
        " (select nextval(pg_get_serial_sequence($3, 'run_id')) as fence)\n"
        "update %s.streams as s set fence = greatest(s.fence, next.fence),"
        " bookmark = $2::timestamptz, walk = null, audit = null, completed_at = null,"
        " updated_at = now()\n"
        "from former, next where s.object = former.object\n"
        "returning s.stream, round(extract(epoch from former.bookmark) * 1000000)::bigint,"
        " round(extract(epoch from s.bookmark) * 1000000)::bigint",
        gr_buf_text(&schema), gr_buf_text(&schema));
    return gr_script_sql(script, gr_buf_text(&sql), params, 3);
}

/* What a full walk has left goes; what is read by no walk is to be asked for anew. */
static void
begin_anew(struct gr_script *script, const struct gr_plan *plan,
           const struct gr_plan_stream *stream)
{
    struct gr_table table;

    gr_table_describe(stream, plan->state_schema, &table);
    gr_commit_scan_drop(script, &table);
    if (stream->schema->walk == GR_WALK_NONE && stream->schema->parent != NULL)
        gr_commit_queue_all(script, &table);
    gr_table_free(&table);
}

bool
gr_amend(struct gr_pg *pg, const struct gr_plan *plan, int64_t bookmark_us, struct gr_rows *out,
         struct gr_error *err)
{
    struct gr_script *script = gr_script_new("state");
    struct gr_objects objects;
    bool is_ok;

    gr_objects_of(plan, &objects);
    is_ok = gr_locks_take(pg, plan, &objects, err);
    if (is_ok) {
        size_t step = put_amendment(script, plan, &objects, bookmark_us);

        for (size_t i = 0; i < plan->count; i++)
            begin_anew(script, plan, &plan->streams[i]);
        is_ok = gr_script_run(script, pg, err);
        if (is_ok)
            gr_rows_copy(out, gr_script_rows(script, step));
        gr_locks_drop(pg, plan, &objects, SIZE_MAX);
    }
    gr_script_free(script);
    gr_objects_free(&objects);
    return is_ok;
}

static bool
judge_stream(const struct gr_plan_stream *stream, struct gr_error *err)
{
    if (stream->schema->walk == GR_WALK_FULL) {
        (void)gr_fail(err, GR_FAULT_USAGE, "stream \"%s\" keeps no bookmark", stream->name);
        return gr_hint(err, "Its endpoint cannot be asked for changes: each run reads all of it.");
    }
    if (stream->schema->walk == GR_WALK_NONE) {
        (void)gr_fail(err, GR_FAULT_USAGE, "stream \"%s\" keeps no bookmark", stream->name);
        return gr_hint(err, "Its rows come with those of %s: set that stream's.",
                       stream->schema->made_from != NULL ? stream->schema->made_from
                                                         : stream->schema->parent);
    }
    if (stream->mode != GR_MODE_INCREMENTAL) {
        (void)gr_fail(err, GR_FAULT_USAGE, "stream \"%s\" is of mode %s, which heeds no bookmark",
                      stream->name, gr_mode_name(stream->mode));
        return gr_hint(err, "Only runs of mode incremental go on from a bookmark.");
    }
    return true;
}

bool
gr_amend_may_set(struct gr_pg *pg, const struct gr_plan_stream *stream, struct gr_error *err)
{
    struct gr_buf name GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    const char *params[1];
    struct gr_rows rows = {0};
    bool has_rows;

    if (!judge_stream(stream, err))
        return false;
    gr_sql_name(&name, stream->table_schema, stream->table_name);
    params[0] = gr_buf_text(&name);
    if (!gr_pg_query(pg, "select where to_regclass($1) is not null", params, 1, &rows, err))
        return false;
    has_rows = rows.count > 0;
    gr_rows_free(&rows);
    if (has_rows) {
        gr_buf_printf(&sql, "select from %s limit 1", gr_buf_text(&name));
        if (!gr_pg_query(pg, gr_buf_text(&sql), NULL, 0, &rows, err))
            return false;
        has_rows = rows.count > 0;
        gr_rows_free(&rows);
    }
    if (has_rows)
        return true;
    (void)gr_fail(err, GR_FAULT_USAGE,
                  "the table of stream \"%s\" is empty, so the next run begins "
                  "at the anchor date whatever its bookmark says",
                  stream->name);
    return gr_hint(err, "Where a first run begins is set by anchor_date of the connection.");
}
