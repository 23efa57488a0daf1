/* fingerprint.c - the hash of what a JSON value means. */
#include "gr/codec/fingerprint.h"

#include "gr/base/attr.h"
#include "gr/codec/hash.h"

/* What means the same only where its bytes are the same. To go down into what is too deep would use
   up the program's stack. */
static bool
is_bytes(const struct gr_json_value *value)
{
    if (value->kind > GR_JSON_STRING)
        return (value->flags & GR_JSON_TOO_DEEP) != 0;
    return (value->flags & GR_JSON_ESCAPED) == 0;
}

/* A string as if no character in it had been escaped. */
static uint64_t
of_string(uint64_t seed, const struct gr_json_value *string, struct gr_buf *scratch)
{
    gr_buf_reset(scratch);
    gr_buf_putc(scratch, '"');
    (void)gr_json_decode(string, scratch);
    gr_buf_putc(scratch, '"');
    return gr_hash(seed, gr_buf_text(scratch), scratch->len);
}

/* Each element is hashed with what came before it. */
static uint64_t
of_array(uint64_t seed, const struct gr_json_value *array, struct gr_buf *scratch)
{
    struct gr_json_reader inside = gr_json_inside(array);
    struct gr_json_value element;
    uint64_t hash = gr_hash(seed, "[", 1);

    while (gr_json_element(&inside, &element))
        hash = gr_fingerprint(hash, &element, scratch);
    return gr_hash(hash, "]", 1);
}

/* Members are summed, so that their order does not matter. */
static uint64_t
of_object(uint64_t seed, const struct gr_json_value *object, struct gr_buf *scratch)
{
    struct gr_json_reader inside = gr_json_inside(object);
    struct gr_json_value name, value;
    uint64_t within = gr_hash(seed, "{", 1);
    uint64_t sum = 0;

    while (gr_json_member(&inside, &name, &value))
        sum += gr_fingerprint(gr_fingerprint(within, &name, scratch), &value, scratch);
    return gr_hash(within + sum, "}", 1);
}

/* All that is_bytes says no to. */
GR_APART static uint64_t
of_parts(uint64_t seed, const struct gr_json_value *value, struct gr_buf *scratch)
{
    if (value->kind == GR_JSON_STRING)
        return of_string(seed, value, scratch);
    return value->kind == GR_JSON_ARRAY ? of_array(seed, value, scratch)
                                        : of_object(seed, value, scratch);
}

uint64_t
gr_fingerprint(uint64_t seed, const struct gr_json_value *value, struct gr_buf *scratch)
{
    if (is_bytes(value))
        return gr_hash(seed, value->start, value->len);
    return of_parts(seed, value, scratch);
}
