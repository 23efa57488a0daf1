/* pass.c - passing over JSON that was checked before. */
#include "gr/codec/pass.h"

#include <stddef.h>
#include <stdint.h>

#include "gr/codec/block.h"

enum { STRIDE = 4 * GR_BLOCK_BYTES };

#define EVEN_BITS UINT64_C(0x5555555555555555)

/* What is where in the next sixty-four bytes: bit n is byte n. */
struct stride {
    uint64_t quotes;
    uint64_t backslashes;
    uint64_t opening;
    uint64_t closing;
};

/* What one stride leaves to the next. */
struct carry {
    uint64_t escaped;   /* 1: its first byte is escaped        */
    uint64_t in_string; /* all ones: it begins inside a string */
};

static struct stride
look(const char *at)
{
    struct stride stride = {0};

    for (size_t shift = 0; shift < STRIDE; shift += GR_BLOCK_BYTES) {
        struct gr_block block = gr_block_load(at + shift);

        stride.quotes |= (uint64_t)gr_block_equal(block, '"') << shift;
        stride.backslashes |= (uint64_t)gr_block_equal(block, '\\') << shift;
        stride.opening |= (uint64_t)gr_block_bracket(block, '{') << shift;
        stride.closing |= (uint64_t)gr_block_bracket(block, '}') << shift;
    }
    return stride;
}

/* The bytes behind an odd number of backslashes. Adding a run of backslashes to its first bit makes
   a carry come out behind it; whether that lies at an even or odd distance is told by the parity
   of where the run began. */
static uint64_t
escaped_bytes(uint64_t backslashes, struct carry *carry)
{
    uint64_t active = backslashes & ~carry->escaped;
    uint64_t followers = active << 1 | carry->escaped;
    uint64_t odd_starts = active & ~EVEN_BITS & ~followers;
    uint64_t sum = odd_starts + active;

    carry->escaped = sum < active ? 1 : 0;
    return (EVEN_BITS ^ sum << 1) & followers;
}

/* Each bit becomes the parity of itself and those below: from an opening quote up to before the
   closing one. */
static uint64_t
parity_so_far(uint64_t bits)
{
    for (unsigned by = 1; by < 64; by *= 2)
        bits ^= bits << by;
    return bits;
}

/* The bytes of strings, opening quotes included. */
static uint64_t
string_bytes(const struct stride *stride, struct carry *carry)
{
    uint64_t escaped = 0;
    uint64_t inside;

    if ((stride->backslashes | carry->escaped) != 0)
        escaped = escaped_bytes(stride->backslashes, carry);
    inside = parity_so_far(stride->quotes & ~escaped) ^ carry->in_string;
    carry->in_string = (inside >> 63) != 0 ? UINT64_MAX : 0;
    return inside;
}

static const char *
pass_string_slowly(const char *at, const char *end, bool *escaped_out)
{
    while (at < end && *at != '"') {
        if (*at == '\\') {
            *escaped_out = true;
            at++;
        }
        at += at < end ? 1 : 0;
    }
    return at < end ? at + 1 : end;
}

const char *
gr_pass_string(const char *at, const char *end, bool *escaped_out)
{
    while (end - at >= GR_BLOCK_BYTES) {
        struct gr_block block = gr_block_load(at);
        uint32_t quotes = gr_block_equal(block, '"');
        uint32_t backslashes = gr_block_equal(block, '\\');

        /* No backslash before the first quote: that quote is the end. */
        if (((quotes - 1) & backslashes) == 0 && quotes != 0)
            return at + gr_mask_first(quotes) + 1;
        if (backslashes == 0) {
            at += GR_BLOCK_BYTES;
            continue;
        }
        *escaped_out = true;
        at += gr_mask_first(backslashes) + 2;
    }
    return pass_string_slowly(at < end ? at : end, end, escaped_out);
}

/* From a place outside of strings with `depth` containers open; 0: before the first bracket. */
static const char *
pass_container_slowly(const char *at, const char *end, size_t depth)
{
    bool escaped = false;

    while (at < end) {
        char c = *at++;

        if (c == '"')
            at = pass_string_slowly(at, end, &escaped);
        else if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && --depth == 0)
            return at;
    }
    return end;
}

/* Containers that are open, and where the last of them was closed. */
struct level {
    size_t depth;
    size_t end; /* bytes up to behind its closing bracket; 0: not closed yet */
};

/* Counts the brackets of one stride. */
static struct level
count_brackets(struct level level, uint64_t opening, uint64_t closing)
{
    size_t closed;

    if ((opening | closing) == 0)
        return level;
    closed = gr_mask_count(closing);
    /* Where not even all closing brackets together could close the container, order is nothing. */
    while (closed >= level.depth && closing != 0) {
        uint64_t lowest = closing & (~closing + 1);
        uint64_t before = opening & (lowest - 1);

        level.depth += gr_mask_count(before);
        level.depth--;
        if (level.depth == 0) {
            level.end = gr_mask_first(lowest) + 1;
            return level;
        }
        opening ^= before;
        closing ^= lowest;
        closed--;
    }
    level.depth += gr_mask_count(opening) - closed;
    return level;
}

const char *
gr_pass_container(const char *at, const char *end)
{
    struct carry carry = {0};
    struct level level = {0};
    bool escaped = false;

    while (end - at >= STRIDE) {
        struct stride stride = look(at);
        uint64_t outside = ~string_bytes(&stride, &carry);

        level = count_brackets(level, stride.opening & outside, stride.closing & outside);
        if (level.end != 0)
            return at + level.end;
        at += STRIDE;
    }
    if (carry.in_string != 0) {
        at += at < end ? carry.escaped : 0;
        at = pass_string_slowly(at, end, &escaped);
    }
    return pass_container_slowly(at, end, level.depth);
}

const char *
gr_pass_plain(const char *at, const char *end)
{
    while (at < end && *at != ',' && *at != '}' && *at != ']' && (unsigned char)*at > ' ')
        at++;
    return at;
}
