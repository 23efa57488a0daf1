/* merge.c - the statement that brings staged rows into a table. */
#include "merge.h"

#include <string.h>

#include "ddl.h"
#include "gr/sink/sql.h"

void
gr_merge_column(const char *alias, const char *column, struct gr_buf *sql)
{
    gr_buf_printf(sql, "%s.", alias);
    gr_sql_ident(sql, column);
}

/* The name of column `i`, or NULL if the table does not take it. */
static const char *
written_column(const struct gr_table *table, int i)
{
    if (i < 0 || table->types[i] == NULL)
        return NULL;
    return table->stream->columns[i].name;
}

static const char *
cursor_of(const struct gr_table *table)
{
    return written_column(table, table->stream->cursor_column);
}

static const char *
parent_key_of(const struct gr_table *table)
{
    return written_column(table, gr_ddl_parent_column(table->stream));
}

/* s."column"::its real type */
static void
staged(const struct gr_table *table, size_t i, struct gr_buf *sql)
{
    gr_merge_column("s", table->stream->columns[i].name, sql);
    gr_buf_printf(sql, "::%s", table->types[i]);
}

void
gr_merge_key_text(const struct gr_table *table, const char *alias, struct gr_buf *sql)
{
    const struct gr_plan_stream *stream = table->stream;

    if (stream->key_count > 1)
        gr_buf_puts(sql, "row(");
    for (size_t i = 0; i < stream->key_count; i++) {
        gr_buf_puts(sql, i == 0 ? "" : ", ");
        gr_merge_column(alias, stream->columns[i].name, sql);
    }
    gr_buf_puts(sql, stream->key_count > 1 ? ")::text" : "::text");
}

void
gr_merge_key_list(const struct gr_table *table, struct gr_buf *sql)
{
    gr_buf_putc(sql, '(');
    gr_ddl_columns(table->stream, table->stream->key_count, sql);
    gr_buf_putc(sql, ')');
}

void
gr_merge_parent_value(const struct gr_table *table, const char *field, struct gr_buf *sql)
{
    const struct gr_table *parent = table->parent;
    const char *column =
        parent == NULL ? field : written_column(parent, gr_ddl_column_of(parent->stream, field));

    if (column == NULL)
        gr_buf_puts(sql, "null");
    else
        gr_merge_column("p", column, sql);
}

const char *
gr_merge_parent_key(const struct gr_table *table)
{
    return table->parent == NULL ? "id" : table->parent->stream->columns[0].name;
}

const char *
gr_merge_parent_cursor(const struct gr_table *table)
{
    return table->parent == NULL ? NULL : cursor_of(table->parent);
}

void
gr_merge_copy_sql(const struct gr_table *table, const char *staging, struct gr_buf *sql)
{
    gr_buf_printf(sql, "copy %s (", staging);
    gr_ddl_columns(table->stream, table->stream->column_count, sql);
    gr_buf_puts(sql, ", \"_hash\", \"_extra\") from stdin (format binary)");
}

/* k0, k1, ... of `alias` equal the key of t */
static void
same_key(const struct gr_table *table, const char *alias, struct gr_buf *sql)
{
    for (size_t i = 0; i < table->stream->key_count; i++) {
        gr_buf_puts(sql, i == 0 ? "" : " and ");
        gr_merge_column("t", table->stream->columns[i].name, sql);
        gr_buf_printf(sql, " = %s.k%zu", alias, i);
    }
}

