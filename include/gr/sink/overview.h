/*
 * gr/sink/overview.h - what the state tables tell of a replication: its last run, its budget, and
 * of each stream where it stands. For those who look: reads only, all of it as of one moment, and
 * SELECT on the state schema is enough.
 *
 * Streams come in the plan's order; behind them those of the same source that are in the state and
 * not in the file.
 *
 * Units   instants are microseconds since 1970, GR_TIME_NONE: none; ages are by the warehouse's
 * clock Errors  as gr/sink/pg.h; GR_FAULT_TARGET for tables that a newer program has made Owns
 * everything lives in the overview's arena; borrows the plan's streams
 */
#ifndef GR_SINK_OVERVIEW_H
#define GR_SINK_OVERVIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/alloc.h"
#include "gr/base/error.h"
#include "gr/sink/pg.h"
#include "gr/spec/plan.h"

/* A row of runs. */
struct gr_overview_run {
    int64_t run_id;     /* 0: there is none                                            */
    const char *status; /* a run that says "running" and holds no lock is lost         */
    const char *file;
    const char *host;
    int64_t pid;
    const char *version;
    int64_t exit_code; /* -1: none yet                                                */
    int64_t started_us, ended_us;
    int64_t requests, throttled;
    const char *error; /* or NULL */
    const char *hint;
};

struct gr_overview_stream {
    const struct gr_plan_stream *plan; /* NULL: not in the file                        */
    const char *object;
    const char *stream;
    bool is_known; /* it has a row in streams                                     */
    int64_t bookmark_us, clock_us, completed_us;
    const char *walk;  /* JSON of gr/walk/walk.h, or NULL                             */
    const char *audit; /* JSON of an unfinished audit, or NULL                        */

    /* its last run, audits aside */
    int64_t run_id;     /* 0: it never ran                                             */
    const char *status; /* of stream_runs; running or lost where the run has not written it */
    const char *mode, *file;
    int64_t started_us, ended_us;
    int64_t rows_read, inserted, updated, unchanged, deleted, rejected, requests;
    const char *error, *hint;

    /* its last runs that succeeded, for what the next one may take */
    int64_t history_runs;     /* that followed upon another                             */
    int64_t history_requests; /* of these                                               */
    int64_t history_ms;       /* from the first start to the last                       */
    int64_t whole_requests;   /* of its last complete reading of everything, 0: unknown */

    int64_t queue;
    int64_t queue_since_us;  /* when the oldest entry was put there                    */
    int64_t rejected_values; /* in all                                                 */
    int64_t field_count;     /* fields that the schema does not name                   */
    const char *fields;      /* their names, "a, b", or NULL                           */
    const char *field_list;  /* the same as JSON, or NULL                              */

    /* its last audit */
    int64_t audit_run_id; /* 0: it was never audited                                */
    int64_t audited_us;
    int64_t audit_checked, audit_missing, audit_gone, audit_changed;
};

struct gr_overview {
    struct gr_arena *arena;     /* owned                                                    */
    bool has_state;             /* false: no run has ever begun here                        */
    int64_t now_us;             /* the warehouse's clock                                    */
    struct gr_overview_run run; /* the last one of the replication, audits too          */
    bool has_budget;
    double budget_used; /* requests in the account's bucket, drained up to now      */
    int64_t budget_requests, budget_per_ms;
    struct gr_overview_stream *streams;
    size_t count;
    size_t in_file; /* those of the plan come first                             */
};

bool gr_overview_read(struct gr_pg *pg, const struct gr_plan *plan, struct gr_overview *out,
                      struct gr_error *err);
void gr_overview_free(struct gr_overview *overview);

/* Rows of the stream's table that are not marked deleted; 0 where there is no such table. */
bool gr_overview_count(struct gr_pg *pg, const struct gr_plan_stream *stream, int64_t *rows_out,
                       struct gr_error *err);

/* What is to be said of a stream first. */
enum gr_verdict {
    GR_VERDICT_OK,
    GR_VERDICT_RUNNING, /* a run is at work on it                                       */
    GR_VERDICT_NEVER,   /* it is in the file and never ran                              */
    GR_VERDICT_FAILED,
    GR_VERDICT_LOST,       /* its last run ended without saying so: killed, or power cut   */
    GR_VERDICT_STOPPED,    /* in good order, before it was complete                        */
    GR_VERDICT_UNFINISHED, /* it succeeded, but has never yet been read to its end         */
    GR_VERDICT_GAPS,       /* the last audit has found and repaired some                   */
    GR_VERDICT_ABSENT,     /* in the state, not in the file                                */
    GR_VERDICT_COUNT
};
struct gr_verdict_facts {
    const char *name;
    bool is_wrong; /* somebody should look */
};
const struct gr_verdict_facts *gr_verdict_facts(enum gr_verdict verdict);

/* Pure. */
enum gr_verdict gr_overview_verdict(const struct gr_overview_stream *stream);

/* The rows that its last run was about: that it has read, or made of another stream's. Pure. */
int64_t gr_overview_rows(const struct gr_overview_stream *stream);

/* The moment up to which the table is known to hold everything, GR_TIME_NONE: none. Pure. */
int64_t gr_overview_as_of(const struct gr_overview_stream *stream);

#endif
