/* casing.c - names of columns in the case that is asked for. */
#include "gr/spec/casing.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

const char *const gr_casing_words[] = {
    [GR_CASING_NORMALIZE] = "normalize", [GR_CASING_SOURCE] = "source",
    [GR_CASING_TARGET] = "target",       [GR_CASING_SNAKE] = "snake",
    [GR_CASING_UPPER] = "upper",         [GR_CASING_LOWER] = "lower",
    [GR_CASING_CAMEL] = "camel",         [GR_CASING_CAMEL + 1] = NULL,
};

static bool
is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool
is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static char
to_lower(char c)
{
    return is_upper(c) ? (char)(c - 'A' + 'a') : c;
}

static char
to_upper(char c)
{
    return is_lower(c) ? (char)(c - 'a' + 'A') : c;
}

static bool
is_plain_case(const char *name)
{
    bool has_lower = false;
    bool has_upper = false;

    for (const char *c = name; *c != '\0'; c++) {
        has_lower = has_lower || is_lower(*c);
        has_upper = has_upper || is_upper(*c);
        if (!is_lower(*c) && !is_upper(*c) && *c != '_' && (*c < '0' || *c > '9'))
            return false;
    }
    return !(has_lower && has_upper);
}

/* Where a capital comes behind a small letter or a digit, a new word begins. */
static const char *
part_words(const char *name, struct gr_arena *arena)
{
    char *parted = gr_arena_alloc(arena, 2 * strlen(name) + 1, 1);
    char *to = parted;

    for (const char *c = name; *c != '\0'; c++) {
        if (c > name && is_upper(*c) && (is_lower(c[-1]) || (c[-1] >= '0' && c[-1] <= '9')))
            *to++ = '_';
        *to++ = *c;
    }
    *to = '\0';
    return parted;
}

static const char *
map(const char *name, char (*of)(char), struct gr_arena *arena)
{
    char *mapped = gr_arena_strndup(arena, name, strlen(name));

    for (char *c = mapped; *c != '\0'; c++)
        *c = of(*c);
    return mapped;
}

static const char *
join_words(const char *name, struct gr_arena *arena)
{
    char *joined = gr_arena_strndup(arena, name, strlen(name));
    char *to = joined;
    bool is_start = false;

    for (const char *c = name; *c != '\0'; c++) {
        if (*c == '_' || *c == '-' || *c == ' ') {
            is_start = to > joined;
            continue;
        }
        *to++ = is_start ? to_upper(*c) : *c;
        is_start = false;
    }
    *to = '\0';
    return to > joined ? joined : name;
}

const char *
gr_casing_apply(enum gr_casing casing, const char *name, struct gr_arena *arena)
{
    switch (casing) {
    case GR_CASING_SOURCE:
        return name;
    case GR_CASING_NORMALIZE:
        return is_plain_case(name) ? map(name, to_lower, arena) : name;
    case GR_CASING_UPPER:
        return map(name, to_upper, arena);
    case GR_CASING_LOWER:
    case GR_CASING_TARGET:
        return map(name, to_lower, arena);
    case GR_CASING_SNAKE:
        return map(part_words(name, arena), to_lower, arena);
    case GR_CASING_CAMEL:
        return join_words(map(part_words(name, arena), to_lower, arena), arena);
    }
    return name;
}
