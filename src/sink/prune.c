/* prune.c - forgets runs of long ago. */
#include "gr/sink/prune.h"

#include <inttypes.h>
#include <stdio.h>

#include "gr/sink/sql.h"
#include "gr/sink/state.h"
#include "look.h"

/* clang-format off */
/* $1: identity, $2: source, $3: objects of the file, $4: the run, $5: milliseconds, $6: how many. */
static const char prune_sql[] =
    "with old as materialized (select r.run_id from @.runs as r\n"
    "where r.started_at < now() - $5::bigint * interval '1 millisecond' and r.status <> 'running'\n"
    /* another run has taken over */
    "and not exists (select from @.streams as f where f.object = any($3::text[])"
    " and f.fence > $4::bigint)\n"
    /* it is of this replication, or of an earlier form of its file */
    "and (r.replication = $1 or r.source = $2 and exists (select from @.stream_runs as x"
    " where x.run_id = r.run_id) and not exists (select from @.stream_runs as x"
    " where x.run_id = r.run_id and x.object <> all($3::text[])))\n"
    /* nothing of it is still needed */
    "and not exists (select from @.streams as s where s.run_id = r.run_id)\n"
    "and not exists (select from @.stream_runs as x where x.run_id = r.run_id and (not exists"
    " (select from @.stream_runs as y where y.run_id > x.run_id and y.object = x.object)"
    " or x.status = 'succeeded' and not exists (select from @.stream_runs as y"
    " where y.run_id > x.run_id and y.object = x.object and y.mode is not distinct from x.mode"
    " and y.status = 'succeeded')))\n"
    "and not exists (select from @.audits as a where a.run_id = r.run_id and (not exists"
    " (select from @.audits as b where b.run_id > a.run_id and b.object = a.object)"
    " or exists (select from @.streams as s where s.object = a.object and s.audit is not null)))\n"
    "order by r.run_id limit $6::bigint),\n"
    "found as (delete from @.audits as a using old where a.run_id = old.run_id),\n"
    "parts as (delete from @.stream_runs as x using old where x.run_id = old.run_id),\n"
    "runs as (delete from @.runs as r using old where r.run_id = old.run_id returning r.run_id)\n"
    "select count(*) from runs";
/* clang-format on */

bool
gr_prune(struct gr_pg *pg, const struct gr_plan *plan, int64_t run_id, int64_t *pruned_out,
         struct gr_error *err)
{
    struct gr_buf objects GR_CLEANUP(gr_buf_free) = gr_buf_new(0);
    char identity[17], run[24], keep[24], most[24];
    const char *params[] = {identity, plan->source.base_url, NULL, run, keep, most};
    struct gr_rows rows = {0};

    *pruned_out = 0;
    if (plan->keep_runs_ms == 0)
        return true;
    gr_state_identity(plan, identity);
    gr_sql_text_array(&objects, plan->all_objects, plan->all_object_count);
    params[2] = gr_buf_text(&objects);
    (void)snprintf(run, sizeof(run), "%" PRId64, run_id);
    (void)snprintf(keep, sizeof(keep), "%" PRId64, plan->keep_runs_ms);
    (void)snprintf(most, sizeof(most), "%d", GR_PRUNE_RUNS);
    if (!gr_look_query(pg, plan->state_schema, prune_sql, params, 6, &rows, err))
        return gr_fail_in(err, "runs of long ago");
    *pruned_out = gr_rows_int(&rows, 0, 0);
    gr_rows_free(&rows);
    return true;
}
