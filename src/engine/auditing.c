/*
 * auditing.c - the phase in which a stream is compared with the source: by its list, which the
 * phases walk and finish read and compare, or by ids, which the phase drain asks for window by
 * window.
 *
 * Lists go first: the allowance was counted for them. A stream waits for those that feed it,
 * because what they find says whether its own rows are due.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/engine/engine.h"

enum { WINDOW_REQUESTS = 10, WINDOW_OBJECTS = 100 };

bool
gr_stream_is_audit(const struct gr_stream *stream)
{
    return stream->plan->mode == GR_MODE_AUDIT;
}

struct gr_audit
gr_auditing_claim(const struct gr_stream *stream)
{
    bool has_anchor =
        stream->plan->audited == GR_MODE_INCREMENTAL && stream->plan->schema->walk != GR_WALK_FULL;

    return (struct gr_audit){.table = &stream->table,
                             .parent_table = stream->parent_table,
                             .run_id = stream->engine->run_id,
                             .bookmark_us = stream->auditing.bookmark_us,
                             .clock_us = stream->auditing.clock_us,
                             .anchor_us = has_anchor ? stream->engine->plan->source.anchor_us
                                                     : GR_TIME_NONE};
}

bool
gr_auditing_can_ask(const struct gr_stream *stream)
{
    struct gr_audit audit = gr_auditing_claim(stream);
    enum gr_ask ask = stream->plan->schema->ask;

    return ask == GR_ASK_PARENT ? gr_audit_can_count(&audit) : ask != GR_ASK_NONE;
}

void
gr_auditing_begin(struct gr_stream *stream, const struct gr_stream_state *state)
{
    struct gr_auditing *auditing = &stream->auditing;
    enum gr_ask ask = stream->plan->schema->ask;
    bool can_find = ask == GR_ASK_IDS || ask == GR_ASK_OBJECT;

    auditing->bookmark_us = state->bookmark_us;
    auditing->clock_us = state->clock_us;
    auditing->kept = state->audit != NULL ? gr_strdup(state->audit) : NULL;
    auditing->is_named = can_find && state->audit_after < 0;
    auditing->after = auditing->is_named ? state->audit_named : state->audit_after;
    auditing->after = auditing->after < 0 ? 0 : auditing->after;
    if (state->age_ms < 0)
        stream->report->audit.method = GR_AUDIT_NO_CLAIM;
}

/* --- state ---------------------------------------------------------------------------------- */

/* Where the next audit goes on, once what was asked for up to `after` is answered; gives. */
static char *
state_json(const struct gr_stream *stream, const char *walk, int64_t after)
{
    const struct gr_auditing *auditing = &stream->auditing;
    enum gr_audit_method method = stream->report->audit.method;
    struct gr_buf json = gr_buf_new(0);

    if (method != GR_AUDIT_LIST && method != GR_AUDIT_IDS)
        return auditing->kept != NULL ? gr_strdup(auditing->kept) : NULL;
    if (stream->report->audit.is_over || (method == GR_AUDIT_LIST && walk == NULL))
        return NULL;
    if (method == GR_AUDIT_LIST)
        gr_buf_printf(&json, "{\"walk\":%s}", walk);
    else
        gr_buf_printf(&json, "{\"%s\":%" PRId64 "}", auditing->is_named ? "named" : "after", after);
    return gr_buf_take(&json);
}

void
gr_auditing_commit_state(struct gr_stream *stream, struct gr_script *script, const char *walk,
                         int64_t after)
{
    struct gr_audit audit = gr_auditing_claim(stream);
    GR_CLEANUP(gr_free_var) char *json = state_json(stream, walk, after);

    gr_audit_commit_state(script, &audit, json);
}

/* --- choosing ------------------------------------------------------------------------------- */

static void
count(struct gr_stream *stream)
{
    struct gr_script *script = gr_script_new(stream->plan->name);
    struct gr_audit audit = gr_auditing_claim(stream);

    stream->rows_step = gr_audit_count(script, &audit);
    stream->report->activity = "counts its rows";
    gr_warehouse_start(stream, script);
}

static void
take_count(struct gr_stream *stream, const struct gr_rows *rows)
{
    const struct gr_schema *schema = stream->plan->schema;
    int64_t alive = gr_rows_int(rows, 0, 0);
    int64_t passes = schema->pass_count > 0 ? (int64_t)schema->pass_count : 1;

    stream->auditing.is_counted = true;
    stream->report->audit.list_requests = gr_audit_list_requests(alive, schema->page_limit, passes);
}

static bool
has_all_counted(const struct gr_engine *engine)
{
    for (size_t i = 0; i < engine->count; i++) {
        const struct gr_stream *stream = &engine->streams[i];

        if (stream->phase != GR_PHASE_DONE && stream->phase != GR_PHASE_CLOSE &&
            !stream->auditing.is_counted)
            return false;
    }
    return true;
}

