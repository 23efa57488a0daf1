/*
 * gr/spec/selection.h - `--streams a,b*,tag:x,-c,-tag:y`.
 *
 * Names, ids and patterns add to the selection; with a minus in front they take away, and a
 * selection that only takes away begins with all. Tags either add or take away.
 *
 * Errors  GR_FAULT_USAGE: a word that fits no stream of the file, or a selection that is empty
 */
#ifndef GR_SPEC_SELECTION_H
#define GR_SPEC_SELECTION_H

#include <stdbool.h>

#include "gr/base/alloc.h"
#include "gr/base/error.h"
#include "gr/spec/replication.h"

/* Sets is_selected[i] for every stream of the file; `words` may be NULL: all. Disabled streams are
   never selected. */
bool gr_selection_apply(const char *words, const char *file, const struct gr_replication *from,
                        struct gr_arena *arena, bool *is_selected, struct gr_error *err);

#endif
