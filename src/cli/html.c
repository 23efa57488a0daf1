/* html.c - text as HTML. */
#include "gr/cli/html.h"

#include <string.h>

#include "gr/base/utf8.h"
#include "gr/cli/output.h"

/* clang-format off */
static const struct {
    char character;
    const char *entity;
} entities[] = {
    {'&',  "&amp;"},
    {'<',  "&lt;"},
    {'>',  "&gt;"},
    {'"',  "&quot;"},
    {'\'', "&#39;"},
};
/* clang-format on */

static void
put_character(struct gr_buf *out, char c)
{
    for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
        if (entities[i].character == c) {
            gr_buf_puts(out, entities[i].entity);
            return;
        }
    /* No control character is text; browsers make what they like of them. */
    if (((unsigned char)c < ' ' && c != '\n' && c != '\t') || c == 0x7f)
        gr_buf_puts(out, GR_TEXT_REPLACEMENT);
    else
        gr_buf_putc(out, c);
}

void
gr_html_put(struct gr_buf *out, const char *text)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf safe = gr_buf_new(0);
    GR_CLEANUP(gr_buf_free) struct gr_buf valid = gr_buf_new(0);

    if (text == NULL)
        return;
    gr_output_put_redacted(&safe, text);
    gr_utf8_put_valid(&valid, gr_buf_text(&safe), safe.len, SIZE_MAX);
    for (const char *c = gr_buf_text(&valid); *c != '\0'; c++)
        put_character(out, *c);
}

void
gr_html_put_in(struct gr_buf *out, const char *before, const char *text, const char *behind)
{
    gr_buf_puts(out, before);
    gr_html_put(out, text);
    gr_buf_puts(out, behind);
}
