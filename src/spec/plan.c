/* plan.c - the replication file, its connections and the schemas become a list of streams. */
#include "gr/spec/plan.h"

#include <stdlib.h>
#include <string.h>

#include "gr/base/time.h"
#include "gr/spec/casing.h"
#include "gr/spec/columns.h"
#include "gr/spec/environment.h"
#include "gr/spec/names.h"
#include "gr/spec/nested.h"
#include "gr/spec/object.h"
#include "gr/spec/replication.h"
#include "gr/spec/selection.h"
#include "gr/spec/variables.h"

/* A plan under way. */
struct planner {
    const struct gr_plan_options *options;
    struct gr_arena *arena;
    struct gr_notes notes;
    struct gr_replication file;
    struct gr_variables variables;
    struct gr_environment environment;
    struct gr_plan plan;
    struct gr_plan_stream *streams;         /* of the whole file, but the disabled ones   */
    const struct gr_stream_entry **entries; /* of the same                               */
    bool *is_selected;
    bool *is_away; /* --streams takes it away from those that go along */
    size_t count;
    struct gr_error *err;
};

const char *
gr_mode_name(enum gr_mode mode)
{
    if (mode == GR_MODE_AUDIT)
        return "audit";
    return mode < GR_MODE_AUDIT ? gr_mode_words[mode] : "?";
}

bool
gr_mode_parse(const char *word, enum gr_mode *mode_out)
{
    int index = gr_field_word(word, gr_mode_words);

    if (index < 0)
        return false;
    *mode_out = (enum gr_mode)index;
    return true;
}

bool
gr_range_parse(const char *text, int64_t *from_us_out, int64_t *to_us_out)
{
    const char *comma = strchr(text, ',');
    int64_t from_us = GR_TIME_NONE;
    int64_t to_us = GR_TIME_NONE;

    if (comma == NULL || strchr(comma + 1, ',') != NULL)
        return false;
    if (comma > text && !gr_time_parse(text, (size_t)(comma - text), &from_us))
        return false;
    if (comma[1] != '\0' && !gr_time_parse(comma + 1, strlen(comma + 1), &to_us))
        return false;
    if (from_us == GR_TIME_NONE && to_us == GR_TIME_NONE)
        return false;
    if (from_us != GR_TIME_NONE && to_us != GR_TIME_NONE && from_us > to_us)
        return false;
    *from_us_out = from_us;
    *to_us_out = to_us;
    return true;
}

/* --- mode and range ----------------------------------------------------------------------------
 */

/* In a file for Sling a step may follow, by which an API would be asked piece by piece. */
static const char *
without_step(struct planner *p, const struct gr_stream_entry *entry)
{
    const char *text = entry->source.range;
    const char *comma = text != NULL ? strchr(text, ',') : NULL;
    const char *second = comma != NULL ? strchr(comma + 1, ',') : NULL;

    if (second == NULL || strchr(second + 1, ',') != NULL)
        return text;
    gr_notes_add(&p->notes, gr_stream_entry_at(entry, "source_options", "range"),
                 "the step of the range has no effect here: a range is read page by page");
    return gr_arena_strndup(p->arena, text, (size_t)(second - text));
}

static bool
resolve_range(struct planner *p, const struct gr_stream_entry *entry, struct gr_plan_stream *out)
{
    bool is_option = p->options->range != NULL;
    const char *text = is_option ? p->options->range : without_step(p, entry);

    out->range_from_us = GR_TIME_NONE;
    out->range_to_us = GR_TIME_NONE;
    if (text == NULL)
        return true;
    out->has_range = true;
    if (gr_range_parse(text, &out->range_from_us, &out->range_to_us))
        return true;
    if (is_option)
        (void)gr_fail(p->err, GR_FAULT_USAGE, "--range must be FROM,TO, found \"%.80s\"", text);
    else
        (void)gr_yaml_fail(gr_stream_entry_at(entry, "source_options", "range"), p->err,
                           "\"range\" must be FROM,TO, found \"%.80s\"", text);
    return gr_hint(p->err, "FROM and TO are dates or datetimes, such as 2024-01-01,2024-02-01; one "
                           "may be empty, and FROM is not after TO.");
}

