/* report_now.c - how a replication stands: freshness, queues, the budget. */
#include <inttypes.h>
#include <string.h>

#include "gr/base/time.h"
#include "gr/cli/html.h"
#include "gr/cli/status_view.h"
#include "gr/cli/text.h"
#include "report_parts.h"

enum { LABEL_WIDTH = 26 }; /* columns of a name in a chart; tables have all of it */

/* Equally far from each other on the scale of freshness: what matters grows with the age. */
static const struct {
    const char *label;
    int64_t ms;
} lags[] = {
    {"1 min", 60000},
    {"10 min", 600000},
    {"1 h", 3600000},
    {"6 h", 21600000},
    {"1 day", 86400000},
    {"1 week", 604800000},
    {"30 days", INT64_C(2592000000)},
};
enum { LAGS = sizeof(lags) / sizeof(lags[0]) };

double
gr_report_lag_share(int64_t lag_ms)
{
    if (lag_ms <= lags[0].ms)
        return 0;
    for (size_t i = 1; i < LAGS; i++)
        if (lag_ms < lags[i].ms)
            return ((double)(i - 1) +
                    (double)(lag_ms - lags[i - 1].ms) / (double)(lags[i].ms - lags[i - 1].ms)) /
                   (LAGS - 1);
    return 1;
}

/* ✓ or ✗, and the name as far as there is room. */
static const char *
label_of(struct page *page, const struct gr_overview_stream *stream)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    enum gr_verdict verdict = gr_overview_verdict(stream);

    gr_buf_printf(&text, "%s ",
                  verdict == GR_VERDICT_NEVER           ? "–"
                  : gr_verdict_facts(verdict)->is_wrong ? "✗"
                                                        : "✓");
    gr_text_cut(&text, stream->stream, LABEL_WIDTH);
    return gr_arena_strdup(page->arena, gr_buf_text(&text));
}

static int64_t
lag_ms(const struct page *page, const struct gr_overview_stream *stream)
{
    int64_t as_of_us = gr_overview_as_of(stream);

    if (as_of_us == GR_TIME_NONE)
        return -1;
    return as_of_us > page->overview->now_us ? 0 : (page->overview->now_us - as_of_us) / 1000;
}

static struct gr_chart_bar
freshness_of(struct page *page, const struct gr_overview_stream *stream)
{
    enum gr_verdict verdict = gr_overview_verdict(stream);
    int64_t lag = lag_ms(page, stream);
    const char *age = lag < 0 ? "never complete" : gr_report_age(page, gr_overview_as_of(stream));
    /* A share of nothing would not be seen. */
    struct gr_chart_bar bar = {.label = label_of(page, stream),
                               .value = age,
                               .share = lag < 0 ? 1 : 0.01 + 0.99 * gr_report_lag_share(lag),
                               .tone = gr_report_tone(verdict)};

    if (verdict != GR_VERDICT_OK && verdict != GR_VERDICT_NEVER)
        bar.value = gr_arena_printf(page->arena, "%s · %s", gr_verdict_facts(verdict)->name, age);
    if (verdict == GR_VERDICT_NEVER)
        bar.value = gr_verdict_facts(verdict)->name;
    if (lag < 0 && bar.tone != GR_TONE_BAD)
        bar.tone = GR_TONE_LOST;
    return bar;
}

static const char *
audit_of(struct page *page, const struct gr_overview_stream *stream)
{
    int64_t gaps = stream->audit_missing + stream->audit_gone;

    if (stream->audit_run_id == 0)
        return "never";
    if (gaps > 0)
        return gr_arena_printf(page->arena, "%" PRId64 " gaps, %s ago", gaps,
                               gr_report_age(page, stream->audited_us));
    return gr_arena_printf(page->arena, "%s, %s ago",
                           stream->audit != NULL ? "unfinished" : "no gaps",
                           gr_report_age(page, stream->audited_us));
}

