/*
 * gr/sink/pg.h - one connection to the warehouse. <libpq-fe.h> is included in one place, the
 * private src/sink/conn.h.
 *
 * A session is set up the same way whatever the server's or the role's settings are: UTC, UTF-8,
 * no statement time-out, READ COMMITTED, standard strings, search_path pg_catalog only (every name
 * that we send is qualified), application_name gorgias-replicate; lz4 for new values where the
 * server can do it. A server older than 13 is refused.
 *
 * Shape   gr_pg_open, (gr_pg_exec | gr_pg_query | a script of script.h)*, gr_pg_close; after
 *         GR_FAULT_LOST: gr_pg_reopen, which gives a new session (temporary tables and locks gone)
 * Errors  GR_FAULT_TARGET cannot connect, login or privilege refused (SQLSTATE 28, 3D, 42501, 53,
 *         25006); GR_FAULT_LOST the connection broke (08, 57P01..57P03, or libpq says bad);
 *         GR_FAULT_CONFLICT 40001, 40P01, 55P03; GR_FAULT_DATA everything else.
 *         Messages have the server's primary message, detail and SQLSTATE; never the SQL's values.
 * Owns    the struct owns the connection; borrows the target
 * Source  PostgreSQL 15, libpq and Appendix A
 */
#ifndef GR_SINK_PG_H
#define GR_SINK_PG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/error.h"
#include "gr/spec/connection.h"

struct gr_pg;

/* Looks at the connection as far as that goes without a server: GR_FAULT_SPEC for what libpq cannot
   read, or would look at only when it connects. */
bool gr_pg_judge(const struct gr_target *target, struct gr_error *err);

/* Connects (10 s at most, keepalives on). Gives. */
bool gr_pg_open(const struct gr_target *target, struct gr_pg **out, struct gr_error *err);

/* The same under another application_name (borrowed): what is no run's main session. */
bool gr_pg_open_as(const struct gr_target *target, const char *name, struct gr_pg **out,
                   struct gr_error *err);
void gr_pg_close(struct gr_pg *pg);

/* The same without waiting: it is begun (gives), and then looked at until it stands or has failed.
   Whatever comes of it, gr_pg_close takes it. */
enum gr_pg_opening { GR_PG_OPENING, GR_PG_OPEN, GR_PG_REFUSED };
bool gr_pg_open_begin(const struct gr_target *target, const char *name, struct gr_pg **out,
                      struct gr_error *err);
enum gr_pg_opening gr_pg_open_poll(struct gr_pg *pg, struct gr_error *err);

/* What to wait for meanwhile. */
int gr_pg_open_socket(const struct gr_pg *pg, bool *wants_write_out);

/* A new session in place of a broken one. */
bool gr_pg_reopen(struct gr_pg *pg, struct gr_error *err);

/* True if the server compresses by lz4: from 14 on, where it was built with it. */
bool gr_pg_has_lz4(const struct gr_pg *pg);

/* 150004 for 15.4. */
int gr_pg_version(const struct gr_pg *pg);

/* Changes with every gr_pg_reopen: whoever left something in the session can see that it is gone.
 */
int64_t gr_pg_session(const struct gr_pg *pg);

/* Runs statements without parameters; results are dropped. Blocks. */
bool gr_pg_exec(struct gr_pg *pg, const char *sql, struct gr_error *err);

/*
 * What is not a script has the run's fence before it all the same: `sql` fails with SQLSTATE GRF01
 * (GR_FAULT_FENCED) once another run has taken over, and holds it off until the transaction ends.
 * Without a fence yet: gr_pg_exec.
 */
void gr_pg_set_fence(struct gr_pg *pg, const char *sql);
bool gr_pg_exec_fenced(struct gr_pg *pg, const char *sql, struct gr_error *err);

/* The rows of a query, as text. */
struct gr_rows {
    size_t count;
    size_t column_count;
    char **values; /* owned; values[row * column_count + column], NULL for null */
};
void gr_rows_free(struct gr_rows *rows);
const char *gr_rows_text(const struct gr_rows *rows, size_t row, size_t column); /* NULL: null */
int64_t gr_rows_int(const struct gr_rows *rows, size_t row, size_t column);      /* 0: null    */
void gr_rows_copy(struct gr_rows *out, const struct gr_rows *rows);

/* Runs one statement with text parameters ($1...; NULL is null). Blocks. */
bool gr_pg_query(struct gr_pg *pg, const char *sql, const char *const *params, size_t param_count,
                 struct gr_rows *out, struct gr_error *err);

/* Session-level advisory lock on a name (hashed to 64 bits by gr_pg_lock_key, which is pure). */
bool gr_pg_try_lock(struct gr_pg *pg, const char *name, bool *got_out, struct gr_error *err);
int64_t gr_pg_lock_key(const char *name);

#endif
