/* record.c - the statement that records what an audit has found, in the transaction that repairs
 * it. */
#include <inttypes.h>
#include <stdio.h>

#include "audit.h"
#include "ddl.h"
#include "gr/base/alloc.h"
#include "gr/base/time.h"
#include "gr/sink/sql.h"
#include "merge.h"

static void
put_instant(int64_t us, struct gr_buf *sql)
{
    char text[GR_TIME_TEXT];

    gr_time_format(us, text);
    gr_buf_printf(sql, "'%s'::timestamptz", text);
}

struct record {
    const struct gr_audit *audit;
    const char *staging;
    const char *method;
    const char *window;  /* NULL: the month in which the row was created                     */
    const char *parents; /* placeholder of the parents whose sets are staged, or NULL: rows  */
    const char *gone;    /* of those that are not staged in this record, which rows are gone */
    bool is_list;        /* rows here that are not staged are counted, gone or not           */
    int64_t still;
};

/* Rows below the anchor that are not here and belong to nobody here. */
static void
drop_unwanted(struct gr_script *script, const struct gr_audit *audit, const char *staging)
{
    const struct gr_table *table = audit->table;
    int cursor = table->stream->cursor_column;
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    if (audit->anchor_us == GR_TIME_NONE || !gr_audit_has_column(table, cursor))
        return;
    gr_buf_printf(&sql, "delete from %s as s where ", staging);
    gr_audit_put_staged(table, cursor, "timestamptz", &sql);
    gr_buf_puts(&sql, " < ");
    put_instant(audit->anchor_us, &sql);
    gr_buf_printf(&sql, " and not exists (select from %s as t where ", table->name);
    gr_audit_put_same_key(table, &sql);
    gr_buf_putc(&sql, ')');
    if (gr_audit_has_parent(audit)) {
        gr_buf_printf(&sql, " and not exists (select from %s as p where p._deleted_at is null and ",
                      audit->parent_table);
        gr_merge_column("p", gr_merge_parent_key(table), &sql);
        gr_buf_puts(&sql, " = ");
        gr_audit_put_staged(table, gr_audit_parent_column(table), "bigint", &sql);
        gr_buf_putc(&sql, ')');
    }
    (void)gr_script_sql(script, gr_buf_text(&sql), NULL, 0);
}

/* s: of each staged key the newest version */
static void
put_staged_rows(const struct record *record, struct gr_buf *sql)
{
    const struct gr_table *table = record->audit->table;
    size_t keys = table->stream->key_count;

    gr_buf_puts(sql, "with s as materialized (\nselect distinct on (");
    for (size_t i = 0; i < keys; i++)
        gr_buf_printf(sql, "%sk%zu", i == 0 ? "" : ", ", i);
    gr_buf_puts(sql, ") * from (select ");
    for (size_t i = 0; i < keys; i++) {
        gr_audit_put_staged(table, (int)i, "text", sql);
        gr_buf_printf(sql, " as k%zu, ", i);
    }
    gr_audit_put_staged(table, table->stream->cursor_column, "timestamptz", sql);
    gr_buf_puts(sql, " as u, ");
    gr_audit_put_staged(table, gr_audit_created_column(table), "timestamptz", sql);
    gr_buf_puts(sql, " as c, ");
    gr_audit_put_staged(table, gr_audit_parent_column(table), "bigint", sql);
    gr_buf_printf(sql, " as p, s._hash as h, s.ctid as at from %s as s where ", record->staging);
    gr_audit_put_column(table, "s", 0, sql);
    gr_buf_puts(sql, " is not null");
    if (record->parents != NULL) {
        gr_buf_puts(sql, " and ");
        gr_audit_put_staged(table, gr_audit_parent_column(table), "bigint", sql);
        gr_buf_printf(sql, " = any(%s::bigint[])", record->parents);
    }
    gr_buf_puts(sql, ") as s order by ");
    for (size_t i = 0; i < keys; i++)
        gr_buf_printf(sql, "k%zu, ", i);
    gr_buf_puts(sql, "u desc nulls last, at desc)");
}

/* (k0, k1, ...) of s as `alias`'s key: "s.k0 = t.id" */
static void
put_join(const struct gr_table *table, struct gr_buf *sql)
{
    for (size_t i = 0; i < table->stream->key_count; i++) {
        gr_buf_puts(sql, i == 0 ? "" : " and ");
        gr_audit_put_column(table, "t", (int)i, sql);
        gr_buf_printf(sql, " = s.k%zu", i);
    }
}

