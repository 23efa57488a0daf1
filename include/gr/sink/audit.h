/*
 * gr/sink/audit.h - an audit's part of a stream's transactions: what to ask for, and what was
 * found.
 *
 * What a copy claims: everything up to the bookmark, or of a stream without one, everything that
 * was there when its last complete reading began. So of the rows that are at the source and not
 * alive here, those above the claim are merely not due yet, and neither are those that wait in a
 * queue; the others are missing. Rows below the anchor are not wanted, unless they are here already
 * or belong to a parent that is. A row is gone only where the caller says so: it was asked for.
 *
 * Each record is a statement that stands before the merge and the marking, in their transaction,
 * and compares what is staged with what is still in the table. It adds to the window's row in
 * `audits`; run twice, it finds the repair of the first time, and its keys once.
 *
 * Errors  none: scripts are written here; gr_audit_totals as gr/sink/pg.h
 * Owns    totals own their keys
 */
#ifndef GR_SINK_AUDIT_H
#define GR_SINK_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/sink/commit.h"

/* The stream and what it claims; GR_TIME_NONE where there is none. */
struct gr_audit {
    const struct gr_table *table;
    const char *parent_table; /* as in gr/sink/commit.h                                         */
    int64_t run_id;
    int64_t bookmark_us;
    int64_t clock_us;  /* the server's, when the last complete reading began             */
    int64_t anchor_us; /* only of streams that begin there                               */
};

/* The fence, in place of gr_commit_state: bookmark and walk stay. `state` is JSON, or NULL. */
void gr_audit_commit_state(struct gr_script *script, const struct gr_audit *audit,
                           const char *state);

/* The parents of the rows here are known, and how many rows each should have. */
bool gr_audit_can_count(const struct gr_audit *audit);

/* Step whose row is (alive rows, parents whose number of rows is not that of their rows here). */
size_t gr_audit_count(struct gr_script *script, const struct gr_audit *audit);

/* Steps whose rows are keys in ascending order, behind `after`, at most `limit`. */

/* Of rows alive here. */
size_t gr_audit_keys(struct gr_script *script, const struct gr_audit *audit, int64_t after,
                     int64_t limit);

/* Whose rows name rows of the stream: `column` of an open table, of the rows with object_type
   `event_object` where that is not NULL. */
struct gr_audit_namer {
    const struct gr_table *table;
    size_t column;
    const char *event_object;
};
/* Named there, and in no row here; without namers there are none. */
size_t gr_audit_named(struct gr_script *script, const struct gr_audit *audit,
                      const struct gr_audit_namer *namers, size_t count, int64_t after,
                      int64_t limit);

/* Of parents whose number of rows is not that of their rows here. */
size_t gr_audit_uneven(struct gr_script *script, const struct gr_audit *audit, int64_t after,
                       int64_t limit);

/* Of parents of rows here that are not in the scan's staging. */
size_t gr_audit_parents(struct gr_script *script, const struct gr_audit *audit, int64_t limit);

/* The scan's staging is complete: records each window. `gone` are first keys; or, with `replaces`,
   whatever is not staged is gone. gr_commit_scan_finish and gr_commit_gone come next. */
void gr_audit_record_list(struct gr_script *script, const struct gr_audit *audit, bool replaces,
                          const int64_t *gone, size_t gone_count);

/* Rows were asked for by their ids: stages `copy` (taken) and records the window. `still` rows were
   found to be there without coming along. gr_commit_merge (with nothing more to copy) and
   gr_commit_gone come next. */
void gr_audit_record_rows(struct gr_script *script, const struct gr_audit *audit,
                          const char *window, struct gr_buf *copy, const int64_t *gone,
                          size_t gone_count, int64_t still);

/* The sets of parents are staged: records the window. gr_commit_set_finish and
   gr_commit_parents_gone come next. */
void gr_audit_record_sets(struct gr_script *script, const struct gr_audit *audit,
                          const char *window, const int64_t *whole, size_t whole_count,
                          const int64_t *gone, size_t gone_count);

/* What the audit of a run has found of an object. */
struct gr_audit_totals {
    int64_t windows; /* that were compared: months of a list, ranges of ids */
    int64_t checked; /* rows here and at the source, each once */
    int64_t not_due, changed;
    int64_t missing, gone;
    char **missing_keys; /* owned, and each of them; numbers ascend */
    char **gone_keys;
};
bool gr_audit_read(struct gr_pg *pg, const struct gr_audit *audit, struct gr_audit_totals *out,
                   struct gr_error *err);
void gr_audit_totals_free(struct gr_audit_totals *totals);

#endif
