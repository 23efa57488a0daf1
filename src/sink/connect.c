/* connect.c - the way to a connection, and what to tell the operator when there is none. */
#include "conn.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/buf.h"
#include "gr/base/log.h"

enum { CONNECT_MS = 10000 };

/* Before the target's own keywords, which may say otherwise. */
static const char *const defaults[][2] = {
    {"keepalives", "1"},       {"keepalives_idle", "30"},     {"keepalives_interval", "10"},
    {"keepalives_count", "3"}, {"tcp_user_timeout", "60000"},
};
/* Behind them, so that they hold. */
static const char *const demands[][2] = {
    {"client_encoding", "UTF8"},
};

/* clang-format off */
static const struct {
    const char *sqlstate; /* or the beginning of one */
    const char *hint;
} hints[] = {
    {"28P01", "Check user and password of the connection; the password may also come from "
              "PGPASSWORD or ~/.pgpass."},
    {"28",    "The role must exist with LOGIN, and pg_hba.conf of the server must let it in from "
              "this host (perhaps over TLS only: sslmode=require)."},
    {"3D000", "Create the database, or correct its name in the connection."},
    {"53300", "The server has no connection left; raise max_connections or close others."},
    {"57P03", "The server is starting up or shutting down; try again in a moment."},
    {"42501", "The role needs the CONNECT privilege: GRANT CONNECT ON DATABASE ... TO ...;"},
};
/* clang-format on */

static const char no_answer_hint[] =
    "Check host, port and sslmode of the connection, and that the server runs and can be reached "
    "from here.";
static const char no_password_hint[] =
    "The server wants a password: put it into the connection, PGPASSWORD or ~/.pgpass.";

int64_t
gr_pg_connect_ms(PGconn *conn)
{
    PQconninfoOption *options = PQconninfo(conn);
    int64_t ms = CONNECT_MS;

    for (PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++) {
        if (strcmp(o->keyword, "connect_timeout") == 0 && o->val != NULL) {
            long seconds = strtol(o->val, NULL, 10);

            if (seconds > 0 && seconds < 3600)
                ms = seconds * 1000;
        }
    }
    PQconninfoFree(options);
    return ms;
}

/* The last "28P01: " in a text that libpq wrote at verbosity VERBOSE; "" for none. It is taken
   out, and so is the place in the server's source. */
