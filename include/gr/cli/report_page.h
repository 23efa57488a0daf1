/*
 * gr/cli/report_page.h - how a replication stands and how it came there, as one page of HTML that
 * needs nothing else: no script, no font, no network. Pure.
 *
 * Behind every chart stands a table with the same numbers.
 */
#ifndef GR_CLI_REPORT_PAGE_H
#define GR_CLI_REPORT_PAGE_H

#include "gr/base/buf.h"
#include "gr/cli/chart.h"
#include "gr/sink/history.h"
#include "gr/sink/overview.h"
#include "gr/spec/plan.h"

void gr_report_page_put(const struct gr_plan *plan, const struct gr_overview *overview,
                        const struct gr_history *history, struct gr_buf *out);

/* Appends whether all is well, as plain text; says how much so. */
enum gr_tone gr_report_headline(const struct gr_overview *overview,
                                const struct gr_history *history, struct gr_buf *out);

/* Where a lag stands on the scale of freshness, from a minute (0) to a month (1). */
double gr_report_lag_share(int64_t lag_ms);

#endif
