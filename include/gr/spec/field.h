/*
 * gr/spec/field.h - keys of a mapping become members of a struct, by a table.
 *
 * A table is an array of rows ended by a row without key. A key that no row names, a key that is
 * required and missing, a value of another kind than its row says: each is an error with its place.
 * A key that is null counts as absent. The same tables print the reference manual.
 *
 * Errors  GR_FAULT_SPEC, `FILE:LINE:COL: unknown key "pagination" (did you mean "paging"?)`
 * Owns    texts and lists live in the arena that was passed; nodes are borrowed
 */
#ifndef GR_SPEC_FIELD_H
#define GR_SPEC_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/alloc.h"
#include "gr/base/buf.h"
#include "gr/base/error.h"
#include "gr/spec/notes.h"
#include "gr/spec/yaml.h"

enum gr_field_kind {
    GR_FIELD_TEXT,     /* const char *: any scalar, as it is written                       */
    GR_FIELD_NAME,     /* const char *: a plain identifier                                 */
    GR_FIELD_TEXTS,    /* struct gr_texts: a list of scalars, or one scalar                */
    GR_FIELD_BOOL,     /* bool                                                             */
    GR_FIELD_COUNT,    /* int64_t, at least 0                                              */
    GR_FIELD_SHARE,    /* double, above 0 and at most 1                                    */
    GR_FIELD_DURATION, /* int64_t milliseconds: 5m, 1h30m, 90 (seconds)                    */
    GR_FIELD_WORD,     /* int: index into `words`                                          */
    GR_FIELD_MAP,      /* const struct gr_yaml_node *: a mapping, left to the caller       */
    GR_FIELD_NODE,     /* const struct gr_yaml_node *: anything, left to the caller        */
    GR_FIELD_IDLE,     /* known, without meaning here: a note                              */
    GR_FIELD_KINDS
};

struct gr_texts {
    const char *const *items;
    size_t count;
};

struct gr_field {
    const char *key; /* NULL ends a table                                       */
    enum gr_field_kind kind;
    size_t at; /* offset of the member                                    */
    bool is_required;
    const char *const *words; /* GR_FIELD_WORD: ended by NULL                            */
    const char *fallback;     /* as it would be written; NULL: the member stays as it is */
    const char *help;         /* one line; for GR_FIELD_IDLE: what is done instead       */
};

/* Binds `map` (NULL or a null node: an empty one) to the struct at `into`; `notes` may be NULL. */
bool gr_field_bind(const struct gr_yaml_node *map, const struct gr_field *table, void *into,
                   struct gr_notes *notes, struct gr_arena *arena, struct gr_error *err);

/* Reads a scalar, a list of scalars or nothing. */
bool gr_field_texts(const struct gr_yaml_node *node, struct gr_arena *arena, struct gr_texts *out,
                    struct gr_error *err);

/* The index of `word` in `words`, or -1. */
int gr_field_word(const char *word, const char *const *words);

/* Fails with `unknown WHAT "word" (did you mean ...?)` and a hint that lists the words. */
bool gr_field_fail_word(const struct gr_yaml_node *at, const char *what, const char *word,
                        const char *const *words, struct gr_error *err);

/* Prints the table as Markdown. */
void gr_field_print(struct gr_buf *out, const struct gr_field *table);

#endif
