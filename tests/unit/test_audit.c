/* layers: engine */
/* What an audit decides. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "gr/engine/audit.h"

static void
a_list_takes_a_request_for_each_page(void **state)
{
    (void)state;
    assert_int_equal(gr_audit_list_requests(0, 100, 1), 1);
    assert_int_equal(gr_audit_list_requests(100, 100, 1), 2);
    assert_int_equal(gr_audit_list_requests(101, 100, 1), 3);
    assert_int_equal(gr_audit_list_requests(10, 100, 4), 5);
    assert_int_equal(gr_audit_list_requests(7, 0, 1), 8); /* a schema without a limit */
}

/* The methods that are chosen, as letters. */
static void
check_choice(struct gr_audit_case *cases, size_t count, int64_t allowance, const char *expected)
{
    static const char letters[] = "?LIXN";
    char got[16] = "";

    gr_audit_choose(cases, count, allowance);
    for (size_t i = 0; i < count; i++)
        got[i] = letters[cases[i].method];
    assert_string_equal(got, expected);
}

static void
short_lists_come_first(void **state)
{
    const struct gr_audit_case all[] = {
        {.list_requests = 500},                  /* events: cannot be asked by id */
        {.list_requests = 200, .can_ask = true}, /* tickets                       */
        {.list_requests = 300, .can_ask = true}, /* messages                      */
        {.list_requests = 2},
        {.list_requests = 2, .method = GR_AUDIT_NO_CLAIM},
    };
    static const struct {
        int64_t allowance;
        const char *expected;
    } wants[] = {
        {2000, "LLLLN"}, {1002, "LLLLN"}, {1001, "XLLLN"}, {502, "XLLLN"}, {501, "XLILN"},
        {202, "XLILN"},  {201, "XIILN"},  {2, "XIILN"},    {1, "XIIXN"},   {0, "XIIXN"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
        struct gr_audit_case cases[5];

        for (size_t j = 0; j < 5; j++)
            cases[j] = all[j];
        check_choice(cases, 5, wants[i].allowance, wants[i].expected);
    }
}

static void
the_cheaper_way_settles_what_seems_gone(void **state)
{
    (void)state;
    assert_false(gr_audit_rereads(0, 0));
    assert_false(gr_audit_rereads(3, 3));
    assert_true(gr_audit_rereads(4, 3));
}

static void
only_what_is_proven_ends_with_0(void **state)
{
    (void)state;
    assert_int_equal(gr_audit_exit_code(false, false, true), 0);
    assert_int_equal(gr_audit_exit_code(false, false, false), 6);
    assert_int_equal(gr_audit_exit_code(false, true, true), 1);
    assert_int_equal(gr_audit_exit_code(false, true, false), 1);
    assert_int_equal(gr_audit_exit_code(true, false, false), 1);
    assert_int_equal(gr_audit_exit_code(true, false, true), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_takes_a_request_for_each_page),
        cmocka_unit_test(short_lists_come_first),
        cmocka_unit_test(the_cheaper_way_settles_what_seems_gone),
        cmocka_unit_test(only_what_is_proven_ends_with_0),
    };

    return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
