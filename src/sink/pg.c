/* pg.c - one connection to the warehouse. */
#include "gr/sink/pg.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "gr/base/alloc.h"
#include "gr/base/buf.h"
#include "gr/base/time.h"
#include "gr/sink/sql.h"

enum { OLDEST_SERVER = 130000 };

struct gr_pg {
    const struct gr_target *target; /* borrowed                                            */
    const char *name;               /* borrowed; application_name                          */
    PGconn *conn;                   /* owned; NULL after a reopening that failed           */
    PostgresPollingStatusType want; /* while it is being opened                            */
    int64_t until_ms;               /* so long, at most                                    */
    char *fence;                    /* owned; SQL that fails once the run was overtaken    */
    int64_t session;
    bool has_lz4;
    char sqlstate[6];
    char pid[24];        /* of the backend, and when it began: together they    */
    char begun[64];      /* name this session and no other                      */
    char former_pid[24]; /* the same of the session before                      */
    char former_begun[64];
};

/* Whatever server, database or role have set, a session is this. Notices are of no use to us; no
   query of ours gains by JIT. */
static const char session_sql[] = "set timezone = 'UTC';"
                                  "set client_encoding = 'UTF8';"
                                  "set datestyle = 'ISO, YMD';"
                                  "set intervalstyle = 'postgres';"
                                  "set extra_float_digits = 1;"
                                  "set bytea_output = 'hex';"
                                  "set standard_conforming_strings = on;"
                                  "set statement_timeout = 0;"
                                  "set lock_timeout = 0;"
                                  "set idle_in_transaction_session_timeout = 0;"
                                  "set default_transaction_isolation = 'read committed';"
                                  "set default_transaction_read_only = off;"
                                  "set default_transaction_deferrable = off;"
                                  "set client_min_messages = error;"
                                  "set jit = off;"
                                  "set tcp_keepalives_idle = 30;"
                                  "set tcp_keepalives_interval = 10;"
                                  "set tcp_keepalives_count = 3;"
                                  "set search_path = pg_catalog";

/* What only newer servers have: lz4, where it was compiled in, makes a load a quarter faster; and a
   backend that looks for its client while it works gives up the locks of a run that was killed. */
static const char extras_sql[] =
    "select set_config(name, case name when 'default_toast_compression' then 'lz4'"
    " when 'client_connection_check_interval' then '1s' else '0' end, false)"
    " from pg_settings where name in ('idle_session_timeout', 'client_connection_check_interval')"
    " or (name = 'default_toast_compression' and 'lz4' = any(enumvals))";

static const char myself_sql[] =
    "select pid::text, backend_start::text,"
    " current_setting('default_toast_compression', true) is not distinct from 'lz4'"
    " from pg_stat_activity where pid = pg_backend_pid()";

/* clang-format off */
static const struct {
    const char *sqlstate; /* or its beginning */
    enum gr_fault fault;
} faults[] = {
    {"08",    GR_FAULT_LOST},
    {"57P",   GR_FAULT_LOST},
    {"28",    GR_FAULT_TARGET},
    {"3D",    GR_FAULT_TARGET},
    {"42501", GR_FAULT_TARGET},
    {"53",    GR_FAULT_TARGET},
    {"25006", GR_FAULT_TARGET},
    {"40001", GR_FAULT_CONFLICT},
    {"40P01", GR_FAULT_CONFLICT},
    {"57014", GR_FAULT_CONFLICT}, /* somebody cancelled the statement */
    {"55P03", GR_FAULT_CONFLICT},
    {"GRF01", GR_FAULT_FENCED}, /* raised by ourselves: gr_pg_set_fence */
};

/* What a message of class 42501 begins with, and the statement that mends it. */
static const struct {
    const char *message;
    const char *remedy; /* before and after the name, "|" between */
} remedies[] = {
    {"permission denied for database ",      "GRANT CREATE, TEMPORARY ON DATABASE |"},
    {"permission denied for schema ",        "GRANT USAGE, CREATE ON SCHEMA |"},
    {"permission denied for table ",         "GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON |"},
    {"permission denied to create temporary tables in database ",
                                             "GRANT TEMPORARY ON DATABASE |"},
    {"must be owner of table ",              "ALTER TABLE | OWNER"},
    {"must be owner of relation ",           "ALTER TABLE | OWNER"},
};

