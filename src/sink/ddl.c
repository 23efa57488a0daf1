/* ddl.c - tables, indexes, comments and staging as SQL text. */
#include "ddl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/sink/sql.h"

/* clang-format off */
const struct own_column gr_own_columns[OWN_COUNT] = {
    [OWN_LOADED]  = {"_loaded_at",  "timestamptz not null default now()", "timestamp with time zone",
                     "When this version of the row was written"},
    [OWN_DELETED] = {"_deleted_at", "timestamptz",          "timestamp with time zone",
                     "When the row was found to be gone at the source; null while it is there"},
    [OWN_HASH]    = {"_hash",       "bigint",               "bigint",
                     "Fingerprint of the API's object: an unchanged row is recognised by it"},
    [OWN_EXTRA]   = {"_extra",      "jsonb",                "jsonb",
                     "Fields of the API's object that have no column of their own"},
};
/* clang-format on */

int
gr_ddl_column_of(const struct gr_plan_stream *stream, const char *field)
{
    for (size_t i = 0; field != NULL && i < stream->column_count; i++)
        if (strcmp(stream->columns[i].field, field) == 0)
            return (int)i;
    return -1;
}

int
gr_ddl_parent_column(const struct gr_plan_stream *stream)
{
    return gr_ddl_column_of(stream, stream->schema->parent_key);
}

void
gr_ddl_columns(const struct gr_plan_stream *stream, size_t count, struct gr_buf *sql)
{
    for (size_t i = 0; i < count; i++) {
        gr_buf_puts(sql, i == 0 ? "" : ", ");
        gr_sql_ident(sql, stream->columns[i].name);
    }
}

/* The columns of the primary key: those of the stream, and for snapshots the time besides. */
static size_t
key_columns(const struct gr_plan_stream *stream, struct index *key)
{
    size_t most = sizeof(key->columns) / sizeof(key->columns[0]) - 1;

    *key = (struct index){.is_unique = true};
    for (size_t i = 0; i < stream->key_count && i < most; i++)
        key->columns[key->count++] = stream->columns[i].name;
    if (stream->mode == GR_MODE_SNAPSHOT)
        key->columns[key->count++] = gr_own_columns[OWN_LOADED].name;
    return key->count;
}

static bool
is_same_index(const struct index *a, const struct index *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (strcmp(a->columns[i], b->columns[i]) != 0)
            return false;
    return true;
}

/* Adds an index unless there is one on these columns already. */
static size_t
add_index(struct index *indexes, size_t count, const struct index *index)
{
    for (size_t i = 0; i < count; i++)
        if (is_same_index(&indexes[i], index))
            return count;
    if (count < INDEXES_MAX && index->count > 0)
        indexes[count++] = *index;
    return count;
}

size_t
gr_ddl_indexes(const struct gr_plan_stream *stream, struct index indexes[INDEXES_MAX])
{
    int parent = gr_ddl_parent_column(stream);
    size_t count = 0;
    struct index index;

    (void)key_columns(stream, &index);
    count = add_index(indexes, count, &index);
    if (parent > 0) { /* the first column of the key has an index */
        index = (struct index){.columns = {stream->columns[parent].name}, .count = 1};
        count = add_index(indexes, count, &index);
    }
    for (size_t k = 0; k < stream->table_key_count; k++) {
        const struct gr_table_key *asked = &stream->table_keys[k];

        index = (struct index){.is_unique = asked->is_unique};
        for (size_t i = 0; i < asked->count; i++)
            if (index.count < sizeof(index.columns) / sizeof(index.columns[0]))
                index.columns[index.count++] = asked->columns[i];
        count = add_index(indexes, count, &index);
    }
    return count;
}

void
gr_ddl_index(const struct gr_plan_stream *stream, const struct index *index, struct gr_buf *sql)
{
    struct gr_buf base GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    char name[GR_SQL_NAME_BYTES + 1];

    gr_buf_puts(&base, stream->table_name);
    for (size_t i = 0; i < index->count; i++)
        gr_buf_printf(&base, "_%s", index->columns[i]);
    gr_sql_derived("", gr_buf_text(&base), index->is_unique ? "_key" : "_idx", name);
    gr_buf_printf(sql, "create %sindex if not exists ", index->is_unique ? "unique " : "");
    gr_sql_ident(sql, name);
    gr_buf_puts(sql, " on ");
    gr_sql_name(sql, stream->table_schema, stream->table_name);
    for (size_t i = 0; i < index->count; i++) {
        gr_buf_puts(sql, i == 0 ? " (" : ", ");
        gr_sql_ident(sql, index->columns[i]);
    }
    gr_buf_puts(sql, ");\n");
}

