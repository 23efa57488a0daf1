/*
 * gr/cli/text.h - text cut and filled to a width, and numbers for people. Pure.
 *
 * Units   widths are code points: names, numbers and dates have no wider characters
 */
#ifndef GR_CLI_TEXT_H
#define GR_CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/buf.h"

enum { GR_TEXT_NUMBER = 32 }; /* bytes that hold any number gr_text_number writes */

size_t gr_text_width(const char *text);

/* Appends at most `width` columns of `text`; where it is cut, the last one is an ellipsis. */
void gr_text_cut(struct gr_buf *out, const char *text, size_t width);

/* Appends `text`, filled up with spaces to `width` columns: behind it, or before. */
void gr_text_pad(struct gr_buf *out, const char *text, size_t width, bool is_right);

/* Appends `text`, behind "; " where something is there already. */
void gr_text_join(struct gr_buf *out, const char *text);

/* Writes 1,234,567. */
const char *gr_text_number(int64_t number, char text[GR_TEXT_NUMBER]);

#endif
