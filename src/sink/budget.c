/* budget.c - the SQL of the shared budget. */
#include "gr/sink/budget.h"

#include <inttypes.h>
#include <stdio.h>

#include "gr/base/buf.h"
#include "gr/sink/sql.h"

/* The level with what is wanted, now. A bucket of another size cannot have been fuller than ours
   is; and a clock that was set back must not stop the draining. */
#define RAISED                                                                                     \
    "greatest(least(b.level, $3::float8) - abs(extract(epoch from clock_timestamp()"               \
    " - b.updated_at))::float8 * 1000000 / $6::float8, $7::float8, 0) + $8::float8"

size_t
gr_budget_take(struct gr_script *script, const char *state_schema, const struct gr_budget_ask *ask)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf sql = gr_buf_new(0);
    GR_CLEANUP(gr_buf_free) struct gr_buf table = gr_buf_new(0);
    char run[24], requests[24], per_ms[24], burst[24], spacing[24], seen[32], wanted[24];
    const char *params[] = {ask->account, run, requests, per_ms, burst, spacing, seen, wanted};

    (void)snprintf(run, sizeof(run), "%" PRId64, ask->run_id);
    (void)snprintf(requests, sizeof(requests), "%" PRId64, ask->requests);
    (void)snprintf(per_ms, sizeof(per_ms), "%" PRId64, ask->per_ms);
    (void)snprintf(burst, sizeof(burst), "%" PRId64, ask->burst);
    (void)snprintf(spacing, sizeof(spacing), "%" PRId64, ask->spacing_us);
    (void)snprintf(seen, sizeof(seen), "%.3f", ask->seen);
    (void)snprintf(wanted, sizeof(wanted), "%" PRId64, ask->wanted);
    gr_sql_name(&table, state_schema, "rate_budget");
    gr_buf_printf(&sql,
                  "with taken as (\n"
                  "insert into %s as b (account, level, requests, per_ms, run_id, updated_at)\n"
                  "values ($1, $7::float8 + $8::float8, $3::bigint, $4::bigint, $2::bigint,"
                  " clock_timestamp())\n"
                  "on conflict (account) do update set level = " RAISED ",\n"
                  "requests = excluded.requests, per_ms = excluded.per_ms,"
                  " run_id = excluded.run_id, updated_at = clock_timestamp()\n"
                  "where " RAISED " <= $5::float8\n"
                  "returning level)\n"
                  "select $8::bigint, ceil(greatest(level + $8::float8 - $5::float8, 0)"
                  " * $6::float8)::bigint from taken\n"
                  "union all\n"
                  "select 0, ceil((" RAISED " - $5::float8) * $6::float8)::bigint\n"
                  "from %s as b where account = $1 and not exists (select from taken)",
                  gr_buf_text(&table), gr_buf_text(&table));
    return gr_script_sql(script, gr_buf_text(&sql), params, sizeof(params) / sizeof(params[0]));
}

struct gr_budget_answer
gr_budget_answer(const struct gr_script *script, size_t step)
{
    const struct gr_rows *rows = gr_script_rows(script, step);

    return (struct gr_budget_answer){.granted = gr_rows_int(rows, 0, 0),
                                     .wait_us = gr_rows_int(rows, 0, 1)};
}
