/* grid.c - lines in columns. */
#include "gr/cli/grid.h"

#include "gr/base/alloc.h"
#include "gr/cli/text.h"

enum { GAP = 2, CUT_MIN = 10 };

struct gr_grid {
    const struct gr_grid_column *columns; /* borrowed */
    size_t column_count;
    struct gr_buf *cells; /* owned, and each of them */
    size_t cell_count;
    size_t cap;
};

struct gr_grid *
gr_grid_new(const struct gr_grid_column *columns, size_t count)
{
    struct gr_grid *grid = gr_alloc(1, sizeof(*grid));

    *grid = (struct gr_grid){.columns = columns, .column_count = count};
    return grid;
}

void
gr_grid_free(struct gr_grid *grid)
{
    if (grid == NULL)
        return;
    for (size_t i = 0; i < grid->cell_count; i++)
        gr_buf_free(&grid->cells[i]);
    gr_free(grid->cells);
    gr_free(grid);
}

void
gr_grid_free_var(struct gr_grid **grid)
{
    gr_grid_free(*grid);
}

struct gr_buf *
gr_grid_cell(struct gr_grid *grid)
{
    if (grid->cell_count == grid->cap) {
        grid->cap = grid->cap == 0 ? 64 : grid->cap * 2;
        grid->cells = gr_realloc(grid->cells, grid->cap, sizeof(grid->cells[0]));
    }
    grid->cells[grid->cell_count] = gr_buf_new(0);
    return &grid->cells[grid->cell_count++];
}

void
gr_grid_put(struct gr_grid *grid, const char *text)
{
    gr_buf_puts(gr_grid_cell(grid), text);
}

void
gr_grid_put_number(struct gr_grid *grid, int64_t number)
{
    char text[GR_TEXT_NUMBER];

    gr_grid_put(grid, gr_text_number(number, text));
}

static size_t
column_width(const struct gr_grid *grid, size_t column)
{
    size_t width = gr_text_width(grid->columns[column].title);

    for (size_t i = column; i < grid->cell_count; i += grid->column_count) {
        size_t cell = gr_text_width(gr_buf_text(&grid->cells[i]));

        width = cell > width ? cell : width;
    }
    return width;
}

/* One line; NULL cells: the titles. */
static void
print_line(const struct gr_grid *grid, const struct gr_buf *cells, const size_t *widths,
           struct gr_buf *out)
{
    for (size_t i = 0; i < grid->column_count; i++) {
        const struct gr_grid_column *column = &grid->columns[i];
        GR_CLEANUP(gr_buf_free) struct gr_buf cell = gr_buf_new(0);

        gr_text_cut(&cell, cells == NULL ? column->title : gr_buf_text(&cells[i]), widths[i]);
        if (i > 0)
            gr_buf_puts(out, "  ");
        gr_text_pad(out, gr_buf_text(&cell), widths[i], column->is_right);
    }
    while (out->len > 0 && out->data[out->len - 1] == ' ')
        out->data[--out->len] = '\0';
    gr_buf_putc(out, '\n');
}

void
gr_grid_print(const struct gr_grid *grid, size_t width, struct gr_buf *out)
{
    size_t *widths = gr_alloc(grid->column_count, sizeof(widths[0]));
    size_t total = 0, cut = grid->column_count;

    for (size_t i = 0; i < grid->column_count; i++) {
        widths[i] = column_width(grid, i);
        total += widths[i] + (i > 0 ? GAP : 0);
        if (grid->columns[i].is_cut)
            cut = i;
    }
    if (width > 0 && total > width && cut < grid->column_count) {
        size_t over = total - width;

        /* A terminal too narrow for anything gets a few letters all the same. */
        if (widths[cut] > CUT_MIN)
            widths[cut] = widths[cut] > over + CUT_MIN ? widths[cut] - over : CUT_MIN;
    }
    print_line(grid, NULL, widths, out);
    for (size_t i = 0; i + grid->column_count <= grid->cell_count; i += grid->column_count)
        print_line(grid, grid->cells + i, widths, out);
    gr_free(widths);
}
