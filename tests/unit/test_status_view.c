/* layers: cli */
/* How a replication stands: verdicts, table and JSON; and what a dry run says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "cli_golden.h"
#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/cli/dry_run_view.h"
#include "gr/cli/status_view.h"

#define NOW_US     INT64_C(1795244400000000)
#define MINUTES(n) ((n)*INT64_C(60000000))

static const struct gr_schema newest = {.stream = "tickets",
                                        .path = "/api/tickets",
                                        .walk = GR_WALK_NEWEST_FIRST,
                                        .ask = GR_ASK_IDS,
                                        .page_limit = 100};
static const struct gr_schema child = {.stream = "ticket_messages",
                                       .path = "/api/messages",
                                       .walk = GR_WALK_NEWEST_FIRST,
                                       .ask = GR_ASK_PARENT,
                                       .parent = "tickets",
                                       .page_limit = 100};
static const struct gr_schema whole = {
    .stream = "tags", .path = "/api/tags", .walk = GR_WALK_FULL, .page_limit = 100};

static const struct gr_plan_stream planned[] = {
    {.name = "tickets",
     .schema = &newest,
     .note = "",
     .table_schema = "gorgias",
     .table_name = "tickets"},
    {.name = "ticket_messages",
     .schema = &child,
     .note = "",
     .table_schema = "gorgias",
     .table_name = "ticket_messages"},
    {.name = "tags",
     .schema = &whole,
     .mode = GR_MODE_FULL_REFRESH,
     .note = "",
     .table_schema = "gorgias",
     .table_name = "tags"},
    {.name = "users",
     .schema = &whole,
     .mode = GR_MODE_FULL_REFRESH,
     .note = "",
     .table_schema = "gorgias",
     .table_name = "users"},
};
enum { PLANNED = sizeof(planned) / sizeof(planned[0]) };

static const struct gr_plan plan = {
    .file = "f.yaml",
    .source = {.name = "GORGIAS",
               .base_url = "https://demo.gorgias.com",
               .anchor_us = NOW_US - MINUTES(525600),
               .rate = {.requests = 40, .per_ms = 20000, .share = 0.8}},
    .target = {.name = "WAREHOUSE", .shown = "db:5432/dw"},
    .state_schema = "_gorgias_replicate",
    .streams = planned,
    .count = PLANNED,
};

/* A stream that ran well two minutes ago. */
static struct gr_overview_stream
well(size_t i)
{
    return (struct gr_overview_stream){.plan = &planned[i],
                                       .object = planned[i].name,
                                       .stream = planned[i].name,
                                       .is_known = true,
                                       .bookmark_us = NOW_US - MINUTES(5),
                                       .clock_us = NOW_US - MINUTES(3),
                                       .completed_us = NOW_US - MINUTES(2),
                                       .run_id = 12,
                                       .status = "succeeded",
                                       .mode = "incremental",
                                       .started_us = NOW_US - MINUTES(3),
                                       .ended_us = NOW_US - MINUTES(2),
                                       .rows_read = 1234,
                                       .requests = 13,
                                       .queue_since_us = GR_TIME_NONE,
                                       .audited_us = GR_TIME_NONE};
}

static void
assert_verdict(const struct gr_overview_stream *stream, enum gr_verdict wanted)
{
    assert_string_equal(gr_verdict_facts(gr_overview_verdict(stream))->name,
                        gr_verdict_facts(wanted)->name);
}

static void
test_verdicts(void **state)
{
    struct gr_overview_stream stream = well(0);

    (void)state;
    assert_verdict(&stream, GR_VERDICT_OK);
    stream.audit_gone = 1;
    assert_verdict(&stream, GR_VERDICT_GAPS);
    stream.completed_us = GR_TIME_NONE;
    assert_verdict(&stream, GR_VERDICT_UNFINISHED);
    stream.mode = "backfill"; /* which claims nothing */
    stream.audit_gone = 0;
    assert_verdict(&stream, GR_VERDICT_OK);
    stream.status = "stopped";
    assert_verdict(&stream, GR_VERDICT_STOPPED);
    stream.status = "lost";
    assert_verdict(&stream, GR_VERDICT_LOST);
    stream.status = "running";
    assert_verdict(&stream, GR_VERDICT_RUNNING);
    stream.status = "failed";
    assert_verdict(&stream, GR_VERDICT_FAILED);
    stream.run_id = 0;
    assert_verdict(&stream, GR_VERDICT_NEVER);
    stream.plan = NULL;
    assert_verdict(&stream, GR_VERDICT_ABSENT);
}