static void
put_window(const struct record *record, const char *created, struct gr_buf *sql)
{
    if (record->window != NULL)
        gr_sql_literal(sql, record->window);
    else
        gr_buf_printf(sql, "coalesce(to_char(%s at time zone 'UTC', 'YYYY-MM'), 'undated')",
                      created);
}

/* Entries that were in the queue before this audit, or that tell of a parent above its own claim.
 */
static void
put_parent_queued(const struct gr_audit *audit, const char *parent, struct gr_buf *sql)
{
    const struct gr_table *table = audit->table;

    gr_buf_printf(sql, "exists (select from %s.queue as q where q.object = ", table->state);
    gr_sql_literal(sql, table->object);
    gr_buf_printf(sql, " and q.key = %s", parent);
    if (table->parent != NULL) {
        gr_buf_printf(sql,
                      " and (q.v is null or q.enqueued_at < (select r.started_at from %s.runs as r"
                      " where r.run_id = %" PRId64 ") or q.v > coalesce((select b.bookmark from"
                      " %s.streams as b where b.object = ",
                      table->state, audit->run_id, table->state);
        gr_sql_literal(sql, table->parent->object);
        gr_buf_puts(sql, "), '-infinity'))");
    }
    gr_buf_putc(sql, ')');
}

/* The next run would ask for the row: it waits in a queue, by its own key or by its parent's. */
static void
put_queued(const struct gr_audit *audit, const char *key, const char *parent, struct gr_buf *sql)
{
    const struct gr_table *table = audit->table;
    enum gr_ask ask = table->stream->schema->ask;
    struct gr_buf object GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    if (ask == GR_ASK_NONE || table->stream->columns[0].type != GR_TYPE_BIGINT) {
        gr_buf_puts(sql, "false");
        return;
    }
    gr_buf_printf(&object, "%s%s", table->object, ask == GR_ASK_PARENT ? GR_QUEUE_OF_ROWS : "");
    gr_buf_printf(sql, "(exists (select from %s.queue as q where q.object = ", table->state);
    gr_sql_literal(sql, gr_buf_text(&object));
    gr_buf_printf(sql, " and q.key = %s)", key);
    if (ask == GR_ASK_PARENT) {
        gr_buf_puts(sql, " or ");
        put_parent_queued(audit, parent, sql);
    }
    gr_buf_putc(sql, ')');
}

/* The copy claims to have the row. Without a value of its own, the row is as old as it says to be.
 */
static void
put_claimed(const struct gr_audit *audit, struct gr_buf *sql)
{
    gr_buf_puts(sql, "coalesce(");
    if (gr_audit_has_column(audit->table, audit->table->stream->cursor_column) &&
        audit->bookmark_us != GR_TIME_NONE) {
        gr_buf_puts(sql, "s.u <= ");
        put_instant(audit->bookmark_us, sql);
        gr_buf_puts(sql, ", ");
    }
    if (audit->clock_us != GR_TIME_NONE) {
        gr_buf_puts(sql, "s.c <= ");
        put_instant(audit->clock_us, sql);
        gr_buf_puts(sql, ", ");
    }
    gr_buf_puts(sql, "true)");
    if (gr_audit_has_parent(audit)) {
        gr_buf_puts(sql, " and ");
        gr_merge_column("p", gr_merge_parent_key(audit->table), sql);
        gr_buf_puts(sql, " is not null");
    }
    gr_buf_puts(sql, " and not ");
    put_queued(audit, "s.k0", "s.p", sql);
}

