/*
 * gr/cli/progress.h - what the display of a running replication says. Pure.
 *
 * Units   widths are columns, heights are lines
 * Owns    a sample owns its rows
 */
#ifndef GR_CLI_PROGRESS_H
#define GR_CLI_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

#include "gr/base/buf.h"
#include "gr/engine/run.h"

/* What a report said some seconds ago: rates are the difference to it. */
struct gr_sample {
    int64_t at_ms; /* report->now_ms; 0: there is none */
    int64_t *rows; /* owned; rows read of each stream  */
    size_t count;
};

/* Takes a sample; `sample` is zeroed or an older one. */
void gr_sample_take(struct gr_sample *sample, const struct gr_run_report *report);
void gr_sample_free(struct gr_sample *sample);

/*
 * Appends a line for each stream in flight and one for the run. No line is wider than `width`, and
 * there are not more than `height` (0: any number).
 */
void gr_progress_put(const struct gr_run_report *report, const struct gr_sample *before,
                     size_t width, size_t height, struct gr_buf *out);

#endif
