/* replication.c - the keys of a replication file, defaults and wildcards. */
#include "gr/spec/replication.h"

#include <string.h>
#include <unistd.h>

#include "gr/spec/casing.h"
#include "gr/spec/connection.h"
#include "gr/spec/names.h"
#include "gr/spec/variables.h"

#define STREAM_AT(member) offsetof(struct gr_stream_entry, member)
#define SOURCE_AT(member) offsetof(struct gr_stream_source_options, member)
#define TARGET_AT(member) offsetof(struct gr_stream_target_options, member)
#define IDLE(key, why)                                                                             \
    {                                                                                              \
        key, GR_FIELD_IDLE, 0, false, NULL, NULL, why                                              \
    }

const char *const gr_mode_words[] = {"incremental", "full-refresh",    "truncate", "snapshot",
                                     "backfill",    "definition-only", NULL};

/* The whole file, bound by the table below. */
struct draft {
    struct gr_replication file;
    const struct gr_yaml_node *defaults;
    const struct gr_yaml_node *streams;
};

#define FILES "neither source nor target is a file"

/* clang-format off */
static const struct gr_field file_fields[] = {
    {"source",      GR_FIELD_NODE, offsetof(struct draft, file.source),      true,  NULL, NULL,
     "name of the Gorgias connection"},
    {"target",      GR_FIELD_NODE, offsetof(struct draft, file.target),      true,  NULL, NULL,
     "name of the PostgreSQL connection, or a postgresql:// URL"},
    {"connections", GR_FIELD_MAP,  offsetof(struct draft, file.connections), false, NULL, NULL,
     "connections by name; looked up here first, then in the environment, then in env.yaml"},
    {"defaults",    GR_FIELD_MAP,  offsetof(struct draft, defaults),         false, NULL, NULL,
     "what holds for every stream that does not say otherwise"},
    {"streams",     GR_FIELD_MAP,  offsetof(struct draft, streams),          true,  NULL, NULL,
     "what to copy: names or patterns of endpoints, each with its keys or with nothing"},
    {"env",         GR_FIELD_MAP,  offsetof(struct draft, file.env),         false, NULL, NULL,
     "variables: {NAME} in every value of this file; Sling's settings, such as SLING_STATE; GR_KEEP_RUNS"},
    IDLE("hooks", "hooks are not run; pre_sql and post_sql of target_options are"),
    {0},
};

static const struct gr_field stream_fields[] = {
    {"mode",           GR_FIELD_WORD,  STREAM_AT(mode),        false, gr_mode_words, NULL,
     "how the table is kept; default full-refresh"},
    {"object",         GR_FIELD_TEXT,  STREAM_AT(object),      false, NULL, NULL,
     "the table: `schema.table` or `table`, with variables such as {stream_name}"},
    {"description",    GR_FIELD_TEXT,  STREAM_AT(description), false, NULL, NULL,
     "the table's comment; default the endpoint's description"},
    {"primary_key",    GR_FIELD_TEXTS, STREAM_AT(primary_key), false, NULL, NULL,
     "the endpoint's own is used; another is a warning"},
    {"update_key",     GR_FIELD_TEXT,  STREAM_AT(update_key),  false, NULL, NULL,
     "the endpoint's own is used; another is a warning"},
    {"select",         GR_FIELD_NODE,  STREAM_AT(select),      false, NULL, NULL,
     "columns: `[a, b*]`, `[-c]` or `[\"*\", \"a as b\"]`; the key is never lost. A name such as "
     "customer__email takes one field out of a nested value"},
    {"columns",        GR_FIELD_NODE,  STREAM_AT(columns),     false, NULL, NULL,
     "types: `{name: type}`; a name such as meta__campaign makes a column of a field of a nested value"},
    {"tags",           GR_FIELD_TEXTS, STREAM_AT(tags),        false, NULL, NULL,
     "for --streams tag:x"},
    {"id",             GR_FIELD_TEXT,  STREAM_AT(id),          false, NULL, NULL,
     "another name for --streams"},
    {"disabled",       GR_FIELD_BOOL,  STREAM_AT(is_disabled), false, NULL, "false",
     "skip the stream, also where a wildcard stands for it"},
    {"single",         GR_FIELD_BOOL,  STREAM_AT(is_single),   false, NULL, "false",
     "the name is no pattern"},
    {"source_options", GR_FIELD_MAP,   STREAM_AT(source_map),  false, NULL, NULL,
     "see below"},
    {"target_options", GR_FIELD_MAP,   STREAM_AT(target_map),  false, NULL, NULL,
     "see below"},
    IDLE("files", "there are no files to read"),
    IDLE("where", "the API has no such filter"),
    IDLE("sql", "the API takes no SQL"),
    IDLE("transforms", "values are stored as they come"),
    IDLE("hooks", "hooks are not run; pre_sql and post_sql of target_options are"),
    IDLE("change_capture_options", "the source is no database"),
    IDLE("schedule", "use cron or another scheduler"),
    IDLE("overrides", "write the keys into the stream"),
    {0},
};

