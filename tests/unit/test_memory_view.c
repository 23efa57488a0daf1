/* layers: cli */
/* What an unfinished walk remembers, in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "gr/base/buf.h"
#include "gr/cli/memory_view.h"

#define SPAN                                                                                       \
    "{\"hi\": \"2026-11-21T06:00:00Z\", \"lo\": \"2026-11-20T06:00:00Z\", \"cursor\": \"x\"}"
#define SCAN                                                                                       \
    "{\"pass\": 0, \"clock\": \"2026-11-21T07:00:00Z\", \"rows\": 4200, \"pages\": 42, "           \
    "\"cursor\": \"x\"}"
#define READ "{\"since\": \"2026-11-21T05:00:00Z\", \"floor\": \"2024-01-01T00:00:00Z\"}"

#define SPAN_SAYS "has read from 2026-11-21T06:00:00Z down to 2026-11-20T06:00:00Z, goes on below"
#define SCAN_SAYS                                                                                  \
    "reads everything: 4,200 rows on 42 pages wait in staging, begun 2026-11-21T07:00:00Z"

static void
says_what_is_remembered(void **state)
{
    static const struct {
        const char *json;
        const char *says;
    } cases[] = {
        {NULL, ""},
        {"{}", ""},
        {"no JSON", ""},
        {"{\"made\": true}", ""},
        {"{\"span\": " SPAN "}", SPAN_SAYS},
        {"{\"span\": {\"hi\": \"2026-11-21T06:00:00Z\"}}",
         ""}, /* no cursor: nothing to go on with */
        {"{\"scan\": " SCAN "}", SCAN_SAYS},
        {"{\"reread\": " SPAN "}",
         "reads the list once more for its queue, is at 2026-11-20T06:00:00Z"},
        {"{\"read\": " READ "}",
         "has read all from 2024-01-01 up, and is to settle its queue by it"},
        {"{\"scan\": " SCAN ", \"span\": " SPAN "}", SPAN_SAYS "; " SCAN_SAYS},
        {"{\"read\": " READ ", \"scan\": " SCAN "}",
         SCAN_SAYS "; has read all from 2024-01-01 up, and is to settle its queue by it"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gr_buf text = gr_buf_new(0);

        gr_buf_puts(&text, "x");
        gr_memory_view_put(cases[i].json, &text);
        assert_string_equal(gr_buf_text(&text) + 1, cases[i].says);
        gr_buf_free(&text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_is_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