/* The marker of a scan table has no key. */
static void
put_latest(const struct merge *merge, struct gr_buf *sql)
{
    const struct gr_table *table = merge->table;
    const struct gr_plan_stream *stream = table->stream;
    const char *parent_key = parent_key_of(table);

    gr_buf_puts(sql, "with latest as materialized (\nselect distinct on (");
    for (size_t i = 0; i < stream->key_count; i++) {
        gr_buf_puts(sql, i == 0 ? "" : ", ");
        staged(table, i, sql);
    }
    gr_buf_puts(sql, ") s.ctid as at");
    for (size_t i = 0; i < stream->key_count; i++) {
        gr_buf_puts(sql, ", ");
        staged(table, i, sql);
        gr_buf_printf(sql, " as k%zu", i);
    }
    if (cursor_of(table) != NULL) {
        gr_buf_puts(sql, ", ");
        staged(table, (size_t)stream->cursor_column, sql);
        gr_buf_puts(sql, " as u");
    }
    if (parent_key != NULL) {
        gr_buf_puts(sql, ", ");
        gr_merge_column("s", parent_key, sql);
        gr_buf_puts(sql, " as p");
    }
    gr_buf_printf(sql, ", s._hash as h\nfrom %s as s\nwhere ", merge->staging);
    gr_merge_column("s", stream->columns[0].name, sql);
    gr_buf_puts(sql, " is not null");
    if (merge->parents != NULL && parent_key != NULL) {
        gr_buf_puts(sql, " and ");
        gr_merge_column("s", parent_key, sql);
        gr_buf_printf(sql, " = any(%s::bigint[])", merge->parents);
    }
    gr_buf_puts(sql, "\norder by ");
    for (size_t i = 0; i < stream->key_count; i++) {
        staged(table, i, sql);
        gr_buf_puts(sql, ", ");
    }
    if (cursor_of(table) != NULL)
        gr_buf_puts(sql, "u desc nulls last, ");
    gr_buf_puts(sql, "s.ctid desc)");
}

bool
gr_merge_has_former(const struct gr_table *table, const struct gr_feed *feed)
{
    return feed->kind == GR_FEED_FORMER && written_column(table, (int)feed->column) != NULL;
}

void
gr_merge_reference(const struct gr_table *table, const char *alias, size_t column,
                   struct gr_buf *sql)
{
    bool is_object = strcmp(table->types[column], "jsonb") == 0;

    gr_buf_putc(sql, '(');
    gr_merge_column(alias, table->stream->columns[column].name, sql);
    gr_buf_puts(sql, is_object ? " ->> 'id')" : ")::text");
}

/* What each row named before, or names now. */
static void
put_references(const struct merge *merge, const char *name, struct gr_buf *sql)
{
    for (size_t i = 0; i < merge->feed_count; i++) {
        if (!gr_merge_has_former(merge->table, &merge->feeds[i]))
            continue;
        gr_buf_puts(sql, ", ");
        gr_merge_reference(merge->table, "t", merge->feeds[i].column, sql);
        gr_buf_printf(sql, " as %s%zu", name, i);
    }
}

static bool
knows_parent(const struct merge *merge)
{
    return merge->parent_table != NULL && parent_key_of(merge->table) != NULL;
}

/* A row is as gone as its parent. Where that is not here it stays as it is: it has been deleted
   before it came, or comes yet, and then asks. */
static void
put_gone_at(const struct merge *merge, struct gr_buf *sql)
{
    if (knows_parent(merge)) {
        gr_buf_puts(sql, "case when ");
        gr_merge_column("p", gr_merge_parent_key(merge->table), sql);
        gr_buf_puts(sql, " is null then t._deleted_at else p._deleted_at end as gone_at");
    } else {
        gr_buf_puts(sql, "null::timestamptz as gone_at");
    }
}

/*
 * True if a row of this age may take the place of the one that is here. A null on either side says
 * nothing about age, and a value that lay ahead of the clock when it was loaded claims too much:
 * then the fingerprint alone decides. An hour is more than two honest clocks differ by.
 */
static void
put_as_new(const struct merge *merge, const char *value, struct gr_buf *sql)
{
    const char *cursor = cursor_of(merge->table);

    gr_buf_printf(sql, "(%s >= ", value);
    gr_merge_column("t", cursor, sql);
    gr_buf_puts(sql, " or ");
    gr_merge_column("t", cursor, sql);
    gr_buf_puts(sql, " > t._loaded_at + interval '1 hour') is not false");
}

/* What is read to its end says how the table is to be: then age does not count. */
static bool
guards_age(const struct merge *merge)
{
    return cursor_of(merge->table) != NULL && (!merge->finds_gone || merge->parents != NULL);
}

