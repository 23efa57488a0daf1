/* row.c - one API object becomes one row of binary COPY. */
#include "gr/codec/row.h"

#include <stdlib.h>
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/utf8.h"
#include "gr/codec/copybinary.h"
#include "gr/codec/fingerprint.h"
#include "gr/codec/hash.h"

enum { BUCKETS_MIN = 4096, NO_FIELD = UINT16_MAX };

enum role {
    ROLE_COLUMN,  /* one column or more have it as their field          */
    ROLE_IGNORED, /* left out by `select`                               */
    ROLE_OPENED,  /* only its own fields are columns                    */
    ROLE_UNKNOWN  /* goes to _extra; kept here so as to be known again  */
};

/* A member name that was seen or is awaited. */
struct field {
    const char *name; /* decoded; in the layout's arena. Of a nested one all names from the
                         outermost on, each but the last with a zero byte behind it, which
                         no name of the API can hold: customer\0id is not customer__id     */
    size_t len;
    uint64_t hash; /* of the name                               */
    enum role role;
    bool is_hashed; /* it takes part in the fingerprint          */
    size_t next;    /* the field that came after it last time    */
};

/* A nested value whose fields are columns. */
struct opened {
    size_t field;              /* its own index                                            */
    const char *shown;         /* source__from: what its unknown fields begin with in _extra */
    struct gr_json_value name; /* the same as a member's name, in quotes           */
    bool is_kept;              /* a column has it as a whole, so no field of it is lost    */
    size_t first;              /* the field that came first in it last time                */
};

/* A member that no column takes. */
struct unknown {
    struct gr_json_value name;
    struct gr_json_value value;
    const struct opened *within; /* what it is a field of, or NULL           */
    bool is_nested;              /* not itself a member of the API's object  */
    uint64_t hash;               /* of the name, which it stands for          */
    size_t position;
    bool is_replaced; /* one of the same name comes later          */
};

struct gr_row_layout {
    const struct gr_plan_stream *stream; /* borrowed                                        */
    struct gr_arena *arena;              /* owned; all arrays but `unknowns`                */
    struct field *fields;                /* columns' and ignored ones first, then unknown   */
    size_t field_count;
    size_t awaited_count; /* fields that have a slot                         */
    size_t field_max;
    size_t first;      /* the field that came first last time             */
    uint16_t *buckets; /* by hash of the name: index of a field           */
    size_t bucket_mask;
    struct gr_json_value *slots; /* what this object has for each awaited field;
                                    start is NULL where it has nothing              */
    size_t *column_fields;       /* for each column                                 */
    size_t copies_max;           /* columns that have the same bytes, at most       */
    struct opened *opened;       /* outer ones before inner ones                    */
    size_t opened_count;
    uint64_t nested_hash; /* which fields of nested values are columns; 0: none          */
    size_t opened_bytes;  /* by which the names of this object's unknown fields grow in _extra */
    size_t parent_field;  /* or SIZE_MAX                                     */
    struct unknown *unknowns; /* owned; of this object                           */
    size_t unknown_count;
    size_t unknown_cap;
    struct gr_buf name;     /* owned; a name that had to be decoded            */
    struct gr_copy_out out; /* owned                                           */
    gr_row_new_field *on_new_field;
    void *context;
};

/* Fields, and how they are found. */

static size_t
bucket_of(const struct gr_row_layout *layout, uint64_t hash, const char *name, size_t len)
{
    size_t bucket = (size_t)hash & layout->bucket_mask;

    while (layout->buckets[bucket] != NO_FIELD) {
        const struct field *field = &layout->fields[layout->buckets[bucket]];

        if (field->hash == hash && field->len == len && memcmp(field->name, name, len) == 0)
            break;
        bucket = (bucket + 1) & layout->bucket_mask;
    }
    return bucket;
}

