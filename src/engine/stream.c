/* stream.c - the phases of a stream. */
#include "gr/engine/stream.h"

#include <assert.h>
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/engine/engine.h"
#include "gr/sink/sql.h"
#include "gr/sink/state.h"

static bool open_phase(struct gr_stream *stream, enum gr_phase *next, struct gr_error *err);
static bool close_phase(struct gr_stream *stream, enum gr_phase *next, struct gr_error *err);

#define TO(phase) (1U << GR_PHASE_##phase)

/* clang-format off */
static const struct {
    const char *name;
    bool (*step)(struct gr_stream *stream, enum gr_phase *next, struct gr_error *err);
    unsigned may_follow;
    const char *leaves; /* what `kill -9` in this phase leaves behind */
} phases[GR_PHASE_COUNT] = {
    [GR_PHASE_OPEN]   = {"open",   open_phase,      TO(WALK) | TO(CLOSE),
                         "the table as it was, perhaps with new columns"},
    [GR_PHASE_WALK]   = {"walk",   gr_phase_walk,   TO(FINISH) | TO(SETTLE) | TO(CLOSE),
                         "all committed pages, and where to go on; of a scan: its staging table"},
    [GR_PHASE_FINISH] = {"finish", gr_phase_finish, TO(WALK) | TO(SETTLE) | TO(CLOSE),
                         "the table as before the scan, and its staging table"},
    [GR_PHASE_SETTLE] = {"settle", gr_phase_settle, TO(DRAIN) | TO(CLOSE),
                         "the walk's rows and bookmark; the queue, perhaps shortened"},
    [GR_PHASE_DRAIN]  = {"drain",  gr_phase_drain,  TO(SETTLE),
                         "every answered entry with its rows; the others in the queue"},
    [GR_PHASE_CLOSE]  = {"close",  close_phase,     TO(DONE),
                         "everything but the stream's totals, perhaps post_sql"},
    [GR_PHASE_DONE]   = {"done",   NULL,            0,
                         "the finished stream"},
};
/* clang-format on */

const char *
gr_phase_name(enum gr_phase phase)
{
    return phase >= 0 && phase < GR_PHASE_COUNT ? phases[phase].name : "?";
}

void
gr_phases_reference(struct gr_buf *out)
{
    gr_buf_puts(out, "# Phases of a stream\n\nPrinted by `gorgias-replicate reference phases` from "
                     "the table of `src/engine/stream.c`.\n\n"
                     "| phase | goes on to | what `kill -9` there leaves behind |\n|---|---|---|\n");
    for (int i = 0; i < GR_PHASE_COUNT; i++) {
        const char *between = "";

        gr_buf_printf(out, "| %s | ", phases[i].name);
        for (int j = 0; j < GR_PHASE_COUNT; j++) {
            if ((phases[i].may_follow & (1U << j)) == 0)
                continue;
            gr_buf_printf(out, "%s%s", between, phases[j].name);
            between = ", ";
        }
        gr_buf_printf(out, " | %s |\n", phases[i].leaves);
    }
}

static void
end(struct gr_stream *stream, enum gr_status status)
{
    stream->phase = GR_PHASE_DONE;
    stream->report->status = status;
    stream->report->activity = "";
    stream->report->ended_ms = gr_clock_ms();
    for (size_t i = 0; i < stream->engine->lane_count; i++)
        gr_lane_reset(&stream->lanes[i]);
}

void
gr_stream_fail(struct gr_stream *stream, const struct gr_error *err)
{
    if (stream->phase == GR_PHASE_DONE)
        return;
    stream->report->error = *err;
    if (gr_fault_facts(err->fault)->scope == GR_SCOPE_RUN)
        gr_engine_fail(stream->engine, err);
    else
        gr_log_error(GR_LOG_ERROR, stream->plan->name, err);
    end(stream, GR_STATUS_FAILED);
}

