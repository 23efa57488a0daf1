/*
 * gr/spec/environment.h - `env:` of the file, --env K=V, and the variables that mean something
 * here.
 *
 * --env wins over the file, the file over the process environment. From the latter only
 * SLING_STATE, SLING_THREADS and a few more of the table are read, and what {env.X} asks for.
 *
 * Errors  GR_FAULT_SPEC, GR_FAULT_USAGE for --env
 */
#ifndef GR_SPEC_ENVIRONMENT_H
#define GR_SPEC_ENVIRONMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "gr/spec/connection.h"
#include "gr/spec/notes.h"
#include "gr/spec/plan.h"
#include "gr/spec/replication.h"
#include "gr/spec/variables.h"

enum { GR_THREADS = 16, GR_LANES = 12, GR_THREADS_MAX = 64 };

#define GR_KEEP_RUNS_MS (400 * INT64_C(86400000)) /* a year, and a month to compare it with */

struct gr_environment {
    const char *state_schema;      /* _gorgias_replicate, or what SLING_STATE names */
    int64_t threads;               /* 0: nothing is said of them                    */
    int64_t limit_rows;            /* SLING_LIMIT; 0: none                          */
    bool is_dry_run;               /* SLING_DRY_RUN                                 */
    int64_t max_duration_ms;       /* SLING_TIMEOUT; 0: none                        */
    int64_t keep_runs_ms;          /* GR_KEEP_RUNS, else GR_KEEP_RUNS_MS; 0: forever */
    struct gr_loaded_at loaded_at; /* SLING_LOADED_AT_COLUMN                   */
};

/* `extra` is --env: "K=V", NULL-terminated, or NULL. Sets {NAME} and {env.NAME} in `variables`. */
bool gr_environment_load(const struct gr_replication *replication, const char *const *extra,
                         const struct gr_target *target, struct gr_variables *variables,
                         struct gr_notes *notes, struct gr_environment *out, struct gr_error *err);

/* Prints a row of Markdown for each of Sling's settings. */
void gr_environment_reference(struct gr_buf *out);

#endif
