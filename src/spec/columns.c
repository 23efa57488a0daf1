/* columns.c - select and columns against the schema. */
#include "gr/spec/columns.h"

#include <string.h>
#include <strings.h>

#include "gr/spec/casing.h"
#include "gr/spec/field.h"
#include "gr/spec/names.h"
#include "gr/spec/nested.h"

/* A stream's columns under way. */
struct resolver {
    const struct gr_stream_entry *entry;
    const struct gr_schema *schema;
    const struct gr_schemas *schemas;
    struct gr_notes *notes;
    struct gr_arena *arena;
    struct gr_error *err;
    struct gr_candidates candidates;
};

/* One word of `select`. */
struct choice {
    const struct gr_yaml_node *at;
    const char *pattern; /* as it is written; letter case does not count */
    const char *folded;
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

bool
gr_columns_fail(const struct gr_stream_entry *entry, const struct gr_yaml_node *at,
                const char *what, const char *name, struct gr_arena *arena, struct gr_error *err)
{
    size_t count = entry->schema->column_count;
    const char **known = gr_arena_alloc(arena, count + 1, sizeof(known[0]));

    for (size_t i = 0; i < count; i++)
        known[i] = entry->schema->columns[i].field;
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

static const char *
unquote(struct gr_arena *arena, const char *name)
{
    size_t len = strlen(name);

    return len > 2 && name[0] == '"' && name[len - 1] == '"'
               ? gr_arena_strndup(arena, name + 1, len - 2)
               : name;
}

/* What PostgreSQL takes for a name in quotes. */
static bool
check_name(const struct resolver *r, const struct gr_yaml_node *at, const char *name)
{
    if (*name != '\0' && strlen(name) <= GR_NAME_BYTES && !gr_name_is_reserved(name))
        return true;
    (void)gr_yaml_fail(at, r->err,
                       "\"%.120s\" cannot be the name of a column: it must have 1 to 63 bytes, and "
                       "not be one that every table has",
                       name);
    return gr_hint(r->err, "select: [\"*\", \"FIELD as NAME\"] gives a column another name.");
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
    if (*text == '-') {
        choice.is_exclude = true;
        choice.pattern = trim(r->arena, text + 1, strlen(text + 1));
    } else if (as != NULL) {
        choice.pattern = trim(r->arena, text, (size_t)(as - text));
        choice.rename = unquote(r->arena, trim(r->arena, as + 4, strlen(as + 4)));
        if (!check_name(r, at, choice.rename))
            return false;
    }
    choice.pattern = unquote(r->arena, choice.pattern);
    choice.folded = gr_casing_apply(GR_CASING_LOWER, choice.pattern, r->arena);
    if (*choice.pattern == '\0')
        return gr_yaml_fail(at, r->err, "\"select\" holds an empty name");
    to->has_exclude = to->has_exclude || choice.is_exclude;
    to->has_include = to->has_include || !choice.is_exclude;
    to->has_all = to->has_all || strcmp(choice.pattern, "*") == 0;
    to->items[to->count++] = choice;
    return true;
}

/* The name of a nested value stands for all its columns. */
static bool
is_chosen(const struct resolver *r, const struct choice *choice, const struct gr_column *column)
{
    if (choice->rename != NULL)
        return strcasecmp(choice->pattern, column->field) == 0 ||
               strcmp(choice->pattern, column->name) == 0;
    return gr_name_matches(choice->folded,
                           gr_casing_apply(GR_CASING_LOWER, column->field, r->arena)) ||
           gr_name_matches(choice->pattern, column->name) ||
           gr_nested_is_in(column, choice->pattern);
}

/* A name that fits no column: a mistake where the stream itself says it. What defaults and
   wildcards say for many streams need not fit each. */
static bool
check_unmatched(const struct resolver *r, const struct choice *choice)
{
    const struct gr_column *root = gr_nested_root(r->schema, choice->pattern);

    if (gr_name_is_pattern(choice->pattern) && r->entry->is_expanded)
        return true;
    if (choice->is_exclude && root != NULL) {
        gr_notes_add(
            r->notes, choice->at,
            "\"-%.63s\" leaves nothing out of stream \"%s\": %s is one jsonb column, unless "
            "flatten says otherwise",
            choice->pattern, r->entry->name, root->field);
        return true;
    }
    if (gr_stream_entry_says(r->entry, "select"))
        return gr_columns_fail(r->entry, choice->at, "select", choice->pattern, r->arena, r->err);
    if (!choice->is_exclude)
        gr_notes_add(r->notes, choice->at,
                     "\"select\" names \"%.63s\", which is no column of stream \"%s\"",
                     choice->pattern, r->entry->name);
    return true;
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

        for (size_t j = 0; j < r->candidates.count && !any; j++)
            any = is_chosen(r, choice, &r->candidates.items[j]);
        if (!any && !check_unmatched(r, choice))
            return false;
    }
    return true;
}

static bool read_element(const struct resolver *r, const struct gr_yaml_node *element,
                         const char **name_out, const char **type_out);

/* The names under `columns`. */
static bool
names_of_columns(const struct resolver *r, struct gr_texts *out)
{
    const struct gr_yaml_node *node = r->entry->columns;
    bool is_there = node != NULL && (node->kind == GR_YAML_MAP || node->kind == GR_YAML_LIST);
    size_t count = is_there ? node->count : 0;
    const char **names = gr_arena_alloc(r->arena, count + 1, sizeof(names[0]));
    const char *type;

    *out = (struct gr_texts){.items = names, .count = count};
    for (size_t i = 0; i < count; i++) {
        if (node->kind == GR_YAML_MAP)
            names[i] = node->keys[i]->text;
        else if (!read_element(r, node->items[i], &names[i], &type))
            return false;
    }
    return true;
}

/* @columns stands for what `columns` names. */
static bool
add_word(const struct resolver *r, struct choices *to, const struct gr_yaml_node *at,
         const char *word, const struct gr_texts *columns)
{
    if (strcmp(word, "@columns") != 0)
        return add_choice(r, to, at, word);
    for (size_t i = 0; i < columns->count; i++)
        if (!add_choice(r, to, at, columns->items[i]))
            return false;
    return true;
}

static bool
read_choices(const struct resolver *r, const struct gr_texts *columns, struct choices *out)
{
    const struct gr_yaml_node *select = r->entry->select;
    struct gr_texts texts = {0};
    size_t most;

    *out = (struct choices){0};
    if (select == NULL || select->kind == GR_YAML_NULL)
        return true;
    if (!gr_field_texts(select, r->arena, &texts, r->err))
        return false;
    most = (select->kind == GR_YAML_LIST ? texts.count : strlen(select->text) + 1) *
           (columns->count + 1);
    out->items = gr_arena_alloc(r->arena, most + 1, sizeof(*out->items));
    if (select->kind == GR_YAML_LIST) {
        for (size_t i = 0; i < texts.count; i++)
            if (!add_word(r, out, select->items[i],
                          trim(r->arena, texts.items[i], strlen(texts.items[i])), columns))
                return false;
        return true;
    }
    for (const char *from = select->text;; from++) {
        size_t len = strcspn(from, ",");

        if (!add_word(r, out, select, trim(r->arena, from, len), columns))
            return false;
        from += len;
        if (*from == '\0')
            return true;
    }
}

/* What `select` takes and `columns` gives a type: it may be fields of nested values. */
static struct gr_texts
wanted_names(const struct resolver *r, const struct choices *choices,
             const struct gr_texts *columns)
{
    const char **names =
        gr_arena_alloc(r->arena, choices->count + columns->count + 1, sizeof(names[0]));
    size_t count = 0;

    for (size_t i = 0; i < choices->count; i++)
        if (!choices->items[i].is_exclude)
            names[count++] = choices->items[i].pattern;
    for (size_t i = 0; i < columns->count; i++)
        names[count++] = columns->items[i];
    return (struct gr_texts){.items = names, .count = count};
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
    const char *rename = NULL;

    for (size_t i = 0; i < choices->count; i++) {
        const struct choice *choice = &choices->items[i];

        if (!is_chosen(r, choice, column))
            continue;
        if (choice->is_exclude)
            excluded = choice;
        else
            is_in = true;
        if (choice->rename != NULL)
            rename = choice->rename;
    }
    if (rename != NULL)
        column->name = rename;
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
check_names(const struct resolver *r, const char *loaded_at, const struct gr_column *columns,
            size_t count)
{
    const struct gr_yaml_node *at = gr_stream_entry_at(r->entry, NULL, "select");

    for (size_t i = 0; i < count; i++) {
        if (!check_name(r, at, columns[i].name))
            return false;
        if (loaded_at != NULL && strcmp(columns[i].name, loaded_at) == 0)
            return gr_yaml_fail(
                at, r->err, "stream \"%s\" has a column \"%s\", which SLING_LOADED_AT_COLUMN names",
                r->entry->name, loaded_at);
        for (size_t j = 0; j < i; j++) {
            if (strcmp(columns[i].name, columns[j].name) != 0)
                continue;
            (void)gr_yaml_fail(at, r->err,
                               "stream \"%s\" has two columns named \"%s\": the fields \"%s\" "
                               "and \"%s\"",
                               r->entry->name, columns[i].name, columns[j].field, columns[i].field);
            return gr_hint(r->err,
                           "select: [\"*\", \"%s as NAME\"] gives one of them another name.",
                           columns[i].field);
        }
    }
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
        gr_notes_add(r->notes, at, "stream \"%s\": the constraint \"%s\" is not checked",
                     r->entry->name, trim(r->arena, text + len + 1, strlen(text + len + 1)));
    word = trim(r->arena, text, strcspn(text, "(|") < len ? strcspn(text, "(|") : len);
    if (gr_type_parse(word, out))
        return true;
    (void)gr_yaml_fail(at, r->err, "unknown type \"%.60s\"", text);
    return gr_hint(r->err, "The types are bigint, double, boolean, text, timestamptz, jsonb and "
                           "Sling's words for them.");
}

/* A name that fits no column of the table. A column that select leaves out may have a type. */
static bool
check_untyped(const struct resolver *r, const struct gr_yaml_node *at, const char *name)
{
    for (size_t i = 0; i < r->candidates.count; i++)
        if (strcasecmp(r->candidates.items[i].field, name) == 0)
            return true;
    for (size_t i = 0; i < r->schema->column_count; i++)
        if (strcasecmp(r->schema->columns[i].field, name) == 0) {
            gr_notes_add(
                r->notes, at,
                "the type of \"%s\" is not used in stream \"%s\": flatten makes columns of "
                "its fields",
                name, r->entry->name);
            return true;
        }
    return !gr_stream_entry_says(r->entry, "columns") ||
           gr_columns_fail(r->entry, at, "columns", name, r->arena, r->err);
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
                       : strcasecmp(name, column->field) != 0 && strcmp(name, column->name) != 0)
            continue;
        any = true;
        if (column->type == type || (is_pattern && need(r, column) != NULL))
            continue;
        if (need(r, column) != NULL)
            return gr_yaml_fail(at, r->err, "column \"%s\" of stream \"%s\" must be %s: %s", name,
                                r->entry->name, gr_type_facts(column->type)->name, need(r, column));
        column->type = type;
    }
    return any || is_pattern || check_untyped(r, at, name);
}

