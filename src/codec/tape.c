/* tape.c - what a scan has found in a text, written down. */
#include "gr/codec/tape.h"

#include "gr/base/alloc.h"

void
gr_tape_free(struct gr_tape *tape)
{
    gr_free(tape->entries);
    *tape = (struct gr_tape){.limit = tape->limit};
}

bool
gr_tape_grow(struct gr_tape *tape)
{
    enum { CAP_MIN = 1024 };
    size_t limit = tape->limit == 0 ? GR_TAPE_ENTRIES_MAX : tape->limit;
    size_t cap = tape->cap == 0 ? CAP_MIN : 2 * tape->cap;

    if (tape->count == limit)
        return false;
    tape->cap = cap < limit ? cap : limit;
    tape->entries = gr_realloc(tape->entries, tape->cap, sizeof(tape->entries[0]));
    return true;
}
