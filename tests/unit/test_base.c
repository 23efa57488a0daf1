/* layers: base */
/* test_base.c - memory, buffers, faults, dates and durations, and what the log must not say. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gr/base/alloc.h"
#include "gr/base/buf.h"
#include "gr/base/error.h"
#include "gr/base/log.h"
#include "gr/base/time.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
allocates(void **state)
{
    GR_CLEANUP(gr_free_var) char *text = gr_strndup("abcdef", 3);
    GR_CLEANUP(gr_free_var) char *empty = gr_strdup("");
    GR_CLEANUP(gr_free_var) char *zeroed = gr_alloc(100, 3);

    (void)state;
    assert_string_equal(text, "abc");
    assert_string_equal(empty, "");
    for (int i = 0; i < 300; i++)
        assert_int_equal(zeroed[i], 0);
    text = gr_realloc(text, 1000, 1);
    assert_string_equal(text, "abc");
    gr_free(NULL);
}

static void
keeps_what_an_arena_gave(void **state)
{
    struct gr_arena *arena = gr_arena_new();
    char *texts[500];
    char *big;
    char wanted[32];

    (void)state;
    for (int i = 0; i < 500; i++) {
        double *aligned = gr_arena_alloc(arena, 3, sizeof(*aligned));

        texts[i] = gr_arena_printf(arena, "text %d of %s", i, "many");
        assert_int_equal((uintptr_t)aligned % _Alignof(max_align_t), 0);
        assert_true(aligned[0] == 0 && aligned[2] == 0);
        aligned[2] = 1;
    }
    big = gr_arena_alloc(arena, 100000, 1);
    assert_int_equal(big[0] | big[99999], 0);
    memset(big, 'x', 100000);
    for (int i = 0; i < 500; i++) {
        (void)snprintf(wanted, sizeof(wanted), "text %d of many", i);
        assert_string_equal(texts[i], wanted);
    }
    assert_string_equal(gr_arena_strdup(arena, "a"), "a");
    assert_string_equal(gr_arena_strndup(arena, "abc", 2), "ab");
    assert_string_equal(gr_arena_strndup(arena, "", 0), "");
    gr_arena_free(arena);
    gr_arena_free(NULL);
}

static void
grows_buffers(void **state)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf buf = gr_buf_new(0);
    GR_CLEANUP(gr_free_var) char *taken = NULL;

    (void)state;
    assert_string_equal(gr_buf_text(&buf), "");
    gr_buf_puts(&buf, "a");
    gr_buf_putc(&buf, 'b');
    gr_buf_put(&buf, "c\0d", 3);
    gr_buf_put(&buf, NULL, 0);
    gr_buf_printf(&buf, "%d%%", 12);
    assert_int_equal(buf.len, 8);
    assert_memory_equal(buf.data, "abc\0d12%", 9);
    gr_buf_reset(&buf);
    gr_buf_printf(&buf, "%0300d", 7);
    assert_int_equal(buf.len, 300);
    for (int i = 0; i < 10000; i++)
        gr_buf_puts(&buf, "0123456789");
    assert_int_equal(buf.len, 100300);
    assert_int_equal(strlen(gr_buf_text(&buf)), 100300);
    taken = gr_buf_take(&buf);
    assert_int_equal(strlen(taken), 100300);
    assert_int_equal(buf.len, 0);
    assert_null(buf.data);
}

static void
reserves_once_and_moves_nothing(void **state)
{
    struct gr_buf buf = gr_buf_new(0);
    const char *at;

    (void)state;
    gr_buf_puts(&buf, "kept");
    gr_buf_reserve(&buf, 5000);
    at = buf.data;
    assert_string_equal(gr_buf_text(&buf), "kept");
    (void)gr_buf_extend(&buf, 5000 - buf.len);
    assert_ptr_equal(buf.data, at);
    gr_buf_reserve(&buf, 100); /* never less */
    assert_true(buf.cap > 5000);
    gr_buf_free(&buf);
}

static void
gives_an_empty_text_for_an_empty_buffer(void **state)
{
    struct gr_buf buf = gr_buf_new(3);
    GR_CLEANUP(gr_free_var) char *taken = gr_buf_take(&buf);

    (void)state;
    assert_string_equal(taken, "");
    assert_int_equal(buf.limit, 3);
}

