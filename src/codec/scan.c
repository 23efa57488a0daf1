/* scan.c - checks one JSON value and finds its end. */
#include "gr/codec/scan.h"

#include <string.h>

#include "gr/base/attr.h"
#include "gr/codec/block.h"
#include "gr/codec/json.h"
#include "gr/codec/number.h"
#include "gr/codec/text.h"

enum {
    STACK_WORDS = GR_JSON_LEVELS_MAX / 64,
    PLAIN_NUMBER_BYTES = 1024 /* without an exponent, numeric holds whatever is not longer */
};

/* Where a scan is. The containers around it: bit n is set when the one of level n is an object. A
   stack of our own, so that a hostile text cannot use up the program's. */
struct place {
    uint64_t is_object[STACK_WORDS];
    unsigned depth;
    char closing;                   /* what ends the innermost; zero outside of all        */
    unsigned flags;                 /* of all that is finished                             */
    uint32_t open;                  /* index of the entry of the innermost                 */
    struct gr_tape_entry *next;     /* where an entry goes, if that is not the end of room */
    struct gr_tape_entry *room_end; /* both NULL where there is no tape                    */
};

static const char *
fail_scan(struct gr_scan *scan, const char *at, const char *what)
{
    scan->failed = what;
    scan->failed_at = at;
    return NULL;
}

/* To the first byte of a string that is not simply part of it. */
static const char *
skip_plain(const char *at, const char *end)
{
    while (end - at >= GR_BLOCK_BYTES) {
        uint32_t special = gr_block_special(gr_block_load(at));

        if (special != 0)
            return at + gr_mask_first(special);
        at += GR_BLOCK_BYTES;
    }
    while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20 &&
           (unsigned char)*at < 0x80)
        at++;
    return at;
}

static const char *
scan_escape(struct gr_scan *scan, const char *at)
{
    struct gr_escape escape = gr_text_escape(at, scan->end);

    scan->flags |= GR_JSON_ESCAPED;
    if (escape.len == 0)
        return fail_scan(scan, at, "not an escape");
    if (escape.code == 0)
        scan->flags |= GR_JSON_HAS_NUL;
    else if (gr_text_is_surrogate(escape.code))
        scan->flags |= GR_JSON_HAS_SURROGATE;
    return at + escape.len;
}

static const char *
scan_wide(struct gr_scan *scan, const char *at)
{
    do {
        size_t len = gr_utf8_length(at, scan->end);

        if (len == 0)
            scan->flags |= GR_JSON_BAD_UTF8;
        at += len == 0 ? 1 : len;
    } while (at < scan->end && (unsigned char)*at >= 0x80);
    return at;
}

/* A string that is not over within its first bytes, or has more in it than those. */
static const char *
scan_long_string(struct gr_scan *scan, const char *at)
{
    while (at != NULL) {
        at = skip_plain(at, scan->end);
        if (at == scan->end)
            return fail_scan(scan, at, "ends inside a string");
        if (*at == '"')
            return at + 1;
        if (*at == '\\')
            at = scan_escape(scan, at);
        else if ((unsigned char)*at >= 0x80)
            at = scan_wide(scan, at);
        else
            return fail_scan(scan, at, "a control character in a string");
    }
    return NULL;
}

/* From behind the opening quote. */
static inline const char *
scan_string(struct gr_scan *scan, const char *at)
{
    uint32_t special;

    if (scan->end - at >= GR_BLOCK_BYTES) {
        special = gr_block_special(gr_block_load(at));
        if (special != 0 && at[gr_mask_first(special)] == '"')
            return at + gr_mask_first(special) + 1;
    }
    return scan_long_string(scan, at);
}

/* Behind the number at `at` if it is nothing but digits, as ids and counts are; else NULL. */
static inline const char *
scan_digits(const char *at, const char *end)
{
    const char *from = at;

    while (at < end && *at >= '0' && *at <= '9')
        at++;
    if (at == from || (*from == '0' && at - from > 1) || at - from > PLAIN_NUMBER_BYTES)
        return NULL;
    return at < end && (*at == '.' || *at == 'e' || *at == 'E') ? NULL : at;
}