void
gr_stream_stop(struct gr_stream *stream)
{
    if (stream->phase == GR_PHASE_DONE)
        return;
    for (size_t i = 0; i < stream->engine->lane_count; i++) {
        struct gr_lane *lane = &stream->lanes[i];

        /* What a lane holds is whole and is still committed; what is on its way is let go. */
        if (lane->state == GR_LANE_READY || lane->state == GR_LANE_FLIGHT)
            gr_lane_reset(lane);
    }
    if (stream->phase == GR_PHASE_OPEN)
        end(stream, GR_STATUS_STOPPED);
}

void
gr_stream_step(struct gr_stream *stream)
{
    while (stream->phase != GR_PHASE_DONE) {
        enum gr_phase next = stream->phase;
        struct gr_error err;

        if (!phases[stream->phase].step(stream, &next, &err)) {
            gr_stream_fail(stream, &err);
            return;
        }
        if (next == stream->phase)
            return;
        assert((phases[stream->phase].may_follow & (1U << next)) != 0);
        gr_log(GR_LOG_DEBUG, stream->plan->name, "phase", "from", phases[stream->phase].name, "to",
               phases[next].name, NULL);
        stream->phase = next;
    }
}

void
gr_stream_commit_state(struct gr_stream *stream, struct gr_script *script, const char *walk,
                       int64_t bookmark_us, int64_t clock_us, bool is_complete)
{
    gr_commit_state(script, &stream->table,
                    &(struct gr_commit_state){.run_id = stream->engine->run_id,
                                              .bookmark_us = bookmark_us,
                                              .walk = walk,
                                              .source = stream->engine->plan->source.base_url,
                                              .mode = gr_mode_name(stream->plan->mode),
                                              .source_clock_us = clock_us,
                                              .is_complete = is_complete});
}

/* --- opening -------------------------------------------------------------------------------- */

static bool
table_exists(struct gr_engine *engine, const char *schema, const char *table, bool *exists_out,
             struct gr_error *err)
{
    const char *params[] = {schema, table};
    struct gr_rows rows;

    if (!gr_pg_query(engine->pg,
                     "select 1 from pg_catalog.pg_tables where schemaname = $1 and tablename = $2",
                     params, 2, &rows, err))
        return false;
    *exists_out = rows.count > 0;
    gr_rows_free(&rows);
    return true;
}

/* Where a stream of this name is, or would be if it were in the file: beside this one. */
static void
place_of(const struct gr_stream *stream, const char *name, const char **schema,
         const char **table)
{
    const struct gr_stream *other = gr_engine_stream(stream->engine, name);

    *schema = other != NULL ? other->plan->table_schema : stream->plan->table_schema;
    *table = other != NULL ? other->plan->table_name : name;
}

static bool
find_parent(struct gr_stream *stream, struct gr_error *err)
{
    const char *name = stream->plan->schema->parent;
    const struct gr_stream *other =
        name != NULL ? gr_engine_stream(stream->engine, name) : NULL;
    const char *schema, *table;
    struct gr_buf quoted = gr_buf_new(0);
    bool exists;

    if (name == NULL)
        return true;
    if (other != NULL && other->is_open)
        stream->table.parent = &other->table;
    place_of(stream, name, &schema, &table);
    if (!table_exists(stream->engine, schema, table, &exists, err))
        return false;
    if (!exists)
        return true;
    gr_sql_name(&quoted, schema, table);
    stream->parent_table = gr_buf_take(&quoted);
    return true;
}

/* The log of events names objects of other streams: its rows have these three columns. */
static bool
is_event_log(const struct gr_schema *schema)
{
    return gr_schema_column(schema, "object_type") >= 0 &&
           gr_schema_column(schema, "object_id") >= 0 && gr_schema_column(schema, "type") >= 0;
}

static void
add_feed(struct gr_stream *stream, struct gr_feed feed, const char *name)
{
    struct gr_buf object = gr_buf_new(0);
    const char *schema, *table;

    place_of(stream, name, &schema, &table);
    /* An event about a child names the child; its parent is looked up when the queue is settled,
       once the child's own walk has brought it. */
    gr_buf_printf(&object, "%s.%s%s", schema, table, feed.by_child ? GR_QUEUE_OF_ROWS : "");
    feed.object = gr_buf_take(&object);
    stream->feeds =
        gr_realloc(stream->feeds, stream->feed_count + 1, sizeof(stream->feeds[0]));
    stream->feeds[stream->feed_count++] = feed;
}

