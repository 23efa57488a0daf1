/* report_past.c - what has been: runs, what they did to each stream, rejected values, new fields.
 */
#include <inttypes.h>
#include <string.h>

#include "gr/base/time.h"
#include "gr/cli/html.h"
#include "gr/cli/text.h"
#include "report_parts.h"

enum { LABEL_WIDTH = 30 };

/* --- runs ----------------------------------------------------------------------------------- */

/* A number of a run that is drawn; below 0: unknown. */
typedef double figure(const struct page *page, const struct gr_history_run *run);

static double
rows_of(const struct page *page, const struct gr_history_run *run)
{
    (void)page;
    return (double)run->rows_read;
}

static double
duration_of(const struct page *page, const struct gr_history_run *run)
{
    return (double)gr_history_duration_ms(run, page->overview->now_us);
}

static double
share_of(const struct page *page, const struct gr_history_run *run)
{
    return gr_history_share(run, page->overview);
}

static double
failures_of(const struct page *page, const struct gr_history_run *run)
{
    (void)page;
    return (double)run->failed;
}

static const char *
show_number(struct page *page, double number)
{
    return gr_report_number(page, (int64_t)number);
}

static const char *
show_duration(struct page *page, double ms)
{
    return gr_report_span(page, (int64_t)ms);
}

static const char *
show_share(struct page *page, double share)
{
    return share < 0 ? "-" : gr_arena_printf(page->arena, "%.1f %%", share * 100);
}

static const struct run_chart {
    struct gr_chart chart;
    figure *of;
    const char *(*show)(struct page *page, double number);
} run_charts[] = {
    {{"runs-rows", "Rows read", "A column for each run: how many rows it read."},
     rows_of,
     show_number},
    {{"runs-duration", "Duration", "A column for each run: how long it took."},
     duration_of,
     show_duration},
    {{"runs-failures", "Streams that failed",
      "A column for each run: how many streams failed in it."},
     failures_of,
     show_number},
    {{"runs-share", "Share of the API budget",
      "A column for each run: what part of the requests that the account had to give while the run "
      "lasted it has used."},
     share_of,
     show_share},
};

static const char *
tip_of(struct page *page, const struct gr_history_run *run, const char *value)
{
    return gr_arena_printf(page->arena, "run %" PRId64 ", %s%s: %s (%s)", run->run_id,
                           gr_report_moment(page, run->started_us), run->is_audit ? ", audit" : "",
                           value, run->status);
}

static void
put_axis(struct page *page)
{
    const struct gr_history *history = page->history;
    const struct gr_history_run *last = &history->runs[history->run_count - 1];

    /* Where there are few, the first is not at the left end. */
    gr_buf_printf(page->out, "<div class=\"axis%s\" aria-hidden=\"true\">",
                  history->run_count < GR_CHART_PLACES_MIN ? " few" : "");
    if (history->run_count > 1)
        gr_html_put_in(page->out, "<span>", gr_report_moment(page, history->runs[0].started_us),
                       "</span><span>–</span>");
    gr_html_put_in(page->out, "<span>", gr_report_moment(page, last->started_us),
                   "</span></div>\n");
}

static void
put_run_chart(struct page *page, const struct run_chart *what)
{
    const struct gr_history *history = page->history;
    struct gr_chart_column *columns =
        gr_arena_alloc(page->arena, history->run_count, sizeof(*columns));
    double most = 0;

    for (size_t i = 0; i < history->run_count; i++) {
        double number = what->of(page, &history->runs[i]);

        most = number > most ? number : most;
    }
    for (size_t i = 0; i < history->run_count; i++) {
        const struct gr_history_run *run = &history->runs[i];
        double number = what->of(page, run);

        columns[i] = (struct gr_chart_column){.share = most > 0 && number > 0 ? number / most
                                                       : number < 0           ? -1
                                                                              : 0,
                                              .tone = gr_report_status_tone(run->status),
                                              .tip = tip_of(page, run, what->show(page, number))};
    }
    gr_html_put_in(page->out, "<h3>", what->chart.title, "");
    gr_html_put_in(page->out, most > 0 ? "<span>up to " : "<span>",
                   most > 0 ? what->show(page, most) : "none", "</span></h3>\n");
    gr_chart_put_columns(&what->chart, columns, history->run_count, page->out);
    put_axis(page);
}

