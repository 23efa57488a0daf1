/*
 * gr/spec/object.h - the name of a table: `schema.table`, `table`, `"a b".c`.
 *
 * As in SQL, what is not in double quotes is folded to lower case and must be letters, digits and
 * _.
 *
 * Errors  none; the parser returns the static text of what is wrong
 * Owns    parts live in the arena
 */
#ifndef GR_SPEC_OBJECT_H
#define GR_SPEC_OBJECT_H

#include <stddef.h>

#include "gr/base/alloc.h"

enum { GR_OBJECT_PARTS = 2 };

struct gr_object {
    const char *parts[GR_OBJECT_PARTS]; /* without quotes */
    size_t count;                       /* 1 or 2         */
};

/* NULL, or what is wrong. */
const char *gr_object_parse(const char *text, struct gr_arena *arena, struct gr_object *out);

#endif
