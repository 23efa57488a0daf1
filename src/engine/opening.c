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

/* Where a stream of this name is, as the file has it, or would be: beside this one. */
static void
place_of(const struct gr_stream *stream, const char *name, const char **schema, const char **table)
{
    const struct gr_plan_stream *other = gr_plan_find(stream->engine->plan, name);

    *schema = other != NULL ? other->table_schema : stream->plan->table_schema;
    *table = other != NULL ? other->table_name : name;
}

const struct gr_table *
gr_stream_other(struct gr_stream *stream, const char *name)
{
    const struct gr_plan *plan = stream->engine->plan;
    const struct gr_stream *other = gr_engine_stream(stream->engine, name);
    const struct gr_plan_stream *planned = gr_plan_find(plan, name);

    if (other != NULL && other->is_open)
        return &other->table;
    if (planned == NULL)
        return NULL;
    if (stream->other.stream == NULL)
        gr_table_describe(planned, plan->state_schema, &stream->other);
    return &stream->other;
}

bool
gr_stream_find(const struct gr_stream *stream, const char *name, const char **schema,
               const char **table, bool *exists_out, struct gr_error *err)
{
    place_of(stream, name, schema, table);
    return table_exists(stream->engine, *schema, *table, exists_out, err);
}

/* No list would ever bring a row, and nobody would notice. */
static bool
fail_no_table(const char *schema, const char *table, const char *name, struct gr_error *err)
{
    (void)gr_fail(err, GR_FAULT_DATA,
                  "there is no table %s.%s, whose rows are asked for one by one", schema, table);
    return gr_hint(err, "Run the stream %s first, or together with this one.", name);
}

static bool
find_parent(struct gr_stream *stream, struct gr_error *err)
{
    const char *name = stream->plan->schema->parent;
    const struct gr_stream *other = name != NULL ? gr_engine_stream(stream->engine, name) : NULL;
    const char *schema, *table;
    struct gr_buf quoted = gr_buf_new(0);
    bool exists;

    if (name == NULL)
        return true;
    stream->table.parent = gr_stream_other(stream, name);
    place_of(stream, name, &schema, &table);
    if (!table_exists(stream->engine, schema, table, &exists, err))
        return false;
    if (!exists && other == NULL && stream->plan->schema->walk == GR_WALK_NONE)
        return fail_no_table(schema, table, name, err);
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
    stream->feeds = gr_realloc(stream->feeds, stream->feed_count + 1, sizeof(stream->feeds[0]));
    stream->feeds[stream->feed_count++] = feed;
}

/* Events name rows of `other`. */
static void
add_event_feed(struct gr_stream *stream, const struct gr_schema *other)
{
    add_feed(stream,
             (struct gr_feed){.kind = GR_FEED_EVENT,
                              .event_object = other->event_object,
                              .types = other->event_types,
                              .type_count = other->event_type_count,
                              .merges = other->event_merges,
                              .merge_count = other->event_merge_count,
                              .reason = "event"},
             other->stream, other->ask == GR_ASK_PARENT);
}

/* When a row of the parent becomes part of another, so do its children: those of all that the event
   names are asked for, whichever side it names and whether or not the survivor's cursor moved. */
static bool
add_merge_feed(struct gr_stream *stream, const struct gr_schema *parent,
               const struct gr_schema *child, struct gr_error *err)
{
    const struct gr_stream *other = gr_engine_stream(stream->engine, parent->stream);
    struct gr_buf quoted = gr_buf_new(0);
    const char *schema, *table;
    bool exists;

    place_of(stream, parent->stream, &schema, &table);
    if (!table_exists(stream->engine, schema, table, &exists, err))
        return false;
    if (!exists)
        return true;
    gr_sql_name(&quoted, schema, table);
    add_feed(stream,
             (struct gr_feed){.kind = GR_FEED_EVENT,
                              .event_object = parent->event_object,
                              .types = parent->event_merges,
                              .type_count = parent->event_merge_count,
                              .merges = parent->event_merges,
                              .merge_count = parent->event_merge_count,
                              .only_in = gr_buf_take(&quoted),
                              .only_in_key = other != NULL ? other->plan->columns[0].name
                                                           : parent->columns[0].name,
                              .reason = "event"},
             child->stream, false);
    return true;
}