/* What an interrupted walk has seen later proves nothing. */
static void
test_as_of(void **state)
{
    struct gr_overview_stream stream = well(0);

    (void)state;
    assert_int_equal(gr_overview_as_of(&stream), NOW_US - MINUTES(3));
    stream.clock_us = NOW_US - MINUTES(1);
    assert_int_equal(gr_overview_as_of(&stream), NOW_US - MINUTES(2));
    stream.clock_us = GR_TIME_NONE;
    assert_int_equal(gr_overview_as_of(&stream), NOW_US - MINUTES(2));
    stream.completed_us = GR_TIME_NONE;
    stream.clock_us = NOW_US;
    assert_int_equal(gr_overview_as_of(&stream), GR_TIME_NONE);
}

enum { STATES = PLANNED + 3 }; /* with those of other files */

/* A stream that is made of another's reads no rows of its own, and is not without any for that. */
static void
test_rows(void **state)
{
    const struct gr_schema schema = {.stream = "values", .made_from = "tickets"};
    const struct gr_plan_stream made = {.name = "values", .schema = &schema};
    struct gr_overview_stream stream = well(0);

    (void)state;
    stream.inserted = 5;
    stream.unchanged = 300;
    stream.updated = 70;
    stream.deleted = 9;
    assert_int_equal(gr_overview_rows(&stream), 1234);
    stream.plan = NULL;
    assert_int_equal(gr_overview_rows(&stream), 1234);
    stream.plan = &made;
    stream.rows_read = 0;
    assert_int_equal(gr_overview_rows(&stream), 375);
}

/* Everything that can be said, once. */
static struct gr_overview
eventful(struct gr_overview_stream *streams)
{
    streams[0] = well(0);
    streams[0].walk =
        "{\"span\": {\"hi\": \"2026-11-21T06:00:00Z\", \"lo\": \"2026-11-20T06:00:00Z\","
        " \"clock\": \"2026-11-21T06:00:00Z\", \"cursor\": \"x\"}}";
    streams[0].status = "stopped";
    streams[1] = well(1);
    streams[1].queue = 3600;
    streams[1].queue_since_us = NOW_US - MINUTES(90);
    streams[1].rejected_values = 2;
    streams[1].audit_run_id = 11;
    streams[1].audited_us = NOW_US - MINUTES(3000);
    streams[1].audit_missing = 1;
    streams[2] = well(2);
    streams[2].status = "failed";
    streams[2].error = "HTTP 403 from /api/tags";
    streams[2].hint = "Use another key.";
    streams[2].bookmark_us = GR_TIME_NONE;
    streams[2].field_count = 2;
    streams[2].fields = "mood, colour";
    streams[2].field_list = "[\"mood\", \"colour\"]";
    streams[3] = (struct gr_overview_stream){.plan = &planned[3],
                                             .object = "users",
                                             .stream = "users",
                                             .bookmark_us = GR_TIME_NONE,
                                             .clock_us = GR_TIME_NONE,
                                             .completed_us = GR_TIME_NONE,
                                             .started_us = GR_TIME_NONE,
                                             .ended_us = GR_TIME_NONE,
                                             .queue_since_us = GR_TIME_NONE,
                                             .audited_us = GR_TIME_NONE};
    streams[4] = well(2);
    streams[4].plan = NULL;
    streams[4].object = "gorgias.macros";
    streams[4].stream = "macros";
    streams[4].file = "old.yaml";
    streams[5] = streams[4];
    streams[5].object = "gorgias.jobs";
    streams[5].stream = "jobs";
    streams[6] = streams[4];
    streams[6].object = "acme.tags";
    streams[6].stream = "tags";
    streams[6].file = "acme.yaml";
    return (struct gr_overview){.has_state = true,
                                .now_us = NOW_US,
                                .run = {.run_id = 12,
                                        .status = "partial",
                                        .file = "f.yaml",
                                        .host = "etl",
                                        .pid = 4711,
                                        .version = "0.1.0",
                                        .exit_code = 1,
                                        .started_us = NOW_US - MINUTES(3),
                                        .ended_us = NOW_US - MINUTES(2),
                                        .requests = 1040,
                                        .throttled = 1},
                                .has_budget = true,
                                .budget_used = 11.6,
                                .budget_requests = 40,
                                .budget_per_ms = 20000,
                                .streams = streams,
                                .count = STATES,
                                .in_file = PLANNED};
}

