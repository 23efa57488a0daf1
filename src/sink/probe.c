/* probe.c - what `check` says of the warehouse. */
#include "gr/sink/probe.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/sink/sql.h"

static struct gr_probe_item *
add(struct gr_probe *probe, bool is_ok, const char *what)
{
    struct gr_probe_item *item;

    probe->items = gr_realloc(probe->items, probe->count + 1, sizeof(*probe->items));
    item = &probe->items[probe->count++];
    *item = (struct gr_probe_item){.is_ok = is_ok};
    (void)snprintf(item->what, sizeof(item->what), "%s", what);
    return item;
}

static void GR_PRINTF(2, 3) explain(struct gr_probe_item *item, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(item->reason, sizeof(item->reason), fmt, args);
    va_end(args);
}

static bool
is_true(const struct gr_rows *rows, size_t row, size_t column)
{
    const char *text = gr_rows_text(rows, row, column);

    return text != NULL && text[0] == 't';
}

static bool
probe_server(struct gr_pg *pg, struct gr_probe *probe, struct gr_error *err)
{
    struct gr_rows rows = {0};
    int version = gr_pg_version(pg);
    struct gr_probe_item *item;

    if (!gr_pg_query(pg,
                     "select has_database_privilege(current_database(), 'temporary'),"
                     " quote_ident(current_database()), quote_ident(current_user),"
                     " pg_is_in_recovery(), current_setting('server_version')",
                     NULL, 0, &rows, err))
        return false;
    item = add(probe, version >= 130000 && !is_true(&rows, 0, 3), "version");
    explain(item, "PostgreSQL %s%s%s", gr_rows_text(&rows, 0, 4),
            version >= 130000 ? "" : "; 13 or newer is needed",
            is_true(&rows, 0, 3) ? "; a standby, which takes no writes: connect to the primary"
                                 : "");
    item = add(probe, is_true(&rows, 0, 0), "temporary tables");
    if (item->is_ok)
        explain(item, "may be created");
    else
        explain(item, "may not be created; run GRANT TEMPORARY ON DATABASE %s TO %s;",
                gr_rows_text(&rows, 0, 1), gr_rows_text(&rows, 0, 2));
    gr_rows_free(&rows);
    return true;
}

/* Columns: may create schemas, schema exists, may create in it, may use it, database, schema and
   role as SQL. */
static const char schema_sql[] =
    "select has_database_privilege(current_database(), 'create'), n.oid is not null,"
    " has_schema_privilege(n.oid, 'create'), has_schema_privilege(n.oid, 'usage'),"
    " quote_ident(current_database()), quote_ident($1), quote_ident(current_user)"
    " from (select 1) as one left join pg_namespace as n on n.nspname = $1";

static bool
probe_schema(struct gr_pg *pg, const char *schema, const char *prefix, struct gr_probe *probe,
             bool *is_there_out, struct gr_error *err)
{
    const char *params[] = {schema};
    struct gr_rows rows = {0};
    struct gr_probe_item *item;
    char what[160];

    if (!gr_pg_query(pg, schema_sql, params, 1, &rows, err))
        return false;
    (void)snprintf(what, sizeof(what), "%s %s", prefix, schema);
    *is_there_out = is_true(&rows, 0, 1);
    item = add(probe,
               *is_there_out ? is_true(&rows, 0, 2) && is_true(&rows, 0, 3) : is_true(&rows, 0, 0),
               what);
    if (item->is_ok)
        explain(item, *is_there_out ? "exists, tables may be created" : "may be created");
    else if (*is_there_out)
        explain(item, "tables may not be created; run GRANT USAGE, CREATE ON SCHEMA %s TO %s;",
                gr_rows_text(&rows, 0, 5), gr_rows_text(&rows, 0, 6));
    else
        explain(item,
                "does not exist and may not be created; "
                "run GRANT CREATE ON DATABASE %s TO %s;",
                gr_rows_text(&rows, 0, 4), gr_rows_text(&rows, 0, 6));
    gr_rows_free(&rows);
    return true;
}

