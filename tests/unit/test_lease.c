/* layers: source */
/* test_lease.c - traffic under a virtual clock: the allowance is used, kept and shared. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "traffic.h"

/* At every full second from `from_s` on, 0.97 of what the bucket has permitted was sent. */
static void
assert_uses(struct traffic *traffic, double burst, double per_s, int64_t from_s, int64_t to_s)
{
    /* What is due at the second comes to be sent a moment later. */
    traffic_run_for(traffic, SECOND_US / 20);
    for (int64_t s = 1; s <= to_s; s++) {
        double permitted = (double)(int64_t)(burst + per_s * (double)s);

        traffic_run_for(traffic, SECOND_US);
        if (s >= from_s && (double)traffic_sent(traffic) < 0.97 * permitted)
            fail_msg("%lld of %.1f after %lld s", (long long)traffic_sent(traffic), permitted,
                     (long long)s);
        if ((double)traffic_sent(traffic) > permitted + per_s)
            fail_msg("%lld: more than %.1f", (long long)traffic_sent(traffic), permitted);
    }
    assert_int_equal(traffic->bucket.refused, 0);
}

static void
a_day_uses_the_allowance_and_is_never_refused(void **state)
{
    struct traffic traffic = traffic_new();

    (void)state;
    (void)traffic_add(&traffic, 1.0, true, 4);
    assert_uses(&traffic, 40, 2, 4, 86400);
}

/* Whatever is behind the header's whole number. */
static void
the_burst_is_used_from_the_first_second(void **state)
{
    static const double roundings[] = {0.0, 0.5, 0.999999};

    (void)state;
    for (size_t i = 0; i < sizeof(roundings) / sizeof(roundings[0]); i++) {
        for (size_t shares = 0; shares < 2; shares++) {
            struct traffic traffic = traffic_new();

            traffic.bucket.rounding = roundings[i];
            (void)traffic_add(&traffic, 1.0, shares == 1, LANES_MAX);
            assert_uses(&traffic, 40, 2, 1, 120);
        }
    }
}

/* Answers overtake each other, and a late one tells of long ago. */
static void
ways_of_all_lengths_are_no_reason_to_be_refused(void **state)
{
    static const int64_t jitters_us[] = {100000, 300000, 1000000, 5000000};

    (void)state;
    for (size_t i = 0; i < sizeof(jitters_us) / sizeof(jitters_us[0]); i++) {
        for (size_t lanes = 4; lanes <= LANES_MAX; lanes += 33) {
            struct traffic traffic = traffic_new();

            traffic.jitter_us = jitters_us[i];
            (void)traffic_add(&traffic, 1.0, true, lanes);
            traffic_run_for(&traffic, 1200 * SECOND_US);
            assert_int_equal(traffic.bucket.refused, 0);
            /* Four at a time that take five seconds each are no full use. */
            if (lanes > 4 || jitters_us[i] < 1000000)
                assert_true(traffic_sent(&traffic) > 97 * (40 + 2400) / 100);
        }
    }
}

static void
another_client_is_given_way_to_and_what_it_leaves_is_used(void **state)
{
    struct traffic traffic = traffic_new();
    int64_t sent;

    (void)state;
    (void)traffic_add(&traffic, 1.0, true, 4);
    traffic_run_for(&traffic, 600 * SECOND_US);
    /* From now on it takes half of what leaks. */
    traffic.other_per_s = 1.0;
    traffic_run_for(&traffic, 10 * SECOND_US);
    assert_true(traffic.bucket.refused + traffic.bucket.others_refused <= 2);
    traffic.bucket.refused = traffic.bucket.others_refused = 0;
    sent = traffic_sent(&traffic);
    traffic_run_for(&traffic, 3600 * SECOND_US);
    assert_int_equal(traffic.bucket.refused + traffic.bucket.others_refused, 0);
    assert_in_range(traffic_sent(&traffic) - sent, 3492, 3602);
    traffic.other_per_s = 0.0;
    sent = traffic_sent(&traffic);
    traffic_run_for(&traffic, 60 * SECOND_US);
    assert_in_range(traffic_sent(&traffic) - sent, 117, 121);
}

