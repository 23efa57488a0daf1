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

/* What the words say of a stream. */
enum gr_choice {
    GR_CHOICE_NONE, /* they name others; so it is with disabled streams always         */
    GR_CHOICE_AWAY, /* a word with a minus fits: it is not even to go along with another */
    GR_CHOICE_IN
};

/* Sets choices[i] for every stream of the file; `words` may be NULL: all. */
bool gr_selection_apply(const char *words, const char *file, const struct gr_replication *from,
                        struct gr_arena *arena, enum gr_choice *choices, struct gr_error *err);

#endif
