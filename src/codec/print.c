/* print.c - a tuple of binary COPY as a JSON object. */
#include "gr/codec/print.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gr/base/time.h"

enum { FIELDS_BYTES = 2, LENGTH_BYTES = 4, DIGITS_MAX = 17 };

static uint64_t
big_endian(const char *at, size_t bytes)
{
    uint64_t value = 0;

    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | (unsigned char)at[i];
    return value;
}

static struct gr_print_field
take_field(const char **tuple)
{
    uint64_t len = big_endian(*tuple, LENGTH_BYTES);
    struct gr_print_field field = {.at = *tuple + LENGTH_BYTES, .len = (size_t)len};

    if (len == UINT32_MAX)
        field = (struct gr_print_field){.at = NULL};
    *tuple += LENGTH_BYTES + field.len;
    return field;
}

static int64_t
bigint(const struct gr_print_field *field)
{
    uint64_t bits = big_endian(field->at, field->len);
    int64_t value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

static void
put_string(const char *text, size_t len, struct gr_buf *out)
{
    gr_buf_putc(out, '"');
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '"' || c == '\\')
            gr_buf_printf(out, "\\%c", c);
        else if (c == '\n')
            gr_buf_puts(out, "\\n");
        else if (c < ' ' || c == 0x7f)
            gr_buf_printf(out, "\\u%04x", c);
        else
            gr_buf_putc(out, (char)c);
    }
    gr_buf_putc(out, '"');
}

static void
put_bigint(const struct gr_print_field *field, struct gr_buf *out)
{
    gr_buf_printf(out, "%" PRId64, bigint(field));
}

/* With as few digits as tell it from its neighbours. */
static void
put_double(const struct gr_print_field *field, struct gr_buf *out)
{
    uint64_t bits = big_endian(field->at, field->len), back = 0;
    char text[64];
    double value;

    memcpy(&value, &bits, sizeof(value));
    for (int digits = 1; digits <= DIGITS_MAX && (digits == 1 || back != bits); digits++) {
        double again;

        (void)snprintf(text, sizeof(text), "%.*g", digits, value);
        again = strtod(text, NULL);
        memcpy(&back, &again, sizeof(back));
    }
    gr_buf_puts(out, text);
}

static void
put_boolean(const struct gr_print_field *field, struct gr_buf *out)
{
    gr_buf_puts(out, field->at[0] != 0 ? "true" : "false");
}

static void
put_text(const struct gr_print_field *field, struct gr_buf *out)
{
    put_string(field->at, field->len, out);
}

/* PostgreSQL counts from 2000 on. */
static void
put_timestamptz(const struct gr_print_field *field, struct gr_buf *out)
{
    char text[GR_TIME_TEXT];

    gr_time_format(bigint(field) + INT64_C(946684800000000), text);
    gr_buf_printf(out, "\"%s\"", text);
}

static void
put_json(const struct gr_print_field *field, struct gr_buf *out)
{
    gr_buf_put(out, field->at, field->len);
}

/* clang-format off */
static void (*const printers[GR_TYPE_COUNT])(const struct gr_print_field *field, struct gr_buf *out) = {
    [GR_TYPE_BIGINT]      = put_bigint,
    [GR_TYPE_DOUBLE]      = put_double,
    [GR_TYPE_BOOLEAN]     = put_boolean,
    [GR_TYPE_TEXT]        = put_text,
    [GR_TYPE_TIMESTAMPTZ] = put_timestamptz,
    [GR_TYPE_JSONB]       = put_json,
};
/* clang-format on */

static void
put_member(const char *name, enum gr_type type, const struct gr_print_field *field,
           struct gr_buf *out)
{
    put_string(name, strlen(name), out);
    gr_buf_puts(out, ": ");
    if (field->at == NULL)
        gr_buf_puts(out, "null");
    else
        printers[type](field, out);
}

const char *
gr_print_tuple(const struct gr_plan_stream *stream, const char *tuple, struct gr_buf *out)
{
    struct gr_print_field field;

    tuple += FIELDS_BYTES;
    gr_buf_putc(out, '{');
    for (size_t i = 0; i < stream->column_count; i++) {
        field = take_field(&tuple);
        put_member(stream->columns[i].name, stream->columns[i].type, &field, out);
        gr_buf_puts(out, ", ");
    }
    (void)take_field(&tuple); /* the fingerprint, which tells nobody anything */
    field = take_field(&tuple);
    put_member("_extra", GR_TYPE_JSONB, &field, out);
    gr_buf_putc(out, '}');
    return tuple;
}

struct gr_print_field
gr_print_field(const char *tuple, size_t column)
{
    struct gr_print_field field;

    tuple += FIELDS_BYTES;
    do
        field = take_field(&tuple);
    while (column-- > 0);
    return field;
}
