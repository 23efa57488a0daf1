/*
 * gr/spec/nested.h - which columns a stream may have: its schema's, with the fields of nested
 * values where they are asked for.
 *
 * Two things ask for them. `flatten` puts the known fields of a jsonb column in its place, as deep
 * as it says; a column whose fields are not known stays whole, so which columns a table has never
 * depends on the rows that came first. And a name such as meta__campaign under `select` or
 * `columns` asks for that one field, known or not, with or without `flatten`.
 *
 * Pure.
 *
 * Owns    columns live in the arena, or in the schema
 */
#ifndef GR_SPEC_NESTED_H
#define GR_SPEC_NESTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/alloc.h"
#include "gr/spec/field.h"
#include "gr/spec/schema.h"

enum { GR_FLATTEN_ALL = 64 }; /* no value is nested deeper for us */

struct gr_candidates {
    struct gr_column *items; /* the key's columns first            */
    size_t count;
    size_t cap;
};

/* The columns of `schema` flattened `depth` levels, then those that `names` (names and patterns)
   ask for besides. */
struct gr_candidates gr_nested_candidates(const struct gr_schema *schema, int64_t depth,
                                          const struct gr_texts *names, struct gr_arena *arena);

/* True if `column` is `field`, or lies in the value that it names: customer has customer__id. */
bool gr_nested_is_in(const struct gr_column *column, const char *field);

/* The nested value of the schema that a name such as customer__id speaks of; NULL where it speaks
   of none. */
const struct gr_column *gr_nested_root(const struct gr_schema *schema, const char *name);

#endif
