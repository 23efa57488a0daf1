/* buf.c - growable bytes with a hard limit and a sticky failure. */
#include "gr/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gr/base/alloc.h"

struct gr_buf
gr_buf_new(size_t limit_bytes)
{
    return (struct gr_buf){.limit = limit_bytes};
}

void
gr_buf_free(struct gr_buf *buf)
{
    gr_free(buf->data);
    *buf = (struct gr_buf){.limit = buf->limit};
}

void
gr_buf_reset(struct gr_buf *buf)
{
    buf->len = 0;
    buf->failed = NULL;
    if (buf->data != NULL)
        buf->data[0] = '\0';
}

void
gr_buf_reserve(struct gr_buf *buf, size_t bytes)
{
    if (buf->failed != NULL || buf->cap > bytes)
        return;
    buf->data = gr_realloc(buf->data, bytes + 1, 1);
    buf->data[buf->len] = '\0';
    buf->cap = bytes + 1;
}

char *
gr_buf_extend(struct gr_buf *buf, size_t len)
{
    size_t limit = buf->limit == 0 ? (size_t)1 << 40 : buf->limit;
    char *at;

    if (buf->failed != NULL)
        return NULL;
    if (len > limit - buf->len) {
        buf->failed = "larger than its limit";
        return NULL;
    }
    if (buf->cap - buf->len < len + 1) {
        size_t cap = buf->cap < 256 ? 256 : buf->cap;

        while (cap - buf->len < len + 1)
            cap += cap / 2;
        buf->data = gr_realloc(buf->data, cap, 1);
        buf->cap = cap;
    }
    at = buf->data + buf->len;
    buf->len += len;
    buf->data[buf->len] = '\0';
    return at;
}

void
gr_buf_put(struct gr_buf *buf, const void *bytes, size_t len)
{
    char *at = gr_buf_extend(buf, len);

    if (at != NULL && len > 0)
        memcpy(at, bytes, len);
}

void
gr_buf_puts(struct gr_buf *buf, const char *text)
{
    gr_buf_put(buf, text, strlen(text));
}

void
gr_buf_putc(struct gr_buf *buf, char c)
{
    gr_buf_put(buf, &c, 1);
}

void
gr_buf_vprintf(struct gr_buf *buf, const char *fmt, va_list args)
{
    char small[256];
    va_list again;
    int len;
    char *at;

    va_copy(again, args);
    len = vsnprintf(small, sizeof(small), fmt, args);
    if (len < 0)
        buf->failed = "cannot be formatted";
    else if ((size_t)len < sizeof(small))
        gr_buf_put(buf, small, (size_t)len);
    else if ((at = gr_buf_extend(buf, (size_t)len)) != NULL)
        (void)vsnprintf(at, (size_t)len + 1, fmt, again);
    va_end(again);
}

void
gr_buf_printf(struct gr_buf *buf, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    gr_buf_vprintf(buf, fmt, args);
    va_end(args);
}

char *
gr_buf_take(struct gr_buf *buf)
{
    char *data = buf->data != NULL ? buf->data : gr_alloc(1, 1);

    *buf = (struct gr_buf){.limit = buf->limit};
    return data;
}

const char *
gr_buf_text(const struct gr_buf *buf)
{
    return buf->data != NULL ? buf->data : "";
}
