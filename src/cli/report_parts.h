/* report_parts.h - pieces of the report's page. */
#ifndef GR_SRC_CLI_REPORT_PARTS_H
#define GR_SRC_CLI_REPORT_PARTS_H

#include "gr/base/alloc.h"
#include "gr/cli/report_page.h"

struct page {
    const struct gr_plan *plan;
    const struct gr_overview *overview;
    const struct gr_history *history;
    struct gr_arena *arena; /* texts that charts and tables show */
    struct gr_buf *out;
};

/* How it stands. */
void gr_report_put_freshness(struct page *page);
void gr_report_put_queue(struct page *page);
void gr_report_put_budget(struct page *page);

/* What has been. */
void gr_report_put_runs(struct page *page);
void gr_report_put_streams(struct page *page);
void gr_report_put_rejects(struct page *page);
void gr_report_put_fields(struct page *page);

enum gr_tone gr_report_tone(enum gr_verdict verdict);
enum gr_tone gr_report_status_tone(const char *status);

/* Texts in the page's arena. */
const char *gr_report_number(struct page *page, int64_t number);
const char *gr_report_bytes(struct page *page, int64_t bytes);
const char *gr_report_moment(struct page *page, int64_t us);
const char *gr_report_age(struct page *page, int64_t us);  /* "-" for none */
const char *gr_report_span(struct page *page, int64_t ms); /* "-" below 0 */

/* <section><h2>title</h2><p class="soft">text</p> */
void gr_report_open_section(struct page *page, const char *title, const char *text);
void gr_report_close_section(struct page *page);

/* A folded table; a column with > before its name holds numbers. `name` stands in the line that
   unfolds it. */
void gr_report_open_table(struct page *page, const char *id, const char *name,
                          const char *const *columns, size_t count);
void gr_report_put_cell(struct page *page, const char *text);
void gr_report_put_numeral(struct page *page, const char *text);
void gr_report_put_toned(struct page *page, enum gr_tone tone, const char *text);
void gr_report_put_prose(struct page *page, const char *text); /* may be broken into lines */
void gr_report_close_table(struct page *page);

#endif
