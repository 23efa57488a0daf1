/* discover.c - the endpoints that there are, as a table, JSON or YAML. */
#include "gr/cli/discover.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gr/base/log.h"
#include "gr/cli/command.h"
#include "gr/cli/doc.h"
#include "gr/cli/grid.h"
#include "gr/cli/output.h"
#include "gr/spec/names.h"

/* How a stream is kept current, in the words that a replication file uses. */
static const char *
mode_of(const struct gr_schema *schema)
{
    if (schema->parent != NULL || schema->made_from != NULL)
        return "child";
    return schema->walk == GR_WALK_FULL ? "full-refresh" : "incremental";
}

static void
put_key(const struct gr_schema *schema, struct gr_buf *out)
{
    for (size_t i = 0; i < schema->key_count; i++)
        gr_buf_printf(out, "%s%s", i > 0 ? ", " : "", schema->columns[i].name);
}

/* True if one of the comma-separated globs matches; no globs at all match everything. */
static bool
is_asked(const char *globs, const char *stream)
{
    while (globs != NULL && *globs != '\0') {
        size_t len = strcspn(globs, ",");
        char glob[256];

        (void)snprintf(glob, sizeof(glob), "%.*s", (int)len, globs);
        if (gr_name_matches(glob, stream))
            return true;
        globs += len + (globs[len] == ',' ? 1 : 0);
    }
    return globs == NULL;
}

static bool
fail_unmatched(const struct gr_schemas *schemas, const char *glob, struct gr_error *err)
{
    GR_CLEANUP(gr_free_var) const char **names = gr_alloc(schemas->count + 1, sizeof(names[0]));
    struct gr_arena *arena = schemas->arena;

    for (size_t i = 0; i < schemas->count; i++)
        names[i] = schemas->items[i].stream;
    (void)gr_fail(err, GR_FAULT_USAGE, "no stream matches \"%s\"%s", glob,
                  gr_name_did_you_mean(arena, glob, names, schemas->count));
    return gr_hint(err, "Available: %s.", gr_name_list(arena, names, schemas->count));
}

/* Every glob must match something: a misspelt name would otherwise be missing in silence. */
static bool
judge_globs(const struct gr_schemas *schemas, const char *globs, struct gr_error *err)
{
    while (globs != NULL && *globs != '\0') {
        size_t len = strcspn(globs, ",");
        bool any = len == 0;
        char glob[256];

        (void)snprintf(glob, sizeof(glob), "%.*s", (int)len, globs);
        for (size_t i = 0; i < schemas->count && !any; i++)
            any = is_asked(glob, schemas->items[i].stream);
        if (!any)
            return fail_unmatched(schemas, glob, err);
        globs += len + (globs[len] == ',' ? 1 : 0);
    }
    return true;
}

static void
put_streams(const struct gr_schemas *schemas, const struct gr_discover *ask, struct gr_buf *out)
{
    static const struct gr_grid_column columns[] = {
        {.title = "STREAM"},
        {.title = "IN '*'"},
        {.title = "MODE"},
        {.title = "CURSOR"},
        {.title = "KEY"},
        {.title = "ENDPOINT"},
        {.title = "DESCRIPTION", .is_cut = true},
    };
    GR_CLEANUP(gr_grid_free_var) struct gr_grid *grid = gr_grid_new(columns, 7);

    for (size_t i = 0; i < schemas->count; i++) {
        const struct gr_schema *schema = &schemas->items[i];

        if (!is_asked(ask->streams, schema->stream))
            continue;
        gr_grid_put(grid, schema->stream);
        gr_grid_put(grid, schema->is_named_only ? "no" : "yes");
        gr_grid_put(grid, mode_of(schema));
        gr_grid_put(grid, schema->cursor != NULL ? schema->cursor : "-");
        put_key(schema, gr_grid_cell(grid));
        gr_grid_put(grid, schema->path);
        gr_grid_put(grid, schema->description);
    }
    gr_grid_print(grid, ask->width, out);
}