static const struct gr_field source_fields[] = {
    {"limit",        GR_FIELD_COUNT,    SOURCE_AT(limit_rows),      false, NULL, NULL,
     "rows at most"},
    {"range",        GR_FIELD_TEXT,     SOURCE_AT(range),           false, NULL, NULL,
     "`FROM,TO`: dates or datetimes, one may be empty; for mode backfill"},
    {"lookback",     GR_FIELD_DURATION, SOURCE_AT(lookback_ms),     false, NULL, NULL,
     "how far below its bookmark an incremental run reads; default the endpoint's"},
    {"min_interval", GR_FIELD_DURATION, SOURCE_AT(min_interval_ms), false, NULL, NULL,
     "skip the stream when its last complete run is more recent"},
    {"flatten",      GR_FIELD_NODE,     SOURCE_AT(flatten),         false, NULL, NULL,
     "`1`, a number of levels, or `true` for all: fields of nested objects become columns such as "
     "customer__id; arrays stay jsonb. Default 0: nested values stay whole"},
    IDLE("jmespath", "objects are stored as they come"),       IDLE("jq", "objects are stored as they come"),              IDLE("empty_as_null", "an empty text stays one"),
    IDLE("datetime_format", "datetimes are read as the API writes them"), IDLE("max_decimals", "numbers keep all their digits"),
    IDLE("columns", "write columns into the stream"),
    IDLE("transforms", "values are stored as they come"),
    IDLE("header", FILES),         IDLE("fields_per_rec", FILES),  IDLE("compression", FILES),
    IDLE("format", FILES),         IDLE("null_if", FILES),         IDLE("skip_blank_lines", FILES),
    IDLE("skip_lines", FILES),     IDLE("delimiter", FILES),       IDLE("escape", FILES),
    IDLE("quote", FILES),          IDLE("sheet", FILES),           IDLE("offset", "pages are walked by the API's cursor"),
    IDLE("chunk_size", "pages are walked by the API's cursor"),     IDLE("chunk_count", "pages are walked by the API's cursor"),     IDLE("chunk_expr", "pages are walked by the API's cursor"),
    IDLE("encoding", FILES),
    {0},
};