/* What PostgreSQL gives no hint about, by SQLSTATE or its beginning: tables that users have made. */
static const struct {
    const char *sqlstate;
    const char *hint;
} data_hints[] = {
    {"22001", "A column of the table is too short for what the source sends: make it text."},
    {"22003", "A column of the table is too narrow for what the source sends: make it bigint or numeric."},
    {"22P02", "A column of the table has another type than its field; discover --columns lists the types."},
    {"42804", "A column of the table has another type than its field; discover --columns lists the types."},
    {"42846", "A column of the table has another type than its field; discover --columns lists the types."},
    {"23502", "Give the column a default, or let it be null: the source knows nothing of it."},
    {"23",    "A constraint of the table refuses a row as the source has it; drop it."},
};
/* clang-format on */

PGconn *
gr_pg_conn(const struct gr_pg *pg)
{
    return pg->conn;
}

const char *
gr_pg_sqlstate(const struct gr_pg *pg)
{
    return pg->sqlstate;
}

enum gr_fault
gr_pg_fault(const char *sqlstate)
{
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        if (strncmp(sqlstate, faults[i].sqlstate, strlen(faults[i].sqlstate)) == 0)
            return faults[i].fault;
    return GR_FAULT_DATA;
}

/* The statement to run, where the refusal says what it is about; else what is known. */
static bool
hint_for_refusal(const struct gr_pg *pg, const char *message, struct gr_error *err)
{
    const char *user = pg->conn == NULL ? NULL : PQuser(pg->conn);
    struct gr_buf role GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    gr_sql_ident(&role, user == NULL ? "" : user);
    for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++) {
        size_t len = strlen(remedies[i].message);
        size_t before = strcspn(remedies[i].remedy, "|");
        struct gr_buf name GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

        if (strncmp(message, remedies[i].message, len) != 0)
            continue;
        if (message[len] == '"')
            gr_buf_puts(&name, message + len);
        else
            gr_sql_ident(&name, message + len);
        return gr_hint(err, "Let an administrator run: %.*s%s%s TO %s;", (int)before,
                       remedies[i].remedy, gr_buf_text(&name), remedies[i].remedy + before + 1,
                       gr_buf_text(&role));
    }
    return gr_hint(err, "Give role %s the privilege it lacks, or connect as another role.",
                   gr_buf_text(&role));
}

static const char *
field(const PGresult *result, int code)
{
    const char *text = PQresultErrorField(result, code);

    return text == NULL ? "" : text;
}

/* A detail that repeats a row holds what customers wrote: it stays out of messages. */
static const char *
detail_of(const PGresult *result)
{
    const char *detail = field(result, PG_DIAG_MESSAGE_DETAIL);

    return strncmp(detail, "Failing row contains", 20) == 0 ? "" : detail;
}

static bool
fail_without_result(struct gr_pg *pg, struct gr_error *err)
{
    const char *text = PQerrorMessage(pg->conn);
    size_t len = strlen(text);

    while (len > 0 && text[len - 1] == '\n')
        len--;
    if (PQstatus(pg->conn) == CONNECTION_BAD) {
        (void)gr_fail(err, GR_FAULT_LOST, "PostgreSQL at %s: connection lost%s%.*s",
                      pg->target->shown, len > 0 ? ": " : "", (int)len, text);
        return gr_hint(err, "The server's log says why it ended the session.");
    }
    return gr_fail(err, GR_FAULT_BUG, "PostgreSQL at %s: %.*s", pg->target->shown, (int)len, text);
}