static void
put_changed(const struct merge *merge, struct gr_buf *sql)
{
    const struct gr_table *table = merge->table;
    const char *key = table->stream->columns[0].name;

    gr_buf_puts(sql, ", changed as materialized (\nselect l.*, ");
    gr_merge_column("t", key, sql);
    gr_buf_puts(sql, " is not null as was_there, ");
    put_gone_at(merge, sql);
    put_references(merge, "former", sql);
    gr_buf_puts(sql, "\nfrom latest as l\n");
    gr_buf_printf(sql, "left join %s as t on ", table->name);
    same_key(table, "l", sql);
    if (knows_parent(merge)) {
        gr_buf_printf(sql, "\nleft join %s as p on ", merge->parent_table);
        gr_merge_column("p", gr_merge_parent_key(table), sql);
        gr_buf_puts(sql, " = l.p");
    }
    gr_buf_puts(sql, "\nwhere ");
    gr_merge_column("t", key, sql);
    gr_buf_puts(sql, " is null or (");
    if (guards_age(merge)) {
        put_as_new(merge, "l.u", sql);
        gr_buf_puts(sql, " and ");
    }
    gr_buf_puts(sql, "(t._hash is distinct from l.h or (t._deleted_at is not null");
    if (knows_parent(merge)) {
        gr_buf_puts(sql, " and ");
        gr_merge_column("p", gr_merge_parent_key(table), sql);
        gr_buf_puts(sql, " is not null and p._deleted_at is null");
    }
    gr_buf_puts(sql, "))))");
}

/* insert into T (...) select ... from `rows`, which has `at` and `gone_at` */
static void
put_insert(const struct merge *merge, const char *rows, struct gr_buf *sql)
{
    const struct gr_table *table = merge->table;
    const struct gr_plan_stream *stream = table->stream;

    gr_buf_printf(sql, "insert into %s as t (", table->name);
    for (size_t i = 0; i < stream->column_count; i++) {
        if (table->types[i] == NULL)
            continue;
        gr_sql_ident(sql, stream->columns[i].name);
        gr_buf_puts(sql, ", ");
    }
    gr_buf_puts(sql, "\"_loaded_at\", \"_deleted_at\", \"_hash\", \"_extra\")\n"
                     "overriding system value\nselect ");
    for (size_t i = 0; i < stream->column_count; i++) {
        if (table->types[i] == NULL)
            continue;
        staged(table, i, sql);
        gr_buf_puts(sql, ", ");
    }
    gr_buf_printf(sql, "now(), c.gone_at, s._hash, s._extra::jsonb\nfrom %s as c\n", rows);
    gr_buf_printf(sql, "join %s as s on s.ctid = c.at", merge->staging);
}

void
gr_merge_update(const struct merge *merge, struct gr_buf *sql)
{
    const struct gr_table *table = merge->table;
    const struct gr_plan_stream *stream = table->stream;
    struct gr_buf value GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    gr_buf_puts(sql, "\non conflict ");
    gr_merge_key_list(table, sql);
    gr_buf_puts(sql, " do update set ");
    for (size_t i = stream->key_count; i < stream->column_count; i++) {
        if (table->types[i] == NULL)
            continue;
        gr_sql_ident(sql, stream->columns[i].name);
        gr_buf_puts(sql, " = ");
        gr_merge_column("excluded", stream->columns[i].name, sql);
        gr_buf_puts(sql, ", ");
    }
    for (size_t i = 0; i < OWN_COUNT; i++)
        gr_buf_printf(sql, "%s\"%s\" = excluded.\"%s\"", i == 0 ? "" : ", ", gr_own_columns[i].name,
                      gr_own_columns[i].name);
    if (!guards_age(merge))
        return;
    gr_buf_puts(sql, "\nwhere ");
    gr_merge_column("excluded", cursor_of(table), &value);
    put_as_new(merge, gr_buf_text(&value), sql);
}