/* A stream that has no order by time can neither be incremental nor cut to a range. */
static void
read_in_full(struct gr_plan_stream *out, const char *note)
{
    out->mode = GR_MODE_FULL_REFRESH;
    out->has_range = false;
    out->range_from_us = GR_TIME_NONE;
    out->range_to_us = GR_TIME_NONE;
    out->note = note;
}

/* No list has its rows: a range, or a copy of them all beside the last one, has no meaning. */
static void
go_along(struct gr_plan_stream *out)
{
    bool is_other =
        out->has_range || out->mode == GR_MODE_BACKFILL || out->mode == GR_MODE_SNAPSHOT;

    out->has_range = false;
    out->range_from_us = out->range_to_us = GR_TIME_NONE;
    if (!is_other)
        return;
    out->mode = GR_MODE_INCREMENTAL;
    out->note = "the rows come with those of another stream: neither a range nor a snapshot of "
                "them can be read";
}

static bool
check_range(struct planner *p, const struct gr_stream_entry *entry, struct gr_plan_stream *out)
{
    bool is_full_walk = out->schema->walk == GR_WALK_FULL;

    if (out->schema->walk == GR_WALK_NONE)
        go_along(out);
    if (is_full_walk && out->mode == GR_MODE_INCREMENTAL)
        read_in_full(out, "the endpoint cannot be read incrementally: refreshed in full");
    else if (is_full_walk && out->mode == GR_MODE_BACKFILL)
        read_in_full(out, "the endpoint has no order by time to backfill by: refreshed in full");
    else if (is_full_walk && out->has_range && p->options->range != NULL)
        read_in_full(out, "the endpoint has no order by time, so the range is not used");
    if (out->mode == GR_MODE_BACKFILL && !out->has_range) {
        (void)gr_yaml_fail(gr_stream_entry_at(entry, NULL, "mode"), p->err,
                           "stream \"%s\" has mode backfill but no range", out->name);
        return gr_hint(p->err,
                       "Set source_options: { range: \"2024-01-01,2024-02-01\" }, or run with "
                       "--range FROM,TO.");
    }
    if (!out->has_range || out->mode == GR_MODE_BACKFILL)
        return true;
    if (out->mode == GR_MODE_INCREMENTAL || p->options->range != NULL) {
        out->mode = GR_MODE_BACKFILL;
        out->note = "a range is given: a backfill, which leaves the bookmark alone";
        return true;
    }
    (void)gr_yaml_fail(gr_stream_entry_at(entry, "source_options", "range"), p->err,
                       "stream \"%s\" has a range, which does not go with mode %s", out->name,
                       gr_mode_name(out->mode));
    return gr_hint(p->err, "A range goes with mode backfill.");
}

static bool
resolve_mode(struct planner *p, const struct gr_stream_entry *entry, struct gr_plan_stream *out)
{
    out->note = "";
    out->mode = entry->mode < 0 ? GR_MODE_FULL_REFRESH : (enum gr_mode)entry->mode;
    if (p->options->mode != NULL)
        (void)gr_mode_parse(p->options->mode, &out->mode); /* check_options has seen to it */
    return resolve_range(p, entry, out) && check_range(p, entry, out);
}

/* --- options of a stream -----------------------------------------------------------------------
 */

