/* table.c - opening a stream's table: look, do what is missing, nothing else. */
#include "gr/sink/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ddl.h"
#include "gr/base/alloc.h"
#include "gr/sink/sql.h"

/* What the catalog says of the table. */
struct found {
    bool has_schema;
    char oid[24]; /* "" where there is no table        */
    char kind;    /* pg_class.relkind                  */
    bool is_owned;
    char *comment;          /* owned, or NULL                    */
    struct gr_rows columns; /* name, type, comment, ...        */
};
enum { COLUMN_NAME, COLUMN_TYPE, COLUMN_COMMENT, COLUMN_GENERATED, COLUMN_HAS_DEFAULT };

static void
forget(struct found *found)
{
    gr_free(found->comment);
    gr_rows_free(&found->columns);
    *found = (struct found){0};
}

static bool
is_true(const char *text)
{
    return text != NULL && text[0] == 't';
}

static bool
look(struct gr_pg *pg, const struct gr_plan_stream *stream, struct found *found,
     struct gr_error *err)
{
    static const char relation[] =
        "select n.oid is not null, c.oid, c.relkind, pg_has_role(c.relowner, 'usage'),"
        " obj_description(c.oid, 'pg_class') from (select 1) as one"
        " left join pg_namespace as n on n.nspname = $1"
        " left join pg_class as c on c.relnamespace = n.oid and c.relname = $2";
    static const char columns[] =
        "select attname, format_type(atttypid, -1), col_description(attrelid, attnum), "
        "attgenerated,"
        " atthasdef"
        " from pg_attribute where attrelid = $1::oid and attnum > 0 and not attisdropped";
    const char *params[] = {stream->table_schema, stream->table_name};
    const char *oid[] = {found->oid};
    struct gr_rows rows = {0};

    forget(found);
    if (!gr_pg_query(pg, relation, params, 2, &rows, err))
        return false;
    found->has_schema = is_true(gr_rows_text(&rows, 0, 0));
    if (gr_rows_text(&rows, 0, 1) != NULL) {
        (void)snprintf(found->oid, sizeof(found->oid), "%s", gr_rows_text(&rows, 0, 1));
        found->kind = gr_rows_text(&rows, 0, 2)[0];
        found->is_owned = is_true(gr_rows_text(&rows, 0, 3));
        if (gr_rows_text(&rows, 0, 4) != NULL)
            found->comment = gr_strdup(gr_rows_text(&rows, 0, 4));
    }
    gr_rows_free(&rows);
    return found->oid[0] == '\0' || gr_pg_query(pg, columns, oid, 1, &found->columns, err);
}

/* The row of `found->columns` that is about `name`, or -1. */
static int
find(const struct found *found, const char *name)
{
    for (size_t i = 0; i < found->columns.count; i++)
        if (strcmp(gr_rows_text(&found->columns, i, COLUMN_NAME), name) == 0)
            return (int)i;
    return -1;
}

/* Is there an index that serves as `wanted`? The key must match as a set, others in order. */
static bool
has_index(struct gr_pg *pg, const struct found *found, const struct index *wanted, bool is_key,
          bool *out, struct gr_error *err)
{
    static const char sql[] =
        "select exists (select from pg_index as i, lateral ("
        "select array_agg(a.attname::text order by k.at) as inorder,"
        " array_agg(a.attname::text order by a.attname) as sorted"
        " from unnest(i.indkey::int2[]) with ordinality as k (attnum, at)"
        " join pg_attribute as a on a.attrelid = i.indrelid and a.attnum = k.attnum"
        " where k.at <= i.indnkeyatts) as c"
        " where i.indrelid = $1::oid and i.indisvalid and i.indpred is null and i.indexprs is null"
        " and case when $3 then i.indisunique and i.indimmediate and c.sorted ="
        " (select array_agg(x order by x::name) from unnest($2::text[]) as x)"
        " when $4 then i.indisunique and c.inorder = $2::text[]"
        " else c.inorder[1:cardinality($2::text[])] = $2::text[] end)";
    struct gr_buf columns GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    const char *params[] = {found->oid, NULL, is_key ? "t" : "f", wanted->is_unique ? "t" : "f"};
    struct gr_rows rows = {0};

    gr_sql_text_array(&columns, wanted->columns, wanted->count);
    params[1] = gr_buf_text(&columns);
    if (!gr_pg_query(pg, sql, params, 4, &rows, err))
        return false;
    *out = is_true(gr_rows_text(&rows, 0, 0));
    gr_rows_free(&rows);
    return true;
}

