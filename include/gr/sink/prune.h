/*
 * gr/sink/prune.h - forgets runs of long ago: their rows in runs, stream_runs and audits.
 *
 * Kept however old: runs that say "running"; of each stream the run that committed last, the last
 * one, and the last that succeeded in each mode; its last audit, and all that an unfinished audit
 * has found so far. What is data and no history is never touched: bookmarks, queues, fields, and
 * rejected, which holds originals that are nowhere else.
 *
 * Only runs of this replication are forgotten, and those of an earlier form of its file: of the
 * same source, with no object that is not the file's.
 *
 * Errors  as gr/sink/pg.h
 */
#ifndef GR_SINK_PRUNE_H
#define GR_SINK_PRUNE_H

#include "gr/base/error.h"
#include "gr/sink/pg.h"
#include "gr/spec/plan.h"

enum { GR_PRUNE_RUNS = 200 }; /* at once: the next run goes on */

/* One statement, which does nothing once another run has taken over from `run_id`. */
bool gr_prune(struct gr_pg *pg, const struct gr_plan *plan, int64_t run_id, int64_t *pruned_out,
              struct gr_error *err);

#endif
