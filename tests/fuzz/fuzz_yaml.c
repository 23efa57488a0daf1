/* layers: spec */
/* fuzz_yaml.c - any bytes as YAML: a tree within its limits in which every node has its place, the
   same one each time, or one line that says where the text goes wrong. */
#include "fuzz.h"
#include "gr/spec/yaml.h"

/* What the tree comes to with every alias written out. */
struct tally {
    size_t nodes;
    size_t bytes;
};

static void
require_node(const struct gr_yaml_node *node, size_t depth, struct tally *tally)
{
    require(depth <= GR_YAML_DEPTH);
    require(++tally->nodes <= GR_YAML_NODES);
    require(strcmp(node->file, "f") == 0 && node->line >= 1 && node->column >= 1);
    require_text(node->text, strlen(node->text));
    tally->bytes += strlen(node->text);
    require(tally->bytes <= 2 * GR_YAML_BYTES);
    require(node->kind >= GR_YAML_LIST || node->count == 0);
    require(node->kind == GR_YAML_TEXT || node->text[0] == '\0' || node->kind == GR_YAML_NULL);
    for (size_t i = 0; i < node->count; i++) {
        require_node(node->items[i], depth + 1, tally);
        if (node->kind != GR_YAML_MAP)
            continue;
        require_node(node->keys[i], depth + 1, tally);
        require(gr_yaml_get(node, node->keys[i]->text) == node->items[i]);
    }
}

static bool
is_same(const struct gr_yaml_node *a, const struct gr_yaml_node *b)
{
    bool same = a->kind == b->kind && a->line == b->line && a->column == b->column &&
                a->is_quoted == b->is_quoted && a->count == b->count &&
                strcmp(a->text, b->text) == 0;

    for (size_t i = 0; same && i < a->count; i++)
        same = is_same(a->items[i], b->items[i]) &&
               (a->kind != GR_YAML_MAP || strcmp(a->keys[i]->text, b->keys[i]->text) == 0);
    return same;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gr_arena *arena = gr_arena_new();
    const struct gr_yaml_node *root = NULL;
    const struct gr_yaml_node *again = NULL;
    struct tally tally = {0};
    struct gr_error err;

    if (gr_yaml_parse("f", (const char *)data, size, arena, &root, &err)) {
        require_node(root, 0, &tally);
        require(gr_yaml_parse("f", (const char *)data, size, arena, &again, &err));
        require(is_same(root, again));
    } else {
        require_error(&err, GR_FAULT_SPEC);
        require(strncmp(err.message, "f:", 2) == 0);
    }
    gr_arena_free(arena);
    return 0;
}
