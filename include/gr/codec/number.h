/*
 * gr/codec/number.h - JSON numbers as int64_t, double, and PostgreSQL's numeric.
 *
 * Units   texts are numbers in JSON's grammar, `len` bytes, not ending in zero
 * Errors  none; what does not fit is said, nothing is rounded to an integer
 * Source  RFC 8259 section 6; PostgreSQL 15, src/backend/utils/adt/numeric.c (set_var_from_str,
 *         make_result): 131072 digits before the point, 16383 after, whatever the exponent does
 */
#ifndef GR_CODEC_NUMBER_H
#define GR_CODEC_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length of the JSON number at `at`, 0 if there is none; what follows is not looked at. */
size_t gr_number_length(const char *at, const char *end);

enum gr_number_fit { GR_NUMBER_FITS, GR_NUMBER_NOT_WHOLE, GR_NUMBER_BEYOND };

/* Digits only, or with a fraction or exponent that leaves it whole: 5.0, 1e2, 100e-2. */
enum gr_number_fit gr_number_int64(const char *text, size_t len, int64_t *out);

/* The nearest double; false where that is an infinity, or zero for what is not zero. Relies on the
   "C" locale, which this program never leaves. */
bool gr_number_double(const char *text, size_t len, double *out);

/* True if numeric, and so jsonb, accepts it. */
bool gr_number_is_numeric(const char *text, size_t len);

#endif