/* A list's element: "name: type", {name: NAME, type: TYPE} or {NAME: TYPE}. */
static bool
read_element(const struct resolver *r, const struct gr_yaml_node *element, const char **name_out,
             const char **type_out)
{
    const struct gr_yaml_node *name = gr_yaml_get(element, "name");
    const struct gr_yaml_node *type = gr_yaml_get(element, "type");

    if (element->kind == GR_YAML_TEXT) {
        size_t len = strcspn(element->text, ": ");

        *name_out = gr_arena_strndup(r->arena, element->text, len);
        *type_out = element->text + len + strspn(element->text + len, ": ");
        if (**type_out != '\0')
            return true;
    } else if (name != NULL && type != NULL && name->kind == GR_YAML_TEXT &&
               type->kind == GR_YAML_TEXT) {
        *name_out = name->text;
        *type_out = type->text;
        return true;
    } else if (element->kind == GR_YAML_MAP && element->count == 1 &&
               element->items[0]->kind == GR_YAML_TEXT) {
        *name_out = element->keys[0]->text;
        *type_out = element->items[0]->text;
        return true;
    }
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
    for (size_t i = 0; i < node->count; i++) {
        const char *name;
        const char *type;

        if (!read_element(r, node->items[i], &name, &type) ||
            !set_type(r, columns, count, node->items[i], name, type))
            return false;
    }
    return true;
}

