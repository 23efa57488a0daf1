/*
 * gr/cli/output.h - the ends of the program: stdout for results, stderr for what went wrong.
 *
 * A result that cannot be written (a closed pipe, a full disk) is an error, never silence.
 *
 * Errors  GR_FAULT_USAGE for a stdout or a file that takes nothing: the environment is wrong
 * Owns    nothing
 */
#ifndef GR_CLI_OUTPUT_H
#define GR_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "gr/base/buf.h"
#include "gr/base/error.h"
#include "gr/cli/options.h"

/* Writes all of `text` to stdout and flushes. */
bool gr_output_write(const struct gr_buf *text, struct gr_error *err);

/* The same for a command whose only result it is: prints the error; gives the exit code. */
int gr_output_finish(const struct gr_buf *text);

/* Fails if the file's folder cannot be written to: before the work, not after it. */
bool gr_output_try_file(const char *path, struct gr_error *err);

/* Writes the file beside its place and renames it, so that nobody reads half of it. */
bool gr_output_write_file(const char *path, const struct gr_buf *text, struct gr_error *err);

/* Prints "gorgias-replicate: message" and the hint to stderr, or a JSON line where the log is JSON;
   gives the exit code of the fault. */
int gr_output_fail(const struct gr_error *err);

/* Sets the log up as --log-level and --log-format say. */
void gr_output_log(const struct gr_options *options, void (*around)(void *context, bool is_before),
                   void *context);

/* True if colours may be used on the stream: a terminal, and NO_COLOR is not set. */
bool gr_output_has_colour(int fd);

/* Columns: the COLUMNS variable, else the terminal's, else 120. */
size_t gr_output_width(int fd);

/* Lines of the terminal; 0 where there is none. */
size_t gr_output_height(int fd);

/* Appends `text` with the secrets replaced by ***. */
void gr_output_put_redacted(struct gr_buf *out, const char *text);

#endif
