/* opening.c - the phase in which the table is made ready and the state is read. */
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/engine/engine.h"
#include "gr/sink/sql.h"
#include "gr/sink/state.h"

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
add_feed(struct gr_stream *stream, struct gr_feed feed, const char *name, bool names_rows)
{
    struct gr_buf object = gr_buf_new(0);
    const char *schema, *table;

    place_of(stream, name, &schema, &table);
    /* An event about a child names the child; its parent is looked up when the queue is settled,
       once the child's own walk has brought it. */
    gr_buf_printf(&object, "%s.%s%s", schema, table, names_rows ? GR_QUEUE_OF_ROWS : "");
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
                     other->stream, false);
        if (other->event_type_count > 0 && is_event_log(stream->plan->schema))
            add_feed(stream,
                     (struct gr_feed){.kind = GR_FEED_EVENT,
                                      .event_object = other->event_object,
                                      .types = other->event_types,
                                      .type_count = other->event_type_count,
                                      .reason = "event"},
                     other->stream, other->parent != NULL);
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
    return mode == GR_MODE_FULL_REFRESH || mode == GR_MODE_TRUNCATE ||
           mode == GR_MODE_SNAPSHOT || mode == GR_MODE_AUDIT;
}

static void
begin_walk(struct gr_stream *stream, const struct gr_stream_state *state)
{
    const struct gr_engine *engine = stream->engine;

    gr_walk_begin(&stream->walk, stream->plan, is_scan_mode(stream->plan->mode),
                  engine->plan->source.anchor_us, state->bookmark_us,
                  gr_stream_is_audit(stream) ? state->audit_walk : state->walk, gr_clock_us());
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

/* SQL of the replication file: what is wrong with it is wrong with its stream alone. */
bool
gr_stream_sql(struct gr_stream *stream, const char *what, const char *sql, struct gr_error *err)
{
    if (gr_pg_exec(stream->engine->pg, sql, err))
        return true;
    if (err->fault == GR_FAULT_TARGET)
        err->fault = GR_FAULT_DATA;
    return gr_fail_in(err, "%s", what);
}

/*
 * A bookmark of one account says nothing of another. Simulated accounts, which plain http to this
 * machine means, come and go on any port and are not told apart.
 */
static bool
is_same_source(const struct gr_stream *stream, const struct gr_stream_state *state,
               struct gr_error *err)
{
    const char *url = stream->engine->plan->source.base_url;

    if (state->source == NULL || strcmp(state->source, url) == 0 ||
        strncmp(state->source, "http:", 5) == 0 || strncmp(url, "http:", 5) == 0)
        return true;
    (void)gr_fail(err, GR_FAULT_DATA, "%s was loaded from %s, and this is %s",
                  stream->table.object, state->source, url);
    return gr_hint(err, "Name another object: for this account; or empty the table and delete its "
                        "row in %s.streams, to begin anew.",
                   stream->engine->plan->state_schema);
}

static bool
is_fresh(const struct gr_stream *stream, const struct gr_stream_state *state)
{
    return state->age_ms >= 0 && state->age_ms < stream->plan->min_interval_ms;
}

static bool
open_stream(struct gr_stream *stream, enum gr_phase *next, struct gr_error *err)
{
    struct gr_engine *engine = stream->engine;
    struct gr_stream_state state;

    stream->report->status = GR_STATUS_RUNNING;
    stream->report->started_ms = gr_clock_ms();
    stream->report->activity = "opens its table";
    if (!open_table(stream, err) || !find_parent(stream, err) ||
        !gr_state_load(engine->pg, engine->plan->state_schema, stream->table.object, &state, err))
        return false;
    if (!is_same_source(stream, &state, err) ||
        (stream->plan->pre_sql != NULL && !is_fresh(stream, &state) &&
         !gr_stream_sql(stream, "pre_sql", stream->plan->pre_sql, err))) {
        gr_stream_state_free(&state);
        return false;
    }
    stream->layout = gr_row_layout_new(stream->plan);
    gr_row_on_new_field(stream->layout, on_new_field, stream);
    find_feeds(stream);
    begin_walk(stream, &state);
    if (gr_stream_is_audit(stream))
        gr_auditing_begin(stream, &state);
    stream->is_fresh = is_fresh(stream, &state);
    gr_stream_state_free(&state);
    if (stream->is_fresh)
        stream->report->note = "complete within its min_interval: not asked again";
    *next = stream->is_fresh || stream->plan->mode == GR_MODE_DEFINITION_ONLY ? GR_PHASE_CLOSE
            : gr_stream_is_audit(stream)                                      ? GR_PHASE_AUDIT
                                                                              : GR_PHASE_WALK;
    return true;
}

/* What an opening that broke off has made. */
static void
undo(struct gr_stream *stream)
{
    if (stream->is_open)
        gr_table_free(&stream->table);
    stream->is_open = false;
    gr_free(stream->parent_table);
    stream->parent_table = NULL;
}

bool
gr_phase_open(struct gr_stream *stream, enum gr_phase *next, struct gr_error *err)
{
    struct gr_engine *engine = stream->engine;

    if (!gr_warehouse_is_free(engine) || open_stream(stream, next, err))
        return true;
    if (err->fault != GR_FAULT_LOST)
        return false;
    gr_log_error(GR_LOG_WARN, stream->plan->name, err);
    undo(stream);
    return gr_warehouse_reconnect(engine, err); /* and opens again */
}