static void
stays_failed_past_the_limit(void **state)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf buf = gr_buf_new(10);

    (void)state;
    gr_buf_puts(&buf, "0123456789");
    assert_null(buf.failed);
    gr_buf_putc(&buf, 'x');
    assert_non_null(buf.failed);
    assert_null(gr_buf_extend(&buf, 0));
    gr_buf_printf(&buf, "%0400d", 1);
    gr_buf_puts(&buf, "");
    assert_string_equal(gr_buf_text(&buf), "0123456789");
    gr_buf_reset(&buf);
    assert_null(buf.failed);
    gr_buf_put(&buf, "01234567890", 11);
    assert_non_null(buf.failed);
    assert_int_equal(buf.len, 0);
    gr_buf_reset(&buf);
    assert_null(gr_buf_extend(&buf, SIZE_MAX));
}

/* No row of the table may be empty, and no two faults may have the same name. */
static void
has_facts_for_each_fault(void **state)
{
    (void)state;
    for (int i = 0; i < GR_FAULT_COUNT; i++) {
        const struct gr_fault_facts *facts = gr_fault_facts((enum gr_fault)i);

        assert_non_null(facts->name);
        assert_in_range(facts->exit_code, i == GR_OK ? 0 : 1, i == GR_OK ? 0 : 6);
        assert_in_range(facts->retry, GR_RETRY_NEVER, GR_RETRY_COMMIT);
        assert_in_range(facts->scope, GR_SCOPE_STREAM, GR_SCOPE_RUN);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(facts->name, gr_fault_facts((enum gr_fault)j)->name);
    }
    assert_ptr_equal(gr_fault_facts(GR_FAULT_COUNT), gr_fault_facts(GR_FAULT_BUG));
}

/* The exit codes that the README promises; whatever is not named here fails one stream: 1. */
static void
maps_faults_to_exit_codes(void **state)
{
    static const int promised[GR_FAULT_COUNT] = {
        [GR_FAULT_USAGE] = 2,  [GR_FAULT_SPEC] = 2,   [GR_FAULT_AUTH] = 3,
        [GR_FAULT_TARGET] = 4, [GR_FAULT_LOST] = 4,   [GR_FAULT_UNREACHABLE] = 3,
        [GR_FAULT_LOCKED] = 5, [GR_FAULT_FENCED] = 5, [GR_FAULT_CANCELLED] = 6,
    };

    (void)state;
    assert_int_equal(gr_fault_facts(GR_OK)->exit_code, 0);
    for (int i = GR_OK + 1; i < GR_FAULT_COUNT; i++)
        assert_int_equal(gr_fault_facts((enum gr_fault)i)->exit_code,
                         promised[i] != 0 ? promised[i] : 1);
}

/* What passes by itself is tried again, and nothing else: a request that the source has judged gets
   the same judgement. What makes an exit code of its own ends the run. */
static void
repeats_what_may_pass(void **state)
{
    static const enum gr_retry may_pass[GR_FAULT_COUNT] = {
        [GR_FAULT_THROTTLED] = GR_RETRY_REQUEST, [GR_FAULT_TRANSPORT] = GR_RETRY_REQUEST,
        [GR_FAULT_REMOTE] = GR_RETRY_REQUEST,    [GR_FAULT_PAYLOAD] = GR_RETRY_REQUEST,
        [GR_FAULT_LOST] = GR_RETRY_COMMIT,       [GR_FAULT_CONFLICT] = GR_RETRY_COMMIT,
    };

    (void)state;
    for (int i = 0; i < GR_FAULT_COUNT; i++) {
        const struct gr_fault_facts *facts = gr_fault_facts((enum gr_fault)i);

        assert_int_equal(facts->retry, may_pass[i]);
        assert_int_equal(facts->scope, facts->exit_code > 1 ? GR_SCOPE_RUN : GR_SCOPE_STREAM);
    }
}

static void
fills_errors(void **state)
{
    struct gr_error err = {.retry_after_ms = 5, .hint = "old"};
    char name[2000];

    (void)state;
    assert_false(gr_fail(&err, GR_FAULT_SPEC, "bad %s", "key\n\tx"));
    assert_int_equal(err.fault, GR_FAULT_SPEC);
    assert_int_equal(err.retry_after_ms, -1);
    assert_string_equal(err.message, "bad key  x");
    assert_string_equal(err.hint, "");
    assert_false(gr_fail_in(&err, "file %d", 7));
    assert_string_equal(err.message, "file 7: bad key  x");
    assert_false(gr_hint(&err, "Try\n%s.", "this"));
    assert_string_equal(err.hint, "Try this.");
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_false(gr_fail_in(&err, "%s", name));
    assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
    assert_false(gr_hint(&err, "%s", name));
    assert_int_equal(strlen(err.hint), sizeof(err.hint) - 1);
}

