/*
 * gr/sink/table.h - the table of a stream, opened: it exists, has all columns, and its real column
 * types are known.
 *
 * Opening creates schema and table where they are missing, adds missing columns (unless
 * add_new_columns is false: then those columns are left out of all writes, and a warning says so),
 * sets comments where they differ, creates the indexes of table_keys and one on the parent key of a
 * child stream. Nothing else about an existing table is changed; a table without a primary key or
 * unique index on exactly the key columns is refused with a hint (snapshot: the key is the stream's
 * key and _loaded_at). Opening a table that is as it should be writes nothing.
 *
 * Where the role does not own an existing table, comments and indexes are left and a warning says
 * so.
 *
 * Columns of every table, behind those of the stream: _loaded_at timestamptz not null default
 * now(), _deleted_at timestamptz, _hash bigint, _extra jsonb.
 *
 * Staging is a temporary table for pages that are merged at once (rows vanish at commit), another
 * one for the pages of a parent's set (rows stay until they are merged), and an unlogged table in
 * the state schema, made when a full walk begins, that survives a killed run. The name of that one
 * depends on its layout, so that one of another layout is never mistaken for it; a row of nulls in
 * it, the marker, tells a table whose rows are all there from one that a crash of the server has
 * emptied.
 *
 * Layout of all three: the stream's columns in their staging types, _hash bigint, _extra text.
 *
 * Errors  as gr/sink/pg.h; GR_FAULT_DATA for a table that cannot be used, with a hint
 * Owns    the struct owns its texts; borrows the plan's stream
 */
#ifndef GR_SINK_TABLE_H
#define GR_SINK_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "gr/base/buf.h"
#include "gr/base/error.h"
#include "gr/sink/pg.h"
#include "gr/spec/plan.h"

struct gr_table {
    const struct gr_plan_stream *stream;
    char *name;         /* "gorgias"."tickets", quoted                                     */
    char *object;       /* gorgias.tickets: what the state tables call it                  */
    char *state;        /* "_gorgias_replicate", quoted                                    */
    char *staging;      /* quoted name of the temporary staging table                      */
    char *set_staging;  /* the same for sets of children                                   */
    char *scan_staging; /* the same for full walks: "_gorgias_replicate"."scan_..."        */
    char **types;       /* real SQL type of each of stream->columns, without length or
                           precision (a cast must not cut); NULL: not written to the table */
    bool was_created;   /* by this opening                                                 */
    bool is_empty;      /* it had no row when it was opened                                */
    bool is_as_made; /* by us: its columns have our types, and rows say themselves when they came */
    char *warnings;  /* lines, "" for none                                              */
    /* The opened table of the parent stream, for the names of its columns; borrowed, set by the
       caller where it is known. NULL: the parent's columns have their names in the API. */
    const struct gr_table *parent;
};

/* Opens; blocks. `out` is to be freed with gr_table_free. */
bool gr_table_open(struct gr_pg *pg, const struct gr_plan_stream *stream, const char *state_schema,
                   struct gr_table *out, struct gr_error *err);
void gr_table_free(struct gr_table *table);

/* Fills in the names, and for `types` what our own tables have: what opening would find where it
   created the table. Pure: for golden tests and dry runs. */
void gr_table_describe(const struct gr_plan_stream *stream, const char *state_schema,
                       struct gr_table *out);

/* CREATE statements as text: what opening comes to, step by step, where there is nothing yet. For
   golden tests, which see in it what a change of the DDL changes. Pure. */
void gr_table_sql(const struct gr_plan_stream *stream, struct gr_buf *sql);

/* Statements that make the session's temporary staging tables, if not there. Pure. Lz4 is not asked
   for here: a session has it as its default where the server can do it. */
void gr_table_session_sql(const struct gr_table *table, struct gr_buf *sql);

#endif
