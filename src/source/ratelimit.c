/* ratelimit.c - the account's leaky bucket, kept as a schedule. */
#include "gr/source/ratelimit.h"

static int64_t
max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void
adopt(struct gr_ratelimit *limit, int64_t requests)
{
    double ours = (double)requests * limit->rate.share;
    double spacing = (double)limit->rate.per_ms * 1000.0 / (ours > 0.01 ? ours : 0.01);
    /* One request less than fits: what left us evenly may arrive unevenly. */
    int64_t burst = ours >= 3.0 ? (int64_t)ours - 1 : 1;

    limit->rate.requests = requests;
    limit->spacing_us = max64(1, (int64_t)spacing);
    limit->burst_us = (burst - 1) * limit->spacing_us;
}

void
gr_ratelimit_init(struct gr_ratelimit *limit, const struct gr_rate *rate, int64_t now_us)
{
    *limit = (struct gr_ratelimit){
        .rate = *rate, .due_us = now_us, .closed_us = now_us, .seen_us = now_us};
    adopt(limit, rate->requests);
}

int64_t
gr_ratelimit_wait_us(const struct gr_ratelimit *limit, int64_t now_us)
{
    return max64(0, max64(limit->due_us - limit->burst_us, limit->closed_us) - now_us);
}

void
gr_ratelimit_take(struct gr_ratelimit *limit, int64_t now_us)
{
    limit->due_us = max64(limit->due_us, now_us) + limit->spacing_us;
}

/*
 * Requests come to the server in the order in which they went, or nearly so. Then those that went
 * later are what it has not counted, and it has drained since this one went; by more than one
 * request's time that is not relied on, because the way there may have taken all of it.
 */
static void
correct(struct gr_ratelimit *limit, int64_t now_us, const struct gr_ratelimit_header *header,
        int64_t used, int64_t others)
{
    int64_t since_us = max64(header->sent_us, now_us - limit->spacing_us);
    int64_t unseen = header->later + header->earlier;
    int64_t likely = since_us + max64(used + header->later - others, 0) * limit->spacing_us;
    int64_t most = since_us + max64(used + unseen - others, unseen) * limit->spacing_us;

    /* The last one may be the server's rounding. */
    limit->seen_us = max64(limit->seen_us, since_us + (used - 1 - others) * limit->spacing_us);
    /* With the whole bucket ours, the server knows better, up and down. With a part of it, others
       may use the rest unseen, and our own count is what keeps us within the part. */
    if (limit->due_us <= likely - limit->spacing_us)
        limit->due_us = most;
    else if (others == 0 && limit->due_us > most + limit->spacing_us)
        limit->due_us = most;
}

void
gr_ratelimit_observe(struct gr_ratelimit *limit, int64_t now_us,
                     const struct gr_ratelimit_header *header)
{
    int64_t max = header->max;
    int64_t used = header->used > max ? max : header->used;
    int64_t ours;

    if (max < 1 || used < 0)
        return;
    limit->limit = max;
    limit->used = used;
    /* A stated rate above the header's is obeyed as it is: then the header is no measure of it. */
    if (limit->rate.is_stated && limit->rate.requests > max)
        return;
    if (!limit->rate.is_stated && limit->rate.requests != max)
        adopt(limit, max);
    ours = (int64_t)((double)limit->rate.requests * limit->rate.share);
    correct(limit, now_us, header, used, max64(0, max - ours));
}

void
gr_ratelimit_refused(struct gr_ratelimit *limit, int64_t now_us, int64_t pause_us)
{
    limit->closed_us = max64(limit->closed_us, now_us + pause_us);
    limit->due_us = max64(limit->due_us, limit->closed_us + limit->burst_us);
    limit->seen_us = max64(limit->seen_us, limit->due_us);
}

int64_t
gr_ratelimit_burst(const struct gr_ratelimit *limit)
{
    return limit->burst_us / limit->spacing_us + 1;
}

double
gr_ratelimit_seen(const struct gr_ratelimit *limit, int64_t now_us)
{
    return (double)max64(0, limit->seen_us - now_us) / (double)limit->spacing_us;
}

double
gr_ratelimit_level(const struct gr_ratelimit *limit, int64_t now_us)
{
    int64_t ahead = max64(0, limit->due_us - now_us);
    double level = (double)ahead / (double)(limit->burst_us + limit->spacing_us);

    return level > 1.0 ? 1.0 : level;
}
