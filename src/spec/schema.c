/* schema.c - the vocabulary of schemas/NAME.yaml, and what one file must be in itself. */
#include "gr/spec/schema.h"

#include <string.h>

#include "gr/spec/field.h"
#include "gr/spec/names.h"
#include "gr/spec/yaml.h"

static const char *const shape_words[] = {
    [GR_SHAPE_LIST] = "list",
    [GR_SHAPE_OBJECT] = "object",
    [GR_SHAPE_OBJECT + 1] = NULL,
};
static const char *const walk_words[] = {
    [GR_WALK_NEWEST_FIRST] = "newest_first",
    [GR_WALK_OLDEST_FIRST] = "oldest_first",
    [GR_WALK_FULL] = "full",
    [GR_WALK_NONE] = "none",
    [GR_WALK_NONE + 1] = NULL,
};
static const char *const ask_words[] = {
    [GR_ASK_NONE] = "none",     [GR_ASK_IDS] = "ids",       [GR_ASK_OBJECT] = "object",
    [GR_ASK_EXISTS] = "exists", [GR_ASK_PARENT] = "parent", [GR_ASK_PARENT + 1] = NULL,
};

/* A file between its text and its struct gr_schema. */
struct draft {
    struct gr_schema schema;
    int shape;
    int walk;
    int ask;
    struct gr_texts key;
    const struct gr_yaml_node *passes;
    const struct gr_yaml_node *events;
    const struct gr_yaml_node *columns;
};

struct column_draft {
    const char *type;
    const char *description;
    const struct gr_yaml_node *null;
    bool is_volatile;
    const char *refers;
    const struct gr_yaml_node *fields;
};

struct events_draft {
    const char *object_type;
    struct gr_texts types;
    struct gr_texts merges;
};

#define AT(member) offsetof(struct draft, member)
#define IN(member) offsetof(struct draft, schema.member)

