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
#include "look.h"

/* clang-format off */
/* In all of them @ is the state schema. $1: identity, $2: key of its lock, $3: the file's objects. */
static const char run_sql[] =
    "select r.run_id, case when r.status = 'running' and not " LOOK_IS_AT_WORK " then 'lost'"
    " else r.status end, r.file, r.host, r.pid, r.version, coalesce(r.exit_code, -1),"
    " " LOOK_US("r.started_at") ", " LOOK_US("r.ended_at") ", r.requests, r.throttled, r.error, r.hint"
    " from @.runs as r where r.replication = $1 or r.run_id ="
    " (select max(s.run_id) from @.stream_runs as s where s.object = any($3::text[]))"
    " order by r.run_id desc limit 1";

/* $1: account. What was taken drains from then on. */
static const char budget_sql[] =
    "select greatest(level - extract(epoch from clock_timestamp() - updated_at) * 1000"
    " * requests / per_ms, 0), requests, per_ms from @.rate_budget where account = $1";

/* $1: the file's objects, $2: key of the replication's lock, $3: source. */
static const char streams_sql[] =
    "select o.object, s.stream, s.object is not null, " LOOK_US("s.bookmark") ","
    " " LOOK_US("s.source_clock") ", " LOOK_US("s.completed_at") ", s.walk, s.audit,\n"
    "last.run_id, coalesce(sr.status, case when r.status <> 'running' then 'lost'"
    " when " LOOK_IS_AT_WORK " then 'running' else 'lost' end), coalesce(sr.mode, s.mode), r.file,"
    " " LOOK_US("r.started_at") ", " LOOK_US("coalesce(sr.ended_at, r.ended_at)") ",\n"
    "sr.rows_read, sr.inserted, sr.updated, sr.unchanged, sr.deleted, sr.rejected, sr.requests,"
    " sr.error, sr.hint,\n"
    "h.runs, h.requests, h.ms, w.requests, q.n, " LOOK_US("q.since") ","
    " (select count(*) from @.rejected where object = o.object), f.n, f.names, f.list,\n"
    "a.run_id, " LOOK_US("a.at") ", a.checked, a.missing, a.gone, a.changed\n"
    "from (select x.object, x.n from unnest($1::text[]) with ordinality as x (object, n) union all"
    " select s.object, null from @.streams as s where s.source = $3"
    " and not s.object = any($1::text[])) as o\n"
    "left join @.streams as s on s.object = o.object\n"
    "left join lateral (select greatest(case when not exists (select from @.stream_runs as y"
    " where y.object = o.object and y.run_id = s.run_id and y.mode = 'audit') then s.run_id end,"
    " max(x.run_id)) as run_id from @.stream_runs as x"
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

static void
take_run(struct look *look, struct gr_overview_run *run)
{
    run->run_id = gr_look_int(look);
    run->status = gr_look_text(look);
    run->file = gr_look_text(look);
    run->host = gr_look_text(look);
    run->pid = gr_look_int(look);
    run->version = gr_look_text(look);
    run->exit_code = gr_look_int(look);
    run->started_us = gr_look_instant(look);
    run->ended_us = gr_look_instant(look);
    run->requests = gr_look_int(look);
    run->throttled = gr_look_int(look);
    run->error = gr_look_text(look);
    run->hint = gr_look_text(look);
}

static void
take_last_run(struct look *look, struct gr_overview_stream *stream)
{
    stream->run_id = gr_look_int(look);
    stream->status = gr_look_text(look);
    stream->mode = gr_look_text(look);
    stream->file = gr_look_text(look);
    stream->started_us = gr_look_instant(look);
    stream->ended_us = gr_look_instant(look);
    stream->rows_read = gr_look_int(look);
    stream->inserted = gr_look_int(look);
    stream->updated = gr_look_int(look);
    stream->unchanged = gr_look_int(look);
    stream->deleted = gr_look_int(look);
    stream->rejected = gr_look_int(look);
    stream->requests = gr_look_int(look);
    stream->error = gr_look_text(look);
    stream->hint = gr_look_text(look);
    stream->history_runs = gr_look_int(look);
    stream->history_requests = gr_look_int(look);
    stream->history_ms = gr_look_int(look);
    stream->whole_requests = gr_look_int(look);
}

static void
take_stream(struct look *look, struct gr_overview_stream *stream)
{
    const char *known;

    stream->object = gr_look_text(look);
    stream->stream = gr_look_text(look);
    known = gr_look_text(look);
    stream->is_known = known != NULL && known[0] == 't';
    stream->bookmark_us = gr_look_instant(look);
    stream->clock_us = gr_look_instant(look);
    stream->completed_us = gr_look_instant(look);
    stream->walk = gr_look_text(look);
    stream->audit = gr_look_text(look);
    take_last_run(look, stream);
    stream->queue = gr_look_int(look);
    stream->queue_since_us = gr_look_instant(look);
    stream->rejected_values = gr_look_int(look);
    stream->field_count = gr_look_int(look);
    stream->fields = gr_look_text(look);
    stream->field_list = gr_look_text(look);
    stream->audit_run_id = gr_look_int(look);
    stream->audited_us = gr_look_instant(look);
    stream->audit_checked = gr_look_int(look);
    stream->audit_missing = gr_look_int(look);
    stream->audit_gone = gr_look_int(look);
    stream->audit_changed = gr_look_int(look);
}

