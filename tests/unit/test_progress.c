/* layers: cli */
/* The live display as text: its laws for any report, width and height, and what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "gr/base/buf.h"
#include "gr/cli/progress.h"
#include "gr/cli/text.h"

enum { STREAMS = 14 };

static struct gr_stream_report streams[STREAMS];

/* A report in which `running` streams run, some have ended and some wait. */
static struct gr_run_report
report_of(size_t running)
{
    static const char *const names[STREAMS] = {"events",
                                               "tickets",
                                               "ticket_messages",
                                               "customers",
                                               "satisfaction_surveys",
                                               "users",
                                               "teams",
                                               "tags",
                                               "macros",
                                               "rules",
                                               "custom_fields",
                                               "views",
                                               "integrations",
                                               "a_längerer"};

    for (size_t i = 0; i < STREAMS; i++)
        streams[i] = (struct gr_stream_report){
            .name = names[i],
            .mode = "incremental",
            .status = i < running  ? GR_STATUS_RUNNING
                      : i % 2 == 0 ? GR_STATUS_SUCCEEDED
                                   : GR_STATUS_WAITING,
            .activity = i % 3 == 0 ? "waits for the API budget" : "reads a page",
            .started_ms = 1000,
            .rows_read = (int64_t)i * 123457,
            .requests = (int64_t)i * 99,
            .queue = i == 2 ? 12345 : -1,
        };
    return (struct gr_run_report){
        .streams = streams,
        .count = STREAMS,
        .started_ms = 1000,
        .now_ms = 63000,
        .requests = 412,
        .throttled = 3,
        .budget_level = 0.95,
        .budget_requests = 40,
        .budget_per_ms = 20000,
    };
}

static size_t
judge_lines(const struct gr_buf *text, size_t width)
{
    size_t lines = 0;

    for (const char *line = gr_buf_text(text); *line != '\0'; lines++) {
        size_t len = strcspn(line, "\n");
        char copy[512];

        assert_true(line[len] == '\n');
        (void)snprintf(copy, sizeof(copy), "%.*s", (int)len, line);
        assert_true(gr_text_width(copy) <= width);
        line += len + 1;
    }
    return lines;
}

/* Never wider than the width; a line for each running stream and one for the run. */
static void
test_laws(void **state)
{
    struct gr_sample none = {0};

    (void)state;
    for (size_t running = 0; running <= STREAMS; running++) {
        for (size_t width = 1; width <= 200; width++) {
            struct gr_run_report report = report_of(running);
            struct gr_buf text = gr_buf_new(0);

            gr_progress_put(&report, &none, width, 0, &text);
            assert_int_equal(judge_lines(&text, width), running + 1);
            gr_buf_free(&text);
        }
    }
}

/* A terminal of few lines: never more than it has, and what is left out is said. */
static void
test_height(void **state)
{
    struct gr_sample none = {0};

    (void)state;
    for (size_t height = 1; height <= 20; height++) {
        struct gr_run_report report = report_of(10);
        struct gr_buf text = gr_buf_new(0);
        size_t lines;

        gr_progress_put(&report, &none, 100, height, &text);
        lines = judge_lines(&text, 100);
        assert_true(lines <= height);
        assert_int_equal(lines, height < 11 ? height : 11);
        assert_int_equal(strstr(gr_buf_text(&text), " more\n") != NULL, height > 1 && height < 11);
        gr_buf_free(&text);
    }
}

static void
test_text(void **state)
{
    struct gr_run_report report = report_of(3);
    struct gr_buf text = gr_buf_new(0);
    struct gr_sample none = {0};

    (void)state;
    gr_progress_put(&report, &none, 120, 0, &text);
    assert_string_equal(
        gr_buf_text(&text),
        "events                        0 rows       0/s       0 requests  waits for the API "
        "budget\n"
        "tickets                 123,457 rows   1,991/s      99 requests  reads a page\n"
        "ticket_messages         246,914 rows   3,982/s     198 requests  queue 12,345  reads a "
        "page\n"
        "1m 02s | 5/14 streams | 412 requests (3 throttled) | API budget 38/40\n");
    gr_buf_free(&text);
}

/* Rates are those of the seconds since the sample, not of the whole run. */
static void
test_rate(void **state)
{
    struct gr_run_report report = report_of(2);
    struct gr_sample sample = {0};
    struct gr_buf text = gr_buf_new(0);

    (void)state;
    gr_sample_take(&sample, &report);
    streams[1].rows_read += 500;
    report.now_ms += 5000;
    gr_progress_put(&report, &sample, 120, 0, &text);
    assert_non_null(strstr(gr_buf_text(&text), "123,957 rows     100/s"));

    /* A stream that began after the sample, and a clock that stands. */
    gr_buf_reset(&text);
    streams[1].started_ms = report.now_ms;
    gr_progress_put(&report, &sample, 120, 0, &text);
    assert_non_null(strstr(gr_buf_text(&text), "123,957 rows       0/s"));
    gr_buf_free(&text);
    gr_sample_free(&sample);
}

static void
test_nothing_yet(void **state)
{
    struct gr_run_report report = {.started_ms = 5, .now_ms = 5};
    struct gr_buf text = gr_buf_new(0);
    struct gr_sample none = {0};

    (void)state;
    gr_progress_put(&report, &none, 80, 0, &text);
    assert_string_equal(gr_buf_text(&text), "0ms | 0/0 streams | 0 requests\n");
    gr_buf_free(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_laws),        cmocka_unit_test(test_height),
        cmocka_unit_test(test_text),        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_nothing_yet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