static void
parses_datetimes(void **state)
{
    static const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        {"1970-01-01", 0},
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01t00:00z", 0},
        {"1970-01-01T00:00:00.000001", 1},
        {"1970-01-01T00:00:00.5", 500000},
        {"1970-01-01T00:00:00.1234567899", 123456},
        {"1969-12-31T23:59:59.999999Z", -1},
        {"2025-10-13T11:09:13.002432+00:00", INT64_C(1760353753002432)},
        {"2025-10-13 11:09:13.002432", INT64_C(1760353753002432)},
        {"2025-10-13T13:09:13.002432+02:00", INT64_C(1760353753002432)},
        {"2025-10-13T06:39:13.002432-0430", INT64_C(1760353753002432)},
        {"2025-10-13T13:09:13.002432+02", INT64_C(1760353753002432)},
        {"2024-02-29T00:00:00Z", INT64_C(1709164800000000)},
        {"2000-02-29", INT64_C(951782400000000)},
        {"1970-01-01T00:00:60Z", 60000000},
        {"0000-01-01", INT64_C(-62167219200000000)},
        {"9999-12-31T23:59:59.999999Z", INT64_C(253402300799999999)},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t us = 7;

        if (!gr_time_parse(cases[i].text, strlen(cases[i].text), &us) || us != cases[i].us)
            fail_msg("%s: %lld", cases[i].text, (long long)us);
    }
}

static void
refuses_other_datetimes(void **state)
{
    static const char *const texts[] = {
        "",
        "2025",
        "2025-10",
        "2025-1-01",
        "2025-13-01",
        "2025-00-01",
        "2025-01-00",
        "2025-02-30",
        "2023-02-29",
        "1900-02-29",
        "2025-10-13T",
        "2025-10-13T11",
        "2025-10-13T24:00:00",
        "2025-10-13T11:60:00",
        "2025-10-13T11:09:61",
        "2025-10-13T11:09:13.",
        "2025-10-13T11:09:1",
        "2025-10-13T11:09:13+",
        "2025-10-13T11:09:13+1",
        "2025-10-13T11:09:13+24:00",
        "2025-10-13T11:09:13+00:60",
        "2025-10-13T11:09:13Zx",
        " 2025-10-13",
        "2025-10-13 ",
        "2025-10-13X11:09:13",
        "-025-10-13",
        "20251013",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        int64_t us = 7;

        if (gr_time_parse(texts[i], strlen(texts[i]), &us))
            fail_msg("%s", texts[i]);
        assert_int_equal(us, 7);
    }
}

/* Whatever is formatted can be read back; through all months of eight centuries. */
static void
formats_what_it_parses(void **state)
{
    int64_t us = INT64_C(-11644473600000000); /* 1601 */
    char text[GR_TIME_TEXT];

    (void)state;
    for (; us < INT64_C(13569465600000000); us += INT64_C(2419199123457)) {
        int64_t back = 0;

        gr_time_format(us, text);
        assert_int_equal(strlen(text), 27);
        assert_true(gr_time_parse(text, 27, &back));
        assert_int_equal(back, us);
    }
    gr_time_format(INT64_C(1760353753002432), text);
    assert_string_equal(text, "2025-10-13T11:09:13.002432Z");
    gr_time_format(GR_TIME_NONE, text);
    assert_string_equal(text, "-");
}

static void
parses_http_dates(void **state)
{
    static const char *const wrong[] = {
        "",
        "Sat",
        "Sat, 21 Nov",
        "Sat, 21 Nuv 2026 06:50:24 GMT",
        "Sat, 2x Nov 2026 06:50:24 GMT",
        "Sat, 21 ovD 2026 06:50:24 GMT",
        "Sat, 00 Nov 2026 06:50:24 GMT",
        "Sat, 21 Nov 2026 24:50:24 GMT",
        "Sat, 21 Nov 2026 06-50-24 GMT",
        "120",
    };
    int64_t us = 0;

    (void)state;
    assert_true(gr_time_parse_http("Sat, 21 Nov 2026 06:50:24 GMT", &us));
    assert_int_equal(us, INT64_C(1795243824000000));
    assert_true(gr_time_parse_http("Thu, 01 Jan 1970 00:00:00 GMT", &us));
    assert_int_equal(us, 0);
    for (size_t i = 0; i < COUNT(wrong); i++)
        if (gr_time_parse_http(wrong[i], &us))
            fail_msg("%s", wrong[i]);
}

