/* report_page.c - the report as a page: whether all is well, what to look at, and the sections. */
#include "gr/cli/report_page.h"

#include <inttypes.h>
#include <string.h>

#include "gr/base/time.h"
#include "gr/cli/html.h"
#include "gr/cli/moment.h"
#include "gr/cli/status_view.h"
#include "gr/cli/text.h"
#include "gr/spec/embedded.h"
#include "report_parts.h"

/* --- the first line ------------------------------------------------------------------------- */

static bool
has_ended_badly(const struct gr_overview_run *run)
{
    return run->status != NULL &&
           (strcmp(run->status, "failed") == 0 || strcmp(run->status, "lost") == 0);
}

/* The run as a whole, then the streams, then the scheduler: text is empty where there is nothing.
 */
static void
put_complaints(const struct gr_overview *overview, const struct gr_history *history,
               struct gr_buf *text)
{
    int64_t wrong = gr_status_view_wrong(overview);
    int64_t overdue_ms = gr_history_overdue_ms(history, overview->now_us);

    if (has_ended_badly(&overview->run))
        gr_buf_printf(text, "The last run %s",
                      strcmp(overview->run.status, "lost") == 0 ? "was lost" : "failed");
    if (overdue_ms > 0) {
        gr_buf_puts(text, text->len > 0 ? "; no run for " : "No run for ");
        gr_moment_put_age(history->runs[history->run_count - 1].started_us, overview->now_us, "",
                          text);
        gr_buf_puts(text, ", where one began every ");
        gr_moment_put_span(overdue_ms, text);
    }
    if (wrong > 0)
        gr_buf_printf(text, "%s%" PRId64 " of %zu streams need%s a look", text->len > 0 ? "; " : "",
                      wrong, overview->in_file, wrong == 1 ? "s" : "");
}

enum gr_tone
gr_report_headline(const struct gr_overview *overview, const struct gr_history *history,
                   struct gr_buf *out)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    bool is_running = overview->run.status != NULL && strcmp(overview->run.status, "running") == 0;

    if (overview->has_state)
        put_complaints(overview, history, &text);
    else
        gr_buf_puts(&text, "No run has ever begun");
    if (text.len == 0) {
        gr_buf_puts(out, is_running ? "All is well, and a run is at work" : "All is well");
        return is_running ? GR_TONE_BUSY : GR_TONE_OK;
    }
    gr_buf_puts(out, gr_buf_text(&text));
    return overview->has_state ? GR_TONE_BAD : GR_TONE_WARN;
}

static void
put_last_run(struct page *page)
{
    const struct gr_overview_run *run = &page->overview->run;
    bool has_ended = run->ended_us != GR_TIME_NONE;

    if (run->run_id == 0)
        return;
    gr_buf_printf(page->out, "<p>Run %" PRId64 " %s", run->run_id,
                  strcmp(run->status, "running") == 0 ? "is at work" : "");
    if (strcmp(run->status, "running") != 0)
        gr_html_put(page->out, run->status);
    gr_html_put_in(page->out, has_ended ? ", ended " : ", began ",
                   gr_report_age(page, has_ended ? run->ended_us : run->started_us), " ago");
    if (has_ended && run->ended_us >= run->started_us && strcmp(run->status, "lost") != 0)
        gr_html_put_in(page->out, " and took ",
                       gr_report_span(page, (run->ended_us - run->started_us) / 1000), "");
    gr_html_put_in(page->out, "; ", gr_report_number(page, run->requests),
                   run->requests == 1 ? " request" : " requests");
    if (run->throttled > 0)
        gr_html_put_in(page->out, ", ", gr_report_number(page, run->throttled), " throttled");
    gr_buf_puts(page->out, ".</p>\n");
}

static void
put_header(struct page *page)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    enum gr_tone tone = gr_report_headline(page->overview, page->history, &text);

    gr_buf_printf(page->out, "<header class=\"%s\">\n", gr_tone_class(tone));
    gr_html_put_in(page->out, "<div class=\"soft\">", page->plan->file, "</div>\n");
    gr_html_put_in(page->out, "<h1>", gr_buf_text(&text), "</h1>\n");
    put_last_run(page);
    gr_html_put_in(page->out, "<p class=\"soft\">As of ",
                   gr_report_moment(page, page->overview->now_us),
                   " UTC. All times are UTC.</p>\n</header>\n");
}

/* --- what to look at ------------------------------------------------------------------------ */

/* Lines of text, of which some are hints. */
static void
put_lines(struct page *page, char *lines)
{
    static const char mark[] = "  HINT: ";

    for (char *line = lines, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        bool is_hint = strncmp(line, mark, sizeof(mark) - 1) == 0;

        *end = '\0';
        gr_html_put_in(page->out, is_hint ? "<p class=\"hint\">" : "<p>",
                       line + (is_hint ? sizeof(mark) - 1 : 0), "</p>");
    }
}

/* What is wrong with a stream, without its name before each line: a run that was stopped or killed
   leaves many of which the same is to be said. */
static char *
trouble_of(struct page *page, const struct gr_overview_stream *stream)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    GR_CLEANUP(gr_buf_free) struct gr_buf unnamed = gr_buf_new(0);
    size_t name = strlen(stream->stream);

    gr_status_view_put_trouble(stream, &text);
    for (const char *line = gr_buf_text(&text), *end; (end = strchr(line, '\n')) != NULL;
         line = end + 1) {
        bool is_named =
            strncmp(line, stream->stream, name) == 0 && strncmp(line + name, ": ", 2) == 0;
        const char *from = is_named ? line + name + 2 : line;

        gr_buf_put(&unnamed, from, (size_t)(end + 1 - from));
    }
    return gr_arena_strdup(page->arena, gr_buf_text(&unnamed));
}