/* clang-format off */
static const struct gr_field fields[] = {
    /* key            kind               lands in           required words        default  */
    {"stream",        GR_FIELD_NAME,     IN(stream),        true,  NULL,          NULL,
     "name of the stream, and of its table"},
    {"description",   GR_FIELD_TEXT,     IN(description),   true,  NULL,          NULL,
     "one line; becomes the table's comment"},
    {"path",          GR_FIELD_TEXT,     IN(path),          true,  NULL,          NULL,
     "path of the endpoint, beginning with /api/"},
    {"shape",         GR_FIELD_WORD,     AT(shape),         false, shape_words,   "list",
     "`list`: pages of rows; `object`: the answer is one row"},
    {"key",           GR_FIELD_TEXTS,    AT(key),           true,  NULL,          NULL,
     "columns of the primary key"},
    {"walk",          GR_FIELD_WORD,     AT(walk),          true,  walk_words,    NULL,
     "how an incremental run reads: down to the bookmark, up from it by a filter, everything, or no "
     "list at all, because the rows come with those of `made_from` or `parent`"},
    {"cursor",        GR_FIELD_NAME,     IN(cursor),        false, NULL,          NULL,
     "column of the bookmark, a timestamptz; not with `walk: full`"},
    {"order",         GR_FIELD_TEXT,     IN(order),         false, NULL,          NULL,
     "order_by of the incremental walk, such as `updated_datetime:desc`; several with commas"},
    {"full_order",    GR_FIELD_TEXT,     IN(full_order),    false, NULL,          NULL,
     "order_by of a full walk; without it the API's own order"},
    {"since",         GR_FIELD_TEXT,     IN(since),         false, NULL,          NULL,
     "with `walk: oldest_first`: the filter parameter, such as `created_datetime[gte]`"},
    {"lookback",      GR_FIELD_DURATION, IN(lookback_ms),   false, NULL,          "0s",
     "how far below its bookmark an incremental walk goes"},
    {"page_limit",    GR_FIELD_COUNT,    IN(page_limit),    false, NULL,          "100",
     "rows a page, 1 to 100"},
    {"passes",        GR_FIELD_NODE,     AT(passes),        false, NULL,          NULL,
     "list of mappings of query parameters: a full walk for each, all into one table"},
    {"ask",           GR_FIELD_WORD,     AT(ask),           false, ask_words,     "none",
     "how rows are asked for that events or a parent named: `ids`: GET path?PARAM=1&PARAM=2; "
     "`object`: GET path/ID; `exists`: the same, only to learn whether the row is still there; "
     "`parent`: GET path?PARAM=PARENT, to the last page"},
    {"ask_param",     GR_FIELD_TEXT,     IN(ask_param),     false, NULL,          NULL,
     "the query parameter of `ask: ids` and `ask: parent`"},
    {"parent",        GR_FIELD_NAME,     IN(parent),        false, NULL,          NULL,
     "stream whose new and changed rows are asked for here; needs `ask: parent`, or `ask: object` with "
     "`walk: none`: then each of them is one row here, under the same id"},
    {"parent_key",    GR_FIELD_NAME,     IN(parent_key),    false, NULL,          NULL,
     "column here that holds the key of `parent`, or of `made_from`"},
    {"parent_count",  GR_FIELD_NAME,     IN(parent_count),  false, NULL,          NULL,
     "column of the parent that says how many rows there are here"},
    {"made_from",     GR_FIELD_NAME,     IN(made_from),     false, NULL,          NULL,
     "stream of whose rows these are made, in the same transactions and without a request; needs "
     "`walk: none`"},
    {"made_of",       GR_FIELD_NAME,     IN(made_of),       false, NULL,          NULL,
     "jsonb column there: an object, of which each entry is a row here; the key is `parent_key` and the "
     "entry's name, a whole number"},
    {"events",        GR_FIELD_MAP,      AT(events),        false, NULL,          NULL,
     "`object_type` and `types`: events that name a row to be asked for"},
    {"confirm_gone",  GR_FIELD_BOOL,     IN(confirm_gone),  false, NULL,          "false",
     "ask for a row by id before it is deleted for being absent from a full walk"},
    {"named_only",    GR_FIELD_BOOL,     IN(is_named_only), false, NULL,          "false",
     "no wildcard of a replication file includes the stream, not even `'*'`: it has to be named"},
    {"columns",       GR_FIELD_MAP,      AT(columns),       true,  NULL,          NULL,
     "name: { type, description, null, volatile, refers, fields }, one for each field of the API"},
    {0},
};

static const struct gr_field column_fields[] = {
    {"type",        GR_FIELD_TEXT, offsetof(struct column_draft, type),        true,  NULL, NULL,
     "bigint, double, boolean, text, timestamptz or jsonb"},
    {"description", GR_FIELD_TEXT, offsetof(struct column_draft, description), true,  NULL, NULL,
     "one line; becomes the column's comment"},
    {"null",        GR_FIELD_NODE, offsetof(struct column_draft, null),        false, NULL, NULL,
     "`false` for the columns of the key, which are never null; the others always may be"},
    {"volatile",    GR_FIELD_BOOL, offsetof(struct column_draft, is_volatile), false, NULL, "false",
     "a change of this alone is no change of the row, which is then not rewritten"},
    {"refers",      GR_FIELD_NAME, offsetof(struct column_draft, refers),      false, NULL, NULL,
     "stream whose row is named here, as an id or an object with one; when another takes its place, "
     "the former one is asked for: it may have been merged away"},
    {"fields",      GR_FIELD_MAP,  offsetof(struct column_draft, fields),      false, NULL, NULL,
     "of a jsonb that holds an object: its fields as name: type, or name: { ... } for an object in it. "
     "With `flatten` each becomes a column. Without `fields` the value stays whole"},
    {0},
};

