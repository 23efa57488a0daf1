/* audit.c - what an audit remembers, what it asks for, and what it has come to. */
#include <inttypes.h>
#include <stdio.h>

#include "audit.h"
#include "ddl.h"
#include "gr/base/alloc.h"
#include "gr/base/time.h"
#include "gr/sink/sql.h"
#include "merge.h"

static const char created_field[] = "created_datetime";

/* --- pieces, also of record.c --------------------------------------------------------------- */

bool
gr_audit_has_column(const struct gr_table *table, int at)
{
    return at >= 0 && table->types[at] != NULL;
}

int
gr_audit_created_column(const struct gr_table *table)
{
    return gr_ddl_column_of(table->stream, created_field);
}

int
gr_audit_parent_column(const struct gr_table *table)
{
    return gr_ddl_parent_column(table->stream);
}

bool
gr_audit_has_parent(const struct gr_audit *audit)
{
    return audit->parent_table != NULL &&
           gr_audit_has_column(audit->table, gr_audit_parent_column(audit->table));
}

void
gr_audit_put_column(const struct gr_table *table, const char *alias, int at, struct gr_buf *sql)
{
    gr_merge_column(alias, table->stream->columns[at].name, sql);
}

void
gr_audit_put_staged(const struct gr_table *table, int at, const char *type, struct gr_buf *sql)
{
    if (!gr_audit_has_column(table, at)) {
        gr_buf_printf(sql, "null::%s", type);
        return;
    }
    gr_audit_put_column(table, "s", at, sql);
    gr_buf_printf(sql, "::%s", table->types[at]);
}

void
gr_audit_put_parent_is(const struct gr_audit *audit, const char *key, struct gr_buf *sql)
{
    gr_merge_column("p", gr_merge_parent_key(audit->table), sql);
    gr_buf_printf(sql, " = %s", key);
}

void
gr_audit_put_same_key(const struct gr_table *table, struct gr_buf *sql)
{
    for (size_t i = 0; i < table->stream->key_count; i++) {
        gr_buf_puts(sql, i == 0 ? "" : " and ");
        gr_audit_put_staged(table, (int)i, "text", sql);
        gr_buf_puts(sql, " = ");
        gr_audit_put_column(table, "t", (int)i, sql);
    }
}

/* --- state and questions -------------------------------------------------------------------- */

static size_t
add_keys(struct gr_script *script, const struct gr_buf *sql, int64_t after, int64_t limit)
{
    char texts[2][24];
    const char *params[] = {texts[0], texts[1]};

    (void)snprintf(texts[0], sizeof(texts[0]), "%" PRId64, after);
    (void)snprintf(texts[1], sizeof(texts[1]), "%" PRId64, limit);
    return gr_script_sql(script, gr_buf_text(sql), params, 2);
}

void
gr_audit_commit_state(struct gr_script *script, const struct gr_audit *audit, const char *state)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    char run[24];
    const char *params[] = {audit->table->object, run, state};

    (void)snprintf(run, sizeof(run), "%" PRId64, audit->run_id);
    gr_buf_printf(&sql,
                  "update %s.streams set audit = $3::jsonb, run_id = $2::bigint where object = $1 "
                  "and fence = $2::bigint",
                  audit->table->state);
    (void)gr_script_fence(script, gr_buf_text(&sql), params, 3);
}

/* from the parents, each with the number `n` of its rows here, where that is not what it says */
static void
put_uneven(const struct gr_audit *audit, struct gr_buf *sql)
{
    const struct gr_table *table = audit->table;

    gr_buf_printf(sql, "from %s as p left join (select ", audit->parent_table);
    gr_audit_put_column(table, "t", gr_audit_parent_column(table), sql);
    gr_buf_printf(sql,
                  " as key, count(*) as n from %s as t where t._deleted_at is null group by 1)"
                  " as c on ",
                  table->name);
    gr_audit_put_parent_is(audit, "c.key", sql);
    gr_buf_puts(sql, " where p._deleted_at is null and ");
    gr_merge_parent_value(table, table->stream->schema->parent_count, sql);
    gr_buf_puts(sql, " <> coalesce(c.n, 0)");
}

