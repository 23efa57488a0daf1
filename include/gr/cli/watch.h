/*
 * gr/cli/watch.h - watches a run: draws the live display, or logs how the streams are doing.
 *
 * Live, the display stands on the last lines of the terminal and steps aside for log lines. In
 * either case a line is logged when a stream ends, and without a display every 30 s for those still
 * running.
 *
 * Shape   gr_watch_new, gr_watch_see*, gr_watch_free
 */
#ifndef GR_CLI_WATCH_H
#define GR_CLI_WATCH_H

#include <stdbool.h>

#include "gr/engine/run.h"

struct gr_watch;

/* `stop` is the flag of struct gr_run_options: when it is set, that is said once. Gives. */
struct gr_watch *gr_watch_new(bool is_live, const volatile sig_atomic_t *stop);

/* Clears the display; frees. */
void gr_watch_free(struct gr_watch *watch);

/* For gr_run_options.progress; call it a last time with the finished report. */
void gr_watch_see(void *context, const struct gr_run_report *report);

/* For gr_log_setup.around. */
void gr_watch_around(void *context, bool is_before);

#endif