static void
parses_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: refused */
    } cases[] = {
        {"999999999999d", -1},
        {"99999999999999999999", -1},
        {"0", 0},
        {"90", 90000},
        {"5m", 300000},
        {"90s", 90000},
        {"1h30m", 5400000},
        {"2d", 172800000},
        {"250ms", 250},
        {"1m500ms", 60500},
        {"", -1},
        {"m", -1},
        {"5x", -1},
        {"5 m", -1},
        {"-5m", -1},
        {"5m3", -1},
        {"1.5h", -1},
        {"5mm", -1},
        {"99999999999999999999s", -1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t ms = -1;
        bool ok = gr_duration_parse(cases[i].text, &ms);

        if (ok != (cases[i].ms >= 0) || (ok && ms != cases[i].ms))
            fail_msg("%s: %lld", cases[i].text, (long long)ms);
    }
}

static void
formats_durations(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "0ms"},           {250, "250ms"},      {999, "999ms"},      {1000, "1.0s"},
        {12345, "12.3s"},     {59999, "59.9s"},    {60000, "1m 00s"},   {130000, "2m 10s"},
        {3599999, "59m 59s"}, {3600000, "1h 00m"}, {3840000, "1h 04m"}, {360000000, "100h 00m"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[GR_TIME_TEXT];

        gr_duration_format(cases[i].ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void
reads_clocks(void **state)
{
    int64_t before = gr_clock_ms();

    (void)state;
    gr_clock_sleep(2);
    gr_clock_sleep(0);
    gr_clock_sleep(-1);
    assert_true(gr_clock_ms() >= before + 1);
    assert_true(gr_clock_us() > INT64_C(1600000000000000));
}

static void
redacts_secrets(void **state)
{
    static const struct {
        const char *text;
        const char *redacted;
    } cases[] = {
        {"", ""},
        {"nothing", "nothing"},
        {"s3cret", "***"},
        {"key=s3cret&x=s3crets3cret", "key=***&x=******"},
        {"of four: abcd.", "of four: ***."},
        {"too short: abc", "too short: abc"},
        {"s3cre", "s3cre"},
        {"s3cs3cret", "s3c***"},
        {"s3cret-and-longer", "***"},
        {"s3cret-and", "***-and"},
    };

    (void)state;
    gr_log_secret("s3cret");
    gr_log_secret("s3cret");
    gr_log_secret("s3cret-and-longer");
    for (int i = 0; i < 200; i++) {
        char many[32];

        (void)snprintf(many, sizeof(many), "one-of-many-%d", i);
        gr_log_secret(many);
    }
    gr_log_secret("abcd");
    gr_log_secret("abc");
    gr_log_secret("");
    gr_log_secret(NULL);
    for (size_t i = 0; i < COUNT(cases); i++) {
        GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);

        gr_buf_puts(&text, cases[i].text);
        gr_log_redact(&text);
        assert_string_equal(gr_buf_text(&text), cases[i].redacted);
        assert_int_equal(text.len, strlen(cases[i].redacted));
    }
}

/* What one event writes to stderr. */
static void
capture(bool as_json, const char *value, char *line, size_t size)
{
    char path[] = "/tmp/gr-log-XXXXXX";
    int file = mkstemp(path);
    int before = dup(2);
    ssize_t len;

    assert_true(file >= 0 && before >= 0);
    gr_log_setup((struct gr_log_setup){.level = GR_LOG_INFO, .as_json = as_json});
    assert_true(dup2(file, 2) == 2);
    gr_log(GR_LOG_INFO, "tickets", "event", "value", value, NULL);
    assert_true(dup2(before, 2) == 2);
    len = pread(file, line, size - 1, 0);
    assert_true(len > 0);
    line[len] = '\0';
    (void)close(before);
    (void)close(file);
    (void)unlink(path);
}

/* The forms in which a secret may come back: in a URL, in JSON. */
static void
redacts_other_forms(void **state)
{
    static const char *const texts[] = {"p@ss w\"\\rd", "p%40ss%20w%22%5Crd", "p@ss w\\\"\\\\rd"};

    (void)state;
    gr_log_forget();
    gr_log_secret(texts[0]);
    for (size_t i = 0; i < COUNT(texts); i++) {
        GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);

        gr_buf_printf(&text, "<%s>", texts[i]);
        gr_log_redact(&text);
        assert_string_equal(gr_buf_text(&text), "<***>");
    }
    gr_log_forget();
}

