/*
 * gr/spec/notes.h - what is not wrong, but what the operator should know: one line each.
 *
 * Owns    lines live in the arena
 */
#ifndef GR_SPEC_NOTES_H
#define GR_SPEC_NOTES_H

#include <stddef.h>

#include "gr/base/alloc.h"
#include "gr/base/attr.h"
#include "gr/spec/yaml.h"

struct gr_notes {
    struct gr_arena *arena; /* borrowed */
    const char *about;      /* what the next notes are about, put in front, or NULL */
    const char **items;     /* in the order in which they came, none twice */
    size_t count;
    const char **said; /* the same without what they are about: said of nothing twice */
    size_t cap;
};

/* Adds "FILE:LINE:COLUMN: ..."; `at` may be NULL, then there is no place. `notes` may be NULL. */
void gr_notes_add(struct gr_notes *notes, const struct gr_yaml_node *at, const char *fmt, ...)
    GR_PRINTF(3, 4);

#endif
