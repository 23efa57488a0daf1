/*
 * gr/cli/help.h - help and reference, printed from the tables of gr/cli/options.h. Pure.
 */
#ifndef GR_CLI_HELP_H
#define GR_CLI_HELP_H

#include "gr/base/buf.h"
#include "gr/cli/options.h"

/* What a line of help is never wider than, in columns. */
enum { GR_HELP_WIDTH = 100 };

/* Appends the help of a command, or of the program when `command` is NULL. */
void gr_help_put(const struct gr_command *command, struct gr_buf *out);

/* Appends commands, options, exit codes and faults as Markdown. */
void gr_help_put_reference(struct gr_buf *out);

/* Appends "gorgias-replicate 0.1.0". */
void gr_help_put_version(struct gr_buf *out);

#endif