static bool
refuse(const struct gr_table *table, struct gr_error *err, const char *why, const char *hint)
{
    (void)gr_fail(err, GR_FAULT_DATA, "table %s: %s", table->name, why);
    return gr_hint(err, "%s", hint);
}

/* PostgreSQL would cut longer names in silence, and two might become one. */
static bool
check_names(const struct gr_table *table, struct gr_error *err)
{
    const struct gr_plan_stream *stream = table->stream;
    bool is_ok = strlen(stream->table_schema) <= GR_SQL_NAME_BYTES &&
                 strlen(stream->table_name) <= GR_SQL_NAME_BYTES;

    for (size_t i = 0; i < stream->column_count; i++)
        is_ok = is_ok && strlen(stream->columns[i].name) <= GR_SQL_NAME_BYTES;
    return is_ok || refuse(table, err, "a name is longer than PostgreSQL's 63 bytes",
                           "Choose a shorter name for object or column.");
}

static bool
check_key(struct gr_pg *pg, const struct gr_table *table, const struct found *found,
          struct gr_error *err)
{
    struct gr_buf columns GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct index indexes[INDEXES_MAX];
    bool has_key = false;

    (void)gr_ddl_indexes(table->stream, indexes);
    if (!has_index(pg, found, &indexes[0], true, &has_key, err))
        return false;
    if (has_key)
        return true;
    for (size_t i = 0; i < indexes[0].count; i++) {
        gr_buf_puts(&columns, i == 0 ? "" : ", ");
        gr_sql_ident(&columns, indexes[0].columns[i]);
    }
    (void)gr_fail(err, GR_FAULT_DATA,
                  "table %s exists, but has no primary key or unique index on exactly (%s)",
                  table->name, gr_buf_text(&columns));
    return gr_hint(err, "Run ALTER TABLE %s ADD PRIMARY KEY (%s); or write to another object.",
                   table->name, gr_buf_text(&columns));
}

static bool
check_existing(struct gr_pg *pg, const struct gr_table *table, const struct found *found,
               struct gr_error *err)
{
    if (found->kind != 'r' && found->kind != 'p')
        return refuse(table, err, "exists, but is no table",
                      "Choose another object for the stream, or rename what has this name.");
    for (size_t i = 0; i < OWN_COUNT; i++) {
        int at = find(found, gr_own_columns[i].name);
        const char *type;

        if (at < 0)
            continue;
        type = gr_rows_text(&found->columns, (size_t)at, COLUMN_TYPE);
        if (strcmp(type, gr_own_columns[i].type) == 0)
            continue;
        (void)gr_fail(err, GR_FAULT_DATA, "table %s: column %s is %s, not %s", table->name,
                      gr_own_columns[i].name, type, gr_own_columns[i].type);
        return gr_hint(err, "Rename that column; ours is added at the next run.");
    }
    return check_key(pg, table, found, err);
}

static void
warn(struct gr_buf *warnings, const char *text, const char *column)
{
    if (warnings->len > 0)
        gr_buf_putc(warnings, '\n');
    gr_buf_printf(warnings, "%s%s", text, column);
}

/* Real types into table->types; missing columns into `sql` or the warnings. */
static void
plan_columns(struct gr_table *table, const struct found *found, bool has_lz4, struct gr_buf *sql,
             struct gr_buf *warnings)
{
    const struct gr_plan_stream *stream = table->stream;

    for (size_t i = 0; i < stream->column_count; i++) {
        const struct gr_column *column = &stream->columns[i];
        int at = find(found, column->name);
        const char *generated =
            at < 0 ? "" : gr_rows_text(&found->columns, (size_t)at, COLUMN_GENERATED);

        if (at < 0 && stream->add_new_columns) {
            gr_buf_printf(sql, "alter table %s add column if not exists ", table->name);
            gr_sql_ident(sql, column->name);
            gr_buf_putc(sql, ' ');
            gr_ddl_type(column->type, has_lz4, sql);
            gr_buf_puts(sql, ";\n");
            if (!table->is_empty)
                warn(warnings, "is new, and empty in rows until they are read again: column ",
                     column->name);
            continue; /* the type that table->types says already */
        }
        gr_free(table->types[i]);
        table->types[i] = NULL;
        if (at < 0)
            warn(warnings,
                 "add_new_columns is false, so this column is not written: ", column->name);
        else if (generated != NULL && generated[0] != '\0')
            warn(warnings, "this column is a generated one, so it is not written: ", column->name);
        else
            table->types[i] = gr_strdup(gr_rows_text(&found->columns, (size_t)at, COLUMN_TYPE));
    }
}

