/* report_parts.c - pieces of the report's page that all its sections use. */
#include "report_parts.h"

#include <inttypes.h>
#include <string.h>

#include "gr/base/time.h"
#include "gr/cli/html.h"
#include "gr/cli/moment.h"
#include "gr/cli/text.h"

/* clang-format off */
static const enum gr_tone verdict_tones[GR_VERDICT_COUNT] = {
    [GR_VERDICT_OK]         = GR_TONE_OK,
    [GR_VERDICT_RUNNING]    = GR_TONE_BUSY,
    [GR_VERDICT_NEVER]      = GR_TONE_WARN,
    [GR_VERDICT_FAILED]     = GR_TONE_BAD,
    [GR_VERDICT_LOST]       = GR_TONE_LOST,
    [GR_VERDICT_STOPPED]    = GR_TONE_WARN,
    [GR_VERDICT_UNFINISHED] = GR_TONE_WARN,
    [GR_VERDICT_GAPS]       = GR_TONE_BAD,
    [GR_VERDICT_ABSENT]     = GR_TONE_NONE,
};

/* Words of runs and stream_runs. */
static const struct {
    const char *status;
    enum gr_tone tone;
} status_tones[] = {
    {"succeeded", GR_TONE_OK},
    {"running",   GR_TONE_BUSY},
    {"stopped",   GR_TONE_WARN},
    {"partial",   GR_TONE_BAD},
    {"failed",    GR_TONE_BAD},
    {"lost",      GR_TONE_LOST},
};
/* clang-format on */

enum gr_tone
gr_report_tone(enum gr_verdict verdict)
{
    return verdict_tones[verdict];
}

enum gr_tone
gr_report_status_tone(const char *status)
{
    for (size_t i = 0; status != NULL && i < sizeof(status_tones) / sizeof(status_tones[0]); i++)
        if (strcmp(status_tones[i].status, status) == 0)
            return status_tones[i].tone;
    return GR_TONE_PLAIN;
}

/* --- texts ---------------------------------------------------------------------------------- */

const char *
gr_report_number(struct page *page, int64_t number)
{
    char text[GR_TEXT_NUMBER];

    return gr_arena_strdup(page->arena, gr_text_number(number, text));
}

const char *
gr_report_bytes(struct page *page, int64_t bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    double amount = (double)bytes;
    size_t unit = 0;

    for (; amount >= 1000 && unit + 1 < sizeof(units) / sizeof(units[0]); unit++)
        amount /= 1000;
    return gr_arena_printf(page->arena, unit == 0 ? "%.0f %s" : "%.1f %s", amount, units[unit]);
}

const char *
gr_report_moment(struct page *page, int64_t us)
{
    char text[GR_TIME_TEXT];

    if (us == GR_TIME_NONE)
        return "-";
    gr_time_format(us, text);
    return gr_arena_printf(page->arena, "%.10s %.5s", text, text + 11);
}

const char *
gr_report_age(struct page *page, int64_t us)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);

    gr_moment_put_age(us, page->overview->now_us, "-", &text);
    return gr_arena_strdup(page->arena, gr_buf_text(&text));
}

const char *
gr_report_span(struct page *page, int64_t ms)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);

    if (ms < 0)
        return "-";
    gr_moment_put_span(ms, &text);
    return gr_arena_strdup(page->arena, gr_buf_text(&text));
}

/* --- sections and tables -------------------------------------------------------------------- */

void
gr_report_open_section(struct page *page, const char *title, const char *text)
{
    gr_html_put_in(page->out, "<section>\n<h2>", title, "</h2>\n");
    if (text != NULL)
        gr_html_put_in(page->out, "<p class=\"soft\">", text, "</p>\n");
}

void
gr_report_close_section(struct page *page)
{
    gr_buf_puts(page->out, "</section>\n");
}

void
gr_report_open_table(struct page *page, const char *id, const char *name,
                     const char *const *columns, size_t count)
{
    gr_html_put_in(page->out, "<details><summary>", name, "</summary>\n");
    gr_html_put_in(page->out, "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"",
                   name, "\">");
    gr_buf_printf(page->out, "<table id=\"%s\">\n<thead><tr>", id);
    for (size_t i = 0; i < count; i++)
        if (columns[i][0] == '>')
            gr_html_put_in(page->out, "<th scope=\"col\" class=\"n\">", columns[i] + 1, "</th>");
        else
            gr_html_put_in(page->out, "<th scope=\"col\">", columns[i], "</th>");
    gr_buf_puts(page->out, "</tr></thead>\n<tbody>");
}

void
gr_report_put_cell(struct page *page, const char *text)
{
    gr_html_put_in(page->out, "<td>", text, "</td>");
}

void
gr_report_put_numeral(struct page *page, const char *text)
{
    gr_html_put_in(page->out, "<td class=\"n\">", text, "</td>");
}

void
gr_report_put_toned(struct page *page, enum gr_tone tone, const char *text)
{
    gr_buf_printf(page->out, "<td class=\"%s\">", gr_tone_class(tone));
    gr_html_put_in(page->out, "", text, "</td>");
}

void
gr_report_put_prose(struct page *page, const char *text)
{
    gr_html_put_in(page->out, "<td class=\"text\">", text, "</td>");
}

void
gr_report_close_table(struct page *page)
{
    gr_buf_puts(page->out, "</tbody></table></div></details>\n");
}
