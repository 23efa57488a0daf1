/* command.c - the table of commands, and how they come by their plan. */
#include "gr/cli/command.h"

#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/sink/pg.h"

/* clang-format off */
const struct gr_command gr_commands[GR_COMMAND_COUNT] = {
    [GR_COMMAND_RUN] = {
        "run", "FILE", "replicate the streams of a replication file",
        gr_command_run, false},
    [GR_COMMAND_DISCOVER] = {
        "discover", "", "list what can be replicated (also: --discover)",
        gr_command_discover, false},
    [GR_COMMAND_CHECK] = {
        "check", "FILE", "try credentials, endpoints, warehouse and privileges",
        gr_command_check, false},
    [GR_COMMAND_VALIDATE] = {
        "validate", "FILE", "check a replication file offline, print its plan",
        gr_command_validate, false},
    [GR_COMMAND_AUDIT] = {
        "audit", "FILE", "prove the copy complete, repair what is not",
        gr_command_audit, false},
    [GR_COMMAND_REFERENCE] = {
        "reference", "PAGE", "print a page of the reference as Markdown",
        gr_command_reference, true},

    /* Planned and not there yet: the names are taken, and say so. */
    [GR_COMMAND_INIT]    = {"init", "FILE", "write a replication file", NULL, true},
    [GR_COMMAND_PREVIEW] = {"preview", "FILE STREAM", "print rows as JSON lines", NULL, true},
    [GR_COMMAND_STATUS]  = {"status", "FILE", "show the last run of each stream", NULL, true},
    [GR_COMMAND_STATE]   = {"state", "FILE", "show or change bookmarks", NULL, true},
    [GR_COMMAND_REPORT]  = {"report", "FILE", "write a page about the replication", NULL, true},
};
/* clang-format on */

bool
gr_command_plan(const struct gr_options *options, struct gr_plan *out, struct gr_error *err)
{
    struct gr_plan_options ask = {
        .schemas_folder = options->schemas,
        .streams = options->streams,
        .mode = options->is_full_refresh ? gr_mode_name(GR_MODE_FULL_REFRESH) : options->mode,
        .range = options->range,
        .limit_rows = options->limit_rows,
        .threads = options->threads,
        .is_audit = options->command == &gr_commands[GR_COMMAND_AUDIT],
        .env = options->env.items,
        .now_us = gr_clock_us(),
    };

    if (!gr_plan_load(options->file, &ask, out, err))
        return false;
    if (!gr_pg_judge(&out->target, err)) {
        gr_plan_free(out);
        return gr_fail_in(err, "%s", options->file);
    }
    for (size_t i = 0; i < out->warning_count; i++)
        gr_log(GR_LOG_WARN, NULL, out->warnings[i], NULL);
    return true;
}
