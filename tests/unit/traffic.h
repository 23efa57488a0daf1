/*
 * traffic.h - an account's API under a virtual clock: its leaky bucket, the way there and back,
 * other clients, and runs that ask by their limiter and, if they share, by their leases. Bucket and
 * shared level are written independently of what is tested.
 */
#ifndef GR_TESTS_UNIT_TRAFFIC_H
#define GR_TESTS_UNIT_TRAFFIC_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "gr/source/lease.h"
#include "gr/source/ratelimit.h"

enum { LANES_MAX = 48, RUNS_MAX = 3 };
static const int64_t STEP_US = 5000, SECOND_US = 1000000;

/* A server's bucket, in exact fractions of a request. */
struct bucket {
    double max, leak_per_s, level;
    int64_t at_us;
    int64_t refused; /* requests of ours */
    int64_t others_refused;
    double rounding; /* of the header: 0 cuts, 0.5 rounds, 0.999999 rounds up */
};

struct flight {
    bool is_out;
    int64_t number, sent_us, arrival_us, answer_us;
    bool has_arrived, was_refused;
    int64_t used;
};

struct asker {
    struct gr_ratelimit limit;
    struct gr_lease lease;
    bool shares;
    bool is_dead;
    int64_t starts_us;
    size_t lanes; /* in flight at most */
    struct flight flights[LANES_MAX];
    int64_t sent;
    bool was_answered;
    int64_t reply_us; /* the answer about a lease that is under way comes then */
};

struct traffic {
    struct bucket bucket;
    struct asker runs[RUNS_MAX];
    size_t run_count;
    double shared_level; /* as the table has it */
    int64_t shared_us;
    int64_t now_us;
    int64_t latency_us, jitter_us;
    double other_per_s; /* another client's requests */
    double other_due;
    uint64_t random;
};

static inline void
bucket_leak(struct bucket *bucket, int64_t now_us)
{
    double leaked = (double)(now_us - bucket->at_us) * bucket->leak_per_s / 1e6;

    bucket->level = bucket->level > leaked ? bucket->level - leaked : 0.0;
    bucket->at_us = now_us;
}

static inline bool
bucket_take(struct bucket *bucket, int64_t now_us)
{
    bucket_leak(bucket, now_us);
    if (bucket->level + 1.0 > bucket->max + 1e-9)
        return false;
    bucket->level += 1.0;
    return true;
}

static inline struct traffic
traffic_new(void)
{
    return (struct traffic){.bucket = {.max = 40, .leak_per_s = 2, .rounding = 0.999999},
                            .latency_us = 250000,
                            .random = 88172645463325252U};
}

static inline struct asker *
traffic_add(struct traffic *traffic, double share, bool shares, size_t lanes)
{
    struct gr_rate rate = {.requests = 40, .per_ms = 20000, .share = share};
    struct asker *run = &traffic->runs[traffic->run_count++];

    *run = (struct asker){.shares = shares, .lanes = lanes, .starts_us = traffic->now_us};
    gr_ratelimit_init(&run->limit, &rate, traffic->now_us);
    if (!shares)
        gr_lease_lose(&run->lease, traffic->now_us);
    return run;
}

/* Evenly from 0 to `most`. */
static inline int64_t
traffic_draw(struct traffic *traffic, int64_t most)
{
    traffic->random ^= traffic->random << 13;
    traffic->random ^= traffic->random >> 7;
    traffic->random ^= traffic->random << 17;
    return most == 0 ? 0 : (int64_t)(traffic->random % (uint64_t)(most + 1));
}

/* What the statement does in the warehouse. */
static inline void
traffic_lease(struct traffic *traffic, struct asker *run)
{
    double per_s = 1e6 / (double)run->limit.spacing_us;
    double level =
        traffic->shared_level - (double)(traffic->now_us - traffic->shared_us) / 1e6 * per_s;
    double seen = gr_ratelimit_seen(&run->limit, traffic->now_us);
    double room;

    level = level < seen ? seen : level;
    level = level < 0 ? 0 : level;
    room = (double)gr_ratelimit_burst(&run->limit) - level - (double)run->lease.wanted;
    if (room < 0) {
        gr_lease_answer(&run->lease, &run->limit, 0, (int64_t)(-room / per_s * 1e6) + 1,
                        traffic->now_us);
        return;
    }
    traffic->shared_level = level + (double)run->lease.wanted;
    traffic->shared_us = traffic->now_us;
    room -= (double)run->lease.wanted;
    gr_lease_answer(&run->lease, &run->limit, run->lease.wanted,
                    room < 0 ? (int64_t)(-room / per_s * 1e6) + 1 : 0, traffic->now_us);
}