/* The index of the field of that name, which is made if there is none yet. */
static size_t
add_field(struct gr_row_layout *layout, const char *name, size_t len, enum role role)
{
    uint64_t hash = gr_hash(0, name, len);
    size_t bucket = bucket_of(layout, hash, name, len);
    size_t index = layout->field_count;

    if (layout->buckets[bucket] != NO_FIELD)
        return layout->buckets[bucket];
    layout->fields[index] = (struct field){
        .name = gr_arena_strndup(layout->arena, name, len),
        .len = len,
        .hash = hash,
        .role = role,
        .is_hashed = role != ROLE_IGNORED,
        .next = index + 1,
    };
    layout->buckets[bucket] = (uint16_t)index;
    layout->field_count++;
    return index;
}

/* The name of a column's field, from the outermost value on. */
static void
put_path(const struct gr_column *column, struct gr_buf *path)
{
    if (column->within == NULL) {
        gr_buf_puts(path, column->field);
        return;
    }
    put_path(column->within, path);
    gr_buf_putc(path, '\0');
    gr_buf_puts(path, column->member);
}

static size_t
add_column(struct gr_row_layout *layout, const struct gr_column *column, enum role role)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf path = gr_buf_new(0);
    size_t index;

    put_path(column, &path);
    index = add_field(layout, gr_buf_text(&path), path.len, role);
    /* What holds a nested value speaks for it. */
    layout->fields[index].is_hashed &= column->within == NULL && !column->is_volatile;
    return index;
}

static void
add_columns(struct gr_row_layout *layout)
{
    const struct gr_plan_stream *stream = layout->stream;
    GR_CLEANUP(gr_free_var) size_t *copies = gr_alloc(stream->column_count, sizeof(*copies));

    for (size_t c = 0; c < stream->column_count; c++) {
        const struct gr_column *column = &stream->columns[c];
        size_t index = add_column(layout, column, ROLE_COLUMN);

        layout->column_fields[c] = index;
        copies[index]++;
        if (copies[index] > layout->copies_max)
            layout->copies_max = copies[index];
    }
}

/* Opens a value that holds nested columns, and before it those that hold it. What the schema knows
   of it and no column takes is left out; the rest of its fields is unknown. */
static const struct opened *
open_value(struct gr_row_layout *layout, const struct gr_column *value)
{
    const struct opened *outer = value->within == NULL ? NULL : open_value(layout, value->within);
    size_t index = add_column(layout, value, ROLE_OPENED);
    struct opened *opened = &layout->opened[layout->opened_count];

    for (size_t i = 0; i < layout->opened_count; i++)
        if (layout->opened[i].field == index)
            return &layout->opened[i];
    layout->opened_count++;
    *opened = (struct opened){
        .field = index,
        .shown = value->field,
        .name = {.kind = GR_JSON_STRING,
                 .start = gr_arena_printf(layout->arena, "\"%s\"", value->field),
                 .len = strlen(value->field) + 2},
        .is_kept = layout->fields[index].role == ROLE_COLUMN || (outer != NULL && outer->is_kept),
        .first = SIZE_MAX,
    };
    for (size_t i = 0; i < value->field_count; i++)
        (void)add_column(layout, &value->fields[i], ROLE_IGNORED);
    return opened;
}

/* Values that are opened, at most. */
static size_t
opened_max(const struct gr_plan_stream *stream)
{
    size_t count = 0;

    for (size_t c = 0; c < stream->column_count; c++)
        for (const struct gr_column *at = stream->columns[c].within; at != NULL; at = at->within)
            count++;
    return count;
}

/* Fields that the schema knows in them. */
static size_t
opened_fields_max(const struct gr_plan_stream *stream)
{
    size_t count = 0;

    for (size_t c = 0; c < stream->column_count; c++)
        for (const struct gr_column *at = stream->columns[c].within; at != NULL; at = at->within)
            count += at->field_count;
    return count;
}

/* What a table has of nested values is a part of the fingerprint: a column that comes back would
   otherwise keep what it had in rows that look unchanged. */
