/*
 * gr/cli/grid.h - lines in columns, two spaces apart, titles first. Pure.
 *
 * Shape   gr_grid_new, gr_grid_cell or gr_grid_put* for each cell from left to right, line by line,
 * gr_grid_print Units   widths are columns of the terminal, as gr/cli/text.h counts them Owns the
 * grid owns its cells, borrows the columns
 */
#ifndef GR_CLI_GRID_H
#define GR_CLI_GRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/buf.h"

struct gr_grid_column {
    const char *title;
    bool is_right; /* numbers                                          */
    bool is_cut;   /* gives way where the grid is too wide; one at most */
};

struct gr_grid;
struct gr_grid *gr_grid_new(const struct gr_grid_column *columns, size_t count);
void gr_grid_free(struct gr_grid *grid);
void gr_grid_free_var(struct gr_grid **grid); /* for GR_CLEANUP */

/* The next cell, empty, to be appended to before another one is begun. The grid's. */
struct gr_buf *gr_grid_cell(struct gr_grid *grid);

/* The same, with a text that is copied, or a number. */
void gr_grid_put(struct gr_grid *grid, const char *text);
void gr_grid_put_number(struct gr_grid *grid, int64_t number);

/* Appends the lines, none wider than `width` if a column may be cut (0: as wide as they are). */
void gr_grid_print(const struct gr_grid *grid, size_t width, struct gr_buf *out);

#endif