/* Tables that exist and lack a privilege. */
static bool
probe_tables(struct gr_pg *pg, const struct gr_plan *plan, struct gr_probe *probe,
             struct gr_error *err)
{
    static const char sql[] =
        "select quote_ident(n.nspname) || '.' || quote_ident(c.relname), quote_ident(current_user)"
        " from pg_class as c join pg_namespace as n on n.oid = c.relnamespace"
        " where n.nspname = $1 and c.relname = $2 and c.relkind in ('r', 'p') and not"
        " (has_table_privilege(c.oid, 'select') and has_table_privilege(c.oid, 'insert')"
        " and has_table_privilege(c.oid, 'update') and has_table_privilege(c.oid, 'delete'))";

    for (size_t i = 0; i < plan->count; i++) {
        const struct gr_plan_stream *stream = &plan->streams[i];
        const char *params[] = {stream->table_schema, stream->table_name};
        struct gr_rows rows = {0};
        char what[160];

        if (!gr_pg_query(pg, sql, params, 2, &rows, err))
            return false;
        if (rows.count > 0) {
            (void)snprintf(what, sizeof(what), "table of %s", stream->name);
            explain(add(probe, false, what),
                    "run GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON %s TO %s;",
                    gr_rows_text(&rows, 0, 0), gr_rows_text(&rows, 0, 1));
        }
        gr_rows_free(&rows);
    }
    return true;
}

/* State tables of another role are of use only if they can be written. */
static bool
probe_state(struct gr_pg *pg, const char *schema, struct gr_probe *probe, struct gr_error *err)
{
    const char *params[] = {schema};
    struct gr_probe_item *item = &probe->items[probe->count - 1];
    struct gr_rows rows = {0};

    if (!gr_pg_query(pg,
                     "select c.relname, quote_ident($1), quote_ident(current_user)"
                     " from pg_class as c join pg_namespace as n on n.oid = c.relnamespace"
                     " where n.nspname = $1 and c.relname in ('runs', 'stream_runs', 'streams',"
                     " 'queue', 'rejected', 'rate_budget', 'fields', 'audits',"
                     " 'version') and not"
                     " (has_table_privilege(c.oid, 'select') and"
                     " has_table_privilege(c.oid, 'insert') and"
                     " has_table_privilege(c.oid, 'update') and"
                     " has_table_privilege(c.oid, 'delete')) limit 1",
                     params, 1, &rows, err))
        return false;
    if (rows.count > 0) {
        item->is_ok = false;
        explain(item,
                "table %s may not be written; run GRANT SELECT, INSERT, UPDATE, DELETE ON ALL "
                "TABLES IN SCHEMA %s TO %s;",
                gr_rows_text(&rows, 0, 0), gr_rows_text(&rows, 0, 1), gr_rows_text(&rows, 0, 2));
    }
    gr_rows_free(&rows);
    return true;
}

static bool
probe_all(struct gr_pg *pg, const struct gr_plan *plan, struct gr_probe *probe,
          struct gr_error *err)
{
    bool is_there = false;

    if (!probe_server(pg, probe, err))
        return false;
    for (size_t i = 0; i < plan->count; i++) {
        bool is_known = false;

        for (size_t k = 0; k < i; k++)
            is_known = is_known ||
                       strcmp(plan->streams[k].table_schema, plan->streams[i].table_schema) == 0;
        if (!is_known &&
            !probe_schema(pg, plan->streams[i].table_schema, "schema", probe, &is_there, err))
            return false;
    }
    return probe_tables(pg, plan, probe, err) &&
           probe_schema(pg, plan->state_schema, "state schema", probe, &is_there, err) &&
           (!is_there || probe_state(pg, plan->state_schema, probe, err));
}

bool
gr_probe_run(struct gr_pg *pg, const struct gr_plan *plan, struct gr_probe *out,
             struct gr_error *err)
{
    struct gr_probe probe = {0};

    if (!probe_all(pg, plan, &probe, err)) {
        gr_probe_free(&probe);
        return false;
    }
    *out = probe;
    return true;
}

void
gr_probe_free(struct gr_probe *probe)
{
    gr_free(probe->items);
    *probe = (struct gr_probe){0};
}
