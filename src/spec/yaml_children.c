/* yaml_children.c - children under way: no key twice, and << merged. */
#include "gr/spec/yaml_children.h"

#include <stdlib.h>
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/attr.h"

/* One of the pairs that compete for a key. */
struct member {
    const char *key;
    size_t place;
    bool is_merged;
};

void
gr_yaml_children_free(struct gr_yaml_children *children)
{
    /* The arrays are const to their readers only. */
    gr_free_var(&children->keys);
    gr_free_var(&children->items);
}

void
gr_yaml_children_add(struct gr_yaml_children *to, const struct gr_yaml_node *key,
                     const struct gr_yaml_node *item)
{
    if (to->count == to->cap) {
        to->cap = to->cap == 0 ? 16 : to->cap * 2;
        to->keys = gr_realloc(to->keys, to->cap, sizeof(struct gr_yaml_node *));
        to->items = gr_realloc(to->items, to->cap, sizeof(struct gr_yaml_node *));
    }
    to->keys[to->count] = key;
    to->items[to->count] = item;
    to->count++;
}

/* --- a key that comes twice --------------------------------------------------------------------
 */

static int
compare_keys(const void *a, const void *b)
{
    const struct gr_yaml_node *x = *(const struct gr_yaml_node *const *)a;
    const struct gr_yaml_node *y = *(const struct gr_yaml_node *const *)b;
    int order = strcmp(x->text, y->text);

    if (order != 0)
        return order;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->column < y->column ? -1 : x->column > y->column ? 1 : 0;
}

/* Sorted, because a hostile file may have fifty thousand keys. */
bool
gr_yaml_children_check(const struct gr_yaml_children *pairs, struct gr_error *err)
{
    GR_CLEANUP(gr_free_var)
    const struct gr_yaml_node **sorted = gr_alloc(pairs->count, sizeof(struct gr_yaml_node *));

    if (pairs->count < 2)
        return true;
    memcpy(sorted, pairs->keys, pairs->count * sizeof(*sorted));
    qsort(sorted, pairs->count, sizeof(*sorted), compare_keys);
    for (size_t i = 1; i < pairs->count; i++)
        if (strcmp(sorted[i]->text, sorted[i - 1]->text) == 0) {
            (void)gr_yaml_fail(sorted[i], err,
                               "key \"%s\" comes a second time; the first is at "
                               "%zu:%zu",
                               sorted[i]->text, sorted[i - 1]->line, sorted[i - 1]->column);
            return gr_hint(err, "Remove one of the two, or join them.");
        }
    return true;
}

/* --- merges ------------------------------------------------------------------------------------
 */

bool
gr_yaml_children_can_merge(const struct gr_yaml_node *value)
{
    if (value->kind != GR_YAML_LIST)
        return value->kind == GR_YAML_MAP;
    for (size_t i = 0; i < value->count; i++)
        if (value->items[i]->kind != GR_YAML_MAP)
            return false;
    return true;
}

static void
add_members(struct gr_yaml_children *to, const struct gr_yaml_node *value)
{
    for (size_t i = 0; i < value->count; i++)
        if (value->kind == GR_YAML_MAP)
            gr_yaml_children_add(to, value->keys[i], value->items[i]);
        else
            add_members(to, value->items[i]);
}

static int
compare_members(const void *a, const void *b)
{
    const struct member *x = a;
    const struct member *y = b;
    int order = strcmp(x->key, y->key);

    if (order != 0)
        return order;
    if (x->is_merged != y->is_merged)
        return x->is_merged ? 1 : -1;
    return x->place < y->place ? -1 : x->place > y->place ? 1 : 0;
}

/* Marks the pairs whose key another pair has with more right. */
static void
mark_lost(const struct gr_yaml_children *all, size_t merged_from, size_t merged_to, bool *is_lost)
{
    GR_CLEANUP(gr_free_var) struct member *members = gr_alloc(all->count, sizeof(*members));

    for (size_t i = 0; i < all->count; i++)
        members[i] = (struct member){
            .key = all->keys[i]->text, .place = i, .is_merged = i >= merged_from && i < merged_to};
    qsort(members, all->count, sizeof(*members), compare_members);
    for (size_t i = 1; i < all->count; i++)
        is_lost[members[i].place] = strcmp(members[i].key, members[i - 1].key) == 0;
}

void
gr_yaml_children_merge(struct gr_yaml_children *pairs)
{
    GR_CLEANUP(gr_yaml_children_free) struct gr_yaml_children all = {0};
    GR_CLEANUP(gr_free_var) bool *is_lost = NULL;
    size_t merged_from = 0;
    size_t merged_to = 0;

    for (size_t i = 0; i < pairs->count; i++) {
        if (pairs->keys[i] != pairs->merge) {
            gr_yaml_children_add(&all, pairs->keys[i], pairs->items[i]);
            continue;
        }
        merged_from = all.count;
        add_members(&all, pairs->items[i]);
        merged_to = all.count;
    }
    pairs->count = 0;
    pairs->merge = NULL;
    if (all.count == 0)
        return;
    is_lost = gr_alloc(all.count, sizeof(*is_lost));
    mark_lost(&all, merged_from, merged_to, is_lost);
    for (size_t i = 0; i < all.count; i++)
        if (!is_lost[i])
            gr_yaml_children_add(pairs, all.keys[i], all.items[i]);
}