static const char *
scan_number(struct gr_scan *scan, const char *at)
{
    const char *last = scan_digits(at, scan->end);
    size_t len;

    if (last != NULL)
        return last;
    len = gr_number_length(at, scan->end);
    if (len == 0)
        return fail_scan(scan, at,
                         *at == '-' || (*at >= '0' && *at <= '9') ? "not a number" : "not a value");
    if ((len > PLAIN_NUMBER_BYTES || memchr(at, 'e', len) != NULL ||
         memchr(at, 'E', len) != NULL) &&
        !gr_number_is_numeric(at, len))
        scan->flags |= GR_JSON_HUGE_NUMBER;
    return at + len;
}

static inline const char *
scan_word(struct gr_scan *scan, const char *at, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(scan->end - at) < len || memcmp(at, word, len) != 0)
        return fail_scan(scan, at, "not a value");
    return at + len;
}

/* The first byte that is not JSON's white space, which `*at` comes to; at the end zero, which is
   as wrong as it is elsewhere. */
static inline char
find_byte(const struct gr_scan *scan, const char **at)
{
    for (; *at < scan->end; ++*at)
        if (!gr_is_space(**at))
            return **at;
    return '\0';
}

/* Makes room on the tape. What has not all of its entries is as good as none. */
GR_APART static bool
make_room(struct gr_scan *scan, struct place *place)
{
    struct gr_tape *tape = scan->tape;

    if (tape == NULL)
        return false;
    tape->count = tape->cap;
    if (!gr_tape_grow(tape)) {
        scan->tape = NULL;
        place->next = place->room_end = NULL;
        return false;
    }
    place->next = tape->entries + tape->count;
    place->room_end = tape->entries + tape->cap;
    return true;
}

static inline bool
has_room(struct gr_scan *scan, struct place *place)
{
    return place->next != place->room_end || make_room(scan, place);
}

/* What has been read belongs to the containers around it as well. */
static void
add_flags(struct gr_scan *scan, struct place *place)
{
    place->flags |= scan->flags;
    if (scan->tape != NULL && place->depth > 0)
        scan->tape->entries[place->open].flags |= (uint8_t)(scan->flags & GR_JSON_UNSTORABLE);
    scan->flags = 0;
}

/* Writes down what has no values in it. */
static inline void
note_plain(struct gr_scan *scan, struct place *place, const char *from, const char *end,
           enum gr_json_kind kind)
{
    if (has_room(scan, place))
        *place->next++ = (struct gr_tape_entry){
            .start = (uint32_t)(from - scan->text),
            .len = (uint32_t)(end - from),
            .span = 1,
            .kind = (uint8_t)kind,
            .flags = (uint8_t)scan->flags,
        };
    if (scan->flags != 0)
        add_flags(scan, place);
}

/* Writes down a container of which only the beginning is known. */
static inline void
note_opened(struct gr_scan *scan, struct place *place, const char *from)
{
    if (!has_room(scan, place))
        return;
    *place->next = (struct gr_tape_entry){
        .start = (uint32_t)(from - scan->text),
        .span = place->open,
        .depth = 1,
        .kind = (uint8_t)gr_kind_of(*from),
    };
    place->open = (uint32_t)(place->next++ - scan->tape->entries);
}

/* Writes down the rest about the innermost container. */
static inline void
note_closed(struct gr_scan *scan, struct place *place, const char *end)
{
    struct gr_tape_entry *entry, *around;

    if (scan->tape == NULL)
        return;
    entry = &scan->tape->entries[place->open];
    around = &scan->tape->entries[entry->span];
    place->open = entry->span;
    entry->len = (uint32_t)(end - scan->text) - entry->start;
    entry->span = (uint32_t)(place->next - entry);
    if (entry->depth > GR_JSON_DEPTH_MAX)
        entry->flags |= GR_JSON_TOO_DEEP;
    /* The outermost has itself around it. */
    if (around == entry)
        return;
    around->flags |= entry->flags;
    if (around->depth <= entry->depth && entry->depth <= GR_JSON_DEPTH_MAX)
        around->depth = (uint16_t)(entry->depth + 1);
}

