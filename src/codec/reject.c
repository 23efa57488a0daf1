/* reject.c - values, or whole objects, that a table cannot hold as they came. */
#include "gr/codec/reject.h"

#include "gr/base/alloc.h"
#include "gr/base/utf8.h"

void
gr_rejects_cut(struct gr_rejects *rejects, size_t count)
{
    while (rejects->count > count) {
        rejects->count--;
        gr_free(rejects->items[rejects->count].key);
        gr_free(rejects->items[rejects->count].reason);
        gr_free(rejects->items[rejects->count].original);
    }
}

void
gr_rejects_free(struct gr_rejects *rejects)
{
    gr_rejects_cut(rejects, 0);
    gr_free(rejects->items);
    *rejects = (struct gr_rejects){0};
}

void
gr_rejects_add(struct gr_rejects *rejects, char *key, const char *column, const char *reason,
               const char *original, size_t original_len)
{
    struct gr_buf text = gr_buf_new(0);
    struct gr_buf why = gr_buf_new(0);

    gr_buf_puts(&why, reason);
    if (original_len > GR_REJECT_BYTES)
        gr_buf_printf(&why, "; the original is cut: it has %zu bytes", original_len);
    if (rejects->count == rejects->cap) {
        rejects->cap = rejects->cap == 0 ? 8 : 2 * rejects->cap;
        rejects->items = gr_realloc(rejects->items, rejects->cap, sizeof(rejects->items[0]));
    }
    gr_utf8_put_valid(&text, original, original_len, GR_REJECT_BYTES);
    rejects->items[rejects->count++] = (struct gr_reject){
        .key = key,
        .column = column,
        .reason = gr_buf_take(&why),
        .original = gr_buf_take(&text),
    };
}
