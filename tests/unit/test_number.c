/* layers: codec */
/* test_number.c - numbers as int64_t, double, and PostgreSQL's numeric. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gr/base/buf.h"
#include "gr/codec/number.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
converts_whole_numbers(void **state)
{
    static const struct {
        const char *text;
        enum gr_number_fit fit;
        int64_t value;
    } cases[] = {
        {"0", GR_NUMBER_FITS, 0},
        {"-0", GR_NUMBER_FITS, 0},
        {"-0.0e7", GR_NUMBER_FITS, 0},
        {"0e999999999999999999999999", GR_NUMBER_FITS, 0},
        {"0e-999999999999999999999999", GR_NUMBER_FITS, 0},
        {"100", GR_NUMBER_FITS, 100},
        {"-7", GR_NUMBER_FITS, -7},
        {"5.0", GR_NUMBER_FITS, 5},
        {"1e2", GR_NUMBER_FITS, 100},
        {"1E+2", GR_NUMBER_FITS, 100},
        {"1.50e1", GR_NUMBER_FITS, 15},
        {"100e-2", GR_NUMBER_FITS, 1},
        {"0.001e3", GR_NUMBER_FITS, 1},
        {"12.50", GR_NUMBER_NOT_WHOLE, 0},
        {"1e-1", GR_NUMBER_NOT_WHOLE, 0},
        {"1e-99999999999999999999", GR_NUMBER_NOT_WHOLE, 0},
        {"999999999999999999", GR_NUMBER_FITS, INT64_C(999999999999999999)},
        {"-999999999999999999", GR_NUMBER_FITS, INT64_C(-999999999999999999)},
        {"9007199254740993", GR_NUMBER_FITS, INT64_C(9007199254740993)},
        {"9223372036854775807", GR_NUMBER_FITS, INT64_MAX},
        {"9223372036854775807.000", GR_NUMBER_FITS, INT64_MAX},
        {"922337203685477580.7e1", GR_NUMBER_FITS, INT64_MAX},
        {"9223372036854775808", GR_NUMBER_BEYOND, 0},
        {"-9223372036854775808", GR_NUMBER_FITS, INT64_MIN},
        {"-9223372036854775809", GR_NUMBER_BEYOND, 0},
        {"18446744073709551616", GR_NUMBER_BEYOND, 0},
        {"99999999999999999999", GR_NUMBER_BEYOND, 0},
        {"1e18", GR_NUMBER_FITS, INT64_C(1000000000000000000)},
        {"9e18", GR_NUMBER_FITS, INT64_C(9000000000000000000)},
        {"92e17", GR_NUMBER_FITS, INT64_C(9200000000000000000)},
        {"93e17", GR_NUMBER_BEYOND, 0},
        {"1e19", GR_NUMBER_BEYOND, 0},
        {"2e19", GR_NUMBER_BEYOND, 0},
        {"1e400", GR_NUMBER_BEYOND, 0},
        {"1.5e99999999999999999999", GR_NUMBER_BEYOND, 0},
        {"12345678901234567890.5", GR_NUMBER_NOT_WHOLE, 0},
        {"0.00000000000000000000000000001", GR_NUMBER_NOT_WHOLE, 0},
        {"1000000000000000000000000e-24", GR_NUMBER_FITS, 1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t value = 0;
        enum gr_number_fit fit = gr_number_int64(cases[i].text, strlen(cases[i].text), &value);

        if (fit != cases[i].fit || value != cases[i].value)
            fail_msg("%s: %d, %lld", cases[i].text, (int)fit, (long long)value);
    }
}

/* strtod is the measure of all doubles; bit by bit, so that -0 is not 0. */
static void
converts_doubles_like_strtod(void **state)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "0.0",
        "-0.0e5",
        "1",
        "-1.5",
        "0.1",
        "0.2",
        "42.5",
        "1.5e-07",
        "1000000000000.0",
        "9007199254740992",
        "9007199254740993",
        "9007199254740994.5",
        "1e22",
        "1e23",
        "123e22",
        "8.5e-22",
        "1e-22",
        "1e-23",
        "1.7976931348623157e308",
        "2.2250738585072014e-308",
        "5e-324",
        "3e-324",
        "12345678901234567890",
        "0.30000000000000004",
        "179769313486231570000000000000000000000000000000000000000000000000000000000000000000000",
        "0.000000000000000000000000000000000000000000000000000000000000000000000000000000000001",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        double value = 0;
        double wanted = strtod(texts[i], NULL);

        assert_true(gr_number_double(texts[i], strlen(texts[i]), &value));
        assert_memory_equal(&value, &wanted, sizeof(value));
    }
}

static void
refuses_what_no_double_is_near(void **state)
{
    static const char *const texts[] = {"1e309", "-1e309", "1e-400", "-1e-400", "1e99999999999999"};
    double value = 7;

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++)
        assert_false(gr_number_double(texts[i], strlen(texts[i]), &value));
    assert_true(fabs(value - 7) < 1e-9);
}

/* Checked against PostgreSQL 15: select ('[' || text || ']')::jsonb. */
static void
knows_what_numeric_holds(void **state)
{
    static const struct {
        const char *text;
        bool is_numeric;
    } cases[] = {
        {"1e131071", true},
        {"1e131072", false},
        {"-9.9e131071", true},
        {"99e131070", true},
        {"99e131071", false},
        {"0.001e131074", true},
        {"0.001e131075", false},
        {"1e-16383", true},
        {"1e-16384", false},
        {"1.5e-16382", true},
        {"1.5e-16383", false},
        {"1.50e-16382", false},
        {"0e131072", true},
        {"0e1073741822", true},
        {"0e1073741823", false},
        {"0e99999999999999999999", false},
        {"0e-16383", true},
        {"0e-16384", false},
        {"0.0e-16383", false},
        {"0.0e1073741822", true},
        {"1e-1073741823", false},
        {"1e-99999999999999999999", false},
        {"1e99999999999999999999", false},
        {"0.0", true},
        {"12345.678", true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        if (gr_number_is_numeric(cases[i].text, strlen(cases[i].text)) != cases[i].is_numeric)
            fail_msg("%s", cases[i].text);
}

static void
counts_the_digits_of_long_numbers(void **state)
{
    static const struct {
        size_t whole;
        size_t fraction;
        bool is_numeric;
    } cases[] = {
        {131072, 0, true}, {131073, 0, false},    {1, 16383, true},
        {1, 16384, false}, {131072, 16383, true}, {131072, 16384, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);

        for (size_t d = 0; d < cases[i].whole; d++)
            gr_buf_putc(&text, '9');
        gr_buf_putc(&text, '.');
        for (size_t d = 0; d < cases[i].fraction; d++)
            gr_buf_putc(&text, '1');
        text.len -= cases[i].fraction == 0 ? 1 : 0;
        assert_int_equal(gr_number_is_numeric(gr_buf_text(&text), text.len), cases[i].is_numeric);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(converts_whole_numbers),
        cmocka_unit_test(converts_doubles_like_strtod),
        cmocka_unit_test(refuses_what_no_double_is_near),
        cmocka_unit_test(knows_what_numeric_holds),
        cmocka_unit_test(counts_the_digits_of_long_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