static const struct gr_field target_fields[] = {
    {"delete_missing",  GR_FIELD_NODE,  TARGET_AT(delete_missing),   false, NULL, NULL,
     "rows gone at the source: `hard` deletes them, `soft` sets _deleted_at; default hard for "
     "full-refresh and truncate, else soft"},
    {"add_new_columns", GR_FIELD_BOOL,  TARGET_AT(add_new_columns),  false, NULL, "true",
     "add columns that an existing table lacks"},
    {"table_keys",      GR_FIELD_MAP,   TARGET_AT(table_keys),       false, NULL, NULL,
     "`unique` and `index`: lists of columns, or lists of such lists"},
    {"pre_sql",         GR_FIELD_TEXT,  TARGET_AT(pre_sql),          false, NULL, NULL,
     "SQL to run before the stream"},
    {"post_sql",        GR_FIELD_TEXT,  TARGET_AT(post_sql),         false, NULL, NULL,
     "SQL to run after the stream"},
    {"column_casing",   GR_FIELD_WORD,  TARGET_AT(column_casing),    false, gr_casing_words, "normalize",
     "how columns are named; the API's names are in snake case. `_loaded_at` and its like stay"},
    {"batch_limit",     GR_FIELD_COUNT, TARGET_AT(batch_limit_rows), false, NULL, NULL,
     "rows a transaction at most"},
    IDLE("use_bulk", "rows always go through COPY"),
    IDLE("adjust_column_type", "a table is altered only by adding columns"),
    IDLE("column_typing", "text has no length here"),
    IDLE("batch_max_duration", "a batch is committed as soon as the warehouse is free"),
    IDLE("direct_insert", "rows always go through staging"),
    IDLE("merge_strategy", "rows are merged by their key"),
    IDLE("isolation_level", "READ COMMITTED, with a lock and a fence for each stream"),
    IDLE("ignore_existing", "an existing table is gone on with"),
    IDLE("table_ddl", "the table is made from the endpoint's schema"),      IDLE("table_tmp", "staging tables have names of their own"),       IDLE("datetime_format", "datetimes are read as the API writes them"),
    IDLE("max_decimals", "numbers keep all their digits"),   IDLE("encoding", FILES),        IDLE("compression", FILES),
    IDLE("format", FILES),         IDLE("delimiter", FILES),       IDLE("header", FILES),
    IDLE("file_max_rows", FILES),  IDLE("file_max_bytes", FILES),  IDLE("concurrency", "requests are as many as the account's budget allows"),
    {0},
};
/* clang-format on */

const struct gr_replication_part gr_replication_parts[] = {
    {GR_PART_FILE, file_fields},
    {GR_PART_STREAM, stream_fields},
    {GR_PART_SOURCE, source_fields},
    {GR_PART_TARGET, target_fields},
    {NULL, NULL},
};

/* A file under way. */
struct loader {
    const struct gr_schemas *schemas;
    struct gr_notes *notes;
    struct gr_arena *arena;
    struct draft draft;
    struct gr_stream_entry *entries;
    size_t count;
    struct gr_error *err;
};

/* --- defaults ----------------------------------------------------------------------------------
 */

static const struct gr_yaml_node *merge(struct loader *l, const struct gr_yaml_node *own,
                                        const struct gr_yaml_node *defaults);

static bool
is_map(const struct gr_yaml_node *node)
{
    return node != NULL && node->kind == GR_YAML_MAP;
}

/* `+name` adds to the default columns or, with null, takes away from them. */
static const struct gr_yaml_node *
merge_columns(struct loader *l, const struct gr_yaml_node *own, const struct gr_yaml_node *defaults)
{
    struct gr_yaml_node *merged;
    bool adds = false;

    for (size_t i = 0; is_map(own) && i < own->count; i++)
        adds = adds || own->keys[i]->text[0] == '+';
    if (!adds)
        return own;
    merged = gr_yaml_map(l->arena, own, own->count + (is_map(defaults) ? defaults->count : 0));
    for (size_t i = 0; i < own->count; i++) {
        const struct gr_yaml_node *key = own->keys[i];

        if (key->text[0] == '+')
            key = gr_yaml_text(l->arena, key, key->text + 1);
        gr_yaml_put(merged, key, own->items[i]);
    }
    for (size_t i = 0; is_map(defaults) && i < defaults->count; i++)
        if (gr_yaml_get(merged, defaults->keys[i]->text) == NULL)
            gr_yaml_put(merged, defaults->keys[i], defaults->items[i]);
    return merged;
}

static const struct gr_yaml_node *
merge_value(struct loader *l, const char *key, const struct gr_yaml_node *own,
            const struct gr_yaml_node *fallback)
{
    if (strcmp(key, "columns") == 0)
        return merge_columns(l, own, fallback);
    if ((strcmp(key, "source_options") == 0 || strcmp(key, "target_options") == 0) && is_map(own) &&
        is_map(fallback))
        return merge(l, own, fallback);
    return own;
}