/* While nobody looked: the next answers tell of it. */
static void
half_of_the_bucket_that_goes_at_once_costs_few_refusals(void **state)
{
    struct traffic traffic = traffic_new();
    int64_t sent;

    (void)state;
    (void)traffic_add(&traffic, 1.0, true, 4);
    traffic_run_for(&traffic, SECOND_US);
    assert_true(traffic.bucket.level > 8 && traffic.bucket.level < 20);
    traffic.bucket.level += 20;
    traffic_run_for(&traffic, 60 * SECOND_US);
    assert_true(traffic.bucket.refused <= 4);
    traffic.bucket.refused = 0;
    sent = traffic_sent(&traffic);
    traffic_run_for(&traffic, 600 * SECOND_US);
    assert_int_equal(traffic.bucket.refused, 0);
    assert_true(traffic_sent(&traffic) - sent >= 97 * 1200 / 100);
}

static void
a_share_leaves_the_rest(void **state)
{
    struct traffic traffic = traffic_new();

    (void)state;
    (void)traffic_add(&traffic, 0.8, true, 4);
    assert_uses(&traffic, 32, 1.6, 5, 1200);
    assert_true(traffic.bucket.level <= 32.0);
    /* Others take all that is left to them, and nobody is refused. */
    traffic.other_per_s = 0.4;
    traffic_run_for(&traffic, 3600 * SECOND_US);
    assert_int_equal(traffic.bucket.refused + traffic.bucket.others_refused, 0);
}

/* What one alone may send, and no more; also with a share. */
static void
runs_on_one_warehouse_share_one_allowance(void **state)
{
    static const struct {
        double share, burst, per_s;
        size_t runs;
    } cases[] = {{1.0, 40, 2, 2}, {1.0, 40, 2, 3}, {0.8, 32, 1.6, 2}, {0.5, 20, 1, 3}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct traffic traffic = traffic_new();

        for (size_t j = 0; j < cases[i].runs; j++)
            (void)traffic_add(&traffic, cases[i].share, true, 4);
        assert_uses(&traffic, cases[i].burst, cases[i].per_s, 20, 900);
        for (size_t j = 0; j < cases[i].runs; j++)
            assert_true(traffic.runs[j].sent * (int64_t)(2 * cases[i].runs) >
                        traffic_sent(&traffic));
    }
}

static void
the_leases_of_a_killed_run_drain(void **state)
{
    struct traffic traffic = traffic_new();
    int64_t sent;

    (void)state;
    (void)traffic_add(&traffic, 1.0, true, 4);
    (void)traffic_add(&traffic, 1.0, true, 4);
    traffic_run_for(&traffic, 60 * SECOND_US);
    traffic.runs[0].is_dead = true;
    sent = traffic_sent(&traffic);
    traffic_run_for(&traffic, 60 * SECOND_US);
    assert_in_range(traffic_sent(&traffic) - sent, 117, 121);
    /* One that comes later finds the bucket full, and waits. */
    (void)traffic_add(&traffic, 1.0, true, 4);
    sent = traffic_sent(&traffic);
    traffic_run_for(&traffic, 60 * SECOND_US);
    assert_in_range(traffic_sent(&traffic) - sent, 117, 121);
    assert_int_equal(traffic.bucket.refused, 0);
}

/* --- the decisions, one by one -------------------------------------------------------------- */

static const struct gr_rate api = {.requests = 40, .per_ms = 20000, .share = 1.0};
static const struct gr_rate large = {
    .requests = 100000, .per_ms = 1000, .share = 1.0, .is_stated = true};

static void
a_lease_is_asked_for_spent_and_lapses(void **state)
{
    struct gr_ratelimit limit;
    struct gr_lease lease = {0};

    (void)state;
    gr_ratelimit_init(&limit, &api, 0);
    assert_false(gr_lease_allows(&lease, 0));
    assert_int_equal(gr_lease_asks(&lease, &limit, 0), 1);
    gr_lease_ask(&lease, 1, 0);
    assert_int_equal(gr_lease_asks(&lease, &limit, 0), 0);
    assert_true(gr_lease_wait_us(&lease, 0) > 0);
    gr_lease_answer(&lease, &limit, 1, 0, 1000);
    assert_true(gr_lease_allows(&lease, 499999));
    assert_false(gr_lease_allows(&lease, 500000));
    gr_lease_take(&lease);
    assert_false(gr_lease_allows(&lease, 1000));
    assert_int_equal(gr_lease_asks(&lease, &limit, 1000), 1);
}