static void
plan_own_columns(const struct gr_table *table, const struct found *found, struct gr_buf *sql)
{
    for (size_t i = 0; i < OWN_COUNT; i++) {
        const struct own_column *column = &gr_own_columns[i];

        if (find(found, column->name) >= 0)
            continue;
        /* Rows that are there already were loaded at a time that we do not know: now. */
        gr_buf_printf(sql, "alter table %s add column if not exists \"%s\" %s;\n", table->name,
                      column->name, column->sql);
    }
}

/* One that is there already, such as Sling's own, is left to whoever made it. */
static void
plan_loaded_at(const struct gr_table *table, const struct found *found, struct gr_buf *sql,
               struct gr_buf *warnings)
{
    const char *name = table->stream->loaded_at.name;
    int at = name == NULL ? -1 : find(found, name);
    const char *generated =
        at < 0 ? "" : gr_rows_text(&found->columns, (size_t)at, COLUMN_GENERATED);

    if (name == NULL)
        return;
    if (at >= 0 && (generated == NULL || generated[0] == '\0'))
        warn(warnings,
             "this column is there already and not generated, so it is not written: ", name);
    if (at >= 0)
        return;
    gr_buf_printf(sql, "alter table %s add column if not exists ", table->name);
    gr_ddl_loaded_at(table->stream, sql);
    gr_buf_puts(sql, ";\n");
}

/* The fingerprints of rows that lack a value no longer speak for them: whatever reads such a row
   again writes it. */
static void
plan_fingerprints(const struct gr_table *table, const struct gr_buf *added, struct gr_buf *sql)
{
    if (added->len > 0 && !table->is_empty)
        gr_buf_printf(sql, "update %s set \"_hash\" = null where \"_hash\" is not null;\n",
                      table->name);
}

static void
plan_comment(const struct gr_table *table, const struct found *found, const char *column,
             const char *description, struct gr_buf *sql)
{
    int at = find(found, column);
    const char *old = at < 0 ? NULL : gr_rows_text(&found->columns, (size_t)at, COLUMN_COMMENT);
    bool is_written = at >= 0 || table->stream->add_new_columns || column[0] == '_';

    if (!is_written || description == NULL || description[0] == '\0' ||
        (old != NULL && strcmp(old, description) == 0))
        return;
    gr_ddl_column_comment(table->stream, column, description, sql);
}

static void
plan_comments(const struct gr_table *table, const struct found *found, struct gr_buf *sql)
{
    const struct gr_plan_stream *stream = table->stream;

    if (stream->description != NULL && stream->description[0] != '\0' &&
        (found->comment == NULL || strcmp(found->comment, stream->description) != 0))
        gr_ddl_table_comment(stream, sql);
    for (size_t i = 0; i < stream->column_count; i++)
        plan_comment(table, found, stream->columns[i].name, stream->columns[i].description, sql);
    for (size_t i = 0; i < OWN_COUNT; i++)
        plan_comment(table, found, gr_own_columns[i].name, gr_own_columns[i].description, sql);
    if (stream->loaded_at.name != NULL)
        plan_comment(table, found, stream->loaded_at.name, gr_loaded_at_description, sql);
}

static bool
plan_indexes(struct gr_pg *pg, const struct gr_table *table, const struct found *found,
             struct gr_buf *sql, struct gr_error *err)
{
    struct index indexes[INDEXES_MAX];
    size_t count = gr_ddl_indexes(table->stream, indexes);

    for (size_t i = 1; i < count; i++) {
        bool is_there = false;

        if (!has_index(pg, found, &indexes[i], false, &is_there, err))
            return false;
        if (!is_there)
            gr_ddl_index(table->stream, &indexes[i], sql);
    }
    return true;
}

