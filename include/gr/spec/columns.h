/*
 * gr/spec/columns.h - which columns a stream's table has: the schema's, after select and columns.
 *
 * Columns that a run cannot do without stay whatever `select` says: the key, the cursor, the
 * column that holds the parent's key, and the one by which children are counted.
 *
 * Errors  GR_FAULT_SPEC with the place
 * Owns    results live in the arena
 */
#ifndef GR_SPEC_COLUMNS_H
#define GR_SPEC_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "gr/base/alloc.h"
#include "gr/base/error.h"
#include "gr/spec/notes.h"
#include "gr/spec/plan.h"
#include "gr/spec/replication.h"
#include "gr/spec/schema.h"

/* Sets columns, key_count, cursor_column, ignored_fields of *stream, whose schema is set. */
bool gr_columns_resolve(const struct gr_stream_entry *entry, const struct gr_schemas *schemas,
                        struct gr_notes *notes, struct gr_arena *arena,
                        struct gr_plan_stream *stream, struct gr_error *err);

/* Fails with `"select" names "x", which is no column of stream "tags" (did you mean ...?)`. */
bool gr_columns_fail(const struct gr_stream_entry *entry, const struct gr_yaml_node *at,
                     const char *what, const char *name, struct gr_arena *arena,
                     struct gr_error *err);

/* Sets table_keys of *stream, whose columns are resolved; checks primary_key and update_key. */
bool gr_columns_resolve_keys(const struct gr_stream_entry *entry, struct gr_notes *notes,
                             struct gr_arena *arena, struct gr_plan_stream *stream,
                             struct gr_error *err);

#endif
