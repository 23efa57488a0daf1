/* keys.c - primary_key, update_key and table_keys against a stream's columns. */
#include <string.h>
#include <strings.h>

#include "gr/spec/columns.h"
#include "gr/spec/field.h"
#include "gr/spec/names.h"

/* A stream's table_keys under way. */
struct indexes {
    const struct gr_stream_entry *entry;
    struct gr_arena *arena;
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

/* What defaults and wildcards say for all streams is no mistake where it does not fit one. */
static bool
check_primary_key(const struct gr_stream_entry *entry, struct gr_notes *notes,
                  struct gr_arena *arena, const struct gr_plan_stream *stream, struct gr_error *err)
{
    const struct gr_yaml_node *at = gr_stream_entry_at(entry, NULL, "primary_key");
    const char *keys = key_names(stream, arena);

    if (entry->primary_key.count == 0 || is_the_key(stream, &entry->primary_key))
        return true;
    if (gr_stream_entry_says(entry, "primary_key")) {
        (void)gr_yaml_fail(at, err, "primary_key of stream \"%s\" must be [%s], found [%s]",
                           stream->name, keys,
                           gr_name_list(arena, entry->primary_key.items, entry->primary_key.count));
        return gr_hint(err, "Leave it out: every endpoint has its key.");
    }
    gr_notes_add(notes, at, "primary_key is not used for stream \"%s\", whose key is [%s]",
                 stream->name, keys);
    return true;
}

static bool
check_update_key(const struct gr_stream_entry *entry, struct gr_notes *notes,
                 const struct gr_plan_stream *stream, struct gr_error *err)
{
    const struct gr_yaml_node *at = gr_stream_entry_at(entry, NULL, "update_key");
    const struct gr_column *cursor =
        stream->cursor_column >= 0 ? &stream->columns[stream->cursor_column] : NULL;

    if (entry->update_key == NULL)
        return true;
    if (cursor == NULL && !gr_stream_entry_says(entry, "update_key"))
        return true;
    if (cursor == NULL) {
        gr_notes_add(notes, at,
                     "update_key is not used for stream \"%s\", which is always read in "
                     "full",
                     stream->name);
        return true;
    }
    if (strcmp(entry->update_key, cursor->name) == 0 ||
        strcasecmp(entry->update_key, cursor->field) == 0)
        return true;
    if (gr_stream_entry_says(entry, "update_key")) {
        (void)gr_yaml_fail(at, err, "update_key of stream \"%s\" must be \"%s\", found \"%.63s\"",
                           stream->name, cursor->name, entry->update_key);
        return gr_hint(err, "Leave it out: the endpoint has no other order to go by.");
    }
    gr_notes_add(notes, at, "update_key is not used for stream \"%s\", which goes by \"%s\"",
                 stream->name, cursor->name);
    return true;
}

/* One index: a list of columns. */
static bool
read_index(const struct indexes *r, const struct gr_plan_stream *stream,
           const struct gr_yaml_node *node, bool is_unique, struct gr_table_key *out)
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

        if (column == NULL && !gr_name_is_reserved(texts.items[i]))
            return gr_columns_fail(r->entry, node, "table_keys", texts.items[i], r->arena, r->err);
        names[i] = column != NULL ? column->name : texts.items[i];
    }
    *out = (struct gr_table_key){.columns = names, .count = texts.count, .is_unique = is_unique};
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
        return read_index(r, stream, node, is_unique, &keys[(*count)++]);
    for (size_t i = 0; i < node->count; i++)
        if (!read_index(r, stream, node->items[i], is_unique, &keys[(*count)++]))
            return false;
    return true;
}

struct table_keys_draft {
    const struct gr_yaml_node *unique;
    const struct gr_yaml_node *index;
    struct gr_texts primary;
};

/* clang-format off */
static const struct gr_field table_keys_fields[] = {
    {"unique",  GR_FIELD_NODE,  offsetof(struct table_keys_draft, unique),  false, NULL, NULL,
     "columns of a unique index, or a list of such lists"},
    {"index",   GR_FIELD_NODE,  offsetof(struct table_keys_draft, index),   false, NULL, NULL,
     "columns of an index, or a list of such lists"},
    {"primary", GR_FIELD_TEXTS, offsetof(struct table_keys_draft, primary), false, NULL, NULL,
     "accepted if it is the endpoint's own key"},
    {0},
};
/* clang-format on */

static size_t
index_count(const struct gr_yaml_node *node)
{
    return node == NULL ? 0 : node->count + 1;
}

bool
gr_columns_resolve_keys(const struct gr_stream_entry *entry, struct gr_notes *notes,
                        struct gr_arena *arena, struct gr_plan_stream *stream, struct gr_error *err)
{
    struct indexes r = {entry, arena, err};
    const struct gr_yaml_node *map = entry->target.table_keys;
    struct table_keys_draft draft = {0};
    struct gr_table_key *keys;
    size_t count = 0;

    if (!check_primary_key(entry, notes, arena, stream, err) ||
        !check_update_key(entry, notes, stream, err))
        return false;
    if (map == NULL)
        return true;
    if (!gr_field_bind(map, table_keys_fields, &draft, notes, arena, err))
        return false;
    if (draft.primary.count > 0 && !is_the_key(stream, &draft.primary))
        return gr_yaml_fail(gr_yaml_get(map, "primary"), err,
                            "the primary key of stream \"%s\" must "
                            "be [%s]",
                            stream->name, key_names(stream, arena));
    keys =
        gr_arena_alloc(arena, index_count(draft.unique) + index_count(draft.index), sizeof(*keys));
    if (!read_indexes(&r, stream, draft.unique, true, keys, &count) ||
        !read_indexes(&r, stream, draft.index, false, keys, &count))
        return false;
    stream->table_keys = keys;
    stream->table_key_count = count;
    return true;
}