void
gr_ddl_type(enum gr_type type, bool has_lz4, struct gr_buf *sql)
{
    bool is_long = type == GR_TYPE_TEXT || type == GR_TYPE_JSONB;

    gr_buf_printf(sql, "%s%s", gr_type_facts(type)->sql,
                  is_long && has_lz4 ? " compression lz4" : "");
}

const char gr_loaded_at_description[] = "The same as _loaded_at, as Sling has it";

void
gr_ddl_loaded_at(const struct gr_plan_stream *stream, struct gr_buf *sql)
{
    gr_sql_ident(sql, stream->loaded_at.name);
    if (stream->loaded_at.is_unix)
        gr_buf_puts(sql, " bigint generated always as (floor(extract(epoch from \"_loaded_at\""
                         " - '1970-01-01 00:00:00+00'::timestamptz))::bigint) stored");
    else
        gr_buf_puts(sql, " timestamptz generated always as (\"_loaded_at\") stored");
}

void
gr_ddl_table(const struct gr_plan_stream *stream, bool has_lz4, struct gr_buf *sql)
{
    struct index key;

    gr_buf_puts(sql, "create table if not exists ");
    gr_sql_name(sql, stream->table_schema, stream->table_name);
    gr_buf_puts(sql, " (\n");
    for (size_t i = 0; i < stream->column_count; i++) {
        gr_buf_puts(sql, "    ");
        gr_sql_ident(sql, stream->columns[i].name);
        gr_buf_putc(sql, ' ');
        gr_ddl_type(stream->columns[i].type, has_lz4, sql);
        gr_buf_puts(sql, i < stream->key_count ? " not null,\n" : ",\n");
    }
    for (size_t i = 0; i < OWN_COUNT; i++) {
        gr_buf_puts(sql, "    ");
        gr_sql_ident(sql, gr_own_columns[i].name);
        gr_buf_printf(sql, " %s%s,\n", gr_own_columns[i].sql,
                      i == OWN_EXTRA && has_lz4 ? " compression lz4" : "");
    }
    if (stream->loaded_at.name != NULL) {
        gr_buf_puts(sql, "    ");
        gr_ddl_loaded_at(stream, sql);
        gr_buf_puts(sql, ",\n");
    }
    gr_buf_puts(sql, "    primary key");
    for (size_t i = 0; i < key_columns(stream, &key); i++) {
        gr_buf_puts(sql, i == 0 ? " (" : ", ");
        gr_sql_ident(sql, key.columns[i]);
    }
    gr_buf_puts(sql, ")\n);\n");
}

void
gr_ddl_table_comment(const struct gr_plan_stream *stream, struct gr_buf *sql)
{
    gr_buf_puts(sql, "comment on table ");
    gr_sql_name(sql, stream->table_schema, stream->table_name);
    gr_buf_puts(sql, " is ");
    gr_sql_literal(sql, stream->description);
    gr_buf_puts(sql, ";\n");
}

void
gr_ddl_column_comment(const struct gr_plan_stream *stream, const char *column,
                      const char *description, struct gr_buf *sql)
{
    gr_buf_puts(sql, "comment on column ");
    gr_sql_name(sql, stream->table_schema, stream->table_name);
    gr_buf_putc(sql, '.');
    gr_sql_ident(sql, column);
    gr_buf_puts(sql, " is ");
    gr_sql_literal(sql, description);
    gr_buf_puts(sql, ";\n");
}

void
gr_table_sql(const struct gr_plan_stream *stream, struct gr_buf *sql)
{
    struct index indexes[INDEXES_MAX];
    size_t count = gr_ddl_indexes(stream, indexes);

    gr_buf_puts(sql, "create schema if not exists ");
    gr_sql_ident(sql, stream->table_schema);
    gr_buf_puts(sql, ";\n");
    gr_ddl_table(stream, false, sql);
    if (stream->description != NULL && stream->description[0] != '\0')
        gr_ddl_table_comment(stream, sql);
    for (size_t i = 0; i < stream->column_count; i++) {
        const struct gr_column *column = &stream->columns[i];

        if (column->description != NULL && column->description[0] != '\0')
            gr_ddl_column_comment(stream, column->name, column->description, sql);
    }
    for (size_t i = 0; i < OWN_COUNT; i++)
        gr_ddl_column_comment(stream, gr_own_columns[i].name, gr_own_columns[i].description, sql);
    if (stream->loaded_at.name != NULL)
        gr_ddl_column_comment(stream, stream->loaded_at.name, gr_loaded_at_description, sql);
    for (size_t i = 1; i < count; i++) /* the first is the primary key */
        gr_ddl_index(stream, &indexes[i], sql);
}

