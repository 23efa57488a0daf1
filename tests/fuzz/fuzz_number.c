/* layers: codec */
/* fuzz_number.c - any JSON number: integers as 128-bit arithmetic has them, doubles bit for bit as
   strtod has them. */
#include <errno.h>
#include <math.h>

#include "fuzz.h"
#include "gr/codec/number.h"

__extension__ typedef __int128 wide;

enum { EXPONENT_MAX = 60 };

/* The integer that digits and exponent make; false when that is no integer, or has no place in 128
   bits, or its exponent is written in more digits than this reads. */
static bool
slow_integer(const char *text, wide *out)
{
    bool is_negative = *text == '-';
    const char *at = text + (is_negative ? 1 : 0);
    const char *point = strchr(at, '.');
    char *end;
    size_t digits_len = strspn(at, "0123456789.");
    long exponent = at[digits_len] != '\0' ? strtol(at + digits_len + 1, &end, 10) : 0;
    wide value = 0;

    *out = 0;
    if (strspn(at, "0.") == digits_len)
        return true;
    if (digits_len > 30 || exponent > EXPONENT_MAX || exponent < -EXPONENT_MAX)
        return false;
    if (point != NULL)
        exponent -= (long)digits_len - 1 - (point - at);
    for (size_t i = 0; i < digits_len; i++)
        if (at[i] != '.')
            value = value * 10 + (at[i] - '0');
    for (; exponent > 0 && value != 0; exponent--) {
        if (value > ((wide)1 << 100))
            return false;
        value *= 10;
    }
    for (; exponent < 0 && value != 0; exponent++) {
        if (value % 10 != 0)
            return false;
        value /= 10;
    }
    *out = is_negative ? -value : value;
    return true;
}

static void
check_integer(const char *text, size_t len)
{
    int64_t number = 0;
    enum gr_number_fit fit = gr_number_int64(text, len, &number);
    wide value;

    if (!slow_integer(text, &value)) {
        require(fit != GR_NUMBER_FITS || strlen(text) > 20);
        return;
    }
    require((fit == GR_NUMBER_FITS) == (value >= INT64_MIN && value <= INT64_MAX));
    require(fit != GR_NUMBER_FITS || number == value);
}

static void
check_double(const char *text, size_t len)
{
    double expected = strtod(text, NULL);
    bool is_zero = text[strcspn(text, "123456789eE")] == '\0' ||
                   strchr("eE", text[strcspn(text, "123456789eE")]) != NULL;
    double number = 0;

    if (isinf(expected) || (fpclassify(expected) == FP_ZERO && !is_zero)) {
        require(!gr_number_double(text, len, &number));
        return;
    }
    require(gr_number_double(text, len, &number));
    require(memcmp(&number, &expected, sizeof(number)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t len = size > 0 ? gr_number_length((const char *)data, (const char *)data + size) : 0;
    char *text;

    require(len <= size);
    if (len == 0)
        return 0;
    text = malloc(len + 1);
    memcpy(text, data, len);
    text[len] = '\0';
    require(gr_number_length(text, text + len) == len);
    check_integer(text, len);
    check_double(text, len);
    /* What fits a bigint fits numeric as it is written, but for an absurd exponent or scale. */
    if (strlen(text) < 1000 && strpbrk(text, "eE") == NULL)
        require(gr_number_is_numeric(text, len));
    free(text);
    return 0;
}
