/* state.c - runs, fences and what is remembered of streams. */
#include "gr/sink/state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conn.h"
#include "gr/base/alloc.h"
#include "gr/base/buf.h"
#include "gr/base/time.h"
#include "gr/sink/script.h"
#include "gr/sink/sql.h"
#include "layout.h"
#include "locks.h"

#ifndef GR_VERSION
#define GR_VERSION "unknown"
#endif

enum { NUMBER_BYTES = 24 };

/* `text` with every @ replaced by the schema. */
static void
put_in_schema(const char *text, const char *schema, struct gr_buf *sql)
{
    for (; *text != '\0'; text++) {
        if (*text == '@')
            gr_sql_ident(sql, schema);
        else
            gr_buf_putc(sql, *text);
    }
}

static bool
has_schema(struct gr_pg *pg, const char *schema, bool *out, struct gr_error *err)
{
    const char *params[] = {schema};
    struct gr_rows rows = {0};

    if (!gr_pg_query(pg, "select from pg_namespace where nspname = $1", params, 1, &rows, err))
        return false;
    *out = rows.count > 0;
    gr_rows_free(&rows);
    return true;
}

static bool
make_tables(struct gr_pg *pg, const char *schema, struct gr_error *err)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    bool is_there = false;

    if (!has_schema(pg, schema, &is_there, err))
        return false;
    gr_buf_printf(&sql, "select pg_advisory_xact_lock(%" PRId64 ");\n", gr_pg_lock_key("ddl"));
    if (!is_there)
        put_in_schema("create schema if not exists @;\ncomment on schema @ is 'State of"
                      " gorgias-replicate: runs, bookmarks, queues; written in the same"
                      " transactions as the rows';\n",
                      schema, &sql);
    for (size_t i = 0; gr_state_ddl[i] != NULL; i++) {
        put_in_schema(gr_state_ddl[i], schema, &sql);
        gr_buf_puts(&sql, ";\n");
    }
    return gr_pg_exec(pg, gr_buf_text(&sql), err);
}

/* The layout's number; 0 where there are no tables yet. */
static bool
read_layout(struct gr_pg *pg, const char *schema, int64_t *layout_out, struct gr_error *err)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_rows rows = {0};
    struct gr_error reason;

    put_in_schema("select max(layout) from @.version", schema, &sql);
    *layout_out = 0;
    if (!gr_pg_query(pg, gr_buf_text(&sql), NULL, 0, &rows, &reason)) {
        if (strcmp(gr_pg_sqlstate(pg), "42P01") == 0) /* no such table (or schema) */
            return true;
        *err = reason;
        return false;
    }
    *layout_out = gr_rows_int(&rows, 0, 0);
    gr_rows_free(&rows);
    return true;
}

static bool
judge_name(const char *schema, struct gr_error *err)
{
    return strlen(schema) <= GR_SQL_NAME_BYTES ||
           gr_fail(err, GR_FAULT_DATA, "state schema %s: the name is longer than 63 bytes", schema);
}

static bool
judge_layout(const char *schema, int64_t layout, struct gr_error *err)
{
    if (layout <= GR_STATE_LAYOUT)
        return true;
    (void)gr_fail(err, GR_FAULT_TARGET,
                  "state schema %s: layout %" PRId64 " is newer than %d, which is ours", schema,
                  layout, GR_STATE_LAYOUT);
    return gr_hint(err, "Use the newer gorgias-replicate that has worked here, or name another "
                        "schema in SLING_STATE.");
}

bool
gr_state_open(struct gr_pg *pg, const char *state_schema, struct gr_error *err)
{
    int64_t layout;

    if (!judge_name(state_schema, err))
        return false;
    if (!read_layout(pg, state_schema, &layout, err) ||
        (layout < GR_STATE_LAYOUT && !make_tables(pg, state_schema, err)))
        return gr_fail_in(err, "state schema %s", state_schema);
    return judge_layout(state_schema, layout, err);
}

bool
gr_state_find(struct gr_pg *pg, const char *state_schema, bool *is_there_out, struct gr_error *err)
{
    int64_t layout;

    if (!judge_name(state_schema, err) || !read_layout(pg, state_schema, &layout, err) ||
        !judge_layout(state_schema, layout, err))
        return false;
    *is_there_out = layout > 0;
    if (layout == 0 || layout >= GR_STATE_LAYOUT_READ)
        return true;
    (void)gr_fail(err, GR_FAULT_TARGET, "layout %" PRId64 " is older than %d, which is ours",
                  layout, GR_STATE_LAYOUT);
    return gr_hint(err, "The next run brings it up to date.");
}

void
gr_state_identity(const struct gr_plan *plan, char text[17])
{
    struct gr_buf all GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    gr_buf_puts(&all, plan->source.base_url == NULL ? "" : plan->source.base_url);
    for (size_t i = 0; i < plan->all_object_count; i++)
        gr_buf_printf(&all, "\n%s", plan->all_objects[i]);
    (void)snprintf(text, 17, "%016" PRIx64, gr_sql_hash(gr_buf_text(&all)));
}

