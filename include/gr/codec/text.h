/*
 * gr/codec/text.h - the inside of a JSON string: UTF-8, escapes, and what stands in their place.
 *
 * Owns    nothing; texts need not end in zero
 * Source  RFC 8259 section 7; RFC 3629 (UTF-8 up to U+10FFFF, no surrogates, shortest form)
 */
#ifndef GR_CODEC_TEXT_H
#define GR_CODEC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/buf.h"

#define GR_TEXT_REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD; 3 bytes */

/* What an escape stands for. A pair of surrogates is one escape of 12 bytes. */
struct gr_escape {
    uint32_t code; /* code point; a surrogate if it is unpaired */
    uint32_t len;  /* bytes; 0: not an escape of JSON           */
};

/* Reads the escape whose backslash is at `at`. */
struct gr_escape gr_text_escape(const char *at, const char *end);

static inline bool
gr_text_is_surrogate(uint32_t code)
{
    return code >= 0xD800 && code <= 0xDFFF;
}

/* Length of the UTF-8 sequence at `at` (which is before `end`); 0: there is none. */
size_t gr_utf8_length(const char *at, const char *end);

/* Writes a code point that is no surrogate; returns behind it. */
char *gr_utf8_put(char *out, uint32_t code);

/*
 * Decodes the inside of a JSON string that was scanned before; returns behind the last byte.
 * U+0000, unpaired surrogates and bytes that are not UTF-8 become U+FFFD each. `is_clean` says that
 * none of those are there: then `out` needs room for `len` bytes, else for three times as many.
 */
char *gr_text_decode(char *out, const char *raw, size_t len, bool is_clean);

/* Appends `raw` with bytes that are not UTF-8, and zero bytes, made U+FFFD; appends at most
   `max_bytes`, cut between characters. */
void gr_utf8_put_valid(struct gr_buf *out, const char *raw, size_t len, size_t max_bytes);

#endif
