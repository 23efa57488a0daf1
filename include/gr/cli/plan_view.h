/*
 * gr/cli/plan_view.h - a plan as a table or as JSON. Pure.
 */
#ifndef GR_CLI_PLAN_VIEW_H
#define GR_CLI_PLAN_VIEW_H

#include "gr/base/buf.h"
#include "gr/spec/plan.h"

/* Appends one line for each stream, and what the plan comes to. */
void gr_plan_view_put(const struct gr_plan *plan, struct gr_buf *out);
void gr_plan_view_put_json(const struct gr_plan *plan, struct gr_buf *out);

/* Appends what the operator should know of a stream, with semicolons between; or nothing. */
void gr_plan_view_put_notes(const struct gr_plan_stream *stream, struct gr_buf *out);

#endif
