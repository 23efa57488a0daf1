/*
 * gr/sink/probe.h - what `check` says of the warehouse: can a run do there what it will have to do?
 *
 * Reads only: nothing is created or changed.
 *
 * Errors  as gr/sink/pg.h, when a question cannot even be asked
 * Owns    the list owns its items
 */
#ifndef GR_SINK_PROBE_H
#define GR_SINK_PROBE_H

#include <stdbool.h>
#include <stddef.h>

#include "gr/base/error.h"
#include "gr/sink/pg.h"
#include "gr/spec/plan.h"

struct gr_probe_item {
    char what[160]; /* "version", "temporary tables", "schema gorgias", "state schema ..."  */
    bool is_ok;
    char reason[512]; /* one line: what was found, or what to do                              */
};

struct gr_probe {
    struct gr_probe_item *items; /* owned */
    size_t count;
};

/* Server version, temporary tables, each schema that a stream of the plan writes to (may it be
   created, or tables in it; are existing tables writable), the state schema. */
bool gr_probe_run(struct gr_pg *pg, const struct gr_plan *plan, struct gr_probe *out,
                  struct gr_error *err);
void gr_probe_free(struct gr_probe *probe);

#endif
