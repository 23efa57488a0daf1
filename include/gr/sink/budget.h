/*
 * gr/sink/budget.h - the level of an account's bucket, shared by all runs on the warehouse: the
 * table rate_budget.
 *
 * One statement drains the level by the server's clock, raises it to what the API has told, and
 * adds the requests that are wanted if they still fit; or it says how long until they do. Only the
 * server's clock counts, so it does not matter whether those of the runs agree. What a killed run
 * has taken drains by itself.
 *
 * Errors  none: scripts are written here
 * Owns    nothing
 */
#ifndef GR_SINK_BUDGET_H
#define GR_SINK_BUDGET_H

#include <stddef.h>
#include <stdint.h>

#include "gr/sink/script.h"

struct gr_budget_ask {
    const char *account; /* base URL                                              */
    int64_t run_id;
    int64_t requests; /* the account's bucket                                  */
    int64_t per_ms;
    int64_t burst;      /* requests that fit into our part of it ...             */
    int64_t spacing_us; /* ... and how long one of them takes to drain           */
    double seen;        /* requests that are in it at least, by what the API says */
    int64_t wanted;
};

/* Adds the statement; returns the step's number. */
size_t gr_budget_take(struct gr_script *script, const char *state_schema,
                      const struct gr_budget_ask *ask);

/* What it has come to: all that was wanted, or 0, and when as many will fit. */
struct gr_budget_answer {
    int64_t granted;
    int64_t wait_us;
};
struct gr_budget_answer gr_budget_answer(const struct gr_script *script, size_t step);

#endif
