/* layers: source */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "gr/source/retry.h"

enum { ALLOWED_MS = 900000 };

static int64_t
pause_after(enum gr_fault fault, int64_t retry_after_ms, int attempts, bool was_reached)
{
    struct gr_error err = {.fault = fault, .retry_after_ms = retry_after_ms};
    struct gr_retry_state state = {
        .attempts = attempts, .was_reached = was_reached, .allowed_ms = ALLOWED_MS};

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

/* 503 may name a time as well; its attempts are counted all the same. */
static void
other_faults_wait_as_long_as_they_say(void **state)
{
    (void)state;
    assert_in_range(pause_after(GR_FAULT_REMOTE, 7000, 1, true), 7000, 7250);
    assert_int_equal(pause_after(GR_FAULT_REMOTE, 7000, GR_RETRY_ATTEMPTS, true), -1);
    assert_int_equal(pause_after(GR_FAULT_REMOTE, 3600000, 1, true), -1);
}

static void
retry_after_is_seconds_or_a_date(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"0", 0},
        {"5", 5000},
        {"3600", 3600000},
        {"99999999999999999999999", GR_RETRY_AFTER_MAX_MS},
        {"Thu, 26 Nov 2026 13:00:00 GMT", 3600000},
        {"Thu, 26 Nov 2026 12:00:00 GMT", 0},
        {"Wed, 25 Nov 2026 12:00:00 GMT", 0},
        {"Thu, 26 Nov 9026 12:00:00 GMT", GR_RETRY_AFTER_MAX_MS},
        {"", -1},
        {"soon", -1},
        {"-5", -1},
        {"5s", -1},
        {"1.5", -1},
        {"Thu, 26 Foo 2026 13:00:00 GMT", -1},
    };
    const int64_t noon_us = INT64_C(1795694400) * 1000000;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (gr_retry_after_ms(cases[i].text, noon_us) != cases[i].ms)
            fail_msg("%s: %lld", cases[i].text,
                     (long long)gr_retry_after_ms(cases[i].text, noon_us));
}

static void
giving_up_says_why(void **state)
{
    struct gr_retry_state spent = {.attempts = 8, .lost_ms = 60000, .allowed_ms = ALLOWED_MS};
    struct gr_error err;

    (void)state;
    (void)gr_fail(&err, GR_FAULT_REMOTE, "HTTP 502 from /api/tags");
    gr_retry_give_up(&err, &spent);
    assert_string_equal(err.message,
                        "HTTP 502 from /api/tags: given up after 8 attempts in 1m 00s");
    (void)gr_fail(&err, GR_FAULT_THROTTLED, "HTTP 429 from /api/tags");
    err.retry_after_ms = 3600000;
    gr_retry_give_up(&err, &spent);
    assert_string_equal(err.message, "HTTP 429 from /api/tags: it asks to wait 1h 00m, and "
                                     "timeout.retry allows 15m 00s for one request");
    /* What was never to be tried again is left as it is. */
    (void)gr_fail(&err, GR_FAULT_FORBIDDEN, "HTTP 403 from /api/tags");
    gr_retry_give_up(&err, &spent);
    assert_string_equal(err.message, "HTTP 403 from /api/tags");
}

static void
what_was_waited_counts(void **state)
{
    struct gr_error err = {.fault = GR_FAULT_THROTTLED, .retry_after_ms = 60000};
    struct gr_retry_state waited = {
        .attempts = 20, .lost_ms = ALLOWED_MS - 1000, .allowed_ms = ALLOWED_MS};

    (void)state;
    assert_int_equal(gr_retry_pause_ms(&err, &waited, 0.0), -1);
}

static void
jitter_stays_within_half_of_the_pause(void **state)
{
    struct gr_error err = {.fault = GR_FAULT_REMOTE, .retry_after_ms = -1};
    struct gr_retry_state third = {.attempts = 3, .was_reached = true, .allowed_ms = ALLOWED_MS};

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
        cmocka_unit_test(other_faults_wait_as_long_as_they_say),
        cmocka_unit_test(retry_after_is_seconds_or_a_date),
        cmocka_unit_test(giving_up_says_why),
        cmocka_unit_test(what_was_waited_counts),
        cmocka_unit_test(jitter_stays_within_half_of_the_pause),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
