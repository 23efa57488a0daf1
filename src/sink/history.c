/* history.c - reads what the state tables tell of a replication's past. */
#include "gr/sink/history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gr/base/time.h"
#include "gr/sink/sql.h"
#include "gr/sink/state.h"
#include "locks.h"
#include "look.h"

/* clang-format off */
/* $1: identity, $2: key of its lock, $3: the file's objects, $4: how many. */
static const char runs_sql[] =
    "select r.run_id, case when r.status = 'running' and not " LOOK_IS_AT_WORK " then 'lost'"
    " else r.status end, " LOOK_US("r.started_at") ", " LOOK_US("r.ended_at") ", r.requests,"
    " r.throttled, r.error, s.n, s.failed, s.rows_read, s.written, s.deleted, s.rejected, s.bytes,"
    " s.is_audit\n"
    "from (select * from @.runs as x where x.replication = $1 or exists (select from"
    " @.stream_runs as y where y.run_id = x.run_id and y.object = any($3::text[]))"
    " order by x.run_id desc limit $4::bigint) as r\n"
    "left join lateral (select count(*) as n, count(*) filter (where x.status = 'failed') as failed,"
    " sum(x.rows_read) as rows_read, sum(x.inserted + x.updated) as written,"
    " sum(x.deleted) as deleted, sum(x.rejected) as rejected, sum(x.bytes) as bytes,"
    " bool_or(x.mode = 'audit') as is_audit from @.stream_runs as x where x.run_id = r.run_id)"
    " as s on true\n"
    "order by r.run_id";

/* $1: objects, $2: key of the replication's lock, $3: run_ids. */
static const char cells_sql[] =
    "select x.run_id, x.object, case when x.status = 'running' and not " LOOK_IS_AT_WORK
    " then 'lost' else x.status end, x.rows_read, x.inserted + x.updated,"
    " coalesce(round(extract(epoch from x.ended_at - x.started_at) * 1000), -1)::bigint"
    " from @.stream_runs as x where x.object = any($1::text[]) and x.run_id = any($3::bigint[])"
    " order by x.run_id, x.object";

/* $1: objects, $2: how many. */
static const char rejects_sql[] =
    "select max(x.stream), x.column_name, x.reason, count(*), " LOOK_US("max(x.rejected_at)")
    " from @.rejected as x where x.object = any($1::text[])"
    " group by x.object, x.column_name, x.reason"
    " order by count(*) desc, x.object, x.column_name, x.reason limit $2::bigint";
static const char fields_sql[] =
    "select coalesce(s.stream, x.object), x.field, " LOOK_US("x.first_seen")
    " from @.fields as x left join @.streams as s on s.object = x.object"
    " where x.object = any($1::text[]) order by x.first_seen desc, x.object, x.field"
    " limit $2::bigint";
/* clang-format on */

static void
take_run(struct look *look, struct gr_history_run *run)
{
    const char *is_audit;

    run->run_id = gr_look_int(look);
    run->status = gr_look_text(look);
    run->started_us = gr_look_instant(look);
    run->ended_us = gr_look_instant(look);
    run->requests = gr_look_int(look);
    run->throttled = gr_look_int(look);
    run->error = gr_look_text(look);
    run->streams = gr_look_int(look);
    run->failed = gr_look_int(look);
    run->rows_read = gr_look_int(look);
    run->written = gr_look_int(look);
    run->deleted = gr_look_int(look);
    run->rejected = gr_look_int(look);
    run->bytes = gr_look_int(look);
    is_audit = gr_look_text(look);
    run->is_audit = is_audit != NULL && is_audit[0] == 't';
}

static bool
read_runs(struct gr_pg *pg, const struct gr_plan *plan, const char *objects, const char *key,
          struct gr_arena *arena, struct gr_history *out, struct gr_error *err)
{
    char identity[17], most[24];
    const char *params[] = {identity, key, objects, most};
    struct gr_rows rows = {0};