static const struct gr_field events_fields[] = {
    {"object_type", GR_FIELD_TEXT,  offsetof(struct events_draft, object_type), true, NULL, NULL,
     "object_type of the events"},
    {"types",       GR_FIELD_TEXTS, offsetof(struct events_draft, types),       true, NULL, NULL,
     "types of the events"},
    {"merges",      GR_FIELD_TEXTS, offsetof(struct events_draft, merges),      false, NULL, NULL,
     "those of the types by which one object becomes part of another: whichever the event names, the "
     "ids in its data are asked for too, and the children of all of them"},
    {0},
};
/* clang-format on */

/* One file under way. */
struct loader {
    const struct gr_yaml_node *root;
    struct gr_arena *arena;
    struct draft draft;
    struct gr_error *err;
};

static const struct gr_yaml_node *
at(const struct loader *l, const char *key)
{
    const struct gr_yaml_node *node = gr_yaml_get(l->root, key);

    return node != NULL ? node : l->root;
}

static bool
is_key(const struct loader *l, const char *column)
{
    for (size_t i = 0; i < l->draft.key.count; i++)
        if (strcmp(l->draft.key.items[i], column) == 0)
            return true;
    return false;
}

static bool
read_type(struct loader *l, const struct gr_yaml_node *at, const char *word, enum gr_type *out)
{
    if (gr_type_parse(word, out) && strcmp(gr_type_facts(*out)->name, word) == 0)
        return true;
    return gr_yaml_fail(at, l->err,
                        "unknown type \"%.60s\"; it must "
                        "be bigint, double, boolean, text, timestamptz or jsonb",
                        word);
}

/* The fields of `parent`, which may be moved until settle_fields says where it lies. */
static bool
load_fields(struct loader *l, const struct gr_yaml_node *map, struct gr_column *parent)
{
    struct gr_column *made = gr_arena_alloc(l->arena, map->count, sizeof(*made));

    if (parent->type != GR_TYPE_JSONB)
        return gr_yaml_fail(map, l->err, "column \"%s\" is no jsonb, so it has no fields",
                            parent->field);
    parent->fields = made;
    parent->field_count = map->count;
    for (size_t i = 0; i < map->count; i++) {
        const struct gr_yaml_node *value = map->items[i];
        const char *member = map->keys[i]->text;
        const char *joined =
            gr_arena_printf(l->arena, "%s" GR_NESTED_JOIN "%s", parent->field, member);

        if (!gr_name_is_plain(joined))
            return gr_yaml_fail(map->keys[i], l->err,
                                "\"%.120s\" must be a name (a-z, 0-9 and _) of at most 63 bytes",
                                joined);
        made[i] = (struct gr_column){
            .name = joined,
            .field = joined,
            .member = member,
            .description = gr_arena_printf(l->arena, "%s of %s", member, parent->field),
            .type = GR_TYPE_JSONB,
            .refers = strcmp(member, "id") == 0 ? parent->refers : NULL};
        if (value->kind == GR_YAML_MAP ? !load_fields(l, value, &made[i])
                                       : !read_type(l, value, value->text, &made[i].type))
            return false;
    }
    return true;
}

static void
settle_fields(const struct gr_column *parent)
{
    for (size_t i = 0; i < parent->field_count; i++) {
        parent->fields[i].within = parent;
        settle_fields(&parent->fields[i]);
    }
}

static bool
load_column(struct loader *l, const struct gr_yaml_node *name, const struct gr_yaml_node *value,
            struct gr_column *out)
{
    struct column_draft draft = {0};
    bool may_be_null = true;