/* Null counts as said: it is in the result, and so hides the default. */
static const struct gr_yaml_node *
merge(struct loader *l, const struct gr_yaml_node *own, const struct gr_yaml_node *defaults)
{
    struct gr_yaml_node *merged;
    size_t own_count = is_map(own) ? own->count : 0;

    merged = gr_yaml_map(l->arena, own, own_count + (is_map(defaults) ? defaults->count : 0));
    for (size_t i = 0; i < own_count; i++)
        gr_yaml_put(merged, own->keys[i],
                    merge_value(l, own->keys[i]->text, own->items[i],
                                gr_yaml_get(defaults, own->keys[i]->text)));
    for (size_t i = 0; is_map(defaults) && i < defaults->count; i++)
        if (gr_yaml_get(merged, defaults->keys[i]->text) == NULL)
            gr_yaml_put(merged, defaults->keys[i], defaults->items[i]);
    return merged;
}

/* --- one stream --------------------------------------------------------------------------------
 */

static bool
bind_entry(struct loader *l, const struct gr_yaml_node *map, struct gr_stream_entry *entry)
{
    entry->mode = -1;
    entry->source.lookback_ms = -1;
    return gr_field_bind(map, stream_fields, entry, l->notes, l->arena, l->err) &&
           gr_field_bind(entry->source_map, source_fields, &entry->source, l->notes, l->arena,
                         l->err) &&
           gr_field_bind(entry->target_map, target_fields, &entry->target, l->notes, l->arena,
                         l->err);
}

static bool
fail_no_endpoint(struct loader *l, const struct gr_yaml_node *key)
{
    const char **known = gr_arena_alloc(l->arena, l->schemas->count + 1, sizeof(known[0]));

    for (size_t i = 0; i < l->schemas->count; i++)
        known[i] = l->schemas->items[i].stream;
    return gr_yaml_fail(key, l->err,
                        "did not find endpoint(s) for: %.60s. Available endpoints: [%s]%s",
                        key->text, gr_name_list(l->arena, known, l->schemas->count),
                        gr_name_did_you_mean(l->arena, key->text, known, l->schemas->count));
}

/* True if the file names the stream itself, or an earlier wildcard has it already. */
static bool
is_taken(const struct loader *l, const char *stream)
{
    const struct gr_yaml_node *streams = l->draft.streams;

    for (size_t i = 0; i < streams->count; i++)
        if (strcmp(streams->keys[i]->text, stream) == 0)
            return true;
    for (size_t i = 0; i < l->count; i++)
        if (strcmp(l->entries[i].name, stream) == 0)
            return true;
    return false;
}

static void
add(struct loader *l, const struct gr_stream_entry *entry, const struct gr_schema *schema)
{
    l->entries[l->count] = *entry;
    l->entries[l->count].name = schema->stream;
    l->entries[l->count].schema = schema;
    l->count++;
}

static bool
fail_left_out(struct loader *l, const struct gr_yaml_node *key, const struct gr_schema *schema)
{
    (void)gr_yaml_fail(key, l->err,
                       "\"%.60s\" matches only streams that no wildcard includes, such as %s",
                       key->text, schema->stream);
    return gr_hint(l->err, "Name each of them; --discover shows what a wildcard includes.");
}

static bool
expand(struct loader *l, struct gr_stream_entry *entry)
{
    const struct gr_schema *left_out = NULL;
    bool any = false;

    entry->is_expanded = true;
    for (size_t i = 0; i < l->schemas->count; i++) {
        const struct gr_schema *schema = &l->schemas->items[i];

        if (!gr_name_matches(entry->key->text, schema->stream))
            continue;
        if (schema->is_named_only) {
            left_out = schema;
            continue;
        }
        any = true;
        if (!is_taken(l, schema->stream))
            add(l, entry, schema);
    }
    if (!any && left_out != NULL)
        return fail_left_out(l, entry->key, left_out);
    return any || fail_no_endpoint(l, entry->key);
}

