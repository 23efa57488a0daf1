/* layers: cli */
/* The report: text that is hostile, what its first line says, and the whole page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "cli_golden.h"
#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/cli/html.h"
#include "gr/cli/report_page.h"

#define NOW_US     INT64_C(1795244400000000)
#define MINUTES(n) ((n)*INT64_C(60000000))
#define HOSTILE    "<script>alert(1)</script>\"'&><img src=x onerror=alert(2)>"

static const struct gr_schema newest = {.stream = "tickets", .ask = GR_ASK_IDS};
static const struct gr_schema child = {.stream = "ticket_messages", .ask = GR_ASK_PARENT};
static const struct gr_schema whole = {.stream = "tags", .ask = GR_ASK_NONE};

#define STREAM(called, of)                                                                         \
    {                                                                                              \
        .name = (called), .schema = &(of), .mode = GR_MODE_INCREMENTAL, .note = "",                \
        .table_schema = "gorgias", .table_name = (called)                                          \
    }
static const struct gr_plan_stream planned[] = {
    STREAM("tickets", newest),   STREAM("ticket_messages", child),
    STREAM("customers", newest), STREAM("satisfaction_surveys", newest),
    STREAM("tags", whole),       STREAM("users", whole),
    STREAM(HOSTILE, whole),      STREAM("macros", whole),
};
enum { PLANNED = sizeof(planned) / sizeof(planned[0]), RUNS = 12 };

static const struct gr_plan plan = {
    .file = "gorgias.yaml",
    .source = {.name = "GORGIAS",
               .base_url = "https://demo.gorgias.com",
               .rate = {.requests = 40, .per_ms = 20000, .share = 0.8}},
    .target = {.name = "WAREHOUSE", .shown = "db:5432/dw"},
    .state_schema = "_gorgias_replicate",
    .streams = planned,
    .count = PLANNED,
};

/* A stream that ran well. */
static struct gr_overview_stream
well(size_t i, int64_t age_us)
{
    return (struct gr_overview_stream){.plan = &planned[i],
                                       .object = planned[i].name,
                                       .stream = planned[i].name,
                                       .is_known = true,
                                       .bookmark_us = NOW_US - age_us - MINUTES(2),
                                       .clock_us = NOW_US - age_us,
                                       .completed_us = NOW_US - age_us + MINUTES(1),
                                       .run_id = 112,
                                       .status = "succeeded",
                                       .mode = "incremental",
                                       .started_us = NOW_US - age_us,
                                       .ended_us = NOW_US - age_us + MINUTES(1),
                                       .rows_read = 1234,
                                       .queue_since_us = GR_TIME_NONE,
                                       .audited_us = GR_TIME_NONE};
}

static struct gr_overview
all_well(struct gr_overview_stream streams[PLANNED])
{
    for (size_t i = 0; i < PLANNED; i++)
        streams[i] = well(i, MINUTES(50));
    return (struct gr_overview){.has_state = true,
                                .now_us = NOW_US,
                                .run = {.run_id = 112,
                                        .status = "succeeded",
                                        .file = "gorgias.yaml",
                                        .started_us = NOW_US - MINUTES(50),
                                        .ended_us = NOW_US - MINUTES(47),
                                        .requests = 1040},
                                .has_budget = true,
                                .budget_used = 11.6,
                                .budget_requests = 40,
                                .budget_per_ms = 20000,
                                .streams = streams,
                                .count = PLANNED,
                                .in_file = PLANNED};
}

