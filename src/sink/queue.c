/* queue.c - what is due to be asked for: taking, answering, letting go. */
#include <inttypes.h>
#include <stdio.h>

#include "ddl.h"
#include "gr/base/alloc.h"
#include "gr/base/time.h"
#include "gr/sink/sql.h"
#include "merge.h"

size_t
gr_commit_queue_next(struct gr_script *script, const struct gr_table *table, int64_t after_seq,
                     int64_t limit)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    char after[24];
    char most[24];
    const char *params[] = {table->object, after, most};

    (void)snprintf(after, sizeof(after), "%" PRId64, after_seq);
    (void)snprintf(most, sizeof(most), "%" PRId64, limit);
    gr_buf_printf(&sql,
                  "select key, round(extract(epoch from v) * 1000000)::bigint, seq from %s.queue"
                  " where object = $1 and seq > $2::bigint order by seq limit $3::bigint",
                  table->state);
    return gr_script_sql(script, gr_buf_text(&sql), params, 3);
}

/* Removes entries by key, where what comes with it, d.x, says so. */
static void
remove_entries(struct gr_script *script, const struct gr_table *table, const int64_t *keys,
               const int64_t *xs, size_t count, const char *where)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf key_list GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf x_list GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    const char *params[3] = {table->object};

    gr_sql_int_array(&key_list, keys, count);
    gr_sql_int_array(&x_list, xs, count);
    params[1] = gr_buf_text(&key_list);
    params[2] = gr_buf_text(&x_list);
    gr_buf_printf(&sql,
                  "delete from %s.queue as q"
                  " using unnest($2::bigint[], $3::bigint[]) as d (key, x)"
                  " where q.object = $1 and q.key = d.key and %s",
                  table->state, where);
    (void)gr_script_sql(script, gr_buf_text(&sql), params, 3);
}

/* An entry that was fed again has another seq, whatever its v. */
void
gr_commit_queue_done(struct gr_script *script, const struct gr_table *table,
                     const struct gr_queue_entry *entries, size_t count)
{
    GR_CLEANUP(gr_free_var) int64_t *keys = gr_alloc(count, sizeof(*keys));
    GR_CLEANUP(gr_free_var) int64_t *seqs = gr_alloc(count, sizeof(*seqs));

    for (size_t i = 0; i < count; i++) {
        keys[i] = entries[i].key;
        seqs[i] = entries[i].seq;
    }
    remove_entries(script, table, keys, seqs, count, "q.seq = d.x");
}

void
gr_commit_queue_answered(struct gr_script *script, const struct gr_table *table,
                         const struct gr_queue_answer *answers, size_t count)
{
    GR_CLEANUP(gr_free_var) int64_t *keys = gr_alloc(count, sizeof(*keys));
    GR_CLEANUP(gr_free_var) int64_t *untils = gr_alloc(count, sizeof(*untils));

    for (size_t i = 0; i < count; i++) {
        keys[i] = answers[i].key;
        untils[i] = answers[i].until_us;
    }
    remove_entries(script, table, keys, untils, count, "extract(epoch from q.v) * 1000000 < d.x");
}

void
gr_commit_queue_prune(struct gr_script *script, const struct gr_table *table,
                      const struct gr_table *child)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    const char *params[] = {table->object};
    int parent = child == NULL ? -1 : gr_ddl_parent_column(child->stream);

    gr_buf_printf(
        &sql,
        "delete from %s.queue as q where q.object = $1 and not exists (select from %s as t"
        " where ",
        table->state, table->name);
    gr_merge_column("t", table->stream->columns[0].name, &sql);
    gr_buf_puts(&sql, " = q.key and t._deleted_at is null)");
    if (parent >= 0 && child->types[parent] != NULL) {
        gr_buf_printf(&sql, " and not exists (select from %s as c where ", child->name);
        gr_merge_column("c", child->stream->columns[parent].name, &sql);
        gr_buf_puts(&sql, " = q.key and c._deleted_at is null)");
    }
    (void)gr_script_sql(script, gr_buf_text(&sql), params, 1);
}

/*
 * The walk has read the parent's children if all that are here lie where it has been, and their
 * number is right. Those that a merge has brought can be older than their parent. A number that is
 * older than the event of a deletion counts what is gone.
 */
static void
put_parent_answered(const struct gr_table *table, const char *parent_table, struct gr_buf *sql)
{
    const struct gr_plan_stream *stream = table->stream;

    gr_buf_printf(sql, "exists (select from %s as p where ", parent_table);
    gr_merge_column("p", gr_merge_parent_key(table), sql);
    gr_buf_puts(sql, " = q.key and (q.reason <> 'event' or ");
    gr_merge_parent_value(table, "updated_datetime", sql);
    gr_buf_puts(sql, "::timestamptz >= q.v) and ");
    gr_merge_parent_value(table, stream->schema->parent_count, sql);
    gr_buf_puts(sql, "::bigint = (select case when bool_and(");
    gr_merge_column("t", stream->columns[stream->cursor_column].name, sql);
    gr_buf_printf(sql, " >= $3::timestamptz) is not false then count(*) end from %s as t where ",
                  table->name);
    gr_merge_column("t", stream->columns[gr_ddl_parent_column(stream)].name, sql);
    gr_buf_puts(sql, " = q.key and t._deleted_at is null))");
}

static void
put_row_answered(const struct gr_table *table, struct gr_buf *sql)
{
    const struct gr_plan_stream *stream = table->stream;

    gr_buf_printf(sql, "exists (select from %s as t where ", table->name);
    gr_merge_column("t", stream->columns[0].name, sql);
    gr_buf_puts(sql, " = q.key and ");
    gr_merge_column("t", stream->columns[stream->cursor_column].name, sql);
    gr_buf_puts(sql, " >= $3::timestamptz)");
}

void
gr_commit_queue_settle(struct gr_script *script, const struct gr_table *table,
                       const char *parent_table, int64_t walk_clock_us, int64_t floor_us)
{
    const struct gr_plan_stream *stream = table->stream;
    int parent = gr_ddl_parent_column(stream);
    bool is_child = stream->schema->parent != NULL;
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    char clock[GR_TIME_TEXT] = "-infinity";
    char lowest[GR_TIME_TEXT] = "-infinity";
    const char *params[] = {table->object, clock, lowest};

    if (stream->cursor_column < 0 || table->types[stream->cursor_column] == NULL ||
        (is_child && (parent_table == NULL || parent < 0 || stream->schema->parent_count == NULL ||
                      table->types[parent] == NULL)))
        return; /* nothing here tells what the walk has answered */
    if (walk_clock_us != GR_TIME_NONE)
        gr_time_format(walk_clock_us, clock);
    if (floor_us != GR_TIME_NONE)
        gr_time_format(floor_us, lowest);
    gr_buf_printf(&sql,
                  "delete from %s.queue as q where q.object = $1 and q.v < $2::timestamptz and ",
                  table->state);
    if (is_child)
        put_parent_answered(table, parent_table, &sql);
    else
        put_row_answered(table, &sql);
    (void)gr_script_sql(script, gr_buf_text(&sql), params, 3);
}