/* What is staged, against the table. */
static void
put_there(const struct record *record, struct gr_buf *sql)
{
    const struct gr_audit *audit = record->audit;
    const struct gr_table *table = audit->table;
    int cursor = table->stream->cursor_column;

    gr_buf_puts(sql, "select ");
    gr_buf_puts(sql, table->stream->key_count > 1 ? "row(" : "");
    for (size_t i = 0; i < table->stream->key_count; i++)
        gr_buf_printf(sql, "%ss.k%zu", i == 0 ? "" : ", ", i);
    gr_buf_puts(sql, table->stream->key_count > 1 ? ")::text as k, " : "::text as k, ");
    put_window(record, "s.c", sql);
    gr_buf_puts(sql, " as w,\n");
    gr_audit_put_column(table, "t", 0, sql);
    gr_buf_puts(sql, " is not null and t._deleted_at is null as is_here, ");
    /* A child stays marked as long as its parent is, whatever the source lists. */
    gr_buf_puts(sql, gr_audit_has_parent(audit) ? "p._deleted_at is null" : "true");
    gr_buf_puts(sql, " as may_be,\n");
    put_claimed(audit, sql);
    gr_buf_puts(sql, " as is_due,\nt._hash is distinct from s.h");
    if (gr_audit_has_column(table, cursor)) {
        gr_buf_puts(sql, " and (s.u >= ");
        gr_audit_put_column(table, "t", cursor, sql);
        gr_buf_puts(sql, ") is not false");
    }
    gr_buf_printf(sql, " as differs, false as is_gone\nfrom s left join %s as t on ", table->name);
    put_join(table, sql);
    if (gr_audit_has_parent(audit)) {
        gr_buf_printf(sql, " left join %s as p on ", audit->parent_table);
        gr_audit_put_parent_is(audit, "s.p", sql);
    }
}

/* What is here and not staged. */
static void
put_here(const struct record *record, struct gr_buf *sql)
{
    const struct gr_table *table = record->audit->table;
    struct gr_buf created GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf key GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf parent GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    gr_audit_put_column(table, "t", 0, &key);
    if (gr_audit_has_column(table, gr_audit_created_column(table)))
        gr_audit_put_column(table, "t", gr_audit_created_column(table), &created);
    else
        gr_buf_puts(&created, "null::timestamptz");
    if (gr_audit_has_column(table, gr_audit_parent_column(table)))
        gr_audit_put_column(table, "t", gr_audit_parent_column(table), &parent);
    else
        gr_buf_puts(&parent, "null");
    gr_buf_puts(sql, "\nunion all\nselect ");
    gr_merge_key_text(table, "t", sql);
    gr_buf_puts(sql, ", ");
    put_window(record, gr_buf_text(&created), sql);
    gr_buf_puts(sql, ", true, true, not ");
    put_queued(record->audit, gr_buf_text(&key), gr_buf_text(&parent), sql);
    gr_buf_printf(sql,
                  ", false, %s\nfrom %s as t where t._deleted_at is null and not exists"
                  " (select from s where ",
                  record->gone, table->name);
    put_join(table, sql);
    gr_buf_puts(sql, ")");
    if (!record->is_list)
        gr_buf_printf(sql, " and %s", record->gone);
}

static void
put_keys(const char *condition, struct gr_buf *sql)
{
    gr_buf_printf(sql, "coalesce(array_agg(k order by k) filter (where %s), '{}')", condition);
}

/* not_due: missing or gone, but seen to by the next run without an audit. */
static void
put_insert(const struct record *record, struct gr_buf *sql)
{
    const struct gr_table *table = record->audit->table;

    gr_buf_printf(
        sql,
        "\ninsert into %s.audits as a (run_id, object, stream, method, window_name,"
        " in_table, at_source, missing_keys, gone_keys, not_due, changed)\nselect %" PRId64 ", ",
        table->state, record->audit->run_id);
    gr_sql_literal(sql, table->object);
    gr_buf_puts(sql, ", ");
    gr_sql_literal(sql, table->stream->name);
    gr_buf_printf(sql, ", '%s', ", record->method);
    if (record->window != NULL)
        gr_sql_literal(sql, record->window);
    else
        gr_buf_puts(sql, "w");
    gr_buf_printf(sql,
                  ", count(*) filter (where is_here) + %" PRId64
                  ", count(*) filter (where may_be and not is_gone) + %" PRId64 ",\n",
                  record->still, record->still);
    put_keys("not is_here and may_be and is_due", sql);
    gr_buf_puts(sql, ", ");
    put_keys("is_gone and is_due", sql);
    gr_buf_puts(sql,
                ",\ncount(*) filter (where (is_gone or not is_here and may_be) and not is_due),"
                " count(*) filter (where is_here and differs)\nfrom d");
    gr_buf_puts(sql, record->window == NULL ? " group by w" : "");
    gr_buf_puts(
        sql, "\non conflict (run_id, object, method, window_name) do update set"
             " in_table = a.in_table + excluded.in_table,"
             " at_source = a.at_source + excluded.at_source,"
             " not_due = a.not_due + excluded.not_due, changed = a.changed + excluded.changed,"
             " missing_keys = array(select distinct unnest(a.missing_keys || excluded.missing_keys)"
             " order by 1),"
             " gone_keys = array(select distinct unnest(a.gone_keys || excluded.gone_keys)"
             " order by 1), checked_at = now()");
}

