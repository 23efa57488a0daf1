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
    int attempts;       /* failed so far, this one counted                                  */
    int64_t lost_ms;    /* to this request so far: failed attempts, and pauses between them  */
    int64_t allowed_ms; /* so much may be lost to it                                        */
    bool was_reached;   /* the source has answered something in this run                    */
};

/*
 * The pause before the next attempt, or -1: give up. `random` is a number in [0, 1): the jitter.
 * A pause that the server asks for (Retry-After) is kept; otherwise it backs off from 0.5 s
 * doubling to 30 s. 429 is asked again without end in number, everything else eight times, three
 * times when the source was never reached; nothing beyond what is allowed, and a pause that would
 * pass that is not begun.
 */
int64_t gr_retry_pause_ms(const struct gr_error *fault, const struct gr_retry_state *state,
                          double random);

/* A request is not sent again: adds to the message of its last fault what was tried. */
void gr_retry_give_up(struct gr_error *fault, const struct gr_retry_state *state);

/*
 * What a Retry-After header asks for at `clock_us`: seconds, or the time until a date. -1 for what
 * is neither; never more than GR_RETRY_AFTER_MAX_MS.
 */
int64_t gr_retry_after_ms(const char *text, int64_t clock_us);

enum { GR_RETRY_ATTEMPTS = 8, GR_RETRY_ATTEMPTS_UNREACHED = 3 };
#define GR_RETRY_AFTER_MAX_MS (INT64_C(366) * 86400 * 1000)

#endif
