/*
 * conn.h - what pg.c, connect.c, run.c and state.c share of a connection. Private to src/sink: it
 * is what keeps <libpq-fe.h> out of every other file.
 */
#ifndef GR_SRC_SINK_CONN_H
#define GR_SRC_SINK_CONN_H

#include <libpq-fe.h>

#include "gr/sink/pg.h"

/* Begins a connection whose application_name is `name`; NULL with *err filled where there is
   nothing to begin. PQconnectPoll goes on with it. */
PGconn *gr_pg_connect_begin(const struct gr_target *target, const char *name, struct gr_error *err);

/* How long it may take: connect_timeout of the connection (seconds), else 10 s. */
int64_t gr_pg_connect_ms(PGconn *conn);

/* Fills *err with why it has failed, or is late; always false. */
bool gr_pg_connect_fail(const struct gr_target *target, PGconn *conn, bool is_late,
                        struct gr_error *err);

/* The connection inside; NULL after a gr_pg_reopen that failed. */
PGconn *gr_pg_conn(const struct gr_pg *pg);

/* Fills *err from a result, or from the connection where `result` is NULL; always false. */
bool gr_pg_fail(struct gr_pg *pg, const PGresult *result, struct gr_error *err);

/* SQLSTATE of the last gr_pg_fail, "" where there was none. */
const char *gr_pg_sqlstate(const struct gr_pg *pg);

/* Ends the session that gr_pg_reopen replaced, should the server still run it. */
void gr_pg_end_former(struct gr_pg *pg);

/* The fault that an SQLSTATE stands for. */
enum gr_fault gr_pg_fault(const char *sqlstate);

/* Copies the rows of a result. */
void gr_rows_take(struct gr_rows *out, const PGresult *result);

#endif
