/*
 * gr/sink/sql.h - names and values as SQL text. Pure.
 *
 * Names come from YAML: they are identifiers, never SQL, and are always quoted. PostgreSQL cuts a
 * name of more than 63 bytes without an error, so names that we derive are cut here, with a hash
 * that keeps them apart.
 */
#ifndef GR_SINK_SQL_H
#define GR_SINK_SQL_H

#include <stddef.h>
#include <stdint.h>

#include "gr/base/buf.h"

enum { GR_SQL_NAME_BYTES = 63 }; /* of an identifier, without the zero byte */

void gr_sql_ident(struct gr_buf *sql, const char *name);                     /* "na""me"         */
void gr_sql_name(struct gr_buf *sql, const char *schema, const char *table); /* "schema"."table" */
void gr_sql_literal(struct gr_buf *sql, const char *text);                   /* 'it''s', E'\\'   */

/* prefix and name and suffix, unquoted, in at most 63 bytes: a `name` that does not fit is cut
   between two characters and gets 16 hex digits of its hash. */
void gr_sql_derived(const char *prefix, const char *name, const char *suffix,
                    char out[GR_SQL_NAME_BYTES + 1]);

/* A 64-bit hash of a text; the same in every version of this program. */
uint64_t gr_sql_hash(const char *text);

/* Array values as text, for parameters: {1,2} and {"a","b\"c",NULL}. */
void gr_sql_int_array(struct gr_buf *text, const int64_t *items, size_t count);
void gr_sql_text_array(struct gr_buf *text, const char *const *items, size_t count);

#endif
