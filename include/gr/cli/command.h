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
#include "gr/spec/plan.h"

int gr_command_run(const struct gr_options *options);
int gr_command_dry_run(const struct gr_options *options); /* run --dry-run */
int gr_command_discover(const struct gr_options *options);
int gr_command_check(const struct gr_options *options);
int gr_command_validate(const struct gr_options *options);
int gr_command_audit(const struct gr_options *options);
int gr_command_report(const struct gr_options *options);
int gr_command_reference(const struct gr_options *options);
int gr_command_init(const struct gr_options *options);
int gr_command_preview(const struct gr_options *options);
int gr_command_status(const struct gr_options *options);
int gr_command_state(const struct gr_options *options);

/* Loads the plan that the command line asks for, and logs its warnings. */
bool gr_command_plan(const struct gr_options *options, struct gr_plan *out, struct gr_error *err);

#endif