static void
hash_nested(struct gr_row_layout *layout)
{
    const struct gr_plan_stream *stream = layout->stream;

    for (size_t c = 0; c < stream->column_count; c++)
        if (stream->columns[c].within != NULL)
            layout->nested_hash += layout->fields[layout->column_fields[c]].hash;
    for (size_t i = 0; i < layout->opened_count; i++)
        if (!layout->opened[i].is_kept)
            layout->nested_hash += 2 * layout->fields[layout->opened[i].field].hash + 1;
}

static void
open_values(struct gr_row_layout *layout)
{
    const struct gr_plan_stream *stream = layout->stream;

    for (size_t c = 0; c < stream->column_count; c++)
        if (stream->columns[c].within != NULL)
            (void)open_value(layout, stream->columns[c].within);
    layout->copies_max += layout->opened_count;
    hash_nested(layout);
}

static void
find_parent(struct gr_row_layout *layout)
{
    const struct gr_schema *schema = layout->stream->schema;
    const char *name = schema == NULL ? NULL : schema->parent_key;

    layout->parent_field = SIZE_MAX;
    if (name != NULL)
        layout->parent_field = add_field(layout, name, strlen(name), ROLE_IGNORED);
}

static void
add_fields(struct gr_row_layout *layout)
{
    add_columns(layout);
    for (size_t i = 0; i < layout->stream->ignored_count; i++) {
        const char *name = layout->stream->ignored_fields[i];

        (void)add_field(layout, name, strlen(name), ROLE_IGNORED);
    }
    find_parent(layout);
    open_values(layout);
    layout->awaited_count = layout->field_count;
}

struct gr_row_layout *
gr_row_layout_new(const struct gr_plan_stream *stream)
{
    struct gr_row_layout *layout = gr_alloc(1, sizeof(*layout));
    size_t most_opened = opened_max(stream);
    size_t awaited_max =
        stream->column_count + stream->ignored_count + 1 + most_opened + opened_fields_max(stream);
    size_t buckets = BUCKETS_MIN;

    layout->stream = stream;
    layout->arena = gr_arena_new();
    layout->field_max = awaited_max + GR_ROW_NAMES_MAX;
    while (buckets < 2 * layout->field_max)
        buckets *= 2;
    layout->bucket_mask = buckets - 1;
    layout->buckets = gr_arena_alloc(layout->arena, buckets, sizeof(layout->buckets[0]));
    memset(layout->buckets, 0xFF, buckets * sizeof(layout->buckets[0]));
    layout->fields = gr_arena_alloc(layout->arena, layout->field_max, sizeof(layout->fields[0]));
    layout->slots = gr_arena_alloc(layout->arena, awaited_max, sizeof(layout->slots[0]));
    layout->opened = gr_arena_alloc(layout->arena, most_opened, sizeof(layout->opened[0]));
    layout->column_fields =
        gr_arena_alloc(layout->arena, stream->column_count, sizeof(layout->column_fields[0]));
    add_fields(layout);
    return layout;
}

void
gr_row_layout_free(struct gr_row_layout *layout)
{
    if (layout == NULL)
        return;
    gr_buf_free(&layout->name);
    gr_copy_out_free(&layout->out);
    gr_free(layout->unknowns);
    gr_arena_free(layout->arena);
    gr_free(layout);
}

void
gr_row_on_new_field(struct gr_row_layout *layout, gr_row_new_field *call, void *context)
{
    layout->on_new_field = call;
    layout->context = context;
}

/* First step: members into slots and unknowns. */

/* What the object has for a field, or NULL. */
static const struct gr_json_value *
slot(const struct gr_row_layout *layout, size_t index)
{
    return layout->slots[index].start == NULL ? NULL : &layout->slots[index];
}

