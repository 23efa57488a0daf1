/* layers: source */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "gr/source/ratelimit.h"

/* A server's leaky bucket, written independently of the limiter: exact fractions of a request. */
struct bucket {
    int64_t max;
    int64_t leak_per_s; /* requests */
    double level;
    int64_t at_us;
    int64_t refused;
};

static void
bucket_leak(struct bucket *bucket, int64_t now_us)
{
    double leaked = (double)(now_us - bucket->at_us) * (double)bucket->leak_per_s / 1e6;

    bucket->level = bucket->level > leaked ? bucket->level - leaked : 0.0;
    bucket->at_us = now_us;
}

static int64_t
bucket_take(struct bucket *bucket, int64_t now_us)
{
    bucket_leak(bucket, now_us);
    if (bucket->level + 1.0 > (double)bucket->max)
        bucket->refused++;
    else
        bucket->level += 1.0;
    return (int64_t)(bucket->level + 0.999);
}

static const struct gr_rate api_key = {.requests = 40, .per_ms = 20000, .share = 1.0};

/* The answer of a server that takes no time. */
static void
observe(struct gr_ratelimit *limit, int64_t now_us, int64_t used, int64_t max)
{
    gr_ratelimit_observe(
        limit, now_us, &(struct gr_ratelimit_header){.used = used, .max = max, .sent_us = now_us});
}

/* Sends as fast as the limiter lets it for `us`; returns the number of requests. */
static int64_t
send_for(struct gr_ratelimit *limit, struct bucket *bucket, int64_t us, int64_t other_every_us)
{
    int64_t now = 0, sent = 0, other = other_every_us;

    while (now < us) {
        int64_t wait = gr_ratelimit_wait_us(limit, now);

        for (; other_every_us > 0 && other <= now + wait; other += other_every_us)
            (void)bucket_take(bucket, other);
        now += wait;
        if (now >= us)
            break;
        gr_ratelimit_take(limit, now);
        observe(limit, now, bucket_take(bucket, now), bucket->max);
        sent++;
    }
    return sent;
}

static void
a_day_uses_the_allowance_and_is_never_refused(void **state)
{
    const int64_t day = INT64_C(86400) * 1000000;
    struct bucket bucket = {.max = 40, .leak_per_s = 2};
    struct gr_ratelimit limit;
    int64_t sent;

    (void)state;
    gr_ratelimit_init(&limit, &api_key, 0);
    sent = send_for(&limit, &bucket, day, 0);
    assert_int_equal(bucket.refused, 0);
    assert_true(sent > (40 + 2 * 86400) * 97 / 100);
    assert_true(sent <= 40 + 2 * 86400);
}

static void
the_burst_goes_at_once_then_the_spacing_rules(void **state)
{
    struct gr_ratelimit limit;
    int64_t burst = 0;

    (void)state;
    gr_ratelimit_init(&limit, &api_key, 0);
    for (; gr_ratelimit_wait_us(&limit, 0) == 0; burst++)
        gr_ratelimit_take(&limit, 0);
    assert_in_range(burst, 38, 40);
    assert_int_equal(gr_ratelimit_wait_us(&limit, 0), 500000);
}

static void
another_client_is_given_way_to(void **state)
{
    struct bucket bucket = {.max = 40, .leak_per_s = 2};
    struct gr_ratelimit limit;
    int64_t sent;

    (void)state;
    gr_ratelimit_init(&limit, &api_key, 0);
    /* The other one takes one a second: half of what leaks. */
    sent = send_for(&limit, &bucket, INT64_C(3600) * 1000000, 1000000);
    assert_int_equal(bucket.refused, 0);
    assert_in_range(sent, 3400, 3640);
}

static void
a_share_leaves_the_rest(void **state)
{
    struct gr_rate half = {.requests = 40, .per_ms = 20000, .share = 0.5};
    struct bucket bucket = {.max = 40, .leak_per_s = 2};
    struct gr_ratelimit limit;
    int64_t sent;

    (void)state;
    gr_ratelimit_init(&limit, &half, 0);
    sent = send_for(&limit, &bucket, INT64_C(3600) * 1000000, 0);
    assert_in_range(sent, 3500, 3620);
    assert_true(bucket.level <= 20.0);
}

static void
the_header_s_limit_is_taken_over_unless_a_rate_is_stated(void **state)
{
    struct gr_rate stated = {.requests = 100000, .per_ms = 1000, .share = 1.0, .is_stated = true};
    struct gr_ratelimit limit;

    (void)state;
    gr_ratelimit_init(&limit, &api_key, 0);
    observe(&limit, 0, 1, 80);
    assert_int_equal(limit.spacing_us, 250000);
    gr_ratelimit_init(&limit, &stated, 0);
    observe(&limit, 0, 40, 40);
    assert_int_equal(gr_ratelimit_wait_us(&limit, 0), 0);
}