static bool
resolve_missing(struct planner *p, const struct gr_stream_entry *entry, struct gr_plan_stream *out)
{
    const struct gr_yaml_node *node = entry->target.delete_missing;
    bool is_on = false;

    /* A value that a row no longer has was no object that could be deleted. */
    out->missing = out->mode == GR_MODE_FULL_REFRESH || out->mode == GR_MODE_TRUNCATE ||
                           out->schema->made_from != NULL
                       ? GR_MISSING_HARD
                       : GR_MISSING_SOFT;
    if (node == NULL || node->kind == GR_YAML_NULL || (gr_yaml_bool(node, &is_on) && !is_on))
        return true;
    if (node->kind != GR_YAML_TEXT ||
        (strcmp(node->text, "soft") != 0 && strcmp(node->text, "hard") != 0)) {
        (void)gr_yaml_fail(node, p->err, "\"delete_missing\" must be soft or hard, found %s",
                           gr_yaml_shown(p->arena, node));
        return gr_hint(p->err, "hard deletes rows that are gone at the source, soft sets "
                               "_deleted_at.");
    }
    out->missing = strcmp(node->text, "soft") == 0 ? GR_MISSING_SOFT : GR_MISSING_HARD;
    return true;
}

/* Sling's 0 means all levels; here it is the default, and means none. */
static bool
resolve_flatten(struct planner *p, const struct gr_stream_entry *entry, struct gr_plan_stream *out)
{
    const struct gr_yaml_node *node = entry->source.flatten;
    size_t len;
    bool is_on = false;

    if (node == NULL || node->kind == GR_YAML_NULL || strcmp(node->text, "-1") == 0)
        return true;
    if (gr_yaml_bool(node, &is_on)) {
        out->flatten_levels = is_on ? GR_FLATTEN_ALL : 0;
        return true;
    }
    len = strlen(node->text);
    if (node->kind != GR_YAML_TEXT || len == 0 || len > 2 ||
        strspn(node->text, "0123456789") != len) {
        (void)gr_yaml_fail(node, p->err,
                           "\"flatten\" must be true, false or a number of levels, found %s",
                           gr_yaml_shown(p->arena, node));
        return gr_hint(p->err, "flatten: 1 makes columns such as customer__id.");
    }
    out->flatten_levels = strtol(node->text, NULL, 10);
    if (out->flatten_levels == 0)
        gr_notes_add(&p->notes, node,
                     "flatten: 0 keeps nested values whole; all levels, as Sling means it, is "
                     "flatten: true");
    return true;
}

static bool
resolve_options(struct planner *p, const struct gr_stream_entry *entry, struct gr_plan_stream *out)
{
    out->lookback_ms =
        entry->source.lookback_ms >= 0 ? entry->source.lookback_ms : out->schema->lookback_ms;
    out->limit_rows = p->options->limit_rows > 0      ? p->options->limit_rows
                      : p->environment.limit_rows > 0 ? p->environment.limit_rows
                                                      : entry->source.limit_rows;
    if (out->limit_rows > 0 && out->schema->walk == GR_WALK_NONE && out->schema->parent != NULL)
        out->note = "no list has its rows, of which a limit could take a part: none is asked for";
    if (out->limit_rows > 0 && out->schema->made_from != NULL)
        out->note =
            "made of all rows that are read of the other stream: only that one's limit counts";
    out->loaded_at = p->environment.loaded_at;
    out->min_interval_ms = entry->source.min_interval_ms;
    out->add_new_columns = entry->target.add_new_columns;
    out->batch_limit_rows = entry->target.batch_limit_rows;
    out->tags = entry->tags.items;
    out->tag_count = entry->tags.count;
    return resolve_flatten(p, entry, out) && resolve_missing(p, entry, out);
}

/* --- object and SQL ----------------------------------------------------------------------------
 */

static bool
fail_no_object(struct planner *p, const struct gr_stream_entry *entry)
{
    (void)gr_yaml_fail(entry->key, p->err, "need to specify \"object\" for stream \"%s\"",
                       entry->name);
    return gr_hint(p->err, "Write object: gorgias.{stream_name} under defaults.");
}

