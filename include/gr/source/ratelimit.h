/*
 * gr/source/ratelimit.h - how long to wait before the next request to the account.
 *
 * The server keeps a leaky bucket: `burst` requests fit in, one leaks out every `spacing`. We keep
 * the same bucket as a schedule (GCRA): `due` is when it would be empty, so its level is
 * (due - now) / spacing. Pure arithmetic: no clock, no sleep, no I/O. The caller passes the time in
 * and does the waiting, so tests cover a day of traffic in a moment.
 *
 * Units   microseconds of one clock of the caller's; costs are whole requests
 * Errors  none: every function is total
 * Owns    nothing: the struct holds no pointers and may be copied
 * Source  docs/api.md section 2: a leaky bucket, X-Gorgias-Account-Api-Call-Limit
 */
#ifndef GR_SOURCE_RATELIMIT_H
#define GR_SOURCE_RATELIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "gr/spec/connection.h"

struct gr_ratelimit {
    struct gr_rate rate; /* as configured or taken over from the header                       */
    int64_t spacing_us;  /* ideal gap between two requests                                    */
    int64_t burst_us;    /* how far ahead of schedule requests may run: (burst - 1) x spacing */
    int64_t due_us;      /* when the bucket would be empty                                    */
    int64_t closed_us;   /* nothing before this: a 429 said so                                */
    int64_t seen_us;     /* when it would be empty by what the header has surely counted      */
    int64_t limit;       /* the last limit that the header named, 0 before the first          */
    int64_t used;        /* the last used count                                               */
};

void gr_ratelimit_init(struct gr_ratelimit *limit, const struct gr_rate *rate, int64_t now_us);

/* How long to wait before a request may go; 0: it may go now. */
int64_t gr_ratelimit_wait_us(const struct gr_ratelimit *limit, int64_t now_us);

/* A request goes out now. */
void gr_ratelimit_take(struct gr_ratelimit *limit, int64_t now_us);

/* What a response tells of the server's bucket. */
struct gr_ratelimit_header {
    int64_t used, max; /* -1: it tells nothing                                           */
    int64_t sent_us;   /* when its request went                                          */
    int64_t later;     /* requests that went after it, answered or not                   */
    int64_t earlier;   /* ... before it, and are still on their way                      */
};

/*
 * Others that share the bucket become visible here. Our own count is exact where nobody else asks,
 * and the header a whole number: the count stands while the header can mean it. A larger or smaller
 * `max` is taken over, unless the connection states its own rate.
 */
void gr_ratelimit_observe(struct gr_ratelimit *limit, int64_t now_us,
                          const struct gr_ratelimit_header *header);

/* 429: nothing for `pause_us`, and no burst right after. */
void gr_ratelimit_refused(struct gr_ratelimit *limit, int64_t now_us, int64_t pause_us);

/* Requests that fit into our part of the bucket. */
int64_t gr_ratelimit_burst(const struct gr_ratelimit *limit);

/* Requests that are in our part of the bucket at least, by what the server has told. */
double gr_ratelimit_seen(const struct gr_ratelimit *limit, int64_t now_us);

/* The share of our part of the bucket that is in use, 0..1. */
double gr_ratelimit_level(const struct gr_ratelimit *limit, int64_t now_us);

#endif
