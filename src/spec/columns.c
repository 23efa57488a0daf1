/* columns.c - select and columns against the schema. */
#include "gr/spec/columns.h"

#include <string.h>
#include <strings.h>

#include "gr/spec/field.h"
#include "gr/spec/names.h"

/* A stream's columns under way. */
struct resolver {
    const struct gr_stream_entry *entry;
    const struct gr_schema *schema;
    const struct gr_schemas *schemas;
    struct gr_notes *notes;
    struct gr_arena *arena;
    struct gr_error *err;
};

/* One word of `select`. */
struct choice {
    const struct gr_yaml_node *at;
    const char *pattern;
    const char *rename; /* or NULL */
    bool is_exclude;
};

struct choices {
    struct choice *items;
    size_t count;
    bool has_include;
    bool has_exclude;
    bool has_all;
};

static const char *
field_name(const struct gr_schema *schema, size_t i)
{
    return schema->columns[i].field;
}

bool
gr_columns_fail(const struct gr_stream_entry *entry, const struct gr_yaml_node *at,
                const char *what, const char *name, struct gr_arena *arena, struct gr_error *err)
{
    size_t count = entry->schema->column_count;
    const char **known = gr_arena_alloc(arena, count + 1, sizeof(known[0]));

    for (size_t i = 0; i < count; i++)
        known[i] = field_name(entry->schema, i);
    (void)gr_yaml_fail(at, err, "\"%s\" names \"%.63s\", which is no column of stream \"%s\"%s",
                       what, name, entry->name, gr_name_did_you_mean(arena, name, known, count));
    return gr_hint(err, "gorgias-replicate --discover --columns --streams %s lists them.",
                   entry->name);
}

/* --- select ------------------------------------------------------------------------------------
 */

static const char *
trim(struct gr_arena *arena, const char *text, size_t len)
{
    while (len > 0 && (*text == ' ' || *text == '\t' || *text == '\n')) {
        text++;
        len--;
    }
    while (len > 0 && strchr(" \t\n", text[len - 1]) != NULL)
        len--;
    return gr_arena_strndup(arena, text, len);
}

static bool
add_choice(const struct resolver *r, struct choices *to, const struct gr_yaml_node *at,
           const char *text)
{
    struct choice choice = {.at = at, .pattern = text};
    const char *as = NULL;

    for (const char *c = text; *c != '\0' && as == NULL; c++)
        if (strncasecmp(c, " as ", 4) == 0)
            as = c;
    if (*text == '@')
        return gr_yaml_fail(at, r->err, "\"%.60s\" in \"select\" is not supported", text);
    if (*text == '-') {
        choice.is_exclude = true;
        choice.pattern = text + 1;
    } else if (as != NULL) {
        choice.pattern = trim(r->arena, text, (size_t)(as - text));
        choice.rename = trim(r->arena, as + 4, strlen(as + 4));
        if (!gr_name_is_plain(choice.rename) || gr_name_is_reserved(choice.rename))
            return gr_yaml_fail(at, r->err,
                                "\"%.63s\" cannot be the name of a column: it must be "
                                "of a-z, 0-9 and _, and not one that every table has",
                                choice.rename);
    }
    if (*choice.pattern == '\0')
        return gr_yaml_fail(at, r->err, "\"select\" holds an empty name");
    to->has_exclude = to->has_exclude || choice.is_exclude;
    to->has_include = to->has_include || !choice.is_exclude;
    to->has_all = to->has_all || strcmp(choice.pattern, "*") == 0;
    to->items[to->count++] = choice;
    return true;
}

static bool
is_chosen(const struct choice *choice, const char *field)
{
    return choice->rename != NULL ? strcmp(choice->pattern, field) == 0
                                  : gr_name_matches(choice->pattern, field);
}

static bool
check_choices(const struct resolver *r, const struct choices *choices)
{
    if (choices->has_include && choices->has_exclude && !choices->has_all)
        return gr_yaml_fail(gr_stream_entry_at(r->entry, NULL, "select"), r->err,
                            "\"select\" mixes names to take and names to leave out; that goes only "
                            "with a \"*\"");
    for (size_t i = 0; i < choices->count; i++) {
        const struct choice *choice = &choices->items[i];
        bool any = false;

        for (size_t j = 0; j < r->schema->column_count && !any; j++)
            any = is_chosen(choice, field_name(r->schema, j));
        if (!any && !(gr_name_is_pattern(choice->pattern) && r->entry->is_expanded))
            return gr_columns_fail(r->entry, choice->at, "select", choice->pattern, r->arena,
                                   r->err);
    }
    return true;
}

