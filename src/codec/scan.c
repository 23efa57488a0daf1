/* scan.c - checks one JSON value and finds its end. */
#include "gr/codec/scan.h"

#include <string.h>

#include "gr/codec/block.h"
#include "gr/codec/json.h"
#include "gr/codec/number.h"
#include "gr/codec/text.h"

enum {
    STACK_WORDS = GR_JSON_LEVELS_MAX / 64,
    PLAIN_NUMBER_BYTES = 1024 /* without an exponent, numeric holds whatever is not longer */
};

/* The containers around a place: bit n is set when the one of level n is an object. A stack of our
   own, so that a hostile text cannot use up the program's. */
struct stack {
    uint64_t is_object[STACK_WORDS];
    unsigned depth;
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

/* From behind the opening quote. */
static const char *
scan_string(struct gr_scan *scan, const char *at)
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

static const char *
scan_number(struct gr_scan *scan, const char *at)
{
    size_t len = gr_number_length(at, scan->end);

    if (len == 0)
        return fail_scan(scan, at, "not a number");
    if ((len > PLAIN_NUMBER_BYTES || memchr(at, 'e', len) != NULL ||
         memchr(at, 'E', len) != NULL) &&
        !gr_number_is_numeric(at, len))
        scan->flags |= GR_JSON_HUGE_NUMBER;
    return at + len;
}

static const char *
scan_word(struct gr_scan *scan, const char *at, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(scan->end - at) < len || memcmp(at, word, len) != 0)
        return fail_scan(scan, at, "not a value");
    return at + len;
}

static const char *
scan_scalar(struct gr_scan *scan, const char *at)
{
    switch (*at) {
    case '"':
        return scan_string(scan, at + 1);
    case 't':
        return scan_word(scan, at, "true");
    case 'f':
        return scan_word(scan, at, "false");
    case 'n':
        return scan_word(scan, at, "null");
    default:
        if (*at != '-' && (*at < '0' || *at > '9'))
            return fail_scan(scan, at, "not a value");
        return scan_number(scan, at);
    }
}

/* A name, its colon, and the space around it. */
static const char *
scan_name(struct gr_scan *scan, const char *at)
{
    at = gr_skip_space(at, scan->end);
    if (at == scan->end || *at != '"')
        return fail_scan(scan, at, "no name of a member");
    at = scan_string(scan, at + 1);
    if (at == NULL)
        return NULL;
    at = gr_skip_space(at, scan->end);
    if (at == scan->end || *at != ':')
        return fail_scan(scan, at, "no colon");
    return at + 1;
}

static bool
in_object(const struct stack *stack)
{
    unsigned level = stack->depth - 1;

    return (stack->is_object[level / 64] >> level % 64 & 1) != 0;
}

/* Goes down a level into what begins at `at`. */
static const char *
open_container(struct gr_scan *scan, struct stack *stack, const char *at)
{
    uint64_t bit = UINT64_C(1) << stack->depth % 64;

    if (stack->depth >= scan->levels)
        return fail_scan(scan, at, "nested too deep");
    if (*at == '{')
        stack->is_object[stack->depth / 64] |= bit;
    else
        stack->is_object[stack->depth / 64] &= ~bit;
    stack->depth++;
    if (stack->depth > GR_JSON_DEPTH_MAX)
        scan->flags |= GR_JSON_TOO_DEEP;
    return gr_skip_space(at + 1, scan->end);
}

/* A value has ended at `at`: closes what ends with it, and comes to where the next value begins, or
   behind the whole when no level is left. */
static const char *
close_containers(struct gr_scan *scan, struct stack *stack, const char *at)
{
    while (stack->depth > 0) {
        bool is_object = in_object(stack);

        at = gr_skip_space(at, scan->end);
        if (at == scan->end)
            return fail_scan(scan, at, "ends too early");
        if (*at == ',')
            return is_object ? scan_name(scan, at + 1) : at + 1;
        if (*at != (is_object ? '}' : ']'))
            return fail_scan(scan, at, "no comma and no end");
        stack->depth--;
        at++;
    }
    return at;
}

const char *
gr_scan_value(struct gr_scan *scan, const char *at)
{
    struct stack stack; /* 8 kB of which most values need nothing: only the depth is set */

    stack.depth = 0;
    do {
        at = gr_skip_space(at, scan->end);
        if (at == scan->end)
            return fail_scan(scan, at, "ends too early");
        if (*at == '{' || *at == '[') {
            bool is_object = *at == '{';

            at = open_container(scan, &stack, at);
            if (at != NULL && (at == scan->end || *at != (is_object ? '}' : ']'))) {
                at = is_object ? scan_name(scan, at) : at;
                continue;
            }
        } else {
            at = scan_scalar(scan, at);
        }
        if (at != NULL)
            at = close_containers(scan, &stack, at);
    } while (at != NULL && stack.depth > 0);
    return at;
}
