/* layers: engine */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "gr/base/time.h"
#include "gr/engine/page.h"

static const struct gr_column columns[] = {
    {.name = "id", .field = "id", .type = GR_TYPE_BIGINT, .is_key = true},
    {.name = "updated_datetime", .field = "updated_datetime", .type = GR_TYPE_TIMESTAMPTZ},
};
static const struct gr_schema schema = {.stream = "tickets",
                                        .walk = GR_WALK_NEWEST_FIRST,
                                        .cursor = "updated_datetime",
                                        .columns = columns,
                                        .column_count = 2,
                                        .key_count = 1};
static const struct gr_plan_stream stream = {.name = "tickets",
                                             .schema = &schema,
                                             .columns = columns,
                                             .column_count = 2,
                                             .key_count = 1,
                                             .cursor_column = 1,
                                             .range_from_us = GR_TIME_NONE,
                                             .range_to_us = GR_TIME_NONE};

struct fixture {
    struct gr_row_layout *layout;
    struct gr_buf rows;
    struct gr_rejects rejects;
    struct gr_tape tape;
    struct gr_page page;
    struct gr_error err;
};

static bool
take(struct fixture *fixture, const char *body)
{
    struct gr_page_sink sink = {.layout = fixture->layout,
                                .rows = &fixture->rows,
                                .rejects = &fixture->rejects,
                                .tape = &fixture->tape};

    gr_page_free(&fixture->page);
    return gr_page_list(body, strlen(body), &sink, &fixture->page, &fixture->err);
}

static int
set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.layout = gr_row_layout_new(&stream)};
    *state = &fixture;
    return 0;
}

static int
tear_down(void **state)
{
    struct fixture *fixture = *state;

    gr_row_layout_free(fixture->layout);
    gr_buf_free(&fixture->rows);
    gr_rejects_free(&fixture->rejects);
    gr_tape_free(&fixture->tape);
    gr_page_free(&fixture->page);
    return 0;
}

static void
a_list_gives_rows_and_facts(void **state)
{
    struct fixture *fixture = *state;
    const struct gr_page_facts *facts = &fixture->page.facts;

    assert_true(take(fixture,
                     "{\"object\": \"list\", \"data\": ["
                     "{\"id\": 7, \"updated_datetime\": \"2026-01-02T00:00:00+00:00\"},"
                     "{\"id\": 9, \"updated_datetime\": null},"
                     "{\"id\": 8, \"updated_datetime\": \"2026-01-01T00:00:00+00:00\"}],"
                     "\"meta\": {\"next_cursor\": \"a\\u002bb\", \"prev_cursor\": null}}"));
    assert_int_equal(facts->rows, 3);
    assert_int_equal(fixture->page.wanted, 3);
    assert_int_equal(fixture->page.tuples[1].key, 9);
    assert_string_equal(facts->next_cursor, "a+b");
    assert_true(facts->descends);
    assert_false(facts->ascends);
    assert_true(facts->first_us - facts->last_us == INT64_C(86400) * 1000000);
    assert_true(facts->max_us == facts->first_us);
    assert_true(fixture->rows.len > 0);
}

/* What the order proof is told of rows that share a value, null ones apart. */
static void
ties_are_told_by_their_ids(void **state)
{
    static const struct {
        int ids[3];
        bool rise, fall;
    } cases[] = {
        {{1, 2, 3}, true, false}, {{3, 2, 1}, false, true}, {{1, 3, 2}, true, true},
        {{2, 2, 1}, true, true},  {{2, 2, 3}, true, true},
    };
    struct fixture *fixture = *state;
    const struct gr_page_facts *facts = &fixture->page.facts;
    char body[512];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const int *ids = cases[i].ids;

        (void)snprintf(body, sizeof(body),
                       "{\"data\": [{\"id\": 9, \"updated_datetime\": \"2026-01-02T00:00:00Z\"},"
                       "{\"id\": %d, \"updated_datetime\": \"2026-01-01T00:00:00Z\"},"
                       "{\"id\": 5, \"updated_datetime\": null},"
                       "{\"id\": %d, \"updated_datetime\": \"2026-01-01T00:00:00Z\"},"
                       "{\"id\": %d, \"updated_datetime\": \"2026-01-01T00:00:00Z\"}],"
                       "\"meta\": {\"next_cursor\": null}}",
                       ids[0], ids[1], ids[2]);
        assert_true(take(fixture, body));
        assert_int_equal(facts->ids_rise, cases[i].rise);
        assert_int_equal(facts->ids_fall, cases[i].fall);
        assert_int_equal(facts->first_id, 9);
        assert_int_equal(facts->last_id, ids[2]);
    }
}

