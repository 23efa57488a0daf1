/* error.c - faults, their exit codes, and the filling of struct gr_error. */
#include "gr/base/error.h"

#include <stdarg.h>
#include <string.h>

#include "gr/base/buf.h"
#include "gr/base/log.h"
#include "gr/base/utf8.h"

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

/*
 * Fills `room`: whatever a server or a file put into the text, it becomes one line of UTF-8 without
 * secrets. They are looked for before the text is cut, since a part of one is not known again.
 */
static void
settle(struct gr_buf *text, char *room, size_t size)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf valid = gr_buf_new(0);

    gr_log_redact(text);
    gr_utf8_put_valid(&valid, gr_buf_text(text), text->len, size - 1);
    memcpy(room, gr_buf_text(&valid), valid.len);
    room[valid.len] = '\0';
    for (char *c = room; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
}

bool
gr_fail(struct gr_error *err, enum gr_fault fault, const char *fmt, ...)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    va_list args;

    va_start(args, fmt);
    gr_buf_vprintf(&text, fmt, args);
    va_end(args);
    *err = (struct gr_error){.fault = fault, .retry_after_ms = -1};
    settle(&text, err->message, sizeof(err->message));
    return false;
}

bool
gr_fail_in(struct gr_error *err, const char *fmt, ...)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    va_list args;

    va_start(args, fmt);
    gr_buf_vprintf(&text, fmt, args);
    va_end(args);
    gr_buf_printf(&text, ": %s", err->message);
    settle(&text, err->message, sizeof(err->message));
    return false;
}

bool
gr_hint(struct gr_error *err, const char *fmt, ...)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    va_list args;

    va_start(args, fmt);
    gr_buf_vprintf(&text, fmt, args);
    va_end(args);
    settle(&text, err->hint, sizeof(err->hint));
    return false;
}