static void
put_run_row(struct page *page, const struct gr_history_run *run)
{
    gr_buf_puts(page->out, "<tr>");
    gr_report_put_numeral(page, gr_report_number(page, run->run_id));
    gr_report_put_cell(page, gr_report_moment(page, run->started_us));
    gr_report_put_toned(page, gr_report_status_tone(run->status),
                        run->is_audit ? gr_arena_printf(page->arena, "%s (audit)", run->status)
                                      : run->status);
    gr_report_put_numeral(page, show_duration(page, duration_of(page, run)));
    gr_report_put_numeral(page, gr_report_number(page, run->rows_read));
    gr_report_put_numeral(page, gr_report_number(page, run->written));
    gr_report_put_numeral(page, gr_report_number(page, run->deleted));
    gr_report_put_numeral(page, gr_report_number(page, run->rejected));
    gr_report_put_numeral(
        page, gr_arena_printf(page->arena, "%" PRId64 " of %" PRId64, run->failed, run->streams));
    gr_report_put_numeral(page, gr_report_number(page, run->requests));
    gr_report_put_numeral(page, gr_report_number(page, run->throttled));
    gr_report_put_numeral(page, show_share(page, share_of(page, run)));
    gr_report_put_numeral(page, gr_report_bytes(page, run->bytes));
    gr_report_put_prose(page, run->error);
    gr_buf_puts(page->out, "</tr>\n");
}

static void
put_runs_table(struct page *page)
{
    static const char *const columns[] = {
        ">Run",     "Started (UTC)",    "Status",    ">Duration", ">Rows read",
        ">Written", ">Deleted",         ">Rejected", ">Failed",   ">Requests",
        ">429s",    ">Share of budget", ">Received", "Error"};

    gr_report_open_table(page, "runs-table", "Runs as a table", columns,
                         sizeof(columns) / sizeof(columns[0]));
    for (size_t i = page->history->run_count; i > 0; i--)
        put_run_row(page, &page->history->runs[i - 1]);
    gr_report_close_table(page);
}

void
gr_report_put_runs(struct page *page)
{
    if (page->history->run_count == 0)
        return;
    gr_report_open_section(page, "Runs",
                           gr_arena_printf(page->arena, "The last %zu, the newest at the right.",
                                           page->history->run_count));
    gr_buf_puts(page->out, "<figure>\n");
    for (size_t i = 0; i < sizeof(run_charts) / sizeof(run_charts[0]); i++)
        put_run_chart(page, &run_charts[i]);
    gr_buf_puts(page->out, "</figure>\n");
    put_runs_table(page);
    gr_report_close_section(page);
}

/* --- what they did to each stream ----------------------------------------------------------- */

/* What the shapes mean. */
static void
put_key(struct page *page)
{
    static const char *const statuses[] = {"succeeded", "failed", "lost", "stopped", "running"};

    gr_buf_puts(page->out, "<div class=\"key\">");
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        enum gr_tone tone = gr_report_status_tone(statuses[i]);
        int less = tone == GR_TONE_WARN ? 5 : 0;

        gr_buf_printf(
            page->out,
            "<span><svg aria-hidden=\"true\"><rect class=\"mark %s\" width=\"14\" y=\"%d\" "
            "height=\"%d\" rx=\"1\"/>%s</svg>%s</span>",
            gr_tone_class(tone), less, 11 - less,
            tone == GR_TONE_BAD ? "<line class=\"stroke\" x1=\"0\" x2=\"14\" y1=\"11\" y2=\"0\"/>"
                                : "",
            statuses[i]);
    }
    gr_buf_puts(page->out, "</div>\n");
}

/* The first row are the runs themselves. */
static void
fill_grid(struct page *page, const char **labels, struct gr_chart_cell *cells)
{
    const struct gr_history *history = page->history;
    const struct gr_overview *overview = page->overview;

    labels[0] = "the run as a whole";
    for (size_t i = 0; i < overview->in_file; i++) {
        GR_CLEANUP(gr_buf_free) struct gr_buf label = gr_buf_new(0);

        gr_text_cut(&label, overview->streams[i].stream, LABEL_WIDTH);
        labels[i + 1] = gr_arena_strdup(page->arena, gr_buf_text(&label));
    }
    for (size_t i = 0; i < history->run_count * (overview->in_file + 1); i++)
        cells[i].tone = GR_TONE_NONE;
    for (size_t i = 0; i < history->run_count; i++)
        cells[i] = (struct gr_chart_cell){gr_report_status_tone(history->runs[i].status),
                                          tip_of(page, &history->runs[i], "the run as a whole")};
    for (size_t i = 0; i < history->cell_count; i++) {
        const struct gr_history_cell *cell = &history->cells[i];

        cells[(cell->stream + 1) * history->run_count + cell->run] =
            (struct gr_chart_cell){gr_report_status_tone(cell->status),
                                   gr_arena_printf(page->arena, "run %" PRId64 ": %s, %s rows",
                                                   history->runs[cell->run].run_id, cell->status,
                                                   gr_report_number(page, cell->rows_read))};
    }
}

