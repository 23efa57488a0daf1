/* tuple.h - reads what the row encoder wrote, as PostgreSQL would read it. */
#ifndef GR_TESTS_TUPLE_H
#define GR_TESTS_TUPLE_H

#include "fuzz.h"
#include "gr/codec/json.h"
#include "gr/spec/plan.h"

static inline void
require_jsonb(const char *at, size_t len)
{
    struct gr_json_reader reader = gr_json_open(at, len);
    struct gr_json_value value, name, member;

    require_text(at, len);
    require(gr_json_value(&reader, &value) && gr_json_end(&reader));
    require((value.flags & GR_JSON_UNSTORABLE & ~(unsigned)GR_JSON_TOO_DEEP) == 0);
    /* _extra adds a level to what is as deep as may be. */
    reader = gr_json_inside(&value);
    require((value.flags & GR_JSON_TOO_DEEP) == 0 || value.kind == GR_JSON_OBJECT);
    while (value.kind == GR_JSON_OBJECT && gr_json_member(&reader, &name, &member))
        require((member.flags & GR_JSON_TOO_DEEP) == 0);
}

static inline void
require_field(enum gr_type type, const char *at, size_t len)
{
    if (type == GR_TYPE_TEXT)
        require_text(at, len);
    else if (type == GR_TYPE_JSONB)
        require_jsonb(at, len);
    else
        require(len == (type == GR_TYPE_BOOLEAN ? 1 : 8));
    if (type == GR_TYPE_BOOLEAN)
        require(*at == 0 || *at == 1);
}

static inline uint32_t
big_endian(const char *at, int bytes)
{
    uint32_t value = 0;

    for (int i = 0; i < bytes; i++)
        value = value << 8 | (unsigned char)at[i];
    return value;
}

/* One tuple: the stream's columns, _hash, _extra. Returns behind it. */
static inline const char *
require_tuple(const struct gr_plan_stream *stream, const char *at, const char *end)
{
    size_t columns = stream->column_count;

    require(end - at > 2 && big_endian(at, 2) == columns + 2);
    at += 2;
    for (size_t c = 0; c < columns + 2; c++) {
        enum gr_type type =
            c < columns ? stream->columns[c].type : (c == columns ? GR_TYPE_BIGINT : GR_TYPE_JSONB);
        uint32_t len;

        require(end - at >= 4);
        len = big_endian(at, 4);
        at += 4;
        if (len == UINT32_MAX) {
            require(c >= stream->key_count && c != columns);
            continue;
        }
        require((size_t)(end - at) >= len);
        require_field(type, at, len);
        at += len;
    }
    return at;
}

#endif
