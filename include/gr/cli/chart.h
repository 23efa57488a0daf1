/*
 * gr/cli/chart.h - charts as inline SVG. Pure.
 *
 * Horizontally everything is in per cent and text is text, so that a chart is as wide as its place
 * and its letters are as large as the page's. A mark (class "mark") stands for each thing that was
 * given; tones are classes, and each that means trouble has a shape of its own as well.
 *
 * Owns    nothing; all texts are escaped here
 */
#ifndef GR_CLI_CHART_H
#define GR_CLI_CHART_H

#include <stddef.h>

#include "gr/base/buf.h"

enum gr_tone {
    GR_TONE_OK,
    GR_TONE_PLAIN, /* a quantity that is neither good nor bad */
    GR_TONE_BUSY,  /* a run is at work                        */
    GR_TONE_WARN,
    GR_TONE_BAD,
    GR_TONE_LOST,
    GR_TONE_NONE, /* there is nothing to mark                */
    GR_TONE_COUNT
};
const char *gr_tone_class(enum gr_tone tone);

/* What a chart is called, by those who cannot see it, too. */
struct gr_chart {
    const char *id; /* unique on the page: letters  */
    const char *title;
    const char *description;
};

/* Horizontal bars below each other. */
struct gr_chart_bar {
    const char *label; /* left of the line above the bar  */
    const char *value; /* right of it                     */
    double share;      /* of the whole width, 0..1        */
    enum gr_tone tone;
};
struct gr_chart_tick {
    const char *label;
    double share;
};
void gr_chart_put_bars(const struct gr_chart *chart, const struct gr_chart_bar *bars, size_t count,
                       const struct gr_chart_tick *ticks, size_t tick_count, struct gr_buf *out);

/* Columns beside each other, the last at the right end. */
enum { GR_CHART_PLACES_MIN = 16 }; /* so many would have room */
struct gr_chart_column {
    double share; /* of the whole height, 0..1; below 0: unknown */
    enum gr_tone tone;
    const char *tip;
};
void gr_chart_put_columns(const struct gr_chart *chart, const struct gr_chart_column *columns,
                          size_t count, struct gr_buf *out);

/* Rows of cells: `cells` is rows * columns, row by row. */
struct gr_chart_cell {
    enum gr_tone tone;
    const char *tip;
};
void gr_chart_put_grid(const struct gr_chart *chart, const char *const *labels, size_t rows,
                       const struct gr_chart_cell *cells, size_t columns, struct gr_buf *out);

#endif
