/*
 * gr/sink/history.h - what the state tables tell of a replication's past: its last runs, what each
 * did to each stream, the values that were rejected and the fields that nobody expected. As of the
 * same moment as the overview beside it; SELECT on the state schema is enough.
 *
 * Units   instants are microseconds since 1970, GR_TIME_NONE: none
 * Errors  as gr/sink/overview.h
 * Owns    everything lives in the overview's arena
 */
#ifndef GR_SINK_HISTORY_H
#define GR_SINK_HISTORY_H

#include "gr/sink/overview.h"

enum { GR_HISTORY_RUNS = 40, GR_HISTORY_REJECTS = 40, GR_HISTORY_FIELDS = 40 };

/* A run, with the sums of its streams. */
struct gr_history_run {
    int64_t run_id;
    const char *status; /* as in struct gr_overview_run */
    bool is_audit;
    int64_t started_us, ended_us;
    int64_t requests, throttled;
    int64_t streams, failed;
    int64_t rows_read, written, deleted, rejected, bytes;
    const char *error; /* or NULL */
};

/* What a run did to a stream. */
struct gr_history_cell {
    size_t run, stream; /* indexes into the history's runs and the overview's streams */
    const char *status;
    int64_t rows_read, written, duration_ms;
};

struct gr_history_reject {
    const char *stream;
    const char *column; /* NULL: whole objects */
    const char *reason;
    int64_t count;
    int64_t last_us;
};

struct gr_history_field {
    const char *stream, *field;
    int64_t first_us;
};

struct gr_history {
    struct gr_history_run *runs; /* the oldest first */
    size_t run_count;
    struct gr_history_cell *cells;
    size_t cell_count;
    struct gr_history_reject *rejects; /* the most frequent first */
    size_t reject_count;
    struct gr_history_field *fields; /* the newest first */
    size_t field_count;
};

/* Fills both; the history is empty where no run has ever begun. */
bool gr_history_read(struct gr_pg *pg, const struct gr_plan *plan, struct gr_overview *overview,
                     struct gr_history *out, struct gr_error *err);

/* How long a run took, or takes until `now_us`; -1 where nobody knows. Pure. */
int64_t gr_history_duration_ms(const struct gr_history_run *run, int64_t now_us);

/* Share of what the account's budget had to give while the run lasted, 0..1; -1: unknown. Pure. */
double gr_history_share(const struct gr_history_run *run, const struct gr_overview *overview);

/* How often runs have begun so far, the median in milliseconds, if none has begun for three times
   as long (and at least an hour): the scheduler may have stopped. Else 0. Pure. */
int64_t gr_history_overdue_ms(const struct gr_history *history, int64_t now_us);

#endif
