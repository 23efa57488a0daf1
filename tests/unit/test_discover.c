/* layers: cli */
/* The list of endpoints in all its forms, and a plan as table and JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "cli_golden.h"
#include "gr/base/time.h"
#include "gr/cli/discover.h"
#include "gr/cli/plan_view.h"

static struct gr_schemas schemas;

static int
load(void **state)
{
    struct gr_error err = {0};

    (void)state;
    if (gr_schemas_load(NULL, &schemas, &err))
        return 0;
    print_message("%s\n", err.message);
    return 1;
}

static int
unload(void **state)
{
    (void)state;
    gr_schemas_free(&schemas);
    return 0;
}

static void
test_forms(void **state)
{
    static const struct {
        struct gr_discover ask;
        const char *golden;
    } cases[] = {
        {{NULL, "table", false, 120}, "discover.txt"},
        {{NULL, "table", false, 0}, "discover_wide.txt"},
        {{"t*", "table", false, 60}, "discover_narrow.txt"},
        {{"tags,account", "table", true, 120}, "discover_columns.txt"},
        {{NULL, "json", false, 0}, "discover.json"},
        {{"tags,account", "json", true, 0}, "discover_columns.json"},
        {{"t*", "yaml", false, 0}, "discover.yaml"},
        {{"tags,account", "yaml", true, 0}, "discover_columns.yaml"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gr_buf text = gr_buf_new(0);
        struct gr_error err;

        assert_true(gr_discover_put(&schemas, &cases[i].ask, &text, &err));
        assert_golden(&text, cases[i].golden);
        gr_buf_free(&text);
    }
}

/* One glob that matches does not excuse one that does not. */
static void
test_nothing_matches(void **state)
{
    static const struct {
        const char *streams;
        const char *message;
    } cases[] = {
        {"tickts", "no stream matches \"tickts\" (did you mean \"tickets\"?)"},
        {"tickets,x*", "no stream matches \"x*\""},
        {"Tickets", "no stream matches \"Tickets\" (did you mean \"tickets\"?)"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gr_discover ask = {.streams = cases[i].streams, .format = "table"};
        struct gr_buf text = gr_buf_new(0);
        struct gr_error err;

        assert_false(gr_discover_put(&schemas, &ask, &text, &err));
        assert_int_equal(err.fault, GR_FAULT_USAGE);
        assert_string_equal(err.message, cases[i].message);
        assert_non_null(strstr(err.hint, "account, custom_fields, customer_details, "));
        assert_non_null(strstr(err.hint, "widgets."));
        gr_buf_free(&text);
    }
}

/* A plan made by hand: every wording of FROM and NOTES. */
static void
test_plan(void **state)
{
    const struct gr_schema *tickets = gr_schemas_find(&schemas, "tickets");
    const struct gr_schema *messages = gr_schemas_find(&schemas, "ticket_messages");
    const struct gr_schema *tags = gr_schemas_find(&schemas, "tags");
    int64_t from_us, to_us;
    struct gr_plan_stream streams[] = {
        {.name = "tickets",
         .schema = tickets,
         .mode = GR_MODE_INCREMENTAL,
         .note = "",
         .table_schema = "gorgias",
         .table_name = "tickets",
         .column_count = 32,
         .ignored_count = 2},
        {.name = "ticket_messages",
         .schema = messages,
         .mode = GR_MODE_INCREMENTAL,
         .note = "",
         .table_schema = "gorgias",
         .table_name = "ticket_messages"},
        {.name = "tags",
         .schema = tags,
         .mode = GR_MODE_FULL_REFRESH,
         .note = "cannot be read incrementally: refreshed in full",
         .table_schema = "gorgias",
         .table_name = "tags",
         .limit_rows = 1000,
         .missing = GR_MISSING_HARD},
        {.name = "tickets",
         .schema = tickets,
         .mode = GR_MODE_BACKFILL,
         .note = "",
         .table_schema = "old",
         .table_name = "tickets",
         .has_range = true},
        {.name = "tickets",
         .schema = tickets,
         .mode = GR_MODE_SNAPSHOT,
         .note = "",
         .table_schema = "snap",
         .table_name = "tickets"},
        {.name = "tickets",
         .schema = tickets,
         .mode = GR_MODE_DEFINITION_ONLY,
         .note = "",
         .table_schema = "empty",
         .table_name = "tickets"},
    };
    const char *warnings[] = {"gorgias.yaml:3:1: key \"hooks\" has no meaning here"};
    struct gr_plan plan = {
        .file = "gorgias.yaml",
        .source = {.name = "GORGIAS", .base_url = "https://acme.gorgias.com"},
        .target = {.name = "WAREHOUSE", .shown = "db.example.com:5432/dwh"},
        .state_schema = "_gorgias_replicate",
        .streams = streams,
        .count = sizeof(streams) / sizeof(streams[0]),
        .warnings = warnings,
        .warning_count = 1,
        .threads = 4,
    };
    struct gr_buf text = gr_buf_new(0);

    (void)state;
    assert_true(gr_time_parse("2025-11-21", 10, &plan.source.anchor_us));
    assert_true(gr_time_parse("2024-01-01", 10, &from_us));
    assert_true(gr_time_parse("2024-02-01T10:30:00Z", 20, &to_us));
    streams[3].range_from_us = from_us;
    streams[3].range_to_us = to_us;
    gr_plan_view_put(&plan, &text);
    assert_golden(&text, "plan.txt");
    gr_buf_reset(&text);
    gr_plan_view_put_json(&plan, &text);
    assert_golden(&text, "plan.json");

    gr_buf_reset(&text);
    plan.source.anchor_us = GR_TIME_NONE;
    plan.count = 1;
    gr_plan_view_put(&plan, &text);
    assert_non_null(strstr(gr_buf_text(&text), "bookmark, else the beginning"));
    assert_non_null(strstr(gr_buf_text(&text), "gorgias.yaml is valid: 1 stream, GORGIAS"));
    gr_buf_free(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_nothing_matches),
        cmocka_unit_test(test_plan),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
