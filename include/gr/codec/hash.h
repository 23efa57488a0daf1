/*
 * gr/codec/hash.h - the 64-bit hash of which fingerprints are made. It is part of what stands in
 * the tables: never change it.
 *
 * Eight bytes at a time, read with the lowest byte first whatever the machine. A round takes a word
 * into a lane: lane = rotate(lane + word * A, 31) * B, which for a given lane never takes two words
 * to the same place. From 32 bytes on four lanes run side by side, that the multiplications may
 * overlap, and are folded into one. Zeros fill up the last word; the length goes in, so they are
 * not mistaken for bytes. The end spreads every bit over all others (shift-xor, multiply, twice).
 *
 * Not against adversaries: who can choose bytes can make two texts collide. What it is for is to
 * see that an object has changed since it was written: chance misses one change in 2^64.
 */
#ifndef GR_CODEC_HASH_H
#define GR_CODEC_HASH_H

#include <stddef.h>
#include <stdint.h>

/* The hash of `len` bytes, a different one for each seed. */
uint64_t gr_hash(uint64_t seed, const char *bytes, size_t len);

#endif