bool
gr_pg_fail(struct gr_pg *pg, const PGresult *result, struct gr_error *err)
{
    const char *message = field(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *hint = field(result, PG_DIAG_MESSAGE_HINT);
    const char *detail = detail_of(result);
    char where[512] = "";
    enum gr_fault fault;

    (void)snprintf(pg->sqlstate, sizeof(pg->sqlstate), "%.5s", field(result, PG_DIAG_SQLSTATE));
    if (pg->sqlstate[0] == '\0')
        return fail_without_result(pg, err);
    fault = PQstatus(pg->conn) == CONNECTION_BAD ? GR_FAULT_LOST : gr_pg_fault(pg->sqlstate);
    if (fault == GR_FAULT_TARGET || fault == GR_FAULT_LOST)
        (void)snprintf(where, sizeof(where), "PostgreSQL at %s: ", pg->target->shown);
    (void)gr_fail(err, fault, "%s%s%s%s (SQLSTATE %s)", where, message,
                  detail[0] == '\0' ? "" : "; ", detail, pg->sqlstate);
    if (hint[0] != '\0')
        (void)gr_hint(err, "%s", hint);
    for (size_t i = 0; i < sizeof(data_hints) / sizeof(data_hints[0]) && err->hint[0] == '\0'; i++)
        if (strncmp(pg->sqlstate, data_hints[i].sqlstate, strlen(data_hints[i].sqlstate)) == 0)
            (void)gr_hint(err, "%s", data_hints[i].hint);
    if (strcmp(pg->sqlstate, "42501") == 0)
        (void)hint_for_refusal(pg, message, err);
    return false;
}

static void
remember_myself(struct gr_pg *pg, const struct gr_rows *rows)
{
    memcpy(pg->former_pid, pg->pid, sizeof(pg->pid));
    memcpy(pg->former_begun, pg->begun, sizeof(pg->begun));
    pg->pid[0] = pg->begun[0] = '\0';
    if (rows->count == 1 && gr_rows_text(rows, 0, 0) != NULL && gr_rows_text(rows, 0, 1) != NULL) {
        (void)snprintf(pg->pid, sizeof(pg->pid), "%s", gr_rows_text(rows, 0, 0));
        (void)snprintf(pg->begun, sizeof(pg->begun), "%s", gr_rows_text(rows, 0, 1));
    }
}

static bool
set_up(struct gr_pg *pg, struct gr_error *err)
{
    struct gr_rows rows = {0};
    int version = PQserverVersion(pg->conn);

    if (version < OLDEST_SERVER) {
        (void)gr_fail(err, GR_FAULT_TARGET, "PostgreSQL at %s: version %d is too old",
                      pg->target->shown, version / 10000);
        return gr_hint(err, "Version 13 or newer is needed.");
    }
    if (!gr_pg_exec(pg, session_sql, err) || !gr_pg_exec(pg, extras_sql, err) ||
        !gr_pg_query(pg, myself_sql, NULL, 0, &rows, err))
        return false;
    remember_myself(pg, &rows);
    pg->has_lz4 = rows.count == 1 && strcmp(gr_rows_text(&rows, 0, 2), "t") == 0;
    gr_rows_free(&rows);
    return true;
}

static void
drop_notice(void *context, const PGresult *result)
{
    (void)context;
    (void)result;
}

static void
hang_up(struct gr_pg *pg)
{
    PQfinish(pg->conn);
    pg->conn = NULL;
}

static bool
begin(struct gr_pg *pg, struct gr_error *err)
{
    pg->conn = gr_pg_connect_begin(pg->target, pg->name, err);
    if (pg->conn == NULL)
        return false;
    pg->want = PGRES_POLLING_WRITING;
    pg->until_ms = gr_clock_ms() + gr_pg_connect_ms(pg->conn);
    return true;
}

/* Waits for the socket as long as `most_ms`. */
static void
go_on(struct gr_pg *pg, int64_t most_ms)
{
    bool wants_write;
    struct pollfd fd = {.fd = gr_pg_open_socket(pg, &wants_write)};

    fd.events = wants_write ? POLLOUT : POLLIN;
    if (PQstatus(pg->conn) == CONNECTION_BAD)
        pg->want = PGRES_POLLING_FAILED;
    else if (poll(&fd, 1, (int)most_ms) > 0) /* a signal only makes us look again */
        pg->want = PQconnectPoll(pg->conn);
}

static enum gr_pg_opening
look(struct gr_pg *pg, int64_t most_ms, struct gr_error *err)
{
    bool is_late;

    go_on(pg, most_ms);
    is_late = gr_clock_ms() >= pg->until_ms;
    if ((pg->want == PGRES_POLLING_READING || pg->want == PGRES_POLLING_WRITING) && !is_late)
        return GR_PG_OPENING;
    if (PQstatus(pg->conn) != CONNECTION_OK) {
        (void)gr_pg_connect_fail(pg->target, pg->conn, is_late && pg->want != PGRES_POLLING_FAILED,
                                 err);
        hang_up(pg);
        return GR_PG_REFUSED;
    }
    (void)PQsetErrorVerbosity(pg->conn, PQERRORS_DEFAULT);
    (void)PQsetNoticeReceiver(pg->conn, drop_notice, NULL);
    (void)PQsetnonblocking(pg->conn, 1); /* for scripts; PQexec blocks all the same */
    pg->session++;
    if (set_up(pg, err))
        return GR_PG_OPEN;
    hang_up(pg);
    return GR_PG_REFUSED;
}

static bool
connect_and_set_up(struct gr_pg *pg, struct gr_error *err)
{
    enum gr_pg_opening opening = begin(pg, err) ? GR_PG_OPENING : GR_PG_REFUSED;

    while (opening == GR_PG_OPENING) {
        int64_t left_ms = pg->until_ms - gr_clock_ms();

        opening = look(pg, left_ms > 0 ? left_ms : 0, err);
    }
    return opening == GR_PG_OPEN;
}

bool
gr_pg_open_begin(const struct gr_target *target, const char *name, struct gr_pg **out,
                 struct gr_error *err)
{
    struct gr_pg *pg = gr_alloc(1, sizeof(*pg));

    pg->target = target;
    pg->name = name;
    if (!begin(pg, err)) {
        gr_free(pg);
        return false;
    }
    *out = pg;
    return true;
}

enum gr_pg_opening
gr_pg_open_poll(struct gr_pg *pg, struct gr_error *err)
{
    return look(pg, 0, err);
}

int
gr_pg_open_socket(const struct gr_pg *pg, bool *wants_write_out)
{
    *wants_write_out = pg->want != PGRES_POLLING_READING;
    return PQsocket(pg->conn);
}

bool
gr_pg_open(const struct gr_target *target, struct gr_pg **out, struct gr_error *err)
{
    return gr_pg_open_as(target, "gorgias-replicate", out, err);
}

bool
gr_pg_open_as(const struct gr_target *target, const char *name, struct gr_pg **out,
              struct gr_error *err)
{
    struct gr_pg *pg = gr_alloc(1, sizeof(*pg));

    pg->target = target;
    pg->name = name;
    if (!connect_and_set_up(pg, err)) {
        gr_free(pg);
        return false;
    }
    *out = pg;
    return true;
}

void
gr_pg_close(struct gr_pg *pg)
{
    if (pg == NULL)
        return;
    PQfinish(pg->conn);
    gr_free(pg->fence);
    gr_free(pg);
}

bool
gr_pg_reopen(struct gr_pg *pg, struct gr_error *err)
{
    PQfinish(pg->conn);
    pg->conn = NULL;
    return connect_and_set_up(pg, err);
}

void
gr_pg_end_former(struct gr_pg *pg)
{
    const char *params[] = {pg->former_pid, pg->former_begun};
    struct gr_rows rows = {0};
    struct gr_error err;

    if (pg->former_pid[0] == '\0')
        return;
    /* A pooler may have given the backend to someone else: then it holds no lock of ours. A refusal
       is not the end: whoever wants the locks waits for them anyway. */
    if (gr_pg_query(pg,
                    "select pg_terminate_backend(pid) from pg_stat_activity as a"
                    " where pid = $1::integer and backend_start = $2::timestamptz"
                    " and pid <> pg_backend_pid() and application_name = 'gorgias-replicate'"
                    " and exists (select from pg_locks as l where l.pid = a.pid"
                    " and l.locktype = 'advisory' and l.granted)",
                    params, 2, &rows, &err))
        gr_rows_free(&rows);
}

int
gr_pg_version(const struct gr_pg *pg)
{
    return pg->conn == NULL ? 0 : PQserverVersion(pg->conn);
}

bool
gr_pg_has_lz4(const struct gr_pg *pg)
{
    return pg->has_lz4;
}

int64_t
gr_pg_session(const struct gr_pg *pg)
{
    return pg->session;
}

/* Ends a transaction that a failed statement has left open. */
static void
tidy_up(struct gr_pg *pg)
{
    if (PQtransactionStatus(pg->conn) == PQTRANS_INERROR)
        PQclear(PQexec(pg->conn, "rollback"));
}

bool
gr_pg_exec(struct gr_pg *pg, const char *sql, struct gr_error *err)
{
    PGresult *result = PQexec(pg->conn, sql);
    ExecStatusType status = PQresultStatus(result);
    bool is_copy = status == PGRES_COPY_IN || status == PGRES_COPY_OUT;
    bool is_ok =
        status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;

    if (is_copy) /* the next PQexec ends it */
        (void)gr_fail(err, GR_FAULT_DATA, "COPY from or to the client is not possible here");
    else if (!is_ok)
        (void)gr_pg_fail(pg, result, err);
    PQclear(result);
    if (!is_ok)
        tidy_up(pg);
    return is_ok;
}

void
gr_pg_set_fence(struct gr_pg *pg, const char *sql)
{
    gr_free(pg->fence);
    pg->fence = gr_strdup(sql);
}

bool
gr_pg_exec_fenced(struct gr_pg *pg, const char *sql, struct gr_error *err)
{
    struct gr_buf all GR_CLEANUP(gr_buf_free) = gr_buf_new(0);

    if (pg->fence == NULL)
        return gr_pg_exec(pg, sql, err);
    gr_buf_printf(&all, "%s;\n%s", pg->fence, sql);
    if (gr_pg_exec(pg, gr_buf_text(&all), err))
        return true;
    /* What cannot be part of a transaction (VACUUM) comes behind this one, which has looked. */
    return strcmp(pg->sqlstate, "25001") == 0 && err->fault == GR_FAULT_DATA &&
           gr_pg_exec(pg, sql, err);
}

bool
gr_pg_query(struct gr_pg *pg, const char *sql, const char *const *params, size_t param_count,
            struct gr_rows *out, struct gr_error *err)
{
    PGresult *result = PQexecParams(pg->conn, sql, (int)param_count, NULL, params, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);
    bool is_ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;

    if (is_ok)
        gr_rows_take(out, result);
    else
        (void)gr_pg_fail(pg, result, err);
    PQclear(result);
    if (!is_ok)
        tidy_up(pg);
    return is_ok;
}

void
gr_rows_take(struct gr_rows *out, const PGresult *result)
{
    int rows = PQntuples(result);
    int columns = PQnfields(result);

    *out = (struct gr_rows){.count = (size_t)rows, .column_count = (size_t)columns};
    if (rows == 0 || columns == 0)
        return;
    out->values = gr_alloc(out->count * out->column_count, sizeof(*out->values));
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++)
            if (!PQgetisnull(result, r, c))
                out->values[(size_t)r * out->column_count + (size_t)c] =
                    gr_strndup(PQgetvalue(result, r, c), (size_t)PQgetlength(result, r, c));
}

