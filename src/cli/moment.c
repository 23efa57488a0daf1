/* moment.c - instants and ages for people. */
#include "gr/cli/moment.h"

#include <inttypes.h>
#include <string.h>

#include "gr/base/time.h"

#define MINUTE_US INT64_C(60000000)
#define DAY_US    (1440 * MINUTE_US)

void
gr_moment_put(int64_t us, const char *otherwise, struct gr_buf *out)
{
    char text[GR_TIME_TEXT];

    if (us == GR_TIME_NONE) {
        gr_buf_puts(out, otherwise);
        return;
    }
    gr_time_format(us, text);
    if (strcmp(text + 10, "T00:00:00.000000Z") == 0)
        gr_buf_printf(out, "%.10s", text);
    else
        gr_buf_printf(out, "%.19sZ", text);
}

/* Whole seconds, and days from two on: nobody wants to know it more exactly. */
void
gr_moment_put_age(int64_t us, int64_t now_us, const char *otherwise, struct gr_buf *out)
{
    int64_t age_us;
    char text[GR_TIME_TEXT];

    if (us == GR_TIME_NONE || now_us == GR_TIME_NONE) {
        gr_buf_puts(out, otherwise);
        return;
    }
    age_us = us > now_us ? 0 : now_us - us;
    if (age_us >= 2 * DAY_US) {
        gr_buf_printf(out, "%" PRId64 "d", age_us / DAY_US);
    } else if (age_us < MINUTE_US) {
        gr_buf_printf(out, "%" PRId64 "s", age_us / 1000000);
    } else {
        gr_duration_format(age_us / 1000, text);
        gr_buf_puts(out, text);
    }
}

void
gr_moment_put_span(int64_t ms, struct gr_buf *out)
{
    char text[GR_TIME_TEXT];

    if (ms < 1000) {
        gr_buf_puts(out, "<1s");
        return;
    }
    gr_duration_format(ms, text);
    gr_buf_puts(out, text);
}
