/* set.c - the complete sets of children of a parent, and objects that are gone. */
#include "ddl.h"
#include "gr/sink/sql.h"
#include "merge.h"

void
gr_commit_set_page(struct gr_script *script, const struct gr_table *table, struct gr_buf *copy)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    gr_merge_copy_sql(table, table->set_staging, &sql);
    if (copy->len > 0)
        (void)gr_script_copy(script, gr_buf_text(&sql), copy);
}

/* Temporary tables are vacuumed by nobody: the dead rows of finished sets go when none is alive. */
static void
empty(struct gr_script *script, const struct gr_table *table)
{
    struct gr_buf body GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    gr_buf_printf(&body, "begin if not exists (select from %s) then truncate table %s; end if; end",
                  table->set_staging, table->set_staging);
    gr_buf_puts(&sql, "do ");
    gr_sql_literal(&sql, gr_buf_text(&body));
    (void)gr_script_sql(script, gr_buf_text(&sql), NULL, 0);
}

void
gr_commit_set_forget(struct gr_script *script, const struct gr_table *table, const int64_t *parents,
                     size_t count)
{
    int parent = gr_ddl_parent_column(table->stream);
    struct gr_buf keys GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    const char *params[1];

    if (parent < 0)
        return;
    gr_sql_int_array(&keys, parents, count);
    params[0] = gr_buf_text(&keys);
    gr_buf_printf(&sql, "delete from %s as s where ", table->set_staging);
    gr_merge_column("s", table->stream->columns[parent].name, &sql);
    gr_buf_puts(&sql, " = any($1::bigint[])");
    (void)gr_script_sql(script, gr_buf_text(&sql), params, 1);
    empty(script, table);
}

size_t
gr_commit_set_finish(struct gr_script *script, const struct gr_table *table, const int64_t *parents,
                     size_t count, const int64_t *whole, size_t whole_count,
                     const char *parent_table, const struct gr_feed *feeds, size_t feed_count)
{
    struct merge merge = {
        .table = table,
        .staging = table->set_staging,
        .parents = "$1",
        .whole_parents = "$2",
        .finds_gone = true,
        .parent_table = parent_table,
        .feeds = feeds,
        .feed_count = feed_count,
    };
    struct gr_buf keys GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf whole_keys GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    const char *params[2];
    size_t step;

    gr_sql_int_array(&keys, parents, count);
    gr_sql_int_array(&whole_keys, whole, whole_count);
    params[0] = gr_buf_text(&keys);
    params[1] = gr_buf_text(&whole_keys);
    gr_merge_sql(&merge, &sql);
    step = gr_script_sql(script, gr_buf_text(&sql), params, 2);
    gr_commit_set_forget(script, table, parents, count);
    return step;
}

/* with `name` as (delete or mark the rows whose `column` is among $1) */
static void
put_gone(const struct gr_table *table, size_t column, const char *name, struct gr_buf *sql)
{
    bool is_hard = table->stream->missing == GR_MISSING_HARD;

    gr_buf_printf(sql, "%s as (\n%s %s as t%s where ", name, is_hard ? "delete from" : "update",
                  table->name, is_hard ? "" : " set _deleted_at = now()");
    gr_merge_column("t", table->stream->columns[column].name, sql);
    gr_buf_printf(sql, " = any($1::bigint[])%s returning 1)",
                  is_hard ? "" : " and t._deleted_at is null");
}

/* The children are in nobody's hands now: their stream will ask for them, and find them gone. */
static void
put_gone_feed(const struct gr_table *table, const struct gr_feed *feed, size_t number,
              struct gr_buf *sql)
{
    gr_buf_printf(sql, ", fed%zu as (\ninsert into %s.queue (object, key, reason) select ", number,
                  table->state);
    gr_sql_literal(sql, feed->object);
    gr_buf_puts(sql,
                ", k, 'gone' from unnest($1::bigint[]) as k on conflict (object, key) do update"
                " set v = null, seq = excluded.seq, reason = excluded.reason,"
                " enqueued_at = excluded.enqueued_at)");
}

size_t
gr_commit_gone(struct gr_script *script, const struct gr_table *table, const int64_t *keys,
               size_t count, const struct gr_table *child, const struct gr_feed *feeds,
               size_t feed_count)
{
    int parent = child == NULL ? -1 : gr_ddl_parent_column(child->stream);
    bool has_children = parent >= 0 && child->types[parent] != NULL;
    struct gr_buf list GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    const char *params[1];

    gr_sql_int_array(&list, keys, count);
    params[0] = gr_buf_text(&list);
    gr_buf_puts(&sql, "with ");
    put_gone(table, 0, "gone", &sql);
    if (has_children) {
        gr_buf_puts(&sql, ", ");
        put_gone(child, (size_t)parent, "children", &sql);
    }
    for (size_t i = 0; !has_children && i < feed_count; i++)
        if (feeds[i].kind == GR_FEED_CHILD)
            put_gone_feed(table, &feeds[i], i, &sql);
    gr_buf_printf(&sql, "\nselect 0, 0, 0, (select count(*) from gone), %s",
                  has_children ? "(select count(*) from children)" : "0");
    return gr_script_sql(script, gr_buf_text(&sql), params, 1);
}