/* PostgreSQL keeps the names that begin with pg_ to itself and lets none but itself create one. */
static bool
is_system_schema(const char *schema)
{
    return strncmp(schema, "pg_", 3) == 0 || strcmp(schema, "information_schema") == 0;
}

static bool
resolve_object(struct planner *p, const struct gr_stream_entry *entry, struct gr_plan_stream *out)
{
    const struct gr_yaml_node *at = gr_stream_entry_at(entry, NULL, "object");
    struct gr_object object;
    const char *text;
    const char *wrong;

    if (entry->object == NULL)
        return fail_no_object(p, entry);
    if (!gr_variables_expand(&p->variables, at, entry->object, &text, p->err))
        return false;
    wrong = gr_object_parse(text, p->arena, &object);
    if (wrong != NULL) {
        (void)gr_yaml_fail(at, p->err, "object \"%.130s\" is not the name of a table: %s", text,
                           wrong);
        return gr_hint(p->err,
                       "Write schema.table, or \"Schema\".\"Table\" with quotes around each "
                       "part that is not plain.");
    }
    out->table_schema = object.count == 2 ? object.parts[0] : p->plan.target.schema;
    out->table_name = object.parts[object.count - 1];
    if (is_system_schema(out->table_schema)) {
        (void)gr_yaml_fail(at, p->err,
                           "object \"%.130s\" is in schema \"%s\", which belongs to PostgreSQL",
                           text, out->table_schema);
        return gr_hint(p->err, "Choose another schema, such as gorgias.{stream_name}.");
    }
    if (strcmp(out->table_schema, p->plan.state_schema) == 0) {
        (void)gr_yaml_fail(at, p->err,
                           "object \"%.130s\" is in schema \"%s\", which holds the state", text,
                           p->plan.state_schema);
        return gr_hint(p->err, "Use another schema, or name one for the state with SLING_STATE.");
    }
    return true;
}

static void
set_stream_variables(struct planner *p, const struct gr_stream_entry *entry,
                     const struct gr_plan_stream *stream)
{
    struct gr_variables *v = &p->variables;

    gr_variables_set(v, "stream_name", entry->name);
    gr_variables_set(v, "stream.name", entry->name);
    gr_variables_set(v, "stream_table", entry->name);
    gr_variables_set(v, "stream.table", entry->name);
    gr_variables_set(v, "stream_table_lower", entry->name);
    gr_variables_set(v, "stream_table_upper",
                     gr_casing_apply(GR_CASING_UPPER, entry->name, p->arena));
    gr_variables_set(v, "stream_full_name", entry->name);
    gr_variables_set(v, "stream.full_name", entry->name);
    gr_variables_set(v, "stream_description", stream->description);
    gr_variables_set(v, "stream.description", stream->description);
    gr_variables_set(v, "update_key", stream->schema->cursor != NULL ? stream->schema->cursor : "");
}

static void
set_object_variables(struct planner *p, const struct gr_plan_stream *stream)
{
    struct gr_variables *v = &p->variables;
    const char *full =
        gr_arena_printf(p->arena, "\"%s\".\"%s\"", stream->table_schema, stream->table_name);

    gr_variables_set(v, "object_schema", stream->table_schema);
    gr_variables_set(v, "object.schema", stream->table_schema);
    gr_variables_set(v, "object_name", stream->table_name);
    gr_variables_set(v, "object.name", stream->table_name);
    gr_variables_set(v, "object_table", stream->table_name);
    gr_variables_set(v, "object.table", stream->table_name);
    gr_variables_set(v, "object_full_name", full);
    gr_variables_set(v, "object.full_name", full);
}

static bool
resolve_sql(struct planner *p, const struct gr_stream_entry *entry, struct gr_plan_stream *out)
{
    const struct gr_stream_target_options *target = &entry->target;

    set_object_variables(p, out);
    if (target->pre_sql != NULL &&
        !gr_variables_expand(&p->variables, gr_stream_entry_at(entry, "target_options", "pre_sql"),
                             target->pre_sql, &out->pre_sql, p->err))
        return false;
    return target->post_sql == NULL ||
           gr_variables_expand(&p->variables,
                               gr_stream_entry_at(entry, "target_options", "post_sql"),
                               target->post_sql, &out->post_sql, p->err);
}

