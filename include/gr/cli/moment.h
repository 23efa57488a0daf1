/*
 * gr/cli/moment.h - instants and ages for people. Pure.
 *
 * Units   microseconds since 1970, GR_TIME_NONE: none
 */
#ifndef GR_CLI_MOMENT_H
#define GR_CLI_MOMENT_H

#include <stdint.h>

#include "gr/base/buf.h"

/* Appends 2026-11-21T06:50:24Z, a date alone where it is midnight, or `otherwise` for none. */
void gr_moment_put(int64_t us, const char *otherwise, struct gr_buf *out);

/* Appends "2m 10s", "3h 05m", "12d", or `otherwise` where either is none; a future is "0s". */
void gr_moment_put_age(int64_t us, int64_t now_us, const char *otherwise, struct gr_buf *out);

/* Appends how long something takes: "<1s", "2m 10s". */
void gr_moment_put_span(int64_t ms, struct gr_buf *out);

#endif
