/* memory.c - what a walk remembers between runs. */
#include "gr/walk/memory.h"

#include <json-c/json.h>
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/time.h"

#define COUNT_END                                                                                  \
    (INT64_C(1) << 53) /* no count of ours comes near it, so that it can be counted on */

static void
put_time(struct json_object *object, const char *name, int64_t us)
{
    char text[GR_TIME_TEXT];

    if (us == GR_TIME_NONE)
        return;
    gr_time_format(us, text);
    json_object_object_add(object, name, json_object_new_string(text));
}

static void
put_text(struct json_object *object, const char *name, const char *text)
{
    if (text != NULL)
        json_object_object_add(object, name, json_object_new_string(text));
}

static int64_t
get_time(struct json_object *object, const char *name)
{
    struct json_object *value;
    int64_t us;

    if (!json_object_object_get_ex(object, name, &value) ||
        !json_object_is_type(value, json_type_string) ||
        !gr_time_parse(json_object_get_string(value), (size_t)json_object_get_string_len(value),
                       &us))
        return GR_TIME_NONE;
    return us;
}

static int64_t
get_count(struct json_object *object, const char *name)
{
    struct json_object *value;
    int64_t count;

    if (!json_object_object_get_ex(object, name, &value) ||
        !json_object_is_type(value, json_type_int))
        return 0;
    count = json_object_get_int64(value);
    return count > 0 && count < COUNT_END ? count : 0;
}

/* Gives; NULL where there is none. */
static char *
get_text(struct json_object *object, const char *name)
{
    struct json_object *value;

    if (!json_object_object_get_ex(object, name, &value) ||
        !json_object_is_type(value, json_type_string))
        return NULL;
    return gr_strdup(json_object_get_string(value));
}

static void
recall_span(struct gr_span *span, struct json_object *object)
{
    char *cursor = get_text(object, "cursor");

    /* Without its cursor a span cannot be continued, and what it covers will be covered again. */
    if (cursor == NULL)
        return;
    *span = (struct gr_span){.is_open = true,
                             .hi_us = get_time(object, "hi"),
                             .lo_us = get_time(object, "lo"),
                             .lo_id = get_count(object, "lo_id"),
                             .clock_us = get_time(object, "clock"),
                             .cursor = cursor};
}

static void
recall_scan(struct gr_walk *walk, struct json_object *object)
{
    struct json_object *fallback;

    walk->scan = (struct gr_scan){.is_active = true,
                                  .pass = (size_t)get_count(object, "pass"),
                                  .clock_us = get_time(object, "clock"),
                                  .staged_rows = get_count(object, "rows"),
                                  .pages = get_count(object, "pages"),
                                  .cursor = get_text(object, "cursor")};
    if (json_object_object_get_ex(object, "fallback", &fallback))
        walk->scan.is_fallback = json_object_get_boolean(fallback);
}

/* What was read, and is yet to answer the queue. */
static void
recall_read(struct gr_walk *walk, struct json_object *object)
{
    walk->read_since_us = get_time(object, "since");
    walk->floor_us = walk->read_since_us == GR_TIME_NONE ? INT64_MAX : get_time(object, "floor");
}

void
gr_walk_recall(struct gr_walk *walk, const char *json)
{
    struct json_object *root = json != NULL ? json_tokener_parse(json) : NULL;
    struct json_object *part;

    if (json_object_object_get_ex(root, "span", &part))
        recall_span(&walk->span, part);
    if (json_object_object_get_ex(root, "reread", &part))
        recall_span(&walk->reread, part);
    if (json_object_object_get_ex(root, "read", &part))
        recall_read(walk, part);
    if (json_object_object_get_ex(root, "scan", &part))
        recall_scan(walk, part);
    json_object_put(root);
}

static struct json_object *
span_json(const struct gr_span *span)
{
    struct json_object *object = json_object_new_object();

    put_time(object, "hi", span->hi_us);
    put_time(object, "lo", span->lo_us);
    if (span->lo_id > 0)
        json_object_object_add(object, "lo_id", json_object_new_int64(span->lo_id));
    put_time(object, "clock", span->clock_us);
    put_text(object, "cursor", span->cursor);
    return object;
}

static struct json_object *
scan_json(const struct gr_scan *scan)
{
    struct json_object *object = json_object_new_object();

    json_object_object_add(object, "fallback", json_object_new_boolean(scan->is_fallback));
    json_object_object_add(object, "pass", json_object_new_int64((int64_t)scan->pass));
    put_time(object, "clock", scan->clock_us);
    json_object_object_add(object, "rows", json_object_new_int64(scan->staged_rows));
    json_object_object_add(object, "pages", json_object_new_int64(scan->pages));
    put_text(object, "cursor", scan->cursor);
    return object;
}

static struct json_object *
read_json(const struct gr_walk *walk)
{
    struct json_object *object = json_object_new_object();

    put_time(object, "floor", walk->floor_us);
    put_time(object, "since", walk->read_since_us);
    return object;
}

char *
gr_walk_state_json(const struct gr_walk *walk)
{
    const struct gr_span *reread = walk->is_reread ? &walk->span : &walk->reread;
    bool has_read = walk->read_since_us != GR_TIME_NONE;
    bool has_span = walk->span.is_open && !walk->is_reread;
    /* A scan into which reading once more has fallen back keeps a part of the rows only. */
    bool has_scan = walk->scan.is_active && !walk->is_reread;
    struct json_object *root;
    char *text;

    if (walk->is_backfill && !walk->is_reread)
        return walk->kept != NULL ? gr_strdup(walk->kept) : NULL;
    if (!has_span && !has_scan && !reread->is_open && !has_read)
        return NULL;
    root = json_object_new_object();
    if (has_span)
        json_object_object_add(root, "span", span_json(&walk->span));
    if (reread->is_open)
        json_object_object_add(root, "reread", span_json(reread));
    if (has_read)
        json_object_object_add(root, "read", read_json(walk));
    if (has_scan)
        json_object_object_add(root, "scan", scan_json(&walk->scan));
    text = gr_strdup(json_object_to_json_string_ext(root, JSON_C_TO_STRING_PLAIN));
    json_object_put(root);
    return text;
}