/* A copy claims something in two modes. What a file asks of runs, such as SQL before and after
   them, is no part of an audit. */
static void
make_audit(struct gr_plan_stream *out)
{
    if ((out->mode != GR_MODE_INCREMENTAL && out->mode != GR_MODE_FULL_REFRESH) ||
        out->schema->walk == GR_WALK_NONE)
        return;
    out->audited = out->mode;
    out->mode = GR_MODE_AUDIT;
    out->note = "";
    out->limit_rows = out->min_interval_ms = 0;
    out->pre_sql = out->post_sql = NULL;
}

static bool
resolve_stream(struct planner *p, const struct gr_stream_entry *entry, struct gr_plan_stream *out)
{
    size_t run_variables = p->variables.count;
    bool is_resolved;

    out->name = entry->name;
    out->schema = entry->schema;
    out->description = entry->description != NULL && !entry->is_expanded
                           ? entry->description
                           : entry->schema->description;
    set_stream_variables(p, entry, out);
    is_resolved = resolve_mode(p, entry, out) && resolve_options(p, entry, out) &&
                  gr_columns_resolve(entry, &p->plan.schemas, &p->notes, p->arena, out, p->err) &&
                  gr_columns_resolve_keys(entry, &p->notes, p->arena, out, p->err) &&
                  resolve_object(p, entry, out) && resolve_sql(p, entry, out);
    p->variables.count = run_variables;
    if (is_resolved && p->options->is_audit)
        make_audit(out);
    return is_resolved;
}

/* --- all streams -------------------------------------------------------------------------------
 */

static bool
check_objects(struct planner *p)
{
    for (size_t i = 0; i < p->count; i++)
        for (size_t j = 0; j < i; j++) {
            const struct gr_plan_stream *a = &p->streams[j];
            const struct gr_plan_stream *b = &p->streams[i];

            if (strcmp(a->table_schema, b->table_schema) != 0 ||
                strcmp(a->table_name, b->table_name) != 0)
                continue;
            (void)gr_yaml_fail(gr_stream_entry_at(p->entries[i], NULL, "object"), p->err,
                               "streams \"%s\" and \"%s\" have the same object \"%s.%s\"", a->name,
                               b->name, b->table_schema, b->table_name);
            return gr_hint(p->err,
                           "A table belongs to one stream; use {stream_name} in the object.");
        }
    return true;
}

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void
set_all_objects(struct planner *p)
{
    const char **objects = gr_arena_alloc(p->arena, p->count, sizeof(objects[0]));

    for (size_t i = 0; i < p->count; i++)
        objects[i] = gr_arena_printf(p->arena, "%s.%s", p->streams[i].table_schema,
                                     p->streams[i].table_name);
    qsort(objects, p->count, sizeof(objects[0]), compare_texts);
    p->plan.all_objects = objects;
    p->plan.all_object_count = p->count;
}

static bool
may_be_audited(struct planner *p, const struct gr_stream_entry *entry,
               const struct gr_plan_stream *stream)
{
    if (!p->options->is_audit || stream->mode == GR_MODE_AUDIT)
        return true;
    if (stream->schema->walk == GR_WALK_NONE) {
        gr_notes_add(&p->notes, entry->key,
                     stream->schema->made_from != NULL
                         ? "stream \"%s\" is not audited: it is made of other rows, by the run "
                           "after an audit anew"
                         : "stream \"%s\" is not audited: no list has its rows, and each would "
                           "take a request",
                     stream->name);
        return false;
    }
    gr_notes_add(
        &p->notes, gr_stream_entry_at(entry, NULL, "mode"),
        "stream \"%s\" is not audited: only the modes incremental and full-refresh claim a "
        "complete copy",
        stream->name);
    return false;
}

