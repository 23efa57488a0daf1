/*
 * gr/base/utf8.h - UTF-8, and what takes the place of what is none.
 *
 * Owns    nothing; texts need not end in zero
 * Source  RFC 3629 (up to U+10FFFF, no surrogates, shortest form)
 */
#ifndef GR_BASE_UTF8_H
#define GR_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

#include "gr/base/buf.h"

#define GR_TEXT_REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD; 3 bytes */

/* Length of the UTF-8 sequence at `at` (which is before `end`); 0: there is none. */
size_t gr_utf8_length(const char *at, const char *end);

/* Writes a code point that is no surrogate; returns behind it. */
char *gr_utf8_put(char *out, uint32_t code);

/* Appends `raw` with bytes that are not UTF-8, and zero bytes, made U+FFFD; appends at most
   `max_bytes`, cut between characters. */
void gr_utf8_put_valid(struct gr_buf *out, const char *raw, size_t len, size_t max_bytes);

/* The most bytes of valid UTF-8 that are no more than `max_bytes` and end between characters. */
size_t gr_utf8_cut(const char *text, size_t len, size_t max_bytes);

#endif
