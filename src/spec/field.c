/* field.c - binding of keys to members, and the printing of the tables. */
#include "gr/spec/field.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gr/base/time.h"
#include "gr/spec/names.h"

/* One value on its way into a struct. */
struct binding {
    const struct gr_field *field;
    const struct gr_yaml_node *node;
    void *to;
    struct gr_notes *notes;
    struct gr_arena *arena;
    struct gr_error *err;
};

typedef bool bind_value(const struct binding *b);

static bool bind_text(const struct binding *b);
static bool bind_name(const struct binding *b);
static bool bind_texts(const struct binding *b);
static bool bind_bool(const struct binding *b);
static bool bind_count(const struct binding *b);
static bool bind_share(const struct binding *b);
static bool bind_duration(const struct binding *b);
static bool bind_word(const struct binding *b);
static bool bind_map(const struct binding *b);
static bool bind_node(const struct binding *b);
static bool bind_idle(const struct binding *b);

/* clang-format off */
static const struct {
    const char *expected; /* in messages and in the reference */
    bind_value *bind;
} kinds[GR_FIELD_KINDS] = {
    [GR_FIELD_TEXT]     = {"a text",                              bind_text},
    [GR_FIELD_NAME]     = {"a name (a-z, 0-9 and _)",             bind_name},
    [GR_FIELD_TEXTS]    = {"a list of texts",                     bind_texts},
    [GR_FIELD_BOOL]     = {"true or false",                       bind_bool},
    [GR_FIELD_COUNT]    = {"a whole number",                      bind_count},
    [GR_FIELD_SHARE]    = {"a number above 0 and at most 1",      bind_share},
    [GR_FIELD_DURATION] = {"a duration such as 90s, 5m or 1h30m", bind_duration},
    [GR_FIELD_WORD]     = {"a word",                              bind_word},
    [GR_FIELD_MAP]      = {"a mapping",                           bind_map},
    [GR_FIELD_NODE]     = {"a value",                             bind_node},
    [GR_FIELD_IDLE]     = {"anything",                            bind_idle},
};
/* clang-format on */

static bool
fail_kind(const struct binding *b)
{
    return gr_yaml_fail(b->node, b->err, "\"%s\" must be %s, found %s", b->field->key,
                        kinds[b->field->kind].expected, gr_yaml_shown(b->arena, b->node));
}

static bool
bind_text(const struct binding *b)
{
    if (b->node->kind != GR_YAML_TEXT)
        return fail_kind(b);
    *(const char **)b->to = b->node->text;
    return true;
}

static bool
bind_name(const struct binding *b)
{
    if (b->node->kind != GR_YAML_TEXT || !gr_name_is_plain(b->node->text))
        return fail_kind(b);
    return bind_text(b);
}

bool
gr_field_texts(const struct gr_yaml_node *node, struct gr_arena *arena, struct gr_texts *out,
               struct gr_error *err)
{
    size_t count = node->kind == GR_YAML_LIST ? node->count : node->kind == GR_YAML_TEXT ? 1 : 0;
    const char **items = gr_arena_alloc(arena, count + 1, sizeof(items[0]));

    if (node->kind == GR_YAML_MAP)
        return gr_yaml_fail(node, err, "expected a list of texts, found a mapping");
    for (size_t i = 0; i < count; i++) {
        const struct gr_yaml_node *item = node->kind == GR_YAML_LIST ? node->items[i] : node;

        if (item->kind != GR_YAML_TEXT)
            return gr_yaml_fail(item, err, "expected a text in the list, found %s",
                                gr_yaml_shown(arena, item));
        items[i] = item->text;
    }
    *out = (struct gr_texts){.items = items, .count = count};
    return true;
}

static bool
bind_texts(const struct binding *b)
{
    if (b->node->kind == GR_YAML_MAP)
        return fail_kind(b);
    return gr_field_texts(b->node, b->arena, b->to, b->err);
}

static bool
bind_bool(const struct binding *b)
{
    if (gr_yaml_bool(b->node, b->to))
        return true;
    (void)fail_kind(b);
    return b->node->is_quoted && gr_hint(b->err, "Take the quotes away: they make a text of it.");
}

static bool
bind_count(const struct binding *b)
{
    enum { DIGITS_MAX = 18 };
    size_t len = strlen(b->node->text);

    if (b->node->kind != GR_YAML_TEXT || len == 0 || len > DIGITS_MAX ||
        strspn(b->node->text, "0123456789") != len)
        return fail_kind(b);
    *(int64_t *)b->to = strtoll(b->node->text, NULL, 10);
    return true;
}

static bool
bind_share(const struct binding *b)
{
    size_t len = strlen(b->node->text);
    double value;

    if (b->node->kind != GR_YAML_TEXT || len == 0 || strspn(b->node->text, "0123456789.") != len)
        return fail_kind(b);
    value = strtod(b->node->text, NULL);
    if (!(value > 0 && value <= 1))
        return fail_kind(b);
    *(double *)b->to = value;
    return true;
}

static bool
bind_duration(const struct binding *b)
{
    if (b->node->kind != GR_YAML_TEXT || !gr_duration_parse(b->node->text, b->to))
        return fail_kind(b);
    return true;
}

int
gr_field_word(const char *word, const char *const *words)
{
    for (int i = 0; words[i] != NULL; i++)
        if (strcmp(word, words[i]) == 0)
            return i;
    return -1;
}

