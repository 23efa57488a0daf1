/* error.c - faults, their exit codes, and the filling of struct gr_error. */
#include "gr/base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* clang-format off */
static const struct gr_fault_facts faults[GR_FAULT_COUNT] = {
    /*                        name          exit  may be tried again  reaches         */
    [GR_OK]                = {"ok",          0,   GR_RETRY_NEVER,   GR_SCOPE_STREAM},
    [GR_FAULT_USAGE]       = {"usage",       2,   GR_RETRY_NEVER,   GR_SCOPE_RUN},
    [GR_FAULT_SPEC]        = {"spec",        2,   GR_RETRY_NEVER,   GR_SCOPE_RUN},
    [GR_FAULT_AUTH]        = {"auth",        3,   GR_RETRY_NEVER,   GR_SCOPE_RUN},
    [GR_FAULT_UNREACHABLE] = {"unreachable", 3,   GR_RETRY_NEVER,   GR_SCOPE_RUN},
    [GR_FAULT_FORBIDDEN]   = {"forbidden",   1,   GR_RETRY_NEVER,   GR_SCOPE_STREAM},
    [GR_FAULT_MISSING]     = {"missing",     1,   GR_RETRY_NEVER,   GR_SCOPE_STREAM},
    [GR_FAULT_REFUSED]     = {"refused",     1,   GR_RETRY_NEVER,   GR_SCOPE_STREAM},
    [GR_FAULT_THROTTLED]   = {"throttled",   1,   GR_RETRY_REQUEST, GR_SCOPE_STREAM},
    [GR_FAULT_TRANSPORT]   = {"transport",   1,   GR_RETRY_REQUEST, GR_SCOPE_STREAM},
    [GR_FAULT_REMOTE]      = {"remote",      1,   GR_RETRY_REQUEST, GR_SCOPE_STREAM},
    [GR_FAULT_REDIRECT]    = {"redirect",    1,   GR_RETRY_NEVER,   GR_SCOPE_STREAM},
    [GR_FAULT_PAYLOAD]     = {"payload",     1,   GR_RETRY_REQUEST, GR_SCOPE_STREAM},
    [GR_FAULT_TARGET]      = {"target",      4,   GR_RETRY_NEVER,   GR_SCOPE_RUN},
    [GR_FAULT_LOST]        = {"lost",        4,   GR_RETRY_COMMIT,  GR_SCOPE_RUN},
    [GR_FAULT_CONFLICT]    = {"conflict",    1,   GR_RETRY_COMMIT,  GR_SCOPE_STREAM},
    [GR_FAULT_DATA]        = {"data",        1,   GR_RETRY_NEVER,   GR_SCOPE_STREAM},
    [GR_FAULT_UNSTAGED]    = {"unstaged",    1,   GR_RETRY_NEVER,   GR_SCOPE_STREAM},
    [GR_FAULT_LOCKED]      = {"locked",      5,   GR_RETRY_NEVER,   GR_SCOPE_RUN},
    [GR_FAULT_FENCED]      = {"fenced",      5,   GR_RETRY_NEVER,   GR_SCOPE_RUN},
    [GR_FAULT_CANCELLED]   = {"cancelled",   6,   GR_RETRY_NEVER,   GR_SCOPE_RUN},
    [GR_FAULT_BUG]         = {"bug",         1,   GR_RETRY_NEVER,   GR_SCOPE_STREAM},
};
/* clang-format on */

const struct gr_fault_facts *
gr_fault_facts(enum gr_fault fault)
{
    if (fault < 0 || fault >= GR_FAULT_COUNT)
        return &faults[GR_FAULT_BUG];
    return &faults[fault];
}

/* A message is one line: whatever a server or a file put into it. */
static void
one_line(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = ' ';
}

bool
gr_fail(struct gr_error *err, enum gr_fault fault, const char *fmt, ...)
{
    va_list args;

    *err = (struct gr_error){.fault = fault, .retry_after_ms = -1};
    va_start(args, fmt);
    (void)vsnprintf(err->message, sizeof(err->message), fmt, args);
    va_end(args);
    one_line(err->message);
    return false;
}

bool
gr_fail_in(struct gr_error *err, const char *fmt, ...)
{
    char where[sizeof(err->message)];
    va_list args;
    size_t len;

    va_start(args, fmt);
    (void)vsnprintf(where, sizeof(where) - 2, fmt, args);
    va_end(args);
    one_line(where);
    len = strlen(where);
    (void)snprintf(where + len, sizeof(where) - len, ": ");
    len = strlen(where);
    (void)snprintf(where + len, sizeof(where) - len, "%s", err->message);
    memcpy(err->message, where, sizeof(where));
    return false;
}

bool
gr_hint(struct gr_error *err, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(err->hint, sizeof(err->hint), fmt, args);
    va_end(args);
    one_line(err->hint);
    return false;
}