static inline void
traffic_answer(struct asker *run, struct flight *flight, const struct bucket *bucket,
               int64_t now_us)
{
    struct gr_ratelimit_header header = {.used = flight->used,
                                         .max = (int64_t)bucket->max,
                                         .sent_us = flight->sent_us,
                                         .later = run->sent - flight->number};

    for (size_t i = 0; i < run->lanes; i++)
        header.earlier += run->flights[i].is_out && run->flights[i].number < flight->number;
    flight->is_out = false;
    run->was_answered = true;
    gr_ratelimit_observe(&run->limit, now_us, &header);
    if (flight->was_refused)
        gr_ratelimit_refused(&run->limit, now_us, SECOND_US);
}

static inline size_t
traffic_out(const struct asker *run)
{
    size_t out = 0;

    for (size_t i = 0; i < run->lanes; i++)
        out += run->flights[i].is_out;
    return out;
}

static inline void
traffic_send(struct traffic *traffic, struct asker *run)
{
    int64_t now = traffic->now_us;

    for (size_t i = 0; i < run->lanes; i++) {
        struct flight *flight = &run->flights[i];

        if (flight->is_out || gr_ratelimit_wait_us(&run->limit, now) > 0 ||
            (!run->was_answered && traffic_out(run) > 0))
            continue;
        if (!gr_lease_allows(&run->lease, now)) {
            int64_t wanted = gr_lease_asks(&run->lease, &run->limit, now);

            if (wanted > 0) {
                gr_lease_ask(&run->lease, wanted, now);
                run->reply_us = now + STEP_US;
            }
            return;
        }
        gr_ratelimit_take(&run->limit, now);
        gr_lease_take(&run->lease);
        *flight = (struct flight){.is_out = true, .number = ++run->sent, .sent_us = now};
        flight->arrival_us =
            now + traffic->latency_us / 2 + traffic_draw(traffic, traffic->jitter_us);
        flight->answer_us = flight->arrival_us + traffic->latency_us / 2 +
                            traffic_draw(traffic, traffic->jitter_us);
    }
}

static inline void
traffic_step_run(struct traffic *traffic, struct asker *run)
{
    if (run->is_dead)
        return;
    if (run->lease.wanted > 0 && traffic->now_us >= run->reply_us)
        traffic_lease(traffic, run);
    for (size_t i = 0; i < run->lanes; i++) {
        struct flight *flight = &run->flights[i];

        if (flight->is_out && !flight->has_arrived && traffic->now_us >= flight->arrival_us) {
            flight->has_arrived = true;
            flight->was_refused = !bucket_take(&traffic->bucket, traffic->now_us);
            traffic->bucket.refused += flight->was_refused;
            flight->used = (int64_t)(traffic->bucket.level + traffic->bucket.rounding);
        }
        if (flight->is_out && flight->has_arrived && traffic->now_us >= flight->answer_us)
            traffic_answer(run, flight, &traffic->bucket, traffic->now_us);
    }
    traffic_send(traffic, run);
}

static inline void
traffic_run_for(struct traffic *traffic, int64_t us)
{
    int64_t until_us = traffic->now_us + us;

    for (; traffic->now_us < until_us; traffic->now_us += STEP_US) {
        for (size_t i = 0; i < traffic->run_count; i++)
            traffic_step_run(traffic, &traffic->runs[i]);
        traffic->other_due += traffic->other_per_s * (double)STEP_US / 1e6;
        for (; traffic->other_due >= 1.0; traffic->other_due -= 1.0)
            traffic->bucket.others_refused += !bucket_take(&traffic->bucket, traffic->now_us);
    }
}

static inline int64_t
traffic_sent(const struct traffic *traffic)
{
    int64_t sent = 0;

    for (size_t i = 0; i < traffic->run_count; i++)
        sent += traffic->runs[i].sent;
    return sent;
}

#endif