static void
find_feeds(struct gr_stream *stream)
{
    const struct gr_schemas *schemas = &stream->engine->plan->schemas;

    for (size_t i = 0; i < schemas->count; i++) {
        const struct gr_schema *other = &schemas->items[i];

        if (other->parent != NULL && strcmp(other->parent, stream->plan->schema->stream) == 0)
            add_feed(stream, (struct gr_feed){.kind = GR_FEED_CHILD, .reason = "changed"},
                     other->stream);
        if (other->event_type_count > 0 && is_event_log(stream->plan->schema))
            add_feed(stream,
                     (struct gr_feed){.kind = GR_FEED_EVENT,
                                      .event_object = other->event_object,
                                      .types = other->event_types,
                                      .type_count = other->event_type_count,
                                      .by_child = other->parent != NULL,
                                      .reason = "event"},
                     other->stream);
    }
}

static void
on_new_field(void *context, const char *name)
{
    struct gr_stream *stream = context;

    stream->new_fields =
        gr_realloc(stream->new_fields, stream->new_field_count + 1, sizeof(stream->new_fields[0]));
    stream->new_fields[stream->new_field_count++] = gr_strdup(name);
}

static bool
is_scan_mode(enum gr_mode mode)
{
    return mode == GR_MODE_FULL_REFRESH || mode == GR_MODE_TRUNCATE || mode == GR_MODE_SNAPSHOT;
}

static void
begin_walk(struct gr_stream *stream, const struct gr_stream_state *state)
{
    const struct gr_engine *engine = stream->engine;

    gr_walk_begin(&stream->walk, stream->plan, is_scan_mode(stream->plan->mode),
                  engine->plan->source.anchor_us, state->bookmark_us, state->walk, gr_clock_us());
    stream->report->bookmark_us = state->bookmark_us;
    if (stream->walk.is_resumed)
        gr_log(GR_LOG_INFO, stream->plan->name, "goes on where an earlier run was interrupted",
               NULL);
}

static bool
open_table(struct gr_stream *stream, struct gr_error *err)
{
    struct gr_engine *engine = stream->engine;
    GR_CLEANUP(gr_buf_free) struct gr_buf sql = gr_buf_new(0);

    if (!gr_table_open(engine->pg, stream->plan, engine->plan->state_schema, &stream->table, err))
        return false;
    stream->is_open = true;
    if (stream->table.warnings != NULL && stream->table.warnings[0] != '\0')
        gr_log(GR_LOG_WARN, stream->plan->name, stream->table.warnings, NULL);
    gr_table_session_sql(&stream->table, &sql);
    return gr_pg_exec(engine->pg, gr_buf_text(&sql), err);
}

static bool
open_phase(struct gr_stream *stream, enum gr_phase *next, struct gr_error *err)
{
    struct gr_engine *engine = stream->engine;
    struct gr_stream_state state;

    if (!gr_warehouse_is_free(engine))
        return true;
    stream->report->status = GR_STATUS_RUNNING;
    stream->report->started_ms = gr_clock_ms();
    stream->report->activity = "opens its table";
    if (!open_table(stream, err) || !find_parent(stream, err) ||
        !gr_state_load(engine->pg, engine->plan->state_schema, stream->table.object, &state, err))
        return false;
    if (stream->plan->pre_sql != NULL && !gr_pg_exec(engine->pg, stream->plan->pre_sql, err)) {
        gr_stream_state_free(&state);
        return gr_fail_in(err, "pre_sql");
    }
    stream->layout = gr_row_layout_new(stream->plan);
    gr_row_on_new_field(stream->layout, on_new_field, stream);
    find_feeds(stream);
    begin_walk(stream, &state);
    gr_stream_state_free(&state);
    *next = stream->plan->mode == GR_MODE_DEFINITION_ONLY ? GR_PHASE_CLOSE : GR_PHASE_WALK;
    return true;
}

