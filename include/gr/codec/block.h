/*
 * gr/codec/block.h - sixteen bytes at a time: which of them are what is looked for.
 *
 * A mask has bit n set for byte n. With SSE2, which every x86-64 has, a mask takes two
 * instructions; elsewhere, or with GR_BLOCK_PORTABLE, two words of eight bytes do the same.
 */
#ifndef GR_CODEC_BLOCK_H
#define GR_CODEC_BLOCK_H

#include <stddef.h>
#include <stdint.h>

enum { GR_BLOCK_BYTES = 16 };

/* Eight bytes, the first being the lowest whatever the machine; compilers make one load of it. */
static inline uint64_t
gr_word_load(const char *at)
{
    const unsigned char *b = (const unsigned char *)at;

    return (uint64_t)b[0] | (uint64_t)b[1] << 8 | (uint64_t)b[2] << 16 | (uint64_t)b[3] << 24 |
           (uint64_t)b[4] << 32 | (uint64_t)b[5] << 40 | (uint64_t)b[6] << 48 |
           (uint64_t)b[7] << 56;
}

/* As gr_word_load, but four bytes. */
static inline uint64_t
gr_half_load(const char *at)
{
    const unsigned char *b = (const unsigned char *)at;

    return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* Index of the lowest bit of a mask; there is one. */
static inline size_t
gr_mask_first(uint64_t mask)
{
    return (size_t)__builtin_ctzll(mask);
}

/* Number of bits set. Where the processor may lack the instruction, a compiler would call a
   function for it. */
static inline size_t
gr_mask_count(uint64_t mask)
{
#ifdef __POPCNT__
    return (size_t)__builtin_popcountll(mask);
#else
    mask -= mask >> 1 & UINT64_C(0x5555555555555555);
    mask = (mask & UINT64_C(0x3333333333333333)) + (mask >> 2 & UINT64_C(0x3333333333333333));
    mask = (mask + (mask >> 4)) & UINT64_C(0x0F0F0F0F0F0F0F0F);
    return (size_t)(mask * UINT64_C(0x0101010101010101) >> 56);
#endif
}

#if defined(__SSE2__) && !defined(GR_BLOCK_PORTABLE)

#include <emmintrin.h>

struct gr_block {
    __m128i bytes;
};

static inline struct gr_block
gr_block_load(const char *at)
{
    return (struct gr_block){_mm_loadu_si128((const __m128i *)(const void *)at)};
}

static inline uint32_t
gr_block_equal(struct gr_block block, char c)
{
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(block.bytes, _mm_set1_epi8(c)));
}

/* As gr_block_equal, but for bit 0x20: of '{' and '[' both, of '}' and ']' both. */
static inline uint32_t
gr_block_bracket(struct gr_block block, char brace)
{
    __m128i folded = _mm_or_si128(block.bytes, _mm_set1_epi8(0x20));

    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(folded, _mm_set1_epi8(brace)));
}

/* What ends a run of plain bytes of a string: quote, backslash, below 0x20, and from 0x80 on, which
   as signed bytes are below 0x20 too. */
static inline uint32_t
gr_block_special(struct gr_block block)
{
    __m128i marks = _mm_cmplt_epi8(block.bytes, _mm_set1_epi8(0x20));

    marks = _mm_or_si128(marks, _mm_cmpeq_epi8(block.bytes, _mm_set1_epi8('"')));
    marks = _mm_or_si128(marks, _mm_cmpeq_epi8(block.bytes, _mm_set1_epi8('\\')));
    return (uint32_t)_mm_movemask_epi8(marks);
}

#else

#define GR_WORD_ALL(byte) (UINT64_C(0x0101010101010101) * (byte))

struct gr_block {
    uint64_t words[2];
};

static inline struct gr_block
gr_block_load(const char *at)
{
    return (struct gr_block){{gr_word_load(at), gr_word_load(at + 8)}};
}

/* Gathers the high bits of eight bytes. */
static inline uint32_t
gr_word_mask(uint64_t marks)
{
    return (uint32_t)(((marks & GR_WORD_ALL(0x80)) >> 7) * UINT64_C(0x0102040810204080) >> 56);
}

/* High bits where the byte is zero; exact, no carry leaves its byte. */
static inline uint64_t
gr_word_zero(uint64_t word)
{
    return ~(((word & GR_WORD_ALL(0x7F)) + GR_WORD_ALL(0x7F)) | word);
}

static inline uint32_t
gr_block_equal(struct gr_block block, char c)
{
    uint64_t all = GR_WORD_ALL((unsigned char)c);

    return gr_word_mask(gr_word_zero(block.words[0] ^ all)) |
           gr_word_mask(gr_word_zero(block.words[1] ^ all)) << 8;
}

/* As gr_block_equal, but for bit 0x20: of '{' and '[' both, of '}' and ']' both. */
static inline uint32_t
gr_block_bracket(struct gr_block block, char brace)
{
    block.words[0] |= GR_WORD_ALL(0x20);
    block.words[1] |= GR_WORD_ALL(0x20);
    return gr_block_equal(block, brace);
}

/* A byte has no bit above the lower five exactly when it is below 0x20. */
static inline uint64_t
gr_word_special(uint64_t word)
{
    return gr_word_zero(word & GR_WORD_ALL(0xE0)) | gr_word_zero(word ^ GR_WORD_ALL('"')) |
           gr_word_zero(word ^ GR_WORD_ALL('\\')) | word;
}

/* What ends a run of plain bytes of a string: quote, backslash, below 0x20, and from 0x80 on. */
static inline uint32_t
gr_block_special(struct gr_block block)
{
    return gr_word_mask(gr_word_special(block.words[0])) |
           gr_word_mask(gr_word_special(block.words[1])) << 8;
}

#endif

#endif
