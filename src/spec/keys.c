/* keys.c - primary_key, update_key and table_keys against a stream's columns. */
#include <string.h>
#include <strings.h>

#include "gr/spec/columns.h"
#include "gr/spec/field.h"
#include "gr/spec/names.h"

/* A stream's table_keys under way. */
struct indexes {
    const struct gr_stream_entry *entry;
    struct gr_notes *notes;
    struct gr_arena *arena;
    bool is_own; /* the stream itself says it, not the defaults or a wildcard */
    struct gr_error *err;
};

/* The column of the table that `name` means, by its own name or by the field's. */
static const struct gr_column *
find_column(const struct gr_plan_stream *stream, const char *name)
{
    for (size_t i = 0; i < stream->column_count; i++)
        if (strcmp(stream->columns[i].name, name) == 0)
            return &stream->columns[i];
    for (size_t i = 0; i < stream->column_count; i++)
        if (strcasecmp(stream->columns[i].field, name) == 0)
            return &stream->columns[i];
    return NULL;
}

static bool
is_the_key(const struct gr_plan_stream *stream, const struct gr_texts *names)
{
    if (names->count != stream->key_count)
        return false;
    for (size_t i = 0; i < names->count; i++) {
        const struct gr_column *column = find_column(stream, names->items[i]);

        if (column == NULL || !column->is_key)
            return false;
        for (size_t j = 0; j < i; j++)
            if (find_column(stream, names->items[j]) == column)
                return false;
    }
    return true;
}

static const char *
key_names(const struct gr_plan_stream *stream, struct gr_arena *arena)
{
    const char **names = gr_arena_alloc(arena, stream->key_count, sizeof(names[0]));

    for (size_t i = 0; i < stream->key_count; i++)
        names[i] = stream->columns[i].name;
    return gr_name_list(arena, names, stream->key_count);
}

/* A name that is no column is a mistake where the stream itself says it. */
static bool
check_names(const struct gr_stream_entry *entry, const struct gr_plan_stream *stream,
            const struct gr_yaml_node *at, const char *what, const struct gr_texts *names,
            struct gr_arena *arena, struct gr_error *err)
{
    for (size_t i = 0; i < names->count; i++)
        if (find_column(stream, names->items[i]) == NULL &&
            gr_schema_column(stream->schema, names->items[i]) < 0)
            return gr_columns_fail(entry, at, what, names->items[i], arena, err);
    return true;
}

/* Every endpoint has its key. Another is no mistake, but it is not used. */
static bool
check_primary_key(const struct gr_stream_entry *entry, struct gr_notes *notes,
                  struct gr_arena *arena, const struct gr_plan_stream *stream, struct gr_error *err)
{
    const struct gr_yaml_node *at = gr_stream_entry_at(entry, NULL, "primary_key");

    if (entry->primary_key.count == 0 || is_the_key(stream, &entry->primary_key))
        return true;
    if (gr_stream_entry_says(entry, "primary_key") &&
        !check_names(entry, stream, at, "primary_key", &entry->primary_key, arena, err))
        return false;
    gr_notes_add(notes, at, "primary_key is not used for stream \"%s\", whose key is [%s]",
                 stream->name, key_names(stream, arena));
    return true;
}

static bool
check_update_key(const struct gr_stream_entry *entry, struct gr_notes *notes,
                 struct gr_arena *arena, const struct gr_plan_stream *stream, struct gr_error *err)
{
    const struct gr_yaml_node *at = gr_stream_entry_at(entry, NULL, "update_key");
    const struct gr_column *cursor =
        stream->cursor_column >= 0 ? &stream->columns[stream->cursor_column] : NULL;
    const struct gr_texts names = {.items = &entry->update_key, .count = 1};
    bool is_said = gr_stream_entry_says(entry, "update_key");

    if (entry->update_key == NULL || (cursor == NULL && !is_said))
        return true;
    if (cursor != NULL && (strcmp(entry->update_key, cursor->name) == 0 ||
                           strcasecmp(entry->update_key, cursor->field) == 0))
        return true;
    if (is_said && !check_names(entry, stream, at, "update_key", &names, arena, err))
        return false;
    if (cursor == NULL)
        gr_notes_add(notes, at,
                     "update_key is not used for stream \"%s\", which is always read in full",
                     stream->name);
    else
        gr_notes_add(notes, at, "update_key is not used for stream \"%s\", which goes by \"%s\"",
                     stream->name, cursor->name);
    return true;
}