static void
tidy(char *text, char sqlstate[6])
{
    char *from = text;
    char *to = text;

    sqlstate[0] = '\0';
    while (*from != '\0') {
        size_t run = strspn(from, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");

        if (run == 5 && from[5] == ':' && from > text && from[-1] == ' ') {
            memcpy(sqlstate, from, 5);
            sqlstate[5] = '\0';
            from += strncmp(from + 5, ": ", 2) == 0 ? 7 : 6;
        } else if (strncmp(from, "LOCATION:", 9) == 0) {
            from += strcspn(from, "\n");
        } else if (*from == '\n') {
            from++;
            if (*from != '\0' && strncmp(from, "LOCATION:", 9) != 0)
                *to++ = ' ';
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
}

bool
gr_pg_connect_fail(const struct gr_target *target, PGconn *conn, bool is_late, struct gr_error *err)
{
    char sqlstate[6];
    char *text GR_CLEANUP(gr_free_var) = gr_strdup(PQerrorMessage(conn));
    const char *hint = no_answer_hint;

    tidy(text, sqlstate);
    if (is_late)
        (void)gr_fail(err, GR_FAULT_TARGET, "PostgreSQL at %s: no connection in time",
                      target->shown);
    else if (sqlstate[0] != '\0')
        (void)gr_fail(err, GR_FAULT_TARGET, "PostgreSQL at %s: %s (SQLSTATE %s)", target->shown,
                      text, sqlstate);
    else
        (void)gr_fail(err, GR_FAULT_TARGET, "PostgreSQL at %s: %s", target->shown, text);
    for (size_t i = sizeof(hints) / sizeof(hints[0]); i-- > 0;)
        if (strncmp(sqlstate, hints[i].sqlstate, strlen(hints[i].sqlstate)) == 0)
            hint = hints[i].hint;
    if (PQconnectionNeedsPassword(conn))
        hint = no_password_hint;
    return gr_hint(err, "%s", hint);
}

/* A URL that libpq cannot read is not repeated in its words: they may be parts of a password. */
static bool
check_url(const struct gr_target *target, struct gr_error *err)
{
    for (size_t i = 0; target->keywords[i] != NULL; i++) {
        PQconninfoOption *options;
        char *complaint = NULL;

        if (strcmp(target->keywords[i], "dbname") != 0 || target->values[i] == NULL ||
            (strncmp(target->values[i], "postgresql://", 13) != 0 &&
             strncmp(target->values[i], "postgres://", 11) != 0))
            continue;
        options = PQconninfoParse(target->values[i], &complaint);
        PQfreemem(complaint);
        if (options == NULL) {
            (void)gr_fail(err, GR_FAULT_TARGET, "PostgreSQL at %s: the connection is no valid URL",
                          target->shown);
            return gr_hint(err, "Write special characters of user and password as %%XX, such as "
                                "%%40 for @ and %%2F for a slash.");
        }
        PQconninfoFree(options);
    }
    return true;
}

PGconn *
gr_pg_connect_begin(const struct gr_target *target, const char *name, struct gr_error *err)
{
    enum { OURS = (sizeof(defaults) + sizeof(demands)) / sizeof(defaults[0]) };
    const char **words;
    size_t count = 0;
    size_t cap = 0;
    PGconn *conn;

    if (!check_url(target, err))
        return NULL;
    while (target->keywords[cap] != NULL)
        cap++;
    cap += OURS + 2; /* the name, and the end */
    words = gr_alloc(2 * cap, sizeof(*words));
    for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++, count++) {
        words[count] = defaults[i][0];
        words[cap + count] = defaults[i][1];
    }
    for (size_t i = 0; target->keywords[i] != NULL; i++, count++) {
        words[count] = target->keywords[i];
        words[cap + count] = target->values[i];
    }
    for (size_t i = 0; i < sizeof(demands) / sizeof(demands[0]); i++, count++) {
        words[count] = demands[i][0];
        words[cap + count] = demands[i][1];
    }
    words[count] = "application_name";
    words[cap + count] = name;
    conn = PQconnectStartParams(words, words + cap, 1);
    gr_free(words);
    (void)PQsetErrorVerbosity(conn, PQERRORS_VERBOSE); /* the only way to a login's SQLSTATE */
    gr_log_secret(PQpass(conn));
    return conn;
}

/* What libpq would look at only when it connects, and then as if the server were to blame. */
/* clang-format off */
static const struct {
    const char *keyword;
    const char *words; /* the value is one of them; NULL: it is a whole number */
} choices[] = {
    {"sslmode",              "disable allow prefer require verify-ca verify-full"},
    {"channel_binding",      "disable prefer require"},
    {"gssencmode",           "disable prefer require"},
    {"target_session_attrs", "any read-write read-only primary standby prefer-standby"},
    {"connect_timeout",      NULL},
    {"keepalives",           NULL},
    {"keepalives_idle",      NULL},
    {"keepalives_interval",  NULL},
    {"keepalives_count",     NULL},
    {"tcp_user_timeout",     NULL},
};
/* clang-format on */

static bool
is_one_of(const char *words, const char *value)
{
    size_t len = strlen(value);

    for (; *words != '\0'; words += strcspn(words, " "), words += *words == ' ')
        if (strcspn(words, " ") == len && strncmp(words, value, len) == 0)
            return true;
    return false;
}

static bool
is_number(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);

    return end != text && *end == '\0' && value >= INT_MIN && value <= INT_MAX;
}

static bool
is_port(const char *text)
{
    for (; *text != '\0'; text++) {
        char *end;
        long port = strtol(text, &end, 10);

        if (end == text || port < 1 || port > 65535 || (*end != ',' && *end != '\0'))
            return false;
        if (*end == '\0')
            return true;
        text = end;
    }
    return true;
}

/* An option of the connection as libpq has understood it; false if it is not right. */
static bool
judge_option(const struct gr_target *target, const char *keyword, const char *value,
             struct gr_error *err)
{
    if (strcmp(keyword, "port") == 0 && !is_port(value)) {
        (void)gr_fail(err, GR_FAULT_SPEC, "connection \"%s\": \"%s\" is no port", target->name,
                      value);
        return gr_hint(err, "A port is a number from 1 to 65535; PostgreSQL's own is 5432.");
    }
    for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
        const char *words = choices[i].words;

        if (strcmp(keyword, choices[i].keyword) != 0 ||
            (words != NULL ? is_one_of(words, value) : is_number(value)))
            continue;
        (void)gr_fail(err, GR_FAULT_SPEC, "connection \"%s\": %s cannot be \"%s\"", target->name,
                      keyword, value);
        return words == NULL ? gr_hint(err, "%s is a whole number.", keyword)
                             : gr_hint(err, "%s is one of: %s.", keyword, words);
    }
    return true;
}

static bool
judge_url(const struct gr_target *target, const char *url, struct gr_error *err)
{
    char *words = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &words);
    bool ok = options != NULL;

    if (!ok) {
        (void)gr_fail(err, GR_FAULT_SPEC, "connection \"%s\": %s", target->name,
                      words != NULL ? words : "libpq cannot read it");
        (void)gr_hint(err, "The form is postgresql://user:password@host:5432/database?sslmode="
                           "verify-full, with %%XX for special characters.");
    }
    for (PQconninfoOption *o = options; ok && o->keyword != NULL; o++)
        if (o->val != NULL)
            ok = judge_option(target, o->keyword, o->val, err);
    PQconninfoFree(options);
    PQfreemem(words);
    return ok;
}

bool
gr_pg_judge(const struct gr_target *target, struct gr_error *err)
{
    for (size_t i = 0; target->keywords[i] != NULL; i++) {
        const char *keyword = target->keywords[i];
        const char *value = target->values[i];

        if (value == NULL)
            continue;
        if (strcmp(keyword, "dbname") == 0 &&
            (strstr(value, "://") != NULL || strchr(value, '=') != NULL)) {
            if (!judge_url(target, value, err))
                return false;
        } else if (!judge_option(target, keyword, value, err)) {
            return false;
        }
    }
    return true;
}
