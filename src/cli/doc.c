/* doc.c - results as JSON or YAML. */
#include "gr/cli/doc.h"

#include <json-c/json.h>
#include <string.h>

#include "gr/base/time.h"
#include "gr/cli/output.h"

static const int json_style =
    JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE;

struct json_object *
gr_doc_object(void)
{
    return json_object_new_object();
}

struct json_object *
gr_doc_array(void)
{
    return json_object_new_array();
}

void
gr_doc_free_var(struct json_object **doc)
{
    (void)json_object_put(*doc);
}

void
gr_doc_put(struct json_object *object, const char *key, struct json_object *child)
{
    (void)json_object_object_add(object, key, child);
}

void
gr_doc_put_text(struct json_object *object, const char *key, const char *text)
{
    gr_doc_put(object, key, text == NULL ? NULL : json_object_new_string(text));
}

void
gr_doc_put_int(struct json_object *object, const char *key, int64_t number)
{
    gr_doc_put(object, key, json_object_new_int64(number));
}

void
gr_doc_put_bool(struct json_object *object, const char *key, bool is_true)
{
    gr_doc_put(object, key, json_object_new_boolean(is_true));
}

void
gr_doc_put_time(struct json_object *object, const char *key, int64_t us)
{
    char text[GR_TIME_TEXT];

    gr_time_format(us, text);
    gr_doc_put_text(object, key, us == GR_TIME_NONE ? NULL : text);
}

void
gr_doc_put_message(struct json_object *object, const char *key, const char *text)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf safe = gr_buf_new(0);

    gr_output_put_redacted(&safe, text);
    gr_doc_put_text(object, key, gr_buf_text(&safe));
}

void
gr_doc_put_json(struct json_object *object, const char *key, const char *json)
{
    gr_doc_put(object, key, json == NULL ? NULL : json_tokener_parse(json));
}

void
gr_doc_add(struct json_object *array, struct json_object *child)
{
    (void)json_object_array_add(array, child);
}

void
gr_doc_add_text(struct json_object *array, const char *text)
{
    gr_doc_add(array, json_object_new_string(text));
}

void
gr_doc_print_json(struct json_object *doc, struct gr_buf *out)
{
    gr_buf_puts(out, json_object_to_json_string_ext(doc, json_style));
    gr_buf_putc(out, '\n');
}

/* True for a text that YAML reads as this very text without quotes. */
static bool
is_plain(const char *text)
{
    static const char *const words[] = {"true", "false", "null", "yes", "no",
                                        "on",   "off",   "y",    "n"};
    size_t len = strlen(text);

    if (len == 0 || strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ/_") == 0)
        return false;
    if (text[len - 1] == ' ' || strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                             "0123456789_-./,;() ") != len)
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (len == strlen(words[i]) && strncmp(text, words[i], len) == 0)
            return false;
    /* YAML 1.1 also has True, NO, ...: a word of capitals is not worth the doubt. */
    return len > 5 || strspn(text, "abcdefghijklmnopqrstuvwxyz/_-.0123456789") == len;
}

static void
put_indent(struct gr_buf *out, int depth)
{
    for (int i = 0; i < depth; i++)
        gr_buf_puts(out, "  ");
}

static void
put_scalar(struct json_object *value, struct gr_buf *out)
{
    if (value == NULL)
        gr_buf_puts(out, "null");
    else if (json_object_is_type(value, json_type_string) &&
             is_plain(json_object_get_string(value)))
        gr_buf_puts(out, json_object_get_string(value));
    else
        gr_buf_puts(out, json_object_to_json_string_ext(value, JSON_C_TO_STRING_NOSLASHESCAPE));
}

static bool
is_empty(struct json_object *value)
{
    if (json_object_is_type(value, json_type_object))
        return json_object_object_length(value) == 0;
    if (json_object_is_type(value, json_type_array))
        return json_object_array_length(value) == 0;
    return true;
}

static void put_block(struct json_object *value, int depth, bool is_inline, struct gr_buf *out);

/* What stands behind a colon. */
static void
put_member(struct json_object *value, int depth, struct gr_buf *out)
{
    if (is_empty(value)) {
        gr_buf_putc(out, ' ');
        put_scalar(value, out);
        gr_buf_putc(out, '\n');
        return;
    }
    gr_buf_putc(out, '\n');
    put_block(value, depth + 1, false, out);
}

/* A block; `is_inline`: its first line has been begun by the dash of a list. */
static void
put_block(struct json_object *value, int depth, bool is_inline, struct gr_buf *out)
{
    if (json_object_is_type(value, json_type_array) && !is_empty(value)) {
        for (size_t i = 0; i < json_object_array_length(value); i++) {
            put_indent(out, i == 0 && is_inline ? 0 : depth);
            gr_buf_puts(out, "- ");
            put_block(json_object_array_get_idx(value, i), depth + 1, true, out);
        }
        return;
    }
    if (json_object_is_type(value, json_type_object) && !is_empty(value)) {
        json_object_object_foreach(value, key, child)
        {
            put_indent(out, is_inline ? 0 : depth);
            is_inline = false;
            gr_buf_printf(out, "%s:", key);
            put_member(child, depth, out);
        }
        return;
    }
    put_scalar(value, out);
    gr_buf_putc(out, '\n');
}

void
gr_doc_print_yaml(struct json_object *doc, struct gr_buf *out)
{
    put_block(doc, 0, false, out);
}