/* All at once, when all have counted: what is given to one is taken from another. */
static void
choose(struct gr_engine *engine)
{
    GR_CLEANUP(gr_free_var)
    struct gr_audit_case *cases = gr_alloc(engine->count, sizeof(*cases));

    for (size_t i = 0; i < engine->count; i++) {
        const struct gr_stream *stream = &engine->streams[i];

        cases[i] = (struct gr_audit_case){.list_requests = stream->report->audit.list_requests,
                                          .can_ask = gr_auditing_can_ask(stream),
                                          .method = stream->auditing.is_counted ? GR_AUDIT_UNDECIDED
                                                                                : GR_AUDIT_NEITHER};
    }
    gr_audit_choose(cases, engine->count,
                    engine->options->max_requests > 0
                        ? engine->options->max_requests - engine->report->requests
                        : INT64_MAX);
    for (size_t i = 0; i < engine->count; i++)
        if (engine->streams[i].auditing.is_counted)
            engine->streams[i].report->audit.method = cases[i].method;
}

/* --- waiting -------------------------------------------------------------------------------- */

/* Children feed their parent, too, with hints; but they are checked after it. */
static bool
waits_for_feeders(const struct gr_stream *stream)
{
    for (size_t i = 0; i < stream->engine->count; i++) {
        const struct gr_stream *other = &stream->engine->streams[i];

        if (other->phase < GR_PHASE_CLOSE && gr_stream_feeds(other, stream) &&
            !gr_stream_is_child(other, stream))
            return true;
    }
    return false;
}

/* A list that could go on, or does. */
static bool
waits_for_lists(const struct gr_stream *stream)
{
    for (size_t i = 0; i < stream->engine->count; i++) {
        const struct gr_stream *other = &stream->engine->streams[i];

        if (other->phase < GR_PHASE_CLOSE && other->report->audit.method == GR_AUDIT_LIST &&
            !waits_for_feeders(other))
            return true;
    }
    return false;
}

/* --- windows -------------------------------------------------------------------------------- */

/* Open tables whose rows name rows of this stream: children by their parent's key, other streams by
   a column of that name, and the log of events. */
static size_t
find_namers(const struct gr_stream *stream, struct gr_audit_namer *namers)
{
    const struct gr_engine *engine = stream->engine;
    const struct gr_schema *schema = stream->plan->schema;
    const char *field = NULL;
    size_t found = 0;

    for (size_t i = 0; i < engine->plan->schemas.count; i++) {
        const struct gr_schema *other = &engine->plan->schemas.items[i];

        if (other->parent != NULL && strcmp(other->parent, schema->stream) == 0)
            field = other->parent_key;
    }
    for (size_t i = 0; i < engine->count; i++) {
        const struct gr_stream *other = &engine->streams[i];
        const struct gr_table *table = &other->table;
        bool is_log = other->is_open && gr_schema_column(other->plan->schema, "object_type") >= 0 &&
                      gr_schema_column(other->plan->schema, "object_id") >= 0;
        const char *name = is_log ? "object_id" : field;

        for (size_t j = 0; other->is_open && other != stream && j < other->plan->column_count; j++)
            if (name != NULL && strcmp(other->plan->columns[j].field, name) == 0 &&
                table->types[j] != NULL && (!is_log || schema->event_object != NULL))
                namers[found++] =
                    (struct gr_audit_namer){.table = table,
                                            .column = j,
                                            .event_object = is_log ? schema->event_object : NULL};
    }
    return found;
}

/* As many ids as the rest of the allowance can ask for, twice if they do not come at once: a window
   that is cut short begins anew. */
static int64_t
window_size(const struct gr_stream *stream)
{
    const struct gr_engine *engine = stream->engine;
    bool asks_many = stream->plan->schema->ask == GR_ASK_IDS;
    int64_t requests = asks_many ? WINDOW_REQUESTS : WINDOW_OBJECTS;
    int64_t left = engine->options->max_requests - engine->report->requests;

    left = asks_many ? left / 2 : left;
    if (engine->options->max_requests > 0 && left < requests)
        requests = left > 1 ? left : 1;
    return asks_many ? requests * GR_ASK_IDS_MAX : requests;
}

static void
next_window(struct gr_stream *stream)
{
    struct gr_auditing *auditing = &stream->auditing;
    struct gr_audit audit = gr_auditing_claim(stream);
    struct gr_script *script = gr_script_new(stream->plan->name);
    enum gr_ask ask = stream->plan->schema->ask;
    int64_t most = window_size(stream);
    GR_CLEANUP(gr_free_var)
    struct gr_audit_namer *namers = gr_alloc(stream->engine->count, sizeof(*namers));

    if (ask == GR_ASK_PARENT)
        stream->rows_step = gr_audit_uneven(script, &audit, auditing->after, most);
    else if (auditing->is_named)
        stream->rows_step = gr_audit_named(script, &audit, namers, find_namers(stream, namers),
                                           auditing->after, most);
    else
        stream->rows_step = gr_audit_keys(script, &audit, auditing->after, most);
    stream->report->activity = "reads its next window";
    gr_warehouse_start(stream, script);
}

