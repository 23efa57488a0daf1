/* chart.c - charts as inline SVG. */
#include "gr/cli/chart.h"

#include "gr/cli/html.h"

enum {
    BAR_ROW = 40,  /* from bar to bar                 */
    BAR_TEXT = 14, /* baseline of the text in its row */
    BAR_TOP = 21,
    BAR_HEIGHT = 8,
    TICKS_HEIGHT = 20,
    COLUMNS_HEIGHT = 96,
    COLUMN_MIN = 2, /* also nothing is to be seen      */
    GRID_ROW = 40,
    GRID_TEXT = 14,
    GRID_TOP = 20,
    GRID_CELL = 11,
};

/* clang-format off */
static const char *const tone_classes[GR_TONE_COUNT] = {
    [GR_TONE_OK]    = "ok",
    [GR_TONE_PLAIN] = "plain",
    [GR_TONE_BUSY]  = "busy",
    [GR_TONE_WARN]  = "warn",
    [GR_TONE_BAD]   = "bad",
    [GR_TONE_LOST]  = "lost",
    [GR_TONE_NONE]  = "none",
};
/* clang-format on */

const char *
gr_tone_class(enum gr_tone tone)
{
    return tone_classes[tone];
}

static double
clamp(double share)
{
    return share < 0 ? 0 : share > 1 ? 1 : share;
}

static void
open_chart(const struct gr_chart *chart, size_t height, struct gr_buf *out)
{
    gr_buf_printf(out,
                  "<svg id=\"%s\" role=\"img\" aria-labelledby=\"%s-title %s-text\" width=\"100%%\""
                  " height=\"%zu\">\n",
                  chart->id, chart->id, chart->id, height);
    gr_buf_printf(out, "<title id=\"%s-title\">", chart->id);
    gr_html_put_in(out, "", chart->title, "</title>\n");
    gr_buf_printf(out, "<desc id=\"%s-text\">", chart->id);
    gr_html_put_in(out, "", chart->description, "</desc>\n");
}

static void
close_chart(struct gr_buf *out)
{
    gr_buf_puts(out, "</svg>\n");
}

/* What a pointer that rests on a mark is told, and the end of the mark. */
static void
put_tip(const char *tip, struct gr_buf *out)
{
    gr_html_put_in(out, "><title>", tip, "</title></rect>\n");
}

/* --- bars ----------------------------------------------------------------------------------- */

static void
put_ticks(const struct gr_chart_tick *ticks, size_t count, size_t height, struct gr_buf *out)
{
    for (size_t i = 0; i < count; i++) {
        double x = 100 * clamp(ticks[i].share);

        gr_buf_printf(out,
                      "<line class=\"rule\" x1=\"%.2f%%\" x2=\"%.2f%%\" y1=\"%d\" y2=\"%zu\"/>"
                      "<text class=\"tick\" x=\"%.2f%%\" y=\"12\" text-anchor=\"%s\">",
                      x, x, TICKS_HEIGHT - 4, height, x,
                      x < 4    ? "start"
                      : x > 96 ? "end"
                               : "middle");
        gr_html_put_in(out, "", ticks[i].label, "</text>\n");
    }
}

static void
put_bar(const struct gr_chart_bar *bar, size_t y, struct gr_buf *out)
{
    gr_buf_printf(out, "<text x=\"0\" y=\"%zu\">", y + BAR_TEXT);
    gr_html_put_in(out, "", bar->label, "</text>");
    gr_buf_printf(out, "<text class=\"value\" x=\"100%%\" y=\"%zu\" text-anchor=\"end\">",
                  y + BAR_TEXT);
    gr_html_put_in(out, "", bar->value, "</text>\n");
    gr_buf_printf(out, "<rect class=\"track\" width=\"100%%\" y=\"%zu\" height=\"%d\" rx=\"4\"/>",
                  y + BAR_TOP, BAR_HEIGHT);
    gr_buf_printf(out, "<rect class=\"mark %s\" width=\"%.2f%%\" y=\"%zu\" height=\"%d\" rx=\"4\"",
                  gr_tone_class(bar->tone), 100 * clamp(bar->share), y + BAR_TOP, BAR_HEIGHT);
    put_tip(bar->value, out);
}

