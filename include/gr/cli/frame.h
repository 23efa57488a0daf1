/*
 * gr/cli/frame.h - what commands have in common: the plan is loaded, the warehouse opened or the
 * engine run, an error is printed once, and the result goes to stdout.
 *
 * Errors  printed here; each function gives the exit code of the process
 * Owns    what a frame holds is the frame's, and borrowed by the work
 */
#ifndef GR_CLI_FRAME_H
#define GR_CLI_FRAME_H

#include <stdbool.h>

#include "gr/base/buf.h"
#include "gr/base/error.h"
#include "gr/cli/options.h"
#include "gr/cli/summary.h"
#include "gr/engine/run.h"
#include "gr/sink/pg.h"
#include "gr/spec/plan.h"

struct gr_frame {
    const struct gr_options *options;
    const struct gr_plan *plan;
    struct gr_pg *pg; /* NULL where the command needs none */
    bool is_json;     /* --output json                     */
};

/* What is a command's own: fills `out`, which is printed if it says true. */
typedef bool gr_frame_work(const struct gr_frame *frame, struct gr_buf *out, struct gr_error *err);

int gr_frame_on_plan(const struct gr_options *options, gr_frame_work *work);
int gr_frame_on_warehouse(const struct gr_options *options, gr_frame_work *work);

/* The plan of the one stream that the command line names, without what only goes along with it.
   Fails where that fits several, with `hint`. Borrows all of the frame's plan. */
bool gr_frame_one(const struct gr_frame *frame, const char *hint, struct gr_plan *one,
                  struct gr_error *err);

/* How a run of the engine is shown. */
struct gr_frame_views {
    void (*put)(const struct gr_plan *plan, const struct gr_run_report *report,
                const struct gr_run_facts *facts, struct gr_buf *out);
    void (*put_json)(const struct gr_run_report *report, const struct gr_run_facts *facts,
                     struct gr_buf *out);
};
int gr_frame_engine(const struct gr_options *options, const struct gr_frame_views *views);

#endif
