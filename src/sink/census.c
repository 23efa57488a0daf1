/*
 * census.c - the queue of children whose parents are copied straight into an empty table. A child
 * that the replication runs gets an entry for each. Else nobody asks for now, and one entry stands
 * for all of them: when the child's first walk is over, it becomes one for each parent that this
 * has left open.
 */
#include <inttypes.h>
#include <stddef.h>

#include "gr/base/time.h"
#include "gr/sink/sql.h"
#include "ddl.h"
#include "merge.h"

/* Of no object: ids begin at 1. */
#define ALL_PARENTS "0"

/* Keys, and values as {...,null,...}: microseconds since 1970. */
static void
put_arrays(const struct gr_tuple *tuples, size_t count, struct gr_buf *keys, struct gr_buf *values)
{
    gr_buf_putc(keys, '{');
    gr_buf_putc(values, '{');
    for (size_t i = 0; i < count; i++) {
        gr_buf_printf(keys, "%s%" PRId64, i == 0 ? "" : ",", tuples[i].key);
        gr_buf_puts(values, i == 0 ? "" : ",");
        if (tuples[i].value_us == GR_TIME_NONE)
            gr_buf_puts(values, "null");
        else
            gr_buf_printf(values, "%" PRId64, tuples[i].value_us);
    }
    gr_buf_putc(keys, '}');
    gr_buf_putc(values, '}');
}

void
gr_queue_feed_filled(struct gr_script *script, const struct gr_table *table,
                     const struct gr_feed *feed, const struct gr_tuple *tuples, size_t count)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf keys GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf values GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    const char *params[] = {feed->object, feed->reason, NULL, NULL};

    put_arrays(tuples, count, &keys, &values);
    params[2] = gr_buf_text(&keys);
    params[3] = gr_buf_text(&values);
    gr_buf_printf(&sql,
                  "insert into %s.queue as q (object, key, v, reason) select $1, k,"
                  " 'epoch'::timestamptz + v * interval '1 microsecond', $2"
                  " from unnest($3::bigint[], $4::bigint[]) as f (k, v) on conflict (object, key)"
                  " do update set v = excluded.v, seq = excluded.seq, reason = excluded.reason,"
                  " enqueued_at = excluded.enqueued_at where (excluded.v >= q.v) is not false",
                  table->state);
    (void)gr_script_sql(script, gr_buf_text(&sql), params, 4);
}

static void
put_all(struct gr_script *script, const struct gr_table *table, const char *object)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    gr_buf_printf(&sql,
                  "insert into %s.queue (object, key, reason) values ($1, " ALL_PARENTS ", 'all')"
                  " on conflict do nothing",
                  table->state);
    (void)gr_script_sql(script, gr_buf_text(&sql), &object, 1);
}

void
gr_queue_feed_all(struct gr_script *script, const struct gr_table *table,
                  const struct gr_feed *feed)
{
    put_all(script, table, feed->object);
}

void
gr_commit_queue_all(struct gr_script *script, const struct gr_table *table)
{
    put_all(script, table, table->object);
}

/* and not (the walk has read all that there is of the parent), as in gr_commit_queue_settle */
static void
put_open(const struct gr_table *table, struct gr_buf *sql)
{
    gr_buf_puts(sql, " and (");
    gr_merge_column("p", gr_merge_parent_cursor(table), sql);
    gr_buf_puts(sql, " < $2::timestamptz and ");
    gr_merge_parent_value(table, table->stream->schema->parent_count, sql);
    gr_buf_puts(sql, "::bigint = case when c.k is null then 0 else c.n end) is not true");
}

/* with due (the entry), counted (alive rows of each parent; null where some lie below the floor) */
static void
put_counts(const struct gr_table *table, size_t parent, bool has_walked, struct gr_buf *sql)
{
    const struct gr_plan_stream *stream = table->stream;

    gr_buf_printf(sql,
                  "with due as (delete from %s.queue where object = $1 and key = " ALL_PARENTS
                  " returning 1), counted as (select ",
                  table->state);
    gr_merge_column("t", stream->columns[parent].name, sql);
    gr_buf_puts(sql, " as k, ");
    if (has_walked) {
        gr_buf_puts(sql, "case when bool_and(");
        gr_merge_column("t", stream->columns[stream->cursor_column].name, sql);
        gr_buf_puts(sql, " >= $3::timestamptz) is not false then count(*) end as n");
    } else {
        gr_buf_puts(sql, "count(*) as n");
    }
    gr_buf_printf(sql,
                  " from %s as t where t._deleted_at is null and exists (select from due)"
                  " group by 1)\n",
                  table->name);
}

void
gr_commit_queue_census(struct gr_script *script, const struct gr_table *table,
                       const char *parent_table, int64_t walk_clock_us, int64_t floor_us)
{
    int parent = gr_ddl_parent_column(table->stream);
    int own_cursor = table->stream->cursor_column;
    const char *cursor = gr_merge_parent_cursor(table);
    bool has_walked = walk_clock_us != GR_TIME_NONE && cursor != NULL && own_cursor >= 0 &&
                      table->types[own_cursor] != NULL &&
                      table->stream->schema->parent_count != NULL;
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    char clock[GR_TIME_TEXT] = "-infinity";
    char lowest[GR_TIME_TEXT] = "-infinity";
    const char *params[] = {table->object, clock, lowest};

    if (parent_table == NULL || parent < 0 || table->types[parent] == NULL) {
        gr_buf_printf(&sql, "delete from %s.queue where object = $1 and key = " ALL_PARENTS,
                      table->state);
        (void)gr_script_sql(script, gr_buf_text(&sql), params, 1);
        return;
    }
    if (walk_clock_us != GR_TIME_NONE)
        gr_time_format(walk_clock_us, clock);
    if (floor_us != GR_TIME_NONE)
        gr_time_format(floor_us, lowest);
    put_counts(table, (size_t)parent, has_walked, &sql);
    gr_buf_printf(&sql, "insert into %s.queue as q (object, key, v, reason)\nselect $1, ",
                  table->state);
    gr_merge_column("p", gr_merge_parent_key(table), &sql);
    gr_buf_puts(&sql, ", ");
    if (cursor != NULL)
        gr_merge_column("p", cursor, &sql);
    else
        gr_buf_puts(&sql, "null::timestamptz");
    gr_buf_printf(&sql, ", 'changed' from %s as p left join counted as c on c.k = ", parent_table);
    gr_merge_column("p", gr_merge_parent_key(table), &sql);
    gr_buf_puts(&sql, " where exists (select from due) and p._deleted_at is null");
    if (has_walked)
        put_open(table, &sql);
    gr_buf_puts(&sql, " on conflict do nothing");
    (void)gr_script_sql(script, gr_buf_text(&sql), params, has_walked ? 3 : 1);
}
