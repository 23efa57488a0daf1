/* from_sling.c - every key, and what becomes of it for a file that was written for Sling. */
#include "gr/spec/from_sling.h"

#include <stddef.h>
#include <string.h>

#include "gr/spec/environment.h"
#include "gr/spec/replication.h"

/* What is not the same as in Sling. Of a key that Sling has not, `text` is what it does. */
/* clang-format off */
static const struct mark {
    const char *group; /* title of the table */
    const char *key;
    bool is_own;       /* Sling has no such key */
    const char *text;
} marks[] = {
    {GR_PART_FILE, "connections", true, "connections by name; they come before the environment and env.yaml"},
    {GR_PART_FILE, "env", false,
     "`{NAME}` is replaced in keys and values, never in the structure; a variable that is not set is an error"},
    {GR_PART_STREAM, "mode", false,
     "full-refresh and truncate change only the rows that differ, readers never see an empty table, and views, grants and "
     "indexes stay; an emptied endpoint empties the table. What cannot be incremental is refreshed in full, and the plan says so"},
    {GR_PART_STREAM, "object", false, "an unknown {variable} is an error, not a blank"},
    {GR_PART_STREAM, "primary_key", false, "every endpoint has its key, and the table a real one; another is not used, with a warning"},
    {GR_PART_STREAM, "update_key", false, "every endpoint has its own; another is not used, with a warning"},
    {GR_PART_STREAM, "select", false,
     "the key is never lost, nor what an incremental run goes by; a name that is no column is an error with its place"},
    {GR_PART_STREAM, "columns", false,
     "types have no length; a constraint (behind a bar) is not checked; a value that does not fit goes to `rejected`"},
    {GR_PART_SOURCE, "range", false, "a third part, the step, has no effect, with a warning; mode backfill takes it, too"},
    {GR_PART_SOURCE, "lookback", true, "how far below its bookmark an incremental run reads"},
    {GR_PART_SOURCE, "min_interval", true, "skip the stream when its last complete run is more recent"},
    {GR_PART_SOURCE, "flatten", false,
     "default 0 (nested values stay jsonb columns), where Sling's is 1; all levels are `true`, not 0. See below"},
    {GR_PART_TARGET, "delete_missing", false, "deleted rows of the API are found, not of databases alone; on by default, `hard` for full-refresh, `soft` for incremental"},
    {GR_PART_TARGET, "column_casing", false,
     "`_loaded_at`, `_deleted_at`, `_hash` and `_extra` keep their names in every case"},
    {GR_PART_TARGET, "table_keys", false, "made also for a table that exists; the primary key is the endpoint's"},
    {GR_PART_TARGET, "pre_sql", false, "an error in it fails the stream before anything is written"},
    {GR_PART_TARGET, "batch_limit", false, "rows a transaction at most; a batch is at least one page"},
};

static const struct {
    const char *sling;
    const char *ours;
} commands[] = {
    {"`sling run -r gorgias.yaml`", "`gorgias-replicate run gorgias.yaml`"},
    {"`... --streams tickets,tag:x`", "the same"},
    {"`... --mode full-refresh`, `--range A,B`, `--limit 100`", "the same; a range leaves the bookmark alone"},
    {"`... --env '{ A: b, C: d }'`", "`... --env A=b --env C=d`"},
    {"`... -d`", "`... --log-level debug`"},
    {"", "`... --dry-run` prints the plan"},
    {"`sling conns list`", "`gorgias-replicate validate gorgias.yaml`"},
    {"`sling conns test GORGIAS`", "`gorgias-replicate check gorgias.yaml`"},
    {"`sling conns discover GORGIAS --columns`", "`gorgias-replicate --discover --columns`"},
    {"`sling conns set GORGIAS ...`", "what it has written to env.yaml is read; or `export GORGIAS='{ ... }'`"},
    {"`sling run --src-stream tickets --stdout`", "`gorgias-replicate preview gorgias.yaml tickets`"},
    {"`select` from the table of `SLING_STATE`", "`gorgias-replicate status gorgias.yaml`, and `state`"},
    {"", "`gorgias-replicate audit gorgias.yaml` proves the copy complete"},
};
/* clang-format on */

enum { MARKS = sizeof(marks) / sizeof(marks[0]) };

static const struct mark *
find_mark(const char *group, const char *key)
{
    for (size_t i = 0; i < MARKS; i++)
        if (strcmp(marks[i].group, group) == 0 && strcmp(marks[i].key, key) == 0)
            return &marks[i];
    return NULL;
}

static void
put_key(struct gr_buf *out, const char *group, const struct gr_field *field)
{
    const struct mark *mark = find_mark(group, field->key);

    gr_buf_printf(out, "| `%s` | ", field->key);
    if (field->kind == GR_FIELD_IDLE)
        gr_buf_printf(out, "ignored, with a warning: %s", field->help);
    else if (mark == NULL)
        gr_buf_puts(out, "as in Sling");
    else
        gr_buf_printf(out, "%s: %s", mark->is_own ? "not in Sling" : "works; differs", mark->text);
    gr_buf_puts(out, " |\n");
}

static void
put_part(struct gr_buf *out, const struct gr_replication_part *part)
{
    gr_buf_printf(out, "\n### %s\n\n| key | here |\n|---|---|\n", part->title);
    for (const struct gr_field *field = part->fields; field->key != NULL; field++)
        put_key(out, part->title, field);
}

