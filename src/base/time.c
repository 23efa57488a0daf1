/* time.c - clocks, dates and durations. */
#include "gr/base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define US_PER_S INT64_C(1000000)
/* A hundred years: more is a mistake. */
#define DURATION_MAX_MS INT64_C(3155760000000)
#define US_PER_DAY      (INT64_C(86400) * US_PER_S)

int64_t
gr_clock_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
gr_clock_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

void
gr_clock_sleep(int64_t ms)
{
    struct timespec pause = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};

    if (ms > 0)
        (void)nanosleep(&pause, NULL);
}

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar, by whole 400-year eras. */
static int64_t
days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

static void
date_of(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;

    *day = day_of_year - (153 * shifted + 2) / 5 + 1;
    *month = shifted < 10 ? shifted + 3 : shifted - 9;
    *year = year_of_era + era * 400 + (*month <= 2 ? 1 : 0);
}

static int64_t
days_in_month(int64_t year, int64_t month)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && is_leap ? 29 : days[month - 1];
}

/* A reader over a text that is not zero-terminated. */
struct scan {
    const char *at;
    const char *end;
};

static inline bool
two_digits(struct scan *scan, int64_t *value_out)
{
    unsigned tens, ones;

    if (scan->end - scan->at < 2)
        return false;
    tens = (unsigned)scan->at[0] - '0';
    ones = (unsigned)scan->at[1] - '0';
    scan->at += 2;
    *value_out = 10 * tens + ones;
    return tens <= 9 && ones <= 9;
}

static inline bool
four_digits(struct scan *scan, int64_t *value_out)
{
    int64_t low;

    if (!two_digits(scan, value_out) || !two_digits(scan, &low))
        return false;
    *value_out = *value_out * 100 + low;
    return true;
}

static bool
accept(struct scan *scan, char c)
{
    if (scan->at == scan->end || *scan->at != c)
        return false;
    scan->at++;
    return true;
}

static bool
parse_fraction(struct scan *scan, int64_t *us_out)
{
    static const int64_t units[] = {US_PER_S, 100000, 10000, 1000, 100, 10, 1};
    enum { PLACES = 6 };
    const char *from = scan->at;
    int64_t value = 0;
    int places = 0;

    for (; scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9'; scan->at++) {
        if (places == PLACES)
            continue;
        value = value * 10 + (*scan->at - '0');
        places++;
    }
    *us_out = value * units[places];
    return scan->at > from;
}

static bool
parse_offset(struct scan *scan, int64_t *us_out)
{
    int64_t sign, hours, minutes = 0;

    *us_out = 0;
    if (scan->at == scan->end || accept(scan, 'Z') || accept(scan, 'z'))
        return true;
    if (accept(scan, '+'))
        sign = 1;
    else if (accept(scan, '-'))
        sign = -1;
    else
        return false;
    if (!two_digits(scan, &hours))
        return false;
    (void)accept(scan, ':');
    if (scan->at < scan->end && !two_digits(scan, &minutes))
        return false;
    if (hours > 23 || minutes > 59)
        return false;
    *us_out = sign * (hours * 60 + minutes) * 60 * US_PER_S;
    return true;
}

