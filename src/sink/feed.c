/* feed.c - the part of a merge that tells other streams' queues of the rows it has written. */
#include <string.h>

#include "ddl.h"
#include "gr/sink/sql.h"
#include "merge.h"

static bool
has_field(const struct gr_table *table, const char *field)
{
    int at = gr_ddl_column_of(table->stream, field);

    return at >= 0 && table->types[at] != NULL;
}

/* A feed whose columns are not there has nothing to tell. */
static bool
is_possible(const struct gr_table *table, const struct gr_feed *feed)
{
    if (feed->kind == GR_FEED_CHILD)
        return true;
    return feed->type_count > 0 && has_field(table, "object_type") &&
           has_field(table, "object_id") && has_field(table, "type");
}

/* The rows that make entries: key and v, perhaps several of a key. */
static void
put_source(const struct merge *merge, const struct gr_feed *feed, struct gr_buf *sql)
{
    const struct gr_table *table = merge->table;
    int cursor = table->stream->cursor_column;
    bool has_cursor = cursor >= 0 && table->types[cursor] != NULL;
    const char *when = has_field(table, "created_datetime") ? "w.event_created_datetime" : "null";

    if (feed->kind == GR_FEED_CHILD) {
        gr_buf_printf(sql, "select w.k0::bigint as key, %s::timestamptz as v from written as w",
                      has_cursor ? "w.u" : "null");
        /* Children go with their parent, and who asks for them finds them gone. */
        if (merge->finds_gone)
            gr_buf_puts(sql, " union all select g.key::bigint, null from gone as g");
        return;
    }
    gr_buf_printf(sql, "select w.event_object_id::bigint as key, %s::timestamptz as v from written as w",
                  when);
    /* Events never change: one that was here before has been told of before. */
    gr_buf_puts(sql, " join changed as c on not c.was_there");
    for (size_t i = 0; i < table->stream->key_count; i++)
        gr_buf_printf(sql, " and c.k%zu = w.k%zu", i, i);
    gr_buf_puts(sql, " where w.event_object_type = ");
    gr_sql_literal(sql, feed->event_object);
    gr_buf_puts(sql, " and w.event_type in (");
    for (size_t i = 0; i < feed->type_count; i++) {
        gr_buf_puts(sql, i == 0 ? "" : ", ");
        gr_sql_literal(sql, feed->types[i]);
    }
    gr_buf_putc(sql, ')');
}

/*
 * An entry that is waiting already moves to the end of the queue (a new seq) where there is news: a
 * v that is not below its own, or of unknown time. An older v is answered by whoever answers the
 * entry as it is.
 */
static void
put_feed(const struct merge *merge, const struct gr_feed *feed, size_t number, struct gr_buf *sql)
{
    gr_buf_printf(sql, ", fed%zu as (\ninsert into %s.queue as q (object, key, v, reason)\nselect ",
                  number, merge->table->state);
    gr_sql_literal(sql, feed->object);
    gr_buf_puts(sql, ", f.key, case when count(*) = count(f.v) then max(f.v) end, ");
    gr_sql_literal(sql, feed->reason);
    gr_buf_puts(sql, " from (");
    put_source(merge, feed, sql);
    gr_buf_puts(sql, ") as f where f.key is not null group by f.key\n"
                     "on conflict (object, key) do update set v = excluded.v, seq = excluded.seq,"
                     " reason = excluded.reason, enqueued_at = excluded.enqueued_at\n"
                     "where (excluded.v >= q.v) is not false)");
}

void
gr_merge_feeds(const struct merge *merge, struct gr_buf *sql)
{
    for (size_t i = 0; i < merge->feed_count; i++)
        if (is_possible(merge->table, &merge->feeds[i]))
            put_feed(merge, &merge->feeds[i], i, sql);
}