/* One index: a list of columns. */
static bool
read_index(const struct indexes *r, const struct gr_plan_stream *stream,
           const struct gr_yaml_node *node, bool is_unique, struct gr_table_key *keys,
           size_t *count)
{
    struct gr_texts texts;
    const char **names;

    if (!gr_field_texts(node, r->arena, &texts, r->err))
        return false;
    if (texts.count == 0)
        return gr_yaml_fail(node, r->err, "an index must have at least one column");
    names = gr_arena_alloc(r->arena, texts.count, sizeof(names[0]));
    for (size_t i = 0; i < texts.count; i++) {
        const struct gr_column *column = find_column(stream, texts.items[i]);

        if (column == NULL && !gr_name_is_reserved(texts.items[i]) && r->is_own)
            return gr_columns_fail(r->entry, node, "table_keys", texts.items[i], r->arena, r->err);
        if (column == NULL && !gr_name_is_reserved(texts.items[i])) {
            gr_notes_add(r->notes, node,
                         "stream \"%s\" gets no index on \"%.63s\": it is no column", stream->name,
                         texts.items[i]);
            return true;
        }
        names[i] = column != NULL ? column->name : texts.items[i];
    }
    keys[(*count)++] =
        (struct gr_table_key){.columns = names, .count = texts.count, .is_unique = is_unique};
    return true;
}

/* [a, b] is one index of two columns; [[a], [b, c]] are two. */
static bool
read_indexes(const struct indexes *r, const struct gr_plan_stream *stream,
             const struct gr_yaml_node *node, bool is_unique, struct gr_table_key *keys,
             size_t *count)
{
    bool is_several = node != NULL && node->kind == GR_YAML_LIST && node->count > 0 &&
                      node->items[0]->kind == GR_YAML_LIST;

    if (node == NULL || node->kind == GR_YAML_NULL)
        return true;
    if (!is_several)
        return read_index(r, stream, node, is_unique, keys, count);
    for (size_t i = 0; i < node->count; i++)
        if (!read_index(r, stream, node->items[i], is_unique, keys, count))
            return false;
    return true;
}

struct table_keys_draft {
    const struct gr_yaml_node *unique;
    const struct gr_yaml_node *index;
    struct gr_texts primary;
};

#define ELSEWHERE "it is for other databases than PostgreSQL"

/* clang-format off */
static const struct gr_field table_keys_fields[] = {
    {"unique",  GR_FIELD_NODE,  offsetof(struct table_keys_draft, unique),  false, NULL, NULL,
     "columns of a unique index, or a list of such lists"},
    {"index",   GR_FIELD_NODE,  offsetof(struct table_keys_draft, index),   false, NULL, NULL,
     "columns of an index, or a list of such lists"},
    {"primary", GR_FIELD_TEXTS, offsetof(struct table_keys_draft, primary), false, NULL, NULL,
     "accepted if it is the endpoint's own key"},
    {"cluster",      GR_FIELD_IDLE, 0, false, NULL, NULL, ELSEWHERE},
    {"partition",    GR_FIELD_IDLE, 0, false, NULL, NULL, ELSEWHERE},
    {"sort",         GR_FIELD_IDLE, 0, false, NULL, NULL, ELSEWHERE},
    {"distribution", GR_FIELD_IDLE, 0, false, NULL, NULL, ELSEWHERE},
    {"hash",         GR_FIELD_IDLE, 0, false, NULL, NULL, ELSEWHERE},
    {"aggregate",    GR_FIELD_IDLE, 0, false, NULL, NULL, ELSEWHERE},
    {"duplicate",    GR_FIELD_IDLE, 0, false, NULL, NULL, ELSEWHERE},
    {0},
};
/* clang-format on */

/* True if the stream's own target_options have table_keys. */
static bool
says_table_keys(const struct gr_stream_entry *entry)
{
    return !entry->is_expanded &&
           gr_yaml_get(gr_yaml_get(entry->own, "target_options"), "table_keys") != NULL;
}

static size_t
index_count(const struct gr_yaml_node *node)
{
    return node == NULL ? 0 : node->count + 1;
}

bool
gr_columns_resolve_keys(const struct gr_stream_entry *entry, struct gr_notes *notes,
                        struct gr_arena *arena, struct gr_plan_stream *stream, struct gr_error *err)
{
    struct indexes r = {entry, notes, arena, says_table_keys(entry), err};
    const struct gr_yaml_node *map = entry->target.table_keys;
    struct table_keys_draft draft = {0};
    struct gr_table_key *keys;
    size_t count = 0;

    if (!check_primary_key(entry, notes, arena, stream, err) ||
        !check_update_key(entry, notes, arena, stream, err))
        return false;
    if (map == NULL)
        return true;
    if (!gr_field_bind(map, table_keys_fields, &draft, notes, arena, err))
        return false;
    if (draft.primary.count > 0 && !is_the_key(stream, &draft.primary)) {
        if (r.is_own && !check_names(entry, stream, gr_yaml_get(map, "primary"), "table_keys",
                                     &draft.primary, arena, err))
            return false;
        gr_notes_add(notes, gr_yaml_get(map, "primary"),
                     "table_keys: the primary key of stream \"%s\" is [%s] all the same",
                     stream->name, key_names(stream, arena));
    }
    keys =
        gr_arena_alloc(arena, index_count(draft.unique) + index_count(draft.index), sizeof(*keys));
    if (!read_indexes(&r, stream, draft.unique, true, keys, &count) ||
        !read_indexes(&r, stream, draft.index, false, keys, &count))
        return false;
    stream->table_keys = keys;
    stream->table_key_count = count;
    return true;
}
