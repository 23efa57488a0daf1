/* audit.c - what to ask for in an audit, and the statement that records what was found. */
#include "gr/sink/audit.h"

#include <inttypes.h>
#include <stdio.h>

#include "ddl.h"
#include "gr/base/alloc.h"
#include "gr/base/time.h"
#include "gr/sink/sql.h"
#include "merge.h"

static const char created_field[] = "created_datetime";

/* --- pieces --------------------------------------------------------------------------------- */

/* The quoted name of a column that is written, or false. */
static bool
has_column(const struct gr_table *table, int at)
{
    return at >= 0 && table->types[at] != NULL;
}

static int
created_column(const struct gr_table *table)
{
    return gr_ddl_column_of(table->stream, created_field);
}

static int
parent_column(const struct gr_table *table)
{
    return gr_ddl_parent_column(table->stream);
}

static bool
has_parent(const struct gr_audit *audit)
{
    return audit->parent_table != NULL && has_column(audit->table, parent_column(audit->table));
}

/* 't."id"' */
static void
put_column(const struct gr_table *table, const char *alias, int at, struct gr_buf *sql)
{
    gr_merge_column(alias, table->stream->columns[at].name, sql);
}

/* s."id"::bigint, or null of the type where there is no such column */
static void
put_staged(const struct gr_table *table, int at, const char *type, struct gr_buf *sql)
{
    if (!has_column(table, at)) {
        gr_buf_printf(sql, "null::%s", type);
        return;
    }
    put_column(table, "s", at, sql);
    gr_buf_printf(sql, "::%s", table->types[at]);
}

static void
put_instant(int64_t us, struct gr_buf *sql)
{
    char text[GR_TIME_TEXT];

    gr_time_format(us, text);
    gr_buf_printf(sql, "'%s'::timestamptz", text);
}

/* p."id" = `key` */
static void
put_parent_is(const struct gr_audit *audit, const char *key, struct gr_buf *sql)
{
    gr_merge_column("p", gr_merge_parent_key(audit->table), sql);
    gr_buf_printf(sql, " = %s", key);
}

static size_t
add_keys(struct gr_script *script, const struct gr_buf *sql, int64_t after, int64_t limit)
{
    char texts[2][24];
    const char *params[] = {texts[0], texts[1]};

    (void)snprintf(texts[0], sizeof(texts[0]), "%" PRId64, after);
    (void)snprintf(texts[1], sizeof(texts[1]), "%" PRId64, limit);
    return gr_script_sql(script, gr_buf_text(sql), params, 2);
}

/* --- state and questions -------------------------------------------------------------------- */

void
gr_audit_commit_state(struct gr_script *script, const struct gr_audit *audit, const char *state)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    char run[24];
    const char *params[] = {audit->table->object, run, state};

    (void)snprintf(run, sizeof(run), "%" PRId64, audit->run_id);
    gr_buf_printf(
        &sql, "update %s.streams set audit = $3::jsonb where object = $1 and fence = $2::bigint",
        audit->table->state);
    (void)gr_script_fence(script, gr_buf_text(&sql), params, 3);
}

/* from the parents, each with the number `n` of its rows here, where that is not what it says */
static void
put_uneven(const struct gr_audit *audit, struct gr_buf *sql)
{
    const struct gr_table *table = audit->table;

    gr_buf_printf(sql, "from %s as p left join (select ", audit->parent_table);
    put_column(table, "t", parent_column(table), sql);
    gr_buf_printf(sql,
                  " as key, count(*) as n from %s as t where t._deleted_at is null group by 1)"
                  " as c on ",
                  table->name);
    put_parent_is(audit, "c.key", sql);
    gr_buf_puts(sql, " where p._deleted_at is null and ");
    gr_merge_column("p", gr_merge_parent_column(table, table->stream->schema->parent_count), sql);
    gr_buf_puts(sql, " <> coalesce(c.n, 0)");
}

static bool
can_be_uneven(const struct gr_audit *audit)
{
    return has_parent(audit) && audit->table->stream->schema->parent_count != NULL;
}

