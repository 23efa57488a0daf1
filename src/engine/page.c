/* page.c - the body of a response becomes rows and the facts that a walk wants. */
#include "gr/engine/page.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/time.h"
#include "gr/source/gorgias.h"

enum { ROWS_BETWEEN = 8 };

void
gr_page_free(struct gr_page *page)
{
    gr_free(page->next_cursor);
    gr_free(page->tuples);
    *page = (struct gr_page){0};
}

/* What the order proof wants: how values follow each other, and the ids of rows that share one. */
static void
note_place(struct gr_page *page, int64_t value_us, int64_t id)
{
    struct gr_page_facts *facts = &page->facts;

    if (value_us == GR_TIME_NONE)
        return;
    if (facts->first_us == GR_TIME_NONE) {
        facts->first_us = value_us;
        facts->first_id = id;
    } else if (value_us > facts->last_us) {
        facts->descends = false;
    } else if (value_us < facts->last_us) {
        facts->ascends = false;
    } else {
        facts->ids_rise |= id >= facts->last_id;
        facts->ids_fall |= id <= facts->last_id;
    }
    facts->last_us = value_us;
    facts->last_id = id;
    if (value_us > facts->max_us)
        facts->max_us = value_us;
}

static void
note_tuple(struct gr_page *page, const struct gr_row_facts *facts, size_t bytes)
{
    enum { STEP = 128 };

    if (page->wanted % STEP == 0)
        page->tuples =
            gr_realloc(page->tuples, (size_t)page->wanted + STEP, sizeof(page->tuples[0]));
    page->tuples[page->wanted++] =
        (struct gr_tuple){facts->key, facts->cursor_us, facts->hash, bytes};
}

static void
take_object(const struct gr_json_value *object, const struct gr_page_sink *sink,
            struct gr_page *page)
{
    size_t before = sink->rows->len;
    size_t rejects_before = sink->rejects->count;
    struct gr_row_facts facts;
    struct gr_error refused;

    page->facts.rows++;
    /* An object that is no row is kept among the rejects, and the others go on. */
    if (!gr_row_encode(sink->layout, object, sink->rows, &facts, sink->rejects, &refused)) {
        page->refused++;
        page->facts.refused++;
        return;
    }
    if (sink->parent != 0 && facts.parent != INT64_MIN && facts.parent != sink->parent)
        page->strangers++;
    note_place(page, facts.cursor_us, facts.key);
    if (sink->walk == NULL || gr_walk_wants(sink->walk, facts.cursor_us)) {
        note_tuple(page, &facts, sink->rows->len - before);
        return;
    }
    sink->rows->len = before;
    gr_rejects_cut(sink->rejects, rejects_before);
}

static bool
not_json(const struct gr_json_reader *reader, struct gr_error *err)
{
    return gr_fail(err, GR_FAULT_PAYLOAD, "the body is not JSON: %s at byte %zu", reader->failed,
                   reader->at);
}

static bool
take_rows(const struct gr_json_value *data, const struct gr_page_sink *sink, struct gr_page *page,
          struct gr_error *err)
{
    struct gr_json_reader inside;
    struct gr_json_value object;

    if (data->kind == GR_JSON_NULL) {
        (void)gr_fail(err, GR_FAULT_PAYLOAD, "the list's data is null");
        return gr_hint(err, "If it stays so, the key's role may lack the permission to read it.");
    }
    if (data->kind != GR_JSON_ARRAY)
        return gr_fail(err, GR_FAULT_PAYLOAD, "the list's data is not an array");
    inside = gr_json_inside(data);
    while (gr_json_element(&inside, &object)) {
        take_object(&object, sink, page);
        if (sink->between != NULL && page->facts.rows % ROWS_BETWEEN == 0)
            sink->between(sink->context);
    }
    if (inside.failed != NULL)
        return not_json(&inside, err);
    return page->strangers == 0 ||
           gr_fail(err, GR_FAULT_PAYLOAD, "the list has rows that were not asked for");
}

