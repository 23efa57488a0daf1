/* ddl.h - pieces of DDL that ddl.c writes and table.c, merge.c and scan.c use. */
#ifndef GR_SRC_SINK_DDL_H
#define GR_SRC_SINK_DDL_H

#include "gr/base/buf.h"
#include "gr/sink/table.h"

/* The columns that every table has behind those of its stream. */
struct own_column {
    const char *name;
    const char *sql;  /* type and constraint in CREATE TABLE                     */
    const char *type; /* as format_type writes it                                */
    const char *description;
};
enum { OWN_LOADED, OWN_DELETED, OWN_HASH, OWN_EXTRA, OWN_COUNT };
extern const struct own_column gr_own_columns[OWN_COUNT];

/* An index that a table should have. */
struct index {
    const char *columns[32];
    size_t count;
    bool is_unique;
};
enum { INDEXES_MAX = 32 };

/* The key, then that of the parent, then those of table_keys; returns how many. */
size_t gr_ddl_indexes(const struct gr_plan_stream *stream, struct index indexes[INDEXES_MAX]);

/* create [unique] index if not exists ... with a derived name */
void gr_ddl_index(const struct gr_plan_stream *stream, const struct index *index,
                  struct gr_buf *sql);

/* A column's type, with lz4 for what is long where the server can do that (14 and newer). */
void gr_ddl_type(enum gr_type type, bool has_lz4, struct gr_buf *sql);

/* "_sling_loaded_at" and what it is, for a stream that has loaded_at: a generated column, so
   nothing has to write it. */
void gr_ddl_loaded_at(const struct gr_plan_stream *stream, struct gr_buf *sql);
extern const char gr_loaded_at_description[];

/* create table if not exists ..., without comments and indexes */
void gr_ddl_table(const struct gr_plan_stream *stream, bool has_lz4, struct gr_buf *sql);

void gr_ddl_table_comment(const struct gr_plan_stream *stream, struct gr_buf *sql);
void gr_ddl_column_comment(const struct gr_plan_stream *stream, const char *column,
                           const char *description, struct gr_buf *sql);

/* (columns in staging types, _hash bigint, _extra text) */
void gr_ddl_staging_columns(const struct gr_plan_stream *stream, struct gr_buf *sql);

/* "a", "b", ...: the first `count` columns */
void gr_ddl_columns(const struct gr_plan_stream *stream, size_t count, struct gr_buf *sql);

/* The prefix, unquoted, of the names of a stream's scan tables of whatever layout. An audit leaves
   those of runs alone. */
void gr_ddl_scan_prefix(const struct gr_plan_stream *stream, const char *object, char out[64]);

/* The column that takes the API's `field`, or -1. */
int gr_ddl_column_of(const struct gr_plan_stream *stream, const char *field);

/* The column that holds the parent's key, or -1 for a stream without one. */
int gr_ddl_parent_column(const struct gr_plan_stream *stream);

#endif
