/* layers: source */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/time.h"
#include "gr/source/header.h"

static struct gr_http_response
untouched(void)
{
    return (struct gr_http_response){
        .date_us = GR_TIME_NONE, .retry_after_ms = -1, .used = -1, .limit = -1};
}

static struct gr_http_response
taken(const char *line)
{
    struct gr_http_response response = untouched();

    gr_header_take(line, strlen(line), &response);
    return response;
}

static void
names_are_read_in_any_letter_case_and_values_without_space(void **state)
{
    (void)state;
    assert_int_equal(taken("Retry-After: 5\r\n").retry_after_ms, 5000);
    assert_int_equal(taken("retry-after:5").retry_after_ms, 5000);
    assert_int_equal(taken("RETRY-AFTER: \t 5 \t \r\n").retry_after_ms, 5000);
    assert_int_equal(taken("Retry-After : 5\r\n").retry_after_ms, -1);
    assert_int_equal(taken("Retry-Afterwards: 5\r\n").retry_after_ms, -1);
    assert_int_equal(taken("X-Retry-After: 5\r\n").retry_after_ms, -1);
}

static void
a_pause_is_a_count_of_seconds(void **state)
{
    static const char *const bad[] = {
        "", "-1", "+1", "1.5", "5s", "1e3", "0x10", "99999999999", "9223372036854775808", "soon"};

    (void)state;
    assert_int_equal(taken("Retry-After: 0\r\n").retry_after_ms, 0);
    assert_int_equal(taken("Retry-After: 3600\r\n").retry_after_ms, 3600000);
    assert_int_equal(taken("Retry-After: 1000000000\r\n").retry_after_ms, 1000000000000);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        GR_CLEANUP(gr_free_var) char *line = NULL;
        struct gr_arena *arena = gr_arena_new();

        line = gr_strdup(gr_arena_printf(arena, "Retry-After: %s\r\n", bad[i]));
        gr_arena_free(arena);
        assert_int_equal(taken(line).retry_after_ms, -1);
    }
}

static void
the_call_limit_is_two_counts_or_nothing(void **state)
{
    static const char *const bad[] = {
        "x-gorgias-account-api-call-limit: 10\r\n",
        "x-gorgias-account-api-call-limit: 10/\r\n",
        "x-gorgias-account-api-call-limit: /40\r\n",
        "x-gorgias-account-api-call-limit: 10/0\r\n",
        "x-gorgias-account-api-call-limit: -1/40\r\n",
        "x-gorgias-account-api-call-limit: 10/40/2\r\n",
        "x-gorgias-account-api-call-limit: 10 / 40\r\n",
        "x-gorgias-account-api-call-limit: 10/99999999999999999999\r\n"};
    struct gr_http_response response = taken("X-Gorgias-Account-Api-Call-Limit: 10/40\r\n");

    (void)state;
    assert_int_equal(response.used, 10);
    assert_int_equal(response.limit, 40);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        response = taken(bad[i]);
        assert_int_equal(response.used, -1);
        assert_int_equal(response.limit, -1);
    }
}

static void
the_date_is_an_http_date(void **state)
{
    (void)state;
    assert_int_equal(taken("Date: Sat, 21 Nov 2026 06:50:24 GMT\r\n").date_us,
                     INT64_C(1795243824000000));
    assert_int_equal(taken("Date: 2026-11-21T06:50:24Z\r\n").date_us, GR_TIME_NONE);
    assert_int_equal(taken("Date: Sat, 31 Feb 2026 06:50:24 GMT\r\n").date_us, GR_TIME_NONE);
    assert_int_equal(taken("Date: Sat, 21 anF 2026 06:50:24 GMT\r\n").date_us, GR_TIME_NONE);
    assert_int_equal(taken("Date: Sat, 21 Nov 2026 06:50:24 CET\r\n").date_us, GR_TIME_NONE);
}

static void
the_last_location_counts_and_a_type_may_have_parameters(void **state)
{
    struct gr_http_response response = untouched();

    (void)state;
    gr_header_take("Location: /a\r\n", 14, &response);
    gr_header_take("location: https://b/c?d\r\n", 25, &response);
    assert_string_equal(response.location, "https://b/c?d");
    gr_free(response.location);
    assert_true(taken("Content-Type: text/HTML; charset=utf-8\r\n").is_html);
    assert_false(taken("Content-Type: application/json\r\n").is_html);
}

static void
what_is_no_value_is_passed_over(void **state)
{
    struct gr_http_response response = untouched();
    char line[4096];

    (void)state;
    gr_header_take("Retry-After: 5\0 6", 17, &response);
    assert_int_equal(response.retry_after_ms, -1);
    memset(line, 'x', sizeof(line));
    memcpy(line, "Location: ", 10);
    gr_header_take(line, sizeof(line), &response);
    assert_null(response.location);
    gr_header_take("Date", 4, &response);
    gr_header_take("", 0, &response);
    assert_int_equal(response.date_us, GR_TIME_NONE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read_in_any_letter_case_and_values_without_space),
        cmocka_unit_test(a_pause_is_a_count_of_seconds),
        cmocka_unit_test(the_call_limit_is_two_counts_or_nothing),
        cmocka_unit_test(the_date_is_an_http_date),
        cmocka_unit_test(the_last_location_counts_and_a_type_may_have_parameters),
        cmocka_unit_test(what_is_no_value_is_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