/* An error goes into logs, JSON and the database: all of them want UTF-8 and none wants secrets,
   also where the message is cut in the middle of one. */
static void
errors_are_fit_to_be_shown(void **state)
{
    struct gr_error err;
    char filler[1100];

    (void)state;
    gr_log_forget();
    gr_log_secret("a-secret-of-some-length");
    memset(filler, 'x', sizeof(filler));
    filler[1015] = '\0';
    (void)gr_fail(&err, GR_FAULT_BUG, "%s a-secret-of-some-length", filler);
    assert_null(strstr(err.message, "a-se"));
    (void)gr_fail(&err, GR_FAULT_BUG, "bad \xff\xc3 and \xc3\xa4\n\x1b[31m");
    assert_string_equal(err.message, "bad \xEF\xBF\xBD\xEF\xBF\xBD and \xc3\xa4  [31m");
    filler[1015] = 'x';
    filler[1022] = '\0';
    (void)gr_fail(&err, GR_FAULT_BUG, "%s\xc3\xa4", filler);
    assert_int_equal(strlen(err.message), 1022);
    (void)gr_fail(&err, GR_FAULT_BUG, "what");
    (void)gr_fail_in(&err, "where is a-secret-of-some-length");
    assert_string_equal(err.message, "where is ***: what");
    (void)gr_hint(&err, "Not a-secret-of-some-length \xff.");
    assert_string_equal(err.hint, "Not *** \xEF\xBF\xBD.");
    gr_log_forget();
}

static void
values_make_no_lines_of_their_own(void **state)
{
    char line[512];

    (void)state;
    for (int as_json = 0; as_json < 2; as_json++) {
        capture(as_json != 0, "a\nb\x1b\x7f\xff", line, sizeof(line));
        assert_non_null(strstr(line, "\"a\\u000ab\\u001b\\u007f\xEF\xBF\xBD\""));
    }
}

static void
redacts_before_it_escapes(void **state)
{
    char line[512];

    (void)state;
    gr_log_secret("qu\"ote\\d");
    for (int as_json = 0; as_json < 2; as_json++) {
        capture(as_json != 0, "the key is qu\"ote\\d", line, sizeof(line));
        assert_null(strstr(line, "ote"));
        assert_non_null(strstr(line, "the key is ***"));
    }
}

static void
knows_levels(void **state)
{
    enum gr_log_level level = GR_LOG_ERROR;

    (void)state;
    assert_true(gr_log_level_parse("debug", &level));
    assert_int_equal(level, GR_LOG_DEBUG);
    assert_false(gr_log_level_parse("loud", &level));
    assert_int_equal(level, GR_LOG_DEBUG);
    gr_log_setup((struct gr_log_setup){.level = GR_LOG_WARN});
    assert_true(gr_log_wants(GR_LOG_ERROR));
    assert_true(gr_log_wants(GR_LOG_WARN));
    assert_false(gr_log_wants(GR_LOG_INFO));
    gr_log_setup((struct gr_log_setup){.level = GR_LOG_INFO});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocates),
        cmocka_unit_test(keeps_what_an_arena_gave),
        cmocka_unit_test(grows_buffers),
        cmocka_unit_test(reserves_once_and_moves_nothing),
        cmocka_unit_test(gives_an_empty_text_for_an_empty_buffer),
        cmocka_unit_test(stays_failed_past_the_limit),
        cmocka_unit_test(has_facts_for_each_fault),
        cmocka_unit_test(maps_faults_to_exit_codes),
        cmocka_unit_test(repeats_what_may_pass),
        cmocka_unit_test(fills_errors),
        cmocka_unit_test(parses_datetimes),
        cmocka_unit_test(refuses_other_datetimes),
        cmocka_unit_test(formats_what_it_parses),
        cmocka_unit_test(parses_http_dates),
        cmocka_unit_test(parses_durations),
        cmocka_unit_test(formats_durations),
        cmocka_unit_test(reads_clocks),
        cmocka_unit_test(redacts_secrets),
        cmocka_unit_test(redacts_other_forms),
        cmocka_unit_test(errors_are_fit_to_be_shown),
        cmocka_unit_test(values_make_no_lines_of_their_own),
        cmocka_unit_test(redacts_before_it_escapes),
        cmocka_unit_test(knows_levels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
