/* layers: codec */
/* fuzz_json.c - any bytes into the scanner: it stays inside of them, its ways of reading a
   container agree, with a tape and without, and the fingerprint does not depend on how a value is
   written. */
#include "fuzz.h"
#include "gr/base/alloc.h"
#include "gr/base/buf.h"
#include "gr/codec/fingerprint.h"
#include "gr/codec/json.h"
#include "gr/codec/order.h"
#include "gr/codec/text.h"

enum { WALK_LEVELS = 40 };

/* What is decoded is UTF-8 without U+0000 bytes. */
static void
check_string(const struct gr_json_value *string)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);

    (void)gr_json_decode(string, &text);
    require(text.failed == NULL && text.len <= 3 * string->len);
    require_text(gr_buf_text(&text), text.len);
}

/* What is storable is JSON that needs no more changes. */
static void
check_storable(const struct gr_json_value *value)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    struct gr_json_reader reader;
    struct gr_json_value again;

    gr_json_storable(value, &text);
    require(text.len <= 3 * value->len);
    reader = gr_json_open(gr_buf_text(&text), text.len);
    require(gr_json_value(&reader, &again) && gr_json_end(&reader));
    require((again.flags & GR_JSON_UNSTORABLE) == 0);
}

/* White space between tokens and the order of members are no part of the meaning. */
static void
put_spread(const struct gr_json_value *value, struct gr_buf *out, int levels)
{
    struct gr_json_reader inside;
    struct gr_json_value name, item;
    bool is_object = value->kind == GR_JSON_OBJECT;
    bool is_first = true;

    if (value->kind < GR_JSON_ARRAY || levels == 0) {
        gr_buf_put(out, value->start, value->len);
        return;
    }
    inside = gr_json_inside(value);
    gr_buf_puts(out, is_object ? " {\n" : " [\t");
    while (is_object ? gr_json_member(&inside, &name, &item) : gr_json_element(&inside, &item)) {
        gr_buf_puts(out, is_first ? "" : " ,\r\n");
        is_first = false;
        if (is_object) {
            gr_buf_put(out, name.start, name.len);
            gr_buf_puts(out, " : ");
        }
        put_spread(&item, out, levels - 1);
    }
    gr_buf_puts(out, is_object ? " } " : " ] ");
}

static void
check_fingerprint(const struct gr_json_value *value)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf scratch = gr_buf_new(0);
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    uint64_t hash = gr_fingerprint(7, value, &scratch);
    struct gr_json_reader reader;
    struct gr_json_value again;

    if ((value->flags & GR_JSON_TOO_DEEP) != 0)
        return;
    put_spread(value, &text, WALK_LEVELS);
    reader = gr_json_open(gr_buf_text(&text), text.len);
    require(gr_json_value(&reader, &again) && gr_json_end(&reader));
    require(gr_fingerprint(7, &again, &scratch) == hash);
}

static void
check_same(const struct gr_json_value *a, const struct gr_json_value *b)
{
    require(a->kind == b->kind && a->flags == b->flags && a->start == b->start && a->len == b->len);
}

static void
check_value(const struct gr_json_value *value, int levels)
{
    struct gr_json_reader inside = gr_json_inside(value);
    struct gr_json_value name = {0}, item;
    bool is_object = value->kind == GR_JSON_OBJECT;

    if (value->kind == GR_JSON_STRING)
        check_string(value);
    if (value->kind < GR_JSON_ARRAY || levels == 0)
        return;
    while (is_object ? gr_json_member(&inside, &name, &item) : gr_json_element(&inside, &item)) {
        if (is_object)
            check_string(&name);
        check_value(&item, levels - 1);
    }
    require(inside.failed == NULL);
}

/* What is read from a tape is what is read from the text. */
static void
check_inside_taped(const struct gr_json_value *value, const struct gr_json_value *taped, int levels)
{
    struct gr_json_reader inside, inside_taped;
    struct gr_json_value name = {0}, item, name_too = {0}, item_too;
    bool is_object = value->kind == GR_JSON_OBJECT;

    check_same(value, taped);
    if (value->kind < GR_JSON_ARRAY || levels == 0)
        return;
    inside = gr_json_inside(value);
    inside_taped = gr_json_inside(taped);
    while (is_object ? gr_json_member(&inside_taped, &name_too, &item_too)
                     : gr_json_element(&inside_taped, &item_too)) {
        require(is_object ? gr_json_member(&inside, &name, &item)
                          : gr_json_element(&inside, &item));
        check_same(&name, &name_too);
        check_inside_taped(&item, &item_too, levels - 1);
    }
    require(inside_taped.failed == NULL);
    require(!(is_object ? gr_json_member(&inside, &name, &item) : gr_json_element(&inside, &item)));
}

/* Members in another order mean the same, and are in order then. */
static void
check_ordered(const struct gr_json_value *value)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf scratch = gr_buf_new(0);
    GR_CLEANUP(gr_tape_free) struct gr_tape tape = {0};
    GR_CLEANUP(gr_free_var) char *ordered = gr_alloc(value->len, 1);
    GR_CLEANUP(gr_free_var) char *twice = NULL;
    size_t len = (size_t)(gr_order_copy(ordered, value) - ordered);
    struct gr_json_reader reader = gr_json_open_taped(ordered, len, &tape);
    struct gr_json_value again;

    require(len <= value->len);
    require(gr_json_value(&reader, &again) && gr_json_end(&reader));
    require(gr_fingerprint(7, value, &scratch) == gr_fingerprint(7, &again, &scratch));
    twice = gr_alloc(len, 1);
    require(gr_order_copy(twice, &again) == twice + len && memcmp(twice, ordered, len) == 0);
}

/* Of three entries there are too few for most. */
static void
check_taped(const char *text, size_t len, const struct gr_json_value *value)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf scratch = gr_buf_new(0);

    for (size_t limit = 0; limit <= 3; limit += 3) {
        GR_CLEANUP(gr_tape_free) struct gr_tape tape = {.limit = limit};
        struct gr_json_reader reader = gr_json_open_taped(text, len, &tape);
        struct gr_json_value taped;

        require((gr_json_value(&reader, &taped) && gr_json_end(&reader)) == (value != NULL));
        if (value == NULL)
            continue;
        check_inside_taped(value, &taped, WALK_LEVELS);
        require(gr_fingerprint(7, value, &scratch) == gr_fingerprint(7, &taped, &scratch));
        if (taped.entry != NULL && (taped.flags & GR_JSON_UNSTORABLE) == 0)
            check_ordered(&taped);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gr_json_reader reader = gr_json_open((const char *)data, size);
    struct gr_json_value value;
    bool ok = gr_json_value(&reader, &value) && gr_json_end(&reader);

    require(reader.at <= size && ok == (reader.failed == NULL));
    check_taped((const char *)data, size, ok ? &value : NULL);
    if (ok) {
        check_value(&value, WALK_LEVELS);
        check_storable(&value);
        check_fingerprint(&value);
    }
    return 0;
}
