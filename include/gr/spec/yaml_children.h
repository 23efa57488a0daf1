/*
 * gr/spec/yaml_children.h - what a list or a mapping holds, while gr/spec/yaml.h reads it.
 *
 * Shape   gr_yaml_children_add for each; of a mapping then gr_yaml_children_check and, where it has
 *         a merge, gr_yaml_children_merge; GR_CLEANUP(gr_yaml_children_free)
 * Errors  GR_FAULT_SPEC
 * Owns    the two arrays, not the nodes
 */
#ifndef GR_SPEC_YAML_CHILDREN_H
#define GR_SPEC_YAML_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>

#include "gr/base/error.h"
#include "gr/spec/yaml.h"

struct gr_yaml_children {
    const struct gr_yaml_node **keys; /* NULL each in a list                                   */
    const struct gr_yaml_node **items;
    size_t count;
    size_t cap;
    const struct gr_yaml_node *merge; /* that of the keys which is a plain <<, or NULL         */
};

void gr_yaml_children_free(struct gr_yaml_children *children);

void gr_yaml_children_add(struct gr_yaml_children *to, const struct gr_yaml_node *key,
                          const struct gr_yaml_node *item);

/* Refuses a key that is written twice. */
bool gr_yaml_children_check(const struct gr_yaml_children *pairs, struct gr_error *err);

/* True if << can stand before it: a mapping or a list of mappings. */
bool gr_yaml_children_can_merge(const struct gr_yaml_node *value);

/*
 * Puts the members of what << names in its place. A key that is written in the mapping itself wins,
 * then the one of the mapping that << names first.
 */
void gr_yaml_children_merge(struct gr_yaml_children *pairs);

#endif