/* Everything that can be said at once. */
static struct gr_overview
eventful(struct gr_overview_stream streams[PLANNED + 1])
{
    struct gr_overview overview = all_well(streams);

    streams[1].queue = 3600;
    streams[1].queue_since_us = NOW_US - MINUTES(90);
    streams[2].status = "stopped";
    streams[3].status = "failed";
    streams[3].error = "HTTP 403 from /api/satisfaction-surveys: " HOSTILE;
    streams[3].hint = "Use a key with secret-of-the-house.";
    streams[3].clock_us = streams[3].completed_us = NOW_US - MINUTES(4 * 1440);
    streams[3].audit_run_id = 11;
    streams[3].audited_us = NOW_US - MINUTES(3000);
    streams[3].audit_missing = 1;
    streams[4].status = "stopped";
    streams[4].audit_run_id = 11;
    streams[4].audited_us = NOW_US - MINUTES(3000);
    streams[5].status = "lost";
    streams[6].field_count = 2;
    streams[6].rejected_values = 7;
    streams[7] = (struct gr_overview_stream){.plan = &planned[7],
                                             .object = "macros",
                                             .stream = "macros",
                                             .bookmark_us = GR_TIME_NONE,
                                             .clock_us = GR_TIME_NONE,
                                             .completed_us = GR_TIME_NONE,
                                             .started_us = GR_TIME_NONE,
                                             .ended_us = GR_TIME_NONE,
                                             .queue_since_us = GR_TIME_NONE,
                                             .audited_us = GR_TIME_NONE};
    streams[0].field_count = 1;
    streams[PLANNED] = well(0, 0);
    streams[PLANNED].plan = NULL;
    streams[PLANNED].object = "gorgias.old";
    overview.count++;
    overview.run.status = "failed";
    overview.run.error = "the warehouse went away " HOSTILE;
    overview.run.hint = "Bring it back.";
    overview.run.throttled = 3;
    return overview;
}

static const char *
status_of(size_t run, size_t stream)
{
    if (run == 7)
        return "lost";
    if (run == 9 && stream == 2)
        return "stopped";
    if (run == RUNS - 1 && stream == 3)
        return "failed";
    return run == 4 && stream == 4 ? "failed" : "succeeded";
}

static const char *
run_status_of(size_t run)
{
    return run == 7          ? "lost"
           : run == 9        ? "stopped"
           : run == RUNS - 1 ? "failed"
           : run == 4        ? "partial"
                             : "succeeded";
}

static struct gr_history
some_history(struct gr_history_run runs[RUNS], struct gr_history_cell cells[RUNS * PLANNED])
{
    static struct gr_history_reject rejects[] = {
        {HOSTILE, "name " HOSTILE, "a text with U+0000", 5, NOW_US - MINUTES(50)},
        {"tickets", "meta", "a text with U+0000", 4, NOW_US - MINUTES(50)},
        {"tickets", "meta", "holds an unpaired surrogate", 3, NOW_US - MINUTES(50)},
        {HOSTILE, NULL, "no key", 2, NOW_US - MINUTES(5000)},
    };
    static struct gr_history_field fields[] = {
        {HOSTILE, "mood", NOW_US - MINUTES(50)},
        {HOSTILE, HOSTILE, NOW_US - MINUTES(60)},
        {"tickets", "summary", NOW_US - MINUTES(9000)},
    };
    struct gr_history history = {.runs = runs,
                                 .run_count = RUNS,
                                 .cells = cells,
                                 .rejects = rejects,
                                 .reject_count = 4,
                                 .fields = fields,
                                 .field_count = 3};

    for (size_t i = 0; i < RUNS; i++) {
        int64_t start_us = NOW_US - MINUTES(50) - (int64_t)(RUNS - 1 - i) * MINUTES(1440);

        runs[i] = (struct gr_history_run){
            .run_id = 101 + (int64_t)i,
            .status = run_status_of(i),
            .is_audit = i == 5,
            .started_us = start_us,
            .ended_us = start_us + MINUTES(3) + (int64_t)(i % 4) * MINUTES(1),
            .requests = 300 + (int64_t)(i * 5 % 7) * 50,
            .throttled = i == 10 ? 2 : 0,
            .streams = PLANNED - 1,
            .failed = i == 4 || i == RUNS - 1 ? 1 : 0,
            .rows_read = i == 6 ? 0 : 20000 + (int64_t)((i * 7) % 5) * 9000,
            .written = 800,
            .bytes = 12345678,
            .error = i == RUNS - 1 ? "the warehouse went away " HOSTILE : NULL};
        for (size_t j = 0; j + 1 < PLANNED && i != 7; j++)
            cells[history.cell_count++] =
                (struct gr_history_cell){.run = i,
                                         .stream = j,
                                         .status = status_of(i, j),
                                         .rows_read = (int64_t)(i * j) * 100,
                                         .written = (int64_t)(i * j),
                                         .duration_ms = 20000};
    }
    return history;
}