void
gr_auditing_ask(struct gr_stream *stream, const int64_t *keys, size_t key_count)
{
    struct gr_auditing *auditing = &stream->auditing;

    gr_free(stream->queue);
    stream->queue = gr_alloc(key_count, sizeof(stream->queue[0]));
    stream->queue_count = key_count;
    stream->queue_next = 0;
    for (size_t i = 0; i < key_count; i++)
        stream->queue[i] = (struct gr_queue_entry){.key = keys[i], .v_us = GR_TIME_NONE};
    auditing->answered = 0;
    stream->report->queue = (int64_t)key_count;
    if (key_count > 0)
        (void)snprintf(auditing->window, sizeof(auditing->window), "%s %" PRId64 "..%" PRId64,
                       stream->plan->schema->ask == GR_ASK_PARENT ? stream->plan->schema->parent
                                                                  : "id",
                       keys[0], keys[key_count - 1]);
}

/* After the last window the stream is done; after the last that others name, its own ids begin. */
static void
take_window(struct gr_stream *stream, const struct gr_rows *rows)
{
    struct gr_auditing *auditing = &stream->auditing;
    GR_CLEANUP(gr_free_var) int64_t *keys = gr_alloc(rows->count, sizeof(*keys));

    for (size_t i = 0; i < rows->count; i++)
        keys[i] = gr_rows_int(rows, i, 0);
    gr_auditing_ask(stream, keys, rows->count);
    if (rows->count > 0)
        return;
    stream->report->audit.is_over = !auditing->is_named;
    auditing->is_named = false;
    auditing->after = 0;
}

int64_t
gr_auditing_position(const struct gr_stream *stream, size_t answers)
{
    const struct gr_auditing *auditing = &stream->auditing;

    return stream->queue_count > 0 && auditing->answered + answers == stream->queue_count
               ? stream->queue[stream->queue_count - 1].key
               : auditing->after;
}

/* --- the phase ------------------------------------------------------------------------------ */

bool
gr_auditing_committed(struct gr_stream *stream, const struct gr_script *script,
                      struct gr_error *err)
{
    const struct gr_rows *rows = gr_script_rows(script, stream->rows_step);

    (void)err;
    if (!stream->auditing.is_counted)
        take_count(stream, rows);
    else
        take_window(stream, rows);
    return true;
}

static void
go_on(struct gr_stream *stream, enum gr_phase *next)
{
    struct gr_stream_audit *audit = &stream->report->audit;

    if (waits_for_feeders(stream) || (audit->method == GR_AUDIT_IDS && waits_for_lists(stream))) {
        stream->report->activity = "waits for streams that are checked first";
        return;
    }
    if (audit->method == GR_AUDIT_LIST && !stream->auditing.is_listed) {
        *next = GR_PHASE_WALK;
    } else if (stream->queue_next < stream->queue_count) {
        *next = GR_PHASE_DRAIN;
    } else if (audit->method == GR_AUDIT_LIST) {
        audit->is_over = !stream->has_refused && !stream->auditing.is_cut;
        *next = GR_PHASE_CLOSE;
    } else if (gr_warehouse_is_free(stream->engine)) {
        next_window(stream);
    }
}

bool
gr_phase_audit(struct gr_stream *stream, enum gr_phase *next, struct gr_error *err)
{
    struct gr_stream_audit *audit = &stream->report->audit;

    (void)err;
    if (gr_warehouse_works_for(stream))
        return true;
    if (stream->engine->is_stopping || audit->is_over || stream->report->error.fault != GR_OK ||
        audit->method == GR_AUDIT_NEITHER || audit->method == GR_AUDIT_NO_CLAIM) {
        *next = GR_PHASE_CLOSE;
    } else if (!stream->auditing.is_counted) {
        if (gr_warehouse_is_free(stream->engine))
            count(stream);
    } else if (has_all_counted(stream->engine)) {
        if (audit->method == GR_AUDIT_UNDECIDED)
            choose(stream->engine);
        if (audit->method == GR_AUDIT_NEITHER)
            *next = GR_PHASE_CLOSE;
        else
            go_on(stream, next);
    } else {
        stream->report->activity = "waits for the others to count";
    }
    return true;
}

/* --- the result ----------------------------------------------------------------------------- */

bool
gr_auditing_collect(struct gr_engine *engine, struct gr_error *err)
{
    for (size_t i = 0; i < engine->count; i++) {
        struct gr_stream *stream = &engine->streams[i];
        struct gr_audit audit = gr_auditing_claim(stream);

        gr_audit_totals_free(&stream->report->audit.totals);
        if (stream->is_open &&
            !gr_audit_read(engine->pg, &audit, &stream->report->audit.totals, err))
            return false;
    }
    return true;
}
