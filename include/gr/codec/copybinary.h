/*
 * gr/codec/copybinary.h - JSON values as the fields of a binary COPY.
 *
 * A field is an int32 length and that many bytes, all numbers most significant byte first; length
 * -1 is null. What a type cannot hold becomes null, or for text is kept with U+FFFD in its place,
 * and the encoder says why.
 *
 * Shape   make room, gr_copy_value* through one struct gr_copy_out
 * Units   timestamps are microseconds since 2000-01-01 UTC, as PostgreSQL counts
 * Owns    scratch, which gr_copy_out_free frees; the room belongs to the caller
 * Source  PostgreSQL 15, COPY, "Binary Format"; src/include/datatype/timestamp.h
 */
#ifndef GR_CODEC_COPYBINARY_H
#define GR_CODEC_COPYBINARY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/buf.h"
#include "gr/codec/json.h"
#include "gr/spec/type.h"

enum {
    GR_COPY_FIXED_BYTES = 12, /* room for a length and any value that is not text           */
    GR_COPY_GROWTH = 3        /* a text may grow this much when U+FFFD stands for its bytes */
};

struct gr_copy_out {
    char *at;       /* where the next byte goes                                            */
    int64_t number; /* of the last value: the bigint, or the Unix time of the timestamptz
                       in microseconds; INT64_MIN when it was null or another type         */
    bool is_null;   /* the last field was null                                             */
    bool is_typed;  /* nested values are written as jsonb, not as the text that staging has */
    struct gr_buf scratch; /* owned                                                        */
};

void gr_copy_out_free(struct gr_copy_out *out);

void gr_copy_int16(struct gr_copy_out *out, int16_t value);
void gr_copy_null(struct gr_copy_out *out);
void gr_copy_bigint(struct gr_copy_out *out, int64_t value);
void gr_copy_text(struct gr_copy_out *out, const char *bytes, size_t len);

/* A nested value's JSON text, as a text or, where the fields are typed, as a jsonb. */
void gr_copy_nested(struct gr_copy_out *out, const char *bytes, size_t len);

/* Appends `value` (NULL or a JSON null: null) as a field of `type`, in the type that staging tables
   have for it or, where the fields are typed, in its own: jsonb with its members in order, if the
   value is on tape. NULL, or the static reason why it is not what came. */
const char *gr_copy_value(struct gr_copy_out *out, enum gr_type type,
                          const struct gr_json_value *value);

/* The instant as PostgreSQL counts it; false outside of 4713 BC .. 294276 AD. */
bool gr_copy_timestamp(int64_t unix_us, int64_t *pg_us_out);

/* The static reason for what is unstorable in a value of these flags, or NULL. */
const char *gr_copy_unstorable(unsigned flags);

#endif
