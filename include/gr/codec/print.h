/*
 * gr/codec/print.h - a tuple of binary COPY, in the layout of staging, as a JSON object: the row as
 * it would be stored. Pure.
 *
 * Members are the stream's columns in their order, then _extra. A datetime is written in UTC;
 * nested values are what came.
 *
 * Owns    nothing
 */
#ifndef GR_CODEC_PRINT_H
#define GR_CODEC_PRINT_H

#include "gr/base/buf.h"
#include "gr/spec/plan.h"

/* Appends the object of the tuple that gr_row_encode has put at `tuple`, on one line without its
   end; returns what is behind the tuple. */
const char *gr_print_tuple(const struct gr_plan_stream *stream, const char *tuple,
                           struct gr_buf *out);

/* A field of a tuple, in the bytes of COPY; `at` is NULL for null. */
struct gr_print_field {
    const char *at;
    size_t len;
};
struct gr_print_field gr_print_field(const char *tuple, size_t column);

#endif