void
gr_ddl_staging_columns(const struct gr_plan_stream *stream, struct gr_buf *sql)
{
    gr_buf_putc(sql, '(');
    for (size_t i = 0; i < stream->column_count; i++) {
        gr_sql_ident(sql, stream->columns[i].name);
        gr_buf_printf(sql, " %s, ", gr_type_facts(stream->columns[i].type)->staging);
    }
    gr_buf_puts(sql, "\"_hash\" bigint, \"_extra\" text)");
}

void
gr_table_session_sql(const struct gr_table *table, struct gr_buf *sql)
{
    gr_buf_printf(sql, "create temporary table if not exists %s ", table->staging);
    gr_ddl_staging_columns(table->stream, sql);
    gr_buf_puts(sql, " on commit delete rows;\n");
    gr_buf_printf(sql, "create temporary table if not exists %s ", table->set_staging);
    gr_ddl_staging_columns(table->stream, sql);
    gr_buf_puts(sql, " on commit preserve rows;\n");
}

void
gr_ddl_scan_prefix(const struct gr_plan_stream *stream, const char *object, char out[64])
{
    char name[GR_SQL_NAME_BYTES + 1];

    /* The last 16 make room for the digits of the layout's hash. */
    gr_sql_derived(stream->mode == GR_MODE_AUDIT ? "audit_" : "scan_", object, "_________________",
                   name);
    (void)snprintf(out, 64, "%.*s", (int)(strlen(name) - 16), name);
}

static char *
quoted(const char *schema, const char *table)
{
    struct gr_buf text = gr_buf_new(0);

    if (table == NULL)
        gr_sql_ident(&text, schema);
    else
        gr_sql_name(&text, schema, table);
    return gr_buf_take(&text);
}

static char *
scan_name(const struct gr_plan_stream *stream, const char *object, const char *state_schema)
{
    struct gr_buf layout GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    char prefix[64];
    char name[128];

    gr_ddl_scan_prefix(stream, object, prefix);
    gr_ddl_staging_columns(stream, &layout);
    (void)snprintf(name, sizeof(name), "%s%016" PRIx64, prefix, gr_sql_hash(gr_buf_text(&layout)));
    return quoted(state_schema, name);
}

void
gr_table_describe(const struct gr_plan_stream *stream, const char *state_schema,
                  struct gr_table *out)
{
    struct gr_buf object = gr_buf_new(0);
    char name[GR_SQL_NAME_BYTES + 1];

    gr_buf_printf(&object, "%s.%s", stream->table_schema, stream->table_name);
    *out = (struct gr_table){.stream = stream, .object = gr_buf_take(&object)};
    out->name = quoted(stream->table_schema, stream->table_name);
    out->state = quoted(state_schema, NULL);
    gr_sql_derived("stage_", out->object, "", name);
    out->staging = quoted("pg_temp", name);
    gr_sql_derived("set_", out->object, "", name);
    out->set_staging = quoted("pg_temp", name);
    out->scan_staging = scan_name(stream, out->object, state_schema);
    out->warnings = gr_strdup("");
    out->types = gr_alloc(stream->column_count, sizeof(*out->types));
    for (size_t i = 0; i < stream->column_count; i++)
        out->types[i] = gr_strdup(gr_type_facts(stream->columns[i].type)->sql);
}

void
gr_table_free(struct gr_table *table)
{
    for (size_t i = 0; table->types != NULL && i < table->stream->column_count; i++)
        gr_free(table->types[i]);
    gr_free(table->types);
    gr_free(table->name);
    gr_free(table->object);
    gr_free(table->state);
    gr_free(table->staging);
    gr_free(table->set_staging);
    gr_free(table->scan_staging);
    gr_free(table->warnings);
    *table = (struct gr_table){0};
}
