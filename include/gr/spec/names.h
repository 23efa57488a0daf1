/*
 * gr/spec/names.h - what may be a name, what a pattern matches, and which name was probably meant.
 *
 * Pure: no file, no clock.
 */
#ifndef GR_SPEC_NAMES_H
#define GR_SPEC_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "gr/base/alloc.h"

enum { GR_NAME_BYTES = 63 }; /* PostgreSQL cuts identifiers that are longer */

/* [a-z_][a-z0-9_]*, at most 63 bytes: what needs no quotes anywhere. */
bool gr_name_is_plain(const char *text);

/* A column that every table has, whatever the API sends: _loaded_at, _deleted_at, _hash, _extra. */
bool gr_name_is_reserved(const char *text);

/* True for texts with *, ? or [. */
bool gr_name_is_pattern(const char *text);

/* Shell pattern: * any text, ? one byte, [abc], [a-z], [!a-z]; letter case counts. */
bool gr_name_matches(const char *pattern, const char *text);

/* The one of `known` that was probably meant by `word`, or NULL when none is near. */
const char *gr_name_nearest(const char *word, const char *const *known, size_t count);

/* ` (did you mean "x"?)`, or "". */
const char *gr_name_did_you_mean(struct gr_arena *arena, const char *word, const char *const *known,
                                 size_t count);

/* "a, b, c" */
const char *gr_name_list(struct gr_arena *arena, const char *const *names, size_t count);

#endif