static bool
load_stream(struct loader *l, const struct gr_yaml_node *key, const struct gr_yaml_node *value)
{
    struct gr_stream_entry entry = {.key = key, .own = value};
    const struct gr_schema *schema;
    bool is_bound;

    if (value->kind != GR_YAML_MAP && value->kind != GR_YAML_NULL)
        return gr_yaml_fail(value, l->err,
                            "stream \"%.60s\" must be a mapping or nothing, found %s", key->text,
                            gr_yaml_shown(l->arena, value));
    entry.merged = merge(l, value, l->draft.defaults);
    l->notes->about = gr_arena_printf(l->arena, "stream \"%.60s\"", key->text);
    is_bound = bind_entry(l, entry.merged, &entry);
    l->notes->about = NULL;
    if (!is_bound)
        return false;
    if (gr_name_is_pattern(key->text) && !entry.is_single)
        return expand(l, &entry);
    schema = gr_schemas_find(l->schemas, key->text);
    if (schema == NULL)
        return fail_no_endpoint(l, key);
    add(l, &entry, schema);
    return true;
}

/* ${VAR} may be the name of a connection; in a URL it is expanded where the URL is read. */
static bool
check_name(struct loader *l, const char *key, const struct gr_yaml_node **at)
{
    const struct gr_yaml_node *node = *at;

    if (node->kind == GR_YAML_TEXT && strstr(node->text, "://") == NULL &&
        !gr_connection_expand(node, l->arena, at, l->err))
        return false;
    node = *at;
    if (node->kind != GR_YAML_TEXT || node->text[0] == '\0')
        return gr_yaml_fail(node, l->err, "\"%s\" must be the name of a connection, found %s", key,
                            gr_yaml_shown(l->arena, node));
    return true;
}

static bool
load_streams(struct loader *l)
{
    const struct gr_yaml_node *streams = l->draft.streams;
    struct gr_stream_entry unused = {0};

    if (streams->count == 0)
        return gr_yaml_fail(streams, l->err, "\"streams\" names no stream");
    /* A mistake in the defaults is one even where every stream says otherwise. */
    if (!bind_entry(l, l->draft.defaults, &unused))
        return false;
    l->entries = gr_arena_alloc(l->arena, streams->count + l->schemas->count, sizeof(*l->entries));
    for (size_t i = 0; i < streams->count; i++)
        if (!load_stream(l, streams->keys[i], streams->items[i]))
            return false;
    return true;
}

/* --- variables of the file ---------------------------------------------------------------------
 */

static bool
set_variables(struct loader *l, const struct gr_yaml_node *env, const char *const *extra,
              struct gr_variables *variables)
{
    for (size_t i = 0; is_map(env) && i < env->count; i++) {
        const struct gr_yaml_node *value = env->items[i];

        if (value->kind != GR_YAML_TEXT)
            continue;
        if (!gr_connection_expand_env(value, l->arena, &value, l->err))
            return false;
        gr_variables_set(variables, env->keys[i]->text, value->text);
    }
    for (size_t i = 0; extra != NULL && extra[i] != NULL; i++) {
        const char *equals = strchr(extra[i], '=');

        if (equals != NULL)
            gr_variables_set(variables,
                             gr_arena_strndup(l->arena, extra[i], (size_t)(equals - extra[i])),
                             equals + 1);
    }
    return true;
}

static const struct gr_yaml_node *
replace_text(const struct gr_variables *variables, const struct gr_yaml_node *node)
{
    const char *replaced = gr_variables_replace(variables, node->text);

    return strcmp(replaced, node->text) == 0 ? node
                                             : gr_yaml_text(variables->arena, node, replaced);
}

/* {NAME} without quotes is a mapping of NAME to nothing, in YAML. */
static const char *
bare_variable(const struct gr_variables *variables, const struct gr_yaml_node *node)
{
    const char *name;
    const char *value;

    if (node->kind != GR_YAML_MAP || node->count != 1 || node->items[0]->kind != GR_YAML_NULL)
        return NULL;
    name = gr_arena_printf(variables->arena, "{%s}", node->keys[0]->text);
    value = gr_variables_replace(variables, name);
    return strcmp(name, value) == 0 ? NULL : value;
}

static const struct gr_yaml_node *
replace_all(const struct gr_variables *variables, const struct gr_yaml_node *node)
{
    const char *bare = bare_variable(variables, node);
    struct gr_yaml_node *copy;

    if (bare != NULL)
        return gr_yaml_text(variables->arena, node, bare);
    if (node->kind == GR_YAML_TEXT)
        return replace_text(variables, node);
    if (node->kind == GR_YAML_NULL)
        return node;
    copy = gr_yaml_map(variables->arena, node, node->count);
    copy->kind = node->kind;
    for (size_t i = 0; i < node->count; i++)
        gr_yaml_put(copy, node->keys[i] == NULL ? NULL : replace_text(variables, node->keys[i]),
                    replace_all(variables, node->items[i]));
    return copy;
}

