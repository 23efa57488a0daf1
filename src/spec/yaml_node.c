/* yaml_node.c - what is asked of a tree that was read, and nodes made by hand. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gr/base/buf.h"
#include "gr/spec/yaml.h"

enum { SHOWN_BYTES = 60 };

const struct gr_yaml_node *
gr_yaml_get(const struct gr_yaml_node *node, const char *key)
{
    if (node == NULL || node->kind != GR_YAML_MAP)
        return NULL;
    for (size_t i = 0; i < node->count; i++)
        if (strcmp(node->keys[i]->text, key) == 0)
            return node->items[i];
    return NULL;
}

bool
gr_yaml_bool(const struct gr_yaml_node *node, bool *out)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {
        {"true", true},   {"True", true},   {"TRUE", true}, {"yes", true}, {"Yes", true},
        {"YES", true},    {"on", true},     {"On", true},   {"ON", true},  {"false", false},
        {"False", false}, {"FALSE", false}, {"no", false},  {"No", false}, {"NO", false},
        {"off", false},   {"Off", false},   {"OFF", false},
    };

    if (node->kind != GR_YAML_TEXT || node->is_quoted)
        return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(node->text, words[i].word) == 0) {
            *out = words[i].value;
            return true;
        }
    return false;
}

const char *
gr_yaml_shown(struct gr_arena *arena, const struct gr_yaml_node *node)
{
    switch (node->kind) {
    case GR_YAML_NULL:
        return "nothing";
    case GR_YAML_LIST:
        return "a list";
    case GR_YAML_MAP:
        return "a mapping";
    case GR_YAML_TEXT:
    default:
        return gr_arena_printf(arena, "\"%.*s\"%s", SHOWN_BYTES, node->text,
                               strlen(node->text) > SHOWN_BYTES ? "..." : "");
    }
}

const char *
gr_yaml_key_shown(struct gr_arena *arena, const struct gr_yaml_node *key)
{
    size_t len = strcspn(key->text, ":=");
    size_t shown = len < SHOWN_BYTES ? len : SHOWN_BYTES;

    return gr_arena_printf(arena, "\"%.*s\"%s", (int)shown, key->text,
                           key->text[shown] != '\0' ? "..." : "");
}

bool
gr_yaml_fail(const struct gr_yaml_node *node, struct gr_error *err, const char *fmt, ...)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf what = gr_buf_new(0);
    va_list args;

    va_start(args, fmt);
    gr_buf_vprintf(&what, fmt, args);
    va_end(args);
    return gr_fail(err, GR_FAULT_SPEC, "%s:%zu:%zu: %s", node->file, node->line, node->column,
                   gr_buf_text(&what));
}

const struct gr_yaml_node *
gr_yaml_text(struct gr_arena *arena, const struct gr_yaml_node *at, const char *text)
{
    struct gr_yaml_node *node = gr_arena_alloc(arena, 1, sizeof(*node));

    *node = (struct gr_yaml_node){.kind = GR_YAML_TEXT,
                                  .file = at->file,
                                  .line = at->line,
                                  .column = at->column,
                                  .text = gr_arena_strdup(arena, text),
                                  .is_quoted = true};
    return node;
}

struct gr_yaml_node *
gr_yaml_map(struct gr_arena *arena, const struct gr_yaml_node *at, size_t count)
{
    struct gr_yaml_node *map = gr_arena_alloc(arena, 1, sizeof(*map));

    *map = (struct gr_yaml_node){
        .kind = GR_YAML_MAP, .file = at->file, .line = at->line, .column = at->column, .text = ""};
    map->keys = gr_arena_alloc(arena, count, sizeof(map->keys[0]));
    map->items = gr_arena_alloc(arena, count, sizeof(map->items[0]));
    return map;
}

void
gr_yaml_put(struct gr_yaml_node *map, const struct gr_yaml_node *key,
            const struct gr_yaml_node *value)
{
    map->keys[map->count] = key;
    map->items[map->count] = value;
    map->count++;
}