/* --- the whole ---------------------------------------------------------------------------------
 */

/* Fields of which nothing is in the table, not even a field inside. */
static void
set_ignored(const struct resolver *r, struct gr_plan_stream *stream)
{
    const char **ignored =
        gr_arena_alloc(r->arena, r->schema->column_count + 1, sizeof(ignored[0]));

    stream->ignored_fields = ignored;
    stream->ignored_count = 0;
    for (size_t i = 0; i < r->schema->column_count; i++) {
        const char *field = r->schema->columns[i].field;
        bool is_in = false;

        for (size_t c = 0; c < stream->column_count && !is_in; c++)
            is_in = gr_nested_is_in(&stream->columns[c], field);
        if (!is_in)
            ignored[stream->ignored_count++] = field;
    }
}

/* A reference is followed once, where a value and its id are both columns. */
static void
drop_double_references(struct gr_column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count && columns[i].refers != NULL; j++)
            if (i != j && columns[j].refers != NULL &&
                gr_nested_is_in(&columns[i], columns[j].field))
                columns[i].refers = NULL;
}

static size_t
take_all(const struct resolver *r, const struct choices *choices, struct gr_column *columns)
{
    size_t count = 0;

    for (size_t i = 0; i < r->candidates.count; i++) {
        struct gr_column column = r->candidates.items[i];

        if (take(r, choices, &column))
            columns[count++] = column;
    }
    return count;
}