static void
put_streams_table(struct page *page)
{
    static const char *const columns[] = {">Run",       "Started (UTC)", "Stream",   "Status",
                                          ">Rows read", ">Written",      ">Duration"};
    const struct gr_history *history = page->history;

    gr_report_open_table(page, "streams-table", "Runs by stream as a table", columns,
                         sizeof(columns) / sizeof(columns[0]));
    for (size_t i = history->cell_count; i > 0; i--) {
        const struct gr_history_cell *cell = &history->cells[i - 1];
        const struct gr_history_run *run = &history->runs[cell->run];

        gr_buf_puts(page->out, "<tr>");
        gr_report_put_numeral(page, gr_report_number(page, run->run_id));
        gr_report_put_cell(page, gr_report_moment(page, run->started_us));
        gr_report_put_cell(page, page->overview->streams[cell->stream].stream);
        gr_report_put_toned(page, gr_report_status_tone(cell->status), cell->status);
        gr_report_put_numeral(page, gr_report_number(page, cell->rows_read));
        gr_report_put_numeral(page, gr_report_number(page, cell->written));
        gr_report_put_numeral(page, gr_report_span(page, cell->duration_ms));
        gr_buf_puts(page->out, "</tr>\n");
    }
    gr_report_close_table(page);
}

void
gr_report_put_streams(struct page *page)
{
    static const struct gr_chart chart = {"streams", "Each stream in each run",
                                          "A line of cells for the runs and for each stream, a "
                                          "cell for each run that it was part of; "
                                          "the shape and the colour of a cell say how it ended."};
    size_t rows = page->overview->in_file + 1, columns = page->history->run_count;
    const char **labels = gr_arena_alloc(page->arena, rows, sizeof(const char *));
    struct gr_chart_cell *cells = gr_arena_alloc(page->arena, rows * columns, sizeof(*cells));

    if (columns == 0)
        return;
    fill_grid(page, labels, cells);
    gr_report_open_section(page, "Streams, run by run", NULL);
    put_key(page);
    gr_buf_puts(page->out, "<figure>\n");
    gr_chart_put_grid(&chart, labels, rows, cells, columns, page->out);
    put_axis(page);
    gr_buf_puts(page->out, "</figure>\n");
    put_streams_table(page);
    gr_report_close_section(page);
}

/* --- rejected values ------------------------------------------------------------------------ */

static void
put_rejects_table(struct page *page)
{
    static const char *const columns[] = {"Stream", "Column", "Reason", ">Values", "Last (UTC)"};

    gr_report_open_table(page, "rejected-table", "Rejected values as a table", columns,
                         sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < page->history->reject_count; i++) {
        const struct gr_history_reject *reject = &page->history->rejects[i];

        gr_buf_puts(page->out, "<tr>");
        gr_report_put_cell(page, reject->stream);
        gr_report_put_cell(page, reject->column != NULL ? reject->column : "(whole object)");
        gr_report_put_prose(page, reject->reason);
        gr_report_put_numeral(page, gr_report_number(page, reject->count));
        gr_report_put_cell(page, gr_report_moment(page, reject->last_us));
        gr_buf_puts(page->out, "</tr>\n");
    }
    gr_report_close_table(page);
}

static bool
is_same_column(const struct gr_history_reject *one, const struct gr_history_reject *other)
{
    bool has_column = one->column != NULL && other->column != NULL;

    return strcmp(one->stream, other->stream) == 0 &&
           (has_column ? strcmp(one->column, other->column) == 0 : one->column == other->column);
}

/* One for each column, the most frequent first: why its values do not fit is in the table. */
static size_t
sum_by_column(const struct gr_history *history, struct gr_history_reject *sums)
{
    size_t count = 0;

    for (size_t i = 0; i < history->reject_count; i++) {
        struct gr_history_reject sum = history->rejects[i];
        size_t at = 0;

        while (at < count && !is_same_column(&sums[at], &sum))
            at++;
        if (at == count)
            count++;
        else
            sum.count += sums[at].count;
        for (; at > 0 && sums[at - 1].count < sum.count; at--)
            sums[at] = sums[at - 1];
        sums[at] = sum;
    }
    return count;
}