void
gr_rows_copy(struct gr_rows *out, const struct gr_rows *rows)
{
    size_t cells = rows->count * rows->column_count;

    *out = (struct gr_rows){.count = rows->count, .column_count = rows->column_count};
    if (rows->values == NULL)
        return;
    out->values = gr_alloc(cells, sizeof(*out->values));
    for (size_t i = 0; i < cells; i++)
        if (rows->values[i] != NULL)
            out->values[i] = gr_strdup(rows->values[i]);
}

void
gr_rows_free(struct gr_rows *rows)
{
    for (size_t i = 0; rows->values != NULL && i < rows->count * rows->column_count; i++)
        gr_free(rows->values[i]);
    gr_free(rows->values);
    *rows = (struct gr_rows){0};
}

const char *
gr_rows_text(const struct gr_rows *rows, size_t row, size_t column)
{
    if (rows->values == NULL || row >= rows->count || column >= rows->column_count)
        return NULL;
    return rows->values[row * rows->column_count + column];
}

int64_t
gr_rows_int(const struct gr_rows *rows, size_t row, size_t column)
{
    const char *text = gr_rows_text(rows, row, column);

    return text == NULL ? 0 : (int64_t)strtoll(text, NULL, 10);
}

int64_t
gr_pg_lock_key(const char *name)
{
    uint64_t hash = gr_sql_hash(name);
    int64_t key;

    memcpy(&key, &hash, sizeof(key));
    return key;
}

bool
gr_pg_try_lock(struct gr_pg *pg, const char *name, bool *got_out, struct gr_error *err)
{
    char key[24];
    const char *params[] = {key};
    struct gr_rows rows = {0};

    (void)snprintf(key, sizeof(key), "%" PRId64, gr_pg_lock_key(name));
    if (!gr_pg_query(pg, "select pg_try_advisory_lock($1::bigint)", params, 1, &rows, err))
        return false;
    *got_out = gr_rows_text(&rows, 0, 0) != NULL && gr_rows_text(&rows, 0, 0)[0] == 't';
    gr_rows_free(&rows);
    return true;
}