/* The streams from the first on that have the same trouble; `texts` loses those of the others. */
static void
put_streams_trouble(struct page *page, size_t first, char **texts)
{
    const struct gr_overview *overview = page->overview;
    enum gr_verdict verdict = gr_overview_verdict(&overview->streams[first]);

    gr_buf_printf(page->out, "<li class=\"%s\"><b>", gr_tone_class(gr_report_tone(verdict)));
    gr_html_put(page->out, overview->streams[first].stream);
    for (size_t i = first + 1; i < overview->in_file; i++) {
        if (texts[i] == NULL || gr_overview_verdict(&overview->streams[i]) != verdict ||
            strcmp(texts[i], texts[first]) != 0)
            continue;
        gr_html_put_in(page->out, ", ", overview->streams[i].stream, "");
        texts[i] = NULL;
    }
    gr_html_put_in(page->out, "</b> ", gr_verdict_facts(verdict)->name, "");
    put_lines(page, texts[first]);
    gr_buf_puts(page->out, "</li>\n");
}

/* What has failed comes before what will go on by itself. */
static void
put_all_streams_trouble(struct page *page)
{
    const struct gr_overview *overview = page->overview;
    char **texts = gr_arena_alloc(page->arena, overview->in_file, sizeof(char *));

    for (size_t i = 0; i < overview->in_file; i++)
        if (gr_verdict_facts(gr_overview_verdict(&overview->streams[i]))->is_wrong)
            texts[i] = trouble_of(page, &overview->streams[i]);
    for (int is_later = 0; is_later <= 1; is_later++)
        for (size_t i = 0; i < overview->in_file; i++) {
            enum gr_tone tone = gr_report_tone(gr_overview_verdict(&overview->streams[i]));

            if (texts[i] != NULL && (tone == GR_TONE_BAD) != is_later)
                put_streams_trouble(page, i, texts);
        }
}

static void
put_run_trouble(struct page *page)
{
    const struct gr_overview_run *run = &page->overview->run;

    if (run->error == NULL && !has_ended_badly(run))
        return;
    gr_buf_printf(page->out, "<li class=\"%s\"><b>Run %" PRId64 "</b> ",
                  gr_tone_class(gr_report_status_tone(run->status)), run->run_id);
    gr_html_put(page->out, run->status);
    if (strcmp(run->status, "lost") == 0)
        gr_buf_puts(page->out, "<p>It ended without saying so: killed, or the power went. What it "
                               "had committed stays, and the next run goes on.</p>");
    if (run->error != NULL)
        gr_html_put_in(page->out, "<p>", run->error, "</p>");
    if (run->hint != NULL)
        gr_html_put_in(page->out, "<p class=\"hint\">", run->hint, "</p>");
    gr_buf_puts(page->out, "</li>\n");
}

static void
put_trouble(struct page *page)
{
    const struct gr_overview *overview = page->overview;

    if (!overview->has_state || (gr_status_view_wrong(overview) == 0 &&
                                 overview->run.error == NULL && !has_ended_badly(&overview->run)))
        return;
    gr_report_open_section(page, "To look at", NULL);
    gr_buf_puts(page->out, "<ul class=\"look\">\n");
    put_run_trouble(page);
    put_all_streams_trouble(page);
    gr_buf_puts(page->out, "</ul>\n");
    gr_report_close_section(page);
}

/* --- the page ------------------------------------------------------------------------------- */

/* Even what slipped through an error of ours could load and run nothing. */
static void
open_page(struct page *page)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);

    (void)gr_report_headline(page->overview, page->history, &text);
    gr_buf_puts(page->out,
                "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                "style-src 'unsafe-inline'\">\n"
                "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                "<meta name=\"color-scheme\" content=\"light dark\">\n"
                "<meta name=\"referrer\" content=\"no-referrer\">\n");
    gr_html_put_in(page->out, "<title>", gr_buf_text(&text), " · ");
    gr_html_put_in(page->out, "", page->plan->file, "</title>\n");
    gr_buf_printf(page->out, "<style>\n%s</style>\n</head>\n<body>\n<main>\n",
                  gr_report_style[0].text);
}

static void
close_page(struct page *page)
{
    const struct gr_plan *plan = page->plan;

    gr_html_put_in(page->out, "<footer>", plan->source.name, " (");
    gr_html_put_in(page->out, "", plan->source.base_url, ") → ");
    gr_html_put_in(page->out, "", plan->target.name, " (");
    gr_html_put_in(page->out, "", plan->target.shown, "), read from the state in schema ");
    gr_html_put_in(page->out, "", plan->state_schema,
                   " by gorgias-replicate.</footer>\n</main>\n</body>\n</html>\n");
}

void
gr_report_page_put(const struct gr_plan *plan, const struct gr_overview *overview,
                   const struct gr_history *history, struct gr_buf *out)
{
    struct page page = {.plan = plan,
                        .overview = overview,
                        .history = history,
                        .arena = gr_arena_new(),
                        .out = out};

    open_page(&page);
    put_header(&page);
    put_trouble(&page);
    gr_report_put_freshness(&page);
    gr_report_put_runs(&page);
    gr_report_put_streams(&page);
    gr_report_put_queue(&page);
    gr_report_put_budget(&page);
    gr_report_put_rejects(&page);
    gr_report_put_fields(&page);
    close_page(&page);
    gr_arena_free(page.arena);
}
