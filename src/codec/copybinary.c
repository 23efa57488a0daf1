/* copybinary.c - JSON values as the fields of a binary COPY. */
#include "gr/codec/copybinary.h"

#include <string.h>

#include "gr/base/time.h"
#include "gr/codec/number.h"
#include "gr/codec/order.h"
#include "gr/codec/text.h"

#define PG_EPOCH_US INT64_C(946684800000000)     /* 2000-01-01 in Unix time                     */
#define PG_MIN_US   INT64_C(-211813488000000000) /* 4713 BC, where Julian days begin            */
#define PG_END_US   INT64_C(9223371331200000000) /* 294277-01-01, the first that is out of range */

enum { JSONB_VERSION = 1 };

_Static_assert(sizeof(double) == sizeof(uint64_t), "doubles are the 8 bytes of IEEE 754");

static void
put_big_endian(struct gr_copy_out *out, uint64_t value, int bytes)
{
    char *at = out->at;

    for (int i = 0; i < bytes; i++)
        at[i] = (char)(unsigned char)(value >> (8 * (bytes - 1 - i)));
    out->at += bytes;
}

/* The length of a field that is not null. */
static void
put_length(struct gr_copy_out *out, size_t len)
{
    put_big_endian(out, len, 4);
    out->is_null = false;
}

void
gr_copy_out_free(struct gr_copy_out *out)
{
    gr_buf_free(&out->scratch);
}

void
gr_copy_int16(struct gr_copy_out *out, int16_t value)
{
    put_big_endian(out, (uint64_t)value, 2);
}

void
gr_copy_null(struct gr_copy_out *out)
{
    put_big_endian(out, UINT32_MAX, 4);
    out->is_null = true;
}

void
gr_copy_bigint(struct gr_copy_out *out, int64_t value)
{
    put_length(out, 8);
    /* Compilers make one store of four bytes, and a loop of eight. */
    put_big_endian(out, (uint64_t)value >> 32, 4);
    put_big_endian(out, (uint64_t)value, 4);
}

void
gr_copy_text(struct gr_copy_out *out, const char *bytes, size_t len)
{
    put_length(out, len);
    memcpy(out->at, bytes, len);
    out->at += len;
}

bool
gr_copy_timestamp(int64_t unix_us, int64_t *pg_us_out)
{
    if (unix_us < PG_MIN_US + PG_EPOCH_US)
        return false;
    /* No int64_t of Unix time comes near the end: it is 2^63 microseconds after 1970. */
    _Static_assert(PG_END_US > INT64_MAX - PG_EPOCH_US, "the upper end needs a check");
    *pg_us_out = unix_us - PG_EPOCH_US;
    return true;
}

const char *
gr_copy_unstorable(unsigned flags)
{
    if ((flags & GR_JSON_HAS_NUL) != 0)
        return "holds U+0000";
    if ((flags & GR_JSON_HAS_SURROGATE) != 0)
        return "holds an unpaired surrogate";
    if ((flags & GR_JSON_BAD_UTF8) != 0)
        return "is not UTF-8";
    if ((flags & GR_JSON_HUGE_NUMBER) != 0)
        return "beyond numeric";
    if ((flags & GR_JSON_TOO_DEEP) != 0)
        return "nested deeper than 512 levels";
    return NULL;
}

static const char *
put_null(struct gr_copy_out *out, const char *reason)
{
    gr_copy_null(out);
    return reason;
}

/* Some bytes that are borrowed for the while. */
struct span {
    const char *at;
    size_t len;
};

/* The text of a string; decoded into scratch only where that is needed. */
static struct span
string_text(struct gr_copy_out *out, const struct gr_json_value *string)
{
    if (string->flags == 0)
        return (struct span){string->start + 1, string->len - 2};
    gr_buf_reset(&out->scratch);
    (void)gr_json_decode(string, &out->scratch);
    return (struct span){gr_buf_text(&out->scratch), out->scratch.len};
}

/* The number that a value is, or that a string is the text of; empty where there is none. */
static struct span
number_text(struct gr_copy_out *out, const struct gr_json_value *value)
{
    struct span text = {value->start, value->len};

    if (value->kind == GR_JSON_NUMBER)
        return text;
    if (value->kind != GR_JSON_STRING)
        return (struct span){value->start, 0};
    text = string_text(out, value);
    if (gr_number_length(text.at, text.at + text.len) != text.len)
        text.len = 0;
    return text;
}

/* A string must be digits and nothing else: what is written "1e2" was hardly meant for 100. */
static bool
is_integer_text(struct span text)
{
    for (size_t i = text.len > 0 && text.at[0] == '-' ? 1 : 0; i < text.len; i++)
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
    return true;
}

static const char *
put_bigint(struct gr_copy_out *out, const struct gr_json_value *value)
{
    struct span text = number_text(out, value);
    enum gr_number_fit fit;
    int64_t number = 0;

    if (text.len == 0 || (value->kind == GR_JSON_STRING && !is_integer_text(text)))
        return put_null(out, "not an integer");
    fit = gr_number_int64(text.at, text.len, &number);
    if (fit == GR_NUMBER_NOT_WHOLE)
        return put_null(out, "not an integer");
    if (fit == GR_NUMBER_BEYOND)
        return put_null(out, "beyond bigint");
    gr_copy_bigint(out, number);
    out->number = number;
    return NULL;
}