static bool
read_run(struct gr_pg *pg, const struct gr_plan *plan, const char *key, const char *objects,
         struct gr_overview *out, struct gr_error *err)
{
    char identity[17];
    const char *params[] = {identity, key, objects};
    struct gr_rows rows = {0};
    struct look look = {.rows = &rows, .arena = out->arena};

    gr_state_identity(plan, identity);
    if (!gr_look_query(pg, plan->state_schema, run_sql, params, 3, &rows, err))
        return false;
    if (rows.count > 0)
        take_run(&look, &out->run);
    gr_rows_free(&rows);
    return true;
}

static bool
read_budget(struct gr_pg *pg, const struct gr_plan *plan, struct gr_overview *out,
            struct gr_error *err)
{
    const char *params[] = {plan->source.base_url};
    struct gr_rows rows = {0};

    if (!gr_look_query(pg, plan->state_schema, budget_sql, params, 1, &rows, err))
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

    if (!gr_look_query(pg, plan->state_schema, streams_sql, params, 3, &rows, err))
        return false;
    out->streams = gr_arena_alloc(out->arena, rows.count, sizeof(out->streams[0]));
    for (size_t i = 0; i < rows.count; i++) {
        struct look look = {.rows = &rows, .row = i, .arena = out->arena};
        struct gr_overview_stream *stream = &out->streams[out->count];

        *stream = (struct gr_overview_stream){.plan = i < plan->count ? &plan->streams[i] : NULL};
        take_stream(&look, stream);
        if (stream->plan != NULL)
            stream->stream = stream->plan->name;
        out->count += stream->plan != NULL || !is_in_file(plan, stream->object);
    }
    out->in_file = plan->count;
    gr_rows_free(&rows);
    return true;
}

static bool
read_all(struct gr_pg *pg, const struct gr_plan *plan, struct gr_overview *out,
         struct gr_error *err)
{
    struct gr_buf objects GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    char key[24];
    struct gr_rows rows = {0};

    (void)snprintf(key, sizeof(key), "%" PRId64, gr_locks_replication_key(plan));
    gr_look_objects(plan, out->arena, &objects);
    if (!gr_pg_query(pg, "select " LOOK_US("now()"), NULL, 0, &rows, err))
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
gr_look_overview(struct gr_pg *pg, const struct gr_plan *plan, look_more *more, void *context,
                 struct gr_overview *out, struct gr_error *err)
{
    struct gr_overview overview = {.arena = gr_arena_new()};
    bool is_ok;

    overview.run.started_us = overview.run.ended_us = GR_TIME_NONE;
    is_ok = gr_state_find(pg, plan->state_schema, &overview.has_state, err);
    if (is_ok && !overview.has_state) {
        describe_nothing(plan, &overview);
    } else if (is_ok) {
        is_ok = gr_pg_exec(pg, "begin isolation level repeatable read, read only", err) &&
                read_all(pg, plan, &overview, err) &&
                (more == NULL || more(pg, plan, &overview, context, err)) &&
                gr_pg_exec(pg, "commit", err);
    }
    if (!is_ok) {
        gr_overview_free(&overview);
        return fail_read(plan, err);
    }
    *out = overview;
    return true;
}

bool
gr_overview_read(struct gr_pg *pg, const struct gr_plan *plan, struct gr_overview *out,
                 struct gr_error *err)
{
    return gr_look_overview(pg, plan, NULL, NULL, out, err);
}

void
gr_overview_free(struct gr_overview *overview)
{
    gr_arena_free(overview->arena);
    *overview = (struct gr_overview){0};
}

bool
gr_overview_count(struct gr_pg *pg, const struct gr_plan_stream *stream, int64_t *rows_out,
                  struct gr_error *err)
{
    struct gr_buf name GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_buf sql GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_rows rows = {0};
    const char *params[1];
    bool is_there;

    *rows_out = 0;
    gr_sql_name(&name, stream->table_schema, stream->table_name);
    params[0] = gr_buf_text(&name);
    if (!gr_pg_query(pg, "select where to_regclass($1) is not null", params, 1, &rows, err))
        return false;
    is_there = rows.count > 0;
    gr_rows_free(&rows);
    if (!is_there)
        return true;
    gr_buf_printf(&sql, "select count(*) from %s where _deleted_at is null", gr_buf_text(&name));
    if (!gr_pg_query(pg, gr_buf_text(&sql), NULL, 0, &rows, err))
        return false;
    *rows_out = gr_rows_int(&rows, 0, 0);
    gr_rows_free(&rows);
    return true;
}
