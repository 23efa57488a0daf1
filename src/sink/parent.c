/* parent.c - what a child stream does to its parent's table, and the queues that come of it. */
#include "ddl.h"
#include "gr/base/time.h"
#include "gr/sink/sql.h"
#include "merge.h"

void
gr_commit_queue_resolve(struct gr_script *script, const struct gr_table *table)
{
    int parent = gr_ddl_parent_column(table->stream);
    struct gr_buf of_rows GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    const char *params[] = {table->object, NULL};

    if (parent < 0 || table->types[parent] == NULL)
        return;
    gr_buf_printf(&of_rows, "%s%s", table->object, GR_QUEUE_OF_ROWS);
    params[1] = gr_buf_text(&of_rows);
    gr_buf_printf(&sql,
                  "with named as (delete from %s.queue where object = $2 returning key, v)\n"
                  "insert into %s.queue as q (object, key, v, reason)\nselect $1, ",
                  table->state, table->state);
    gr_merge_column("t", table->stream->columns[parent].name, &sql);
    gr_buf_printf(&sql,
                  ", case when count(*) = count(n.v) then max(n.v) end, 'event'"
                  " from named as n join %s as t on ",
                  table->name);
    gr_merge_column("t", table->stream->columns[0].name, &sql);
    gr_buf_puts(&sql, " = n.key where ");
    gr_merge_column("t", table->stream->columns[parent].name, &sql);
    gr_buf_puts(&sql, " is not null group by 2\n"
                      "on conflict (object, key) do update set v = excluded.v, seq = excluded.seq,"
                      " reason = excluded.reason, enqueued_at = excluded.enqueued_at\n"
                      "where (excluded.v >= q.v) is not false");
    (void)gr_script_sql(script, gr_buf_text(&sql), params, 2);
}

void
gr_commit_parents_gone(struct gr_script *script, const struct gr_table *table,
                       const char *parent_table, const int64_t *parents, size_t count)
{
    int parent = gr_ddl_parent_column(table->stream);
    struct gr_buf keys GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    const char *params[1];

    gr_sql_int_array(&keys, parents, count);
    params[0] = gr_buf_text(&keys);
    if (parent_table != NULL) {
        gr_buf_printf(&sql, "update %s as p set _deleted_at = now() where ", parent_table);
        gr_merge_column("p", gr_merge_parent_key(table), &sql);
        gr_buf_puts(&sql, " = any($1::bigint[]) and p._deleted_at is null");
        (void)gr_script_sql(script, gr_buf_text(&sql), params, 1);
        gr_buf_reset(&sql);
    }
    if (parent < 0 || table->types[parent] == NULL)
        return;
    gr_buf_printf(&sql, "update %s as t set _deleted_at = now() where ", table->name);
    gr_merge_column("t", table->stream->columns[parent].name, &sql);
    gr_buf_puts(&sql, " = any($1::bigint[]) and t._deleted_at is null");
    (void)gr_script_sql(script, gr_buf_text(&sql), params, 1);
}

void
gr_commit_orphans(struct gr_script *script, const struct gr_table *table, const char *parent_table)
{
    int parent = gr_ddl_parent_column(table->stream);
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    if (parent_table == NULL || parent < 0 || table->types[parent] == NULL)
        return;
    gr_buf_printf(&sql, "update %s as t set _deleted_at = p._deleted_at from %s as p where ",
                  table->name, parent_table);
    gr_merge_column("t", table->stream->columns[parent].name, &sql);
    gr_buf_puts(&sql, " = ");
    gr_merge_column("p", gr_merge_parent_key(table), &sql);
    gr_buf_puts(&sql, " and p._deleted_at is not null and t._deleted_at is null");
    (void)gr_script_sql(script, gr_buf_text(&sql), NULL, 0);
}

/* Fewer than so many are asked for without ado: the estimate would cost more than it can save. */
enum { REACH_MIN = 20, PAGE_ROWS = 100 };

size_t
gr_commit_queue_reach(struct gr_script *script, const struct gr_table *table,
                      const char *parent_table, int64_t walk_clock_us)
{
    const struct gr_plan_stream *stream = table->stream;
    const char *cursor = stream->columns[stream->cursor_column].name;
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    char clock[GR_TIME_TEXT];
    const char *params[] = {table->object, clock};

    gr_time_format(walk_clock_us, clock);
    gr_buf_puts(&sql, "with due as (select ");
    gr_merge_parent_value(table, "created_datetime", &sql);
    gr_buf_puts(&sql, "::timestamptz as at, greatest(1, ceil(coalesce(");
    gr_merge_parent_value(table, stream->schema->parent_count, &sql);
    gr_buf_printf(&sql, "::bigint, 1) / %d.0)) as cost from %s.queue as q join %s as p on ",
                  PAGE_ROWS, table->state, parent_table);
    gr_merge_column("p", gr_merge_parent_key(table), &sql);
    gr_buf_puts(&sql, " = q.key where q.object = $1 and q.v < $2::timestamptz),\n"
                      "points as (select at, cost, 0 as n from due where at is not null"
                      " union all select ");
    gr_merge_column("t", cursor, &sql);
    gr_buf_printf(&sql, ", 0, 1 from %s as t where (select count(*) from due) >= %d and ",
                  table->name, REACH_MIN);
    gr_merge_column("t", cursor, &sql);
    gr_buf_printf(&sql,
                  " >= (select min(at) from due)),\n"
                  "sums as (select at, sum(cost) over w as saved, ceil(sum(n) over w / %d.0) + 1 as"
                  " pages from points window w as (order by at desc))\n"
                  "select round(extract(epoch from at) * 1000000)::bigint, max(saved), max(pages)"
                  " from sums where (select count(*) from due) >= %d group by at"
                  " having max(saved) > max(pages) order by max(saved) - max(pages) desc, at desc"
                  " limit 1",
                  PAGE_ROWS, REACH_MIN);
    return gr_script_sql(script, gr_buf_text(&sql), params, 2);
}
