/* state.c - the command that shows bookmarks, and changes them. */
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/cli/command.h"
#include "gr/cli/doc.h"
#include "gr/cli/frame.h"
#include "gr/cli/grid.h"
#include "gr/cli/memory_view.h"
#include "gr/cli/moment.h"
#include "gr/cli/output.h"
#include "gr/cli/text.h"
#include "gr/sink/amend.h"
#include "gr/sink/overview.h"
#include "gr/sink/state.h"
#include "gr/spec/names.h"

/* --- show ----------------------------------------------------------------------------------- */

static void
put_line(struct gr_grid *grid, const struct gr_overview_stream *stream)
{
    struct gr_buf *unfinished;

    gr_grid_put(grid, stream->stream);
    gr_grid_put(grid, stream->object);
    gr_moment_put(stream->bookmark_us, "-", gr_grid_cell(grid));
    gr_moment_put(stream->completed_us, "never", gr_grid_cell(grid));
    gr_grid_put_number(grid, stream->queue);
    unfinished = gr_grid_cell(grid);
    gr_memory_view_put(stream->walk, unfinished);
    if (stream->audit != NULL)
        gr_text_join(unfinished, "an audit goes on");
    if (unfinished->len == 0)
        gr_buf_puts(unfinished, "-");
}

static void
put_table(const struct gr_overview *overview, struct gr_buf *out)
{
    static const struct gr_grid_column columns[] = {
        {.title = "STREAM"},
        {.title = "OBJECT"},
        {.title = "BOOKMARK"},
        {.title = "COMPLETE"},
        {.title = "QUEUE", .is_right = true},
        {.title = "UNFINISHED"},
    };
    GR_CLEANUP(gr_grid_free_var)
    struct gr_grid *grid = gr_grid_new(columns, sizeof(columns) / sizeof(columns[0]));

    for (size_t i = 0; i < overview->count; i++)
        put_line(grid, &overview->streams[i]);
    gr_grid_print(grid, 0, out);
    if (!overview->has_state)
        gr_buf_puts(out, "gorgias-replicate: no run has ever begun\n");
}

static struct json_object *
stream_doc(const struct gr_overview_stream *stream)
{
    struct json_object *item = gr_doc_object();

    gr_doc_put_text(item, "stream", stream->stream);
    gr_doc_put_text(item, "object", stream->object);
    gr_doc_put_bool(item, "in_file", stream->plan != NULL);
    gr_doc_put_time(item, "bookmark", stream->bookmark_us);
    gr_doc_put_time(item, "completed_at", stream->completed_us);
    gr_doc_put_time(item, "source_clock", stream->clock_us);
    gr_doc_put_int(item, "queue", stream->queue);
    gr_doc_put_json(item, "walk", stream->walk);
    gr_doc_put_json(item, "audit", stream->audit);
    return item;
}

static void
put_json(const struct gr_plan *plan, const struct gr_overview *overview, struct gr_buf *out)
{
    GR_CLEANUP(gr_doc_free_var) struct json_object *doc = gr_doc_object();
    struct json_object *streams = gr_doc_array();

    gr_doc_put_text(doc, "file", plan->file);
    gr_doc_put_text(doc, "state_schema", plan->state_schema);
    gr_doc_put_bool(doc, "has_run", overview->has_state);
    for (size_t i = 0; i < overview->count; i++)
        gr_doc_add(streams, stream_doc(&overview->streams[i]));
    gr_doc_put(doc, "streams", streams);
    gr_doc_print_json(doc, out);
}

static bool
show(const struct gr_frame *frame, struct gr_buf *out, struct gr_error *err)
{
    struct gr_overview overview;

    if (!gr_overview_read(frame->pg, frame->plan, &overview, err))
        return false;
    if (frame->options->streams != NULL) /* only those that were asked for */
        overview.count = overview.in_file;
    if (frame->is_json)
        put_json(frame->plan, &overview, out);
    else
        put_table(&overview, out);
    gr_overview_free(&overview);
    return true;
}

/* --- reset and set -------------------------------------------------------------------------- */

/* What became of a stream. */
struct change {
    const struct gr_plan_stream *stream;
    bool is_known;     /* something was remembered of it */
    int64_t former_us; /* its bookmark until now         */
    int64_t bookmark_us;
};

static struct change
change_of(const struct gr_plan_stream *stream, const struct gr_rows *rows, int64_t bookmark_us)
{
    struct change change = {
        .stream = stream, .former_us = GR_TIME_NONE, .bookmark_us = GR_TIME_NONE};

    for (size_t row = 0; row < rows->count; row++) {
        if (strcmp(gr_rows_text(rows, row, 0), stream->name) != 0)
            continue;
        change.is_known = true;
        change.bookmark_us = bookmark_us;
        if (gr_rows_text(rows, row, 1) != NULL)
            change.former_us = gr_rows_int(rows, row, 1);
    }
    return change;
}

static void
put_change(const struct change *change, struct gr_buf *out)
{
    const struct gr_schema *schema = change->stream->schema;

    gr_buf_printf(out, "%s: ", change->stream->name);
    if (!change->is_known) {
        gr_buf_puts(out, "nothing is remembered of it\n");
        return;
    }
    if (schema->walk == GR_WALK_NONE) {
        gr_buf_printf(out,
                      schema->made_from != NULL ? "the next run makes all its rows anew from %s\n"
                                                : "the next run asks for each of %s again\n",
                      schema->made_from != NULL ? schema->made_from : schema->parent);
        return;
    }
    gr_buf_puts(out, "bookmark ");
    gr_moment_put(change->former_us, "none", out);
    gr_buf_puts(out, " -> ");
    gr_moment_put(change->bookmark_us, "none", out);
    gr_buf_puts(out, change->bookmark_us != GR_TIME_NONE
                         ? ": the next run goes on from there\n"
                         : ": the next run begins anew; its rows stay until they are read\n");
}

