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
    switch (feed->kind) {
    case GR_FEED_CHILD:
        return true;
    case GR_FEED_FORMER:
        return gr_merge_has_former(table, feed);
    case GR_FEED_EVENT:
        break;
    }
    return feed->type_count > 0 && has_field(table, "object_type") &&
           has_field(table, "object_id") && has_field(table, "type");
}

/* and what was changed of w is as a row of `changed` that has the alias c */
static void
put_same_key(const struct gr_table *table, struct gr_buf *sql)
{
    for (size_t i = 0; i < table->stream->key_count; i++)
        gr_buf_printf(sql, " and c.k%zu = w.k%zu", i, i);
}

static void
put_children(const struct merge *merge, struct gr_buf *sql)
{
    int cursor = merge->table->stream->cursor_column;
    bool has_cursor = cursor >= 0 && merge->table->types[cursor] != NULL;

    gr_buf_printf(sql, "select w.k0::bigint as key, %s::timestamptz as v from written as w",
                  has_cursor ? "w.u" : "null");
    /* Children go with their parent, and who asks for them finds them gone. */
    if (merge->finds_gone)
        gr_buf_puts(sql, " union all select g.key::bigint, null from gone as g");
}

static void
put_types(const char *const *types, size_t count, struct gr_buf *sql)
{
    gr_buf_puts(sql, " in (");
    for (size_t i = 0; i < count; i++) {
        gr_buf_puts(sql, i == 0 ? "" : ", ");
        gr_sql_literal(sql, types[i]);
    }
    gr_buf_putc(sql, ')');
}

/* Ids are whole numbers, and what goes beyond 18 digits is none. */
#define IS_ID " ~ '^[0-9]{1,18}$'"

/* Events never change: one that was here before has been told of before. */
static void
put_events(const struct merge *merge, const struct gr_feed *feed, struct gr_buf *sql)
{
    const struct gr_table *table = merge->table;
    const char *when = has_field(table, "created_datetime") ? "w.event_created_datetime" : "null";
    int data = gr_ddl_column_of(table->stream, "data");

    gr_buf_printf(sql,
                  "select w.event_object_id::bigint as key, %s::timestamptz as v from written as w"
                  " join changed as c on not c.was_there",
                  when);
    put_same_key(table, sql);
    gr_buf_puts(sql, " where w.event_object_type = ");
    gr_sql_literal(sql, feed->event_object);
    gr_buf_puts(sql, " and w.event_type");
    put_types(feed->types, feed->type_count, sql);
    if (feed->merge_count == 0 || data < 0 || table->types[data] == NULL ||
        strcmp(table->types[data], "jsonb") != 0)
        return;
    gr_buf_printf(sql,
                  " union all select (n #>> '{}')::bigint, %s::timestamptz from written as w"
                  " join changed as c on not c.was_there",
                  when);
    put_same_key(table, sql);
    gr_buf_puts(sql, " cross join lateral jsonb_path_query(w.event_data, '$.**') as n"
                     " where w.event_object_type = ");
    gr_sql_literal(sql, feed->event_object);
    gr_buf_puts(sql, " and w.event_type");
    put_types(feed->merges, feed->merge_count, sql);
    gr_buf_puts(sql, " and jsonb_typeof(n) in ('number', 'string') and (n #>> '{}')" IS_ID);
}

static void
put_formers(const struct merge *merge, size_t number, struct gr_buf *sql)
{
    gr_buf_printf(sql,
                  "select c.former%zu::bigint as key, null::timestamptz as v from written as w"
                  " join changed as c on c.was_there",
                  number);
    put_same_key(merge->table, sql);
    gr_buf_printf(sql,
                  " where c.former%zu" IS_ID " and c.former%zu is distinct from w.reference%zu",
                  number, number, number);
}

/* The rows that make entries: key and v, perhaps several of a key. */
static void
put_source(const struct merge *merge, const struct gr_feed *feed, size_t number, struct gr_buf *sql)
{
    switch (feed->kind) {
    case GR_FEED_CHILD:
        put_children(merge, sql);
        break;
    case GR_FEED_EVENT:
        put_events(merge, feed, sql);
        break;
    case GR_FEED_FORMER:
        put_formers(merge, number, sql);
        break;
    }
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
    put_source(merge, feed, number, sql);
    gr_buf_puts(sql, ") as f where f.key is not null");
    if (feed->only_in != NULL) {
        gr_buf_printf(sql, " and exists (select from %s as o where ", feed->only_in);
        gr_merge_column("o", feed->only_in_key, sql);
        gr_buf_puts(sql, " = f.key)");
    }
    gr_buf_puts(sql, " group by f.key\n"
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