/* All in one transaction (a simple query is one), and one run at a time. */
static bool
apply(struct gr_pg *pg, const struct gr_buf *ddl, struct gr_error *err)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    gr_buf_printf(&sql, "select pg_advisory_xact_lock(%" PRId64 ");\n", gr_pg_lock_key("ddl"));
    gr_buf_puts(&sql, gr_buf_text(ddl));
    return gr_pg_exec_fenced(pg, gr_buf_text(&sql), err);
}

static bool
create(struct gr_pg *pg, struct gr_table *table, const struct found *found, struct gr_error *err)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    if (!found->has_schema) { /* IF NOT EXISTS asks for a privilege even where it does exist */
        gr_buf_puts(&sql, "create schema if not exists ");
        gr_sql_ident(&sql, table->stream->table_schema);
        gr_buf_puts(&sql, ";\n");
    }
    gr_ddl_table(table->stream, gr_pg_has_lz4(pg), &sql);
    table->was_created = true;
    return apply(pg, &sql, err);
}

static bool
amend(struct gr_pg *pg, struct gr_table *table, const struct found *found, struct gr_error *err)
{
    struct gr_buf added GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf extras GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf warnings = gr_buf_new(0);

    plan_columns(table, found, gr_pg_has_lz4(pg), &added, &warnings);
    gr_buf_puts(&sql, gr_buf_text(&added));
    plan_own_columns(table, found, &sql);
    plan_loaded_at(table, found, &sql, &warnings);
    plan_fingerprints(table, &added, &sql);
    plan_comments(table, found, &extras);
    if (!plan_indexes(pg, table, found, &extras, err)) {
        gr_buf_free(&warnings);
        return false;
    }
    if (found->is_owned)
        gr_buf_puts(&sql, gr_buf_text(&extras));
    else if (extras.len > 0)
        warn(&warnings, "comments and indexes are left as they are, because another role owns ",
             table->name);
    gr_free(table->warnings);
    table->warnings = gr_buf_take(&warnings);
    return sql.len == 0 || apply(pg, &sql, err);
}

/* True if all columns have our types, and the time of loading comes by itself. */
static bool
is_as_made(const struct gr_table *table, const struct found *found)
{
    const struct gr_plan_stream *stream = table->stream;
    int loaded = find(found, gr_own_columns[OWN_LOADED].name);

    for (size_t i = 0; i < stream->column_count; i++)
        if (table->types[i] == NULL ||
            strcmp(table->types[i], gr_type_facts(stream->columns[i].type)->format) != 0)
            return false;
    for (size_t i = 0; i < OWN_COUNT; i++)
        if (find(found, gr_own_columns[i].name) < 0)
            return false;
    return found->kind == 'r' &&
           is_true(gr_rows_text(&found->columns, (size_t)loaded, COLUMN_HAS_DEFAULT));
}

static bool
note_as_made(struct gr_table *table, const struct found *found)
{
    table->is_as_made = is_as_made(table, found);
    return true;
}

static bool
find_whether_empty(struct gr_pg *pg, struct gr_table *table, struct gr_error *err)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_rows rows = {0};

    gr_buf_printf(&sql, "select from %s limit 1", table->name);
    if (!gr_pg_query(pg, gr_buf_text(&sql), NULL, 0, &rows, err))
        return false;
    table->is_empty = rows.count == 0;
    gr_rows_free(&rows);
    return true;
}

static bool
open_table(struct gr_pg *pg, struct gr_table *table, struct found *found, struct gr_error *err)
{
    if (!check_names(table, err) || !look(pg, table->stream, found, err))
        return false;
    if (found->oid[0] == '\0' &&
        (!create(pg, table, found, err) || !look(pg, table->stream, found, err)))
        return false;
    return check_existing(pg, table, found, err) && find_whether_empty(pg, table, err) &&
           amend(pg, table, found, err) && note_as_made(table, found);
}

bool
gr_table_open(struct gr_pg *pg, const struct gr_plan_stream *stream, const char *state_schema,
              struct gr_table *out, struct gr_error *err)
{
    struct found found = {0};
    struct gr_table table;
    bool is_ok;

    gr_table_describe(stream, state_schema, &table);
    is_ok = open_table(pg, &table, &found, err);
    if (!is_ok)
        (void)gr_fail_in(err, "%s", stream->name);
    forget(&found);
    if (is_ok)
        *out = table;
    else
        gr_table_free(&table);
    return is_ok;
}
