/*
 * gr/codec/scan.h - one pass over JSON text that nobody has looked at: is it JSON, where does a
 * value end, and is there anything in it that PostgreSQL cannot hold? What it finds it writes down
 * on a tape, where there is one.
 *
 * Shape   fill in end and levels, and text and tape; gr_scan_value
 * Errors  NULL; failed is a static text then, and failed_at where
 * Source  RFC 8259
 */
#ifndef GR_CODEC_SCAN_H
#define GR_CODEC_SCAN_H

#include "gr/codec/json.h"
#include "gr/codec/tape.h"

struct gr_scan {
    const char *end;
    unsigned levels;      /* that may still be opened, GR_JSON_LEVELS_MAX at most             */
    unsigned flags;       /* GR_JSON_ESCAPED and the others, of all that was scanned          */
    const char *text;     /* what places on the tape are counted from                         */
    struct gr_tape *tape; /* borrowed; becomes NULL when it is full; NULL: nothing is written */
    const char *failed;   /* NULL, or what went wrong                                         */
    const char *failed_at;
};

/* Checks one whole value, however deep, with space before it; behind its last byte, or NULL. */
const char *gr_scan_value(struct gr_scan *scan, const char *at);

/* The kind of the value that begins with `c`, if one does. */
static inline enum gr_json_kind
gr_kind_of(char c)
{
    switch (c) {
    case '{':
        return GR_JSON_OBJECT;
    case '[':
        return GR_JSON_ARRAY;
    case '"':
        return GR_JSON_STRING;
    case 't':
        return GR_JSON_TRUE;
    case 'f':
        return GR_JSON_FALSE;
    case 'n':
        return GR_JSON_NULL;
    default:
        return GR_JSON_NUMBER;
    }
}

/* White space of JSON. */
static inline bool
gr_is_space(char c)
{
    return (unsigned char)c <= ' ' && (c == ' ' || c == '\n' || c == '\r' || c == '\t');
}

#endif
