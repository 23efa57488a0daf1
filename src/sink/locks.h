/* locks.h - the advisory locks of a run: the replication's, then each object's. */
#ifndef GR_SRC_SINK_LOCKS_H
#define GR_SRC_SINK_LOCKS_H

#include <stdint.h>

#include "gr/base/error.h"
#include "gr/sink/pg.h"
#include "gr/spec/plan.h"

/* The selected objects and the streams that write them, sorted by object: two runs that want the
   same locks ask for them in the same order. */
struct gr_objects {
    const char **names;   /* owned, and so are the texts        */
    const char **streams; /* owned; the texts are the plan's    */
    size_t count;
};
void gr_objects_of(const struct gr_plan *plan, struct gr_objects *out);
void gr_objects_free(struct gr_objects *objects);

/* The key of the replication's own lock, as pg_locks has it. */
int64_t gr_locks_replication_key(const struct gr_plan *plan);

/* All or none; GR_FAULT_LOCKED names the run that holds one. */
bool gr_locks_take(struct gr_pg *pg, const struct gr_plan *plan, const struct gr_objects *objects,
                   struct gr_error *err);

/* Gives back the first `count` of them: 0 none, 1 that of the replication, ... */
void gr_locks_drop(struct gr_pg *pg, const struct gr_plan *plan, const struct gr_objects *objects,
                   size_t count);

#endif