bool
gr_field_fail_word(const struct gr_yaml_node *at, const char *what, const char *word,
                   const char *const *words, struct gr_error *err)
{
    struct gr_arena *arena = gr_arena_new();
    size_t count = 0;

    while (words[count] != NULL)
        count++;
    (void)gr_yaml_fail(at, err, "unknown %s \"%.60s\"%s", what, word,
                       gr_name_did_you_mean(arena, word, words, count));
    (void)gr_hint(err, "The words are: %s.", gr_name_list(arena, words, count));
    gr_arena_free(arena);
    return false;
}

static bool
bind_word(const struct binding *b)
{
    int index;

    if (b->node->kind != GR_YAML_TEXT)
        return fail_kind(b);
    index = gr_field_word(b->node->text, b->field->words);
    if (index < 0)
        return gr_field_fail_word(b->node, b->field->key, b->node->text, b->field->words, b->err);
    memcpy(b->to, &index, sizeof(index));
    return true;
}

static bool
bind_map(const struct binding *b)
{
    return b->node->kind == GR_YAML_MAP ? bind_node(b) : fail_kind(b);
}

static bool
bind_node(const struct binding *b)
{
    *(const struct gr_yaml_node **)b->to = b->node;
    return true;
}

static bool
bind_idle(const struct binding *b)
{
    gr_notes_add(b->notes, b->node, "\"%s\" has no effect here%s%s", b->field->key,
                 b->field->help[0] == '\0' ? "" : ": ", b->field->help);
    return true;
}

/* Did-you-mean says nothing of keys that would do nothing. */
static bool
fail_unknown(const struct gr_yaml_node *key, const struct gr_field *table, struct gr_arena *arena,
             struct gr_error *err)
{
    size_t count = 0;
    const char **known;

    while (table[count].key != NULL)
        count++;
    known = gr_arena_alloc(arena, count + 1, sizeof(known[0]));
    count = 0;
    for (const struct gr_field *field = table; field->key != NULL; field++)
        if (field->kind != GR_FIELD_IDLE)
            known[count++] = field->key;
    (void)gr_yaml_fail(key, err, "unknown key %s%s", gr_yaml_key_shown(arena, key),
                       gr_name_did_you_mean(arena, key->text, known, count));
    if (strchr(key->text, ':') != NULL)
        return gr_hint(err, "A space must follow the colon between a key and its value.");
    return gr_hint(err, "The keys here are: %s.", gr_name_list(arena, known, count));
}

static bool
check_keys(const struct gr_yaml_node *map, const struct gr_field *table, struct gr_arena *arena,
           struct gr_error *err)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct gr_field *field = table;

        while (field->key != NULL && strcmp(field->key, map->keys[i]->text) != 0)
            field++;
        if (field->key == NULL)
            return fail_unknown(map->keys[i], table, arena, err);
    }
    return true;
}

bool
gr_field_bind(const struct gr_yaml_node *map, const struct gr_field *table, void *into,
              struct gr_notes *notes, struct gr_arena *arena, struct gr_error *err)
{
    static const struct gr_yaml_node nowhere = {.kind = GR_YAML_NULL, .file = "", .text = ""};
    struct binding b = {.notes = notes, .arena = arena, .err = err};

    if (map == NULL)
        map = &nowhere;
    if (map->kind != GR_YAML_MAP && map->kind != GR_YAML_NULL)
        return gr_yaml_fail(map, err, "expected a mapping, found %s", gr_yaml_shown(arena, map));
    if (!check_keys(map, table, arena, err))
        return false;
    for (b.field = table; b.field->key != NULL; b.field++) {
        b.to = (char *)into + b.field->at;
        b.node = gr_yaml_get(map, b.field->key);
        if (b.node != NULL && b.node->kind == GR_YAML_NULL && b.field->kind != GR_FIELD_NODE)
            b.node = NULL;
        if (b.node == NULL && b.field->is_required)
            return gr_yaml_fail(map, err, "key \"%s\" is missing", b.field->key);
        if (b.node == NULL && b.field->fallback != NULL) {
            struct gr_yaml_node *fallback = gr_arena_alloc(arena, 1, sizeof(*fallback));

            *fallback = nowhere;
            fallback->kind = GR_YAML_TEXT;
            fallback->text = b.field->fallback;
            b.node = fallback;
        }
        if (b.node != NULL && !kinds[b.field->kind].bind(&b))
            return false;
    }
    return true;
}

static void
print_row(struct gr_buf *out, const struct gr_field *field)
{
    gr_buf_printf(out, "| `%s` | ", field->key);
    if (field->kind == GR_FIELD_WORD)
        for (size_t i = 0; field->words[i] != NULL; i++)
            gr_buf_printf(out, "%s`%s`", i == 0 ? "" : ", ", field->words[i]);
    else
        gr_buf_puts(out, kinds[field->kind].expected);
    if (field->is_required)
        gr_buf_puts(out, " | required | ");
    else if (field->fallback != NULL)
        gr_buf_printf(out, " | `%s` | ", field->fallback);
    else
        gr_buf_puts(out, " | | ");
    gr_buf_printf(out, "%s |\n", field->help);
}

void
gr_field_print(struct gr_buf *out, const struct gr_field *table)
{
    size_t idle = 0;

    gr_buf_puts(out, "| key | value | default | meaning |\n|---|---|---|---|\n");
    for (const struct gr_field *field = table; field->key != NULL; field++) {
        if (field->kind == GR_FIELD_IDLE)
            idle++;
        else
            print_row(out, field);
    }
    if (idle == 0)
        return;
    gr_buf_puts(out, "\nAccepted with a warning, because they have no effect here: ");
    for (const struct gr_field *field = table; field->key != NULL; field++)
        if (field->kind == GR_FIELD_IDLE)
            gr_buf_printf(out, "`%s`%s", field->key, --idle == 0 ? ".\n" : ", ");
}