static size_t
find_stream(const struct planner *p, const char *name)
{
    size_t i = 0;

    while (i < p->count && strcmp(p->streams[i].name, name) != 0)
        i++;
    return i;
}

static bool
has_made_of(const struct gr_plan_stream *from, const char *field)
{
    for (size_t i = 0; i < from->column_count; i++)
        if (strcmp(from->columns[i].field, field) == 0)
            return from->columns[i].type == GR_TYPE_JSONB;
    return false;
}

/* Disabled or not. */
static bool
is_in_file(const struct planner *p, const char *name)
{
    for (size_t i = 0; i < p->file.count; i++)
        if (strcmp(p->file.streams[i].name, name) == 0)
            return true;
    return false;
}

/* Whose rows are made, and of what, has to be in the file. */
static bool
check_made_from(struct planner *p, size_t i)
{
    const struct gr_schema *schema = p->streams[i].schema;
    size_t from = find_stream(p, schema->made_from);

    if (from == p->count) {
        bool is_disabled = is_in_file(p, schema->made_from);

        (void)gr_yaml_fail(p->entries[i]->key, p->err,
                           "stream \"%s\" is made from %s, which this file %s", p->streams[i].name,
                           schema->made_from, is_disabled ? "has disabled" : "does not have");
        return gr_hint(p->err,
                       is_disabled
                           ? "Put disabled: true under this one too, or take it away from %s."
                           : "Add the stream %s.",
                       schema->made_from);
    }
    if (p->streams[from].mode == GR_MODE_SNAPSHOT ||
        !has_made_of(&p->streams[from], schema->made_of)) {
        (void)gr_yaml_fail(
            p->entries[i]->key, p->err, "stream \"%s\" is made of the column %s of %s, which %s",
            p->streams[i].name, schema->made_of, schema->made_from,
            p->streams[from].mode == GR_MODE_SNAPSHOT ? "has a row several times in mode snapshot"
                                                      : "is not there as jsonb");
        return gr_hint(p->err,
                       "Leave out one of the two, or keep %s in another mode and with that column.",
                       schema->made_from);
    }
    for (size_t j = p->streams[i].key_count; j < p->streams[i].column_count; j++)
        if (p->streams[i].columns[j].type != GR_TYPE_TEXT &&
            p->streams[i].columns[j].type != GR_TYPE_JSONB)
            return gr_yaml_fail(gr_stream_entry_at(p->entries[i], NULL, "columns"), p->err,
                                "column \"%s\" of \"%s\" can be text or jsonb",
                                p->streams[i].columns[j].name, p->streams[i].name);
    return true;
}

/* They are written in the transactions of the stream that they are made from: so where that one
 * runs, they do; unless --streams takes them away, for the next run that has them makes them anew.
 */
static bool
check_made(struct planner *p)
{
    for (size_t i = 0; i < p->count; i++) {
        const char *from = p->streams[i].schema->made_from;
        size_t maker;
        bool is_wanted;

        if (from == NULL)
            continue;
        maker = find_stream(p, from);
        is_wanted =
            p->is_selected[i] || (maker < p->count && p->is_selected[maker] && !p->is_away[i]);
        if (is_wanted && !check_made_from(p, i))
            return false;
        p->streams[i].goes_along = !p->is_selected[i];
        p->is_selected[i] = is_wanted && !p->options->is_audit;
    }
    return true;
}

