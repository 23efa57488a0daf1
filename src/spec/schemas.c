/* schemas.c - all schemas together: the embedded ones, a folder's, and what they say of another. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gr/spec/embedded.h"
#include "gr/spec/names.h"
#include "gr/spec/schema.h"
#include "gr/spec/yaml.h"

enum { SCHEMAS_MAX = 256 };

/* The list under way. */
struct list {
    struct gr_arena *arena;
    struct gr_schema *items;
    size_t count;
    bool is_folders[SCHEMAS_MAX]; /* the item came from the folder, not from the binary */
};

static struct gr_schema *
find(const struct list *list, const char *stream)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].stream, stream) == 0)
            return &list->items[i];
    return NULL;
}

/* A schema of the folder replaces one of the binary, but never another of the folder. */
static bool
add(struct list *list, const struct gr_schema *schema, bool is_folders, struct gr_error *err)
{
    struct gr_schema *same = find(list, schema->stream);
    size_t to = same != NULL ? (size_t)(same - list->items) : list->count;

    if (same != NULL && list->is_folders[to] == is_folders)
        return gr_fail(err, GR_FAULT_SPEC, "%s: stream \"%s\" is declared in %s too", schema->file,
                       schema->stream, same->file);
    if (to == SCHEMAS_MAX)
        return gr_fail(err, GR_FAULT_SPEC, "%s: more than %d schemas", schema->file, SCHEMAS_MAX);
    list->items[to] = *schema;
    list->is_folders[to] = is_folders;
    list->count += same == NULL ? 1 : 0;
    return true;
}

static bool
load_embedded(struct list *list, struct gr_error *err)
{
    for (const struct gr_embedded *text = gr_schema_texts; text->name != NULL; text++) {
        struct gr_schema schema;
        const char *file = gr_arena_printf(list->arena, "schemas/%s", text->name);

        if (!gr_schema_parse(file, text->text, text->len, list->arena, &schema, err) ||
            !add(list, &schema, false, err))
            return false;
    }
    return true;
}

static int
compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool
is_schema_file(const char *name)
{
    const char *dot = strrchr(name, '.');

    return *name != '.' && dot != NULL && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static void
close_folder(DIR **folder)
{
    if (*folder != NULL)
        (void)closedir(*folder);
}

/* The folder's schema files in the order of their names. */
static bool
list_folder(const char *path, struct gr_arena *arena, const char *names[SCHEMAS_MAX],
            size_t *count_out, struct gr_error *err)
{
    GR_CLEANUP(close_folder) DIR *folder = opendir(path);
    size_t count = 0;

    if (folder == NULL) {
        (void)gr_fail(err, GR_FAULT_USAGE, "cannot open the schemas folder %s: %s", path,
                      strerror(errno));
        return gr_hint(err, "--schemas takes a folder of *.yaml files; see docs/schema-file.md.");
    }
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (!is_schema_file(entry->d_name))
            continue;
        if (count == SCHEMAS_MAX)
            return gr_fail(err, GR_FAULT_SPEC, "%s: more than %d schemas", path, SCHEMAS_MAX);
        names[count++] = gr_arena_strdup(arena, entry->d_name);
    }
    qsort(names, count, sizeof(names[0]), compare_names);
    *count_out = count;
    return true;
}

