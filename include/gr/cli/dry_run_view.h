/*
 * gr/cli/dry_run_view.h - what a run would do, as a table or as JSON. Pure.
 */
#ifndef GR_CLI_DRY_RUN_VIEW_H
#define GR_CLI_DRY_RUN_VIEW_H

#include "gr/base/buf.h"
#include "gr/engine/forecast.h"
#include "gr/spec/plan.h"

void gr_dry_run_view_put(const struct gr_plan *plan, const struct gr_forecast *forecast,
                         struct gr_buf *out);
void gr_dry_run_view_put_json(const struct gr_plan *plan, const struct gr_forecast *forecast,
                              struct gr_buf *out);

#endif