static bool
read_choices(const struct resolver *r, struct choices *out)
{
    const struct gr_yaml_node *select = r->entry->select;
    struct gr_texts texts = {0};

    *out = (struct choices){0};
    if (select == NULL || select->kind == GR_YAML_NULL)
        return true;
    if (!gr_field_texts(select, r->arena, &texts, r->err))
        return false;
    if (select->kind == GR_YAML_LIST) {
        out->items = gr_arena_alloc(r->arena, texts.count, sizeof(*out->items));
        for (size_t i = 0; i < texts.count; i++)
            if (!add_choice(r, out, select->items[i],
                            trim(r->arena, texts.items[i], strlen(texts.items[i]))))
                return false;
        return check_choices(r, out);
    }
    out->items = gr_arena_alloc(r->arena, strlen(select->text) + 1, sizeof(*out->items));
    for (const char *from = select->text;; from++) {
        size_t len = strcspn(from, ",");

        if (!add_choice(r, out, select, trim(r->arena, from, len)))
            return false;
        from += len;
        if (*from == '\0')
            break;
    }
    return check_choices(r, out);
}

/* Why a run cannot do without the column, or NULL. */
static const char *
need(const struct resolver *r, const struct gr_column *column)
{
    const struct gr_schema *s = r->schema;

    if (column->is_key)
        return "the primary key";
    if (s->cursor != NULL && strcmp(s->cursor, column->field) == 0)
        return "the order of versions goes by it";
    if (s->parent_key != NULL && strcmp(s->parent_key, column->field) == 0)
        return "it says to which parent a row belongs";
    for (size_t i = 0; i < r->schemas->count; i++) {
        const struct gr_schema *child = &r->schemas->items[i];

        if (child->parent != NULL && strcmp(child->parent, s->stream) == 0 &&
            child->parent_count != NULL && strcmp(child->parent_count, column->field) == 0)
            return "rows of another stream are counted by it";
    }
    return NULL;
}

/* True if the column is in the table; its new name goes to *column. */
static bool
take(const struct resolver *r, const struct choices *choices, struct gr_column *column)
{
    const struct choice *excluded = NULL;
    bool is_in = !choices->has_include;
    const char *why = need(r, column);

    for (size_t i = 0; i < choices->count; i++) {
        const struct choice *choice = &choices->items[i];

        if (!is_chosen(choice, column->field))
            continue;
        if (choice->is_exclude)
            excluded = choice;
        else
            is_in = true;
        if (choice->rename != NULL)
            column->name = choice->rename;
    }
    if (is_in && excluded == NULL)
        return true;
    if (why != NULL && (excluded != NULL || !column->is_key))
        gr_notes_add(r->notes,
                     excluded != NULL ? excluded->at : gr_stream_entry_at(r->entry, NULL, "select"),
                     "stream \"%s\" keeps column \"%s\" all the same: %s", r->entry->name,
                     column->field, why);
    return why != NULL;
}

static bool
check_names(const struct resolver *r, const struct gr_column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(columns[i].name, columns[j].name) == 0)
                return gr_yaml_fail(gr_stream_entry_at(r->entry, NULL, "select"), r->err,
                                    "stream \"%s\" has two columns named \"%s\": the fields \"%s\" "
                                    "and \"%s\"",
                                    r->entry->name, columns[i].name, columns[j].field,
                                    columns[i].field);
    return true;
}

/* --- columns -----------------------------------------------------------------------------------
 */

/* "string(200) | value_len < 255": the word before the bracket; a constraint is not checked here.
 */
static bool
read_type(const struct resolver *r, const struct gr_yaml_node *at, const char *text,
          enum gr_type *out)
{
    size_t len = strcspn(text, "|");
    const char *word;

    if (text[len] == '|')
        gr_notes_add(r->notes, at, "the constraint \"%.60s\" is not checked", text + len + 1);
    word = trim(r->arena, text, strcspn(text, "(|") < len ? strcspn(text, "(|") : len);
    if (gr_type_parse(word, out))
        return true;
    (void)gr_yaml_fail(at, r->err, "unknown type \"%.60s\"", text);
    return gr_hint(r->err, "The types are bigint, double, boolean, text, timestamptz, jsonb and "
                           "Sling's words for them.");
}

/* One name (or pattern, or "*") and its type. */
static bool
set_type(const struct resolver *r, struct gr_column *columns, size_t count,
         const struct gr_yaml_node *at, const char *name, const char *text)
{
    bool is_pattern = gr_name_is_pattern(name);
    bool any = false;
    enum gr_type type;

    if (!read_type(r, at, text, &type))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct gr_column *column = &columns[i];

        if (is_pattern ? !gr_name_matches(name, column->field)
                       : strcmp(name, column->field) != 0 && strcmp(name, column->name) != 0)
            continue;
        any = true;
        if (column->type == type || (is_pattern && need(r, column) != NULL))
            continue;
        if (need(r, column) != NULL)
            return gr_yaml_fail(at, r->err, "column \"%s\" of stream \"%s\" must be %s: %s", name,
                                r->entry->name, gr_type_facts(column->type)->name, need(r, column));
        column->type = type;
    }
    /* A column that select leaves out may have a type all the same. */
    if (!any && !is_pattern && gr_schema_column(r->schema, name) < 0) {
        if (r->entry->is_expanded)
            return true;
        return gr_columns_fail(r->entry, at, "columns", name, r->arena, r->err);
    }
    return true;
}