bool
gr_time_parse(const char *text, size_t len, int64_t *us_out)
{
    struct scan scan = {text, text + len};
    int64_t year, month, day, hour = 0, minute = 0, second = 0, fraction = 0, offset = 0;

    if (!four_digits(&scan, &year) || !accept(&scan, '-') || !two_digits(&scan, &month) ||
        !accept(&scan, '-') || !two_digits(&scan, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    if (scan.at < scan.end) {
        if (!accept(&scan, 'T') && !accept(&scan, 't') && !accept(&scan, ' '))
            return false;
        if (!two_digits(&scan, &hour) || !accept(&scan, ':') || !two_digits(&scan, &minute))
            return false;
        if (accept(&scan, ':') && (!two_digits(&scan, &second) ||
                                   (accept(&scan, '.') && !parse_fraction(&scan, &fraction))))
            return false;
        if (!parse_offset(&scan, &offset) || scan.at != scan.end)
            return false;
        if (hour > 23 || minute > 59 || second > 60)
            return false;
    }
    *us_out = days_of(year, month, day) * US_PER_DAY +
              ((hour * 60 + minute) * 60 + second) * US_PER_S + fraction - offset;
    return true;
}

bool
gr_time_parse_http(const char *text, int64_t *us_out)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const char *comma = strchr(text, ',');
    struct scan scan;
    int64_t day, year, hour, minute, second;
    const char *month;
    char name[4] = "";

    if (comma == NULL)
        return false;
    scan = (struct scan){comma + 1, text + strlen(text)};
    if (!accept(&scan, ' ') || !two_digits(&scan, &day) || !accept(&scan, ' ') ||
        scan.end - scan.at < 4)
        return false;
    memcpy(name, scan.at, 3);
    scan.at += 3;
    month = strstr(months, name);
    if (month == NULL || (month - months) % 3 != 0)
        return false;
    if (!accept(&scan, ' ') || !four_digits(&scan, &year) || !accept(&scan, ' ') ||
        !two_digits(&scan, &hour) || !accept(&scan, ':') || !two_digits(&scan, &minute) ||
        !accept(&scan, ':') || !two_digits(&scan, &second) || strcmp(scan.at, " GMT") != 0)
        return false;
    if (day < 1 || day > days_in_month(year, (month - months) / 3 + 1) || hour > 23 ||
        minute > 59 || second > 60)
        return false;
    *us_out = days_of(year, (month - months) / 3 + 1, day) * US_PER_DAY +
              ((hour * 60 + minute) * 60 + second) * US_PER_S;
    return true;
}

void
gr_time_format(int64_t us, char text[GR_TIME_TEXT])
{
    int64_t days, rest, seconds, year, month, day;

    if (us == GR_TIME_NONE) {
        (void)snprintf(text, GR_TIME_TEXT, "-");
        return;
    }
    days = us / US_PER_DAY;
    rest = us % US_PER_DAY;
    if (rest < 0) {
        rest += US_PER_DAY;
        days--;
    }
    date_of(days, &year, &month, &day);
    seconds = rest / US_PER_S;
    (void)snprintf(text, GR_TIME_TEXT,
                   "%04" PRId64 "-%02" PRId64 "-%02" PRId64 "T%02" PRId64 ":%02" PRId64
                   ":%02" PRId64 ".%06" PRId64 "Z",
                   year, month, day, seconds / 3600, seconds / 60 % 60, seconds % 60,
                   rest % US_PER_S);
}

bool
gr_duration_parse(const char *text, int64_t *ms_out)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    int64_t total = 0;
    bool any = false;

    while (*text != '\0') {
        int64_t value = 0;
        size_t len = 0;
        const char *from = text;

        for (; *text >= '0' && *text <= '9'; text++) {
            if (value > DURATION_MAX_MS)
                return false;
            value = value * 10 + (*text - '0');
        }
        if (text == from)
            return false;
        if (*text == '\0' && !any) {
            if (value > DURATION_MAX_MS / 1000)
                return false;
            *ms_out = value * 1000;
            return true;
        }
        for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && len == 0; i++) {
            size_t n = strlen(units[i].name);

            if (strncmp(text, units[i].name, n) == 0 &&
                (text[n] == '\0' || (text[n] >= '0' && text[n] <= '9'))) {
                if (value > (DURATION_MAX_MS - total) / units[i].ms)
                    return false;
                total += value * units[i].ms;
                len = n;
            }
        }
        if (len == 0)
            return false;
        text += len;
        any = true;
    }
    if (any)
        *ms_out = total;
    return any;
}

void
gr_duration_format(int64_t ms, char text[GR_TIME_TEXT])
{
    if (ms < 1000)
        (void)snprintf(text, GR_TIME_TEXT, "%" PRId64 "ms", ms);
    else if (ms < 60000)
        (void)snprintf(text, GR_TIME_TEXT, "%" PRId64 ".%" PRId64 "s", ms / 1000, ms % 1000 / 100);
    else if (ms < 3600000)
        (void)snprintf(text, GR_TIME_TEXT, "%" PRId64 "m %02" PRId64 "s", ms / 60000,
                       ms / 1000 % 60);
    else
        (void)snprintf(text, GR_TIME_TEXT, "%" PRId64 "h %02" PRId64 "m", ms / 3600000,
                       ms / 60000 % 60);
}