void
gr_chart_put_bars(const struct gr_chart *chart, const struct gr_chart_bar *bars, size_t count,
                  const struct gr_chart_tick *ticks, size_t tick_count, struct gr_buf *out)
{
    size_t top = tick_count > 0 ? TICKS_HEIGHT : 0;
    size_t height = top + count * BAR_ROW;

    open_chart(chart, height, out);
    put_ticks(ticks, tick_count, height, out);
    for (size_t i = 0; i < count; i++)
        put_bar(&bars[i], top + i * BAR_ROW, out);
    close_chart(out);
}

/* --- columns and cells ---------------------------------------------------------------------- */

/* The place of the i-th of `count` in per cent: four fifths mark, one gap. The last is at the right
   end; few are no wider than many. */
struct place {
    double x, width;
};

static struct place
place_of(size_t i, size_t count)
{
    size_t places = count < GR_CHART_PLACES_MIN ? GR_CHART_PLACES_MIN : count;
    double each = 100.0 / ((double)places - 0.2);

    return (struct place){each * (double)(places - count + i), each * 0.8};
}

static void
put_place(size_t i, size_t count, struct gr_buf *out)
{
    struct place place = place_of(i, count);

    gr_buf_printf(out, " x=\"%.3f%%\" width=\"%.3f%%\"", place.x, place.width);
}

void
gr_chart_put_columns(const struct gr_chart *chart, const struct gr_chart_column *columns,
                     size_t count, struct gr_buf *out)
{
    open_chart(chart, COLUMNS_HEIGHT + 1, out);
    gr_buf_printf(out, "<line class=\"rule\" x1=\"0\" x2=\"100%%\" y1=\"%d.5\" y2=\"%d.5\"/>\n",
                  COLUMNS_HEIGHT, COLUMNS_HEIGHT);
    for (size_t i = 0; i < count; i++) {
        double height = COLUMN_MIN + (COLUMNS_HEIGHT - COLUMN_MIN) * clamp(columns[i].share);

        gr_buf_printf(out, "<rect class=\"mark %s%s\"", gr_tone_class(columns[i].tone),
                      columns[i].share < 0 ? " unknown" : "");
        put_place(i, count, out);
        gr_buf_printf(out, " y=\"%.2f\" height=\"%.2f\" rx=\"1\"", COLUMNS_HEIGHT - height, height);
        put_tip(columns[i].tip, out);
    }
    close_chart(out);
}

/* A bar through it: who sees no colours sees that. */
static void
put_stroke(size_t i, size_t count, size_t y, struct gr_buf *out)
{
    struct place place = place_of(i, count);

    gr_buf_printf(out,
                  "<line class=\"stroke\" x1=\"%.3f%%\" x2=\"%.3f%%\" y1=\"%zu\" y2=\"%zu\"/>\n",
                  place.x, place.x + place.width, y + GRID_CELL, y);
}

static void
put_cell(const struct gr_chart_cell *cell, size_t i, size_t count, size_t y, struct gr_buf *out)
{
    /* Stopped half way is half a cell. */
    size_t less = cell->tone == GR_TONE_WARN ? GRID_CELL / 2 : 0;

    if (cell->tone == GR_TONE_NONE)
        return;
    gr_buf_printf(out, "<rect class=\"mark %s\"", gr_tone_class(cell->tone));
    put_place(i, count, out);
    gr_buf_printf(out, " y=\"%zu\" height=\"%zu\" rx=\"1\"", y + less, GRID_CELL - less);
    put_tip(cell->tip, out);
    if (cell->tone == GR_TONE_BAD)
        put_stroke(i, count, y, out);
}

void
gr_chart_put_grid(const struct gr_chart *chart, const char *const *labels, size_t rows,
                  const struct gr_chart_cell *cells, size_t columns, struct gr_buf *out)
{
    open_chart(chart, rows * GRID_ROW, out);
    for (size_t row = 0; row < rows; row++) {
        gr_buf_printf(out, "<text x=\"0\" y=\"%zu\">", row * GRID_ROW + GRID_TEXT);
        gr_html_put_in(out, "", labels[row], "</text>\n");
        for (size_t i = 0; i < columns; i++)
            put_cell(&cells[row * columns + i], i, columns, row * GRID_ROW + GRID_TOP, out);
    }
    close_chart(out);
}