bool
gr_audit_can_count(const struct gr_audit *audit)
{
    const struct gr_table *parent = audit->table->parent;
    const char *field = audit->table->stream->schema->parent_count;

    return gr_audit_has_parent(audit) && field != NULL &&
           (parent == NULL || gr_audit_has_column(parent, gr_ddl_column_of(parent->stream, field)));
}

size_t
gr_audit_count(struct gr_script *script, const struct gr_audit *audit)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    gr_buf_printf(&sql, "select (select count(*) from %s as t where t._deleted_at is null), ",
                  audit->table->name);
    if (gr_audit_can_count(audit)) {
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
    gr_audit_put_column(audit->table, "t", 0, &sql);
    gr_buf_printf(&sql, " from %s as t where t._deleted_at is null and ", audit->table->name);
    gr_audit_put_column(audit->table, "t", 0, &sql);
    gr_buf_puts(&sql, " > $1::bigint order by 1 limit $2::bigint");
    return add_keys(script, &sql, after, limit);
}

static void
put_namer(const struct gr_audit_namer *namer, struct gr_buf *sql)
{
    int type = gr_ddl_column_of(namer->table->stream, "object_type");

    gr_buf_puts(sql, "select ");
    gr_audit_put_column(namer->table, "m", (int)namer->column, sql);
    gr_buf_printf(sql, " as k from %s as m where m._deleted_at is null", namer->table->name);
    if (namer->event_object == NULL)
        return;
    gr_buf_puts(sql, " and ");
    gr_audit_put_column(namer->table, "m", type, sql);
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
    gr_audit_put_column(audit->table, "t", 0, &sql);
    gr_buf_puts(&sql, " = n.k) order by 1 limit $2::bigint");
    return add_keys(script, &sql, after, limit);
}

size_t
gr_audit_uneven(struct gr_script *script, const struct gr_audit *audit, int64_t after,
                int64_t limit)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    if (!gr_audit_can_count(audit)) {
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

size_t
gr_audit_parents(struct gr_script *script, const struct gr_audit *audit, int64_t limit)
{
    const struct gr_table *table = audit->table;
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    char text[24];
    const char *params[] = {text};

    (void)snprintf(text, sizeof(text), "%" PRId64, limit);
    gr_buf_puts(&sql, "select distinct ");
    gr_audit_put_column(table, "t", gr_audit_parent_column(table), &sql);
    gr_buf_printf(&sql, " from %s as t where t._deleted_at is null and ", table->name);
    gr_audit_put_column(table, "t", gr_audit_parent_column(table), &sql);
    gr_buf_printf(&sql, " is not null and not exists (select from %s as s where ",
                  table->scan_staging);
    gr_audit_put_same_key(table, &sql);
    gr_buf_puts(&sql, ") order by 1 limit $1::bigint");
    return gr_script_sql(script, gr_buf_text(&sql), params, 1);
}

/* --- the result ----------------------------------------------------------------------------- */

/* What a list has shown is not counted again where its doubts were settled by ids. */
static void
put_totals(const struct gr_audit *audit, struct gr_buf *sql)
{
    gr_buf_printf(
        sql,
        "select coalesce(sum(in_table + missing) filter (where method = (select"
        " max(b.method) from %s.audits as b where b.run_id = $1::bigint and b.object ="
        " $2)), 0)::bigint, coalesce(sum(not_due), 0)::bigint, coalesce(sum(changed),"
        " 0)::bigint, count(*) from %s.audits as a where run_id = $1::bigint and object = $2",
        audit->table->state, audit->table->state);
}

static bool
read_keys(struct gr_pg *pg, const struct gr_audit *audit, const char *column,
          const char *const *params, char ***keys_out, int64_t *count_out, struct gr_error *err)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_rows rows = {0};

    gr_buf_printf(&sql,
                  "select k from (select distinct unnest(%s) as k from %s.audits where run_id ="
                  " $1::bigint and object = $2) as g order by length(k), k",
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
    put_totals(audit, &sql);
    if (!gr_pg_query(pg, gr_buf_text(&sql), params, 2, &rows, err))
        return false;
    out->checked = gr_rows_int(&rows, 0, 0);
    out->not_due = gr_rows_int(&rows, 0, 1);
    out->changed = gr_rows_int(&rows, 0, 2);
    out->windows = gr_rows_int(&rows, 0, 3);
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