static void
put_commands(struct gr_buf *out)
{
    gr_buf_puts(out, "\n## Commands\n\n| Sling | here |\n|---|---|\n");
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        gr_buf_printf(out, "| %s | %s |\n", commands[i].sling, commands[i].ours);
    gr_buf_puts(out, "\nExit codes tell what happened: 1 a stream failed, 2 the file or the "
                     "command line is wrong, 3 "
                     "Gorgias refuses or\ncannot be reached, 4 the warehouse, 5 another run has "
                     "the lock, 6 stopped in "
                     "good order. `--streams` that fits\nnothing is 2, not a success.\n");
}

static void
put_nested(struct gr_buf *out)
{
    gr_buf_puts(out, "\n## Nested values\n\n"
                     "With `source_options: { flatten: 1 }` the fields of nested objects are "
                     "columns, such as `customer__id`; `2` "
                     "and\n`true` go deeper. Which columns there are is declared for each endpoint "
                     "(`fields` in `schemas/`), with "
                     "their types:\nthe table is the same whichever rows come first, whether a "
                     "ticket has an assignee or not. Hence\n"
                     "\n"
                     "- arrays, and values that have other keys in each row (`custom_fields`, "
                     "`meta` of tickets), stay one `jsonb` "
                     "column;\n"
                     "- a field that is not declared is kept in `_extra` under its joined name, "
                     "and reported once;\n"
                     "- where an object should be and something else is, that is kept in `_extra`; "
                     "a field whose value does not fit "
                     "its\n  type is null, and its original is in `rejected`;\n"
                     "- one more field, of whatever value, is a column as soon as the file names "
                     "it, with `flatten` or without:\n"
                     "  `columns: { meta__campaign: text }` or `select: [id, customer__email]`;\n"
                     "- a name in the table that is taken or longer than 63 bytes is an error; "
                     "`\"a__b as c\"` gives another.\n"
                     "\n"
                     "A table that was made without `flatten` gets the new columns; run it once "
                     "with `--full-refresh` to fill "
                     "them. Its\ncolumn `customer` stays as it was and is not written any more.\n");
}

static void
put_better(struct gr_buf *out)
{
    gr_buf_puts(out, "\n## What is better\n\n"
                     "- Rows, bookmark and queue are committed together. A run that is killed, by "
                     "whatever, loses nothing and repeats "
                     "a page;\n  Sling saves its state after the data, once, and a stream that "
                     "dies begins anew.\n"
                     "- Messages are incremental: new ones come from the account-wide list, "
                     "changed tickets through a queue that "
                     "survives the\n  run. Sling asks for the messages of every ticket again. "
                     "Events are incremental, too.\n"
                     "- Deleted and merged tickets, customers and messages are seen. `audit` "
                     "proves the copy complete, and repairs "
                     "it.\n"
                     "- The account's budget of requests is kept and shared with other runs; there "
                     "is no 429 to be hit first.\n"
                     "- Tables have a primary key, comments and declared types. Unchanged rows are "
                     "not rewritten.\n"
                     "- U+0000, lone surrogates and numbers out of range stop nothing; originals "
                     "are in `rejected`.\n"
                     "- A typing error in the file is an error with line and column, not a key "
                     "that is ignored.\n"
                     "- It is one program without a token.\n");
}

void
gr_from_sling_reference(struct gr_buf *out)
{
    gr_buf_puts(
        out,
        "# From Sling\n\n"
        "A replication file that runs with Sling runs here as it is, and so do its connections: "
        "the name in the "
        "environment (a\nURL, YAML, JSON, or one of them in base64), `SLING_ENV_YAML`, `env.yaml` "
        "in "
        "`SLING_HOME_DIR` or `~/.sling`.\n[replication-file.md](replication-file.md) explains "
        "every key; this "
        "page says what becomes of those that you have.\n\n"
        "<!-- Printed from the tables of src/spec: gorgias-replicate reference from-sling. -->\n");
    put_commands(out);
    gr_buf_puts(out, "\n## Keys\n");
    for (const struct gr_replication_part *part = gr_replication_parts; part->title != NULL; part++)
        put_part(out, part);
    gr_buf_puts(
        out,
        "\nA key that is in none of these tables is an error, with its place and the key that was "
        "probably meant.\n"
        "\n### Settings: `env`, or the environment of the process\n\n| variable | here "
        "|\n|---|---|\n");
    gr_environment_reference(out);
    put_nested(out);
    put_better(out);
}

static bool
has_key(const struct gr_replication_part *part, const char *key)
{
    for (const struct gr_field *field = part->fields; field->key != NULL; field++)
        if (strcmp(field->key, key) == 0 && field->kind != GR_FIELD_IDLE)
            return true;
    return false;
}

const char *
gr_from_sling_stray(void)
{
    for (size_t i = 0; i < MARKS; i++) {
        bool is_known = false;

        for (const struct gr_replication_part *part = gr_replication_parts; part->title != NULL;
             part++)
            is_known = is_known ||
                       (strcmp(part->title, marks[i].group) == 0 && has_key(part, marks[i].key));
        if (!is_known)
            return marks[i].key;
    }
    return NULL;
}
