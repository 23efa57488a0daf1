/* lease.c - when to ask for a part of the shared budget, and what an answer is worth. */
#include "gr/source/lease.h"

#include <stddef.h>

enum {
    MS_US = 1000,
    LIFE_US = 1000 * MS_US,     /* of a part of a large bucket, at least               */
    REST_US = 2 * MS_US,        /* between two questions, if the answer knows no better */
    PATIENCE_US = 3000 * MS_US, /* for an answer                                       */
    PARTS = 100,                /* of a large bucket                                   */
    TURNS = 8,                  /* for so many requests, who was served stands back    */
    STEP_PART = 32,             /* of the time of one request, at most                 */
};
static const int64_t first_pause_us = INT64_C(5) * 1000 * MS_US;
static const int64_t longest_pause_us = INT64_C(600) * 1000 * MS_US;

static int64_t
clamp(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

bool
gr_lease_allows(const struct gr_lease *lease, int64_t now_us)
{
    return lease->is_lost || (lease->held > 0 && now_us < lease->until_us);
}

void
gr_lease_take(struct gr_lease *lease)
{
    if (lease->held > 0)
        lease->held--;
}

int64_t
gr_lease_asks(const struct gr_lease *lease, const struct gr_ratelimit *limit, int64_t now_us)
{
    if (gr_lease_allows(lease, now_us) || lease->wanted > 0 || now_us < lease->again_us)
        return 0;
    return clamp(limit->rate.requests / PARTS, 1, gr_ratelimit_burst(limit));
}

void
gr_lease_ask(struct gr_lease *lease, int64_t wanted, int64_t now_us)
{
    lease->wanted = wanted;
    lease->asked_us = now_us;
}

/* Runs that wait for the same request to drain would all ask in the same moment, and the same one
   might always be the first. */
static int64_t
step_back_us(const struct gr_lease *lease, const struct gr_ratelimit *limit, int64_t now_us)
{
    int64_t left_us = TURNS * limit->spacing_us - (now_us - lease->since_us);

    return clamp(left_us, 0, TURNS * limit->spacing_us) / ((int64_t)TURNS * STEP_PART);
}

void
gr_lease_answer(struct gr_lease *lease, const struct gr_ratelimit *limit, int64_t granted,
                int64_t wait_us, int64_t now_us)
{
    int64_t life_us = granted * limit->spacing_us;

    if (granted > 0)
        lease->since_us = now_us;
    lease->held = granted;
    /* From when it was asked for: the level drains from a moment after that. */
    lease->until_us = lease->asked_us + (granted > 1 && life_us < LIFE_US ? LIFE_US : life_us);
    lease->wanted = lease->pause_us = 0;
    lease->again_us = now_us;
    if (granted == 0 || wait_us > 0)
        lease->again_us += clamp(wait_us, REST_US, LIFE_US) + step_back_us(lease, limit, now_us);
}

bool
gr_lease_is_overdue(const struct gr_lease *lease, int64_t now_us)
{
    return lease->wanted > 0 && now_us - lease->asked_us > PATIENCE_US;
}

void
gr_lease_lose(struct gr_lease *lease, int64_t now_us)
{
    int64_t pause_us = clamp(2 * lease->pause_us, first_pause_us, longest_pause_us);

    *lease =
        (struct gr_lease){.is_lost = true, .again_us = now_us + pause_us, .pause_us = pause_us};
}

bool
gr_lease_looks_again(const struct gr_lease *lease, int64_t now_us)
{
    return lease->is_lost && now_us >= lease->again_us;
}

void
gr_lease_regain(struct gr_lease *lease)
{
    *lease = (struct gr_lease){.pause_us = lease->pause_us};
}

int64_t
gr_lease_wait_us(const struct gr_lease *lease, int64_t now_us)
{
    if (gr_lease_allows(lease, now_us))
        return 0;
    if (lease->wanted > 0) /* the answer's socket wakes whoever waits */
        return LIFE_US;
    return lease->again_us > now_us ? lease->again_us - now_us : 0;
}