/* A row that names another one than before: the former may be gone, and no event may have said so.
 */
static void
add_former_feed(struct gr_stream *stream, size_t column, const char *name)
{
    const struct gr_schema *other = gr_schemas_find(&stream->engine->plan->schemas, name);

    if (other != NULL && other->ask != GR_ASK_NONE && other->ask != GR_ASK_PARENT)
        add_feed(stream,
                 (struct gr_feed){.kind = GR_FEED_FORMER, .column = column, .reason = "left"}, name,
                 false);
}

/* Children that this run does not open: whether a gone parent has left some is not known here. */
static bool
find_absent_child(struct gr_stream *stream, const struct gr_schema *child, struct gr_error *err)
{
    const char *schema, *table;
    bool exists;

    if (gr_engine_stream(stream->engine, child->stream) != NULL)
        return true;
    place_of(stream, child->stream, &schema, &table);
    if (!table_exists(stream->engine, schema, table, &exists, err))
        return false;
    stream->has_absent_child = stream->has_absent_child || exists;
    return true;
}

static void
set_is_run(const struct gr_stream *stream, struct gr_feed *feed)
{
    const struct gr_plan *plan = stream->engine->plan;

    for (size_t i = 0; i < plan->all_object_count; i++)
        feed->is_run = feed->is_run || strcmp(plan->all_objects[i], feed->object) == 0;
}

/* Rows of this stream name rows of `other`, or what is to be asked for there. A stream that has to
   be named, and is not, takes no entries: nobody would ever take them out again. */
static bool
find_whether_asking(const struct gr_stream *stream, const struct gr_schema *other, bool *out,
                    struct gr_error *err)
{
    const struct gr_plan *plan = stream->engine->plan;
    GR_CLEANUP(gr_buf_free) struct gr_buf object = gr_buf_new(0);
    const char *schema, *table;

    *out = is_event_log(stream->plan->schema)
               ? other->parent != NULL || other->event_type_count > 0
               : other->parent != NULL && strcmp(other->parent, stream->plan->schema->stream) == 0;
    if (!*out || !other->is_named_only)
        return true;
    place_of(stream, other->stream, &schema, &table);
    gr_buf_printf(&object, "%s.%s", schema, table);
    for (size_t i = 0; i < plan->all_object_count; i++)
        if (strcmp(plan->all_objects[i], gr_buf_text(&object)) == 0)
            return true;
    return table_exists(stream->engine, schema, table, out, err);
}

static bool
find_feeds(struct gr_stream *stream, struct gr_error *err)
{
    const struct gr_schemas *schemas = &stream->engine->plan->schemas;
    const struct gr_plan_stream *plan = stream->plan;

    for (size_t i = 0; i < schemas->count; i++) {
        const struct gr_schema *other = &schemas->items[i];
        const struct gr_schema *parent =
            other->parent != NULL ? gr_schemas_find(schemas, other->parent) : NULL;
        bool asks;

        if (!find_whether_asking(stream, other, &asks, err))
            return false;
        if (!asks)
            continue;
        if (other->parent != NULL && strcmp(other->parent, plan->schema->stream) == 0) {
            add_feed(stream, (struct gr_feed){.kind = GR_FEED_CHILD, .reason = "changed"},
                     other->stream, false);
            set_is_run(stream, &stream->feeds[stream->feed_count - 1]);
            if (!find_absent_child(stream, other, err))
                return false;
        }
        if (!is_event_log(plan->schema))
            continue;
        if (other->event_type_count > 0)
            add_event_feed(stream, other);
        if (parent != NULL && parent->event_merge_count > 0 &&
            !add_merge_feed(stream, parent, other, err))
            return false;
    }
    for (size_t i = 0; i < plan->column_count; i++) {
        if (plan->schema->parent != NULL &&
            strcmp(plan->columns[i].field, plan->schema->parent_key) == 0)
            add_former_feed(stream, i, plan->schema->parent);
        if (plan->columns[i].refers != NULL)
            add_former_feed(stream, i, plan->columns[i].refers);
    }
    return true;
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
    return mode == GR_MODE_FULL_REFRESH || mode == GR_MODE_TRUNCATE || mode == GR_MODE_SNAPSHOT ||
           mode == GR_MODE_AUDIT;
}

