/*
 * finish.c - the end of a scan: what was staged becomes the table.
 *
 * Before rows are deleted because a scan did not bring them, it is made sure that the staging table
 * still holds all that was put into it (a crash of the server empties an unlogged table), and, for
 * lists that are sorted by a value which can change, that the rows are really gone: a row that
 * moved while the list was read can have been passed over.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/log.h"
#include "gr/engine/engine.h"
#include "gr/engine/page.h"
#include "gr/source/gorgias.h"

static bool
deletes(const struct gr_stream *stream)
{
    return stream->plan->mode == GR_MODE_FULL_REFRESH && !stream->walk.is_stopped &&
           !stream->has_refused && !stream->walk.scan.is_fallback;
}

static bool
confirms(const struct gr_stream *stream)
{
    return stream->plan->schema->confirm_gone && deletes(stream) &&
           !stream->finishing.is_second_scan;
}

static void
forget(struct gr_finishing *finishing)
{
    for (size_t i = 0; i < finishing->keep_count; i++)
        gr_free(finishing->keep[i]);
    gr_free(finishing->keep);
    gr_free(finishing->missing);
    gr_free(finishing->gone);
    *finishing = (struct gr_finishing){.is_second_scan = finishing->is_second_scan};
}

static void
check(struct gr_stream *stream)
{
    struct gr_script *script = gr_script_new(stream->plan->name);
    GR_CLEANUP(gr_free_var) char *walk = gr_walk_state_json(&stream->walk);

    forget(&stream->finishing);
    /* For its fence: what counts also makes the table that it counts, where there is none. */
    gr_stream_commit_state(stream, script, walk, stream->walk.bookmark_us, stream->walk.clock_us,
                           GR_COMMIT_PLAIN);
    stream->count_step = gr_commit_scan_count(script, &stream->table);
    stream->rows_step = 0;
    if (gr_stream_is_audit(stream))
        stream->rows_step = gr_comparing_missing(stream, script);
    else if (confirms(stream))
        stream->rows_step = gr_commit_scan_missing(script, &stream->table, GR_CONFIRM_MAX + 1);
    stream->report->activity = "compares";
    gr_warehouse_start(stream, script);
}

static enum gr_finish
finish_of(const struct gr_stream *stream)
{
    if (stream->plan->mode == GR_MODE_SNAPSHOT)
        return GR_FINISH_SNAPSHOT;
    if (stream->walk.scan.is_fallback || stream->walk.is_stopped || stream->has_refused)
        return GR_FINISH_MERGE;
    switch (stream->plan->mode) {
    case GR_MODE_TRUNCATE:
        return GR_FINISH_TRUNCATE;
    case GR_MODE_BACKFILL:
    case GR_MODE_INCREMENTAL:
        return GR_FINISH_MERGE;
    case GR_MODE_FULL_REFRESH:
    case GR_MODE_SNAPSHOT:
    case GR_MODE_DEFINITION_ONLY:
    case GR_MODE_AUDIT:
    case GR_MODE_COUNT:
        break;
    }
    return GR_FINISH_DIFFERENCE;
}

static void
finish(struct gr_stream *stream)
{
    struct gr_finishing *finishing = &stream->finishing;
    struct gr_script *script = gr_script_new(stream->plan->name);
    enum gr_finish how = finish_of(stream);
    GR_CLEANUP(gr_free_var) const char **keep = gr_alloc(finishing->keep_count, sizeof(*keep));

    for (size_t i = 0; i < finishing->keep_count; i++)
        keep[i] = finishing->keep[i];
    gr_stream_commit_state(stream, script, stream->walk.kept, gr_walk_scan_bookmark(&stream->walk),
                           stream->walk.scan.clock_us, GR_COMMIT_PLAIN);
    if (stream->has_refused) {
        stream->report->note = "objects without a key came: no row was deleted";
        gr_log(GR_LOG_WARN, stream->plan->name, stream->report->note, "kept_in", "rejected", NULL);
    }
    if (gr_stream_is_audit(stream))
        gr_comparing_finish(stream, script);
    else
        stream->count_step =
            gr_commit_scan_finish(script, &stream->table, how, keep, finishing->keep_count,
                                  stream->parent_table, stream->feeds, stream->feed_count);
    gr_making_put(stream, script, NULL, 0);
    gr_warehouse_start(stream, script);
}

/* The next row that is missing is asked for. */
static void
ask_next(struct gr_stream *stream)
{
    struct gr_finishing *finishing = &stream->finishing;

    for (size_t i = 0; i < stream->engine->lane_count; i++) {
        struct gr_lane *lane = &stream->lanes[i];
        struct gr_buf url = gr_buf_new(0);

        if (lane->state != GR_LANE_IDLE || finishing->next >= finishing->missing_count ||
            stream->engine->is_stopping)
            continue;
        lane->entries[0].key = finishing->missing[finishing->next++];
        gr_gorgias_object_url(&url, stream->plan->schema, lane->entries[0].key);
        gr_lane_request(lane, gr_buf_take(&url));
    }
}