static void
put_freshness_table(struct page *page)
{
    static const char *const columns[] = {"Stream",          "State",          ">Lag",
                                          ">Lag in seconds", "Complete as of", "Bookmark",
                                          "Last run",        ">Rows read",     "Audit"};
    const struct gr_overview *overview = page->overview;

    gr_report_open_table(page, "freshness-table", "Freshness as a table", columns,
                         sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < overview->in_file; i++) {
        const struct gr_overview_stream *stream = &overview->streams[i];
        enum gr_verdict verdict = gr_overview_verdict(stream);
        int64_t lag = lag_ms(page, stream);

        gr_buf_puts(page->out, "<tr>");
        gr_report_put_cell(page, stream->stream);
        gr_report_put_toned(page, gr_report_tone(verdict), gr_verdict_facts(verdict)->name);
        gr_report_put_numeral(page, gr_report_age(page, gr_overview_as_of(stream)));
        gr_report_put_numeral(page, lag < 0 ? "-" : gr_report_number(page, lag / 1000));
        gr_report_put_cell(page, gr_report_moment(page, gr_overview_as_of(stream)));
        gr_report_put_cell(page, gr_report_moment(page, stream->bookmark_us));
        gr_report_put_cell(page, gr_report_moment(page, stream->started_us));
        gr_report_put_numeral(page, gr_report_number(page, gr_overview_rows(stream)));
        gr_report_put_cell(page, audit_of(page, stream));
        gr_buf_puts(page->out, "</tr>\n");
    }
    gr_report_close_table(page);
}

static void
put_absent(struct page *page)
{
    const struct gr_overview *overview = page->overview;

    if (overview->count == overview->in_file)
        return;
    gr_buf_puts(page->out, "<p class=\"soft\">In the state, and not in this file: ");
    for (size_t i = overview->in_file; i < overview->count; i++)
        gr_html_put_in(page->out, i == overview->in_file ? "" : ", ", overview->streams[i].object,
                       "");
    gr_buf_puts(page->out, ".</p>\n");
}

void
gr_report_put_freshness(struct page *page)
{
    static const struct gr_chart chart = {
        "freshness", "Freshness of each stream",
        "A bar for each stream: how long ago its last complete reading began, from a minute at the "
        "left to thirty days at the right. Shorter is fresher."};
    const struct gr_overview *overview = page->overview;
    struct gr_chart_bar *bars = gr_arena_alloc(page->arena, overview->in_file, sizeof(*bars));
    struct gr_chart_tick ticks[LAGS - 2];

    /* The ends of the scale name themselves, and on a phone there is no room for them. */
    for (size_t i = 0; i < LAGS - 2; i++)
        ticks[i] = (struct gr_chart_tick){lags[i + 1].label, (double)(i + 1) / (LAGS - 1)};
    for (size_t i = 0; i < overview->in_file; i++)
        bars[i] = freshness_of(page, &overview->streams[i]);
    gr_report_open_section(page, "Freshness",
                           "How long ago the last complete reading of each stream began.");
    gr_buf_puts(page->out, "<figure>\n");
    gr_chart_put_bars(&chart, bars, overview->in_file, ticks, LAGS - 2, page->out);
    gr_buf_puts(page->out, "</figure>\n");
    put_freshness_table(page);
    put_absent(page);
    gr_report_close_section(page);
}

/* --- queues --------------------------------------------------------------------------------- */

static void
put_queue_table(struct page *page, const struct gr_overview_stream *const *asking, size_t count)
{
    static const char *const columns[] = {"Stream", ">Entries", "Oldest since", ">Drains in"};

    gr_report_open_table(page, "queue-table", "Queues as a table", columns,
                         sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < count; i++) {
        gr_buf_puts(page->out, "<tr>");
        gr_report_put_cell(page, asking[i]->stream);
        gr_report_put_numeral(page, gr_report_number(page, asking[i]->queue));
        gr_report_put_cell(page, gr_report_moment(page, asking[i]->queue_since_us));
        gr_report_put_numeral(
            page, asking[i]->queue == 0
                      ? "-"
                      : gr_report_span(
                            page, gr_status_view_drain_ms(page->plan, page->overview, asking[i])));
        gr_buf_puts(page->out, "</tr>\n");
    }
    gr_report_close_table(page);
}