static struct unknown *
add_unknown(struct gr_row_layout *layout, const struct gr_json_value *name,
            const struct gr_json_value *value, uint64_t hash)
{
    struct unknown *added;

    if (layout->unknown_count == layout->unknown_cap) {
        layout->unknown_cap = layout->unknown_cap == 0 ? 16 : 2 * layout->unknown_cap;
        layout->unknowns =
            gr_realloc(layout->unknowns, layout->unknown_cap, sizeof(layout->unknowns[0]));
    }
    added = &layout->unknowns[layout->unknown_count];
    *added = (struct unknown){
        .name = *name,
        .value = *value,
        .hash = hash,
        .position = layout->unknown_count,
    };
    layout->unknown_count++;
    return added;
}

/* A name as the table would have it: source__from where two names are parted by a zero byte. */
static void
tell_new_field(const struct gr_row_layout *layout, const struct field *field)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf shown = gr_buf_new(0);

    if (layout->on_new_field == NULL)
        return;
    for (size_t i = 0; i < field->len; i++) {
        if (field->name[i] == '\0')
            gr_buf_puts(&shown, GR_NESTED_JOIN);
        else
            gr_buf_putc(&shown, field->name[i]);
    }
    layout->on_new_field(layout->context, gr_buf_text(&shown));
}

/* The index of the field of a name that has not been guessed, or SIZE_MAX when it is unknown and no
   more names are remembered. Of a long name only the beginning is. */
static size_t
look_up(struct gr_row_layout *layout, const char *name, size_t len, uint64_t *hash_out)
{
    size_t known_len = gr_utf8_cut(name, len, GR_ROW_NAME_BYTES);
    size_t bucket;
    size_t index;

    *hash_out = gr_hash(0, name, len);
    bucket = bucket_of(layout, gr_hash(0, name, known_len), name, known_len);
    if (layout->buckets[bucket] != NO_FIELD && known_len < len &&
        layout->buckets[bucket] < layout->awaited_count)
        return SIZE_MAX;
    if (layout->buckets[bucket] != NO_FIELD)
        return layout->buckets[bucket];
    if (layout->field_count - layout->awaited_count == GR_ROW_NAMES_MAX)
        return SIZE_MAX;
    index = add_field(layout, name, known_len, ROLE_UNKNOWN);
    tell_new_field(layout, &layout->fields[index]);
    return index;
}

/* True if the field of that index, which came here last time, has that name. */
static inline bool
is_named(const struct gr_row_layout *layout, size_t index, const char *name, size_t len)
{
    return index < layout->field_count && layout->fields[index].len == len &&
           memcmp(layout->fields[index].name, name, len) == 0;
}

/* A place for the value of that name; returns the field, or SIZE_MAX. `guess` is the field that
   came here last time. */
static size_t
place_member(struct gr_row_layout *layout, size_t guess, const struct gr_json_value *name,
             const struct gr_json_value *value)
{
    const char *bytes = name->start + 1;
    size_t len = name->len - 2;
    size_t index = guess;
    uint64_t hash = 0;

    if (name->flags != 0) {
        gr_buf_reset(&layout->name);
        (void)gr_json_decode(name, &layout->name);
        bytes = gr_buf_text(&layout->name);
        len = layout->name.len;
    }
    if (is_named(layout, guess, bytes, len))
        hash = layout->fields[guess].hash;
    else
        index = look_up(layout, bytes, len, &hash);
    if (index < layout->awaited_count)
        layout->slots[index] = *value;
    else
        (void)add_unknown(layout, name, value, hash);
    return index;
}

static void
add_nested_unknown(struct gr_row_layout *layout, const struct opened *within,
                   const struct gr_json_value *name, const struct gr_json_value *value,
                   uint64_t hash)
{
    struct unknown *added = add_unknown(layout, name, value, hash);

    added->is_nested = true;
    added->within = within;
    layout->opened_bytes += name->len + (within == NULL ? 0 : within->name.len);
}

/* The index of an awaited field of that name, or SIZE_MAX. */
static size_t
find_awaited(const struct gr_row_layout *layout, const char *name, size_t len)
{
    size_t index = layout->buckets[bucket_of(layout, gr_hash(0, name, len), name, len)];

    return index < layout->awaited_count ? index : SIZE_MAX;
}