static void
the_end_is_named_by_null_empty_or_nothing(void **state)
{
    static const char *const ends[] = {
        "{\"data\": [], \"meta\": {\"next_cursor\": null}}",
        "{\"data\": [], \"meta\": {\"next_cursor\": \"\"}}",
        "{\"data\": [], \"meta\": {}}",
        "{\"meta\": {\"next_cursor\": null}, \"data\": []}",
        "[]",
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        assert_true(take(fixture, ends[i]));
        assert_null(fixture->page.facts.next_cursor);
        assert_int_equal(fixture->page.facts.rows, 0);
    }
}

static void
what_is_no_page_is_refused_whole(void **state)
{
    static const struct {
        const char *body;
        const char *message;
    } cases[] = {
        {"{\"data\": null, \"meta\": {\"next_cursor\": null}}", "the list's data is null"},
        {"{\"data\": {}, \"meta\": {}}", "the list's data is not an array"},
        {"{\"data\": [{\"id\": 1}]}", "the list has no meta: whether it ends here is unknown"},
        {"{\"meta\": {}}", "the body is not a list: it has no data"},
        {"{\"data\": [{\"id\": 1}], \"meta\": null}", "the list's meta is not an object"},
        {"{\"data\": [{\"id\": 1}], \"meta\": {\"next_cursor\": 5}}",
         "the list's next_cursor is not a text"},
        {"\"text\"", "the body is not a list"},
        {"{\"data\": [], \"data\": [{\"id\": 1}], \"meta\": {}}", "the list has data twice"},
        {"{\"data\": [], \"meta\": {}, \"meta\": {}}", "the list has meta twice"},
    };
    static const char *const broken[] = {"", "<html>", "{\"data\": [{\"id\": 1}",
                                         "{\"data\": [], \"meta\": {}} x"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_false(take(fixture, cases[i].body));
        assert_string_equal(fixture->err.message, cases[i].message);
        assert_int_equal(fixture->err.fault, GR_FAULT_PAYLOAD);
        assert_int_equal(fixture->rows.len, 0);
        assert_int_equal(fixture->rejects.count, 0);
    }
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        assert_false(take(fixture, broken[i]));
        assert_int_equal(fixture->err.fault, GR_FAULT_PAYLOAD);
        assert_memory_equal(fixture->err.message, "the body is not JSON", 20);
        assert_int_equal(fixture->rows.len, 0);
    }
}

/* What answers another request is no page, be it as good as it may. */
static void
what_was_not_asked_for_is_refused_whole(void **state)
{
    static const char two[] = "[{\"id\": 1}, {\"id\": 2}]";
    static const struct {
        const char *body, *asked;
        const char *message; /* NULL: it is a page */
    } cases[] = {
        {two, "/api/users?limit=3", NULL},
        {two, "/api/users?limit=1", NULL}, /* the whole list, whatever the limit */
        {two, "/api/users", NULL},
        {two, "/api/users?limit=2",
         "a bare array of just as many rows as were asked for: whether the list ends here is "
         "unknown"},
        {two, "/api/users?limit=3&cursor=x", "a bare array came as a list's further page"},
        {"{\"uri\": \"/api/users?cursor=y\", \"data\": [{\"id\": 1}], \"meta\": {}}",
         "/api/users?cursor=x", "the list answers another request: /api/users?cursor=y"},
        {"{\"data\": [{\"id\": 1}], \"meta\": {}, \"uri\": \"/api/users?cursor=x\"}",
         "/api/users?cursor=x", NULL},
        {"{\"data\": [{\"id\": 1}], \"meta\": {}, \"uri\": null}", "/api/users?cursor=x", NULL},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gr_page_sink sink = {.layout = fixture->layout,
                                    .rows = &fixture->rows,
                                    .rejects = &fixture->rejects,
                                    .asked = cases[i].asked};
        const char *body = cases[i].body;
        bool ok;

        gr_page_free(&fixture->page);
        gr_buf_reset(&fixture->rows);
        ok = gr_page_list(body, strlen(body), &sink, &fixture->page, &fixture->err);
        assert_int_equal(ok, cases[i].message == NULL);
        if (ok)
            continue;
        assert_string_equal(fixture->err.message, cases[i].message);
        assert_int_equal(fixture->rows.len, 0);
    }
}

