/* overview.c - reads what the state tables tell of a replication. */
#include "gr/sink/overview.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gr/base/time.h"
#include "gr/sink/sql.h"
#include "gr/sink/state.h"
#include "layout.h"
#include "locks.h"

/* Microseconds since 1970. */
#define US(column) "round(extract(epoch from " column ") * 1000000)::bigint"

/* clang-format off */
/* A run under way holds the lock of its replication: $2 is its key. */
#define IS_AT_WORK                                                                                 \
    "exists (select from pg_locks as l where l.locktype = 'advisory' and l.granted"                \
    " and l.objsubid = 1 and l.database = (select d.oid from pg_database as d"                     \
    " where d.datname = current_database())"                                                       \
    " and (l.classid::bigint << 32) | l.objid::bigint = $2::bigint)"

/* In all of them @ is the state schema. $1: identity, $2: key of its lock, $3: the file's objects. */
static const char run_sql[] =
    "select r.run_id, case when r.status = 'running' and not " IS_AT_WORK " then 'lost'"
    " else r.status end, r.file, r.host, r.pid, r.version, coalesce(r.exit_code, -1),"
    " " US("r.started_at") ", " US("r.ended_at") ", r.requests, r.throttled, r.error, r.hint"
    " from @.runs as r where r.replication = $1 or r.run_id ="
    " (select max(s.run_id) from @.stream_runs as s where s.object = any($3::text[]))"
    " order by r.run_id desc limit 1";

/* $1: account. What was taken drains from then on. */
static const char budget_sql[] =
    "select greatest(level - extract(epoch from clock_timestamp() - updated_at) * 1000"
    " * requests / per_ms, 0), requests, per_ms from @.rate_budget where account = $1";

/* $1: the file's objects, $2: key of the replication's lock, $3: source. */
static const char streams_sql[] =
    "select o.object, s.stream, s.object is not null, " US("s.bookmark") ","
    " " US("s.source_clock") ", " US("s.completed_at") ", s.walk, s.audit,\n"
    "last.run_id, coalesce(sr.status, case when r.status <> 'running' then 'lost'"
    " when " IS_AT_WORK " then 'running' else 'lost' end), coalesce(sr.mode, s.mode), r.file,"
    " " US("r.started_at") ", " US("coalesce(sr.ended_at, r.ended_at)") ",\n"
    "sr.rows_read, sr.inserted, sr.updated, sr.deleted, sr.rejected, sr.requests, sr.error, sr.hint,\n"
    "h.runs, h.requests, h.ms, w.requests, q.n, " US("q.since") ","
    " (select count(*) from @.rejected where object = o.object), f.n, f.names, f.list,\n"
    "a.run_id, " US("a.at") ", a.checked, a.missing, a.gone, a.changed\n"
    "from (select x.object, x.n from unnest($1::text[]) with ordinality as x (object, n) union all"
    " select s.object, null from @.streams as s where s.source = $3"
    " and not s.object = any($1::text[])) as o\n"
    "left join @.streams as s on s.object = o.object\n"
    "left join lateral (select greatest(s.run_id, max(x.run_id)) as run_id from @.stream_runs as x"
    " where x.object = o.object and x.mode is distinct from 'audit') as last on true\n"
    "left join @.stream_runs as sr on sr.object = o.object and sr.run_id = last.run_id\n"
    "left join @.runs as r on r.run_id = last.run_id\n"
    "left join lateral (select count(*) - 1 as runs,"
    " sum(x.requests) - (array_agg(x.requests order by x.run_id))[1] as requests,"
    " round(extract(epoch from max(x.started_at) - min(x.started_at)) * 1000)::bigint as ms"
    " from (select y.run_id, y.requests, z.started_at from @.stream_runs as y join @.runs as z"
    " on z.run_id = y.run_id where y.object = o.object and y.mode = 'incremental'"
    " and y.status = 'succeeded' order by y.run_id desc limit 11) as x having count(*) > 1)"
    " as h on true\n"
    "left join lateral (select x.requests from @.stream_runs as x where x.object = o.object"
    " and x.mode in ('full-refresh', 'truncate', 'snapshot') and x.status = 'succeeded'"
    " and x.requests > 0 order by x.run_id desc limit 1) as w on true\n"
    "left join lateral (select count(*) as n, min(x.enqueued_at) as since from @.queue as x"
    " where x.object in (o.object, o.object || '#rows')) as q on true\n"
    "left join lateral (select count(*) as n, string_agg(x.field, ', ' order by x.first_seen,"
    " x.field) as names, json_agg(x.field order by x.first_seen, x.field) as list"
    " from @.fields as x where x.object = o.object) as f on true\n"
    "left join lateral (select x.run_id, max(x.checked_at) as at, sum(x.in_table + x.missing)"
    " as checked, sum(x.missing) as missing, sum(x.gone) as gone, sum(x.changed) as changed"
    " from @.audits as x where x.object = o.object group by x.run_id order by x.run_id desc"
    " limit 1) as a on true\n"
    "order by o.n nulls last, o.object";