static bool
resolve_streams(struct planner *p)
{
    enum gr_choice *choices = gr_arena_alloc(p->arena, p->file.count, sizeof(*choices));

    if (!gr_selection_apply(p->options->streams, p->plan.file, &p->file, p->arena, choices, p->err))
        return false;
    p->streams = gr_arena_alloc(p->arena, p->file.count, sizeof(*p->streams));
    p->entries = gr_arena_alloc(p->arena, p->file.count, sizeof(struct gr_stream_entry *));
    p->is_selected = gr_arena_alloc(p->arena, p->file.count, sizeof(*p->is_selected));
    p->is_away = gr_arena_alloc(p->arena, p->file.count, sizeof(*p->is_away));
    for (size_t i = 0; i < p->file.count; i++) {
        const struct gr_stream_entry *entry = &p->file.streams[i];

        if (entry->is_disabled)
            continue;
        if (!resolve_stream(p, entry, &p->streams[p->count]))
            return false;
        p->entries[p->count] = entry;
        p->is_selected[p->count] =
            choices[i] == GR_CHOICE_IN && may_be_audited(p, entry, &p->streams[p->count]);
        p->is_away[p->count] = choices[i] == GR_CHOICE_AWAY;
        p->count++;
    }
    if (!check_objects(p) || !check_made(p))
        return false;
    set_all_objects(p);
    p->plan.file_streams = p->streams;
    p->plan.file_stream_count = p->count;
    return true;
}

/* True if rows of `feeder` put entries into the queue of `stream`. */
static bool
is_fed_by(const struct gr_plan_stream *stream, const struct gr_plan_stream *feeder)
{
    const struct gr_schema *schema = stream->schema;

    if (schema->parent != NULL && strcmp(schema->parent, feeder->name) == 0)
        return true;
    return schema->event_type_count > 0 && strcmp(feeder->name, "events") == 0 && stream != feeder;
}

/* The first stream in file order that waits for none that is still to come. */
static size_t
next_in_order(const struct planner *p, const bool *is_done)
{
    size_t first = p->count;

    for (size_t i = 0; i < p->count; i++) {
        bool waits = false;

        if (is_done[i] || !p->is_selected[i])
            continue;
        if (first == p->count)
            first = i;
        for (size_t j = 0; j < p->count && !waits; j++)
            waits = !is_done[j] && p->is_selected[j] && is_fed_by(&p->streams[i], &p->streams[j]);
        if (!waits)
            return i;
    }
    return first;
}

static void
put_in_order(struct planner *p)
{
    struct gr_plan_stream *ordered = gr_arena_alloc(p->arena, p->count, sizeof(*ordered));
    bool *is_done = gr_arena_alloc(p->arena, p->count, sizeof(*is_done));
    size_t count = 0;

    for (size_t i = next_in_order(p, is_done); i < p->count; i = next_in_order(p, is_done)) {
        is_done[i] = true;
        ordered[count++] = p->streams[i];
    }
    p->plan.streams = ordered;
    p->plan.count = count;
}

/* --- the whole ---------------------------------------------------------------------------------
 */

static bool
check_options(struct planner *p)
{
    const struct gr_plan_options *o = p->options;
    size_t count = 0;
    enum gr_mode mode;

    while (gr_mode_words[count] != NULL)
        count++;
    if (o->mode != NULL && !gr_mode_parse(o->mode, &mode)) {
        (void)gr_fail(p->err, GR_FAULT_USAGE, "--mode: unknown mode \"%.60s\"%s", o->mode,
                      gr_name_did_you_mean(p->arena, o->mode, gr_mode_words, count));
        return gr_hint(p->err, "The words are: %s.", gr_name_list(p->arena, gr_mode_words, count));
    }
    if (o->limit_rows < 0)
        return gr_fail(p->err, GR_FAULT_USAGE, "--limit must not be negative");
    if (o->threads < 0 || o->threads > GR_THREADS_MAX)
        return gr_fail(p->err, GR_FAULT_USAGE, "--threads must be 1 to %d", GR_THREADS_MAX);
    return true;
}