static bool
replace_variables(struct loader *l, const char *const *extra, const struct gr_yaml_node **root)
{
    struct gr_variables variables = {.arena = l->arena};
    struct gr_yaml_node *copy;

    if (!set_variables(l, gr_yaml_get(*root, "env"), extra, &variables))
        return false;
    if (variables.count == 0)
        return true;
    copy = gr_yaml_map(l->arena, *root, (*root)->count);
    for (size_t i = 0; i < (*root)->count; i++) {
        const char *key = (*root)->keys[i]->text;
        bool is_left = strcmp(key, "env") == 0 || strcmp(key, "connections") == 0;

        gr_yaml_put(copy, (*root)->keys[i],
                    is_left ? (*root)->items[i] : replace_all(&variables, (*root)->items[i]));
    }
    *root = copy;
    return true;
}

bool
gr_replication_load(const char *file, const char *const *env, const struct gr_schemas *schemas,
                    struct gr_notes *notes, struct gr_arena *arena, struct gr_replication *out,
                    struct gr_error *err)
{
    struct loader l = {.schemas = schemas, .notes = notes, .arena = arena, .err = err};
    const struct gr_yaml_node *root;

    if (!gr_yaml_load(file, arena, &root, err))
        return access(file, F_OK) == 0
                   ? false
                   : gr_hint(err,
                             "gorgias-replicate init %s tries account and database, and writes it.",
                             file);
    if (root->kind != GR_YAML_MAP) {
        (void)gr_yaml_fail(root, err, "a replication file must be a mapping, found %s",
                           gr_yaml_shown(arena, root));
        return gr_hint(err, "It has the keys source, target and streams; see "
                            "replications/example.yaml.");
    }
    if (!replace_variables(&l, env, &root) ||
        !gr_field_bind(root, file_fields, &l.draft, notes, arena, err) ||
        !check_name(&l, "source", &l.draft.file.source) ||
        !check_name(&l, "target", &l.draft.file.target) || !load_streams(&l))
        return false;
    *out = l.draft.file;
    out->root = root;
    out->streams = l.entries;
    out->count = l.count;
    return true;
}

/* --- for messages ------------------------------------------------------------------------------
 */

const struct gr_yaml_node *
gr_stream_entry_at(const struct gr_stream_entry *entry, const char *group, const char *key)
{
    const struct gr_yaml_node *map = entry->merged;
    const struct gr_yaml_node *node;

    if (group != NULL)
        map = gr_yaml_get(map, group);
    node = gr_yaml_get(map, key);
    return node != NULL ? node : entry->key;
}

bool
gr_stream_entry_says(const struct gr_stream_entry *entry, const char *key)
{
    const struct gr_yaml_node *node = gr_yaml_get(entry->own, key);

    return !entry->is_expanded && node != NULL && node->kind != GR_YAML_NULL;
}

void
gr_replication_reference(struct gr_buf *out)
{
    gr_buf_puts(out, "# The replication file\n\n"
                     "Sling's shape; a Sling file for Gorgias runs unchanged. A key that neither "
                     "tool knows is an error with its\nplace; a key of Sling's that has no meaning "
                     "here is a warning.\n\n"
                     "<!-- Printed from the tables of src/spec/replication.c and "
                     "src/spec/connection_*.c. -->\n\n");
    gr_field_print(out, file_fields);
    gr_buf_puts(out, "\n## A stream, and `defaults`\n\n");
    gr_field_print(out, stream_fields);
    gr_buf_puts(out, "\n## source_options\n\n");
    gr_field_print(out, source_fields);
    gr_buf_puts(out, "\n## target_options\n\n");
    gr_field_print(out, target_fields);
    gr_buf_puts(out, "\n## A Gorgias connection\n\n");
    gr_connection_source_reference(out);
    gr_buf_puts(out, "\n## A PostgreSQL connection\n\n");
    gr_connection_target_reference(out);
}