/* The same for a field of a value that is opened. What a column has as a whole holds nothing new.
 */
static size_t
place_nested(struct gr_row_layout *layout, const struct opened *within, size_t guess,
             const struct gr_json_value *name, const struct gr_json_value *value)
{
    const struct field *outer = &layout->fields[within->field];
    struct gr_buf *path = &layout->name;
    size_t index = guess;
    uint64_t hash = 0;

    gr_buf_reset(path);
    gr_buf_put(path, outer->name, outer->len);
    gr_buf_putc(path, '\0');
    (void)gr_json_decode(name, path);
    if (is_named(layout, guess, gr_buf_text(path), path->len))
        hash = layout->fields[guess].hash;
    else if (within->is_kept)
        index = find_awaited(layout, gr_buf_text(path), path->len);
    else
        index = look_up(layout, gr_buf_text(path), path->len, &hash);
    if (index < layout->awaited_count)
        layout->slots[index] = *value;
    else if (!within->is_kept)
        add_nested_unknown(layout, within, name, value, hash);
    return index;
}

static void
gather_nested(struct gr_row_layout *layout, struct opened *within,
              const struct gr_json_value *object)
{
    struct gr_json_reader reader = gr_json_inside(object);
    struct gr_json_value name, value;
    size_t *guess = &within->first;

    while (gr_json_member(&reader, &name, &value)) {
        size_t index = place_nested(layout, within, *guess, &name, &value);

        if (index == SIZE_MAX)
            continue;
        *guess = index;
        guess = &layout->fields[index].next;
    }
}

/* Fields of opened values into slots, too. What should be an object and is none has no fields: it
   is kept as it is under its own name. */
static void
gather_opened(struct gr_row_layout *layout)
{
    layout->opened_bytes = 0;
    for (size_t i = 0; i < layout->opened_count; i++) {
        struct opened *opened = &layout->opened[i];
        const struct gr_json_value *value = slot(layout, opened->field);

        if (value == NULL || value->kind == GR_JSON_NULL)
            continue;
        if (value->kind == GR_JSON_OBJECT)
            gather_nested(layout, opened, value);
        else if (!opened->is_kept)
            add_nested_unknown(layout, NULL, &opened->name, value,
                               layout->fields[opened->field].hash);
    }
}

static int
compare_by_hash(const void *left, const void *right)
{
    const struct unknown *a = left;
    const struct unknown *b = right;

    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return a->position < b->position ? -1 : 1;
}

static int
compare_by_position(const void *left, const void *right)
{
    const struct unknown *a = left;
    const struct unknown *b = right;

    return a->position < b->position ? -1 : 1;
}

/* Marks all but the last of those that have the same name. */
static void
mark_replaced(struct gr_row_layout *layout)
{
    struct unknown *items = layout->unknowns;
    size_t count = layout->unknown_count;

    if (count < 2)
        return;
    qsort(items, count, sizeof(items[0]), compare_by_hash);
    for (size_t i = 0; i + 1 < count; i++)
        items[i].is_replaced = items[i].hash == items[i + 1].hash;
    qsort(items, count, sizeof(items[0]), compare_by_position);
}

static void
gather(struct gr_row_layout *layout, const struct gr_json_value *object)
{
    struct gr_json_reader reader = gr_json_inside(object);
    struct gr_json_value name, value;
    size_t *guess = &layout->first;

    for (size_t i = 0; i < layout->awaited_count; i++)
        layout->slots[i].start = NULL;
    layout->unknown_count = 0;
    while (gr_json_member(&reader, &name, &value)) {
        size_t index = place_member(layout, *guess, &name, &value);

        if (index == SIZE_MAX)
            continue;
        *guess = index;
        guess = &layout->fields[index].next;
    }
    if (layout->opened_count > 0)
        gather_opened(layout);
    mark_replaced(layout);
}

/* Second step: slots into fields of the tuple. */

