/* nested.c - fields of nested values as columns. */
#include "gr/spec/nested.h"

#include <string.h>
#include <strings.h>

#include "gr/spec/names.h"

enum { JOIN_BYTES = sizeof(GR_NESTED_JOIN) - 1 };

static void
push(struct gr_candidates *to, const struct gr_column *column, struct gr_arena *arena)
{
    if (to->count == to->cap) {
        size_t cap = to->cap == 0 ? 64 : 2 * to->cap;
        struct gr_column *items = gr_arena_alloc(arena, cap, sizeof(*items));

        if (to->count > 0)
            memcpy(items, to->items, to->count * sizeof(*items));
        to->items = items;
        to->cap = cap;
    }
    to->items[to->count++] = *column;
}

static const struct gr_column *
find(const struct gr_candidates *in, const char *field)
{
    for (size_t i = 0; i < in->count; i++)
        if (strcmp(in->items[i].field, field) == 0)
            return &in->items[i];
    return NULL;
}

static void
flatten(struct gr_candidates *to, const struct gr_column *column, int64_t depth,
        struct gr_arena *arena)
{
    if (depth == 0 || column->field_count == 0) {
        push(to, column, arena);
        return;
    }
    for (size_t i = 0; i < column->field_count; i++)
        flatten(to, &column->fields[i], depth - 1, arena);
}

/* What stands behind `column` in a name that begins with it, or NULL. */
static const char *
rest_of(const struct gr_column *column, const char *name)
{
    size_t len = strlen(column->field);
    bool is_in = column->type == GR_TYPE_JSONB && strncasecmp(name, column->field, len) == 0 &&
                 strncmp(name + len, GR_NESTED_JOIN, JOIN_BYTES) == 0;

    return is_in && name[len + JOIN_BYTES] != '\0' ? name + len + JOIN_BYTES : NULL;
}

const struct gr_column *
gr_nested_root(const struct gr_schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->column_count; i++)
        if (rest_of(&schema->columns[i], name) != NULL)
            return &schema->columns[i];
    return NULL;
}

bool
gr_nested_is_in(const struct gr_column *column, const char *field)
{
    for (; column != NULL; column = column->within)
        if (strcasecmp(column->field, field) == 0)
            return true;
    return false;
}

/* A field that the schema does not know: text, which takes every value, unless `columns` says
   otherwise. */
static const struct gr_column *
make(const struct gr_column *parent, const char *member, bool is_last, struct gr_arena *arena)
{
    struct gr_column *made = gr_arena_alloc(arena, 1, sizeof(*made));
    const char *field = gr_arena_printf(arena, "%s" GR_NESTED_JOIN "%s", parent->field, member);

    *made =
        (struct gr_column){.name = field,
                           .field = field,
                           .member = member,
                           .within = parent,
                           .description = gr_arena_printf(arena, "%s of %s", member, parent->field),
                           .type = is_last ? GR_TYPE_TEXT : GR_TYPE_JSONB};
    return made;
}

/* The field `rest` of `parent`, where its name may go deeper still. */
static const struct gr_column *
resolve(const struct gr_column *parent, const char *rest, struct gr_arena *arena)
{
    const char *join = strstr(rest, GR_NESTED_JOIN);
    size_t len = join == NULL || join == rest ? strlen(rest) : (size_t)(join - rest);

    for (size_t i = 0; i < parent->field_count; i++) {
        const struct gr_column *known = &parent->fields[i];

        if (strcasecmp(known->member, rest) == 0)
            return known;
        if (strlen(known->member) == len && strncasecmp(known->member, rest, len) == 0 &&
            rest[len] != '\0' && known->type == GR_TYPE_JSONB)
            return resolve(known, rest + len + JOIN_BYTES, arena);
    }
    if (rest[len] == '\0' || rest[len + JOIN_BYTES] == '\0')
        return make(parent, rest, true, arena);
    parent = make(parent, gr_arena_strndup(arena, rest, len), false, arena);
    return resolve(parent, rest + len + JOIN_BYTES, arena);
}

static void
push_matching(struct gr_candidates *to, const struct gr_column *parent, const char *pattern,
              struct gr_arena *arena)
{
    for (size_t i = 0; i < parent->field_count; i++) {
        const struct gr_column *field = &parent->fields[i];

        if (gr_name_matches(pattern, field->field) && find(to, field->field) == NULL)
            push(to, field, arena);
    }
}

struct gr_candidates
gr_nested_candidates(const struct gr_schema *schema, int64_t depth, const struct gr_texts *names,
                     struct gr_arena *arena)
{
    struct gr_candidates found = {0};

    for (size_t i = 0; i < schema->column_count; i++)
        flatten(&found, &schema->columns[i], depth, arena);
    for (size_t n = 0; n < names->count; n++) {
        const char *name = names->items[n];
        const struct gr_column *root = gr_nested_root(schema, name);
        const struct gr_column *field;

        if (strstr(name, GR_NESTED_JOIN) == NULL)
            continue;
        for (size_t i = 0; gr_name_is_pattern(name) && depth == 0 && i < schema->column_count; i++)
            push_matching(&found, &schema->columns[i], name, arena);
        if (root == NULL || gr_name_is_pattern(name) || find(&found, name) != NULL)
            continue;
        field = resolve(root, rest_of(root, name), arena);
        if (find(&found, field->field) == NULL)
            push(&found, field, arena);
    }
    return found;
}
