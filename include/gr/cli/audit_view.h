/*
 * gr/cli/audit_view.h - what an audit came to: a table and its gaps, or JSON. Pure.
 */
#ifndef GR_CLI_AUDIT_VIEW_H
#define GR_CLI_AUDIT_VIEW_H

#include "gr/base/buf.h"
#include "gr/cli/summary.h"
#include "gr/engine/run.h"
#include "gr/spec/plan.h"

/* The plan says what becomes of rows that are gone; its streams are those of the report. */
void gr_audit_view_put(const struct gr_plan *plan, const struct gr_run_report *report,
                       const struct gr_run_facts *facts, struct gr_buf *out);
void gr_audit_view_put_json(const struct gr_run_report *report, const struct gr_run_facts *facts,
                            struct gr_buf *out);

/* "proven", "gaps", "unfinished", "unchecked", "no claim" or "failed". */
const char *gr_audit_view_result(const struct gr_stream_report *stream);

#endif
