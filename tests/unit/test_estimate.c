/* layers: engine */
/* What a run will ask, and how long that takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gr/engine/estimate.h"

static const int64_t hour_ms = 3600000;
static const int64_t hour_us = INT64_C(3600000000);

static void
assert_estimate(struct gr_estimate_case known, int64_t requests, enum gr_basis basis)
{
    struct gr_estimate estimate = gr_estimate(&known);

    assert_int_equal(estimate.requests, requests);
    assert_string_equal(gr_basis_name(estimate.basis), gr_basis_name(basis));
}

/* An incremental list of which nothing is known. */
static struct gr_estimate_case
nothing(void)
{
    return (struct gr_estimate_case){
        .page_limit = 100, .passes = 1, .since_ms = -1, .distance_us = -1};
}

static void
test_what_is_not_known_is_said_to_be(void **state)
{
    struct gr_estimate_case known = nothing();

    (void)state;
    assert_estimate(known, -1, GR_BASIS_UNKNOWN);
    known.is_whole = true;
    known.history_runs = 5; /* of another mode */
    known.history_requests = 5;
    known.history_ms = known.since_ms = hour_ms;
    assert_estimate(known, -1, GR_BASIS_UNKNOWN);
    known.queue_requests = 40; /* a part of it tells nothing of the whole */
    assert_estimate(known, -1, GR_BASIS_UNKNOWN);
}

static void
test_of_rows_that_are_asked_for_one_by_one(void **state)
{
    struct gr_estimate_case known = nothing();

    (void)state;
    known.is_asked = true;
    known.parent_rows = -1;
    assert_estimate(known, -1, GR_BASIS_UNKNOWN);
    known.parent_rows = 500;
    assert_estimate(known, 500, GR_BASIS_PARENT);
    known.queue_requests = 40; /* of these */
    assert_estimate(known, 500, GR_BASIS_PARENT);
    known.history_runs = 10;
    known.history_requests = 30;
    known.history_ms = 10 * hour_ms;
    known.since_ms = hour_ms;
    assert_estimate(known, 43, GR_BASIS_RUNS);
    known.queue_requests = known.since_ms = 0;
    assert_estimate(known, 0, GR_BASIS_RUNS);
    known.since_ms = 1000 * hour_ms; /* nobody has as many */
    assert_estimate(known, 500, GR_BASIS_PARENT);
}

static void
test_by_its_last_runs(void **state)
{
    struct gr_estimate_case known = nothing();

    (void)state;
    known.history_runs = 10;
    known.history_requests = 30;
    known.history_ms = 10 * hour_ms;
    known.since_ms = hour_ms;
    assert_estimate(known, 3, GR_BASIS_RUNS);
    known.since_ms = 24 * hour_ms;
    assert_estimate(known, 72, GR_BASIS_RUNS);
    known.since_ms = 0; /* a run asks at least once */
    assert_estimate(known, 1, GR_BASIS_RUNS);
    known.queue_requests = 40;
    assert_estimate(known, 41, GR_BASIS_RUNS);
    known.since_ms = INT64_MAX / 4;
    known.history_ms = 1;
    assert_true(gr_estimate(&known).requests > 0);
}

static void
test_by_a_page(void **state)
{
    struct gr_estimate_case known = nothing();

    (void)state;
    known.has_page = true;
    known.page_us = 2 * hour_us;
    assert_estimate(known, -1, GR_BASIS_UNKNOWN);
    known.distance_us = 9 * hour_us;
    assert_estimate(known, 5, GR_BASIS_PACE);
    known.distance_us = 0;
    assert_estimate(known, 1, GR_BASIS_PACE);
    known.page_us = 0; /* all of one moment */
    assert_estimate(known, -1, GR_BASIS_UNKNOWN);
    known.is_page_last = true;
    assert_estimate(known, 1, GR_BASIS_PAGE);
    known.passes = 4;
    assert_estimate(known, 4, GR_BASIS_PAGE);
    known.is_page_last = false; /* how close rows lie says nothing of how many there are in all */
    known.is_whole = true;
    known.page_us = hour_us;
    known.distance_us = hour_us;
    assert_estimate(known, -1, GR_BASIS_UNKNOWN);
    known.whole_requests = 17;
    assert_estimate(known, 17, GR_BASIS_WHOLE);
}

static void
test_bounds(void **state)
{
    struct gr_estimate_case known = nothing();

    (void)state;
    known.limit_rows = 250;
    assert_estimate(known, 3, GR_BASIS_LIMIT);
    known.whole_requests = 2;
    known.is_whole = true;
    known.queue_requests = 40; /* a run that ends at its limit drains nothing */
    assert_estimate(known, 2, GR_BASIS_WHOLE);
    known.whole_requests = 9;
    assert_estimate(known, 3, GR_BASIS_LIMIT);
    known.is_object = true;
    assert_estimate(known, 1, GR_BASIS_OBJECT);
    known.asks_nothing = true;
    assert_estimate(known, 0, GR_BASIS_NOTHING);
}

static void
test_queues(void **state)
{
    (void)state;
    assert_int_equal(gr_estimate_queue(GR_ASK_IDS, 0), 0);
    assert_int_equal(gr_estimate_queue(GR_ASK_IDS, 100), 1);
    assert_int_equal(gr_estimate_queue(GR_ASK_IDS, 101), 2);
    assert_int_equal(gr_estimate_queue(GR_ASK_PARENT, 101), 101);
    assert_int_equal(gr_estimate_queue(GR_ASK_OBJECT, 7), 7);
}

static void
test_time(void **state)
{
    struct gr_rate rate = {.requests = 40, .per_ms = 20000, .share = 1.0};

    (void)state;
    assert_int_equal(gr_estimate_ms(0, &rate), 0);
    assert_int_equal(gr_estimate_ms(39, &rate), 0); /* they fit into the bucket */
    assert_int_equal(gr_estimate_ms(40, &rate), 500);
    assert_int_equal(gr_estimate_ms(7239, &rate), hour_ms);
    rate.share = 0.5;
    assert_int_equal(gr_estimate_ms(20, &rate), 1000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_not_known_is_said_to_be),
        cmocka_unit_test(test_of_rows_that_are_asked_for_one_by_one),
        cmocka_unit_test(test_by_its_last_runs),
        cmocka_unit_test(test_by_a_page),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_queues),
        cmocka_unit_test(test_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