    gr_state_identity(plan, identity);
    (void)snprintf(most, sizeof(most), "%d", GR_HISTORY_RUNS);
    if (!gr_look_query(pg, plan->state_schema, runs_sql, params, 4, &rows, err))
        return false;
    out->run_count = rows.count;
    out->runs = gr_arena_alloc(arena, rows.count, sizeof(out->runs[0]));
    for (size_t i = 0; i < rows.count; i++) {
        struct look look = {.rows = &rows, .row = i, .arena = arena};

        take_run(&look, &out->runs[i]);
    }
    gr_rows_free(&rows);
    return true;
}

static bool
place(const struct gr_overview *overview, const struct gr_history *history, int64_t run_id,
      const char *object, struct gr_history_cell *cell)
{
    for (cell->run = 0; cell->run < history->run_count; cell->run++)
        if (history->runs[cell->run].run_id == run_id)
            break;
    for (cell->stream = 0; cell->stream < overview->in_file; cell->stream++)
        if (strcmp(overview->streams[cell->stream].object, object) == 0)
            break;
    return cell->run < history->run_count && cell->stream < overview->in_file;
}

static bool
read_cells(struct gr_pg *pg, const struct gr_plan *plan, const char *objects, const char *key,
           const struct gr_overview *overview, struct gr_history *out, struct gr_error *err)
{
    struct gr_buf list GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    int64_t *ids = gr_arena_alloc(overview->arena, out->run_count, sizeof(*ids));
    const char *params[] = {objects, key, NULL};
    struct gr_rows rows = {0};

    for (size_t i = 0; i < out->run_count; i++)
        ids[i] = out->runs[i].run_id;
    gr_sql_int_array(&list, ids, out->run_count);
    params[2] = gr_buf_text(&list);
    if (!gr_look_query(pg, plan->state_schema, cells_sql, params, 3, &rows, err))
        return false;
    out->cells = gr_arena_alloc(overview->arena, rows.count, sizeof(out->cells[0]));
    for (size_t i = 0; i < rows.count; i++) {
        struct look look = {.rows = &rows, .row = i, .arena = overview->arena};
        struct gr_history_cell *cell = &out->cells[out->cell_count];
        int64_t run_id = gr_look_int(&look);

        out->cell_count += place(overview, out, run_id, gr_look_text(&look), cell);
        cell->status = gr_look_text(&look);
        cell->rows_read = gr_look_int(&look);
        cell->written = gr_look_int(&look);
        cell->duration_ms = gr_look_int(&look);
    }
    gr_rows_free(&rows);
    return true;
}

static bool
read_rejects(struct gr_pg *pg, const struct gr_plan *plan, const char *objects,
             struct gr_arena *arena, struct gr_history *out, struct gr_error *err)
{
    char most[24];
    const char *params[] = {objects, most};
    struct gr_rows rows = {0};

    (void)snprintf(most, sizeof(most), "%d", GR_HISTORY_REJECTS);
    if (!gr_look_query(pg, plan->state_schema, rejects_sql, params, 2, &rows, err))
        return false;
    out->reject_count = rows.count;
    out->rejects = gr_arena_alloc(arena, rows.count, sizeof(out->rejects[0]));
    for (size_t i = 0; i < rows.count; i++) {
        struct look look = {.rows = &rows, .row = i, .arena = arena};
        struct gr_history_reject *reject = &out->rejects[i];

        reject->stream = gr_look_text(&look);
        reject->column = gr_look_text(&look);
        reject->reason = gr_look_text(&look);
        reject->count = gr_look_int(&look);
        reject->last_us = gr_look_instant(&look);
    }
    gr_rows_free(&rows);
    return true;
}

static bool
read_fields(struct gr_pg *pg, const struct gr_plan *plan, const char *objects,
            struct gr_arena *arena, struct gr_history *out, struct gr_error *err)
{
    char most[24];
    const char *params[] = {objects, most};
    struct gr_rows rows = {0};