static void
test_hostile_text(void **state)
{
    struct gr_buf out = gr_buf_new(0);

    (void)state;
    gr_log_secret("secret-of-the-house");
    gr_html_put_in(&out, "<p>", "a<b>&\"'\x01\x7f\xff secret-of-the-house", "</p>");
    assert_string_equal(
        gr_buf_text(&out),
        "<p>a&lt;b&gt;&amp;&quot;&#39;\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD ***</p>");
    gr_buf_reset(&out);
    gr_html_put(&out, NULL);
    assert_int_equal(out.len, 0);
    gr_log_forget();
    gr_buf_free(&out);
}

static void
test_lag_scale(void **state)
{
    double last = -1;

    (void)state;
    assert_true(gr_report_lag_share(0) == 0);
    assert_true(gr_report_lag_share(INT64_C(2592000000)) == 1);
    assert_true(gr_report_lag_share(INT64_MAX) == 1);
    for (int64_t ms = 60000; ms < INT64_C(2592000000); ms += ms / 3) {
        assert_true(gr_report_lag_share(ms) > last);
        last = gr_report_lag_share(ms);
        assert_true(last >= 0 && last < 1);
    }
}

static void
expect_headline(const struct gr_overview *overview, const struct gr_history *history,
                enum gr_tone tone, const char *text)
{
    struct gr_buf out = gr_buf_new(0);

    assert_int_equal(gr_report_headline(overview, history, &out), tone);
    assert_string_equal(gr_buf_text(&out), text);
    gr_buf_free(&out);
}

static void
test_headline(void **state)
{
    struct gr_overview_stream streams[PLANNED];
    struct gr_history_run runs[RUNS];
    struct gr_history_cell cells[RUNS * PLANNED];
    struct gr_history history = some_history(runs, cells);
    struct gr_overview overview = all_well(streams);

    (void)state;
    expect_headline(&overview, &history, GR_TONE_OK, "All is well");
    overview.run.status = "running";
    expect_headline(&overview, &history, GR_TONE_BUSY, "All is well, and a run is at work");
    overview.run.status = "failed";
    expect_headline(&overview, &history, GR_TONE_BAD, "The last run failed");
    overview.run.status = "lost";
    streams[1].status = "failed";
    expect_headline(&overview, &history, GR_TONE_BAD,
                    "The last run was lost; 1 of 8 streams needs a look");
    overview.run.status = "partial";
    streams[2].status = "stopped";
    expect_headline(&overview, &history, GR_TONE_BAD, "2 of 8 streams need a look");
    overview = all_well(streams);
    overview.now_us += MINUTES(4 * 1440);
    expect_headline(&overview, &history, GR_TONE_BAD,
                    "No run for 4d, where one began every 24h 00m");
    overview.has_state = false;
    expect_headline(&overview, &(struct gr_history){0}, GR_TONE_WARN, "No run has ever begun");
}

static void
test_overdue(void **state)
{
    struct gr_history_run runs[RUNS];
    struct gr_history_cell cells[RUNS * PLANNED];
    struct gr_history history = some_history(runs, cells);
    int64_t last_us = runs[RUNS - 1].started_us;

    (void)state;
    assert_int_equal(gr_history_overdue_ms(&history, last_us + MINUTES(3 * 1440)), 0);
    assert_int_equal(gr_history_overdue_ms(&history, last_us + MINUTES(3 * 1440 + 1)), 86400000);
    /* A run that was an audit says nothing of the schedule. */
    runs[RUNS - 1].is_audit = true;
    assert_int_equal(gr_history_overdue_ms(&history, last_us + MINUTES(3 * 1440 - 1)), 86400000);
    /* Nobody knows a schedule by three runs, and nobody is woken within the hour. */
    history.run_count = 3;
    assert_int_equal(gr_history_overdue_ms(&history, last_us + MINUTES(99 * 1440)), 0);
    history.run_count = 0;
    assert_int_equal(gr_history_overdue_ms(&history, last_us), 0);
    history.run_count = 5;
    for (size_t i = 0; i < 5; i++)
        runs[i].started_us = NOW_US + (int64_t)i * MINUTES(1);
    assert_int_equal(gr_history_overdue_ms(&history, NOW_US + MINUTES(4 + 60)), 0);
    assert_int_equal(gr_history_overdue_ms(&history, NOW_US + MINUTES(4 + 61)), 60000);
}

