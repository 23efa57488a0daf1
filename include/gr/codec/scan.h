/*
 * gr/codec/scan.h - one pass over JSON text that nobody has looked at: is it JSON, where does a
 * value end, and is there anything in it that PostgreSQL cannot hold?
 *
 * Shape   fill in end and levels, gr_scan_value
 * Errors  NULL; failed is a static text then, and failed_at where
 * Source  RFC 8259
 */
#ifndef GR_CODEC_SCAN_H
#define GR_CODEC_SCAN_H

struct gr_scan {
    const char *end;
    unsigned levels;    /* that may still be opened, GR_JSON_LEVELS_MAX at most     */
    unsigned flags;     /* GR_JSON_ESCAPED and the others, of all that was scanned  */
    const char *failed; /* NULL, or what went wrong                                 */
    const char *failed_at;
};

/* Checks one whole value, however deep, with space before it; behind its last byte, or NULL. */
const char *gr_scan_value(struct gr_scan *scan, const char *at);

/* To the first byte that is not JSON's white space, or to the end. */
static inline const char *
gr_skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
        at++;
    return at;
}

#endif