static struct gr_chart_bar
reject_bar(struct page *page, const struct gr_history_reject *sum, int64_t most)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf label = gr_buf_new(0);

    gr_text_cut(
        &label,
        gr_arena_printf(page->arena, "%s.%s", sum->stream, sum->column != NULL ? sum->column : "*"),
        LABEL_WIDTH);
    return (struct gr_chart_bar){.label = gr_arena_strdup(page->arena, gr_buf_text(&label)),
                                 .value = gr_report_number(page, sum->count),
                                 .share = (double)sum->count / (double)most,
                                 .tone = GR_TONE_WARN};
}

void
gr_report_put_rejects(struct page *page)
{
    static const struct gr_chart chart = {"rejected", "Rejected values",
                                          "A bar for each column: how many values PostgreSQL "
                                          "could not hold as they came."};
    const struct gr_history *history = page->history;
    struct gr_chart_bar *bars = gr_arena_alloc(page->arena, history->reject_count, sizeof(*bars));
    struct gr_history_reject *sums =
        gr_arena_alloc(page->arena, history->reject_count, sizeof(*sums));
    size_t count;

    if (history->reject_count == 0) {
        gr_report_open_section(page, "Rejected values",
                               "None: every value came as its column wants it.");
        gr_report_close_section(page);
        return;
    }
    count = sum_by_column(history, sums);
    for (size_t i = 0; i < count; i++)
        bars[i] = reject_bar(page, &sums[i], sums[0].count);
    gr_report_open_section(
        page, "Rejected values",
        gr_arena_printf(
            page->arena,
            "What a column could not hold as it came; the originals are in \"%s\".rejected.",
            page->plan->state_schema));
    gr_buf_puts(page->out, "<figure>\n");
    gr_chart_put_bars(&chart, bars, count, NULL, 0, page->out);
    gr_buf_puts(page->out, "</figure>\n");
    put_rejects_table(page);
    gr_report_close_section(page);
}

/* --- drift ---------------------------------------------------------------------------------- */

static void
put_fields_table(struct page *page)
{
    static const char *const columns[] = {"Stream", "Field", "First seen (UTC)"};

    gr_report_open_table(page, "fields-table", "New fields as a table", columns,
                         sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < page->history->field_count; i++) {
        gr_buf_puts(page->out, "<tr>");
        gr_report_put_cell(page, page->history->fields[i].stream);
        gr_report_put_prose(page, page->history->fields[i].field);
        gr_report_put_cell(page, gr_report_moment(page, page->history->fields[i].first_us));
        gr_buf_puts(page->out, "</tr>\n");
    }
    gr_report_close_table(page);
}

/* Returns how many bars. */
static size_t
field_bars(struct page *page, struct gr_chart_bar *bars)
{
    const struct gr_overview *overview = page->overview;
    int64_t most = 0;
    size_t count = 0;

    for (size_t i = 0; i < overview->in_file; i++)
        if (overview->streams[i].field_count > most)
            most = overview->streams[i].field_count;
    for (size_t i = 0; i < overview->in_file; i++) {
        const struct gr_overview_stream *stream = &overview->streams[i];
        GR_CLEANUP(gr_buf_free) struct gr_buf label = gr_buf_new(0);

        if (stream->field_count == 0)
            continue;
        gr_text_cut(&label, stream->stream, LABEL_WIDTH);
        bars[count++] =
            (struct gr_chart_bar){.label = gr_arena_strdup(page->arena, gr_buf_text(&label)),
                                  .value = gr_report_number(page, stream->field_count),
                                  .share = (double)stream->field_count / (double)most,
                                  .tone = GR_TONE_PLAIN};
    }
    return count;
}

void
gr_report_put_fields(struct page *page)
{
    static const struct gr_chart chart = {
        "fields", "New fields",
        "A bar for each stream: how many fields the API sends that have no column of their own."};
    struct gr_chart_bar *bars = gr_arena_alloc(page->arena, page->overview->in_file, sizeof(*bars));
    size_t count = field_bars(page, bars);

    if (count == 0) {
        gr_report_open_section(page, "New fields", "None: the API sends what the schemas name.");
        gr_report_close_section(page);
        return;
    }
    gr_report_open_section(
        page, "New fields",
        "Fields that the API sends and no column takes; their values are in _extra.");
    gr_buf_puts(page->out, "<figure>\n");
    gr_chart_put_bars(&chart, bars, count, NULL, 0, page->out);
    gr_buf_puts(page->out, "</figure>\n");
    put_fields_table(page);
    gr_report_close_section(page);
}
