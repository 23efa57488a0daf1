/*
 * gr/codec/made.h - rows that are made of a value of another stream's row, as objects of the API:
 * what gr_commit_made of gr/sink/commit.h does in the warehouse. Pure.
 *
 * Owns    nothing; the stream is borrowed
 */
#ifndef GR_CODEC_MADE_H
#define GR_CODEC_MADE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/buf.h"
#include "gr/spec/schema.h"

/* The object of a row that is made, ready for gr_row_encode; false: no more are wanted. */
typedef bool gr_made_take(void *context, const char *object, size_t len);

/* Gives the rows of `schema`, which is made from another, that there are in `value`: JSON text that
   was checked before. `parent` is the key of the row that has it. */
void gr_made_rows(const struct gr_schema *schema, int64_t parent, const char *value, size_t len,
                  gr_made_take *take, void *context);

#endif
