/*
 * gr/cli/command.h - the commands: each prints its result to stdout and its errors to stderr, and
 * returns the exit code of the process.
 *
 * Errors  printed once, here
 * Owns    options are borrowed
 */
#ifndef GR_CLI_COMMAND_H
#define GR_CLI_COMMAND_H

#include "gr/cli/options.h"
#include "gr/cli/summary.h"
#include "gr/engine/run.h"
#include "gr/spec/plan.h"

int gr_command_run(const struct gr_options *options);
int gr_command_discover(const struct gr_options *options);
int gr_command_check(const struct gr_options *options);
int gr_command_validate(const struct gr_options *options);
int gr_command_audit(const struct gr_options *options);
int gr_command_reference(const struct gr_options *options);

/* Loads the plan that the command line asks for, and logs its warnings. */
bool gr_command_plan(const struct gr_options *options, struct gr_plan *out, struct gr_error *err);

/* Runs a plan, watched: with its log, its display and its signals. */
bool gr_command_engine(const struct gr_options *options, const struct gr_plan *plan,
                       struct gr_run_report *report, struct gr_error *err);

/* Writes the metrics file, if one was asked for; gives the exit code. */
int gr_command_metrics(const struct gr_options *options, const struct gr_run_report *report,
                       const struct gr_run_facts *facts);

/* What never came to a run: prints the error, and tells those who watch the metrics. */
int gr_command_fail(const struct gr_options *options, const struct gr_error *failure);

/* Prints the plan in the form of --output; gives the exit code. What run --dry-run does, too. */
int gr_command_print_plan(const struct gr_options *options, const struct gr_plan *plan);

#endif
