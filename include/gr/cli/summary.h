/*
 * gr/cli/summary.h - what a run came to: a table, JSON, or Prometheus metrics. Pure.
 */
#ifndef GR_CLI_SUMMARY_H
#define GR_CLI_SUMMARY_H

#include <stdint.h>

#include "gr/base/buf.h"
#include "gr/engine/run.h"

/* What the report itself does not say. */
struct gr_run_facts {
    const char *file;
    const char *source; /* name of the connection, "" if it never came to that */
    const char *target;
    int64_t started_us;
};

/* succeeded, partial, failed or stopped: what the table of runs says, too. */
const char *gr_summary_status(const struct gr_run_report *report);

/* How many streams ended in `status`. */
int64_t gr_summary_count(const struct gr_run_report *report, enum gr_status status);

/* A stream's time from its start to its end, or to now; 0 if it has not started. */
int64_t gr_summary_duration_ms(const struct gr_run_report *report,
                               const struct gr_stream_report *stream);

/* fault, error and hint as members of `item`; null where nothing has failed. */
struct json_object;
void gr_summary_put_error(struct json_object *item, const struct gr_error *error);

void gr_summary_put(const struct gr_run_report *report, const struct gr_run_facts *facts,
                    struct gr_buf *out);
void gr_summary_put_json(const struct gr_run_report *report, const struct gr_run_facts *facts,
                         struct gr_buf *out);

#endif
