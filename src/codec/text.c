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

/* Second bytes are where overlong forms, surrogates and what is beyond U+10FFFF show. */
size_t
gr_utf8_length(const char *at, const char *end)
{
    const unsigned char *b = (const unsigned char *)at;
    size_t left = (size_t)(end - at);
    size_t len;
    unsigned char low = 0x80, high = 0xBF;

    if (b[0] < 0x80)
        return 1;
    if (b[0] < 0xC2 || b[0] > 0xF4)
        return 0;
    len = b[0] < 0xE0 ? 2 : b[0] < 0xF0 ? 3 : 4;
    if (left < len)
        return 0;
    if (b[0] == 0xE0)
        low = 0xA0;
    else if (b[0] == 0xED)
        high = 0x9F;
    else if (b[0] == 0xF0)
        low = 0x90;
    else if (b[0] == 0xF4)
        high = 0x8F;
    if (b[1] < low || b[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((b[i] & 0xC0) != 0x80)
            return 0;
    return len;
}

char *
gr_utf8_put(char *out, uint32_t code)
{
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xC0 | code >> 6);
        *out++ = (char)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        *out++ = (char)(0xE0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 0x3F));
        *out++ = (char)(0x80 | (code & 0x3F));
    } else {
        *out++ = (char)(0xF0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 0x3F));
        *out++ = (char)(0x80 | (code >> 6 & 0x3F));
        *out++ = (char)(0x80 | (code & 0x3F));
    }
    return out;
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

void
gr_utf8_put_valid(struct gr_buf *out, const char *raw, size_t len, size_t max_bytes)
{
    const char *end = raw + len;
    const char *plain = raw; /* start of the bytes that are good as they are */
    size_t used = 0;

    while (raw < end) {
        size_t good = *raw == '\0' ? 0 : gr_utf8_length(raw, end);

        if (used + (good == 0 ? 3 : good) > max_bytes)
            break;
        used += good == 0 ? 3 : good;
        if (good == 0) {
            gr_buf_put(out, plain, (size_t)(raw - plain));
            gr_buf_puts(out, GR_TEXT_REPLACEMENT);
            plain = raw + 1;
        }
        raw += good == 0 ? 1 : good;
    }
    gr_buf_put(out, plain, (size_t)(raw - plain));
}
