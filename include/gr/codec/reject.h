/*
 * gr/codec/reject.h - values, or whole objects, that a table cannot hold as they came.
 *
 * Owns    the texts of a reject, freed by gr_rejects_free; column and reason are borrowed
 */
#ifndef GR_CODEC_REJECT_H
#define GR_CODEC_REJECT_H

#include <stddef.h>

#include "gr/codec/json.h"

/* A value, or a whole object (column NULL), that the table cannot hold as it came. */
struct gr_reject {
    char *key;          /* owned; the row's key as text, "" where there is none; more than one
                           column: separated by commas                                     */
    const char *column; /* static or borrowed from the plan; NULL: the whole object; "_extra":
                           a member that no column takes                                   */
    char *reason;       /* owned: "holds U+0000", "not a number", ...; says so where the original
                           is cut                                                          */
    char *original;     /* owned; JSON text as it came, cut at GR_REJECT_BYTES, valid UTF-8, no
                           U+0000 byte; for _extra an object of that one member            */
};

enum { GR_REJECT_BYTES = 65536 };

/* Grows by doubling; gr_rejects_free frees the texts too. */
struct gr_rejects {
    struct gr_reject *items; /* owned */
    size_t count;
    size_t cap;
};

/* Frees everything; the list is empty again. */
void gr_rejects_free(struct gr_rejects *rejects);

/* Takes back all but the first `count`. */
void gr_rejects_cut(struct gr_rejects *rejects, size_t count);

/* Adds `original_len` bytes of JSON text, made fit to be stored; takes `key`. */
void gr_rejects_add(struct gr_rejects *rejects, char *key, const char *column, const char *reason,
                    const char *original, size_t original_len);

#endif