/* clang-format on */

static bool
query(struct gr_pg *pg, const char *schema, const char *text, const char *const *params,
      size_t count, struct gr_rows *out, struct gr_error *err)
{
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    for (; *text != '\0'; text++)
        if (*text == '@')
            gr_sql_ident(&sql, schema);
        else
            gr_buf_putc(&sql, *text);
    return gr_pg_query(pg, gr_buf_text(&sql), params, count, out, err);
}

/* The cells of a row, one after the other. */
struct cells {
    const struct gr_rows *rows;
    size_t row, next;
    struct gr_arena *arena;
};

static const char *
take_text(struct cells *cells)
{
    const char *text = gr_rows_text(cells->rows, cells->row, cells->next++);

    return text == NULL ? NULL : gr_arena_strdup(cells->arena, text);
}

static int64_t
take_int(struct cells *cells)
{
    return gr_rows_int(cells->rows, cells->row, cells->next++);
}

static int64_t
take_instant(struct cells *cells)
{
    const char *text = gr_rows_text(cells->rows, cells->row, cells->next++);

    return text == NULL ? GR_TIME_NONE : (int64_t)strtoll(text, NULL, 10);
}

static void
take_run(struct cells *cells, struct gr_overview_run *run)
{
    run->run_id = take_int(cells);
    run->status = take_text(cells);
    run->file = take_text(cells);
    run->host = take_text(cells);
    run->pid = take_int(cells);
    run->version = take_text(cells);
    run->exit_code = take_int(cells);
    run->started_us = take_instant(cells);
    run->ended_us = take_instant(cells);
    run->requests = take_int(cells);
    run->throttled = take_int(cells);
    run->error = take_text(cells);
    run->hint = take_text(cells);
}

static void
take_last_run(struct cells *cells, struct gr_overview_stream *stream)
{
    stream->run_id = take_int(cells);
    stream->status = take_text(cells);
    stream->mode = take_text(cells);
    stream->file = take_text(cells);
    stream->started_us = take_instant(cells);
    stream->ended_us = take_instant(cells);
    stream->rows_read = take_int(cells);
    stream->inserted = take_int(cells);
    stream->updated = take_int(cells);
    stream->deleted = take_int(cells);
    stream->rejected = take_int(cells);
    stream->requests = take_int(cells);
    stream->error = take_text(cells);
    stream->hint = take_text(cells);
    stream->history_runs = take_int(cells);
    stream->history_requests = take_int(cells);
    stream->history_ms = take_int(cells);
    stream->whole_requests = take_int(cells);
}

static void
take_stream(struct cells *cells, struct gr_overview_stream *stream)
{
    const char *known;

    stream->object = take_text(cells);
    stream->stream = take_text(cells);
    known = take_text(cells);
    stream->is_known = known != NULL && known[0] == 't';
    stream->bookmark_us = take_instant(cells);
    stream->clock_us = take_instant(cells);
    stream->completed_us = take_instant(cells);
    stream->walk = take_text(cells);
    stream->audit = take_text(cells);
    take_last_run(cells, stream);
    stream->queue = take_int(cells);
    stream->queue_since_us = take_instant(cells);
    stream->rejected_values = take_int(cells);
    stream->field_count = take_int(cells);
    stream->fields = take_text(cells);
    stream->field_list = take_text(cells);
    stream->audit_run_id = take_int(cells);
    stream->audited_us = take_instant(cells);
    stream->audit_checked = take_int(cells);
    stream->audit_missing = take_int(cells);
    stream->audit_gone = take_int(cells);
    stream->audit_changed = take_int(cells);
}

static bool
read_run(struct gr_pg *pg, const struct gr_plan *plan, const char *key, const char *objects,
         struct gr_overview *out, struct gr_error *err)
{
    char identity[17];
    const char *params[] = {identity, key, objects};
    struct gr_rows rows = {0};
    struct cells cells = {.rows = &rows, .arena = out->arena};

    gr_state_identity(plan, identity);
    if (!query(pg, plan->state_schema, run_sql, params, 3, &rows, err))
        return false;
    if (rows.count > 0)
        take_run(&cells, &out->run);
    gr_rows_free(&rows);
    return true;
}

static bool
read_budget(struct gr_pg *pg, const struct gr_plan *plan, struct gr_overview *out,
            struct gr_error *err)
{
    const char *params[] = {plan->source.base_url};
    struct gr_rows rows = {0};

    if (!query(pg, plan->state_schema, budget_sql, params, 1, &rows, err))
        return false;
    out->has_budget = rows.count > 0;
    if (out->has_budget)
        out->budget_used = strtod(gr_rows_text(&rows, 0, 0), NULL);
    out->budget_requests = gr_rows_int(&rows, 0, 1);
    out->budget_per_ms = gr_rows_int(&rows, 0, 2);
    gr_rows_free(&rows);
    return true;
}

