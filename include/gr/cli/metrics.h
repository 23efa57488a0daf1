/*
 * gr/cli/metrics.h - a run as a file for the textfile collector of Prometheus' node exporter.
 *
 * Every metric has the label `replication`, the name of the file: the collector reads the files of
 * a folder as one, so those of two replications must not name the same series.
 *
 * Source  Prometheus, "Exposition formats", text-based format 0.0.4
 */
#ifndef GR_CLI_METRICS_H
#define GR_CLI_METRICS_H

#include <stdint.h>

#include "gr/base/buf.h"
#include "gr/cli/summary.h"

/* Appends all metrics; `now_us` is the time of the run's end. Pure. */
void gr_metrics_put(const struct gr_run_report *report, const struct gr_run_facts *facts,
                    int64_t now_us, struct gr_buf *out);

#endif
