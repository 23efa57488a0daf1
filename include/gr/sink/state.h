/*
 * gr/sink/state.h - the state tables: what is known of runs, streams and queues.
 *
 *   runs         run_id, replication (its identity: a short digest of source and objects), file,
 *                source, started_at, ended_at, status (running, succeeded, failed, partial,
 * stopped, lost), exit_code, host, pid, version, requests, throttled, error, hint stream_runs
 * run_id, stream, object, mode, started_at, ended_at, status, rows_read, inserted, updated,
 * unchanged, deleted, rejected, requests, pages, bytes, error, hint streams      object (key),
 * stream, source, mode, bookmark timestamptz, walk jsonb, fence bigint, run_id, source_clock
 * timestamptz (server's clock when the walk that set the bookmark began), completed_at, updated_at,
 * audit jsonb (where an unfinished audit goes on) audits       run_id, object, method, window_name,
 * stream, in_table, at_source, missing, gone, not_due, changed, missing_keys, gone_keys,
 * checked_at: see gr/sink/audit.h queue        object (of the stream that asks), key bigint, v
 * timestamptz, reason, seq (identity), enqueued_at; primary key (object, key) rejected     run_id,
 * stream, object, key text, column_name, reason, original text, rejected_at, and a digest
 * (SHA-256), the primary key: the same reject is stored once rate_budget  account (key), level,
 * requests, per_ms, run_id, updated_at fields       object, field, first_seen: unknown fields
 * already reported version      one row: the layout's version; a newer one than ours is refused
 *
 * Every table carries a comment, and so does every column whose name does not say it all.
 *
 * Errors  as gr/sink/pg.h
 * Owns    see each struct
 */
#ifndef GR_SINK_STATE_H
#define GR_SINK_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/error.h"
#include "gr/sink/pg.h"
#include "gr/spec/plan.h"

/* Creates the state schema and its tables, or brings them up to date; safe against another run that
   does the same at the same time. GR_FAULT_TARGET if a newer program has made them. */
bool gr_state_open(struct gr_pg *pg, const char *state_schema, struct gr_error *err);

/* Looks, and changes nothing: false in *is_there_out where no run has ever begun here.
   GR_FAULT_TARGET for tables that a newer program has made, or an older one that has kept too
   little. */
bool gr_state_find(struct gr_pg *pg, const char *state_schema, bool *is_there_out,
                   struct gr_error *err);

/* What makes two runs runs of the same replication: 16 hex digits. Pure. */
void gr_state_identity(const struct gr_plan *plan, char text[17]);

/*
 * Takes the locks (replication, then every object of the selected streams, in sorted order), writes
 * the row in runs, marks earlier rows of this replication that still say "running" as lost, and
 * sets streams.fence of the selected streams to the new run_id (making their rows where missing).
 * GR_FAULT_LOCKED names the run that holds the lock: run_id, host, pid, since when.
 */
bool gr_state_begin(struct gr_pg *pg, const struct gr_plan *plan, int64_t *run_id_out,
                    struct gr_error *err);

/* After gr_pg_reopen: ends what the server may still run of the broken session, takes the locks
   again and checks the fences; GR_FAULT_FENCED if another run has taken over meanwhile. */
bool gr_state_resume(struct gr_pg *pg, const struct gr_plan *plan, int64_t run_id,
                     struct gr_error *err);

/* What is remembered of a stream. */
struct gr_stream_state {
    int64_t bookmark_us; /* GR_TIME_NONE: none                     */
    char *walk;          /* owned; JSON of gr/walk/walk.h, or NULL */
    char *source;        /* owned; base URL it was read from, or NULL */
    int64_t age_ms;      /* since it was last complete, -1: never     */
    int64_t clock_us;    /* the server's when the last whole reading began, GR_TIME_NONE: none */
    int64_t anchor_us;   /* rows from here on were asked for, GR_TIME_NONE: unknown    */
    char *audit;         /* owned; JSON of an unfinished audit, or NULL ...            */
    char *audit_walk;    /* owned; ... its walk, or NULL                               */
    int64_t audit_named; /* ... how far it has come through ids that other tables name */
    int64_t audit_after; /* ... and through the ids here; -1: not begun                */
};
bool gr_state_load(struct gr_pg *pg, const char *state_schema, const char *object,
                   struct gr_stream_state *out, struct gr_error *err);
void gr_stream_state_free(struct gr_stream_state *state);

struct gr_run_totals {
    const char *status;
    int exit_code;
    int64_t requests;
    int64_t throttled;
    const char *error; /* or NULL */
    const char *hint;
};
bool gr_state_end(struct gr_pg *pg, const char *state_schema, int64_t run_id,
                  const struct gr_run_totals *totals, struct gr_error *err);

#endif
