/*
 * gr/source/retry.h - whether and when a failed request is sent again. Pure.
 *
 * Units   milliseconds
 * Errors  none
 */
#ifndef GR_SOURCE_RETRY_H
#define GR_SOURCE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "gr/base/error.h"

struct gr_retry_state {
    int attempts;        /* failed so far, this one counted                                  */
    int64_t waited_ms;   /* slept for this request so far                                    */
    bool was_reached;    /* the source has answered something in this run                    */
};

/*
 * The pause before the next attempt, or -1: give up. `random` is a number in [0, 1): the jitter.
 * 429 waits as long as the server says, without end in number but not over GR_RETRY_WAIT_MAX_MS in
 * one request's waiting; everything else backs off from 0.5 s doubling to 30 s, eight attempts,
 * three when the source was never reached.
 */
int64_t gr_retry_pause_ms(const struct gr_error *fault, const struct gr_retry_state *state,
                          double random);

enum { GR_RETRY_ATTEMPTS = 8, GR_RETRY_ATTEMPTS_UNREACHED = 3, GR_RETRY_WAIT_MAX_MS = 900000 };

#endif