static struct gr_chart_bar
queue_bar(struct page *page, const struct gr_overview_stream *stream, int64_t most)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf label = gr_buf_new(0);
    struct gr_chart_bar bar = {.tone = GR_TONE_PLAIN, .value = "empty"};

    gr_text_cut(&label, stream->stream, LABEL_WIDTH);
    bar.label = gr_arena_strdup(page->arena, gr_buf_text(&label));
    if (stream->queue == 0)
        return bar;
    bar.share = (double)stream->queue / (double)most;
    bar.value = gr_arena_printf(
        page->arena, "%s · %s", gr_report_number(page, stream->queue),
        gr_report_span(page, gr_status_view_drain_ms(page->plan, page->overview, stream)));
    return bar;
}

void
gr_report_put_queue(struct page *page)
{
    static const struct gr_chart chart = {
        "queue", "Depth of the queues",
        "A bar for each stream that asks for single objects: how many are due to be asked for."};
    const struct gr_overview *overview = page->overview;
    const struct gr_overview_stream **asking =
        gr_arena_alloc(page->arena, overview->in_file, sizeof(const struct gr_overview_stream *));
    struct gr_chart_bar *bars = gr_arena_alloc(page->arena, overview->in_file, sizeof(*bars));
    size_t count = 0;
    int64_t most = 0;

    for (size_t i = 0; i < overview->in_file; i++) {
        const struct gr_overview_stream *stream = &overview->streams[i];

        if (stream->plan->schema->ask != GR_ASK_NONE || stream->queue > 0)
            asking[count++] = stream;
        most = stream->queue > most ? stream->queue : most;
    }
    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        bars[i] = queue_bar(page, asking[i], most);
    gr_report_open_section(
        page, "Queues",
        "What is still to be asked for one by one, and how long that takes under "
        "the rate limit.");
    gr_buf_puts(page->out, "<figure>\n");
    gr_chart_put_bars(&chart, bars, count, NULL, 0, page->out);
    gr_buf_puts(page->out, "</figure>\n");
    put_queue_table(page, asking, count);
    gr_report_close_section(page);
}

/* --- the budget ----------------------------------------------------------------------------- */

static void
put_budget_table(struct page *page, int64_t used, int64_t size)
{
    static const char *const columns[] = {"Account", ">In use", ">Requests", ">Per", ">Our share"};

    gr_report_open_table(page, "budget-table", "The budget as a table", columns,
                         sizeof(columns) / sizeof(columns[0]));
    gr_buf_puts(page->out, "<tr>");
    gr_report_put_cell(page, page->plan->source.base_url);
    gr_report_put_numeral(page, gr_report_number(page, used));
    gr_report_put_numeral(page, gr_report_number(page, size));
    gr_report_put_numeral(page, gr_report_span(page, page->overview->budget_per_ms));
    gr_report_put_numeral(
        page, gr_arena_printf(page->arena, "%.0f %%", page->plan->source.rate.share * 100));
    gr_buf_puts(page->out, "</tr>\n");
    gr_report_close_table(page);
}

void
gr_report_put_budget(struct page *page)
{
    static const struct gr_chart chart = {
        "budget", "The account's API budget",
        "One bar: the requests that are in use at this moment, of those that the account has."};
    const struct gr_overview *overview = page->overview;
    int64_t size = overview->budget_requests;
    int64_t used = (int64_t)(overview->budget_used + 0.5);
    struct gr_chart_bar bar = {.label = "in use now",
                               .share = size > 0 ? overview->budget_used / (double)size : 0,
                               .tone = GR_TONE_PLAIN};
    struct gr_chart_tick tick = {"our share", page->plan->source.rate.share};

    if (!overview->has_budget)
        return;
    bar.value = gr_arena_printf(page->arena, "%s of %s requests per %s",
                                gr_report_number(page, used), gr_report_number(page, size),
                                gr_report_span(page, overview->budget_per_ms));
    gr_report_open_section(page, "API budget", NULL);
    gr_buf_puts(page->out, "<figure>\n");
    gr_chart_put_bars(&chart, &bar, 1, &tick, tick.share < 1 ? 1 : 0, page->out);
    gr_buf_puts(page->out, "</figure>\n");
    put_budget_table(page, used, size);
    gr_report_close_section(page);
}