    (void)snprintf(most, sizeof(most), "%d", GR_HISTORY_FIELDS);
    if (!gr_look_query(pg, plan->state_schema, fields_sql, params, 2, &rows, err))
        return false;
    out->field_count = rows.count;
    out->fields = gr_arena_alloc(arena, rows.count, sizeof(out->fields[0]));
    for (size_t i = 0; i < rows.count; i++) {
        struct look look = {.rows = &rows, .row = i, .arena = arena};

        out->fields[i].stream = gr_look_text(&look);
        out->fields[i].field = gr_look_text(&look);
        out->fields[i].first_us = gr_look_instant(&look);
    }
    gr_rows_free(&rows);
    return true;
}

static bool
read_history(struct gr_pg *pg, const struct gr_plan *plan, struct gr_overview *overview,
             void *context, struct gr_error *err)
{
    struct gr_buf objects GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    struct gr_history *out = context;
    char key[24];

    (void)snprintf(key, sizeof(key), "%" PRId64, gr_locks_replication_key(plan));
    gr_look_objects(plan, overview->arena, &objects);
    return read_runs(pg, plan, gr_buf_text(&objects), key, overview->arena, out, err) &&
           read_cells(pg, plan, gr_buf_text(&objects), key, overview, out, err) &&
           read_rejects(pg, plan, gr_buf_text(&objects), overview->arena, out, err) &&
           read_fields(pg, plan, gr_buf_text(&objects), overview->arena, out, err);
}

bool
gr_history_read(struct gr_pg *pg, const struct gr_plan *plan, struct gr_overview *overview,
                struct gr_history *out, struct gr_error *err)
{
    *out = (struct gr_history){0};
    return gr_look_overview(pg, plan, read_history, out, overview, err);
}

/* --- what follows from it ------------------------------------------------------------------- */

int64_t
gr_history_duration_ms(const struct gr_history_run *run, int64_t now_us)
{
    bool is_running = strcmp(run->status, "running") == 0;
    int64_t end_us = is_running ? now_us : run->ended_us;

    /* Of a lost run the end is when somebody noticed. */
    if (end_us == GR_TIME_NONE || strcmp(run->status, "lost") == 0 || end_us < run->started_us)
        return -1;
    return (end_us - run->started_us) / 1000;
}

/* A full bucket, and what drained meanwhile. */
double
gr_history_share(const struct gr_history_run *run, const struct gr_overview *overview)
{
    int64_t ms = gr_history_duration_ms(run, overview->now_us);
    double size = (double)overview->budget_requests;
    double share;

    if (!overview->has_budget || ms < 0 || size <= 0 || overview->budget_per_ms <= 0)
        return -1;
    share = (double)run->requests / (size + size * (double)ms / (double)overview->budget_per_ms);
    return share > 1 ? 1 : share;
}

static int
compare_ms(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

int64_t
gr_history_overdue_ms(const struct gr_history *history, int64_t now_us)
{
    enum { GAPS_MIN = 3, PATIENCE = 3, AT_LEAST_MS = 3600000 };
    int64_t gaps[GR_HISTORY_RUNS] = {0};
    int64_t last_us = GR_TIME_NONE, usual_ms;
    size_t count = 0;

    for (size_t i = 0; i < history->run_count && count < GR_HISTORY_RUNS; i++) {
        if (history->runs[i].is_audit)
            continue;
        if (last_us != GR_TIME_NONE)
            gaps[count++] = (history->runs[i].started_us - last_us) / 1000;
        last_us = history->runs[i].started_us;
    }
    if (count < GAPS_MIN)
        return 0;
    qsort(gaps, count, sizeof(gaps[0]), compare_ms);
    usual_ms = gaps[count / 2];
    return (now_us - last_us) / 1000 > PATIENCE * usual_ms &&
                   (now_us - last_us) / 1000 > AT_LEAST_MS
               ? usual_ms
               : 0;
}