/* The row's key as text; gives. */
static char *
key_text(const struct gr_row_layout *layout)
{
    struct gr_buf text = gr_buf_new(0);

    for (size_t c = 0; c < layout->stream->key_count; c++) {
        const struct gr_json_value *value = slot(layout, layout->column_fields[c]);

        if (c > 0)
            gr_buf_putc(&text, ',');
        if (value != NULL && value->kind == GR_JSON_STRING)
            (void)gr_json_decode(value, &text);
        else if (value != NULL)
            gr_json_storable(value, &text);
    }
    return gr_buf_take(&text);
}

/* The key column that is null, or NULL when all columns are there and have been written. */
static const struct gr_column *
put_columns(struct gr_row_layout *layout, struct gr_row_facts *facts, struct gr_rejects *rejects)
{
    const struct gr_plan_stream *stream = layout->stream;
    struct gr_copy_out *out = &layout->out;

    for (size_t c = 0; c < stream->column_count; c++) {
        const struct gr_column *column = &stream->columns[c];
        const struct gr_json_value *value = slot(layout, layout->column_fields[c]);
        const char *reason = gr_copy_value(out, column->type, value);

        if (c < stream->key_count && out->is_null)
            return column;
        if (reason != NULL)
            gr_rejects_add(rejects, key_text(layout), column->name, reason, value->start,
                           value->len);
        if (c == 0 && stream->key_count > 0 && column->type == GR_TYPE_BIGINT)
            facts->key = out->number;
        if (stream->cursor_column >= 0 && c == (size_t)stream->cursor_column)
            facts->cursor_us = out->number;
    }
    return NULL;
}

/* The parent's key is wanted also where no column has it. */
static int64_t
parent_key(const struct gr_row_layout *layout)
{
    char room[GR_COPY_FIXED_BYTES];
    struct gr_copy_out out = {.at = room};

    if (layout->parent_field == SIZE_MAX)
        return INT64_MIN;
    (void)gr_copy_value(&out, GR_TYPE_BIGINT, slot(layout, layout->parent_field));
    gr_copy_out_free(&out);
    return out.number;
}

static uint64_t
fingerprint(struct gr_row_layout *layout)
{
    struct gr_buf *scratch = &layout->out.scratch;
    uint64_t sum = layout->nested_hash;

    for (size_t i = 0; i < layout->awaited_count; i++) {
        const struct field *field = &layout->fields[i];
        const struct gr_json_value *value = slot(layout, i);

        if (value != NULL && field->is_hashed)
            sum += gr_fingerprint(field->hash, value, scratch);
    }
    for (size_t i = 0; i < layout->unknown_count; i++) {
        const struct unknown *unknown = &layout->unknowns[i];

        if (!unknown->is_replaced && !unknown->is_nested)
            sum += gr_fingerprint(unknown->hash, &unknown->value, scratch);
    }
    return sum;
}

/* customer__foo, in quotes and storable if that is asked for. */
static void
put_unknown_name(const struct unknown *unknown, bool is_storable, struct gr_buf *text)
{
    size_t joint = text->len;

    if (unknown->within != NULL) {
        /* All but the last byte of the join, whose place the name's quote takes. */
        gr_buf_printf(text, "\"%s%.*s", unknown->within->shown, (int)sizeof(GR_NESTED_JOIN) - 2,
                      GR_NESTED_JOIN);
        joint = text->len;
    }
    if (is_storable)
        gr_json_storable(&unknown->name, text);
    else
        gr_buf_put(text, unknown->name.start, unknown->name.len);
    if (unknown->within != NULL && text->failed == NULL)
        text->data[joint] = GR_NESTED_JOIN[sizeof(GR_NESTED_JOIN) - 2];
}

static void
reject_unknown(const struct gr_row_layout *layout, const struct unknown *unknown,
               const char *reason, struct gr_rejects *rejects)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf member = gr_buf_new(0);

    gr_buf_putc(&member, '{');
    put_unknown_name(unknown, false, &member);
    gr_buf_putc(&member, ':');
    gr_buf_put(&member, unknown->value.start, unknown->value.len);
    gr_buf_putc(&member, '}');
    gr_rejects_add(rejects, key_text(layout), "_extra", reason, gr_buf_text(&member), member.len);
}