static bool
load_folder(struct list *list, const char *path, struct gr_error *err)
{
    const char *names[SCHEMAS_MAX];
    size_t count = 0;

    if (!list_folder(path, list->arena, names, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct gr_schema schema;
        const char *file = gr_arena_printf(list->arena, "%s/%s", path, names[i]);
        const char *text;
        size_t len;

        if (!gr_yaml_slurp(file, GR_YAML_BYTES, list->arena, &text, &len, err) ||
            !gr_schema_parse(file, text, len, list->arena, &schema, err) ||
            !add(list, &schema, true, err))
            return false;
    }
    return true;
}

static bool
check_parent(const struct list *list, const struct gr_schema *schema, struct gr_error *err)
{
    const struct gr_schema *parent = schema->parent != NULL ? find(list, schema->parent) : NULL;
    const struct gr_schema *above = parent;
    int count;

    if (schema->parent == NULL)
        return true;
    if (parent == NULL)
        return gr_fail(err, GR_FAULT_SPEC, "%s: parent \"%s\" is not a stream", schema->file,
                       schema->parent);
    count = schema->parent_count != NULL ? gr_schema_column(parent, schema->parent_count) : 0;
    if (count < 0 || parent->columns[count].type != GR_TYPE_BIGINT)
        return gr_fail(err, GR_FAULT_SPEC, "%s: parent_count \"%s\" is not a bigint column of %s",
                       schema->file, schema->parent_count, parent->file);
    for (size_t steps = 0; above != NULL; steps++) {
        if (above == schema || steps > list->count)
            return gr_fail(err, GR_FAULT_SPEC, "%s: the stream is its own parent", schema->file);
        above = above->parent != NULL ? find(list, above->parent) : NULL;
    }
    return true;
}

static bool
check_made_from(const struct list *list, const struct gr_schema *schema, struct gr_error *err)
{
    const struct gr_schema *from = schema->made_from != NULL ? find(list, schema->made_from) : NULL;
    int column = from != NULL ? gr_schema_column(from, schema->made_of) : -1;

    if (schema->made_from == NULL)
        return true;
    if (from == NULL || from->made_from != NULL)
        return gr_fail(err, GR_FAULT_SPEC, "%s: made_from \"%s\" is not a stream that is read",
                       schema->file, schema->made_from);
    if (column < 0 || from->columns[column].type != GR_TYPE_JSONB)
        return gr_fail(err, GR_FAULT_SPEC, "%s: made_of \"%s\" is not a jsonb column of %s",
                       schema->file, schema->made_of, from->file);
    return true;
}

/* What a column refers to has to be asked for by id. */
static bool
check_references(const struct list *list, const struct gr_schema *schema, struct gr_error *err)
{
    for (size_t i = 0; i < schema->column_count; i++) {
        const struct gr_column *column = &schema->columns[i];
        const struct gr_schema *other = column->refers != NULL ? find(list, column->refers) : NULL;

        if (column->refers == NULL)
            continue;
        if (other == NULL || other->ask == GR_ASK_NONE || other->ask == GR_ASK_PARENT)
            return gr_fail(err, GR_FAULT_SPEC,
                           "%s: column \"%s\" refers to \"%s\", which is no stream that is asked "
                           "for rows by id",
                           schema->file, column->name, column->refers);
    }
    return true;
}

static int
compare_streams(const void *a, const void *b)
{
    return strcmp(((const struct gr_schema *)a)->stream, ((const struct gr_schema *)b)->stream);
}

static bool
load_all(struct list *list, const char *folder, struct gr_error *err)
{
    if (!load_embedded(list, err) || (folder != NULL && !load_folder(list, folder, err)))
        return false;
    for (size_t i = 0; i < list->count; i++)
        if (!check_parent(list, &list->items[i], err) ||
            !check_made_from(list, &list->items[i], err) ||
            !check_references(list, &list->items[i], err))
            return false;
    qsort(list->items, list->count, sizeof(list->items[0]), compare_streams);
    return true;
}

bool
gr_schemas_load(const char *folder, struct gr_schemas *out, struct gr_error *err)
{
    struct list list = {.arena = gr_arena_new()};

    list.items = gr_arena_alloc(list.arena, SCHEMAS_MAX, sizeof(*list.items));
    if (!load_all(&list, folder, err)) {
        gr_arena_free(list.arena);
        return false;
    }
    *out = (struct gr_schemas){.arena = list.arena, .items = list.items, .count = list.count};
    return true;
}

void
gr_schemas_free(struct gr_schemas *schemas)
{
    gr_arena_free(schemas->arena);
    *schemas = (struct gr_schemas){0};
}

const struct gr_schema *
gr_schemas_find(const struct gr_schemas *schemas, const char *stream)
{
    for (size_t i = 0; i < schemas->count; i++)
        if (strcmp(schemas->items[i].stream, stream) == 0)
            return &schemas->items[i];
    return NULL;
}