static void
a_refusal_is_asked_again_when_one_is_free(void **state)
{
    struct gr_ratelimit limit;
    struct gr_lease lease = {0};

    (void)state;
    gr_ratelimit_init(&limit, &api, 0);
    gr_lease_ask(&lease, 1, 10000000);
    gr_lease_answer(&lease, &limit, 0, 300000, 10001000);
    assert_int_equal(gr_lease_asks(&lease, &limit, 10300000), 0);
    assert_int_equal(gr_lease_wait_us(&lease, 10001000), 300000);
    assert_int_equal(gr_lease_asks(&lease, &limit, 10301000), 1);
    /* Others were quicker, and no answer knows when: neither at once nor in an hour. */
    gr_lease_ask(&lease, 1, 10301000);
    gr_lease_answer(&lease, &limit, 0, 0, 10301000);
    assert_in_range(gr_lease_wait_us(&lease, 10301000), 1000, 10000);
    gr_lease_answer(&lease, &limit, 0, INT64_C(3600000000), 10301000);
    assert_in_range(gr_lease_wait_us(&lease, 10301000), 100000, 1000000);
}

static void
a_large_bucket_is_leased_in_parts(void **state)
{
    struct gr_ratelimit limit;
    struct gr_lease lease = {0};

    (void)state;
    gr_ratelimit_init(&limit, &large, 0);
    assert_int_equal(gr_lease_asks(&lease, &limit, 0), 1000);
    gr_lease_ask(&lease, 1000, 0);
    gr_lease_answer(&lease, &limit, 1000, 0, 500);
    for (int i = 0; i < 1000; i++) {
        assert_true(gr_lease_allows(&lease, 999999));
        gr_lease_take(&lease);
    }
    assert_false(gr_lease_allows(&lease, 999999));
}

static void
without_a_shared_level_requests_go_and_it_is_looked_for_again(void **state)
{
    struct gr_ratelimit limit;
    struct gr_lease lease = {0};
    int64_t now_us = 0, pause_us = 0;

    (void)state;
    gr_ratelimit_init(&limit, &api, 0);
    gr_lease_ask(&lease, 1, 0);
    assert_false(gr_lease_is_overdue(&lease, 1000000));
    assert_true(gr_lease_is_overdue(&lease, 10000000));
    for (int i = 0; i < 12; i++) {
        int64_t before_us = pause_us;

        gr_lease_lose(&lease, now_us);
        assert_true(gr_lease_allows(&lease, now_us));
        assert_int_equal(gr_lease_asks(&lease, &limit, now_us), 0);
        assert_int_equal(gr_lease_wait_us(&lease, now_us), 0);
        assert_false(gr_lease_looks_again(&lease, now_us));
        for (pause_us = 0; !gr_lease_looks_again(&lease, now_us + pause_us);)
            pause_us += 1000000;
        assert_true(pause_us >= 1000000 && pause_us <= 600000000);
        assert_true(pause_us > before_us || pause_us == 600000000);
        now_us += pause_us;
    }
    /* Found again, and it answers: the next time it is looked for soon. */
    gr_lease_regain(&lease);
    assert_int_equal(gr_lease_asks(&lease, &limit, now_us), 1);
    gr_lease_ask(&lease, 1, now_us);
    gr_lease_answer(&lease, &limit, 1, 0, now_us);
    gr_lease_lose(&lease, now_us);
    assert_true(gr_lease_looks_again(&lease, now_us + 5000000));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_uses_the_allowance_and_is_never_refused),
        cmocka_unit_test(the_burst_is_used_from_the_first_second),
        cmocka_unit_test(ways_of_all_lengths_are_no_reason_to_be_refused),
        cmocka_unit_test(another_client_is_given_way_to_and_what_it_leaves_is_used),
        cmocka_unit_test(half_of_the_bucket_that_goes_at_once_costs_few_refusals),
        cmocka_unit_test(a_share_leaves_the_rest),
        cmocka_unit_test(runs_on_one_warehouse_share_one_allowance),
        cmocka_unit_test(the_leases_of_a_killed_run_drain),
        cmocka_unit_test(a_lease_is_asked_for_spent_and_lapses),
        cmocka_unit_test(a_refusal_is_asked_again_when_one_is_free),
        cmocka_unit_test(a_large_bucket_is_leased_in_parts),
        cmocka_unit_test(without_a_shared_level_requests_go_and_it_is_looked_for_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