/* A list's element: "name: type", {name: NAME, type: TYPE} or {NAME: TYPE}. */
static bool
set_type_element(const struct resolver *r, struct gr_column *columns, size_t count,
                 const struct gr_yaml_node *element)
{
    const struct gr_yaml_node *name = gr_yaml_get(element, "name");
    const struct gr_yaml_node *type = gr_yaml_get(element, "type");

    if (element->kind == GR_YAML_TEXT) {
        size_t len = strcspn(element->text, ": ");
        const char *rest = element->text + len + strspn(element->text + len, ": ");

        if (*rest != '\0')
            return set_type(r, columns, count, element,
                            gr_arena_strndup(r->arena, element->text, len), rest);
    }
    if (name != NULL && type != NULL && name->kind == GR_YAML_TEXT && type->kind == GR_YAML_TEXT)
        return set_type(r, columns, count, element, name->text, type->text);
    if (element->kind == GR_YAML_MAP && element->count == 1 &&
        element->items[0]->kind == GR_YAML_TEXT)
        return set_type(r, columns, count, element, element->keys[0]->text,
                        element->items[0]->text);
    return gr_yaml_fail(element, r->err,
                        "an element of \"columns\" must be \"name: type\", found %s",
                        gr_yaml_shown(r->arena, element));
}

static bool
set_types_from_map(const struct resolver *r, struct gr_column *columns, size_t count,
                   const struct gr_yaml_node *map)
{
    /* Patterns first, so that a name beside "*" has its own type wherever it stands. */
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < map->count; i++) {
            const struct gr_yaml_node *value = map->items[i];
            const char *name = map->keys[i]->text;

            if (gr_name_is_pattern(name) != (pass == 0) || value->kind == GR_YAML_NULL)
                continue;
            if (value->kind != GR_YAML_TEXT)
                return gr_yaml_fail(value, r->err,
                                    "the type of column \"%.63s\" must be a word, "
                                    "found %s",
                                    name, gr_yaml_shown(r->arena, value));
            if (!set_type(r, columns, count, map->keys[i], name, value->text))
                return false;
        }
    return true;
}

static bool
set_types(const struct resolver *r, struct gr_column *columns, size_t count)
{
    const struct gr_yaml_node *node = r->entry->columns;

    if (node == NULL || node->kind == GR_YAML_NULL)
        return true;
    if (node->kind == GR_YAML_MAP)
        return set_types_from_map(r, columns, count, node);
    if (node->kind != GR_YAML_LIST)
        return gr_yaml_fail(node, r->err, "\"columns\" must be a mapping or a list, found %s",
                            gr_yaml_shown(r->arena, node));
    for (size_t i = 0; i < node->count; i++)
        if (!set_type_element(r, columns, count, node->items[i]))
            return false;
    return true;
}

bool
gr_columns_resolve(const struct gr_stream_entry *entry, const struct gr_schemas *schemas,
                   struct gr_notes *notes, struct gr_arena *arena, struct gr_plan_stream *stream,
                   struct gr_error *err)
{
    const struct gr_schema *schema = stream->schema;
    struct resolver r = {entry, schema, schemas, notes, arena, err};
    struct gr_column *columns = gr_arena_alloc(arena, schema->column_count, sizeof(*columns));
    const char **ignored = gr_arena_alloc(arena, schema->column_count + 1, sizeof(ignored[0]));
    struct choices choices;
    size_t count = 0;
    size_t ignored_count = 0;

    if (!read_choices(&r, &choices))
        return false;
    stream->cursor_column = -1;
    for (size_t i = 0; i < schema->column_count; i++) {
        struct gr_column column = schema->columns[i];

        if (!take(&r, &choices, &column)) {
            ignored[ignored_count++] = column.field;
            continue;
        }
        if (schema->cursor != NULL && strcmp(schema->cursor, column.field) == 0)
            stream->cursor_column = (int)count;
        columns[count++] = column;
    }
    if (!check_names(&r, columns, count) || !set_types(&r, columns, count))
        return false;
    stream->columns = columns;
    stream->column_count = count;
    stream->key_count = schema->key_count;
    stream->ignored_fields = ignored;
    stream->ignored_count = ignored_count;
    return true;
}
