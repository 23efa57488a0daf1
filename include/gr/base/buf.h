/*
 * gr/base/buf.h - growable bytes with a hard limit and a sticky failure.
 *
 * A buffer fails once and stays failed: appends after the first failure do nothing, so an encoder
 * writes a whole row and asks for `failed` a single time. `data` always has a zero byte behind its
 * `len` bytes, so that text built in a buffer is a C string.
 *
 * Shape   gr_buf_new, put*, then take or free
 * Owns    data is owned by the struct; gr_buf_take gives it
 */
#ifndef GR_BASE_BUF_H
#define GR_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/attr.h"

struct gr_buf {
    char *data;         /* owned; NULL until the first put                       */
    size_t len;         /* bytes in use                                          */
    size_t cap;         /* bytes allocated                                       */
    size_t limit;       /* len may not pass this, in bytes; 0 means 2^40         */
    const char *failed; /* NULL, or the static text of what went wrong first     */
};

/* An empty buffer that may grow to `limit_bytes` (0: as far as memory goes). */
struct gr_buf gr_buf_new(size_t limit_bytes);

/* Frees what the buffer owns; it is empty again and keeps its limit. */
void gr_buf_free(struct gr_buf *buf);

/* Forgets content and failure, keeps the memory. */
void gr_buf_reset(struct gr_buf *buf);

void gr_buf_put(struct gr_buf *buf, const void *bytes, size_t len);
void gr_buf_puts(struct gr_buf *buf, const char *text);
void gr_buf_putc(struct gr_buf *buf, char c);
void gr_buf_printf(struct gr_buf *buf, const char *fmt, ...) GR_PRINTF(2, 3);
void gr_buf_vprintf(struct gr_buf *buf, const char *fmt, va_list args) GR_PRINTF(2, 0);

/* Has room for `bytes` in all, so that putting as many moves nothing. */
void gr_buf_reserve(struct gr_buf *buf, size_t bytes);

/* Makes room for `len` bytes and counts them in; NULL when the buffer has failed. */
char *gr_buf_extend(struct gr_buf *buf, size_t len);

/* Gives the zero-terminated content, leaves the buffer empty. */
char *gr_buf_take(struct gr_buf *buf);

/* The content as a C string, never NULL; borrowed until the next put. */
const char *gr_buf_text(const struct gr_buf *buf);

#endif