/* The names that columns have where nothing else is said. */
static void
set_casing(struct resolver *r)
{
    for (size_t i = 0; i < r->candidates.count; i++) {
        struct gr_column *column = &r->candidates.items[i];

        column->name =
            gr_casing_apply((enum gr_casing)r->entry->target.column_casing, column->name, r->arena);
    }
}

bool
gr_columns_resolve(const struct gr_stream_entry *entry, const struct gr_schemas *schemas,
                   struct gr_notes *notes, struct gr_arena *arena, struct gr_plan_stream *stream,
                   struct gr_error *err)
{
    struct resolver r = {entry, stream->schema, schemas, notes, arena, err, {0}};
    struct gr_column *columns;
    struct gr_texts names;
    struct choices choices;
    size_t count;

    if (!names_of_columns(&r, &names) || !read_choices(&r, &names, &choices))
        return false;
    names = wanted_names(&r, &choices, &names);
    r.candidates = gr_nested_candidates(stream->schema, stream->flatten_levels, &names, arena);
    set_casing(&r);
    if (!check_choices(&r, &choices))
        return false;
    columns = gr_arena_alloc(arena, r.candidates.count, sizeof(*columns));
    count = take_all(&r, &choices, columns);
    if (!check_names(&r, stream->loaded_at.name, columns, count) || !set_types(&r, columns, count))
        return false;
    drop_double_references(columns, count);
    stream->columns = columns;
    stream->column_count = count;
    stream->key_count = stream->schema->key_count;
    stream->cursor_column = -1;
    for (size_t i = 0; i < count && stream->schema->cursor != NULL; i++)
        if (strcmp(stream->schema->cursor, columns[i].field) == 0)
            stream->cursor_column = (int)i;
    set_ignored(&r, stream);
    return true;
}