static void
after_a_refusal_nothing_goes_before_its_time_and_no_burst_follows(void **state)
{
    struct gr_ratelimit limit;

    (void)state;
    gr_ratelimit_init(&limit, &api_key, 0);
    gr_ratelimit_refused(&limit, 0, 5000000);
    assert_int_equal(gr_ratelimit_wait_us(&limit, 0), 5000000);
    gr_ratelimit_take(&limit, 5000000);
    assert_true(gr_ratelimit_wait_us(&limit, 5000000) > 0);
}

/* How many may go at once. */
static int64_t
room(struct gr_ratelimit limit, int64_t now_us)
{
    int64_t count = 0;

    for (; gr_ratelimit_wait_us(&limit, now_us) == 0; count++)
        gr_ratelimit_take(&limit, now_us);
    return count;
}

static void
a_header_s_word_against_a_refusal_s_is_taken(void **state)
{
    struct gr_ratelimit limit;

    (void)state;
    gr_ratelimit_init(&limit, &api_key, 0);
    gr_ratelimit_refused(&limit, 0, 1000000);
    assert_int_equal(room(limit, 1000000), 1);
    gr_ratelimit_take(&limit, 1000000);
    observe(&limit, 1000000, 5, 40);
    assert_int_equal(room(limit, 1000000), 34);
}

static void
what_a_header_cannot_have_counted_is_added(void **state)
{
    static const struct {
        int64_t later, earlier, room;
    } cases[] = {{0, 0, 29}, {9, 0, 25}, {9, 3, 22}, {0, 3, 29}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gr_ratelimit limit;

        gr_ratelimit_init(&limit, &api_key, 0);
        for (int sent = 0; sent < 10; sent++)
            gr_ratelimit_take(&limit, 0);
        gr_ratelimit_observe(&limit, 0,
                             &(struct gr_ratelimit_header){.used = i == 1 || i == 2 ? 5 : 10,
                                                           .max = 40,
                                                           .later = cases[i].later,
                                                           .earlier = cases[i].earlier});
        assert_int_equal(room(limit, 0), cases[i].room);
    }
}

/* One less may be what was cut off; one more may be others, and is taken for that. */
static void
our_own_count_stands_unless_the_header_says_otherwise(void **state)
{
    static const int64_t used[][2] = {{9, 29}, {10, 29}, {8, 31}, {11, 28}, {12, 27}};

    (void)state;
    for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++) {
        struct gr_ratelimit limit;

        gr_ratelimit_init(&limit, &api_key, 0);
        for (int sent = 0; sent < 10; sent++)
            gr_ratelimit_take(&limit, 0);
        observe(&limit, 0, used[i][0], 40);
        assert_int_equal(room(limit, 0), used[i][1]);
    }
}

/* Whatever the header claims, a bucket cannot be fuller than full. */
static void
an_absurd_header_closes_the_bucket_no_longer_than_a_full_one(void **state)
{
    static const int64_t used[] = {40, 41, 1000000, INT64_C(1000000000000000)};

    (void)state;
    for (size_t i = 0; i < sizeof(used) / sizeof(used[0]); i++) {
        struct gr_ratelimit limit;

        gr_ratelimit_init(&limit, &api_key, 0);
        observe(&limit, 0, used[i], 40);
        assert_true(gr_ratelimit_wait_us(&limit, 0) > 0);
        assert_true(gr_ratelimit_wait_us(&limit, 0) <= 40 * limit.spacing_us);
        assert_int_equal(limit.used, 40);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_uses_the_allowance_and_is_never_refused),
        cmocka_unit_test(the_burst_goes_at_once_then_the_spacing_rules),
        cmocka_unit_test(another_client_is_given_way_to),
        cmocka_unit_test(a_share_leaves_the_rest),
        cmocka_unit_test(the_header_s_limit_is_taken_over_unless_a_rate_is_stated),
        cmocka_unit_test(after_a_refusal_nothing_goes_before_its_time_and_no_burst_follows),
        cmocka_unit_test(a_header_s_word_against_a_refusal_s_is_taken),
        cmocka_unit_test(what_a_header_cannot_have_counted_is_added),
        cmocka_unit_test(our_own_count_stands_unless_the_header_says_otherwise),
        cmocka_unit_test(an_absurd_header_closes_the_bucket_no_longer_than_a_full_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