/* Whether a list that names no next page ends with this one. */
static bool
take_bare_array(const struct gr_json_value *data, const struct gr_page_sink *sink,
                struct gr_page *page, struct gr_error *err)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf limit = gr_buf_new(0);
    GR_CLEANUP(gr_buf_free) struct gr_buf cursor = gr_buf_new(0);

    if (!take_rows(data, sink, page, err))
        return false;
    if (sink->asked == NULL)
        return true;
    if (gr_gorgias_param(sink->asked, "cursor", &cursor))
        return gr_fail(err, GR_FAULT_PAYLOAD, "a bare array came as a list's further page");
    if (gr_gorgias_param(sink->asked, "limit", &limit) &&
        page->facts.rows == strtoll(gr_buf_text(&limit), NULL, 10))
        return gr_fail(err, GR_FAULT_PAYLOAD,
                       "a bare array of just as many rows as were asked for: whether the list ends "
                       "here is unknown");
    return true;
}

static bool
take_uri(const struct gr_json_value *uri, const struct gr_page_sink *sink, struct gr_error *err)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(65536);

    if (sink->asked == NULL || uri->kind != GR_JSON_STRING || gr_json_decode(uri, &text) != 0 ||
        gr_gorgias_is_answer(gr_buf_text(&text), sink->asked))
        return true;
    return gr_fail(err, GR_FAULT_PAYLOAD, "the list answers another request: %s",
                   gr_buf_text(&text));
}

/* meta.next_cursor: null, missing or "" is the last page. */
static bool
take_meta(const struct gr_json_value *meta, struct gr_page *page, struct gr_error *err)
{
    struct gr_json_reader inside;
    struct gr_json_value name, value;

    if (meta->kind != GR_JSON_OBJECT)
        return gr_fail(err, GR_FAULT_PAYLOAD, "the list's meta is not an object");
    inside = gr_json_inside(meta);
    while (gr_json_member(&inside, &name, &value)) {
        GR_CLEANUP(gr_buf_free) struct gr_buf cursor = gr_buf_new(65536);

        if (!gr_json_is(&name, "next_cursor") || value.kind == GR_JSON_NULL)
            continue;
        if (value.kind != GR_JSON_STRING || gr_json_decode(&value, &cursor) != 0)
            return gr_fail(err, GR_FAULT_PAYLOAD, "the list's next_cursor is not a text");
        gr_free(page->next_cursor);
        page->next_cursor = cursor.len > 0 ? gr_buf_take(&cursor) : NULL;
    }
    return true;
}

static bool
take_envelope(const struct gr_json_value *whole, const struct gr_page_sink *sink,
              struct gr_page *page, struct gr_error *err)
{
    struct gr_json_reader inside = gr_json_inside(whole);
    struct gr_json_value name, value;
    bool has_data = false, has_meta = false;

    while (gr_json_member(&inside, &name, &value)) {
        if (gr_json_is(&name, "data")) {
            if (has_data)
                return gr_fail(err, GR_FAULT_PAYLOAD, "the list has data twice");
            has_data = true;
            if (!take_rows(&value, sink, page, err))
                return false;
        } else if (gr_json_is(&name, "meta")) {
            if (has_meta)
                return gr_fail(err, GR_FAULT_PAYLOAD, "the list has meta twice");
            has_meta = true;
            if (!take_meta(&value, page, err))
                return false;
        } else if (gr_json_is(&name, "uri") && !take_uri(&value, sink, err)) {
            return false;
        }
    }
    if (!has_data)
        return gr_fail(err, GR_FAULT_PAYLOAD, "the body is not a list: it has no data");
    if (!has_meta)
        return gr_fail(err, GR_FAULT_PAYLOAD,
                       "the list has no meta: whether it ends here is unknown");
    return true;
}

static bool
find_member(const struct gr_json_value *object, const char *name, struct gr_json_value *out)
{
    struct gr_json_reader inside;
    struct gr_json_value key, value;
    bool is_found = false;

    if (name == NULL || object->kind != GR_JSON_OBJECT)
        return false;
    inside = gr_json_inside(object);
    while (gr_json_member(&inside, &key, &value)) {
        if (!gr_json_is(&key, name))
            continue;
        *out = value;
        is_found = true;
    }
    return is_found;
}

static int64_t
last_value_us(const struct gr_json_value *data, const char *field)
{
    struct gr_json_reader inside = gr_json_inside(data);
    struct gr_json_value object = {.kind = GR_JSON_NULL};
    struct gr_json_value value;
    int64_t us;

    while (gr_json_element(&inside, &object))
        continue;
    if (!find_member(&object, field, &value) || value.kind != GR_JSON_STRING ||
        !gr_time_parse(value.start + 1, value.len - 2, &us))
        return GR_TIME_NONE;
    return us;
}