static bool
is_in_file(const struct gr_plan *plan, const char *object)
{
    for (size_t i = 0; i < plan->all_object_count; i++)
        if (strcmp(plan->all_objects[i], object) == 0)
            return true;
    return false;
}

/* Those of the plan stand first, in its order; of the others, those that the file has but the
   command line did not ask for are left out. */
static bool
read_streams(struct gr_pg *pg, const struct gr_plan *plan, const char *key, const char *objects,
             struct gr_overview *out, struct gr_error *err)
{
    const char *params[] = {objects, key, plan->source.base_url};
    struct gr_rows rows = {0};

    if (!query(pg, plan->state_schema, streams_sql, params, 3, &rows, err))
        return false;
    out->streams = gr_arena_alloc(out->arena, rows.count, sizeof(out->streams[0]));
    for (size_t i = 0; i < rows.count; i++) {
        struct cells cells = {.rows = &rows, .row = i, .arena = out->arena};
        struct gr_overview_stream *stream = &out->streams[out->count];

        *stream = (struct gr_overview_stream){.plan = i < plan->count ? &plan->streams[i] : NULL};
        take_stream(&cells, stream);
        if (stream->plan != NULL)
            stream->stream = stream->plan->name;
        out->count += stream->plan != NULL || !is_in_file(plan, stream->object);
    }
    out->in_file = plan->count;
    gr_rows_free(&rows);
    return true;
}

/* As {"gorgias.events",...}, in the plan's order. */
static void
put_objects(const struct gr_plan *plan, struct gr_arena *arena, struct gr_buf *text)
{
    const char **names = gr_arena_alloc(arena, plan->count, sizeof(names[0]));

    for (size_t i = 0; i < plan->count; i++)
        names[i] = gr_arena_printf(arena, "%s.%s", plan->streams[i].table_schema,
                                   plan->streams[i].table_name);
    gr_sql_text_array(text, names, plan->count);
}

static bool
read_all(struct gr_pg *pg, const struct gr_plan *plan, struct gr_overview *out,
         struct gr_error *err)
{
    struct gr_buf objects GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    char key[24];
    struct gr_rows rows = {0};

    (void)snprintf(key, sizeof(key), "%" PRId64, gr_locks_replication_key(plan));
    put_objects(plan, out->arena, &objects);
    if (!gr_pg_query(pg, "select " US("now()"), NULL, 0, &rows, err))
        return false;
    out->now_us = gr_rows_int(&rows, 0, 0);
    gr_rows_free(&rows);
    return read_run(pg, plan, key, gr_buf_text(&objects), out, err) &&
           read_budget(pg, plan, out, err) &&
           read_streams(pg, plan, key, gr_buf_text(&objects), out, err);
}

/* What there is to say where no run has begun. */
static void
describe_nothing(const struct gr_plan *plan, struct gr_overview *out)
{
    out->now_us = gr_clock_us();
    out->streams = gr_arena_alloc(out->arena, plan->count, sizeof(out->streams[0]));
    out->count = out->in_file = plan->count;
    for (size_t i = 0; i < plan->count; i++)
        out->streams[i] = (struct gr_overview_stream){
            .plan = &plan->streams[i],
            .stream = plan->streams[i].name,
            .object = gr_arena_printf(out->arena, "%s.%s", plan->streams[i].table_schema,
                                      plan->streams[i].table_name),
            .bookmark_us = GR_TIME_NONE,
            .clock_us = GR_TIME_NONE,
            .completed_us = GR_TIME_NONE,
            .started_us = GR_TIME_NONE,
            .ended_us = GR_TIME_NONE,
            .queue_since_us = GR_TIME_NONE,
            .audited_us = GR_TIME_NONE};
}

static bool
fail_read(const struct gr_plan *plan, struct gr_error *err)
{
    (void)gr_fail_in(err, "state schema %s", plan->state_schema);
    if (err->fault == GR_FAULT_TARGET)
        (void)gr_hint(err,
                      "To look, the role needs USAGE on schema %s and SELECT on all of its "
                      "tables.",
                      plan->state_schema);
    return false;
}

bool
gr_overview_read(struct gr_pg *pg, const struct gr_plan *plan, struct gr_overview *out,
                 struct gr_error *err)
{
    struct gr_overview overview = {.arena = gr_arena_new()};
    bool is_ok;

    overview.run.started_us = overview.run.ended_us = GR_TIME_NONE;
    is_ok = gr_state_find(pg, plan->state_schema, &overview.has_state, err);
    if (is_ok && !overview.has_state) {
        describe_nothing(plan, &overview);
    } else if (is_ok) {
        is_ok = gr_pg_exec(pg, "begin isolation level repeatable read, read only", err) &&
                read_all(pg, plan, &overview, err) && gr_pg_exec(pg, "commit", err);
    }
    if (!is_ok) {
        gr_overview_free(&overview);
        return fail_read(plan, err);
    }
    *out = overview;
    return true;
}

void
gr_overview_free(struct gr_overview *overview)
{
    gr_arena_free(overview->arena);
    *overview = (struct gr_overview){0};
}
