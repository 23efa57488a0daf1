/* utf8.c - UTF-8 by the byte. */
#include "gr/base/utf8.h"

#include <stdbool.h>

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

size_t
gr_utf8_cut(const char *text, size_t len, size_t max_bytes)
{
    if (len <= max_bytes)
        return len;
    while (max_bytes > 0 && ((unsigned char)text[max_bytes] & 0xC0) == 0x80)
        max_bytes--;
    return max_bytes;
}
