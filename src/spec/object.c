/* object.c - names of tables. */
#include "gr/spec/object.h"

#include <string.h>

#include "gr/base/buf.h"
#include "gr/spec/names.h"

/* Reads "a b" with "" for a quote; moves *at behind it. */
static const char *
read_quoted(const char **at, struct gr_buf *part)
{
    const char *from = *at + 1;

    for (; *from != '\0'; from++) {
        if (*from == '"' && from[1] != '"') {
            *at = from + 1;
            return NULL;
        }
        if (*from == '"')
            from++;
        gr_buf_putc(part, *from);
    }
    return "a quote is not closed";
}

static const char *
read_plain(const char **at, struct gr_buf *part)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    const char *from = *at;

    if (*from != '\0' && *from != '.' && strchr(first, *from) == NULL)
        return "a name must begin with a letter or _, or stand in double quotes";
    for (; *from != '\0' && *from != '.'; from++) {
        char c = *from;

        if (strchr(first, c) == NULL && (c < '0' || c > '9'))
            return "a name must be of letters, digits and _, or stand in double quotes";
        gr_buf_putc(part, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
    }
    *at = from;
    return NULL;
}

const char *
gr_object_parse(const char *text, struct gr_arena *arena, struct gr_object *out)
{
    struct gr_object object = {.count = 0};

    for (;;) {
        GR_CLEANUP(gr_buf_free) struct gr_buf part = gr_buf_new(0);
        const char *wrong = *text == '"' ? read_quoted(&text, &part) : read_plain(&text, &part);

        if (wrong != NULL)
            return wrong;
        if (part.len == 0)
            return "a name is empty";
        if (part.len > GR_NAME_BYTES)
            return "a name is longer than 63 bytes";
        object.parts[object.count++] = gr_arena_strdup(arena, gr_buf_text(&part));
        if (*text == '\0')
            break;
        if (*text != '.')
            return "a dot must stand between schema and table";
        if (object.count == GR_OBJECT_PARTS)
            return "it must have two parts at most, schema and table";
        text++;
    }
    *out = object;
    return NULL;
}
