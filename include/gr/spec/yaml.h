/*
 * gr/spec/yaml.h - a YAML text as a tree whose every node knows FILE:LINE:COLUMN.
 *
 * A subset on purpose: one document of mappings, lists and scalars. Refused, each with its place:
 * tags but the core ones, several documents, a key that comes twice, keys that are no texts, more
 * than 1 MiB, 64 levels or 100,000 nodes, and bytes that are no UTF-8. JSON is YAML, and so are its
 * pairs of surrogates.
 *
 * An alias (*name) is the node of its anchor (&name) itself, which keeps its place: nodes may be
 * shared, so the tree is one to its readers only, without cycles. The limits hold for the tree with
 * every alias written out. A merge (<<: *name or <<: [*a, *b]) is done when the tree is there: its
 * members stand where << stood; a key of the mapping itself wins, then the earlier of the list.
 *
 * Nothing is typed but null: a plain `null`, `~` or nothing at all. Whether `on`, `3` or
 * `2024-01-01` is a boolean, a number or a text is for the reader of the value to say. `${NAME}` is
 * one piece of text also inside of { } and [ ], where braces otherwise have a meaning.
 *
 * Shape   gr_yaml_load or gr_yaml_parse, then gr_yaml_get and the struct's members
 * Units   lines and columns count from 1, columns in characters
 * Errors  GR_FAULT_SPEC; a file that cannot be read too
 * Owns    the tree lives in the arena that was passed
 * Source  YAML 1.1 as libyaml 0.2.5 reads it
 */
#ifndef GR_SPEC_YAML_H
#define GR_SPEC_YAML_H

#include <stdbool.h>
#include <stddef.h>

#include "gr/base/alloc.h"
#include "gr/base/attr.h"
#include "gr/base/error.h"

enum { GR_YAML_BYTES = 1 << 20, GR_YAML_DEPTH = 64, GR_YAML_NODES = 100000 };

enum gr_yaml_kind { GR_YAML_NULL, GR_YAML_TEXT, GR_YAML_LIST, GR_YAML_MAP };

struct gr_yaml_node {
    enum gr_yaml_kind kind;
    const char *file;
    size_t line;
    size_t column;
    const char *text; /* GR_YAML_TEXT: zero-terminated, without zero bytes inside; else "" */
    bool is_quoted;   /* GR_YAML_TEXT: not plain                                          */
    size_t count;     /* items, or pairs                                                  */
    const struct gr_yaml_node **keys;  /* GR_YAML_MAP: texts, in the file's order         */
    const struct gr_yaml_node **items; /* GR_YAML_LIST, GR_YAML_MAP                       */
};

/* Reads the file `path`. */
bool gr_yaml_load(const char *path, struct gr_arena *arena, const struct gr_yaml_node **out,
                  struct gr_error *err);

/* Reads a text; `file` is what positions are said in. */
bool gr_yaml_parse(const char *file, const char *text, size_t len, struct gr_arena *arena,
                   const struct gr_yaml_node **out, struct gr_error *err);

/* The value at `key` of a mapping; NULL when there is none, or `node` is no mapping or NULL. */
const struct gr_yaml_node *gr_yaml_get(const struct gr_yaml_node *node, const char *key);

/* A plain true, false, yes, no, on or off in any of YAML 1.1's letter cases. */
bool gr_yaml_bool(const struct gr_yaml_node *node, bool *out);

/* What stands there, for messages: `a list`, `nothing`, `"text"`. */
const char *gr_yaml_shown(struct gr_arena *arena, const struct gr_yaml_node *node);

/* A key for messages: where a space is forgotten behind a colon, its value is a part of the key,
   and may be a secret. So what comes behind a colon or an equals sign is not shown. */
const char *gr_yaml_key_shown(struct gr_arena *arena, const struct gr_yaml_node *key);

/* gr_fail with GR_FAULT_SPEC and the node's FILE:LINE:COLUMN in front. */
bool gr_yaml_fail(const struct gr_yaml_node *node, struct gr_error *err, const char *fmt, ...)
    GR_PRINTF(3, 4);

/* A text node made by hand, at the place of `at`. */
const struct gr_yaml_node *gr_yaml_text(struct gr_arena *arena, const struct gr_yaml_node *at,
                                        const char *text);

/* An empty mapping at the place of `at` with room for `count` pairs, and what fills it. */
struct gr_yaml_node *gr_yaml_map(struct gr_arena *arena, const struct gr_yaml_node *at,
                                 size_t count);
void gr_yaml_put(struct gr_yaml_node *map, const struct gr_yaml_node *key,
                 const struct gr_yaml_node *value);

/* Reads at most `limit_bytes` of a file into the arena; the text is zero-terminated. */
bool gr_yaml_slurp(const char *path, size_t limit_bytes, struct gr_arena *arena,
                   const char **text_out, size_t *len_out, struct gr_error *err);

#endif
