/*
 * gr/source/lease.h - a run's part of the budget that all runs of an account on one warehouse
 * share.
 *
 * Before a request goes, the run must hold a lease of it: the shared level (gr/sink/budget.h) was
 * raised by that request beforehand, so that all runs together send at most what one would. A lease
 * that is not used lapses when the bucket has drained it. Where the shared level is not to be had,
 * requests go without, and it is tried again after a pause that grows.
 *
 * Pure: no clock, no I/O. An API's bucket is leased request by request; of a large one, which its
 * owner has stated, a hundredth at a time and for a second at least, so that it costs next to
 * nothing.
 *
 * Units   microseconds of the caller's clock, the one that gr/source/ratelimit.h is told
 * Errors  none: every function is total
 * Owns    nothing
 */
#ifndef GR_SOURCE_LEASE_H
#define GR_SOURCE_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "gr/source/ratelimit.h"

struct gr_lease {
    int64_t held;     /* requests that may go ...                                    */
    int64_t until_us; /* ... before this                                             */
    int64_t since_us; /* granted then                                                */
    int64_t wanted;   /* a question is under way for so many; 0: none                */
    int64_t asked_us; /* since then                                                  */
    int64_t again_us; /* not asked before: none is free, or there is nobody to ask   */
    bool is_lost;     /* there is nobody to ask                                      */
    int64_t pause_us; /* how long the last time                                      */
};

/* One request may go. */
bool gr_lease_allows(const struct gr_lease *lease, int64_t now_us);

/* It goes. */
void gr_lease_take(struct gr_lease *lease);

/* How many to ask for now, for a request that waits to go; 0: this is not the time to ask. */
int64_t gr_lease_asks(const struct gr_lease *lease, const struct gr_ratelimit *limit,
                      int64_t now_us);

/* The question is under way. */
void gr_lease_ask(struct gr_lease *lease, int64_t wanted, int64_t now_us);

/* The answer: so many were granted, or none, and as many will be free in `wait_us`. Then it is for
   others to ask first who were served longer ago. */
void gr_lease_answer(struct gr_lease *lease, const struct gr_ratelimit *limit, int64_t granted,
                     int64_t wait_us, int64_t now_us);

/* The answer takes too long to be waited for: the shared level is as good as lost. */
bool gr_lease_is_overdue(const struct gr_lease *lease, int64_t now_us);

/* There is nobody to ask any more, or not yet again. */
void gr_lease_lose(struct gr_lease *lease, int64_t now_us);

/* It is time to look whether there is. */
bool gr_lease_looks_again(const struct gr_lease *lease, int64_t now_us);

/* There is. */
void gr_lease_regain(struct gr_lease *lease);

/* When to look at it again for a request that waits to go, from now; 0: at once. */
int64_t gr_lease_wait_us(const struct gr_lease *lease, int64_t now_us);

#endif
