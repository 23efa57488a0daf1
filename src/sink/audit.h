/* audit.h - pieces of SQL that audit.c writes and record.c uses. Private to src/sink. */
#ifndef GR_SRC_SINK_AUDIT_H
#define GR_SRC_SINK_AUDIT_H

#include "gr/sink/audit.h"

/* The column is there, and taken by the table. */
bool gr_audit_has_column(const struct gr_table *table, int at);
bool gr_audit_has_parent(const struct gr_audit *audit);
int gr_audit_created_column(const struct gr_table *table);
int gr_audit_parent_column(const struct gr_table *table);

/* t."id" */
void gr_audit_put_column(const struct gr_table *table, const char *alias, int at,
                         struct gr_buf *sql);

/* s."id"::bigint, or null of the type where there is no such column */
void gr_audit_put_staged(const struct gr_table *table, int at, const char *type,
                         struct gr_buf *sql);

/* p."id" = `key` */
void gr_audit_put_parent_is(const struct gr_audit *audit, const char *key, struct gr_buf *sql);

/* The key of s, which is staged, is that of t. */
void gr_audit_put_same_key(const struct gr_table *table, struct gr_buf *sql);

#endif
