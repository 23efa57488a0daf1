/*
 * gr/codec/row.h - one API object becomes one row of binary COPY.
 *
 * A row layout is made once for a stream; then each object is walked once: members are matched to
 * columns (the order of the last object is tried first), unknown members are gathered into _extra,
 * the fingerprint is summed up, and the tuple is appended in column order followed by
 *
 *     _hash bigint, _extra text
 *
 * in the staging types of gr/spec/type.h (gr/codec/copybinary.h writes them), or, where it is
 * typed, in the types that the table has: nested values as jsonb, not as text. A value that its
 * column cannot hold is kept as far as it can be, and its original is reported as a reject; the row
 * is always written if its key is there.
 *
 * Where columns are fields of nested values (gr/spec/nested.h), those values are opened after the
 * object was walked. Their other fields go to _extra under joined names, unless a column has the
 * value as a whole; so does a value that should be an object and is none.
 *
 * Of members that have the same name the last one counts, as in jsonb. Fields that `select` leaves
 * out go nowhere.
 *
 * Fingerprint: the sum modulo 2^64, over all members but the volatile and left out ones, of the
 * hash (gr/codec/hash.h) of the value's bytes as they came, seeded with the hash of the member's
 * name; so the order of members does not matter. Which fields of nested values are columns is a
 * summand, too: where that changes, rows are written anew. Stable across versions of this program:
 * changing it makes every row look changed once.
 *
 * Shape   gr_row_layout_new, gr_row_encode*, gr_row_layout_free
 * Errors  GR_FAULT_PAYLOAD when the object is not one, or has no usable key: nothing is appended
 * Owns    the layout borrows the columns; reject texts are owned by the rejects list
 * Source  PostgreSQL 15, COPY, "Binary Format"; type send/recv functions
 */
#ifndef GR_CODEC_ROW_H
#define GR_CODEC_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/buf.h"
#include "gr/base/error.h"
#include "gr/codec/json.h"
#include "gr/codec/reject.h"
#include "gr/spec/plan.h"

struct gr_row_layout;

/* Layout of a stream's rows; borrows `stream`. Gives. */
struct gr_row_layout *gr_row_layout_new(const struct gr_plan_stream *stream);
void gr_row_layout_free(struct gr_row_layout *layout);

/* From now on tuples are in the table's own types, or in those of staging. */
void gr_row_set_typed(struct gr_row_layout *layout, bool is_typed);

/* What the walk wants to know of a row. */
struct gr_row_facts {
    int64_t key;       /* first key column when it is a bigint, else 0             */
    int64_t cursor_us; /* the cursor column, GR_TIME_NONE for null, bad or no such */
    int64_t parent;    /* the parent_key field (bigint), INT64_MIN when null; also
                          where `select` has left its column out                   */
    int64_t hash;
};

enum { GR_ROW_NAMES_MAX = 1000, GR_ROW_NAME_BYTES = 256 };

/* Called once for each member name that the layout has never seen and no column takes, up to
   GR_ROW_NAMES_MAX of them. `name` is valid UTF-8 of at most GR_ROW_NAME_BYTES, cut where the
   member's is longer, and borrowed for the call. */
typedef void gr_row_new_field(void *context, const char *name);
void gr_row_on_new_field(struct gr_row_layout *layout, gr_row_new_field *call, void *context);

/*
 * Appends the tuple of `object`, a value that a reader has read, to `copy`. On false (payload
 * fault) nothing is appended and the whole object is in `rejects`; so it is too when the tuple
 * passes the limit of `copy`, which has then failed.
 */
bool gr_row_encode(struct gr_row_layout *layout, const struct gr_json_value *object,
                   struct gr_buf *copy, struct gr_row_facts *facts, struct gr_rejects *rejects,
                   struct gr_error *err);

#endif
