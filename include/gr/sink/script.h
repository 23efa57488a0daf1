/*
 * gr/sink/script.h - one transaction, written down before it runs.
 *
 * Whoever decides what a commit does writes a script: statements and COPYs, in order. Running it is
 * thin: BEGIN, the steps, COMMIT, or ROLLBACK at the first that fails. Running never blocks: the
 * engine's loop waits for the socket together with those of the HTTP transfers, so pages are
 * fetched and encoded while PostgreSQL works. A script is not consumed: after a lost connection the
 * same script runs again, and everything a script does must be harmless when done twice. (One with
 * an open COPY cannot: what it has handed over it does not keep.)
 *
 * Statements between two COPYs travel together (pipeline), BEGIN with the first of them and COMMIT
 * with the last, so that a commit costs few round trips; a step whose outcome decides whether the
 * next may run (fence, check, gate) ends such a group.
 *
 * Shape   gr_script_new, add*, gr_script_start, gr_script_poll until it is not BUSY, results,
 *         gr_script_free. One script at a time on a connection. A script that is freed while BUSY
 *         leaves the connection in the middle of something: close or reopen it.
 * Errors  those of gr/sink/pg.h; GR_FAULT_FENCED and GR_FAULT_UNSTAGED where a step said so
 * Owns    the script owns its SQL, parameters and data; results are owned by the script and valid
 *         until it is started again or freed; the connection is borrowed while it runs
 * Source  PostgreSQL 15, libpq "Asynchronous Command Processing", "Pipeline Mode", "COPY"
 */
#ifndef GR_SINK_SCRIPT_H
#define GR_SINK_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/buf.h"
#include "gr/base/error.h"
#include "gr/sink/pg.h"

struct gr_script;

/* `what` names it in messages: "tickets: commit". Copied. Gives. */
struct gr_script *gr_script_new(const char *what);
void gr_script_free(struct gr_script *script);

/* Adds a statement with `count` text parameters (copied; NULL is null); returns the step's number.
 */
size_t gr_script_sql(struct gr_script *script, const char *sql, const char *const *params,
                     size_t count);

/* The same, but the run must end (GR_FAULT_FENCED) if the statement touches no row. */
size_t gr_script_fence(struct gr_script *script, const char *sql, const char *const *params,
                       size_t count);

/* The same, but the script fails with GR_FAULT_UNSTAGED, `message` and `hint` (copied), if the
   statement touches no row: what the steps behind it rely on is not there. */
size_t gr_script_check(struct gr_script *script, const char *sql, const char *const *params,
                       size_t count, const char *message, const char *hint);

/* The same, but if the statement touches no row, the steps up to the matching gr_script_gate_end
   are passed over: they touch nothing and have no rows. Gates do not nest. */
size_t gr_script_gate(struct gr_script *script, const char *sql, const char *const *params,
                      size_t count);
void gr_script_gate_end(struct gr_script *script);

/* A gate before a COPY whose tuples (gr_script_copy_tuple says where they end, in their order) are
   sent only where the statement's rows name them: numbers in ascending order, from 1 on. */
size_t gr_script_choice(struct gr_script *script, const char *sql, const char *const *params,
                        size_t count);
void gr_script_copy_tuple(struct gr_script *script, size_t step, size_t bytes);

/* After DONE: tuples that a choice has not named. */
size_t gr_script_left_out(const struct gr_script *script);

/* Adds COPY ... FROM STDIN (FORMAT binary) with `data` (taken; left empty), which are tuples only:
   header and trailer are sent around them. Returns the step's number. */
size_t gr_script_copy(struct gr_script *script, const char *sql, struct gr_buf *data);

/* The same, but the COPY stays open while the script runs: tuples are appended until it is closed.
   Steps behind it are added just before that. One to a script. */
size_t gr_script_copy_open(struct gr_script *script, const char *sql);

/* Moves tuples into the open COPY; `data` keeps its memory. */
void gr_script_append(struct gr_script *script, struct gr_buf *data);
void gr_script_copy_close(struct gr_script *script);

/* Ends the open COPY at once, and the script fails: with GR_FAULT_CONFLICT, if nothing else was
   wrong with it. */
void gr_script_give_up(struct gr_script *script);
bool gr_script_is_given_up(const struct gr_script *script);

/* Whether there is a COPY that is open; bytes of it that are not yet handed over; whether the
   script can run again. */
bool gr_script_is_open(const struct gr_script *script);
size_t gr_script_unsent(const struct gr_script *script);
bool gr_script_can_repeat(const struct gr_script *script);

/* The script needs what was left in this session (gr_pg_session), such as rows in a temporary
   table: started in another one it fails with GR_FAULT_UNSTAGED before it sends anything. */
void gr_script_bind(struct gr_script *script, int64_t session);

/* Number of steps. */
size_t gr_script_steps(const struct gr_script *script);

/* Its commit need not be on disk when it is done: a crash of the server may take it back. */
void gr_script_relax(struct gr_script *script);
bool gr_script_is_relaxed(const struct gr_script *script);

/* Steps as text, one a line, data as its length: for golden tests and --log-level debug. */
void gr_script_print(const struct gr_script *script, struct gr_buf *out);

enum gr_script_status { GR_SCRIPT_BUSY, GR_SCRIPT_DONE, GR_SCRIPT_FAILED };

/* Begins to run; false if not even the first message could be sent. */
bool gr_script_start(struct gr_script *script, struct gr_pg *pg, struct gr_error *err);

/* Goes on as far as possible without waiting. FAILED fills *err; the transaction is rolled back,
   or the connection is lost. */
enum gr_script_status gr_script_poll(struct gr_script *script, struct gr_error *err);

/* True once it is done or has failed: no socket will tell of it any more. */
bool gr_script_is_over(const struct gr_script *script);

/* The socket to wait for while BUSY, and whether writing is waited for too; -1 if none. */
int gr_script_socket(const struct gr_script *script, bool *wants_write_out);

/* Starts and waits: for commands and start-up, outside the loop. */
bool gr_script_run(struct gr_script *script, struct gr_pg *pg, struct gr_error *err);

/* After DONE: rows touched or returned by a step, and the rows it returned. */
int64_t gr_script_touched(const struct gr_script *script, size_t step);
const struct gr_rows *gr_script_rows(const struct gr_script *script, size_t step);

#endif