    if (!gr_name_is_plain(name->text))
        return gr_yaml_fail(name, l->err, "column name \"%.80s\" must be a name (a-z, 0-9 and _)",
                            name->text);
    if (gr_name_is_reserved(name->text))
        return gr_yaml_fail(name, l->err,
                            "column name \"%s\" is taken: every table has a column "
                            "of that name",
                            name->text);
    if (!gr_field_bind(value, column_fields, &draft, NULL, l->arena, l->err))
        return false;
    *out = (struct gr_column){.name = name->text,
                              .field = name->text,
                              .member = name->text,
                              .description = draft.description,
                              .is_key = is_key(l, name->text),
                              .is_volatile = draft.is_volatile,
                              .refers = draft.refers};
    if (!read_type(l, gr_yaml_get(value, "type"), draft.type, &out->type))
        return false;
    if (draft.null != NULL && !gr_yaml_bool(draft.null, &may_be_null))
        return gr_yaml_fail(draft.null, l->err, "\"null\" must be true or false, found %s",
                            gr_yaml_shown(l->arena, draft.null));
    if (draft.null != NULL && may_be_null == out->is_key)
        return gr_yaml_fail(
            draft.null, l->err,
            out->is_key ? "column \"%s\" is in the key, so it cannot be \"null: true\""
                        : "column \"%s\" is not in the key, so it cannot be \"null: false\"",
            name->text);
    if (out->is_key && out->is_volatile)
        return gr_yaml_fail(name, l->err, "column \"%s\" is in the key, so it cannot be volatile",
                            name->text);
    return draft.fields == NULL || load_fields(l, draft.fields, out);
}

/* The key's columns first, in the key's order; the others as the file has them. */
static bool
load_columns(struct loader *l)
{
    const struct gr_yaml_node *map = l->draft.columns;
    struct gr_column *columns = gr_arena_alloc(l->arena, map->count, sizeof(*columns));
    size_t next = l->draft.key.count;

    if (l->draft.key.count == 0)
        return gr_yaml_fail(at(l, "key"), l->err, "\"key\" must name at least one column");
    for (size_t i = 0; i < l->draft.key.count; i++) {
        const char *name = l->draft.key.items[i];

        if (gr_yaml_get(map, name) == NULL)
            return gr_yaml_fail(at(l, "key"), l->err,
                                "key column \"%.63s\" is not among the "
                                "columns",
                                name);
        for (size_t j = 0; j < i; j++)
            if (strcmp(name, l->draft.key.items[j]) == 0)
                return gr_yaml_fail(at(l, "key"), l->err, "key column \"%s\" comes twice", name);
    }
    for (size_t i = 0; i < map->count; i++) {
        struct gr_column column;
        size_t to = next;

        if (!load_column(l, map->keys[i], map->items[i], &column))
            return false;
        for (size_t j = 0; j < l->draft.key.count; j++)
            if (strcmp(l->draft.key.items[j], column.name) == 0)
                to = j;
        columns[to] = column;
        next += column.is_key ? 0 : 1;
    }
    for (size_t i = 0; i < map->count; i++)
        settle_fields(&columns[i]);
    l->draft.schema.columns = columns;
    l->draft.schema.column_count = map->count;
    l->draft.schema.key_count = l->draft.key.count;
    return true;
}

static bool
load_pass(struct loader *l, const struct gr_yaml_node *map, struct gr_pass *out)
{
    struct gr_param *params;

    if (map->kind != GR_YAML_MAP)
        return gr_yaml_fail(map, l->err, "a pass must be a mapping of query parameters, found %s",
                            gr_yaml_shown(l->arena, map));
    params = gr_arena_alloc(l->arena, map->count, sizeof(*params));
    for (size_t i = 0; i < map->count; i++) {
        if (map->items[i]->kind != GR_YAML_TEXT)
            return gr_yaml_fail(map->items[i], l->err, "a query parameter must be a text, found %s",
                                gr_yaml_shown(l->arena, map->items[i]));
        params[i] = (struct gr_param){map->keys[i]->text, map->items[i]->text};
    }
    *out = (struct gr_pass){.params = params, .count = map->count};
    return true;
}

