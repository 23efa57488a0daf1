/* text.c - text cut and filled to a width, and numbers for people. */
#include "gr/cli/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Bytes 10xxxxxx go on with a character, all others begin one. */
static bool
begins(char byte)
{
    return ((unsigned char)byte & 0xC0U) != 0x80U;
}

size_t
gr_text_width(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += begins(*text) ? 1 : 0;
    return width;
}

void
gr_text_cut(struct gr_buf *out, const char *text, size_t width)
{
    size_t len = 0;

    if (gr_text_width(text) <= width) {
        gr_buf_puts(out, text);
        return;
    }
    if (width == 0)
        return;
    for (size_t columns = 0; columns < width; columns++)
        for (len++; !begins(text[len]); len++)
            ;
    while (len > 0 && !begins(text[len - 1]))
        len--;
    len = len > 0 ? len - 1 : 0;
    while (len > 0 && text[len - 1] == ' ')
        len--;
    gr_buf_put(out, text, len);
    gr_buf_puts(out, "…");
}

void
gr_text_pad(struct gr_buf *out, const char *text, size_t width, bool is_right)
{
    size_t have = gr_text_width(text);
    size_t missing = have < width ? width - have : 0;

    if (!is_right)
        gr_buf_puts(out, text);
    for (; missing > 0; missing--)
        gr_buf_putc(out, ' ');
    if (is_right)
        gr_buf_puts(out, text);
}

void
gr_text_join(struct gr_buf *out, const char *text)
{
    gr_buf_printf(out, "%s%s", out->len > 0 ? "; " : "", text);
}

const char *
gr_text_number(int64_t number, char text[GR_TEXT_NUMBER])
{
    char digits[GR_TEXT_NUMBER];
    const char *from = digits;
    size_t len, at = 0;

    (void)snprintf(digits, sizeof(digits), "%" PRId64, number);
    if (*from == '-')
        text[at++] = *from++;
    len = strlen(from);
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            text[at++] = ',';
        text[at++] = from[i];
    }
    text[at] = '\0';
    return text;
}
