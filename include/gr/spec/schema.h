/*
 * gr/spec/schema.h - one Gorgias endpoint, as schemas/NAME.yaml declares it.
 *
 * The vocabulary is closed: a key or word that is not in the tables of src/spec/schema.c is an
 * error with its position. What the words mean is written in docs/schema-file.md, printed from the
 * same tables.
 *
 * Errors  GR_FAULT_SPEC, message "schemas/tickets.yaml:7:3: ..."
 * Owns    everything in a struct gr_schemas lives in its arena; const after the load
 */
#ifndef GR_SPEC_SCHEMA_H
#define GR_SPEC_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/alloc.h"
#include "gr/base/buf.h"
#include "gr/base/error.h"
#include "gr/spec/type.h"

enum gr_shape { GR_SHAPE_LIST, GR_SHAPE_OBJECT };

/* How a stream is walked when it is incremental; GR_WALK_FULL streams never are. */
enum gr_walk_kind {
    GR_WALK_NEWEST_FIRST,
    GR_WALK_OLDEST_FIRST,
    GR_WALK_FULL,
    GR_WALK_NONE, /* no list has the rows: they come with those of another stream */
};

/* How rows that something else named by id are asked for. */
enum gr_ask {
    GR_ASK_NONE,
    GR_ASK_IDS,    /* GET path?ask_param=1&ask_param=2...: up to page_limit ids a request */
    GR_ASK_OBJECT, /* GET path/{id}: 200 is the row, 404 is gone, 301 is merged           */
    GR_ASK_EXISTS, /* the same, where 200 only says that the row, which the walk brings, lives */
    GR_ASK_PARENT, /* GET path?ask_param=PARENT: all rows of one parent, to the last page */
};

struct gr_column {
    const char *name;        /* in the table                                              */
    const char *field;       /* in the API's object; the same but for `select: a as b`    */
    const char *description; /* becomes the column's comment                              */
    enum gr_type type;
    bool is_key;              /* part of the primary key: never null                       */
    bool is_volatile;         /* takes no part in the fingerprint                          */
    const char *refers;       /* stream whose row this one names by its id, or NULL        */
    struct gr_column *fields; /* of a jsonb: the fields of the object that it holds, as far as
                                they are known; each may become a column of its own        */
    size_t field_count;
    const struct gr_column *within; /* the one that it is a field of, or NULL               */
    const char *member;             /* its name there; `field` is both, joined by __              */
};

/* Digits of the number that names an entry of made_of, at most: bigint holds whatever they say. */
enum { GR_MADE_DIGITS_MAX = 18 };

/* What joins the names of nested fields: customer__id. */
#define GR_NESTED_JOIN "__"

/* A query parameter and its value. */
struct gr_param {
    const char *name;
    const char *value;
};

struct gr_pass {
    const struct gr_param *params;
    size_t count;
};

struct gr_schema {
    const char *stream;
    const char *description;
    const char *file; /* for messages: schemas/tickets.yaml                          */
    const char *path; /* /api/tickets                                                */
    enum gr_shape shape;
    enum gr_walk_kind walk;
    const char *cursor;     /* column of the bookmark, NULL for GR_WALK_FULL               */
    const char *order;      /* order_by of the incremental walk, NULL for GR_WALK_FULL     */
    const char *full_order; /* order_by of a full walk, NULL where the API takes none      */
    const char *since;      /* GR_WALK_OLDEST_FIRST: the filter parameter                  */
    int64_t lookback_ms;
    int64_t page_limit;           /* rows a page, 100                                            */
    const struct gr_pass *passes; /* one full walk for each; at least one, maybe empty        */
    size_t pass_count;
    enum gr_ask ask;
    const char *ask_param;
    const char *parent;       /* stream whose rows put entries into this one's queue, or NULL */
    const char *parent_key;   /* column of this stream that holds the key of parent or made_from */
    const char *parent_count; /* column of the parent: how many rows there should be         */
    const char *made_from;    /* stream of whose rows these are made, without a request, or NULL */
    const char *made_of;      /* its column: an object whose entries are the rows here; one that is
                                 no object has nothing but columns[key_count]               */
    const char *event_object; /* object_type of the events below                             */
    const char *const *event_types; /* event types that put their object into this queue     */
    size_t event_type_count;
    const char *const *event_merges; /* those of them by which one object becomes part of another */
    size_t event_merge_count;
    bool is_named_only; /* no wildcard includes it: a replication file names it         */
    bool confirm_gone;  /* GET path/{id} before a row missing in a full walk is deleted */
    const struct gr_column *columns; /* key columns first                                     */
    size_t column_count;
    size_t key_count; /* columns[0 .. key_count) are the key                         */
};

struct gr_schemas {
    struct gr_arena *arena; /* owned                                                        */
    const struct gr_schema *items; /* sorted by stream                                        */
    size_t count;
};

/*
 * Loads the embedded schemas; if `folder` is not NULL, its *.yaml files replace those of the same
 * stream and add others. Checks what is declared across files (parents exist, keys are columns, the
 * cursor is a timestamptz, ...).
 */
bool gr_schemas_load(const char *folder, struct gr_schemas *out, struct gr_error *err);
void gr_schemas_free(struct gr_schemas *schemas);

/* The schema of `stream`, or NULL. */
const struct gr_schema *gr_schemas_find(const struct gr_schemas *schemas, const char *stream);

/* The index of the column named `name`, or -1. */
int gr_schema_column(const struct gr_schema *schema, const char *name);

/*
 * Reads one schema text into *out, which lives in `arena`: everything is checked but what needs the
 * other schemas. `file` is what positions are said in.
 */
bool gr_schema_parse(const char *file, const char *text, size_t len, struct gr_arena *arena,
                     struct gr_schema *out, struct gr_error *err);

/* Prints docs/schema-file.md. */
void gr_schema_reference(struct gr_buf *out);

#endif
