/* hash.c - the 64-bit hash of which fingerprints are made. */
#include "gr/codec/hash.h"

#include "gr/base/attr.h"
#include "gr/codec/block.h"

/* Odd numbers with bits all over: the fractions of sqrt(2), sqrt(3), sqrt(5), sqrt(7). */
#define A UINT64_C(0x6A09E667F3BCC909)
#define B UINT64_C(0xBB67AE8584CAA73B)
#define C UINT64_C(0x3C6EF372FE94F82B)
#define D UINT64_C(0xA54FF53A5F1D36F1)

static uint64_t
rotate(uint64_t value, unsigned by)
{
    return value << by | value >> (64 - by);
}

static uint64_t
take_in(uint64_t lane, uint64_t word)
{
    return rotate(lane + word * A, 31) * B;
}

static uint64_t
spread(uint64_t value)
{
    value = (value ^ value >> 32) * C;
    value = (value ^ value >> 29) * D;
    return value ^ value >> 32;
}

/* One to seven bytes, zeros above them. */
static uint64_t
short_word(const char *bytes, size_t len)
{
    const unsigned char *b = (const unsigned char *)bytes;

    if (len >= 4)
        return gr_half_load(bytes) | gr_half_load(bytes + len - 4) << (8 * (len - 4));
    return (uint64_t)b[0] | (uint64_t)b[len / 2] << (8 * (len / 2)) |
           (uint64_t)b[len - 1] << (8 * (len - 1));
}

/* The last `left` of `len` bytes. */
static uint64_t
take_in_rest(uint64_t hash, const char *at, size_t left, size_t len)
{
    for (; left > 8; left -= 8, at += 8)
        hash = take_in(hash, gr_word_load(at));
    /* The last bytes end a word, if there are eight at all. */
    if (left > 0)
        hash = take_in(hash, len >= 8 ? gr_word_load(at + left - 8) >> (64 - 8 * left)
                                      : short_word(at, left));
    return spread(hash + len * D);
}

/* From 32 bytes on. */
GR_APART static uint64_t
take_in_blocks(uint64_t hash, const char *at, size_t len)
{
    uint64_t lanes[4] = {hash, hash + A, hash ^ B, hash - D};
    size_t left = len;

    for (; left >= 32; left -= 32, at += 32) {
        lanes[0] = take_in(lanes[0], gr_word_load(at));
        lanes[1] = take_in(lanes[1], gr_word_load(at + 8));
        lanes[2] = take_in(lanes[2], gr_word_load(at + 16));
        lanes[3] = take_in(lanes[3], gr_word_load(at + 24));
    }
    for (int i = 0; i < 4; i++)
        hash = take_in(hash, lanes[i]);
    return take_in_rest(hash, at, left, len);
}

uint64_t
gr_hash(uint64_t seed, const char *bytes, size_t len)
{
    if (len >= 32)
        return take_in_blocks(seed ^ C, bytes, len);
    return take_in_rest(seed ^ C, bytes, len, len);
}