static const char *
put_double(struct gr_copy_out *out, const struct gr_json_value *value)
{
    struct span text = number_text(out, value);
    double number = 0;
    uint64_t bits;

    if (text.len == 0)
        return put_null(out, "not a number");
    if (!gr_number_double(text.at, text.len, &number))
        return put_null(out, "beyond double");
    memcpy(&bits, &number, sizeof(bits));
    put_length(out, 8);
    put_big_endian(out, bits, 8);
    return NULL;
}

static const char *
put_boolean(struct gr_copy_out *out, const struct gr_json_value *value)
{
    bool is_string = value->kind == GR_JSON_STRING;
    bool is_true = value->kind == GR_JSON_TRUE || (is_string && gr_json_is(value, "true"));

    if (!is_true && value->kind != GR_JSON_FALSE && !(is_string && gr_json_is(value, "false")))
        return put_null(out, "not a boolean");
    put_length(out, 1);
    put_big_endian(out, is_true ? 1 : 0, 1);
    return NULL;
}

static const char *
put_timestamptz(struct gr_copy_out *out, const struct gr_json_value *value)
{
    struct span text;
    int64_t unix_us = 0;
    int64_t pg_us = 0;

    if (value->kind != GR_JSON_STRING)
        return put_null(out, "not a datetime");
    text = string_text(out, value);
    if (!gr_time_parse(text.at, text.len, &unix_us) || !gr_copy_timestamp(unix_us, &pg_us))
        return put_null(out, "not a datetime");
    gr_copy_bigint(out, pg_us);
    out->number = unix_us;
    return NULL;
}

/* Decodes into the place where the field will be; only then the length is known. */
static const char *
put_string(struct gr_copy_out *out, const struct gr_json_value *string)
{
    bool is_clean = (string->flags & GR_JSON_UNSTORABLE) == 0;
    struct gr_copy_out length = {.at = out->at};
    char *from = out->at + 4;

    out->at = gr_text_decode(from, string->start + 1, string->len - 2, is_clean);
    put_length(&length, (size_t)(out->at - from));
    out->is_null = false;
    return gr_copy_unstorable(string->flags);
}

/* What is no string goes as its JSON text, in which U+0000 and surrogates are but escapes. */
static const char *
put_text(struct gr_copy_out *out, const struct gr_json_value *value)
{
    if (value->kind == GR_JSON_STRING && value->flags != 0)
        return put_string(out, value);
    if (value->kind == GR_JSON_STRING) {
        gr_copy_text(out, value->start + 1, value->len - 2);
        return NULL;
    }
    if ((value->flags & GR_JSON_BAD_UTF8) == 0) {
        gr_copy_text(out, value->start, value->len);
        return NULL;
    }
    gr_buf_reset(&out->scratch);
    gr_utf8_put_valid(&out->scratch, value->start, value->len, SIZE_MAX);
    gr_copy_text(out, gr_buf_text(&out->scratch), out->scratch.len);
    return gr_copy_unstorable(GR_JSON_BAD_UTF8);
}

void
gr_copy_nested(struct gr_copy_out *out, const char *bytes, size_t len)
{
    if (!out->is_typed) {
        gr_copy_text(out, bytes, len);
        return;
    }
    put_length(out, len + 1);
    *out->at++ = JSONB_VERSION;
    memcpy(out->at, bytes, len);
    out->at += len;
}

/* As jsonb; only when it is copied its length is known. */
static void
put_ordered(struct gr_copy_out *out, const struct gr_json_value *value)
{
    struct gr_copy_out length = {.at = out->at};
    char *from = out->at + 4;

    *from = JSONB_VERSION;
    out->at = gr_order_copy(from + 1, value);
    put_length(&length, (size_t)(out->at - from));
    out->is_null = false;
}

static const char *
put_jsonb(struct gr_copy_out *out, const struct gr_json_value *value)
{
    const char *reason = gr_copy_unstorable(value->flags);

    if (reason == NULL && out->is_typed && value->entry != NULL) {
        put_ordered(out, value);
        return NULL;
    }
    if (reason == NULL) {
        gr_copy_nested(out, value->start, value->len);
        return NULL;
    }
    if (value->kind == GR_JSON_NUMBER)
        return put_null(out, reason);
    gr_buf_reset(&out->scratch);
    gr_json_storable(value, &out->scratch);
    gr_copy_nested(out, gr_buf_text(&out->scratch), out->scratch.len);
    return reason;
}

const char *
gr_copy_value(struct gr_copy_out *out, enum gr_type type, const struct gr_json_value *value)
{
    static const char *(*const puts[GR_TYPE_COUNT])(struct gr_copy_out *,
                                                    const struct gr_json_value *) = {
        [GR_TYPE_BIGINT] = put_bigint,           [GR_TYPE_DOUBLE] = put_double,
        [GR_TYPE_BOOLEAN] = put_boolean,         [GR_TYPE_TEXT] = put_text,
        [GR_TYPE_TIMESTAMPTZ] = put_timestamptz, [GR_TYPE_JSONB] = put_jsonb,
    };

    out->number = INT64_MIN;
    if (value == NULL || value->kind == GR_JSON_NULL) {
        gr_copy_null(out);
        return NULL;
    }
    return puts[type](out, value);
}