static void
test_share(void **state)
{
    struct gr_overview overview = {
        .has_budget = true, .now_us = MINUTES(10), .budget_requests = 40, .budget_per_ms = 20000};
    struct gr_history_run run = {
        .status = "succeeded", .started_us = MINUTES(1), .ended_us = MINUTES(2), .requests = 80};

    (void)state;
    /* 40 at once and 2 a second for a minute */
    assert_true(gr_history_share(&run, &overview) == 0.5);
    run.requests = 1000;
    assert_true(gr_history_share(&run, &overview) == 1);
    run.status = "running";
    assert_int_equal(gr_history_duration_ms(&run, MINUTES(4)), 180000);
    run.status = "lost";
    assert_int_equal(gr_history_duration_ms(&run, MINUTES(4)), -1);
    assert_true(gr_history_share(&run, &overview) < 0);
    run.status = "succeeded";
    overview.has_budget = false;
    assert_true(gr_history_share(&run, &overview) < 0);
}

static void
test_page(void **state)
{
    struct gr_overview_stream streams[PLANNED + 1];
    struct gr_history_run runs[RUNS];
    struct gr_history_cell cells[RUNS * PLANNED];
    struct gr_overview overview = eventful(streams);
    struct gr_history history = some_history(runs, cells);
    struct gr_buf out = gr_buf_new(0);

    (void)state;
    gr_log_secret("secret-of-the-house");
    gr_report_page_put(&plan, &overview, &history, &out);
    gr_log_forget();
    assert_null(strstr(gr_buf_text(&out), "<script"));
    assert_null(strstr(gr_buf_text(&out), "<img"));
    assert_null(strstr(gr_buf_text(&out), "secret-of-the-house"));
    assert_golden(&out, "report.html");
    gr_buf_free(&out);
}

static void
test_page_of_what_is_well(void **state)
{
    struct gr_overview_stream streams[PLANNED];
    struct gr_history_run runs[RUNS];
    struct gr_history_cell cells[RUNS * PLANNED];
    struct gr_overview overview = all_well(streams);
    struct gr_history history = some_history(runs, cells);
    struct gr_buf out = gr_buf_new(0);

    (void)state;
    overview.count = overview.in_file = 6;
    runs[RUNS - 1].status = "succeeded";
    runs[RUNS - 1].failed = 0;
    runs[RUNS - 1].error = NULL;
    history.cell_count = history.reject_count = history.field_count = 0;
    for (size_t i = 0; i < RUNS * overview.in_file; i++)
        cells[history.cell_count++] = (struct gr_history_cell){.run = i / overview.in_file,
                                                               .stream = i % overview.in_file,
                                                               .status = "succeeded",
                                                               .duration_ms = 900};
    gr_report_page_put(&plan, &overview, &history, &out);
    assert_golden(&out, "report_well.html");
    gr_buf_free(&out);
}

static void
test_page_of_nothing(void **state)
{
    struct gr_overview_stream streams[PLANNED + 1];
    struct gr_overview overview = eventful(streams);
    struct gr_history history = {0};
    struct gr_buf out = gr_buf_new(0);

    (void)state;
    for (size_t i = 0; i < PLANNED; i++) {
        streams[i] = streams[7];
        streams[i].plan = &planned[i];
        streams[i].stream = planned[i].name;
    }
    overview.has_state = overview.has_budget = false;
    overview.run = (struct gr_overview_run){.started_us = GR_TIME_NONE, .ended_us = GR_TIME_NONE};
    overview.count = overview.in_file;
    gr_report_page_put(&plan, &overview, &history, &out);
    assert_golden(&out, "report_nothing.html");
    gr_buf_free(&out);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile_text),
        cmocka_unit_test(test_lag_scale),
        cmocka_unit_test(test_headline),
        cmocka_unit_test(test_overdue),
        cmocka_unit_test(test_share),
        cmocka_unit_test(test_page),
        cmocka_unit_test(test_page_of_what_is_well),
        cmocka_unit_test(test_page_of_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