static void
test_status(void **state)
{
    struct gr_overview_stream streams[STATES];
    struct gr_overview overview = eventful(streams);
    struct gr_buf text = gr_buf_new(0);

    (void)state;
    gr_status_view_put(&plan, &overview, 0, &text);
    assert_golden(&text, "status.txt");
    gr_buf_reset(&text);
    gr_status_view_put_json(&plan, &overview, &text);
    assert_golden(&text, "status.json");
    gr_buf_free(&text);
}

/* `status` counts as ill what somebody has to look at: not what is under way, or of another file.
 */
static void
test_what_needs_a_look(void **state)
{
    static const bool needs[GR_VERDICT_COUNT] = {
        [GR_VERDICT_NEVER] = true,   [GR_VERDICT_FAILED] = true,     [GR_VERDICT_LOST] = true,
        [GR_VERDICT_STOPPED] = true, [GR_VERDICT_UNFINISHED] = true, [GR_VERDICT_GAPS] = true,
        [GR_VERDICT_ABSENT] = true,
    };

    (void)state;
    for (int i = 0; i < GR_VERDICT_COUNT; i++)
        assert_int_equal(gr_verdict_facts((enum gr_verdict)i)->is_wrong, needs[i]);
}

/* What `eventful` has not: a run that was killed, one that could not begin, an audit under way. */
static void
test_status_of_an_ill_run(void **state)
{
    struct gr_overview_stream streams[STATES];
    struct gr_overview overview = eventful(streams);
    struct gr_buf text = gr_buf_new(0);

    (void)state;
    gr_log_secret("hunter2hunter2");
    streams[0] = well(0);
    streams[0].status = "lost";
    streams[1] = well(1);
    streams[1].completed_us = GR_TIME_NONE;
    streams[2] = well(2);
    streams[2].status = "running";
    streams[2].ended_us = GR_TIME_NONE;
    streams[2].audit_run_id = 11;
    streams[2].audited_us = NOW_US - MINUTES(30);
    streams[2].audit = "{}";
    streams[3] = well(3);
    streams[3].status = "failed";
    streams[3].error = "the password hunter2hunter2 is wrong";
    streams[3].hint = "Not hunter2hunter2.";
    overview.run.error = "PostgreSQL at db:5432/dw: no hunter2hunter2 here";
    overview.run.hint = "Use another one.";
    overview.count = PLANNED;
    gr_status_view_put(&plan, &overview, 0, &text);
    assert_golden(&text, "status_ill.txt");
    gr_log_forget();
    gr_buf_free(&text);
}

static void
test_dry_run(void **state)
{
    struct gr_overview_stream states[STATES];
    struct gr_forecast_stream streams[PLANNED] = {
        {.estimate = {12, GR_BASIS_RUNS}, .from_us = NOW_US - MINUTES(5)},
        {.estimate = {3613, GR_BASIS_RUNS}, .from_us = NOW_US - MINUTES(5)},
        {.estimate = {0, GR_BASIS_NOTHING}, .from_us = GR_TIME_NONE, .is_fresh = true},
        {.estimate = {-1, GR_BASIS_UNKNOWN}, .from_us = GR_TIME_NONE},
    };
    struct gr_forecast forecast = {.overview = eventful(states),
                                   .rate = plan.source.rate,
                                   .streams = streams,
                                   .count = PLANNED,
                                   .requests = 3625,
                                   .unknown = 1,
                                   .ms = 2249375,
                                   .asked = "users"};
    struct gr_buf text = gr_buf_new(0);

    (void)state;
    for (size_t i = 0; i < PLANNED; i++) {
        streams[i].plan = &planned[i];
        streams[i].state = &states[i];
    }
    gr_dry_run_view_put(&plan, &forecast, &text);
    assert_golden(&text, "dry_run.txt");
    gr_buf_reset(&text);
    gr_dry_run_view_put_json(&plan, &forecast, &text);
    assert_golden(&text, "dry_run.json");
    gr_buf_free(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
        cmocka_unit_test(test_as_of),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_what_needs_a_look),
        cmocka_unit_test(test_status_of_an_ill_run),
        cmocka_unit_test(test_dry_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
