/* text.c - the inside of a JSON string: UTF-8, escapes, and what stands in their place. */
#include "gr/codec/text.h"

#include <string.h>

#include "gr/codec/block.h"

#define NOT_HEX UINT32_MAX

/* Reading and writing positions of a decoder. */
struct copy {
    const char *from;
    const char *end;
    char *to;
};

static uint32_t
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return (uint32_t)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (uint32_t)(c - 'a' + 10);
    if (c >= 'A' && c <= 'F')
        return (uint32_t)(c - 'A' + 10);
    return NOT_HEX;
}

/* The code of \uXXXX at `at`, or NOT_HEX. */
static uint32_t
unicode_escape(const char *at, const char *end)
{
    uint32_t code = 0;

    if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
        return NOT_HEX;
    for (int i = 2; i < 6; i++) {
        uint32_t digit = hex_digit(at[i]);

        if (digit == NOT_HEX)
            return NOT_HEX;
        code = code << 4 | digit;
    }
    return code;
}

static struct gr_escape
long_escape(const char *at, const char *end)
{
    uint32_t code = unicode_escape(at, end);
    uint32_t low;

    if (code == NOT_HEX)
        return (struct gr_escape){0, 0};
    if (code < 0xD800 || code > 0xDBFF)
        return (struct gr_escape){code, 6};
    low = unicode_escape(at + 6, end);
    if (low == NOT_HEX || low < 0xDC00 || low > 0xDFFF)
        return (struct gr_escape){code, 6};
    return (struct gr_escape){0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00), 12};
}

struct gr_escape
gr_text_escape(const char *at, const char *end)
{
    static const unsigned char plain[256] = {
        ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
        ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
    };
    unsigned char c;

    if (end - at < 2)
        return (struct gr_escape){0, 0};
    c = plain[(unsigned char)at[1]];
    if (c != 0)
        return (struct gr_escape){c, 2};
    return long_escape(at, end);
}

static char *
put_replacement(char *out)
{
    memcpy(out, GR_TEXT_REPLACEMENT, 3);
    return out + 3;
}

static void
decode_escape(struct copy *copy)
{
    struct gr_escape escape = gr_text_escape(copy->from, copy->end);

    if (escape.len == 0 || escape.code == 0 || gr_text_is_surrogate(escape.code))
        copy->to = put_replacement(copy->to);
    else
        copy->to = gr_utf8_put(copy->to, escape.code);
    copy->from += escape.len == 0 ? 1 : escape.len;
}

/* Copies up to the next backslash. The blocks that are written end within the room: what is still
   to be read is never longer than what is left of it. */
static void
copy_run(struct copy *copy)
{
    while (copy->end - copy->from >= GR_BLOCK_BYTES) {
        uint32_t backslashes = gr_block_equal(gr_block_load(copy->from), '\\');
        size_t plain = backslashes != 0 ? gr_mask_first(backslashes) : GR_BLOCK_BYTES;

        memcpy(copy->to, copy->from, GR_BLOCK_BYTES);
        copy->from += plain;
        copy->to += plain;
        if (backslashes != 0)
            return;
    }
    while (copy->from < copy->end && *copy->from != '\\')
        *copy->to++ = *copy->from++;
}

static void
copy_character(struct copy *copy)
{
    size_t len = gr_utf8_length(copy->from, copy->end);

    if (len == 0 || *copy->from == '\0') {
        copy->to = put_replacement(copy->to);
        copy->from++;
        return;
    }
    memcpy(copy->to, copy->from, len);
    copy->to += len;
    copy->from += len;
}

char *
gr_text_decode(char *out, const char *raw, size_t len, bool is_clean)
{
    struct copy copy = {raw, raw + len, out};

    while (copy.from < copy.end) {
        if (*copy.from == '\\')
            decode_escape(&copy);
        else if (is_clean)
            copy_run(&copy);
        else
            copy_character(&copy);
    }
    return copy.to;
}
