/* layers: spec */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "gr/spec/names.h"
#include "gr/spec/object.h"

static void
test_plain_names(void **state)
{
    static const char longest[] = "a23456789_123456789_123456789_123456789_123456789_123456789_123";
    static const struct {
        const char *text;
        bool is_plain;
    } cases[] = {
        {"id", true},        {"_x1", true},   {"a_b_2", true}, {"", false},
        {"1a", false},       {"Abc", false},  {"a-b", false},  {"a b", false},
        {"\xc3\xa4", false}, {longest, true}, {"a.b", false},
    };
    char too_long[65] = "";

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(gr_name_is_plain(cases[i].text), cases[i].is_plain);
    assert_int_equal(strlen(longest), 63);
    memset(too_long, 'a', 64);
    assert_false(gr_name_is_plain(too_long));
    assert_true(gr_name_is_reserved("_hash"));
    assert_true(gr_name_is_reserved("_loaded_at"));
    assert_true(gr_name_is_reserved("_deleted_at"));
    assert_true(gr_name_is_reserved("_extra"));
    assert_false(gr_name_is_reserved("hash"));
}

static void
test_patterns(void **state)
{
    static const struct {
        const char *pattern;
        const char *text;
        bool matches;
    } cases[] = {
        {"*", "", true},
        {"*", "tickets", true},
        {"ticket*", "tickets", true},
        {"ticket*", "ticket", true},
        {"*s", "tickets", true},
        {"*_messages", "ticket_messages", true},
        {"t*t*s", "tickets", true},
        {"t*x*s", "tickets", false},
        {"tickets", "tickets", true},
        {"tickets", "ticket", false},
        {"ticket", "tickets", false},
        {"t?gs", "tags", true},
        {"t?gs", "tgs", false},
        {"[tu]*", "users", true},
        {"[!tu]*", "users", false},
        {"[a-c]x", "bx", true},
        {"[a-c]x", "dx", false},
        {"[", "[", false},
        {"", "", true},
        {"", "a", false},
        {"**a**", "bab", true},
        {"Tickets", "tickets", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (gr_name_matches(cases[i].pattern, cases[i].text) != cases[i].matches)
            fail_msg("pattern \"%s\" text \"%s\"", cases[i].pattern, cases[i].text);
}

/* Backtracking goes to the last star only, so this ends at once. */
static void
test_pattern_of_many_stars_ends(void **state)
{
    char text[5001];

    (void)state;
    memset(text, 'a', 5000);
    text[5000] = '\0';
    assert_false(gr_name_matches("a*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
}

static void
test_nearest(void **state)
{
    static const char *const known[] = {"paging", "mode", "object", "primary_key", "stream_name"};
    static const struct {
        const char *word;
        const char *nearest;
    } cases[] = {
        {"pagination", "paging"},
        {"mdoe", "mode"},
        {"Mode", "mode"},
        {"primry_key", "primary_key"},
        {"strean_name", "stream_name"},
        {"zzz", NULL},
        {"", NULL},
        {"objekt", "object"},
        {"x", NULL},
    };
    char huge[200] = "";

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *nearest = gr_name_nearest(cases[i].word, known, 5);

        if (cases[i].nearest == NULL)
            assert_null(nearest);
        else
            assert_string_equal(nearest, cases[i].nearest);
    }
    memset(huge, 'p', sizeof(huge) - 1);
    assert_null(gr_name_nearest(huge, known, 5));
}

static void
test_objects(void **state)
{
    static const struct {
        const char *text;
        const char *schema; /* NULL: one part */
        const char *table;
        const char *wrong;
    } cases[] = {
        {"gorgias.tickets", "gorgias", "tickets", NULL},
        {"tickets", NULL, "tickets", NULL},
        {"Gorgias.Tickets", "gorgias", "tickets", NULL},
        {"\"a b\".\"C\"", "a b", "C", NULL},
        {"\"a\"\"b\".c", "a\"b", "c", NULL},
        {"\"a.b\"", NULL, "a.b", NULL},
        {"", NULL, NULL, "a name is empty"},
        {"gorgias.", NULL, NULL, "a name is empty"},
        {".tickets", NULL, NULL, "a name is empty"},
        {"\"\"", NULL, NULL, "a name is empty"},
        {"a.b.c", NULL, NULL, "it must have two parts at most, schema and table"},
        {"\"a", NULL, NULL, "a quote is not closed"},
        {"\"a\"b", NULL, NULL, "a dot must stand between schema and table"},
        {"a-b", NULL, NULL, "a name must be of letters, digits and _, or stand in double quotes"},
        {"1a", NULL, NULL, "a name must begin with a letter or _, or stand in double quotes"},
        {"a;drop table b", NULL, NULL,
         "a name must be of letters, digits and _, or stand in double quotes"},
        {"a23456789_123456789_123456789_123456789_123456789_123456789_1234", NULL, NULL,
         "a name is longer than 63 bytes"},
    };
    struct gr_arena *arena = gr_arena_new();

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gr_object object = {.count = 0};
        const char *wrong = gr_object_parse(cases[i].text, arena, &object);

        if (cases[i].wrong != NULL) {
            assert_non_null(wrong);
            assert_string_equal(wrong, cases[i].wrong);
            continue;
        }
        assert_null(wrong);
        assert_string_equal(object.parts[object.count - 1], cases[i].table);
        assert_int_equal(object.count, cases[i].schema != NULL ? 2 : 1);
        if (cases[i].schema != NULL)
            assert_string_equal(object.parts[0], cases[i].schema);
    }
    gr_arena_free(arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_names),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_pattern_of_many_stars_ends),
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_objects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
