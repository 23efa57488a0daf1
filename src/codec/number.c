/* number.c - JSON numbers as int64_t, double, and PostgreSQL's numeric. */
#include "gr/codec/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gr/base/alloc.h"

enum {
    NUMERIC_EXPONENT_MAX = INT32_MAX / 2, /* numeric refuses an exponent of this size, even of 0 */
    NUMERIC_SCALE_MAX = 16383,            /* digits after the point                              */
    NUMERIC_PLACE_MAX = 131071,           /* power of ten of the first digit                     */
    SHORT_BYTES = 64
};

/* An exponent beyond this has the same fate as this one; no text is that long. */
#define EXPONENT_LIMIT (INT64_C(1) << 60)

/* value = digits x 10^exponent, the digits standing around a point. */
struct parts {
    const char *whole;
    const char *fraction;
    size_t whole_len;
    size_t fraction_len;
    int64_t exponent; /* as written: of the number with its point */
    bool is_negative;
};

static const char *
skip_digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

size_t
gr_number_length(const char *at, const char *end)
{
    const char *from = at;
    const char *last;

    if (at < end && *at == '-')
        at++;
    last = skip_digits(at, end);
    if (last == at || (*at == '0' && last - at > 1))
        return 0;
    at = last;
    if (at < end && *at == '.') {
        last = skip_digits(at + 1, end);
        if (last == at + 1)
            return 0;
        at = last;
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        last = skip_digits(at, end);
        if (last == at)
            return 0;
    }
    return (size_t)(last - from);
}

static int64_t
exponent_of(const char *at, const char *end)
{
    int64_t value = 0;
    bool is_negative = at < end && *at == '-';

    if (at < end && (*at == '-' || *at == '+'))
        at++;
    for (; at < end; at++)
        if (value < EXPONENT_LIMIT / 16)
            value = value * 10 + (*at - '0');
    return is_negative ? -value : value;
}

static struct parts
take_apart(const char *text, size_t len)
{
    const char *end = text + len;
    struct parts parts = {.is_negative = len > 0 && *text == '-'};
    const char *at = text + (parts.is_negative ? 1 : 0);

    parts.whole = at;
    at = skip_digits(at, end);
    parts.whole_len = (size_t)(at - parts.whole);
    parts.fraction = at;
    if (at < end && *at == '.') {
        parts.fraction = at + 1;
        at = skip_digits(at + 1, end);
        parts.fraction_len = (size_t)(at - parts.fraction);
    }
    if (at < end)
        parts.exponent = exponent_of(at + 1, end);
    return parts;
}

/* The digits as one row, without the point. */
static int
digit_at(const struct parts *parts, size_t index)
{
    return (index < parts->whole_len ? parts->whole[index]
                                     : parts->fraction[index - parts->whole_len]) -
           '0';
}

/* What the digits amount to: `mantissa` x 10^`exponent`, no zeros at its end. */
struct scaled {
    uint64_t mantissa;
    int64_t exponent;
    bool is_exact; /* false: more than 19 digits, mantissa is unset */
};

static struct scaled
scale(const struct parts *parts)
{
    size_t first = 0;
    size_t end = parts->whole_len + parts->fraction_len;
    struct scaled scaled = {.is_exact = true};

    while (first < end && digit_at(parts, first) == 0)
        first++;
    while (end > first && digit_at(parts, end - 1) == 0)
        end--;
    if (first == end)
        return scaled;
    scaled.exponent = parts->exponent + (int64_t)parts->whole_len - (int64_t)end;
    scaled.is_exact = end - first <= 19;
    for (; scaled.is_exact && first < end; first++)
        scaled.mantissa = scaled.mantissa * 10 + (uint64_t)digit_at(parts, first);
    return scaled;
}

static enum gr_number_fit
signed_value(uint64_t magnitude, bool is_negative, int64_t *out)
{
    if (magnitude > (uint64_t)INT64_MAX + (is_negative ? 1 : 0))
        return GR_NUMBER_BEYOND;
    if (!is_negative)
        *out = (int64_t)magnitude;
    else
        *out = magnitude == 0 ? 0 : -(int64_t)(magnitude - 1) - 1;
    return GR_NUMBER_FITS;
}

/* Up to 18 digits and nothing else, which is what ids look like. */
static bool
plain_int64(const char *text, size_t len, int64_t *out)
{
    size_t start = len > 0 && text[0] == '-' ? 1 : 0;
    int64_t value = 0;

    if (len == start || len - start > 18)
        return false;
    for (size_t i = start; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        value = value * 10 + (text[i] - '0');
    }
    *out = start == 1 ? -value : value;
    return true;
}

enum gr_number_fit
gr_number_int64(const char *text, size_t len, int64_t *out)
{
    struct parts parts;
    struct scaled scaled;

    if (plain_int64(text, len, out))
        return GR_NUMBER_FITS;
    parts = take_apart(text, len);
    scaled = scale(&parts);
    if (scaled.exponent < 0)
        return GR_NUMBER_NOT_WHOLE;
    if (!scaled.is_exact)
        return GR_NUMBER_BEYOND;
    for (; scaled.exponent > 0 && scaled.mantissa <= INT64_MAX; scaled.exponent--) {
        if (scaled.mantissa > (uint64_t)INT64_MAX / 5)
            return GR_NUMBER_BEYOND;
        scaled.mantissa *= 10;
    }
    if (scaled.exponent > 0)
        return GR_NUMBER_BEYOND;
    return signed_value(scaled.mantissa, parts.is_negative, out);
}

/* strtod wants a zero behind the text. */
static double
slow_double(const char *text, size_t len)
{
    char small[SHORT_BYTES];
    double value;

    if (len < sizeof(small)) {
        memcpy(small, text, len);
        small[len] = '\0';
        value = strtod(small, NULL);
    } else {
        GR_CLEANUP(gr_free_var) char *copy = gr_strndup(text, len);

        value = strtod(copy, NULL);
    }
    return value;
}

bool
gr_number_double(const char *text, size_t len, double *out)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    struct parts parts = take_apart(text, len);
    struct scaled scaled = scale(&parts);
    double value;

    /* Both operands are exact, so the one operation rounds right (Clinger). */
    if (scaled.is_exact && scaled.mantissa <= UINT64_C(1) << 53 && scaled.exponent >= -22 &&
        scaled.exponent <= 22) {
        value = (double)scaled.mantissa;
        value = scaled.exponent < 0 ? value / powers[-scaled.exponent]
                                    : value * powers[scaled.exponent];
        *out = parts.is_negative ? -value : value;
        return true;
    }
    value = slow_double(text, len);
    if (isinf(value) || fpclassify(value) == FP_ZERO)
        return false;
    *out = value;
    return true;
}

bool
gr_number_is_numeric(const char *text, size_t len)
{
    struct parts parts = take_apart(text, len);
    size_t count = parts.whole_len + parts.fraction_len;
    size_t first = 0;

    if (parts.exponent >= NUMERIC_EXPONENT_MAX || parts.exponent <= -NUMERIC_EXPONENT_MAX)
        return false;
    if ((int64_t)parts.fraction_len - parts.exponent > NUMERIC_SCALE_MAX)
        return false;
    while (first < count && digit_at(&parts, first) == 0)
        first++;
    return first == count ||
           (int64_t)parts.whole_len - 1 - (int64_t)first + parts.exponent <= NUMERIC_PLACE_MAX;
}