/* What lies between an earlier anchor and that of the first walk is below the bookmark, to where no
   walk comes. */
static void
warn_of_anchor(const struct gr_stream *stream)
{
    int64_t anchor_us = stream->engine->plan->source.anchor_us;
    char was[GR_TIME_TEXT], is[GR_TIME_TEXT];
    struct gr_error notice;

    if (stream->plan->mode != GR_MODE_INCREMENTAL || gr_walk_is_scan(&stream->walk) ||
        stream->anchor_us == GR_TIME_NONE || anchor_us >= stream->anchor_us ||
        stream->anchor_us == 0)
        return;
    gr_time_format(stream->anchor_us, was);
    gr_time_format(anchor_us, is);
    (void)gr_fail(
        &notice, GR_FAULT_SPEC,
        "anchor_date lies before %.10s, from where on rows are here: older ones are not read", was);
    (void)gr_hint(&notice, "Run once with --range %.*s,%.10s to read them.",
                  anchor_us == GR_TIME_NONE ? 0 : 10, is, was);
    gr_log_error(GR_LOG_WARN, stream->plan->name, &notice);
}

static void
begin_walk(struct gr_stream *stream, const struct gr_stream_state *state)
{
    const struct gr_engine *engine = stream->engine;
    bool is_scan = is_scan_mode(stream->plan->mode) && stream->plan->schema->walk != GR_WALK_NONE;
    bool is_void = stream->table.is_empty && !is_scan;
    int64_t bookmark_us = is_void ? GR_TIME_NONE : state->bookmark_us;
    const char *walk = gr_stream_is_audit(stream) ? state->audit_walk
                       : is_void                  ? NULL
                                                  : state->walk;

    /* What is remembered speaks of rows that were here. */
    if (is_void && state->bookmark_us != GR_TIME_NONE)
        gr_log(GR_LOG_WARN, stream->plan->name, "its table is empty, so it begins anew", NULL);
    gr_walk_begin(&stream->walk, stream->plan, is_scan, engine->plan->source.anchor_us, bookmark_us,
                  walk, gr_clock_us());
    stream->report->bookmark_us = bookmark_us;
    stream->anchor_us = bookmark_us == GR_TIME_NONE ? GR_TIME_NONE : state->anchor_us;
    warn_of_anchor(stream);
    if (stream->walk.is_resumed)
        gr_log(GR_LOG_INFO, stream->plan->name, "goes on where an earlier run was interrupted",
               NULL);
}

/* The moment that the last complete reading spoke of, as gr_overview_as_of has it. */
static int64_t
known_as_of(const struct gr_stream_state *state, int64_t now_us)
{
    int64_t completed_us = now_us - state->age_ms * 1000;

    if (state->age_ms < 0)
        return GR_TIME_NONE;
    return state->clock_us != GR_TIME_NONE && state->clock_us < completed_us ? state->clock_us
                                                                             : completed_us;
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
    if (gr_pg_exec_fenced(stream->engine->pg, sql, err))
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

    /* The clock outlasts a bookmark that was reset, and the rows are still here. */
    bool has_loaded = state->bookmark_us != GR_TIME_NONE || state->walk != NULL ||
                      state->age_ms >= 0 || state->clock_us != GR_TIME_NONE;

    if (state->source == NULL || strcmp(state->source, url) == 0 || !has_loaded ||
        stream->table.is_empty || strncmp(state->source, "http:", 5) == 0 ||
        strncmp(url, "http:", 5) == 0)
        return true;
    (void)gr_fail(err, GR_FAULT_DATA, "%s was loaded from %s, and this is %s", stream->table.object,
                  state->source, url);
    return gr_hint(err,
                   "Name another object: for this account; or empty the table and delete its "
                   "row in %s.streams, to begin anew.",
                   stream->engine->plan->state_schema);
}

static bool
is_fresh(const struct gr_stream *stream, const struct gr_stream_state *state)
{
    return state->age_ms >= 0 && state->age_ms < stream->plan->min_interval_ms &&
           !stream->table.was_created;
}