static void
put_extra(struct gr_row_layout *layout, struct gr_rejects *rejects)
{
    struct gr_buf *text = &layout->out.scratch;

    if (layout->unknown_count == 0) {
        gr_copy_null(&layout->out);
        return;
    }
    gr_buf_reset(text);
    for (size_t i = 0; i < layout->unknown_count; i++) {
        const struct unknown *unknown = &layout->unknowns[i];
        const char *reason = gr_copy_unstorable(unknown->name.flags | unknown->value.flags);

        /* Also where its name, made storable, is that of another. */
        if (reason != NULL)
            reject_unknown(layout, unknown, reason, rejects);
        if (unknown->is_replaced)
            continue;
        gr_buf_putc(text, text->len == 0 ? '{' : ',');
        put_unknown_name(unknown, true, text);
        gr_buf_putc(text, ':');
        gr_json_storable(&unknown->value, text);
    }
    gr_buf_putc(text, '}');
    gr_copy_nested(&layout->out, gr_buf_text(text), text->len);
}

/* No tuple of the object is longer. */
static size_t
tuple_bytes_max(const struct gr_row_layout *layout, const struct gr_json_value *object)
{
    size_t growth = (object->flags & GR_JSON_UNSTORABLE) != 0 ? GR_COPY_GROWTH : 1;

    return 2 + (layout->stream->column_count + 2) * GR_COPY_FIXED_BYTES +
           (layout->copies_max + 1) * growth * object->len + growth * layout->opened_bytes;
}

/* A whole object is rejected: always false. Takes `key`. */
static bool
refuse(const struct gr_json_value *object, char *key, const char *reason,
       struct gr_rejects *rejects)
{
    gr_rejects_add(rejects, key, NULL, reason, object->start, object->len);
    return false;
}

/* Gives back what was counted in from `len` on. */
static void
cut_back(struct gr_buf *copy, size_t len)
{
    copy->len = len;
    copy->data[len] = '\0';
}

bool
gr_row_encode(struct gr_row_layout *layout, const struct gr_json_value *object, struct gr_buf *copy,
              struct gr_row_facts *facts, struct gr_rejects *rejects, struct gr_error *err)
{
    struct gr_row_facts found = {0, INT64_MIN, INT64_MIN, 0};
    const struct gr_column *missing;
    size_t before = copy->len;

    if (object->kind != GR_JSON_OBJECT) {
        (void)gr_fail(err, GR_FAULT_PAYLOAD, "a row that is not an object");
        return refuse(object, gr_strdup(""), "not an object", rejects);
    }
    gather(layout, object);
    layout->out.at = gr_buf_extend(copy, tuple_bytes_max(layout, object));
    if (layout->out.at == NULL) {
        (void)gr_fail(err, GR_FAULT_PAYLOAD, "a row of %zu bytes does not fit", object->len);
        return refuse(object, key_text(layout), "too large", rejects);
    }
    gr_copy_int16(&layout->out, (int16_t)(layout->stream->column_count + 2));
    missing = put_columns(layout, &found, rejects);
    if (missing != NULL) {
        cut_back(copy, before);
        (void)gr_fail(err, GR_FAULT_PAYLOAD, "object without its key \"%s\"", missing->field);
        return refuse(object, gr_strdup(""), "without its key", rejects);
    }
    found.parent = parent_key(layout);
    found.hash = (int64_t)fingerprint(layout);
    gr_copy_bigint(&layout->out, found.hash);
    put_extra(layout, rejects);
    cut_back(copy, (size_t)(layout->out.at - copy->data));
    *facts = found;
    return true;
}

void
gr_row_set_typed(struct gr_row_layout *layout, bool is_typed)
{
    layout->out.is_typed = is_typed;
}
