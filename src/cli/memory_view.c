/* memory_view.c - what an unfinished walk remembers, in words. */
#include "gr/cli/memory_view.h"

#include "gr/base/time.h"
#include "gr/cli/moment.h"
#include "gr/cli/text.h"
#include "gr/walk/memory.h"

static void
begin(struct gr_buf *out, size_t before)
{
    if (out->len > before)
        gr_buf_puts(out, "; ");
}

static void
put_span(const struct gr_span *span, struct gr_buf *out)
{
    gr_buf_puts(out, "has read from ");
    gr_moment_put(span->hi_us, "the top", out);
    gr_buf_puts(out, " down to ");
    gr_moment_put(span->lo_us, "the top", out);
    gr_buf_puts(out, ", goes on below");
}

static void
put_scan(const struct gr_scan *scan, struct gr_buf *out)
{
    char rows[GR_TEXT_NUMBER], pages[GR_TEXT_NUMBER];

    gr_buf_printf(out, "reads everything: %s row%s on %s page%s wait in staging",
                  gr_text_number(scan->staged_rows, rows), scan->staged_rows == 1 ? "" : "s",
                  gr_text_number(scan->pages, pages), scan->pages == 1 ? "" : "s");
    gr_buf_puts(out, ", begun ");
    gr_moment_put(scan->clock_us, "now", out);
}

void
gr_memory_view_put(const char *json, struct gr_buf *out)
{
    struct gr_walk walk = {.read_since_us = GR_TIME_NONE, .floor_us = INT64_MAX};
    size_t before = out->len;

    gr_walk_recall(&walk, json);
    if (walk.span.is_open)
        put_span(&walk.span, out);
    if (walk.scan.is_active) {
        begin(out, before);
        put_scan(&walk.scan, out);
    }
    if (walk.reread.is_open) {
        begin(out, before);
        gr_buf_puts(out, "reads the list once more for its queue, is at ");
        gr_moment_put(walk.reread.lo_us, "the top", out);
    }
    if (walk.read_since_us != GR_TIME_NONE) {
        begin(out, before);
        gr_buf_puts(out, "has read all from ");
        gr_moment_put(walk.floor_us, "the beginning", out);
        gr_buf_puts(out, " up, and is to settle its queue by it");
    }
    gr_walk_free(&walk);
}
