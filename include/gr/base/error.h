/*
 * gr/base/error.h - the one way a gorgias-replicate function says "no".
 *
 * Contract: a function that can fail returns bool and takes `struct gr_error *err` last. On false,
 * *err is filled and nothing else was changed that the caller must undo. On true, *err is
 * untouched. Nobody logs an error but the engine and the commands, once, when they decide what to
 * do about it.
 *
 * Grammar of a message: one line, lower case, no trailing period; what was attempted, on what, with
 * which value. A hint is a sentence, and says what the operator can do.
 */
#ifndef GR_BASE_ERROR_H
#define GR_BASE_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include "gr/base/attr.h"

enum gr_fault {
    GR_OK,
    GR_FAULT_USAGE,       /* command line or environment                                   */
    GR_FAULT_SPEC,        /* a YAML file or a connection is wrong; message has file:line   */
    GR_FAULT_AUTH,        /* the source refused the credentials (401)                      */
    GR_FAULT_UNREACHABLE, /* the source never answered in this run                         */
    GR_FAULT_FORBIDDEN,   /* 403: the key's role may not read this endpoint                */
    GR_FAULT_MISSING,     /* 404 (or 410) for an endpoint or an object                     */
    GR_FAULT_REFUSED,     /* 400 and other 4xx: the source does not take the request       */
    GR_FAULT_THROTTLED,   /* 429; retry_after_ms says when                                 */
    GR_FAULT_TRANSPORT,   /* no usable HTTP response: DNS, TLS, reset, timeout, cut body   */
    GR_FAULT_REMOTE,      /* 5xx                                                           */
    GR_FAULT_REDIRECT,    /* 3xx: never followed                                           */
    GR_FAULT_PAYLOAD,     /* 2xx whose body is not what the API promises                   */
    GR_FAULT_TARGET,      /* PostgreSQL cannot be reached, or refuses login or privileges  */
    GR_FAULT_LOST,        /* the connection to PostgreSQL broke while in use               */
    GR_FAULT_CONFLICT,    /* PostgreSQL asks to try again: serialization, deadlock         */
    GR_FAULT_DATA,        /* PostgreSQL refused rows or DDL                                */
    GR_FAULT_UNSTAGED,    /* a crash of PostgreSQL has emptied the staging of a full walk  */
    GR_FAULT_LOCKED,      /* another run holds the lock                                    */
    GR_FAULT_FENCED,      /* another run has taken over; this one may commit no more       */
    GR_FAULT_CANCELLED,   /* SIGINT, SIGTERM or --max-duration; the state is consistent    */
    GR_FAULT_BUG,         /* an assumption of ours was false                               */
    GR_FAULT_COUNT
};

/* What may be tried again after a fault. */
enum gr_retry {
    GR_RETRY_NEVER,
    GR_RETRY_REQUEST, /* the same HTTP request, after a pause           */
    GR_RETRY_COMMIT,  /* the same transaction, after reconnecting       */
};

/* How far a fault reaches when nothing can be tried again. */
enum gr_scope {
    GR_SCOPE_STREAM, /* this stream has failed; the others go on       */
    GR_SCOPE_RUN,    /* the run ends                                   */
};

struct gr_error {
    enum gr_fault fault;
    int64_t retry_after_ms; /* pause that the server asked for, -1 when it asked for none */
    char message[1024];     /* one line of UTF-8, lower case, no period, no secrets       */
    char hint[512];         /* what the operator can do, may be empty                     */
};

/* A row of the table of faults. */
struct gr_fault_facts {
    const char *name; /* for logs and JSON                                    */
    int exit_code;    /* of a run that ends by it                             */
    enum gr_retry retry;
    enum gr_scope scope;
};

/* The row of `fault`; total: an unknown value is a bug and has the row of GR_FAULT_BUG. */
const struct gr_fault_facts *gr_fault_facts(enum gr_fault fault);

/* Fills *err with a message and no hint; always returns false, so that `return gr_fail(...)`. */
bool gr_fail(struct gr_error *err, enum gr_fault fault, const char *fmt, ...) GR_PRINTF(3, 4);

/* Puts "where: " before the message of a filled *err; always returns false. */
bool gr_fail_in(struct gr_error *err, const char *fmt, ...) GR_PRINTF(2, 3);

/* Sets the hint of a filled *err; always returns false. */
bool gr_hint(struct gr_error *err, const char *fmt, ...) GR_PRINTF(2, 3);

#endif