static inline const char *
scan_scalar(struct gr_scan *scan, struct place *place, const char *from)
{
    enum gr_json_kind kind = gr_kind_of(*from);
    const char *at;

    if (kind == GR_JSON_STRING)
        at = scan_string(scan, from + 1);
    else if (kind == GR_JSON_NUMBER)
        at = scan_number(scan, from);
    else if (kind == GR_JSON_NULL)
        at = scan_word(scan, from, "null");
    else if (kind == GR_JSON_TRUE)
        at = scan_word(scan, from, "true");
    else
        at = scan_word(scan, from, "false");
    if (at != NULL)
        note_plain(scan, place, from, at, kind);
    return at;
}

/* A name, its colon, and the space around it. */
static inline const char *
scan_name(struct gr_scan *scan, struct place *place, const char *from)
{
    const char *at;

    if (find_byte(scan, &from) != '"')
        return fail_scan(scan, from, "no name of a member");
    at = scan_string(scan, from + 1);
    if (at == NULL)
        return NULL;
    note_plain(scan, place, from, at, GR_JSON_STRING);
    if (find_byte(scan, &at) != ':')
        return fail_scan(scan, at, "no colon");
    return at + 1;
}

/* Goes down a level into what begins at `at`. */
static inline const char *
open_container(struct gr_scan *scan, struct place *place, const char *at)
{
    uint64_t *word = &place->is_object[place->depth / 64];
    uint64_t bit = UINT64_C(1) << place->depth % 64;

    if (place->depth >= scan->levels)
        return fail_scan(scan, at, "nested too deep");
    note_opened(scan, place, at);
    place->closing = *at == '{' ? '}' : ']';
    *word = *at == '{' ? *word | bit : *word & ~bit;
    place->depth++;
    if (place->depth > GR_JSON_DEPTH_MAX)
        place->flags |= GR_JSON_TOO_DEEP;
    return at + 1;
}

/* Comes back up from what ends before `at`. */
static inline void
close_container(struct gr_scan *scan, struct place *place, const char *at)
{
    unsigned level = place->depth - 2;

    note_closed(scan, place, at);
    place->depth--;
    if (place->depth == 0)
        place->closing = '\0';
    else
        place->closing = (place->is_object[level / 64] >> level % 64 & 1) != 0 ? '}' : ']';
}

/* A value has ended at `at`, or an empty container is about to: closes what ends, and comes to
   where the next name or value begins, or behind the whole when no level is left. */
static inline const char *
close_containers(struct gr_scan *scan, struct place *place, const char *at)
{
    while (place->closing != '\0') {
        char c = find_byte(scan, &at);

        if (c == ',')
            return at + 1;
        if (c != place->closing)
            return fail_scan(scan, at, at == scan->end ? "ends too early" : "no comma and no end");
        close_container(scan, place, ++at);
    }
    return at;
}

/* A name, if one is due, and its value: as a whole, or into the first level of it. */
static inline const char *
scan_item(struct gr_scan *scan, struct place *place, const char *at)
{
    char c;

    if (place->closing == '}' && (at = scan_name(scan, place, at)) == NULL)
        return NULL;
    c = find_byte(scan, &at);
    if (at == scan->end)
        return fail_scan(scan, at, "ends too early");
    if (c == '{' || c == '[') {
        at = open_container(scan, place, at);
        if (at == NULL || find_byte(scan, &at) != place->closing)
            return at;
    } else {
        at = scan_scalar(scan, place, at);
        if (at == NULL)
            return NULL;
    }
    return close_containers(scan, place, at);
}

const char *
gr_scan_value(struct gr_scan *scan, const char *at)
{
    struct place place; /* 8 kB of which most values need nothing: only what comes behind is set */

    place.depth = 0;
    place.closing = '\0';
    place.flags = 0;
    place.open = 0;
    place.next = scan->tape == NULL ? NULL : scan->tape->entries;
    place.room_end = scan->tape == NULL ? NULL : scan->tape->entries + scan->tape->cap;
    do {
        at = scan_item(scan, &place, at);
    } while (at != NULL && place.closing != '\0');
    scan->flags = place.flags;
    if (scan->tape != NULL)
        scan->tape->count = (size_t)(place.next - scan->tape->entries);
    return at;
}