size_t
gr_audit_count(struct gr_script *script, const struct gr_audit *audit)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    gr_buf_printf(&sql, "select (select count(*) from %s as t where t._deleted_at is null), ",
                  audit->table->name);
    if (can_be_uneven(audit)) {
        gr_buf_puts(&sql, "(select count(*) ");
        put_uneven(audit, &sql);
        gr_buf_putc(&sql, ')');
    } else {
        gr_buf_putc(&sql, '0');
    }
    return gr_script_sql(script, gr_buf_text(&sql), NULL, 0);
}

size_t
gr_audit_keys(struct gr_script *script, const struct gr_audit *audit, int64_t after, int64_t limit)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    gr_buf_puts(&sql, "select ");
    put_column(audit->table, "t", 0, &sql);
    gr_buf_printf(&sql, " from %s as t where t._deleted_at is null and ", audit->table->name);
    put_column(audit->table, "t", 0, &sql);
    gr_buf_puts(&sql, " > $1::bigint order by 1 limit $2::bigint");
    return add_keys(script, &sql, after, limit);
}

static void
put_namer(const struct gr_audit_namer *namer, struct gr_buf *sql)
{
    int type = gr_ddl_column_of(namer->table->stream, "object_type");

    gr_buf_puts(sql, "select ");
    put_column(namer->table, "m", (int)namer->column, sql);
    gr_buf_printf(sql, " as k from %s as m where m._deleted_at is null", namer->table->name);
    if (namer->event_object == NULL)
        return;
    gr_buf_puts(sql, " and ");
    put_column(namer->table, "m", type, sql);
    gr_buf_puts(sql, " = ");
    gr_sql_literal(sql, namer->event_object);
}

size_t
gr_audit_named(struct gr_script *script, const struct gr_audit *audit,
               const struct gr_audit_namer *namers, size_t count, int64_t after, int64_t limit)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    gr_buf_puts(&sql, "select n.k from (");
    for (size_t i = 0; i < count; i++) {
        gr_buf_puts(&sql, i == 0 ? "" : " union ");
        put_namer(&namers[i], &sql);
    }
    gr_buf_printf(&sql,
                  "%s) as n where n.k > $1::bigint and not exists (select from %s as t where ",
                  count == 0 ? "select 0::bigint as k where false" : "", audit->table->name);
    put_column(audit->table, "t", 0, &sql);
    gr_buf_puts(&sql, " = n.k) order by 1 limit $2::bigint");
    return add_keys(script, &sql, after, limit);
}

size_t
gr_audit_uneven(struct gr_script *script, const struct gr_audit *audit, int64_t after,
                int64_t limit)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    if (!can_be_uneven(audit)) {
        gr_buf_puts(&sql, "select 0::bigint where $1::bigint > $2::bigint and false");
        return add_keys(script, &sql, after, limit);
    }
    gr_buf_puts(&sql, "select ");
    gr_merge_column("p", gr_merge_parent_key(audit->table), &sql);
    gr_buf_putc(&sql, ' ');
    put_uneven(audit, &sql);
    gr_buf_puts(&sql, " and ");
    gr_merge_column("p", gr_merge_parent_key(audit->table), &sql);
    gr_buf_puts(&sql, " > $1::bigint order by 1 limit $2::bigint");
    return add_keys(script, &sql, after, limit);
}

/* and the keys of s, which is staged, are those of t */
static void
put_same_key(const struct gr_table *table, struct gr_buf *sql)
{
    for (size_t i = 0; i < table->stream->key_count; i++) {
        gr_buf_puts(sql, i == 0 ? "" : " and ");
        put_staged(table, (int)i, "text", sql);
        gr_buf_puts(sql, " = ");
        put_column(table, "t", (int)i, sql);
    }
}

