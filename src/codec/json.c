/* json.c - readers over JSON text, and what becomes of the values that they find. */
#include "gr/codec/json.h"

#include <assert.h>
#include <string.h>

#include "gr/codec/number.h"
#include "gr/codec/scan.h"
#include "gr/codec/text.h"

/* The reader: positions in the text, and the failure that stays. */

static bool
fail_reader(struct gr_json_reader *reader, size_t at, const char *what)
{
    reader->at = at;
    reader->failed = what;
    return false;
}

/* Comes to the next byte that is not space; false when there is none. */
static bool
find_next(struct gr_json_reader *reader)
{
    while (reader->at < reader->len && gr_is_space(reader->text[reader->at]))
        reader->at++;
    return reader->at < reader->len;
}

struct gr_json_reader
gr_json_open(const char *text, size_t len)
{
    return (struct gr_json_reader){.text = text, .len = len};
}

struct gr_json_reader
gr_json_open_taped(const char *text, size_t len, struct gr_tape *tape)
{
    return (struct gr_json_reader){
        .text = text,
        .len = len,
        .tape = len <= UINT32_MAX ? tape : NULL,
    };
}

struct gr_json_reader
gr_json_inside(const struct gr_json_value *container)
{
    const struct gr_tape_entry *entry = container->entry;

    if (entry != NULL)
        return (struct gr_json_reader){
            .text = container->start - entry->start,
            .next = entry + 1,
            .last = entry + entry->span,
        };
    return (struct gr_json_reader){
        .text = container->start + 1,
        .len = container->len - 2,
    };
}

bool
gr_json_value(struct gr_json_reader *reader, struct gr_json_value *out)
{
    const char *end = reader->text + reader->len;
    struct gr_scan scan = {
        .end = end,
        .levels = GR_JSON_LEVELS_MAX,
        .text = reader->text,
        .tape = reader->tape,
    };
    const char *from;
    const char *at;

    if (reader->failed != NULL)
        return false;
    if (!find_next(reader))
        return fail_reader(reader, reader->at, "ends too early");
    from = reader->text + reader->at;
    at = gr_scan_value(&scan, from);
    if (at == NULL)
        return fail_reader(reader, (size_t)(scan.failed_at - reader->text), scan.failed);
    out->kind = gr_kind_of(*from);
    out->flags = out->kind == GR_JSON_STRING ? scan.flags : scan.flags & GR_JSON_UNSTORABLE;
    out->start = from;
    out->len = (size_t)(at - from);
    out->entry = scan.tape != NULL ? scan.tape->entries : NULL;
    reader->at = (size_t)(at - reader->text);
    return true;
}

bool
gr_json_end(struct gr_json_reader *reader)
{
    if (reader->failed != NULL)
        return false;
    if (find_next(reader))
        return fail_reader(reader, reader->at, "something follows the value");
    return true;
}

/* Comes to the next member or element; false at the end. What is inside of a value was read with
   it, so that there is no more than commas and colons to step over. */
static bool
next_item(struct gr_json_reader *reader)
{
    bool is_first = reader->at == 0;

    if (reader->failed != NULL || !find_next(reader))
        return false;
    if (is_first)
        return true;
    assert(reader->text[reader->at] == ',');
    reader->at++;
    return true;
}

bool
gr_json_scan_member(struct gr_json_reader *reader, struct gr_json_value *name,
                    struct gr_json_value *value)
{
    if (!next_item(reader) || !gr_json_value(reader, name))
        return false;
    (void)find_next(reader);
    assert(reader->text[reader->at] == ':');
    reader->at++;
    return gr_json_value(reader, value);
}

bool
gr_json_scan_element(struct gr_json_reader *reader, struct gr_json_value *value)
{
    return next_item(reader) && gr_json_value(reader, value);
}

unsigned
gr_json_decode(const struct gr_json_value *string, struct gr_buf *out)
{
    bool is_clean = (string->flags & GR_JSON_UNSTORABLE) == 0;
    size_t len = string->len - 2;
    size_t before = out->len;
    char *room = gr_buf_extend(out, is_clean ? len : 3 * len);

    if (room != NULL) {
        out->len = before + (size_t)(gr_text_decode(room, string->start + 1, len, is_clean) - room);
        out->data[out->len] = '\0';
    }
    return string->flags & GR_JSON_UNSTORABLE;
}

bool
gr_json_is(const struct gr_json_value *string, const char *text)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf decoded = gr_buf_new(0);
    size_t len = strlen(text);

    if (string->flags == 0)
        return string->len - 2 == len && memcmp(string->start + 1, text, len) == 0;
    (void)gr_json_decode(string, &decoded);
    return decoded.len == len && memcmp(gr_buf_text(&decoded), text, len) == 0;
}

/* The three kinds of thing inside a value that may need another in their place. Both return behind
   what they have put. */

static const char *
put_storable_number(struct gr_buf *out, const char *at, const char *end)
{
    size_t len = gr_number_length(at, end);

    if (gr_number_is_numeric(at, len))
        gr_buf_put(out, at, len);
    else
        gr_buf_puts(out, "null");
    return at + len;
}

static const char *
put_storable_character(struct gr_buf *out, const char *at, const char *end)
{
    struct gr_escape escape;
    size_t len;
    bool is_good;

    if (*at == '\\') {
        escape = gr_text_escape(at, end);
        len = escape.len;
        is_good = escape.code != 0 && !gr_text_is_surrogate(escape.code);
    } else {
        len = gr_utf8_length(at, end);
        is_good = len > 0;
    }
    if (is_good)
        gr_buf_put(out, at, len);
    else
        gr_buf_puts(out, GR_TEXT_REPLACEMENT);
    return at + (len > 0 ? len : 1);
}

/* A container that is opened `depth` levels down. */
static const char *
put_storable_container(struct gr_buf *out, const char *at, const char *end, size_t *depth)
{
    struct gr_scan scan = {.end = end, .levels = GR_JSON_LEVELS_MAX};

    if (*depth == GR_JSON_DEPTH_MAX) {
        gr_buf_puts(out, "null");
        return gr_scan_value(&scan, at);
    }
    ++*depth;
    gr_buf_putc(out, *at);
    return at + 1;
}

void
gr_json_storable(const struct gr_json_value *value, struct gr_buf *out)
{
    const char *at = value->start;
    const char *end = at + value->len;
    bool in_string = false;
    size_t depth = 0;

    if ((value->flags & GR_JSON_UNSTORABLE) == 0) {
        gr_buf_put(out, at, value->len);
        return;
    }
    while (at < end) {
        if (*at == '"') {
            in_string = !in_string;
            gr_buf_putc(out, *at++);
        } else if (in_string) {
            at = put_storable_character(out, at, end);
        } else if (*at == '-' || (*at >= '0' && *at <= '9')) {
            at = put_storable_number(out, at, end);
        } else if (*at == '{' || *at == '[') {
            at = put_storable_container(out, at, end, &depth);
        } else {
            depth -= *at == '}' || *at == ']' ? 1 : 0;
            gr_buf_putc(out, *at++);
        }
    }
}