static bool
load_passes(struct loader *l)
{
    const struct gr_yaml_node *list = l->draft.passes;
    bool is_absent = list == NULL || list->kind == GR_YAML_NULL;
    size_t count = is_absent ? 1 : list->count;
    struct gr_pass *passes = gr_arena_alloc(l->arena, count, sizeof(*passes));

    if (!is_absent && (list->kind != GR_YAML_LIST || list->count == 0))
        return gr_yaml_fail(list, l->err, "\"passes\" must be a list with at least one mapping");
    for (size_t i = 0; i < count && !is_absent; i++)
        if (!load_pass(l, list->items[i], &passes[i]))
            return false;
    l->draft.schema.passes = passes;
    l->draft.schema.pass_count = count;
    return true;
}

static bool
check_merges(struct loader *l, const struct events_draft *draft)
{
    for (size_t i = 0; i < draft->merges.count; i++) {
        bool is_known = false;

        for (size_t j = 0; j < draft->types.count && !is_known; j++)
            is_known = strcmp(draft->merges.items[i], draft->types.items[j]) == 0;
        if (!is_known)
            return gr_yaml_fail(l->draft.events, l->err,
                                "\"%.63s\" of \"merges\" is not among the types",
                                draft->merges.items[i]);
    }
    return true;
}

static bool
load_events(struct loader *l)
{
    struct events_draft draft = {0};

    if (l->draft.events == NULL)
        return true;
    if (!gr_field_bind(l->draft.events, events_fields, &draft, NULL, l->arena, l->err))
        return false;
    if (draft.types.count == 0)
        return gr_yaml_fail(l->draft.events, l->err, "\"types\" must name at least one event type");
    if (l->draft.schema.ask == GR_ASK_NONE)
        return gr_yaml_fail(l->draft.events, l->err,
                            "\"events\" needs \"ask\", which says how the "
                            "rows that they name are asked for");
    l->draft.schema.event_object = draft.object_type;
    l->draft.schema.event_types = draft.types.items;
    l->draft.schema.event_type_count = draft.types.count;
    l->draft.schema.event_merges = draft.merges.items;
    l->draft.schema.event_merge_count = draft.merges.count;
    return check_merges(l, &draft);
}

/* field:asc or field:desc, several with commas; each field a column. */
static bool
check_order(struct loader *l, const char *key, const char *order)
{
    const char *from = order;

    while (order != NULL) {
        size_t len = strcspn(from, ",");
        size_t name_len = strcspn(from, ":,");
        char *name = gr_arena_strndup(l->arena, from, name_len);
        const char *way = gr_arena_strndup(l->arena, from + name_len, len - name_len);

        if (strcmp(way, ":asc") != 0 && strcmp(way, ":desc") != 0)
            return gr_yaml_fail(at(l, key), l->err,
                                "\"%s\" must be column:asc or column:desc, "
                                "found \"%.60s\"",
                                key, order);
        if (gr_schema_column(&l->draft.schema, name) < 0)
            return gr_yaml_fail(at(l, key), l->err,
                                "\"%s\" names \"%.63s\", which is not among "
                                "the columns",
                                key, name);
        if (from[len] == '\0')
            break;
        from += len + 1;
    }
    return true;
}

static bool
check_column(struct loader *l, const char *key, const char *column)
{
    if (column != NULL && gr_schema_column(&l->draft.schema, column) < 0)
        return gr_yaml_fail(at(l, key), l->err, "%s \"%s\" is not among the columns", key, column);
    return true;
}

/* A key that goes with another: both, or neither. */
static bool
check_goes_with(struct loader *l, const char *key, bool is_there, bool is_wanted, const char *other)
{
    if (is_there && !is_wanted)
        return gr_yaml_fail(at(l, key), l->err, "\"%s\" has a meaning only with \"%s\"", key,
                            other);
    if (!is_there && is_wanted)
        return gr_yaml_fail(l->root, l->err, "\"%s\" needs the key \"%s\"", other, key);
    return true;
}

