/*
 * gr/cli/exit_codes.h - the exit codes: what each says to people, and what to whatever starts the
 * program.
 */
#ifndef GR_CLI_EXIT_CODES_H
#define GR_CLI_EXIT_CODES_H

#include <stddef.h>

#include "gr/base/buf.h"

/* What a scheduler makes of an exit code; packaging/ is checked against it. */
enum gr_exit_verdict {
    GR_EXIT_FINE,   /* no failure: wait for the next time                 */
    GR_EXIT_AGAIN,  /* a failure that may pass: repeat after some minutes */
    GR_EXIT_PERSON, /* a failure that stays until somebody changes a file */
    GR_EXIT_VERDICTS
};

struct gr_exit_code {
    int code;
    enum gr_exit_verdict verdict;
    const char *meaning;   /* a line of help               */
    const char *scheduler; /* what to do, a sentence or two */
};

extern const struct gr_exit_code gr_exit_codes[];
extern const size_t gr_exit_code_count;

/* Appends what a scheduler should do, as a Markdown table. */
void gr_exit_codes_put(struct gr_buf *out);

#endif