/* What the feeds ask of `written`: key, cursor, what it refers to, and columns of events. */
static void
put_returning(const struct merge *merge, struct gr_buf *sql)
{
    static const char *const fields[] = {"object_type", "object_id", "type", "created_datetime",
                                         "data"};
    const struct gr_table *table = merge->table;
    const struct gr_plan_stream *stream = table->stream;
    bool feeds_events = false;

    for (size_t i = 0; i < merge->feed_count; i++)
        feeds_events = feeds_events || merge->feeds[i].kind == GR_FEED_EVENT;
    gr_buf_puts(sql, "\nreturning ");
    for (size_t i = 0; i < stream->key_count; i++) {
        gr_buf_puts(sql, i == 0 ? "" : ", ");
        gr_merge_column("t", stream->columns[i].name, sql);
        gr_buf_printf(sql, " as k%zu", i);
    }
    if (cursor_of(table) != NULL) {
        gr_buf_puts(sql, ", ");
        gr_merge_column("t", cursor_of(table), sql);
        gr_buf_puts(sql, " as u");
    }
    for (size_t i = 0; feeds_events && i < sizeof(fields) / sizeof(fields[0]); i++) {
        const char *name = written_column(table, gr_ddl_column_of(stream, fields[i]));

        if (name == NULL)
            continue;
        gr_buf_puts(sql, ", ");
        gr_merge_column("t", name, sql);
        gr_buf_printf(sql, " as event_%s", fields[i]);
    }
    put_references(merge, "reference", sql);
}

/* Deletes what is missing, marked or not; marks what is alive. */
static void
put_gone(const struct merge *merge, struct gr_buf *sql)
{
    const struct gr_table *table = merge->table;
    bool is_hard = table->stream->missing == GR_MISSING_HARD;

    gr_buf_printf(sql, ", gone as (\n%s %s as t%s\nwhere ", is_hard ? "delete from" : "update",
                  table->name, is_hard ? "" : " set _deleted_at = now()");
    if (!is_hard)
        gr_buf_puts(sql, "t._deleted_at is null and ");
    if (merge->parents != NULL) {
        gr_merge_column("t", parent_key_of(table), sql);
        gr_buf_printf(sql, " = any(%s::bigint[]) and ", merge->whole_parents);
    }
    gr_buf_puts(sql, "not exists (select from latest as l where ");
    same_key(table, "l", sql);
    gr_buf_putc(sql, ')');
    if (merge->keep != NULL) {
        gr_buf_puts(sql, " and ");
        gr_merge_key_text(table, "t", sql);
        gr_buf_printf(sql, " <> all(%s::text[])", merge->keep);
    }
    gr_buf_puts(sql, "\nreturning ");
    gr_merge_column("t", table->stream->columns[0].name, sql);
    gr_buf_puts(sql, " as key)");
}

void
gr_merge_sql(const struct merge *merge, struct gr_buf *sql)
{
    bool finds_gone =
        merge->finds_gone && (merge->parents == NULL || parent_key_of(merge->table) != NULL);

    put_latest(merge, sql);
    put_changed(merge, sql);
    gr_buf_puts(sql, ", written as (\n");
    put_insert(merge, "changed", sql);
    gr_merge_update(merge, sql);
    put_returning(merge, sql);
    gr_buf_putc(sql, ')');
    if (finds_gone)
        put_gone(merge, sql);
    gr_merge_feeds(merge, sql);
    gr_buf_puts(sql, ", n as (\nselect (select count(*) from written) as written,"
                     " (select count(*) from changed where not was_there) as new,"
                     " (select count(*) from latest) as latest)\n"
                     "select least(new, written), written - least(new, written),"
                     " latest - written, ");
    gr_buf_puts(sql, finds_gone ? "(select count(*) from gone)" : "0");
    gr_buf_puts(sql, " from n");
}

void
gr_merge_snapshot_sql(const struct merge *merge, struct gr_buf *sql)
{
    put_latest(merge, sql);
    gr_buf_puts(sql, ", changed as (\nselect l.*, false as was_there,"
                     " null::timestamptz as gone_at from latest as l), written as (\n");
    put_insert(merge, "changed", sql);
    put_returning(merge, sql);
    gr_buf_putc(sql, ')');
    gr_merge_feeds(merge, sql);
    gr_buf_puts(sql, "\nselect (select count(*) from written), 0, 0, 0");
}
