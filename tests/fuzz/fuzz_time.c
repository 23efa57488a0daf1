/* layers: spec */
/* fuzz_time.c - any text as a datetime, a duration, a range: what is taken is in bounds and comes
   back the same when it is written and read again. */
#include "fuzz.h"
#include "gr/base/time.h"
#include "gr/spec/plan.h"

#define YEAR_0_US   INT64_C(-62167219200000000)
#define YEAR_10K_US INT64_C(253402300800000000)
#define DAY_US      INT64_C(86400000000)
#define CENTURY_MS  INT64_C(3155760000000)

static void
check_datetime(const char *text, size_t len)
{
    char shown[GR_TIME_TEXT];
    char copy[GR_TIME_TEXT] = "";
    int64_t us, again;

    if (!gr_time_parse(text, len, &us))
        return;
    memcpy(copy, text, len < sizeof(copy) ? len : sizeof(copy) - 1);
    require(us >= YEAR_0_US - DAY_US && us <= YEAR_10K_US + DAY_US);
    gr_time_format(us, shown);
    /* Only a leap second and an offset may make another day of it. */
    if (len == 10 ||
        (len < sizeof(copy) && strstr(copy, ":60") == NULL && strpbrk(copy + 10, "+-") == NULL))
        require(memcmp(copy, shown, 10) == 0);
    if (us < YEAR_0_US || us >= YEAR_10K_US)
        return;
    require(strlen(shown) == 27);
    require(gr_time_parse(shown, 27, &again) && again == us);
    require(gr_time_parse(shown, 26, &again) && again == us);
}

static void
check_duration(const char *text)
{
    char shown[GR_TIME_TEXT];
    int64_t ms = -1;

    if (!gr_duration_parse(text, &ms))
        return;
    require(ms >= 0 && ms <= CENTURY_MS);
    gr_duration_format(ms, shown);
    require(strlen(shown) < 32);
}

static void
check_range(const char *text)
{
    int64_t from_us, to_us;

    if (!gr_range_parse(text, &from_us, &to_us))
        return;
    require(from_us != GR_TIME_NONE || to_us != GR_TIME_NONE);
    require(from_us == GR_TIME_NONE || to_us == GR_TIME_NONE || from_us <= to_us);
}

/* Any instant, not only those that have a text. */
static void
check_instant(const uint8_t *data, size_t size)
{
    char shown[GR_TIME_TEXT];
    int64_t us = 0, again;

    memcpy(&us, data, size < sizeof(us) ? size : sizeof(us));
    gr_time_format(us, shown);
    require(strlen(shown) < GR_TIME_TEXT - 1);
    if (us >= YEAR_0_US && us < YEAR_10K_US)
        require(gr_time_parse(shown, strlen(shown), &again) && again == us);
    if (us >= 0) {
        gr_duration_format(us, shown);
        require(strlen(shown) < GR_TIME_TEXT - 1);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    int64_t us;

    memcpy(text, data, size);
    text[size] = '\0';
    check_datetime((const char *)data, size);
    check_duration(text);
    check_range(text);
    if (gr_time_parse_http(text, &us))
        require(us >= YEAR_0_US && us <= YEAR_10K_US);
    check_instant(data, size);
    free(text);
    return 0;
}
