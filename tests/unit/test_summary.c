/* layers: cli */
/* What a run came to: table, JSON, metrics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "cli_golden.h"
#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/cli/metrics.h"
#include "gr/cli/output.h"
#include "gr/cli/summary.h"

static const struct gr_run_facts facts = {
    .file = "replications/gorgias.yaml",
    .source = "GORGIAS",
    .target = "WAREHOUSE",
    .started_us = INT64_C(1795244400000000),
};

static struct gr_stream_report streams[4];

static struct gr_run_report
partial(void)
{
    streams[0] = (struct gr_stream_report){
        .name = "tickets",
        .mode = "incremental",
        .object = "gorgias.tickets",
        .note = "",
        .status = GR_STATUS_SUCCEEDED,
        .started_ms = 1000,
        .ended_ms = 13345,
        .rows_read = 1234567,
        .inserted = 1000,
        .updated = 234,
        .unchanged = 1233333,
        .deleted = 2,
        .rejected = 1,
        .requests = 400,
        .retries = 3,
        .pages = 397,
        .bytes = 987654321,
        .queue = 0,
        .bookmark_us = INT64_C(1795243824000123),
        .as_of_us = INT64_C(1795244400250000),
    };
    streams[1] = (struct gr_stream_report){
        .name = "macros",
        .mode = "full-refresh",
        .object = "gorgias.macros",
        .note = "cannot be read incrementally",
        .status = GR_STATUS_FAILED,
        .started_ms = 2000,
        .ended_ms = 2500,
        .requests = 1,
        .queue = -1,
        .bookmark_us = GR_TIME_NONE,
        .as_of_us = GR_TIME_NONE,
        .error = {.fault = GR_FAULT_FORBIDDEN,
                  .message = "HTTP 403 from /api/macros: key s3cr3t!",
                  .hint = "Use the key of an \"admin\"."},
    };
    streams[2] = (struct gr_stream_report){
        .name = "ticket_messages",
        .mode = "incremental",
        .object = "gorgias.ticket_messages",
        .note = "",
        .status = GR_STATUS_STOPPED,
        .started_ms = 2000,
        .ended_ms = 62000,
        .rows_read = 10,
        .inserted = 10,
        .requests = 9,
        .pages = 9,
        .queue = 1500,
        .bookmark_us = GR_TIME_NONE,
        .as_of_us = GR_TIME_NONE,
    };
    streams[3] = (struct gr_stream_report){
        .name = "odd\"name\\",
        .mode = "incremental",
        .object = "gorgias.odd",
        .note = "",
        .status = GR_STATUS_WAITING,
        .queue = -1,
        .bookmark_us = GR_TIME_NONE,
        .as_of_us = GR_TIME_NONE,
    };
    return (struct gr_run_report){
        .run_id = 17,
        .streams = streams,
        .count = 4,
        .started_ms = 1000,
        .now_ms = 63000,
        .requests = 412,
        .throttled = 0,
        .exit_code = 1,
    };
}

static void
test_table(void **state)
{
    struct gr_run_report report = partial();
    struct gr_buf text = gr_buf_new(0);

    (void)state;
    gr_summary_put(&report, &facts, &text);
    assert_golden(&text, "summary.txt");
    gr_buf_free(&text);
}

static void
test_json(void **state)
{
    struct gr_run_report report = partial();
    struct gr_buf text = gr_buf_new(0);

    (void)state;
    gr_log_secret("s3cr3t!");
    gr_summary_put_json(&report, &facts, &text);
    assert_null(strstr(gr_buf_text(&text), "s3cr3t!"));
    assert_golden(&text, "summary.json");
    gr_buf_free(&text);
}

static void
test_status(void **state)
{
    struct gr_run_report report = partial();

    (void)state;
    assert_string_equal(gr_summary_status(&report), "partial");
    report.exit_code = 0;
    assert_string_equal(gr_summary_status(&report), "succeeded");
    report.exit_code = 6;
    assert_string_equal(gr_summary_status(&report), "stopped");
    report.exit_code = 3;
    streams[0].status = GR_STATUS_FAILED;
    assert_string_equal(gr_summary_status(&report), "failed");
}

static void
test_metrics(void **state)
{
    struct gr_run_report report = partial();
    struct gr_buf text = gr_buf_new(0);

    (void)state;
    gr_metrics_put(&report, &facts, INT64_C(1795244462500000), &text);
    assert_golden(&text, "metrics.prom");

    /* A run that never came to a stream has no heads without values. */
    gr_buf_reset(&text);
    report = (struct gr_run_report){.exit_code = 2};
    gr_metrics_put(&report, &facts, INT64_C(1795244462500000), &text);
    assert_non_null(strstr(gr_buf_text(&text), "_run_success{replication=\"gorgias.yaml\"} 0\n"));
    assert_null(strstr(gr_buf_text(&text), "_stream_"));
    gr_buf_free(&text);
}

static void
test_metrics_file(void **state)
{
    char path[] = "/tmp/gr-test-metrics-XXXXXX";
    struct gr_buf text = gr_buf_new(0), read = gr_buf_new(0);
    struct gr_error err;

    (void)state;
    assert_true(mkstemp(path) >= 0);
    gr_buf_puts(&text, "a 1\n");
    assert_true(gr_output_try_file(path, &err));
    assert_true(gr_output_write_file(path, &text, &err));
    read_whole(path, &read);
    assert_string_equal(gr_buf_text(&read), "a 1\n");
    assert_int_equal(unlink(path), 0);

    assert_false(gr_output_try_file("/nonexistent/x.prom", &err));
    assert_int_equal(err.fault, GR_FAULT_USAGE);
    assert_false(gr_output_write_file("/nonexistent/x.prom", &text, &err));
    assert_non_null(strstr(err.message, "\"/nonexistent/x.prom\": No such file"));
    gr_buf_free(&text);
    gr_buf_free(&read);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),        cmocka_unit_test(test_json),
        cmocka_unit_test(test_status),       cmocka_unit_test(test_metrics),
        cmocka_unit_test(test_metrics_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
