/* look.h - reading the state tables: SQL in which @ is the state schema, and rows cell by cell. */
#ifndef GR_SRC_SINK_LOOK_H
#define GR_SRC_SINK_LOOK_H

#include "gr/base/alloc.h"
#include "gr/sink/overview.h"

/* Microseconds since 1970. */
#define LOOK_US(column) "round(extract(epoch from " column ") * 1000000)::bigint"

/* A run under way holds the lock of its replication: $2 is its key. */
#define LOOK_IS_AT_WORK                                                                            \
    "exists (select from pg_locks as l where l.locktype = 'advisory' and l.granted"                \
    " and l.objsubid = 1 and l.database = (select d.oid from pg_database as d"                     \
    " where d.datname = current_database())"                                                       \
    " and (l.classid::bigint << 32) | l.objid::bigint = $2::bigint)"

bool gr_look_query(struct gr_pg *pg, const char *schema, const char *text,
                   const char *const *params, size_t count, struct gr_rows *out,
                   struct gr_error *err);

/* The cells of a row, one after the other; texts are copied into the arena. */
struct look {
    const struct gr_rows *rows;
    size_t row, next;
    struct gr_arena *arena;
};
const char *gr_look_text(struct look *look);
int64_t gr_look_int(struct look *look);     /* 0: null            */
int64_t gr_look_instant(struct look *look); /* GR_TIME_NONE: null */

/* The objects of the file's streams, in its order, as an array. */
void gr_look_objects(const struct gr_plan *plan, struct gr_arena *arena, struct gr_buf *text);

/* As gr_overview_read; `more` reads on as of the same moment, where there is any state. */
typedef bool look_more(struct gr_pg *pg, const struct gr_plan *plan, struct gr_overview *overview,
                       void *context, struct gr_error *err);
bool gr_look_overview(struct gr_pg *pg, const struct gr_plan *plan, look_more *more, void *context,
                      struct gr_overview *out, struct gr_error *err);

#endif
