/* order.c - a JSON value with the members of its objects in the order of jsonb. */
#include "gr/codec/order.h"

#include <stdbool.h>
#include <string.h>

enum { MEMBERS_MAX = 32 };

/* Names differ within their first bytes, and a call of memcmp costs more than those. */
static inline bool
is_before(const char *text, const struct gr_tape_entry *a, const struct gr_tape_entry *b)
{
    const char *in_a = text + a->start;
    const char *in_b = text + b->start;
    size_t i = 0;

    if (a->len != b->len)
        return a->len < b->len;
    while (i < a->len && in_a[i] == in_b[i])
        i++;
    return i < a->len && (unsigned char)in_a[i] < (unsigned char)in_b[i];
}

/* Puts the names of an object in order, and returns how many there are: more than MEMBERS_MAX where
   it is to stay as it is. */
static inline size_t
sort_names(const char *text, const struct gr_tape_entry *object, const struct gr_tape_entry **names)
{
    const struct gr_tape_entry *end = object + object->span;
    size_t count = 0;

    for (const struct gr_tape_entry *name = object + 1; name < end; name += 1 + name[1].span) {
        size_t i = count++;

        if (i == MEMBERS_MAX || name->flags != 0)
            return MEMBERS_MAX + 1;
        for (; i > 0 && is_before(text, name, names[i - 1]); i--)
            names[i] = names[i - 1];
        names[i] = name;
    }
    return count;
}

static char *
copy_bytes(char *out, const char *from, size_t len)
{
    memcpy(out, from, len);
    return out + len;
}

static char *copy_value(char *out, const char *text, const struct gr_tape_entry *value);

static char *
copy_array(char *out, const char *text, const struct gr_tape_entry *array)
{
    const struct gr_tape_entry *end = array + array->span;
    char mark = '[';

    for (const struct gr_tape_entry *item = array + 1; item < end; item += item->span) {
        *out++ = mark;
        out = copy_value(out, text, item);
        mark = ',';
    }
    *out++ = ']';
    return out;
}

static char *
copy_object(char *out, const char *text, const struct gr_tape_entry *object)
{
    const struct gr_tape_entry *names[MEMBERS_MAX];
    size_t count = sort_names(text, object, names);
    char mark = '{';

    if (count > MEMBERS_MAX)
        return copy_bytes(out, text + object->start, object->len);
    for (size_t i = 0; i < count; i++) {
        const struct gr_tape_entry *value = names[i] + 1;
        const char *from = text + names[i]->start;

        *out++ = mark;
        mark = ',';
        if (value->span == 1) {
            out = copy_bytes(out, from, (size_t)(text + value->start + value->len - from));
            continue;
        }
        out = copy_bytes(out, from, names[i]->len);
        *out++ = ':';
        out = copy_value(out, text, value);
    }
    *out++ = '}';
    return out;
}

/* Goes down as deep as what is storable, GR_JSON_DEPTH_MAX. */
static char *
copy_value(char *out, const char *text, const struct gr_tape_entry *value)
{
    /* Nothing is in it, or nothing that has members. */
    if (value->span == 1 || (value->kind == GR_JSON_ARRAY && value->depth == 1))
        return copy_bytes(out, text + value->start, value->len);
    return value->kind == GR_JSON_ARRAY ? copy_array(out, text, value)
                                        : copy_object(out, text, value);
}

char *
gr_order_copy(char *out, const struct gr_json_value *value)
{
    return copy_value(out, value->start - value->entry->start, value->entry);
}
