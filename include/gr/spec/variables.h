/*
 * gr/spec/variables.h - {NAME} in object, pre_sql and post_sql.
 *
 * Only what looks like a name in braces is a variable, so SQL's own braces ('{}', '{"a": 1}') stay
 * as they are. An unknown one is an error: a typing error must not put every stream into one table.
 *
 * Errors  GR_FAULT_SPEC with the place of the text
 * Owns    texts live in the arena
 */
#ifndef GR_SPEC_VARIABLES_H
#define GR_SPEC_VARIABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/alloc.h"
#include "gr/base/error.h"
#include "gr/spec/yaml.h"

struct gr_variable {
    const char *name;
    const char *value;
};

struct gr_variables {
    struct gr_arena *arena;    /* borrowed                                     */
    struct gr_variable *items; /* later ones win; shorten `count` to forget    */
    size_t count;
    size_t cap;
};

void gr_variables_set(struct gr_variables *variables, const char *name, const char *value);

/* Sets {run_timestamp}, {timestamp.date}, {YYYY}, ... from the time of the run. */
void gr_variables_set_time(struct gr_variables *variables, int64_t now_us);

/* Replaces the variables of `text`, which stands at `at`. {env.X} falls back to the environment. */
bool gr_variables_expand(const struct gr_variables *variables, const struct gr_yaml_node *at,
                         const char *text, const char **out, struct gr_error *err);

/* Replaces those of the variables that are known, and leaves all else as it is. */
const char *gr_variables_replace(const struct gr_variables *variables, const char *text);

#endif