/* --- closing -------------------------------------------------------------------------------- */

static enum gr_status
final_status(const struct gr_stream *stream)
{
    if (stream->report->error.fault != GR_OK)
        return GR_STATUS_FAILED;
    if (stream->engine->is_stopping && !stream->is_last_round && !stream->is_whole)
        return GR_STATUS_STOPPED;
    return GR_STATUS_SUCCEEDED;
}

void
gr_stream_totals(const struct gr_stream *stream, enum gr_status status,
                 struct gr_stream_totals *totals)
{
    const struct gr_stream_report *report = stream->report;

    *totals = (struct gr_stream_totals){.status = gr_status_name(status),
                                        .rows_read = report->rows_read,
                                        .inserted = report->inserted,
                                        .updated = report->updated,
                                        .unchanged = report->unchanged,
                                        .deleted = report->deleted,
                                        .rejected = report->rejected,
                                        .requests = report->requests,
                                        .pages = report->pages,
                                        .bytes = report->bytes};
    if (report->error.fault != GR_OK) {
        totals->error = report->error.message;
        totals->hint = report->error.hint[0] != '\0' ? report->error.hint : NULL;
    }
}

static bool
close_phase(struct gr_stream *stream, enum gr_phase *next, struct gr_error *err)
{
    struct gr_engine *engine = stream->engine;
    enum gr_status status;
    struct gr_stream_totals totals;
    GR_CLEANUP(gr_free_var) char *walk = NULL;
    struct gr_script *script;

    if (stream->has_closed && stream->purpose == GR_PURPOSE_NONE) {
        end(stream, final_status(stream));
        *next = GR_PHASE_DONE;
        return true;
    }
    if (stream->has_closed || !gr_warehouse_is_free(engine))
        return true;
    stream->is_whole = stream->walk.is_done || stream->plan->mode == GR_MODE_DEFINITION_ONLY;
    status = final_status(stream);
    if (stream->plan->post_sql != NULL && status == GR_STATUS_SUCCEEDED &&
        !gr_pg_exec(engine->pg, stream->plan->post_sql, err))
        return gr_fail_in(err, "post_sql");
    script = gr_script_new(stream->plan->name);
    walk = gr_walk_state_json(&stream->walk);
    gr_stream_commit_state(stream, script, walk, stream->walk.bookmark_us, stream->walk.clock_us,
                           status == GR_STATUS_SUCCEEDED && !stream->walk.is_stopped);
    gr_stream_totals(stream, status, &totals);
    gr_commit_stream_run(script, &stream->table, engine->run_id, &totals);
    stream->has_closed = true;
    gr_warehouse_start(stream, script, GR_PURPOSE_CLOSE);
    return true;
}

void
gr_stream_free(struct gr_stream *stream)
{
    for (size_t i = 0; i < stream->engine->lane_count; i++)
        gr_lane_reset(&stream->lanes[i]);
    gr_free(stream->lanes);
    if (stream->is_open)
        gr_table_free(&stream->table);
    gr_row_layout_free(stream->layout);
    gr_walk_free(&stream->walk);
    gr_buf_free(&stream->batch.rows);
    gr_rejects_free(&stream->batch.rejects);
    gr_free(stream->batch.walk);
    gr_free(stream->finishing.missing);
    for (size_t i = 0; i < stream->finishing.keep_count; i++)
        gr_free(stream->finishing.keep[i]);
    gr_free(stream->finishing.keep);
    for (size_t i = 0; i < stream->feed_count; i++) {
        char *object;

        memcpy(&object, &stream->feeds[i].object, sizeof(object));
        gr_free(object);
    }
    gr_free(stream->feeds);
    gr_free(stream->parent_table);
    gr_free(stream->queue);
    for (size_t i = 0; i < stream->new_field_count; i++)
        gr_free(stream->new_fields[i]);
    gr_free(stream->new_fields);
}
