/* layers: cli */
/* What an audit came to: table and JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "cli_golden.h"
#include "gr/cli/audit_view.h"

static const struct gr_run_facts facts = {
    .file = "replications/gorgias.yaml",
    .source = "GORGIAS",
    .target = "WAREHOUSE",
    .started_us = INT64_C(1795244400000000),
};

enum { MANY = 23 };

/* Every result once. */
static struct gr_stream_report streams[] = {
    {.name = "tickets",
     .status = GR_STATUS_SUCCEEDED,
     .requests = 12,
     .audit = {.method = GR_AUDIT_LIST,
               .is_over = true,
               .totals = {.checked = 1100, .not_due = 3}}},
    {.name = "tags",
     .status = GR_STATUS_SUCCEEDED,
     .requests = 3,
     .audit = {.method = GR_AUDIT_LIST, .is_over = true, .totals = {.checked = 30, .changed = 1}}},
    {.name = "ticket_messages",
     .status = GR_STATUS_STOPPED,
     .requests = 900,
     .audit = {.method = GR_AUDIT_IDS, .totals = {.checked = 5000}}},
    {.name = "customers",
     .status = GR_STATUS_STOPPED,
     .requests = 5,
     .audit = {.method = GR_AUDIT_IDS}},
    {.name = "events",
     .status = GR_STATUS_SUCCEEDED,
     .audit = {.method = GR_AUDIT_NEITHER, .list_requests = 9001}},
    {.name = "users", .status = GR_STATUS_SUCCEEDED, .audit = {.method = GR_AUDIT_NO_CLAIM}},
    {.name = "teams",
     .status = GR_STATUS_FAILED,
     .requests = 1,
     .error = {.fault = GR_FAULT_FORBIDDEN, .message = "HTTP 403 from /api/teams"},
     .audit = {.method = GR_AUDIT_LIST}},
    {.name = "views",
     .status = GR_STATUS_SUCCEEDED,
     .requests = 1,
     .audit = {.method = GR_AUDIT_LIST, .is_over = true}},
    {.name = "satisfaction_surveys",
     .status = GR_STATUS_SUCCEEDED,
     .requests = 9,
     .audit = {.method = GR_AUDIT_IDS, .is_over = true, .totals = {.checked = 9}}},
};
enum { COUNT = sizeof(streams) / sizeof(streams[0]) };

static char numbers[MANY][4];
static char *keys[MANY];
static struct gr_plan_stream planned[COUNT];

static struct gr_run_report
report_of(void)
{
    for (size_t i = 0; i < COUNT; i++) {
        streams[i].note = "";
        streams[i].object = "gorgias.x";
    }
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(numbers[i], sizeof(numbers[i]), "%d", i + 1);
        keys[i] = numbers[i];
    }
    planned[1].missing = GR_MISSING_HARD;
    streams[0].audit.totals.missing_keys = streams[1].audit.totals.gone_keys = keys;
    streams[2].audit.totals.gone_keys = keys;
    streams[0].audit.totals.missing = MANY;
    streams[1].audit.totals.gone = 2;
    streams[2].audit.totals.gone = 1;
    return (struct gr_run_report){.run_id = 17,
                                  .streams = streams,
                                  .count = COUNT,
                                  .started_ms = 1000,
                                  .now_ms = 63000,
                                  .requests = 922,
                                  .exit_code = 1};
}

static void
prints_a_table_and_the_gaps(void **state)
{
    struct gr_run_report report = report_of();
    struct gr_plan plan = {.streams = planned, .count = COUNT};
    struct gr_buf text = gr_buf_new(0);

    (void)state;
    gr_audit_view_put(&plan, &report, &facts, &text);
    assert_golden(&text, "audit.txt");
    gr_buf_free(&text);
}

static void
prints_json_with_all_gaps(void **state)
{
    struct gr_run_report report = report_of();
    struct gr_buf text = gr_buf_new(0);

    (void)state;
    gr_audit_view_put_json(&report, &facts, &text);
    assert_golden(&text, "audit.json");
    gr_buf_free(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_a_table_and_the_gaps),
        cmocka_unit_test(prints_json_with_all_gaps),
    };

    return cmocka_run_group_tests_name("audit_view", tests, NULL, NULL);
}