static void
an_object_is_known_by_its_key(void **state)
{
    static const struct {
        const char *body;
        bool is_object;
    } cases[] = {
        {"{\"name\": \"x\", \"id\": 17, \"meta\": {\"id\": 3}}", true},
        {"{\"id\": 170}", false},
        {"{\"id\": 1}", false},
        {"{\"id\": \"17\"}", false},
        {"{\"meta\": {\"id\": 17}}", false},
        {"[{\"id\": 17}]", false},
        {"{}", false},
        {"", false},
        {"<html>", false},
        {"17", false},
        {"{\"id\": 17} x", false},
    };
    struct gr_error err;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (gr_page_is_object(cases[i].body, strlen(cases[i].body), "id", 17, &err) !=
            cases[i].is_object)
            fail_msg("%s", cases[i].body);
}

static void
an_object_without_its_key_is_kept_among_the_rejects(void **state)
{
    struct fixture *fixture = *state;

    assert_true(take(fixture, "{\"data\": [{\"id\": null}, {\"id\": 2}, 5], \"meta\": {}}"));
    assert_int_equal(fixture->page.facts.rows, 3);
    assert_int_equal(fixture->page.wanted, 1);
    assert_int_equal(fixture->page.refused, 2);
    assert_int_equal(fixture->rejects.count, 2);
}

static void
an_object_that_is_no_row_is_no_page(void **state)
{
    struct fixture *fixture = *state;
    struct gr_page_sink sink = {
        .layout = fixture->layout, .rows = &fixture->rows, .rejects = &fixture->rejects};
    static const char body[] = "{\"error\": {\"msg\": \"maintenance\"}}";

    assert_false(gr_page_object(body, sizeof(body) - 1, &sink, &fixture->page, &fixture->err));
    assert_string_equal(fixture->err.message, "the body is an object without its key");
    assert_int_equal(fixture->rejects.count, 0);
}

static void
rows_that_the_walk_does_not_want_leave_no_trace(void **state)
{
    struct fixture *fixture = *state;
    struct gr_walk walk;
    struct gr_page_sink sink = {.layout = fixture->layout,
                                .walk = &walk,
                                .rows = &fixture->rows,
                                .rejects = &fixture->rejects};
    static const char body[] = "{\"data\": [{\"id\": 1, \"updated_datetime\": "
                               "\"2020-01-01T00:00:00Z\", \"x\": \"\\u0000\"}],"
                               "\"meta\": {}}";
    int64_t anchor;

    assert_true(gr_time_parse("2021-01-01", 10, &anchor));
    gr_walk_begin(&walk, &stream, false, anchor, GR_TIME_NONE, NULL, 0);
    assert_true(gr_page_list(body, sizeof(body) - 1, &sink, &fixture->page, &fixture->err));
    assert_int_equal(fixture->page.facts.rows, 1);
    assert_int_equal(fixture->page.wanted, 0);
    assert_int_equal(fixture->rows.len, 0);
    assert_int_equal(fixture->rejects.count, 0);
    assert_true(fixture->page.facts.last_us < anchor);
    gr_walk_free(&walk);
}

/* What the sink is told before rows are read. */
struct foreseen {
    int calls;
    char cursor[32];
    int64_t last_us;
    size_t rows_len; /* of the rows at that time */
    const struct gr_buf *rows;
};

static void
on_foreseen(void *context, const char *next_cursor, int64_t last_us)
{
    struct foreseen *foreseen = context;

    foreseen->calls++;
    (void)snprintf(foreseen->cursor, sizeof(foreseen->cursor), "%s", next_cursor);
    foreseen->last_us = last_us;
    foreseen->rows_len = foreseen->rows->len;
}

