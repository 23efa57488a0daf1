/* scan.c - full walks: pages wait in an unlogged table until the walk is complete. */
#include <inttypes.h>
#include <stdio.h>

#include "ddl.h"
#include "gr/sink/sql.h"
#include "merge.h"

static const char emptied[] =
    "the staging table of this walk is gone, or a crash of the server has emptied it";
static const char emptied_hint[] = "The walk begins anew; no row was changed.";

static void
add(struct gr_script *script, const struct gr_buf *sql)
{
    (void)gr_script_sql(script, gr_buf_text(sql), NULL, 0);
}

/* s."key", null in the marker and nowhere else */
static void
put_key(const struct gr_table *table, struct gr_buf *sql)
{
    gr_merge_column("s", table->stream->columns[0].name, sql);
}

/* Fails the script unless the marker is there. It was the first row, so it is found at once. */
static void
check_marker(struct gr_script *script, const struct gr_table *table)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    const char *name = table->scan_staging;

    /* A table of another layout is none: then a name is all that may be asked for. */
    (void)gr_script_check(script, "select where to_regclass($1) is not null", &name, 1, emptied,
                          emptied_hint);
    gr_buf_printf(&sql, "select from %s as s where ", table->scan_staging);
    put_key(table, &sql);
    gr_buf_puts(&sql, " is null limit 1");
    (void)gr_script_check(script, gr_buf_text(&sql), NULL, 0, emptied, emptied_hint);
}

/* Scan tables of this object, of whatever layout, go. As one string constant, so that no name can
   end the block early. */
void
gr_commit_scan_drop(struct gr_script *script, const struct gr_table *table)
{
    struct gr_buf body GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf schema GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    char prefix[64];

    gr_ddl_scan_prefix(table->stream, table->object, prefix);
    gr_sql_literal(&schema, table->state);
    gr_buf_printf(&body,
                  "declare leftover text; begin for leftover in"
                  " select format('%%I', c.relname) from pg_class as c"
                  " where c.relnamespace = to_regnamespace(%s) and c.relkind = 'r'"
                  " and left(c.relname, -16) = ",
                  gr_buf_text(&schema));
    gr_sql_literal(&body, prefix);
    gr_buf_printf(&body, " loop execute 'drop table ' || %s || '.' || leftover; end loop; end",
                  gr_buf_text(&schema));
    gr_buf_puts(&sql, "do ");
    gr_sql_literal(&sql, gr_buf_text(&body));
    add(script, &sql);
}

static void
make(struct gr_script *script, const struct gr_table *table)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    gr_buf_printf(&sql, "create unlogged table if not exists %s ", table->scan_staging);
    gr_ddl_staging_columns(table->stream, &sql);
    add(script, &sql);
}

void
gr_commit_scan_begin(struct gr_script *script, const struct gr_table *table)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    gr_commit_scan_drop(script, table);
    make(script, table);
    gr_buf_printf(&sql, "insert into %s default values", table->scan_staging);
    add(script, &sql);
}

void
gr_commit_scan_page(struct gr_script *script, const struct gr_table *table, struct gr_buf *copy)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    check_marker(script, table);
    gr_merge_copy_sql(table, table->scan_staging, &sql);
    if (copy->len > 0)
        (void)gr_script_copy(script, gr_buf_text(&sql), copy);
}

size_t
gr_commit_scan_count(struct gr_script *script, const struct gr_table *table)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    make(script, table);
    gr_buf_puts(&sql, "select case when bool_or(");
    put_key(table, &sql);
    gr_buf_puts(&sql, " is null) then count(");
    put_key(table, &sql);
    gr_buf_printf(&sql, ") else 0 end from %s as s", table->scan_staging);
    add(script, &sql);
    return gr_script_steps(script) - 1;
}

size_t
gr_commit_scan_missing(struct gr_script *script, const struct gr_table *table, int64_t limit)
{
    const struct gr_plan_stream *stream = table->stream;
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    char text[24];
    const char *params[] = {text};

    (void)snprintf(text, sizeof(text), "%" PRId64, limit);
    check_marker(script, table);
    gr_buf_puts(&sql, "select ");
    gr_merge_key_text(table, "t", &sql);
    gr_buf_printf(&sql,
                  " from %s as t where t._deleted_at is null and not exists (select from %s"
                  " as s where ",
                  table->name, table->scan_staging);
    for (size_t i = 0; i < stream->key_count; i++) {
        gr_buf_puts(&sql, i == 0 ? "" : " and ");
        gr_merge_column("s", stream->columns[i].name, &sql);
        gr_buf_printf(&sql, "::%s = ", table->types[i]);
        gr_merge_column("t", stream->columns[i].name, &sql);
    }
    gr_buf_puts(&sql, ") limit $1::bigint");
    return gr_script_sql(script, gr_buf_text(&sql), params, 1);
}

/* Statistics of the key alone: they are what the join is planned by. */
static void
analyze_key(struct gr_script *script, const struct gr_table *table)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    gr_buf_printf(&sql, "analyze %s ", table->scan_staging);
    gr_merge_key_list(table, &sql);
    add(script, &sql);
}

/* The marker is told from rows by its key: the merge leaves out rows without one. */
static size_t
add_merge(struct gr_script *script, const struct merge *merge, bool is_snapshot,
          const char *const *keep, size_t keep_count)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf keys GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    const char *params[1];

    gr_sql_text_array(&keys, keep, keep_count);
    params[0] = gr_buf_text(&keys);
    if (is_snapshot)
        gr_merge_snapshot_sql(merge, &sql);
    else
        gr_merge_sql(merge, &sql);
    return gr_script_sql(script, gr_buf_text(&sql), params, merge->keep == NULL ? 0 : 1);
}

size_t
gr_commit_scan_finish(struct gr_script *script, const struct gr_table *table, enum gr_finish finish,
                      const char *const *keep, size_t keep_count, const char *parent_table,
                      const struct gr_feed *feeds, size_t feed_count)
{
    const char *params[] = {table->scan_staging};
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct merge merge = {
        .table = table,
        .staging = table->scan_staging,
        .finds_gone = finish == GR_FINISH_DIFFERENCE,
        .keep = finish == GR_FINISH_DIFFERENCE && keep_count > 0 ? "$1" : NULL,
        .parent_table = parent_table,
        .feeds = feeds,
        .feed_count = feed_count,
    };
    size_t step;

    /* Without a table this commit has been made before and its answer was lost on the way. */
    (void)gr_script_gate(script, "select where to_regclass($1) is not null", params, 1);
    check_marker(script, table);
    analyze_key(script, table);
    if (finish == GR_FINISH_TRUNCATE) {
        gr_buf_printf(&sql, "truncate table %s", table->name);
        add(script, &sql);
        gr_buf_reset(&sql);
    }
    step = add_merge(script, &merge, finish == GR_FINISH_SNAPSHOT, keep, keep_count);
    gr_buf_printf(&sql, "drop table %s", table->scan_staging);
    add(script, &sql);
    gr_script_gate_end(script);
    return step;
}