/* On tape the end of the page is a few steps away; reading its rows takes as long as the source
   takes for the next ones. */
static void
foresee(const struct gr_json_value *whole, const struct gr_page_sink *sink)
{
    GR_CLEANUP(gr_page_free) struct gr_page page = {0};
    struct gr_json_value data, meta;
    struct gr_error ignored;

    if (sink->foresee == NULL || whole->entry == NULL || !find_member(whole, "data", &data) ||
        data.kind != GR_JSON_ARRAY || !find_member(whole, "meta", &meta) ||
        !take_meta(&meta, &page, &ignored) || page.next_cursor == NULL)
        return;
    sink->foresee(sink->context, page.next_cursor, last_value_us(&data, sink->cursor_field));
}

static struct gr_page
empty_page(void)
{
    return (struct gr_page){.facts = {.first_us = GR_TIME_NONE,
                                      .last_us = GR_TIME_NONE,
                                      .max_us = GR_TIME_NONE,
                                      .descends = true,
                                      .ascends = true,
                                      .clock_us = GR_TIME_NONE,
                                      .local_clock_us = GR_TIME_NONE}};
}

/* Reads `body` as one value, and undoes everything if the page cannot be taken. */
static bool
take_body(const char *body, size_t len, const struct gr_page_sink *sink, struct gr_page *page,
          bool is_list, struct gr_error *err)
{
    size_t rows_before = sink->rows->len;
    size_t rejects_before = sink->rejects->count;
    struct gr_json_reader reader = gr_json_open_taped(body, len, sink->tape);
    struct gr_json_value whole;
    bool ok;

    *page = empty_page();
    if (!gr_json_value(&reader, &whole) || !gr_json_end(&reader))
        return not_json(&reader, err);
    if (!is_list && whole.kind == GR_JSON_OBJECT) {
        take_object(&whole, sink, page);
        ok = page->refused == 0 ||
             gr_fail(err, GR_FAULT_PAYLOAD, "the body is an object without its key");
    } else if (is_list && whole.kind == GR_JSON_OBJECT) {
        foresee(&whole, sink);
        ok = take_envelope(&whole, sink, page, err);
    } else if (is_list && whole.kind == GR_JSON_ARRAY) {
        ok = take_bare_array(&whole, sink, page, err);
    } else {
        ok = gr_fail(err, GR_FAULT_PAYLOAD, "the body is not %s", is_list ? "a list" : "an object");
    }
    if (ok && sink->rows->failed != NULL)
        ok = gr_fail(err, GR_FAULT_PAYLOAD, "the page's rows are %s", sink->rows->failed);
    if (!ok) {
        sink->rows->len = rows_before;
        gr_rejects_cut(sink->rejects, rejects_before);
        gr_page_free(page);
        return false;
    }
    page->facts.next_cursor = page->next_cursor;
    return true;
}

bool
gr_page_list(const char *body, size_t len, const struct gr_page_sink *sink, struct gr_page *page,
             struct gr_error *err)
{
    return take_body(body, len, sink, page, true, err);
}

bool
gr_page_object(const char *body, size_t len, const struct gr_page_sink *sink, struct gr_page *page,
               struct gr_error *err)
{
    return take_body(body, len, sink, page, false, err);
}

bool
gr_page_is_object(const char *body, size_t len, const char *field, int64_t key,
                  struct gr_error *err)
{
    struct gr_json_reader reader = gr_json_open(body, len);
    struct gr_json_reader inside;
    struct gr_json_value whole, name, value;
    char wanted[32];

    if (!gr_json_value(&reader, &whole) || !gr_json_end(&reader))
        return not_json(&reader, err);
    if (whole.kind != GR_JSON_OBJECT)
        return gr_fail(err, GR_FAULT_PAYLOAD, "the body is not an object");
    (void)snprintf(wanted, sizeof(wanted), "%" PRId64, key);
    inside = gr_json_inside(&whole);
    while (gr_json_member(&inside, &name, &value))
        if (gr_json_is(&name, field) && value.kind == GR_JSON_NUMBER &&
            value.len == strlen(wanted) && memcmp(value.start, wanted, value.len) == 0)
            return true;
    return gr_fail(err, GR_FAULT_PAYLOAD, "the body is another object than %s %s", field, wanted);
}
