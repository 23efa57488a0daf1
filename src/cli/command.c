/* command.c - the table of commands, and how they come by their plan. */
#include "gr/cli/command.h"

#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/sink/pg.h"
#include "gr/spec/connection.h"

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
    [GR_COMMAND_INIT] = {
        "init", "FILE", "try account and database, write a replication file",
        gr_command_init, false},
    [GR_COMMAND_PREVIEW] = {
        "preview", "FILE STREAM", "print rows as they would be stored, as JSON lines",
        gr_command_preview, false},
    [GR_COMMAND_STATUS] = {
        "status", "FILE", "say how each stream stands, from the state alone",
        gr_command_status, false},
    [GR_COMMAND_STATE] = {
        "state", "FILE show|reset|set [STREAM...]", "show bookmarks, or change them",
        gr_command_state, false},
    [GR_COMMAND_REPORT] = {
        "report", "FILE", "write a page to look at: freshness, runs, queues",
        gr_command_report, false},
    [GR_COMMAND_REFERENCE] = {
        "reference", "PAGE", "print a page of the reference, the manual page or a shell's completion",
        gr_command_reference, true},
};

const char *const gr_command_details[GR_COMMAND_COUNT] = {
    [GR_COMMAND_INIT] =
        "In the first minute:\n"
        "  export GORGIAS='{ type: gorgias, subdomain: mycompany, email: me@example.com, api_key: xxx }'\n"
        "  export WAREHOUSE='" GR_TARGET_EXAMPLE "'\n"
        "  gorgias-replicate init replication.yaml\n"
        "  gorgias-replicate run replication.yaml\n"
        "\n"
        "The key is in Gorgias under Settings > REST API. Where the variables are not set, connections\n"
        "are taken from Sling's env.yaml. Every endpoint and privilege is tried; the file lists all\n"
        "streams, names the connections, and holds no secret. A file that exists is not overwritten,\n"
        "and where something that is needed fails (exit 3 or 4), none is written.\n",
    [GR_COMMAND_PREVIEW] =
        "10 rows, unless --limit says otherwise; newest first where a run would read them so. Columns\n"
        "are named, chosen and typed as in the table; _extra has the fields that the schema does not\n"
        "name. The warehouse is not connected to.\n",
    [GR_COMMAND_STATUS] =
        "Nothing is asked of the API, and SELECT on the state schema is enough. LAG is how long ago\n"
        "the last complete reading of a stream began; DRAINS IN is what its queue takes under the\n"
        "rate limit. Exit 0 however the streams stand: programs read `ok` of --output json.\n",
    [GR_COMMAND_REPORT] =
        "  gorgias-replicate report FILE -o report.html\n"
        "\n"
        "One page of HTML that needs nothing else: no script, no font, no network. Its first line says\n"
        "whether all is well. Nothing is asked of the API, and SELECT on the state schema is enough.\n"
        "The page takes its place at once, so that nobody reads half of it; -o - writes it to stdout.\n"
        "Exit 0 however the streams stand.\n",
    [GR_COMMAND_STATE] =
        "  state FILE show [STREAM...]      bookmarks, unfinished walks, queues\n"
        "  state FILE reset STREAM...       the next run begins anew, at anchor_date\n"
        "  state FILE set STREAM DATETIME   the next run goes on from there\n"
        "\n"
        "STREAM may be a pattern, but for set. Rows and queues stay as they are. Both take the lock of a\n"
        "run: while one is at work they end with exit 5.\n",
    [GR_COMMAND_AUDIT] =
        "Each stream is compared by its whole list, or, where that is too long for --max-requests, by\n"
        "ids, in windows that go on from audit to audit. MISSING rows were loaded, GONE ones deleted or\n"
        "marked, CHANGED (stale) ones written anew, in the transaction that records them; NOT DUE are\n"
        "those that the next run would have seen to. Exit 1 if any row was missing or gone, 0 only if\n"
        "everything was checked, else 6; RESULT says why something was not.\n",
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