static void
put_columns(const struct gr_schemas *schemas, const struct gr_discover *ask, struct gr_buf *out)
{
    static const struct gr_grid_column columns[] = {
        {.title = "STREAM"},
        {.title = "COLUMN"},
        {.title = "TYPE"},
        {.title = "KEY"},
        {.title = "DESCRIPTION", .is_cut = true},
    };
    GR_CLEANUP(gr_grid_free_var) struct gr_grid *grid = gr_grid_new(columns, 5);

    for (size_t i = 0; i < schemas->count; i++) {
        const struct gr_schema *schema = &schemas->items[i];

        for (size_t j = 0; j < schema->column_count && is_asked(ask->streams, schema->stream);
             j++) {
            const struct gr_column *column = &schema->columns[j];

            gr_grid_put(grid, schema->stream);
            gr_grid_put(grid, column->name);
            gr_grid_put(grid, gr_type_facts(column->type)->name);
            gr_grid_put(grid, column->is_key ? "key" : "");
            gr_grid_put(grid, column->description != NULL ? column->description : "");
        }
    }
    gr_grid_print(grid, ask->width, out);
}

/* A duration as a schema file has it: the largest unit that leaves it whole. */
static void
put_lookback(struct json_object *object, int64_t ms)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
    char text[32];

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (ms % units[i].ms != 0)
            continue;
        (void)snprintf(text, sizeof(text), "%" PRId64 "%s", ms / units[i].ms, units[i].name);
        gr_doc_put_text(object, "lookback", ms > 0 ? text : NULL);
        return;
    }
}

static struct json_object *
columns_doc(const struct gr_schema *schema)
{
    struct json_object *array = gr_doc_array();

    for (size_t i = 0; i < schema->column_count; i++) {
        const struct gr_column *column = &schema->columns[i];
        struct json_object *item = gr_doc_object();

        gr_doc_put_text(item, "name", column->name);
        gr_doc_put_text(item, "type", gr_type_facts(column->type)->name);
        gr_doc_put_bool(item, "key", column->is_key);
        gr_doc_put_text(item, "description", column->description);
        gr_doc_add(array, item);
    }
    return array;
}

static struct json_object *
stream_doc(const struct gr_schema *schema, bool with_columns)
{
    struct json_object *item = gr_doc_object();
    struct json_object *key = gr_doc_array();

    for (size_t i = 0; i < schema->key_count; i++)
        gr_doc_add_text(key, schema->columns[i].name);
    gr_doc_put_text(item, "stream", schema->stream);
    gr_doc_put_text(item, "description", schema->description);
    gr_doc_put_text(item, "endpoint", schema->path);
    gr_doc_put_bool(item, "in_wildcard", !schema->is_named_only);
    gr_doc_put_text(item, "mode", mode_of(schema));
    gr_doc_put(item, "key", key);
    gr_doc_put_text(item, "cursor", schema->cursor);
    gr_doc_put_text(item, "order", schema->order);
    put_lookback(item, schema->lookback_ms);
    gr_doc_put_text(item, "parent", schema->made_from != NULL ? schema->made_from : schema->parent);
    if (with_columns)
        gr_doc_put(item, "columns", columns_doc(schema));
    return item;
}

bool
gr_discover_put(const struct gr_schemas *schemas, const struct gr_discover *ask, struct gr_buf *out,
                struct gr_error *err)
{
    GR_CLEANUP(gr_doc_free_var) struct json_object *doc = gr_doc_array();

    if (!judge_globs(schemas, ask->streams, err))
        return false;
    if (strcmp(ask->format, "table") == 0) {
        (ask->with_columns ? put_columns : put_streams)(schemas, ask, out);
        return true;
    }
    for (size_t i = 0; i < schemas->count; i++)
        if (is_asked(ask->streams, schemas->items[i].stream))
            gr_doc_add(doc, stream_doc(&schemas->items[i], ask->with_columns));
    (strcmp(ask->format, "yaml") == 0 ? gr_doc_print_yaml : gr_doc_print_json)(doc, out);
    return true;
}

int
gr_command_discover(const struct gr_options *options)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    GR_CLEANUP(gr_schemas_free) struct gr_schemas schemas = {0};
    struct gr_discover ask = {
        .streams = options->streams,
        .format = options->format,
        .with_columns = options->wants_columns,
        .width = gr_output_width(STDOUT_FILENO),
    };
    struct gr_error err;

    if (!gr_schemas_load(options->schemas, &schemas, &err) ||
        !gr_discover_put(&schemas, &ask, &text, &err))
        return gr_output_fail(&err);
    return gr_output_finish(&text);
}