static void
add_record(struct gr_script *script, const struct record *record, const char *const *params,
           size_t count)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    put_staged_rows(record, &sql);
    gr_buf_puts(&sql, ", d as (\n");
    put_there(record, &sql);
    put_here(record, &sql);
    gr_buf_putc(&sql, ')');
    put_insert(record, &sql);
    (void)gr_script_sql(script, gr_buf_text(&sql), params, count);
}

void
gr_audit_record_list(struct gr_script *script, const struct gr_audit *audit, bool replaces,
                     const int64_t *gone, size_t gone_count)
{
    const struct gr_table *table = audit->table;
    const char *scan[] = {table->scan_staging};
    struct gr_buf keys GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf is_gone GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    const char *params[1];
    bool has_months = gr_audit_has_column(table, table->stream->cursor_column) &&
                      gr_audit_has_column(table, gr_audit_created_column(table));
    struct record record = {.audit = audit,
                            .staging = table->scan_staging,
                            .method = "list",
                            .window = has_months ? NULL : "all",
                            .is_list = true};

    gr_sql_int_array(&keys, gone, gone_count);
    params[0] = gr_buf_text(&keys);
    if (replaces) {
        gr_buf_puts(&is_gone, "true");
    } else {
        gr_audit_put_column(table, "t", 0, &is_gone);
        gr_buf_puts(&is_gone, " = any($1::bigint[])");
    }
    record.gone = gr_buf_text(&is_gone);
    /* As at the end of the scan, which comes next: without a table this has been done before. */
    (void)gr_script_gate(script, "select where to_regclass($1) is not null", scan, 1);
    drop_unwanted(script, audit, table->scan_staging);
    add_record(script, &record, params, replaces ? 0 : 1);
    gr_script_gate_end(script);
}

void
gr_audit_record_rows(struct gr_script *script, const struct gr_audit *audit, const char *window,
                     struct gr_buf *copy, const int64_t *gone, size_t gone_count, int64_t still)
{
    const struct gr_table *table = audit->table;
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf keys GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf is_gone GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    const char *params[1];
    struct record record = {.audit = audit,
                            .staging = table->staging,
                            .method = "ids",
                            .window = window,
                            .still = still};

    if (copy->len > 0) {
        gr_merge_copy_sql(table, table->staging, &sql);
        (void)gr_script_copy(script, gr_buf_text(&sql), copy);
        drop_unwanted(script, audit, table->staging);
    }
    gr_sql_int_array(&keys, gone, gone_count);
    params[0] = gr_buf_text(&keys);
    gr_audit_put_column(table, "t", 0, &is_gone);
    gr_buf_puts(&is_gone, " = any($1::bigint[])");
    record.gone = gr_buf_text(&is_gone);
    add_record(script, &record, params, 1);
}

void
gr_audit_record_sets(struct gr_script *script, const struct gr_audit *audit, const char *window,
                     const int64_t *whole, size_t whole_count, const int64_t *gone,
                     size_t gone_count)
{
    const struct gr_table *table = audit->table;
    struct gr_buf whole_keys GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf gone_keys GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf is_gone GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    const char *params[2];
    struct record record = {.audit = audit,
                            .staging = table->set_staging,
                            .method = "ids",
                            .window = window,
                            .parents = "$1"};

    gr_sql_int_array(&whole_keys, whole, whole_count);
    gr_sql_int_array(&gone_keys, gone, gone_count);
    params[0] = gr_buf_text(&whole_keys);
    params[1] = gr_buf_text(&gone_keys);
    gr_audit_put_column(table, "t", gr_audit_parent_column(table), &is_gone);
    gr_buf_puts(&is_gone, " = any($1::bigint[] || $2::bigint[])");
    record.gone = gr_buf_text(&is_gone);
    add_record(script, &record, params, 2);
}