/* Row in runs, stale runs lost, fences raised: one transaction. */
static void
write_begin(struct gr_script *script, const struct gr_plan *plan, const struct gr_objects *objects)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf names GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf streams GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    char identity[17];
    char host[256] = "";
    char pid[NUMBER_BYTES];
    const char *params[] = {identity, plan->file, plan->source.base_url, host, pid, GR_VERSION,
                            NULL,     NULL};

    gr_state_identity(plan, identity);
    (void)gethostname(host, sizeof(host) - 1);
    (void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    gr_sql_text_array(&names, objects->names, objects->count);
    gr_sql_text_array(&streams, objects->streams, objects->count);
    params[6] = gr_buf_text(&names);
    params[7] = gr_buf_text(&streams);
    put_in_schema(
        "with run as (\n"
        "insert into @.runs (replication, file, source, host, pid, version)"
        " values ($1, $2, $3, $4, $5::bigint, $6) returning run_id), lost as (\n"
        "update @.runs set status = 'lost', ended_at = now()"
        " where replication = $1 and status = 'running' returning run_id), unfinished as (\n"
        "update @.stream_runs as s set status = 'lost', ended_at = now() from lost"
        " where s.run_id = lost.run_id and s.status = 'running'), fenced as (\n"
        "insert into @.streams as s (object, stream, fence)"
        " select o.object, o.stream, run.run_id from run,"
        " unnest($7::text[], $8::text[]) as o (object, stream)\n"
        "on conflict (object) do update set fence = greatest(s.fence, excluded.fence),"
        " stream = excluded.stream)\n"
        "select run_id from run",
        plan->state_schema, &sql);
    (void)gr_script_sql(script, gr_buf_text(&sql), params, sizeof(params) / sizeof(params[0]));
}

/* Fails unless every object still has this fence; until the transaction ends nobody raises it. */
static void
set_fence(struct gr_pg *pg, const struct gr_plan *plan, const struct gr_objects *objects,
          int64_t run_id)
{
    struct gr_buf names GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf list GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf body GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    gr_sql_text_array(&names, objects->names, objects->count);
    gr_sql_literal(&list, gr_buf_text(&names));
    gr_buf_puts(&body, "begin if (select count(*) from (select from ");
    gr_sql_ident(&body, plan->state_schema);
    gr_buf_printf(&body,
                  ".streams where object = any(%s::text[]) and fence = %" PRId64
                  " for share) as s) < %zu then raise exception 'another run has taken over'"
                  " using errcode = 'GRF01', hint = 'Let one run at a time work on a replication;"
                  " what this one had committed is kept.'; end if; end",
                  gr_buf_text(&list), run_id, objects->count);
    gr_buf_puts(&sql, "do ");
    gr_sql_literal(&sql, gr_buf_text(&body));
    gr_pg_set_fence(pg, gr_buf_text(&sql));
}

bool
gr_state_begin(struct gr_pg *pg, const struct gr_plan *plan, int64_t *run_id_out,
               struct gr_error *err)
{
    struct gr_script *script = gr_script_new("beginning of the run");
    struct gr_objects objects;
    bool is_ok;

    gr_objects_of(plan, &objects);
    is_ok = gr_locks_take(pg, plan, &objects, err);
    if (is_ok) {
        write_begin(script, plan, &objects);
        is_ok = gr_script_run(script, pg, err);
        if (is_ok) {
            *run_id_out = gr_rows_int(gr_script_rows(script, 0), 0, 0);
            set_fence(pg, plan, &objects, *run_id_out);
        } else
            gr_locks_drop(pg, plan, &objects, SIZE_MAX);
    }
    gr_script_free(script);
    gr_objects_free(&objects);
    return is_ok;
}

static bool
check_fences(struct gr_pg *pg, const struct gr_plan *plan, const struct gr_objects *objects,
             int64_t run_id, struct gr_error *err)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf names GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    char run[NUMBER_BYTES];
    const char *params[] = {NULL, run};
    struct gr_rows rows = {0};
    const char *object;

    (void)snprintf(run, sizeof(run), "%" PRId64, run_id);
    gr_sql_text_array(&names, objects->names, objects->count);
    params[0] = gr_buf_text(&names);
    put_in_schema("select o.object, s.fence from unnest($1::text[]) as o (object)"
                  " left join @.streams as s on s.object = o.object"
                  " where s.fence is distinct from $2::bigint limit 1",
                  plan->state_schema, &sql);
    if (!gr_pg_query(pg, gr_buf_text(&sql), params, 2, &rows, err))
        return false;
    object = gr_rows_text(&rows, 0, 0);
    if (object != NULL)
        (void)gr_fail(err, GR_FAULT_FENCED, "run %" PRId64 " has taken over %s from run %" PRId64,
                      gr_rows_int(&rows, 0, 1), object, run_id);
    gr_rows_free(&rows);
    return object == NULL;
}

