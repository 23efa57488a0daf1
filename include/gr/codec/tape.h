/*
 * gr/codec/tape.h - what a scan has found in a text, written down: one entry for each name and each
 * value, in the order of the text. Who has the tape need not look into the text again to go from
 * value to value.
 *
 * A value's entry is followed by those of what is in it, a member's name by its value. A tape grows
 * as it is needed and is used again for the next text. A text that has more names and values than
 * fit is read without.
 *
 * Units   places are bytes from the beginning of the text
 * Owns    the entries; gr_tape_free
 */
#ifndef GR_CODEC_TAPE_H
#define GR_CODEC_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GR_TAPE_ENTRIES_MAX = 1 << 20 }; /* 16 MiB of them */

struct gr_tape_entry {
    uint32_t start;
    uint32_t len;
    uint32_t span;  /* entries of the value: this one and those of what is in it; in a container
                       that is still open, the index of the one around it                       */
    uint16_t depth; /* levels of containers in the value, itself included                       */
    uint8_t kind;   /* enum gr_json_kind                                                         */
    uint8_t flags;  /* GR_JSON_ESCAPED and the others, of this value                             */
};

struct gr_tape {
    struct gr_tape_entry *entries; /* owned */
    size_t count;
    size_t cap;
    size_t limit; /* entries at most; 0: GR_TAPE_ENTRIES_MAX */
};

void gr_tape_free(struct gr_tape *tape);

/* Makes room for one more; false when the tape is as long as it may be. */
bool gr_tape_grow(struct gr_tape *tape);

#endif