/* Rows of a first walk can go straight into an empty table, unless each of them has to be looked
   at: events, because they name objects, and children of which the parent may be gone. */
static bool
find_whether_filling(struct gr_stream *stream, struct gr_error *err)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf sql = gr_buf_new(0);
    struct gr_rows rows;

    stream->is_filling = (stream->table.is_empty || stream->goes_on_filling) &&
                         stream->table.is_as_made && !stream->may_not_fill &&
                         stream->plan->mode == GR_MODE_INCREMENTAL && !stream->plan->has_range &&
                         !is_event_log(stream->plan->schema);
    if (!stream->is_filling || stream->parent_table == NULL)
        return true;
    gr_buf_printf(&sql, "select from %s where _deleted_at is not null limit 1",
                  stream->parent_table);
    if (!gr_pg_query(stream->engine->pg, gr_buf_text(&sql), NULL, 0, &rows, err))
        return false;
    stream->is_filling = rows.count == 0;
    gr_rows_free(&rows);
    return true;
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
    stream->report->as_of_us = known_as_of(&state, gr_clock_us());
    if (!is_same_source(stream, &state, err) ||
        (stream->plan->pre_sql != NULL && !stream->has_prepared && !is_fresh(stream, &state) &&
         !gr_stream_sql(stream, "pre_sql", stream->plan->pre_sql, err))) {
        gr_stream_state_free(&state);
        return false;
    }
    stream->has_prepared = true;
    stream->layout = gr_row_layout_new(stream->plan);
    gr_row_on_new_field(stream->layout, on_new_field, stream);
    if (!find_feeds(stream, err)) {
        gr_stream_state_free(&state);
        return false;
    }
    begin_walk(stream, &state);
    if (!find_whether_filling(stream, err)) {
        gr_stream_state_free(&state);
        return false;
    }
    if (gr_stream_is_audit(stream))
        gr_auditing_begin(stream, &state);
    stream->is_fresh = is_fresh(stream, &state);
    gr_stream_state_free(&state);
    if (stream->is_fresh)
        stream->report->note = "complete within its min_interval: not asked again";
    *next = stream->is_fresh || stream->plan->mode == GR_MODE_DEFINITION_ONLY ? GR_PHASE_CLOSE
            : stream->plan->schema->made_from != NULL                         ? GR_PHASE_MAKE
            : gr_stream_is_audit(stream)                                      ? GR_PHASE_AUDIT
                                                                              : GR_PHASE_WALK;
    return true;
}

static void
free_text(const char *const *text)
{
    char *owned;

    memcpy(&owned, text, sizeof(owned));
    gr_free(owned);
}

/* Whoever knows the table as it was found to be, goes on with it as the file has it. */
static void
leave_children(struct gr_stream *parent)
{
    for (size_t i = 0; i < parent->engine->count; i++) {
        struct gr_stream *child = &parent->engine->streams[i];

        if (child->table.parent == &parent->table)
            child->table.parent = gr_stream_other(child, parent->plan->schema->stream);
    }
}

void
gr_opening_undo(struct gr_stream *stream)
{
    if (stream->is_open)
        gr_table_free(&stream->table);
    stream->is_open = false;
    leave_children(stream);
    if (stream->other.stream != NULL)
        gr_table_free(&stream->other);
    stream->other = (struct gr_table){.stream = NULL};
    gr_row_layout_free(stream->layout);
    stream->layout = NULL;
    for (size_t i = 0; i < stream->feed_count; i++) {
        free_text(&stream->feeds[i].object);
        free_text(&stream->feeds[i].only_in);
    }
    gr_free(stream->feeds);
    stream->feeds = NULL;
    stream->feed_count = 0;
    gr_free(stream->parent_table);
    stream->parent_table = NULL;
}

bool
gr_phase_open(struct gr_stream *stream, enum gr_phase *next, struct gr_error *err)
{
    struct gr_engine *engine = stream->engine;

    if (!gr_warehouse_is_quiet(engine) || open_stream(stream, next, err))
        return true;
    if (err->fault != GR_FAULT_LOST)
        return false;
    gr_log_error(GR_LOG_WARN, stream->plan->name, err);
    gr_opening_undo(stream);
    return gr_warehouse_reconnect(engine, err); /* and opens again */
}