static void
set_run_variables(struct planner *p)
{
    const struct gr_plan *plan = &p->plan;
    const struct {
        const char *flat;
        const char *dotted;
        const char *value;
    } variables[] = {
        {"source_name", "source.name", plan->source.name},
        {"source_type", "source.type", "api"},
        {"source_kind", "source.kind", "api"},
        {"target_name", "target.name", plan->target.name},
        {"target_type", "target.type", "postgres"},
        {"target_kind", "target.kind", "database"},
        {"target_schema", "target.schema", plan->target.schema},
        {"target_database", "target.database", plan->target.database},
    };

    gr_variables_set_time(&p->variables, p->options->now_us);
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        gr_variables_set(&p->variables, variables[i].flat, variables[i].value);
        gr_variables_set(&p->variables, variables[i].dotted, variables[i].value);
    }
}

static bool
load_connections(struct planner *p)
{
    struct gr_connections from = {.arena = p->arena,
                                  .own = p->file.connections,
                                  .now_us = p->options->now_us,
                                  .notes = &p->notes};

    return gr_connection_source(&from, p->file.source, &p->plan.source, p->err) &&
           gr_connection_target(&from, p->file.target, &p->plan.target, p->err);
}

/* Several streams at once hide the way to the API; of one queue, a kill repeats what is in flight.
 */
static void
set_threads(struct planner *p, int64_t stated)
{
    p->plan.threads = stated > 0 ? stated : GR_THREADS;
    p->plan.lanes = stated > 0 ? stated : GR_LANES;
}

static bool
load_environment(struct planner *p)
{
    struct gr_environment environment;

    /* The file's own variables come later, and so win over what the run brings along. */
    set_run_variables(p);
    if (!gr_environment_load(&p->file, p->options->env, &p->plan.target, &p->variables, &p->notes,
                             &environment, p->err))
        return false;
    p->plan.state_schema = environment.state_schema;
    p->plan.keep_runs_ms = environment.keep_runs_ms;
    p->plan.is_dry_run = environment.is_dry_run;
    p->plan.max_duration_ms = environment.max_duration_ms;
    p->environment = environment;
    set_threads(p, p->options->threads > 0 ? p->options->threads : environment.threads);
    return true;
}

static bool
load(struct planner *p)
{
    if (!check_options(p) ||
        !gr_schemas_load(p->options->schemas_folder, &p->plan.schemas, p->err) ||
        !gr_replication_load(p->plan.file, p->options->env, &p->plan.schemas, &p->notes, p->arena,
                             &p->file, p->err) ||
        !load_connections(p) || !load_environment(p) || !resolve_streams(p))
        return false;
    put_in_order(p);
    if (p->options->is_audit && p->plan.count == 0)
        return gr_fail(p->err, GR_FAULT_USAGE, "%s: no stream is left to audit", p->plan.file) ||
               gr_hint(p->err, "Streams of mode incremental and full-refresh can be audited.");
    p->plan.warnings = p->notes.items;
    p->plan.warning_count = p->notes.count;
    return true;
}

bool
gr_plan_load(const char *file, const struct gr_plan_options *options, struct gr_plan *out,
             struct gr_error *err)
{
    struct gr_arena *arena = gr_arena_new();
    struct planner p = {.options = options,
                        .arena = arena,
                        .notes = {.arena = arena},
                        .variables = {.arena = arena},
                        .plan = {.arena = arena},
                        .err = err};

    p.plan.file = gr_arena_strdup(arena, file);
    p.plan.is_audit = options->is_audit;
    if (!load(&p)) {
        gr_plan_free(&p.plan);
        return false;
    }
    *out = p.plan;
    return true;
}

void
gr_plan_free(struct gr_plan *plan)
{
    gr_schemas_free(&plan->schemas);
    gr_arena_free(plan->arena);
    *plan = (struct gr_plan){0};
}

const struct gr_plan_stream *
gr_plan_find(const struct gr_plan *plan, const char *name)
{
    for (size_t i = 0; i < plan->file_stream_count; i++)
        if (strcmp(plan->file_streams[i].name, name) == 0)
            return &plan->file_streams[i];
    return NULL;
}
