/*
 * gr/spec/replication.h - a replication file as it is written: Sling's shape, its defaults merged
 * into each stream, its wildcards expanded against the schemas. What the values mean for a run is
 * spec/plan's business.
 *
 * Merging: a key that is absent from a stream takes the default; a key that is written as null does
 * not. source_options and target_options are merged key by key; columns are replaced, unless a name
 * begins with +.
 *
 * Errors  GR_FAULT_SPEC with FILE:LINE:COLUMN
 * Owns    everything lives in the arena that was passed; schemas are borrowed
 */
#ifndef GR_SPEC_REPLICATION_H
#define GR_SPEC_REPLICATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/alloc.h"
#include "gr/base/buf.h"
#include "gr/base/error.h"
#include "gr/spec/field.h"
#include "gr/spec/notes.h"
#include "gr/spec/schema.h"
#include "gr/spec/yaml.h"

struct gr_stream_source_options {
    int64_t limit_rows;      /* 0: none                                */
    const char *range;       /* FROM,TO or NULL                        */
    int64_t lookback_ms;     /* -1: the schema's                       */
    int64_t min_interval_ms; /* 0: none                                */
    const struct gr_yaml_node *flatten;
};

struct gr_stream_target_options {
    const struct gr_yaml_node *delete_missing; /* soft, hard, false or absent */
    bool add_new_columns;
    const struct gr_yaml_node *table_keys;
    const char *pre_sql;
    const char *post_sql;
    int column_casing;        /* enum gr_casing */
    int64_t batch_limit_rows; /* 0: none */
};

/* A stream of the file, or one that a wildcard stands for. */
struct gr_stream_entry {
    const char *name;
    const struct gr_schema *schema;
    const struct gr_yaml_node *key;    /* the stream's name, for messages             */
    const struct gr_yaml_node *own;    /* its own value: a mapping or null            */
    const struct gr_yaml_node *merged; /* with the defaults                           */
    bool is_expanded;                  /* came out of a wildcard                      */
    const char *id;
    const char *description;
    int mode; /* enum gr_mode, or -1 where nothing is said */
    const char *object;
    const struct gr_yaml_node *select;
    struct gr_texts primary_key;
    const char *update_key;
    const struct gr_yaml_node *columns;
    struct gr_texts tags;
    bool is_disabled;
    bool is_single;
    const struct gr_yaml_node *source_map;
    const struct gr_yaml_node *target_map;
    struct gr_stream_source_options source;
    struct gr_stream_target_options target;
};

struct gr_replication {
    const struct gr_yaml_node *root;
    const struct gr_yaml_node *source; /* text nodes: names, or URLs       */
    const struct gr_yaml_node *target;
    const struct gr_yaml_node *connections; /* or NULL                          */
    const struct gr_yaml_node *env;         /* or NULL                          */
    const struct gr_stream_entry *streams;  /* in file order, disabled ones too */
    size_t count;
};

/* The words of `mode`, in the order of enum gr_mode, ended by NULL. */
extern const char *const gr_mode_words[];

/* `env` is --env: "K=V", NULL-terminated, or NULL. Its variables, and those under `env` in the
   file, are replaced in all keys and values but `env` and `connections` themselves. */
bool gr_replication_load(const char *file, const char *const *env, const struct gr_schemas *schemas,
                         struct gr_notes *notes, struct gr_arena *arena, struct gr_replication *out,
                         struct gr_error *err);

/* The value of a key of the stream, or of `group` (source_options, target_options) where that is
   not NULL; the stream's name where there is none: a place for messages. */
const struct gr_yaml_node *gr_stream_entry_at(const struct gr_stream_entry *entry,
                                              const char *group, const char *key);

/* True if the stream itself says the key, not the defaults and not a wildcard. */
bool gr_stream_entry_says(const struct gr_stream_entry *entry, const char *key);

/* The tables of keys, with the titles that they have in print; ended by one without title. */
#define GR_PART_FILE   "The file"
#define GR_PART_STREAM "A stream, and `defaults`"
#define GR_PART_SOURCE "source_options"
#define GR_PART_TARGET "target_options"
struct gr_replication_part {
    const char *title;
    const struct gr_field *fields;
};
extern const struct gr_replication_part gr_replication_parts[];

/* Prints docs/replication-file.md. */
void gr_replication_reference(struct gr_buf *out);

#endif
