/* made.c - the entries of an object as objects of their own. */
#include "gr/codec/made.h"

#include <inttypes.h>
#include <string.h>

#include "gr/codec/json.h"

/* An entry is named by a whole number, as bigint writes it. */
static bool
is_key(const struct gr_json_value *name)
{
    const char *digits = name->start + 1;
    size_t len = name->len - 2;

    if (len == 0 || len > GR_MADE_DIGITS_MAX || (digits[0] == '0' && len > 1))
        return false;
    return strspn(digits, "0123456789") >= len;
}

/* What the entry is named by stands behind what it says itself: of members of one name the last
   counts. */
static void
put_object(const struct gr_schema *schema, int64_t parent, const struct gr_json_value *name,
           const struct gr_json_value *value, struct gr_buf *out)
{
    gr_buf_putc(out, '{');
    if (value->kind != GR_JSON_OBJECT) {
        gr_buf_printf(out, "\"%s\": ", schema->columns[schema->key_count].field);
        gr_buf_put(out, value->start, value->len);
    } else {
        gr_buf_put(out, value->start + 1, value->len - 2);
    }
    if (out->len > 1 && strspn(out->data + 1, " \t\r\n") < out->len - 1)
        gr_buf_putc(out, ',');
    gr_buf_printf(out, "\"%s\": %" PRId64 ", \"%s\": ", schema->columns[0].field, parent,
                  schema->columns[1].field);
    gr_buf_put(out, name->start + 1, name->len - 2);
    gr_buf_putc(out, '}');
}

void
gr_made_rows(const struct gr_schema *schema, int64_t parent, const char *value, size_t len,
             gr_made_take *take, void *context)
{
    struct gr_json_reader reader = gr_json_open(value, len);
    struct gr_json_value whole, name, entry;
    bool goes_on = true;

    if (!gr_json_value(&reader, &whole) || whole.kind != GR_JSON_OBJECT)
        return;
    reader = gr_json_inside(&whole);
    while (goes_on && gr_json_member(&reader, &name, &entry)) {
        GR_CLEANUP(gr_buf_free) struct gr_buf object = gr_buf_new(0);

        if (!is_key(&name))
            continue;
        put_object(schema, parent, &name, &entry, &object);
        goes_on = take(context, gr_buf_text(&object), object.len);
    }
}