static bool
check_walk(struct loader *l)
{
    const struct gr_schema *s = &l->draft.schema;
    bool is_incremental = s->walk == GR_WALK_NEWEST_FIRST || s->walk == GR_WALK_OLDEST_FIRST;
    const char *way = s->walk == GR_WALK_NEWEST_FIRST ? ":desc" : ":asc";
    size_t len;

    if (!check_goes_with(l, "cursor", s->cursor != NULL, is_incremental,
                         is_incremental ? walk_words[s->walk] : "walk: newest_first") ||
        !check_goes_with(l, "order", s->order != NULL, is_incremental,
                         is_incremental ? walk_words[s->walk] : "walk: newest_first") ||
        !check_goes_with(l, "since", s->since != NULL, s->walk == GR_WALK_OLDEST_FIRST,
                         "walk: oldest_first") ||
        !check_column(l, "cursor", s->cursor) || !check_order(l, "order", s->order) ||
        !check_order(l, "full_order", s->full_order))
        return false;
    if (!is_incremental)
        return true;
    if (s->columns[gr_schema_column(s, s->cursor)].type != GR_TYPE_TIMESTAMPTZ)
        return gr_yaml_fail(at(l, "cursor"), l->err, "cursor \"%s\" must be a timestamptz column",
                            s->cursor);
    len = strlen(s->cursor);
    if (strncmp(s->order, s->cursor, len) != 0 || strncmp(s->order + len, way, strlen(way)) != 0)
        return gr_yaml_fail(at(l, "order"), l->err,
                            "\"order\" must begin with \"%s%s\" for walk "
                            "%s",
                            s->cursor, way, walk_words[s->walk]);
    return true;
}

static bool
check_ask(struct loader *l)
{
    const struct gr_schema *s = &l->draft.schema;
    bool is_parent = s->ask == GR_ASK_PARENT;
    bool is_child = is_parent || (s->ask == GR_ASK_OBJECT && s->walk == GR_WALK_NONE);
    const char *child = s->walk == GR_WALK_NONE ? "ask: object" : "ask: parent";

    if (!check_goes_with(l, "ask_param", s->ask_param != NULL, s->ask == GR_ASK_IDS || is_parent,
                         is_parent ? "ask: parent" : "ask: ids") ||
        !check_goes_with(l, "parent", s->parent != NULL, is_child, child) ||
        !check_goes_with(l, "parent_key", s->parent_key != NULL, is_child || s->made_from != NULL,
                         s->made_from != NULL ? "made_from" : child) ||
        !check_goes_with(l, "parent_count", s->parent_count != NULL, is_parent, "ask: parent"))
        return false;
    if (is_child && !is_parent &&
        (s->key_count != 1 || strcmp(s->columns[0].name, s->parent_key) != 0))
        return gr_yaml_fail(at(l, "parent_key"), l->err,
                            "\"parent_key\" must be the key with \"walk: none\": each row is asked "
                            "for by the id of its parent");
    if (s->walk == GR_WALK_NONE && !is_child && s->made_from == NULL)
        return gr_yaml_fail(
            at(l, "walk"), l->err,
            "\"walk: none\" needs \"made_from\", or \"ask: object\" and \"parent\"");
    if (s->shape == GR_SHAPE_OBJECT && (s->ask != GR_ASK_NONE || s->walk != GR_WALK_FULL))
        return gr_yaml_fail(at(l, "shape"), l->err,
                            "\"shape: object\" goes with \"walk: full\" "
                            "and without \"ask\"");
    return check_column(l, "parent_key", s->parent_key);
}

