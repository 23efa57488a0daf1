/*
 * gr/codec/text.h - the inside of a JSON string: UTF-8, escapes, and what stands in their place.
 *
 * Owns    nothing; texts need not end in zero
 * Source  RFC 8259 section 7; gr/base/utf8.h
 */
#ifndef GR_CODEC_TEXT_H
#define GR_CODEC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/utf8.h"

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

/*
 * Decodes the inside of a JSON string that was scanned before; returns behind the last byte.
 * U+0000, unpaired surrogates and bytes that are not UTF-8 become U+FFFD each. `is_clean` says that
 * none of those are there: then `out` needs room for `len` bytes, else for three times as many.
 */
char *gr_text_decode(char *out, const char *raw, size_t len, bool is_clean);

#endif
