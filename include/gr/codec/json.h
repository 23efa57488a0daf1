/*
 * gr/codec/json.h - a validating scanner over JSON text that builds no tree.
 *
 * A value is a span of the text it stands in. Whatever is passed over is checked all the same
 * (RFC 8259 grammar, UTF-8), so a page that has been walked to its end is known to be JSON; nested
 * values can be handed on as the bytes that came. What PostgreSQL cannot hold is noted in flags on
 * the way, since the scanner sees each byte anyway. Where there is a tape (gr/codec/tape.h), each
 * byte is looked at once, however often the inside of a value is read.
 *
 * Shape   gr_json_open or gr_json_open_taped, gr_json_value, gr_json_end; then gr_json_inside of
 *         what was read, and gr_json_member / gr_json_element until they say no. A reader that
 *         failed stays failed.
 * Units   bytes
 * Errors  sticky: reader->failed is NULL or a static text, reader->at is where
 * Owns    nothing; spans are borrowed from the text, entries from the tape
 * Source  RFC 8259; PostgreSQL 15, 8.14 "JSON Types" (what jsonb refuses)
 */
#ifndef GR_CODEC_JSON_H
#define GR_CODEC_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/buf.h"
#include "gr/codec/tape.h"

enum gr_json_kind {
    GR_JSON_NULL,
    GR_JSON_FALSE,
    GR_JSON_TRUE,
    GR_JSON_NUMBER,
    GR_JSON_STRING,
    GR_JSON_ARRAY,
    GR_JSON_OBJECT
};

enum {
    GR_JSON_LEVELS_MAX = 65536, /* deeper is refused: no JSON to us                               */
    GR_JSON_DEPTH_MAX = 512,   /* deeper is unstorable; PostgreSQL's own limit is some thousands  */
    GR_JSON_ESCAPED = 1,       /* a string with a backslash: must be decoded                      */
    GR_JSON_HAS_NUL = 2,       /* U+0000 inside, in the value or deeper                           */
    GR_JSON_HAS_SURROGATE = 4, /* an unpaired \uD800..\uDFFF inside                               */
    GR_JSON_BAD_UTF8 = 8,      /* bytes that are not UTF-8 inside a string                        */
    GR_JSON_HUGE_NUMBER = 16,  /* a number that numeric cannot hold (exponent or digits)          */
    GR_JSON_TOO_DEEP = 32,     /* nested deeper than GR_JSON_DEPTH_MAX                            */
    GR_JSON_UNSTORABLE = 2 | 4 | 8 | 16 | 32
};

struct gr_json_value {
    enum gr_json_kind kind;
    unsigned flags;
    const char *start; /* first byte; for a string that is the quote */
    size_t len;
    const struct gr_tape_entry *entry; /* borrowed; NULL: was read without a tape */
};

struct gr_json_reader {
    const char *text;
    size_t len;
    size_t at; /* where the next thing is read, or where it went wrong */
    const char *failed;
    struct gr_tape *tape;             /* borrowed; for what is read from text, or NULL       */
    const struct gr_tape_entry *next; /* of a container that is on tape; NULL: there is text */
    const struct gr_tape_entry *last; /* behind the container's                              */
};

/* A reader over `len` bytes that need not end in zero. */
struct gr_json_reader gr_json_open(const char *text, size_t len);

/* The same, but what gr_json_value finds is written down on `tape`, so that readers over the inside
   of the value have nothing to look for. Both borrow the tape, values until the next one is written
   on it. NULL is fine. */
struct gr_json_reader gr_json_open_taped(const char *text, size_t len, struct gr_tape *tape);

/* Reads and checks one whole value. */
bool gr_json_value(struct gr_json_reader *reader, struct gr_json_value *out);

/* True when nothing but white space is left; otherwise fails the reader. */
bool gr_json_end(struct gr_json_reader *reader);

/* A reader over the inside of an object or array that was read before. Where that is on tape, it
   does not touch the text; elsewhere it reads each value as if for the first time. */
struct gr_json_reader gr_json_inside(const struct gr_json_value *container);

/* What gr_json_member and gr_json_element do where there is no tape. */
bool gr_json_scan_member(struct gr_json_reader *reader, struct gr_json_value *name,
                         struct gr_json_value *value);
bool gr_json_scan_element(struct gr_json_reader *reader, struct gr_json_value *value);

/* The next value of a reader that has a tape to read from. */
static inline bool
gr_json_take(struct gr_json_reader *reader, struct gr_json_value *value)
{
    const struct gr_tape_entry *entry = reader->next;

    if (entry == reader->last)
        return false;
    reader->next = entry + entry->span;
    *value = (struct gr_json_value){
        .kind = (enum gr_json_kind)entry->kind,
        .flags = entry->flags,
        .start = reader->text + entry->start,
        .len = entry->len,
        .entry = entry,
    };
    return true;
}

/* The next member of an object / element of an array, of a reader that gr_json_inside has made;
   false at the end. `name` is a string value, quotes included. */
static inline bool
gr_json_member(struct gr_json_reader *reader, struct gr_json_value *name,
               struct gr_json_value *value)
{
    if (reader->next == NULL)
        return gr_json_scan_member(reader, name, value);
    return gr_json_take(reader, name) && gr_json_take(reader, value);
}

static inline bool
gr_json_element(struct gr_json_reader *reader, struct gr_json_value *value)
{
    return reader->next == NULL ? gr_json_scan_element(reader, value) : gr_json_take(reader, value);
}

/*
 * Appends the decoded text of a string value to `out`. U+0000, unpaired surrogates and bytes that
 * are not UTF-8 become U+FFFD each; returns the flags that say so.
 */
unsigned gr_json_decode(const struct gr_json_value *string, struct gr_buf *out);

/* Appends a value as JSON text that jsonb accepts: the bytes that came, but for what flags name:
   those become U+FFFD each, a huge number becomes null, and so does what is nested too deep. At
   most three times as long. */
void gr_json_storable(const struct gr_json_value *value, struct gr_buf *out);

/* True if the string value's decoded text equals `text`. */
bool gr_json_is(const struct gr_json_value *string, const char *text);

#endif