/* Rows that nothing is asked for: the key says whose they are, and which of its entries. */
static bool
check_made(struct loader *l)
{
    const struct gr_schema *s = &l->draft.schema;
    bool is_made = s->made_from != NULL;

    if (!check_goes_with(l, "made_of", s->made_of != NULL, is_made, "made_from") ||
        !check_goes_with(l, "made_from", is_made, is_made && s->walk == GR_WALK_NONE, "walk: none"))
        return false;
    if (!is_made)
        return true;
    if (s->ask != GR_ASK_NONE)
        return gr_yaml_fail(at(l, "ask"), l->err,
                            "\"ask\" does not go with \"made_from\": nothing is asked for");
    if (s->column_count == 2)
        return gr_yaml_fail(at(l, "columns"), l->err,
                            "\"made_from\" needs a column for the value of an entry");
    if (s->key_count != 2 || strcmp(s->columns[0].name, s->parent_key) != 0)
        return gr_yaml_fail(
            at(l, "key"), l->err,
            "\"key\" must be \"parent_key\" and the entry's name with \"made_from\"");
    for (size_t i = 0; i < s->column_count; i++)
        if (s->columns[i].type != (i < s->key_count ? GR_TYPE_BIGINT : GR_TYPE_JSONB) &&
            (i < s->key_count || s->columns[i].type != GR_TYPE_TEXT))
            return gr_yaml_fail(at(l, "columns"), l->err,
                                "column \"%s\" must be %s with \"made_from\"", s->columns[i].name,
                                i < s->key_count ? "bigint" : "text or jsonb");
    return true;
}

static bool
check_texts(struct loader *l)
{
    const struct gr_schema *s = &l->draft.schema;

    if (strncmp(s->path, "/api/", 5) != 0 || strpbrk(s->path, " ?#%") != NULL)
        return gr_yaml_fail(at(l, "path"), l->err,
                            "\"path\" must begin with /api/, found \"%.60s\"", s->path);
    if (s->page_limit < 1 || s->page_limit > 100)
        return gr_yaml_fail(at(l, "page_limit"), l->err, "\"page_limit\" must be 1 to 100");
    if (s->description[0] == '\0')
        return gr_yaml_fail(at(l, "description"), l->err, "\"description\" must not be empty");
    return true;
}

bool
gr_schema_parse(const char *file, const char *text, size_t len, struct gr_arena *arena,
                struct gr_schema *out, struct gr_error *err)
{
    struct loader l = {.arena = arena, .err = err};
    struct gr_schema *schema = &l.draft.schema;

    if (!gr_yaml_parse(file, text, len, arena, &l.root, err) ||
        !gr_field_bind(l.root, fields, &l.draft, NULL, arena, err))
        return false;
    schema->file = gr_arena_strdup(arena, file);
    schema->shape = (enum gr_shape)l.draft.shape;
    schema->walk = (enum gr_walk_kind)l.draft.walk;
    schema->ask = (enum gr_ask)l.draft.ask;
    if (!check_texts(&l) || !load_columns(&l) || !load_passes(&l) || !load_events(&l) ||
        !check_walk(&l) || !check_ask(&l) || !check_made(&l))
        return false;
    *out = *schema;
    return true;
}

int
gr_schema_column(const struct gr_schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->column_count; i++)
        if (strcmp(schema->columns[i].name, name) == 0)
            return (int)i;
    return -1;
}

void
gr_schema_reference(struct gr_buf *out)
{
    gr_buf_puts(out,
                "# The schema file\n\n"
                "`schemas/STREAM.yaml` declares one Gorgias endpoint: facts, no behaviour. The "
                "files are part of the\nprogram; `--schemas FOLDER` replaces those of the same "
                "stream (as a whole) and adds others. A key or\nword that is not on this page is "
                "an error with its place.\n\n"
                "<!-- Printed from the tables of src/spec/schema.c. -->\n\n");
    gr_field_print(out, fields);
    gr_buf_puts(out, "\n## columns\n\n");
    gr_field_print(out, column_fields);
    gr_buf_puts(out, "\n## events\n\n");
    gr_field_print(out, events_fields);
    gr_buf_puts(out, "\n## types\n\n| type | in the table | words of Sling's `columns` |\n"
                     "|---|---|---|\n");
    for (unsigned i = 0; i < GR_TYPE_COUNT; i++) {
        const struct gr_type_facts *type = gr_type_facts((enum gr_type)i);

        gr_buf_printf(out, "| `%s` | `%s` | %s |\n", type->name, type->sql, type->aliases);
    }
}