static struct foreseen
foresee(struct fixture *fixture, const char *body, struct gr_tape *tape, const char *field)
{
    struct foreseen foreseen = {.rows = &fixture->rows};
    struct gr_page_sink sink = {.layout = fixture->layout,
                                .rows = &fixture->rows,
                                .rejects = &fixture->rejects,
                                .tape = tape,
                                .foresee = on_foreseen,
                                .cursor_field = field,
                                .context = &foreseen};

    gr_page_free(&fixture->page);
    gr_buf_reset(&fixture->rows);
    (void)gr_page_list(body, strlen(body), &sink, &fixture->page, &fixture->err);
    return foreseen;
}

#define FIRST_ROW "{\"id\": 7, \"updated_datetime\": \"2026-01-02T00:00:00Z\"}"
#define NEXT      "\"meta\": {\"next_cursor\": \"a\\u002bb\"}"

static void
the_end_of_a_page_is_told_before_its_rows_are_read(void **state)
{
    struct fixture *fixture = *state;
    struct foreseen foreseen =
        foresee(fixture,
                "{" NEXT ", \"data\": [" FIRST_ROW
                ", {\"updated_datetime\": \"2026-01-01T00:00:00Z\", \"id\": 8}]}",
                &fixture->tape, "updated_datetime");

    assert_int_equal(foreseen.calls, 1);
    assert_string_equal(foreseen.cursor, "a+b");
    assert_true(foreseen.last_us == fixture->page.facts.last_us);
    assert_true(foreseen.last_us < fixture->page.facts.first_us);
    assert_int_equal(foreseen.rows_len, 0);
    assert_true(fixture->rows.len > 0);
}

static void
what_a_page_does_not_tell_is_not_foreseen(void **state)
{
    static const char *const silent[] = {
        "[" FIRST_ROW "]",
        "{\"data\": [" FIRST_ROW "], \"meta\": {\"next_cursor\": null}}",
        "{\"data\": [" FIRST_ROW "], \"meta\": {\"next_cursor\": 7}}",
        "{\"data\": [" FIRST_ROW "]}",
        "{\"data\": 3, " NEXT "}",
        "{" NEXT "}",
        "{\"data\": [" FIRST_ROW "], " NEXT,
    };
    static const char *const valueless[] = {
        "{\"data\": [], " NEXT "}",
        "{\"data\": [" FIRST_ROW ", {\"id\": 8, \"updated_datetime\": null}], " NEXT "}",
        "{\"data\": [" FIRST_ROW ", {\"id\": 8, \"updated_datetime\": \"soon\"}], " NEXT "}",
        "{\"data\": [" FIRST_ROW ", {\"id\": 8}], " NEXT "}",
        "{\"data\": [" FIRST_ROW ", 8], " NEXT "}",
    };
    struct fixture *fixture = *state;
    struct foreseen foreseen;

    for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
        assert_int_equal(foresee(fixture, silent[i], &fixture->tape, "updated_datetime").calls, 0);
    for (size_t i = 0; i < sizeof(valueless) / sizeof(valueless[0]); i++) {
        foreseen = foresee(fixture, valueless[i], &fixture->tape, "updated_datetime");
        assert_int_equal(foreseen.calls, 1);
        assert_true(foreseen.last_us == GR_TIME_NONE);
    }
    foreseen = foresee(fixture, "{\"data\": [" FIRST_ROW "], " NEXT "}", &fixture->tape, NULL);
    assert_int_equal(foreseen.calls, 1);
    assert_true(foreseen.last_us == GR_TIME_NONE);
    /* Without a tape all would have to be read twice. */
    assert_int_equal(
        foresee(fixture, "{\"data\": [" FIRST_ROW "], " NEXT "}", NULL, "updated_datetime").calls,
        0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_list_gives_rows_and_facts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ties_are_told_by_their_ids, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_end_is_named_by_null_empty_or_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_page_is_refused_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_not_asked_for_is_refused_whole, set_up, tear_down),
        cmocka_unit_test(an_object_is_known_by_its_key),
        cmocka_unit_test_setup_teardown(an_object_without_its_key_is_kept_among_the_rejects, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(an_object_that_is_no_row_is_no_page, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_that_the_walk_does_not_want_leave_no_trace, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_end_of_a_page_is_told_before_its_rows_are_read, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_a_page_does_not_tell_is_not_foreseen, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
