/* made.c - rows that are made of a column of another stream's rows: nothing is asked for them. */
#include "ddl.h"
#include "gr/sink/sql.h"
#include "merge.h"

/* The member `field` of an entry, as what the column takes. */
static void
put_member(const struct gr_table *table, size_t column, struct gr_buf *sql)
{
    bool is_json = table->stream->columns[column].type == GR_TYPE_JSONB;

    gr_buf_puts(sql, is_json ? "nullif(c.o -> " : "(c.o ->> ");
    gr_sql_literal(sql, table->stream->columns[column].field);
    gr_buf_puts(sql, is_json ? ", 'null')" : ")");
    gr_buf_printf(sql, "::%s", table->types[column]);
}

/* What no column of the schema takes. */
static void
put_extra(const struct gr_schema *schema, struct gr_buf *sql)
{
    gr_buf_puts(sql, "nullif(c.o");
    for (size_t i = 0; i < schema->column_count; i++) {
        gr_buf_puts(sql, " - ");
        gr_sql_literal(sql, schema->columns[i].name);
        gr_buf_puts(sql, "::text");
    }
    gr_buf_puts(sql, ", '{}')");
}

/* made: all rows that there should be of these parents. gr/codec/made.h does the same without a
   warehouse. */
static void
put_made(const struct gr_table *table, const char *from, bool has_keys, struct gr_buf *sql)
{
    const struct gr_schema *schema = table->stream->schema;
    struct gr_buf value GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf only GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    gr_sql_literal(&only, schema->columns[schema->key_count].field);
    gr_merge_parent_value(table, schema->made_of, &value);
    gr_buf_puts(&value, "::jsonb");
    gr_buf_puts(sql, "with made as materialized (\nselect ");
    gr_merge_column("p", gr_merge_parent_key(table), sql);
    gr_buf_printf(sql,
                  " as k0, f.key::bigint as k1, f.o, hashtextextended(f.o::text, 0) as h, "
                  "p._deleted_at as gone_at\n"
                  "from %s as p cross join lateral (select e.key, case jsonb_typeof(e.value) when "
                  "'object' then"
                  " e.value else jsonb_build_object(%s, e.value) end as o from "
                  "jsonb_each(case jsonb_typeof(%s)"
                  " when 'object' then %s end) as e where e.key ~ '^(0|[1-9][0-9]{0,%d})$') as f",
                  from, gr_buf_text(&only), gr_buf_text(&value), gr_buf_text(&value),
                  GR_MADE_DIGITS_MAX - 1);
    if (has_keys) {
        gr_buf_puts(sql, "\nwhere ");
        gr_merge_column("p", gr_merge_parent_key(table), sql);
        gr_buf_puts(sql, " = any($1::bigint[])");
    }
    gr_buf_putc(sql, ')');
}

static void
put_same_key(const struct gr_table *table, const char *alias, struct gr_buf *sql)
{
    for (size_t i = 0; i < table->stream->key_count; i++) {
        gr_buf_puts(sql, i == 0 ? "" : " and ");
        gr_merge_column("t", table->stream->columns[i].name, sql);
        gr_buf_printf(sql, " = %s.k%zu", alias, i);
    }
}

static void
put_written(const struct gr_table *table, struct gr_buf *sql)
{
    const struct gr_plan_stream *stream = table->stream;

    gr_buf_puts(sql, ", changed as materialized (\nselect m.*, ");
    gr_merge_column("t", stream->columns[0].name, sql);
    gr_buf_printf(sql, " is not null as was_there from made as m left join %s as t on ",
                  table->name);
    put_same_key(table, "m", sql);
    gr_buf_puts(sql, "\nwhere ");
    gr_merge_column("t", stream->columns[0].name, sql);
    gr_buf_puts(
        sql, " is null or t._hash is distinct from m.h or t._deleted_at is distinct from m.gone_at)"
             ", written as (\n");
    gr_buf_printf(sql, "insert into %s as t (", table->name);
    for (size_t i = 0; i < stream->column_count; i++)
        if (table->types[i] != NULL) {
            gr_sql_ident(sql, stream->columns[i].name);
            gr_buf_puts(sql, ", ");
        }
    gr_buf_puts(sql, "\"_loaded_at\", \"_deleted_at\", \"_hash\", \"_extra\")\noverriding system "
                     "value\nselect ");
    for (size_t i = 0; i < stream->column_count; i++) {
        if (table->types[i] == NULL)
            continue;
        if (i < stream->key_count)
            gr_buf_printf(sql, "c.k%zu::%s", i, table->types[i]);
        else
            put_member(table, i, sql);
        gr_buf_puts(sql, ", ");
    }
    gr_buf_puts(sql, "now(), c.gone_at, c.h, ");
    put_extra(stream->schema, sql);
    gr_buf_puts(sql, " from changed as c");
    gr_merge_update(&(struct merge){.table = table}, sql);
    gr_buf_puts(sql, "\nreturning 1)");
}

/* What its parent no longer has. */
static void
put_gone(const struct gr_table *table, bool has_keys, struct gr_buf *sql)
{
    bool is_hard = table->stream->missing == GR_MISSING_HARD;

    gr_buf_printf(sql, ", gone as (\n%s %s as t%s where %s", is_hard ? "delete from" : "update",
                  table->name, is_hard ? "" : " set _deleted_at = now()",
                  is_hard ? "" : "t._deleted_at is null and ");
    if (has_keys) {
        gr_merge_column("t", table->stream->columns[0].name, sql);
        gr_buf_puts(sql, " = any($1::bigint[]) and ");
    }
    gr_buf_puts(sql, "not exists (select from made as m where ");
    put_same_key(table, "m", sql);
    gr_buf_puts(sql, ") returning 1)");
}

size_t
gr_commit_made(struct gr_script *script, const struct gr_table *table, const char *from,
               const int64_t *keys, size_t count)
{
    bool has_keys = keys != NULL;
    struct gr_buf list GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    const char *params[1];

    gr_sql_int_array(&list, keys, has_keys ? count : 0);
    params[0] = gr_buf_text(&list);
    put_made(table, from, has_keys, &sql);
    put_written(table, &sql);
    put_gone(table, has_keys, &sql);
    gr_buf_puts(&sql, ", n as (\nselect (select count(*) from written) as written,"
                      " (select count(*) from changed where not was_there) as new,"
                      " (select count(*) from made) as made)\n"
                      "select least(new, written), written - least(new, written), made - written,"
                      " (select count(*) from gone) from n");
    return gr_script_sql(script, gr_buf_text(&sql), params, has_keys ? 1 : 0);
}