bool
gr_finish_answer(struct gr_lane *lane, struct gr_http_response *response,
                 const struct gr_error *fault, struct gr_error *err)
{
    struct gr_finishing *finishing = &lane->stream->finishing;
    char key[32];

    if (fault == NULL &&
        !gr_page_is_object(gr_buf_text(&response->body), response->body.len,
                           lane->stream->plan->columns[0].field, lane->entries[0].key, err))
        return gr_fail_in(err, "%s", response->path);
    if (fault != NULL && fault->fault != GR_FAULT_MISSING &&
        !gr_gorgias_is_merged(response, lane->stream->engine->plan->source.base_url,
                              lane->stream->plan->schema)) {
        *err = *fault;
        return false;
    }
    finishing->answered++;
    if (fault != NULL) {
        finishing->gone[finishing->gone_count++] = lane->entries[0].key;
        return true;
    }
    (void)snprintf(key, sizeof(key), "%lld", (long long)lane->entries[0].key);
    finishing->keep =
        gr_realloc(finishing->keep, finishing->keep_count + 1, sizeof(finishing->keep[0]));
    finishing->keep[finishing->keep_count++] = gr_strdup(key);
    return true;
}

/* Too many to ask for one by one: a second complete scan, staged beside the first, must miss them
   too. */
static void
scan_again(struct gr_stream *stream)
{
    gr_log(GR_LOG_INFO, stream->plan->name, "many rows are missing; reads the list a second time",
           NULL);
    forget(&stream->finishing);
    stream->finishing.is_second_scan = true;
    gr_walk_rescan(&stream->walk);
}

static bool
take_check(struct gr_stream *stream, const struct gr_script *script)
{
    struct gr_finishing *finishing = &stream->finishing;
    const struct gr_rows *count = gr_script_rows(script, stream->count_step);
    const struct gr_rows *missing;

    /* More than were read is fine: a commit may have run twice. */
    if (gr_rows_int(count, 0, 0) < stream->walk.scan.staged_rows) {
        gr_log(GR_LOG_WARN, stream->plan->name, "staged rows were lost; reads the list again",
               NULL);
        gr_walking_unstaged(stream);
        return true;
    }
    finishing->is_checked = true;
    if (stream->rows_step == 0)
        return true;
    missing = gr_script_rows(script, stream->rows_step);
    if (gr_stream_is_audit(stream) ? gr_comparing_scans_again(stream, missing->count)
                                   : missing->count > GR_CONFIRM_MAX) {
        scan_again(stream);
        return true;
    }
    finishing->missing = gr_alloc(missing->count, sizeof(finishing->missing[0]));
    finishing->missing_count = missing->count;
    finishing->gone = gr_alloc(missing->count, sizeof(finishing->gone[0]));
    for (size_t i = 0; i < missing->count; i++)
        finishing->missing[i] = strtoll(gr_rows_text(missing, i, 0), NULL, 10);
    if (gr_stream_is_audit(stream) && !gr_comparing_confirms(stream))
        finishing->next = finishing->answered = finishing->missing_count;
    return true;
}

bool
gr_finish_committed(struct gr_stream *stream, const struct gr_script *script, struct gr_error *err)
{
    (void)err;
    if (!stream->finishing.is_checked)
        return take_check(stream, script);
    gr_stream_count(stream, script, stream->count_step);
    gr_walk_finish_scan(&stream->walk);
    if (gr_stream_is_audit(stream))
        gr_comparing_committed(stream, script);
    else
        stream->report->bookmark_us = stream->walk.bookmark_us;
    forget(&stream->finishing);
    return true;
}

bool
gr_phase_finish(struct gr_stream *stream, enum gr_phase *next, struct gr_error *err)
{
    struct gr_finishing *finishing = &stream->finishing;

    (void)err;
    for (size_t i = 0; i < stream->engine->lane_count; i++)
        if (stream->lanes[i].state != GR_LANE_IDLE)
            return ask_next(stream), true;
    if (gr_warehouse_works_for(stream))
        return true;
    if (!stream->walk.is_done) {
        *next = GR_PHASE_WALK; /* the scan has to be done again */
        return true;
    }
    if (!stream->walk.scan.is_active) {
        *next = gr_stream_is_audit(stream) ? GR_PHASE_AUDIT : GR_PHASE_SETTLE;
        return true;
    }
    if (stream->engine->is_stopping && finishing->answered < finishing->missing_count &&
        !gr_comparing_cuts_short(stream)) {
        *next = GR_PHASE_CLOSE;
        return true;
    }
    if (finishing->is_checked && finishing->answered < finishing->missing_count)
        ask_next(stream);
    else if (gr_warehouse_is_free(stream->engine))
        finishing->is_checked ? finish(stream) : check(stream);
    return true;
}