bool
gr_state_resume(struct gr_pg *pg, const struct gr_plan *plan, int64_t run_id, struct gr_error *err)
{
    enum { PATIENCE_MS = 10000, PAUSE_MS = 100 };
    int64_t until_ms = gr_clock_ms() + PATIENCE_MS;
    struct gr_objects objects;
    bool is_ok = true;

    gr_pg_end_former(pg);
    gr_objects_of(plan, &objects);
    /* The former session holds the locks until the server has noticed that it is gone. */
    while (is_ok) {
        is_ok = check_fences(pg, plan, &objects, run_id, err);
        if (!is_ok || gr_locks_take(pg, plan, &objects, err))
            break;
        if (err->fault != GR_FAULT_LOCKED || gr_clock_ms() >= until_ms) {
            if (err->fault == GR_FAULT_LOCKED)
                err->fault = GR_FAULT_FENCED;
            is_ok = false;
        } else {
            gr_clock_sleep(PAUSE_MS);
        }
    }
    gr_objects_free(&objects);
    return is_ok;
}

static int64_t
instant(const char *us)
{
    return us == NULL ? GR_TIME_NONE : (int64_t)strtoll(us, NULL, 10);
}

bool
gr_state_load(struct gr_pg *pg, const char *state_schema, const char *object,
              struct gr_stream_state *out, struct gr_error *err)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    const char *params[] = {object};
    struct gr_rows rows = {0};

    put_in_schema(
        "select round(extract(epoch from bookmark) * 1000000)::bigint, walk, source,"
        " coalesce(floor(extract(epoch from now() - completed_at) * 1000), -1)::bigint,"
        " round(extract(epoch from source_clock) * 1000000)::bigint, audit -> 'walk',"
        " coalesce((audit ->> 'named')::bigint, -1), coalesce((audit ->> 'after')::bigint,"
        " -1), audit, round(extract(epoch from anchor) * 1000000)::bigint"
        " from @.streams where object = $1",
        state_schema, &sql);
    if (!gr_pg_query(pg, gr_buf_text(&sql), params, 1, &rows, err))
        return gr_fail_in(err, "state of %s", object);
    *out = (struct gr_stream_state){.bookmark_us = instant(gr_rows_text(&rows, 0, 0)),
                                    .age_ms = rows.count > 0 ? gr_rows_int(&rows, 0, 3) : -1,
                                    .clock_us = instant(gr_rows_text(&rows, 0, 4)),
                                    .anchor_us = instant(gr_rows_text(&rows, 0, 9)),
                                    .audit_named = rows.count > 0 ? gr_rows_int(&rows, 0, 6) : -1,
                                    .audit_after = rows.count > 0 ? gr_rows_int(&rows, 0, 7) : -1};
    if (gr_rows_text(&rows, 0, 1) != NULL)
        out->walk = gr_strdup(gr_rows_text(&rows, 0, 1));
    if (gr_rows_text(&rows, 0, 2) != NULL)
        out->source = gr_strdup(gr_rows_text(&rows, 0, 2));
    if (gr_rows_text(&rows, 0, 5) != NULL)
        out->audit_walk = gr_strdup(gr_rows_text(&rows, 0, 5));
    if (gr_rows_text(&rows, 0, 8) != NULL)
        out->audit = gr_strdup(gr_rows_text(&rows, 0, 8));
    gr_rows_free(&rows);
    return true;
}

void
gr_stream_state_free(struct gr_stream_state *state)
{
    gr_free(state->walk);
    gr_free(state->source);
    gr_free(state->audit_walk);
    gr_free(state->audit);
    *state = (struct gr_stream_state){.bookmark_us = GR_TIME_NONE};
}

bool
gr_state_end(struct gr_pg *pg, const char *state_schema, int64_t run_id,
             const struct gr_run_totals *totals, struct gr_error *err)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    char run[NUMBER_BYTES];
    char code[NUMBER_BYTES];
    char requests[NUMBER_BYTES];
    char throttled[NUMBER_BYTES];
    const char *params[] = {run,       totals->status, code,        requests,
                            throttled, totals->error,  totals->hint};
    struct gr_rows rows = {0};

    (void)snprintf(run, sizeof(run), "%" PRId64, run_id);
    (void)snprintf(code, sizeof(code), "%d", totals->exit_code);
    (void)snprintf(requests, sizeof(requests), "%" PRId64, totals->requests);
    (void)snprintf(throttled, sizeof(throttled), "%" PRId64, totals->throttled);
    put_in_schema("update @.runs set status = $2, exit_code = $3::integer, requests = $4::bigint,"
                  " throttled = $5::bigint, error = $6, hint = $7, ended_at = now()"
                  " where run_id = $1::bigint",
                  state_schema, &sql);
    if (!gr_pg_query(pg, gr_buf_text(&sql), params, 7, &rows, err))
        return gr_fail_in(err, "end of run %" PRId64, run_id);
    gr_rows_free(&rows);
    return true;
}
