/*
 * gr/spec/type.h - the closed list of column types.
 *
 * A row says what the type is called in schemas/, in Sling's `columns`, in PostgreSQL, and in which
 * type its values wait in a staging table: nested values wait as text, because parsing jsonb is the
 * most expensive thing PostgreSQL does for a load and rows that turn out unchanged never need it.
 * Each type also has an encoder in src/codec/copybinary.c.
 */
#ifndef GR_SPEC_TYPE_H
#define GR_SPEC_TYPE_H

#include <stdbool.h>

enum gr_type {
    GR_TYPE_BIGINT,
    GR_TYPE_DOUBLE,
    GR_TYPE_BOOLEAN,
    GR_TYPE_TEXT,
    GR_TYPE_TIMESTAMPTZ,
    GR_TYPE_JSONB,
    GR_TYPE_COUNT
};

struct gr_type_facts {
    const char *name;    /* in schemas/: bigint, double, boolean, text, timestamptz, jsonb */
    const char *sql;     /* in the table                                                   */
    const char *staging; /* in a staging table                                             */
    const char *format;  /* as PostgreSQL's format_type writes it                          */
    const char *aliases; /* words of Sling's `columns` that mean it, separated by spaces   */
};

const struct gr_type_facts *gr_type_facts(enum gr_type type);

/* The type that `word` names (name or alias, letter case ignored). */
bool gr_type_parse(const char *word, enum gr_type *type_out);

#endif
