/*
 * gr/spec/plan.h - what a run will do: the replication file, its connections and the schemas,
 * resolved into an ordered list of streams in which nothing is left to be decided.
 *
 * Order: a stream comes after those that feed it (events, then tickets, then ticket_messages, ...),
 * otherwise as the file has it.
 *
 * Errors  GR_FAULT_SPEC with FILE:LINE:COLUMN, GR_FAULT_USAGE for what the command line says
 * Owns    everything lives in the plan's arena; const after the load
 */
#ifndef GR_SPEC_PLAN_H
#define GR_SPEC_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/alloc.h"
#include "gr/base/error.h"
#include "gr/spec/connection.h"
#include "gr/spec/schema.h"

enum gr_mode {
    GR_MODE_INCREMENTAL,
    GR_MODE_FULL_REFRESH,
    GR_MODE_TRUNCATE,
    GR_MODE_SNAPSHOT,
    GR_MODE_BACKFILL,
    GR_MODE_DEFINITION_ONLY,
    GR_MODE_AUDIT, /* of the command audit: no word in a file or of --mode */
    GR_MODE_COUNT
};

const char *gr_mode_name(enum gr_mode mode);

/* The mode that `word` names. */
bool gr_mode_parse(const char *word, enum gr_mode *mode_out);

enum gr_missing { GR_MISSING_SOFT, GR_MISSING_HARD };

/* An index that table_keys asks for. */
struct gr_table_key {
    const char *const *columns;
    size_t count;
    bool is_unique;
};

/* A second column of the time of loading, under the name and in the form that Sling gives it. */
struct gr_loaded_at {
    const char *name; /* _sling_loaded_at; NULL: none       */
    bool is_unix;     /* seconds since 1970, not timestamptz */
};

struct gr_plan_stream {
    const char *name; /* tickets                                               */
    const char *description;
    const struct gr_schema *schema;
    enum gr_mode mode;
    enum gr_mode audited;     /* GR_MODE_AUDIT: the mode of its runs, incremental or full     */
    bool goes_along;          /* not asked for, but made from a stream that is          */
    const char *note;         /* "" or why the mode is not the one that was asked for  */
    const char *table_schema; /* identifiers, unquoted                                 */
    const char *table_name;
    const struct gr_column *columns; /* after select, columns and casing; key columns first  */
    size_t column_count;
    size_t key_count;
    int cursor_column;                 /* index into columns of the bookmark's column, or -1    */
    const char *const *ignored_fields; /* API fields that `select` leaves out: not _extra    */
    size_t ignored_count;
    int64_t flatten_levels; /* 0: nested values stay whole                           */
    int64_t lookback_ms;
    int64_t limit_rows;    /* 0: none                                               */
    int64_t range_from_us; /* GR_TIME_NONE: open                                    */
    int64_t range_to_us;
    bool has_range;
    enum gr_missing missing;
    bool add_new_columns;
    const char *pre_sql; /* or NULL                                               */
    const char *post_sql;
    const struct gr_table_key *table_keys;
    size_t table_key_count;
    int64_t batch_limit_rows; /* 0: none                                               */
    const char *const *tags;
    size_t tag_count;
    struct gr_loaded_at loaded_at;
    int64_t min_interval_ms; /* skip when the last complete run is more recent; 0: never */
};

struct gr_plan {
    struct gr_arena *arena;    /* owned                                                 */
    struct gr_schemas schemas; /* owned                                                 */
    const char *file;
    bool is_audit; /* all streams are of GR_MODE_AUDIT                      */
    struct gr_source source;
    struct gr_target target;
    const char *state_schema; /* _gorgias_replicate, or what SLING_STATE names         */
    const struct gr_plan_stream *streams; /* those that were selected, in running order       */
    size_t count;
    const struct gr_plan_stream *file_streams; /* those of the file that are not disabled, selected
                                       or not                                                 */
    size_t file_stream_count;
    const char *const *all_objects; /* schema.table of every stream of the file, sorted: what
                                       makes two runs runs of the same replication           */
    size_t all_object_count;
    const char *const *warnings; /* what the operator should know, one line each          */
    size_t warning_count;
    bool is_dry_run;         /* SLING_DRY_RUN: nothing is to be written                */
    int64_t threads;         /* requests in flight at most; also from SLING_THREADS       */
    int64_t lanes;           /* ... of one stream                                       */
    int64_t max_duration_ms; /* SLING_TIMEOUT, where no option comes before it; 0: none */
    int64_t keep_runs_ms;    /* from GR_KEEP_RUNS, else 400 days; 0: for ever           */
};

/* What the command line adds to the file; NULL, 0 or false where it says nothing. */
struct gr_plan_options {
    const char *schemas_folder;
    const char *streams; /* "a,b*,tag:x,-tag:y"                                       */
    const char *mode;    /* word                                                      */
    const char *range;   /* FROM,TO                                                   */
    int64_t limit_rows;
    int64_t threads;
    bool is_audit;          /* streams are compared, not replicated                      */
    const char *const *env; /* "K=V", NULL-terminated, or NULL                           */
    int64_t now_us;         /* the time of the run, for variables and the default anchor */
};

/* Reads FROM,TO: two instants (gr_time_parse) of which one may be empty. */
bool gr_range_parse(const char *text, int64_t *from_us_out, int64_t *to_us_out);

/* Reads the file and resolves it. */
bool gr_plan_load(const char *file, const struct gr_plan_options *options, struct gr_plan *out,
                  struct gr_error *err);
void gr_plan_free(struct gr_plan *plan);

/* The stream of this name, selected or not; NULL where the file has none, or it is disabled. */
const struct gr_plan_stream *gr_plan_find(const struct gr_plan *plan, const char *name);

#endif
