/* layers: source */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "gr/source/retry.h"

static int64_t
pause_after(enum gr_fault fault, int64_t retry_after_ms, int attempts, bool was_reached)
{
    struct gr_error err = {.fault = fault, .retry_after_ms = retry_after_ms};
    struct gr_retry_state state = {.attempts = attempts, .was_reached = was_reached};

    return gr_retry_pause_ms(&err, &state, 0.5);
}

static void
only_faults_that_may_pass_are_tried_again(void **state)
{
    (void)state;
    for (int fault = 0; fault < GR_FAULT_COUNT; fault++) {
        bool may = gr_fault_facts((enum gr_fault)fault)->retry == GR_RETRY_REQUEST;

        assert_int_equal(pause_after((enum gr_fault)fault, -1, 1, true) >= 0, may);
    }
}

static void
pauses_grow_to_a_limit_and_attempts_end(void **state)
{
    int64_t last = 0;

    (void)state;
    for (int attempts = 1; attempts < GR_RETRY_ATTEMPTS; attempts++) {
        int64_t pause = pause_after(GR_FAULT_REMOTE, -1, attempts, true);

        assert_true(pause >= last);
        assert_true(pause <= 30000);
        last = pause;
    }
    assert_int_equal(pause_after(GR_FAULT_REMOTE, -1, GR_RETRY_ATTEMPTS, true), -1);
    assert_int_equal(pause_after(GR_FAULT_TRANSPORT, -1, GR_RETRY_ATTEMPTS_UNREACHED, false), -1);
}

static void
a_429_waits_as_long_as_it_says(void **state)
{
    (void)state;
    assert_in_range(pause_after(GR_FAULT_THROTTLED, 5000, 1, true), 5000, 5250);
    assert_in_range(pause_after(GR_FAULT_THROTTLED, 5000, 50, true), 5000, 5250);
    /* Without a Retry-after, or with one of zero, it backs off like any other fault. */
    assert_in_range(pause_after(GR_FAULT_THROTTLED, -1, 1, true), 250, 500);
    assert_in_range(pause_after(GR_FAULT_THROTTLED, 0, 1, true), 250, 500);
    /* An hour is more than a request may wait. */
    assert_int_equal(pause_after(GR_FAULT_THROTTLED, 3600000, 1, true), -1);
}

static void
what_was_waited_counts(void **state)
{
    struct gr_error err = {.fault = GR_FAULT_THROTTLED, .retry_after_ms = 60000};
    struct gr_retry_state waited = {.attempts = 20, .waited_ms = GR_RETRY_WAIT_MAX_MS - 1000};

    (void)state;
    assert_int_equal(gr_retry_pause_ms(&err, &waited, 0.0), -1);
}

static void
jitter_stays_within_half_of_the_pause(void **state)
{
    struct gr_error err = {.fault = GR_FAULT_REMOTE, .retry_after_ms = -1};
    struct gr_retry_state third = {.attempts = 3, .was_reached = true};

    (void)state;
    assert_int_equal(gr_retry_pause_ms(&err, &third, 0.0), 1000);
    assert_in_range(gr_retry_pause_ms(&err, &third, 0.999), 1990, 2000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_faults_that_may_pass_are_tried_again),
        cmocka_unit_test(pauses_grow_to_a_limit_and_attempts_end),
        cmocka_unit_test(a_429_waits_as_long_as_it_says),
        cmocka_unit_test(what_was_waited_counts),
        cmocka_unit_test(jitter_stays_within_half_of_the_pause),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
