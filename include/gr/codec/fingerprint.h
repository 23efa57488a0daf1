/*
 * gr/codec/fingerprint.h - the hash of what a JSON value means, whatever way it was written down.
 *
 * White space, the order of an object's members and the choice between a character and its escape
 * change nothing; everything else does. A server that is upgraded, or has several machines, may
 * write the same object in another way, and its rows are not to be written again for that.
 *
 * Like the hash itself (gr/codec/hash.h) it stands in the tables: never change it.
 *
 * Owns    `scratch` is the caller's, and is overwritten
 */
#ifndef GR_CODEC_FINGERPRINT_H
#define GR_CODEC_FINGERPRINT_H

#include <stdint.h>

#include "gr/base/buf.h"
#include "gr/codec/json.h"

/* The fingerprint of a value that a reader has read, a different one for each seed. */
uint64_t gr_fingerprint(uint64_t seed, const struct gr_json_value *value, struct gr_buf *scratch);

#endif
