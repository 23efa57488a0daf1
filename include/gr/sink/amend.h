/*
 * gr/sink/amend.h - what a person changes in the state of streams: one transaction, under the locks
 * that a run takes, with the fence raised, so that a run which was overtaken commits nothing more.
 *
 * What is forgotten with the bookmark: the unfinished walk and what it has read (they speak of rows
 * above the old bookmark), the staging of an unfinished scan, how far an audit has come, and that
 * the stream was complete (or min_interval would pass over the next run). What stays: the rows; the
 * queue, whose entries are due whatever the bookmark says; the source and its clock, by which
 * another account's rows are kept out; rejects and unknown fields.
 *
 * Errors  GR_FAULT_LOCKED, as gr/sink/state.h; GR_FAULT_USAGE for a bookmark that means nothing
 * Owns    rows are the caller's
 */
#ifndef GR_SINK_AMEND_H
#define GR_SINK_AMEND_H

#include <stdbool.h>
#include <stdint.h>

#include "gr/base/error.h"
#include "gr/sink/pg.h"
#include "gr/spec/plan.h"

/* All streams of the plan get this bookmark; GR_TIME_NONE: none, and they begin anew. `out` has a
   row (stream, former bookmark in microseconds, bookmark) for each that had a state. */
bool gr_amend(struct gr_pg *pg, const struct gr_plan *plan, int64_t bookmark_us,
              struct gr_rows *out, struct gr_error *err);

/* True if the stream could go on from a bookmark: it keeps one, and has rows below it. */
bool gr_amend_may_set(struct gr_pg *pg, const struct gr_plan_stream *stream, struct gr_error *err);

#endif