static struct json_object *
change_doc(const struct change *change)
{
    struct json_object *item = gr_doc_object();

    gr_doc_put_text(item, "stream", change->stream->name);
    gr_doc_put_bool(item, "changed", change->is_known);
    gr_doc_put_time(item, "former_bookmark", change->former_us);
    gr_doc_put_time(item, "bookmark", change->bookmark_us);
    return item;
}

static void
put_changes(const struct gr_plan *plan, bool is_json, const struct gr_rows *rows,
            int64_t bookmark_us, struct gr_buf *out)
{
    GR_CLEANUP(gr_doc_free_var) struct json_object *doc = gr_doc_object();
    struct json_object *streams = gr_doc_array();

    for (size_t i = 0; i < plan->count; i++) {
        struct change change = change_of(&plan->streams[i], rows, bookmark_us);

        gr_doc_add(streams, change_doc(&change));
        if (!is_json)
            put_change(&change, out);
    }
    gr_doc_put_text(doc, "file", plan->file);
    gr_doc_put(doc, "streams", streams);
    if (is_json)
        gr_doc_print_json(doc, out);
}

static bool
amend(const struct gr_frame *frame, const struct gr_plan *plan, int64_t bookmark_us,
      struct gr_buf *out, struct gr_error *err)
{
    struct gr_rows rows = {0};
    bool has_state;

    if (!gr_state_find(frame->pg, plan->state_schema, &has_state, err) ||
        (has_state && !gr_amend(frame->pg, plan, bookmark_us, &rows, err)))
        return false;
    put_changes(plan, frame->is_json, &rows, bookmark_us, out);
    gr_rows_free(&rows);
    return true;
}

static bool
reset(const struct gr_frame *frame, struct gr_buf *out, struct gr_error *err)
{
    return amend(frame, frame->plan, GR_TIME_NONE, out, err);
}

static bool
parse_bookmark(const char *text, int64_t *us_out, struct gr_error *err)
{
    if (!gr_time_parse(text, strlen(text), us_out))
        return gr_fail(err, GR_FAULT_USAGE, "\"%.60s\" is no datetime", text) ||
               gr_hint(err,
                       "Write 2026-11-21, or 2026-11-21T06:50:24Z; without an offset it is UTC.");
    if (*us_out > gr_clock_us())
        return gr_fail(err, GR_FAULT_USAGE, "\"%.60s\" lies in the future", text) ||
               gr_hint(err, "A bookmark says up to when everything is in the table.");
    return true;
}

static bool
set(const struct gr_frame *frame, struct gr_buf *out, struct gr_error *err)
{
    struct gr_plan one;
    int64_t bookmark_us;

    if (!gr_frame_one(frame, "A bookmark is set for one stream: write its whole name.", &one,
                      err) ||
        !parse_bookmark(frame->options->words[2], &bookmark_us, err) ||
        !gr_amend_may_set(frame->pg, &one.streams[0], err) ||
        !amend(frame, &one, bookmark_us, out, err))
        return false;
    if (one.source.anchor_us != GR_TIME_NONE && bookmark_us < one.source.anchor_us)
        gr_log(
            GR_LOG_WARN, one.streams[0].name,
            "the bookmark is below anchor_date of the connection, where runs begin at the earliest",
            NULL);
    return true;
}

/* --- the command ---------------------------------------------------------------------------- */

/* clang-format off */
static const struct action {
    const char *name;
    gr_frame_work *work;
    size_t least, most; /* words behind it */
    const char *usage;
} actions[] = {
    {"show",  show,  0, SIZE_MAX, "show [STREAM...]"},
    {"reset", reset, 1, SIZE_MAX, "reset STREAM..."},
    {"set",   set,   2, 2,        "set STREAM DATETIME"},
};
/* clang-format on */

enum { ACTIONS = sizeof(actions) / sizeof(actions[0]) };

static const struct action *
find_action(const struct gr_options *options, struct gr_error *err)
{
    const char *names[ACTIONS];

    for (size_t i = 0; i < ACTIONS; i++) {
        size_t count = options->word_count - 1;

        names[i] = actions[i].name;
        if (strcmp(options->words[0], actions[i].name) != 0)
            continue;
        if (count >= actions[i].least && count <= actions[i].most)
            return &actions[i];
        (void)gr_fail(err, GR_FAULT_USAGE, "state %s takes %s arguments than %zu", actions[i].name,
                      count < actions[i].least ? "more" : "fewer", count);
        (void)gr_hint(err, "Write: gorgias-replicate state %s %s", options->file, actions[i].usage);
        return NULL;
    }
    (void)gr_fail(err, GR_FAULT_USAGE, "state does not know \"%.60s\"%s", options->words[0],
                  gr_name_did_you_mean(options->arena, options->words[0], names, ACTIONS));
    (void)gr_hint(err, "It knows show, reset and set: gorgias-replicate state --help.");
    return NULL;
}

int
gr_command_state(const struct gr_options *options)
{
    struct gr_options own = *options;
    struct gr_error err;
    const struct action *action = find_action(options, &err);
    size_t streams = action != NULL && action->work == set ? 1 : options->word_count - 1;

    if (action == NULL)
        return gr_output_fail(&err);
    for (size_t i = 1; i <= streams; i++)
        own.streams = own.streams == NULL ? options->words[i]
                                          : gr_arena_printf(options->arena, "%s,%s", own.streams,
                                                            options->words[i]);
    return gr_frame_on_warehouse(&own, action->work);
}