size_t
gr_audit_parents(struct gr_script *script, const struct gr_audit *audit, int64_t limit)
{
    const struct gr_table *table = audit->table;
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    char text[24];
    const char *params[] = {text};

    (void)snprintf(text, sizeof(text), "%" PRId64, limit);
    gr_buf_puts(&sql, "select distinct ");
    put_column(table, "t", parent_column(table), &sql);
    gr_buf_printf(&sql, " from %s as t where t._deleted_at is null and ", table->name);
    put_column(table, "t", parent_column(table), &sql);
    gr_buf_printf(&sql, " is not null and not exists (select from %s as s where ",
                  table->scan_staging);
    put_same_key(table, &sql);
    gr_buf_puts(&sql, ") order by 1 limit $1::bigint");
    return gr_script_sql(script, gr_buf_text(&sql), params, 1);
}

/* --- the record ----------------------------------------------------------------------------- */

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

    if (audit->anchor_us == GR_TIME_NONE || !has_column(table, cursor))
        return;
    gr_buf_printf(&sql, "delete from %s as s where ", staging);
    put_staged(table, cursor, "timestamptz", &sql);
    gr_buf_puts(&sql, " < ");
    put_instant(audit->anchor_us, &sql);
    gr_buf_printf(&sql, " and not exists (select from %s as t where ", table->name);
    put_same_key(table, &sql);
    gr_buf_putc(&sql, ')');
    if (has_parent(audit)) {
        gr_buf_printf(&sql, " and not exists (select from %s as p where p._deleted_at is null and ",
                      audit->parent_table);
        gr_merge_column("p", gr_merge_parent_key(table), &sql);
        gr_buf_puts(&sql, " = ");
        put_staged(table, parent_column(table), "bigint", &sql);
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
        put_staged(table, (int)i, "text", sql);
        gr_buf_printf(sql, " as k%zu, ", i);
    }
    put_staged(table, table->stream->cursor_column, "timestamptz", sql);
    gr_buf_puts(sql, " as u, ");
    put_staged(table, created_column(table), "timestamptz", sql);
    gr_buf_puts(sql, " as c, ");
    put_staged(table, parent_column(table), "bigint", sql);
    gr_buf_printf(sql, " as p, s._hash as h, s.ctid as at from %s as s where ", record->staging);
    put_column(table, "s", 0, sql);
    gr_buf_puts(sql, " is not null");
    if (record->parents != NULL) {
        gr_buf_puts(sql, " and ");
        put_staged(table, parent_column(table), "bigint", sql);
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
        put_column(table, "t", (int)i, sql);
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
    if (has_column(audit->table, audit->table->stream->cursor_column) &&
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
    if (has_parent(audit)) {
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
    put_column(table, "t", 0, sql);
    gr_buf_puts(sql, " is not null and t._deleted_at is null as is_here, ");
    /* A child stays marked as long as its parent is, whatever the source lists. */
    gr_buf_puts(sql, has_parent(audit) ? "p._deleted_at is null" : "true");
    gr_buf_puts(sql, " as may_be,\n");
    put_claimed(audit, sql);
    gr_buf_puts(sql, " as is_due,\nt._hash is distinct from s.h");
    if (has_column(table, cursor)) {
        gr_buf_puts(sql, " and (s.u >= ");
        put_column(table, "t", cursor, sql);
        gr_buf_puts(sql, ") is not false");
    }
    gr_buf_printf(sql, " as differs, false as is_gone\nfrom s left join %s as t on ", table->name);
    put_join(table, sql);
    if (has_parent(audit)) {
        gr_buf_printf(sql, " left join %s as p on ", audit->parent_table);
        put_parent_is(audit, "s.p", sql);
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

    put_column(table, "t", 0, &key);
    if (has_column(table, created_column(table)))
        put_column(table, "t", created_column(table), &created);
    else
        gr_buf_puts(&created, "null::timestamptz");
    if (has_column(table, parent_column(table)))
        put_column(table, "t", parent_column(table), &parent);
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
gr_audit_record_list(struct gr_script *script, const struct gr_audit *audit, const int64_t *gone,
                     size_t gone_count)
{
    const struct gr_table *table = audit->table;
    const char *scan[] = {table->scan_staging};
    struct gr_buf keys GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf is_gone GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    const char *params[1];
    bool has_months =
        has_column(table, table->stream->cursor_column) && has_column(table, created_column(table));
    struct record record = {.audit = audit,
                            .staging = table->scan_staging,
                            .method = "list",
                            .window = has_months ? NULL : "all",
                            .is_list = true};

    gr_sql_int_array(&keys, gone, gone_count);
    params[0] = gr_buf_text(&keys);
    if (gone == NULL) {
        gr_buf_puts(&is_gone, "true");
    } else {
        put_column(table, "t", 0, &is_gone);
        gr_buf_puts(&is_gone, " = any($1::bigint[])");
    }
    record.gone = gr_buf_text(&is_gone);
    /* As at the end of the scan, which comes next: without a table this has been done before. */
    (void)gr_script_gate(script, "select where to_regclass($1) is not null", scan, 1);
    drop_unwanted(script, audit, table->scan_staging);
    add_record(script, &record, params, gone == NULL ? 0 : 1);
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
    put_column(table, "t", 0, &is_gone);
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
    put_column(table, "t", parent_column(table), &is_gone);
    gr_buf_puts(&is_gone, " = any($1::bigint[] || $2::bigint[])");
    record.gone = gr_buf_text(&is_gone);
    add_record(script, &record, params, 2);
}

/* --- the result ----------------------------------------------------------------------------- */

static const char totals_sql[] =
    "select coalesce(sum(in_table + missing), 0)::bigint, coalesce(sum(not_due), 0)::bigint,"
    " coalesce(sum(changed), 0)::bigint from %s.audits where run_id = $1::bigint and object = $2";

static bool
read_keys(struct gr_pg *pg, const struct gr_audit *audit, const char *column,
          const char *const *params, char ***keys_out, int64_t *count_out, struct gr_error *err)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_rows rows = {0};

    gr_buf_printf(&sql,
                  "select distinct unnest(%s) from %s.audits where run_id = $1::bigint"
                  " and object = $2 order by 1",
                  column, audit->table->state);
    if (!gr_pg_query(pg, gr_buf_text(&sql), params, 2, &rows, err))
        return false;
    *keys_out = gr_alloc(rows.count, sizeof(**keys_out));
    *count_out = (int64_t)rows.count;
    for (size_t i = 0; i < rows.count; i++)
        (*keys_out)[i] = gr_strdup(gr_rows_text(&rows, i, 0));
    gr_rows_free(&rows);
    return true;
}

bool
gr_audit_read(struct gr_pg *pg, const struct gr_audit *audit, struct gr_audit_totals *out,
              struct gr_error *err)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    char run[24];
    const char *params[] = {run, audit->table->object};
    struct gr_rows rows = {0};

    *out = (struct gr_audit_totals){0};
    (void)snprintf(run, sizeof(run), "%" PRId64, audit->run_id);
    gr_buf_printf(&sql, totals_sql, audit->table->state);
    if (!gr_pg_query(pg, gr_buf_text(&sql), params, 2, &rows, err))
        return false;
    out->checked = gr_rows_int(&rows, 0, 0);
    out->not_due = gr_rows_int(&rows, 0, 1);
    out->changed = gr_rows_int(&rows, 0, 2);
    gr_rows_free(&rows);
    if (read_keys(pg, audit, "missing_keys", params, &out->missing_keys, &out->missing, err) &&
        read_keys(pg, audit, "gone_keys", params, &out->gone_keys, &out->gone, err))
        return true;
    gr_audit_totals_free(out);
    return false;
}

static void
free_keys(char **keys, int64_t count)
{
    for (int64_t i = 0; keys != NULL && i < count; i++)
        gr_free(keys[i]);
    gr_free(keys);
}

void
gr_audit_totals_free(struct gr_audit_totals *totals)
{
    free_keys(totals->missing_keys, totals->missing);
    free_keys(totals->gone_keys, totals->gone);
    *totals = (struct gr_audit_totals){0};
}
