/*
 * drain.c - the queue of a stream: what its feeders named is asked for, answered, and dequeued.
 *
 * Entries are handed to the lanes. What a lane brings and the removal of its entries are one
 * transaction.
 */
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/engine/engine.h"
#include "gr/engine/page.h"
#include "gr/source/gorgias.h"

enum { ASK_FAILURES_MAX = 20, ASK_PAGES_MAX = 5000, ASK_EMPTY_MAX = 3 };
enum { LANES_LEAST = 4, QUEUE_PER_LANE = 2 };

/* --- asking --------------------------------------------------------------------------------- */

static char *
ask_url(const struct gr_lane *lane)
{
    const struct gr_schema *schema = lane->stream->plan->schema;
    struct gr_buf url = gr_buf_new(0);
    int64_t ids[GR_ASK_IDS_MAX];
    size_t count = 0;

    if (schema->ask == GR_ASK_OBJECT || schema->ask == GR_ASK_EXISTS) {
        gr_gorgias_object_url(&url, schema, lane->entries[0].key);
        return gr_buf_take(&url);
    }
    for (size_t i = 0; i < lane->entry_count; i++)
        if (!lane->asks_twice || !lane->found[i])
            ids[count++] = lane->entries[i].key;
    gr_gorgias_list_url(&url, schema,
                        &(struct gr_list_ask){.order = schema->order,
                                              .cursor = lane->cursor,
                                              .since_us = GR_TIME_NONE,
                                              .limit = schema->page_limit,
                                              .param = schema->ask_param,
                                              .ids = ids,
                                              .id_count = count});
    return gr_buf_take(&url);
}

/* In a run that is stopping nothing more is asked: the entries stay in the queue. */
static void
request(struct gr_lane *lane)
{
    if (lane->stream->engine->is_stopping)
        gr_lane_reset(lane);
    else
        gr_lane_request(lane, ask_url(lane));
}

static void
begin_ask(struct gr_lane *lane)
{
    gr_buf_reset(&lane->rows);
    gr_rejects_free(&lane->rejects);
    gr_free(lane->cursor);
    lane->cursor = NULL;
    lane->gone_count = 0;
    lane->is_complete = lane->has_staged = lane->is_in_script = false;
    lane->has_refused = lane->asks_twice = false;
    lane->clock_us = GR_TIME_NONE;
    lane->pages = lane->empty_pages = 0;
    memset(lane->found, 0, sizeof(lane->found));
    request(lane);
}

/* What is on its way is what a kill repeats: no more than half of the queue. Some two dozen entries
   have lanes enough to use a full budget at once. */
static size_t
lanes_for(const struct gr_stream *stream)
{
    size_t few = stream->queue_count / QUEUE_PER_LANE;
    size_t lanes = few > LANES_LEAST ? few : LANES_LEAST;

    return lanes < stream->engine->lane_count ? lanes : stream->engine->lane_count;
}

static void
ask_more(struct gr_stream *stream)
{
    size_t most = stream->plan->schema->ask == GR_ASK_IDS ? GR_ASK_IDS_MAX : 1;

    for (size_t i = 0; i < lanes_for(stream); i++) {
        struct gr_lane *lane = &stream->lanes[i];

        if (lane->state != GR_LANE_IDLE || stream->queue_next >= stream->queue_count ||
            stream->engine->is_stopping)
            continue;
        lane->entry_count = 0;
        while (lane->entry_count < most && stream->queue_next < stream->queue_count)
            lane->entries[lane->entry_count++] = stream->queue[stream->queue_next++];
        begin_ask(lane);
    }
}

/* One bad answer does not keep the others waiting: its entries stay in the queue. But what the
   budget has refused for good, it would refuse the others too. */
static bool
pass_over(struct gr_lane *lane, const struct gr_error *fault, struct gr_error *err)
{
    struct gr_stream *stream = lane->stream;

    *err = *fault;
    if (gr_fault_facts(fault->fault)->scope == GR_SCOPE_RUN || fault->fault == GR_FAULT_THROTTLED ||
        ++stream->ask_failures >= ASK_FAILURES_MAX)
        return false;
    gr_log_error(GR_LOG_ERROR, stream->plan->name, fault);
    if (stream->report->error.fault == GR_OK)
        stream->report->error = *fault;
    lane->has_staged = false;
    lane->state = GR_LANE_IDLE;
    return true;
}

static void
hold(struct gr_lane *lane, bool is_complete)
{
    lane->is_complete = is_complete;
    lane->state = GR_LANE_HELD;
}

/* The rows that came are among those that were asked for by id. */
static bool
was_asked_for(const struct gr_lane *lane, const struct gr_page *page, struct gr_error *err)
{
    for (int64_t j = 0; j < page->wanted; j++) {
        bool is_known = lane->stream->plan->schema->ask != GR_ASK_IDS;

        for (size_t i = 0; i < lane->entry_count && !is_known; i++)
            is_known = page->tuples[j].key == lane->entries[i].key;
        if (!is_known)
            return gr_fail(err, GR_FAULT_PAYLOAD, "the list has rows that were not asked for");
    }
    return true;
}

static void
note_found(struct gr_lane *lane, const struct gr_page *page)
{
    for (size_t i = 0; i < lane->entry_count; i++)
        for (int64_t j = 0; j < page->wanted && !lane->found[i]; j++)
            lane->found[i] = page->tuples[j].key == lane->entries[i].key;
}

static void
note_gone(struct gr_lane *lane)
{
    for (size_t i = 0; i < lane->entry_count; i++)
        if (!lane->found[i])
            lane->gone[lane->gone_count++] = lane->entries[i].key;
}

/* No event has told of these: one short answer does not take rows away. */
static bool
ask_twice(struct gr_lane *lane)
{
    bool is_lacking = false;

    for (size_t i = 0; i < lane->entry_count; i++)
        is_lacking = is_lacking || !lane->found[i];
    if (!is_lacking || lane->asks_twice || !gr_stream_is_audit(lane->stream))
        return false;
    lane->asks_twice = true;
    request(lane);
    return true;
}

/* A list that names ever new pages is not read for ever. */
static bool
is_endless(struct gr_lane *lane, const struct gr_page *page)
{
    if (page->next_cursor == NULL)
        return false;
    lane->pages++;
    lane->empty_pages = page->facts.rows == 0 ? lane->empty_pages + 1 : 0;
    return lane->pages >= ASK_PAGES_MAX || lane->empty_pages >= ASK_EMPTY_MAX ||
           (lane->cursor != NULL && strcmp(page->next_cursor, lane->cursor) == 0);
}

static bool
take_list(struct gr_lane *lane, const struct gr_http_response *response, struct gr_error *err)
{
    struct gr_stream *stream = lane->stream;
    bool is_parent = stream->plan->schema->ask == GR_ASK_PARENT;
    struct gr_page_sink sink = {.layout = stream->layout,
                                .rows = &lane->rows,
                                .rejects = &lane->rejects,
                                .tape = &stream->engine->tape,
                                .asked = lane->url,
                                .parent = is_parent ? lane->entries[0].key : 0};
    size_t rows_before = lane->rows.len, rejects_before = lane->rejects.count;
    GR_CLEANUP(gr_page_free) struct gr_page page = {0};
    bool is_last;

    if (!gr_page_list(gr_buf_text(&response->body), response->body.len, &sink, &page, err))
        return gr_fail_in(err, "%s", response->path);
    if (!was_asked_for(lane, &page, err)) {
        lane->rows.len = rows_before;
        gr_rejects_cut(&lane->rejects, rejects_before);
        return gr_fail_in(err, "%s", response->path);
    }
    is_last = page.next_cursor == NULL;
    if (is_endless(lane, &page)) {
        struct gr_error loop;

        (void)gr_fail(&loop, GR_FAULT_REFUSED, "%s: the source names one page after another",
                      response->path);
        return pass_over(lane, &loop, err);
    }
    stream->report->pages++;
    stream->report->rows_read += page.wanted;
    stream->report->rejected += page.refused;
    note_found(lane, &page);
    gr_free(lane->cursor);
    lane->cursor = page.next_cursor;
    page.next_cursor = NULL;
    /* What could not be read may be any of the rows that did not come. */
    lane->has_refused = lane->has_refused || page.refused > 0;
    if (is_last && stream->plan->schema->ask == GR_ASK_IDS && !lane->has_refused) {
        if (ask_twice(lane))
            return true;
        note_gone(lane);
    }
    hold(lane, is_last);
    return true;
}

static bool
take_object(struct gr_lane *lane, const struct gr_http_response *response, struct gr_error *err)
{
    struct gr_stream *stream = lane->stream;
    struct gr_page_sink sink = {.layout = stream->layout,
                                .rows = &lane->rows,
                                .rejects = &lane->rejects,
                                .tape = &stream->engine->tape};
    const char *body = gr_buf_text(&response->body);
    GR_CLEANUP(gr_page_free) struct gr_page page = {0};

    if (!gr_page_is_object(body, response->body.len, stream->plan->columns[0].field,
                           lane->entries[0].key, err))
        return gr_fail_in(err, "%s", response->path);
    if (stream->plan->schema->ask == GR_ASK_OBJECT) {
        if (!gr_page_object(body, response->body.len, &sink, &page, err))
            return gr_fail_in(err, "%s", response->path);
        stream->report->rows_read += page.wanted;
    }
    hold(lane, true);
    return true;
}

bool
gr_drain_answer(struct gr_lane *lane, struct gr_http_response *response,
                const struct gr_error *fault, struct gr_error *err)
{
    const struct gr_schema *schema = lane->stream->plan->schema;
    const char *base_url = lane->stream->engine->plan->source.base_url;
    enum gr_ask ask = schema->ask;
    bool is_object = ask == GR_ASK_OBJECT || ask == GR_ASK_EXISTS;

    if (lane->clock_us == GR_TIME_NONE)
        lane->clock_us = response->date_us;
    if (fault == NULL)
        return is_object ? take_object(lane, response, err) : take_list(lane, response, err);
    /* Under this id there is nobody any more. A 404 of the whole list tells nothing of its rows. */
    if ((fault->fault == GR_FAULT_MISSING && ask != GR_ASK_IDS) ||
        (is_object && gr_gorgias_is_merged(response, base_url, schema))) {
        note_gone(lane);
        hold(lane, true);
        return true;
    }
    /* A cursor that was refused: the set is read again from its first page. */
    if (fault->fault == GR_FAULT_REFUSED && lane->cursor != NULL &&
        ++lane->stream->ask_failures < ASK_FAILURES_MAX) {
        begin_ask(lane);
        return true;
    }
    return pass_over(lane, fault, err);
}

/* --- committing ----------------------------------------------------------------------------- */

static void
append(struct gr_buf *all, struct gr_lane *lane)
{
    gr_buf_put(all, gr_buf_text(&lane->rows), lane->rows.len);
    gr_buf_reset(&lane->rows);
}

static void
put_parents_gone(struct gr_stream *stream, struct gr_script *script, const int64_t *gone,
                 size_t count)
{
    struct gr_stream *parent = gr_engine_stream(stream->engine, stream->plan->schema->parent);

    gr_commit_parents_gone(script, &stream->table, stream->parent_table, gone, count);
    if (parent != NULL && parent->is_open)
        gr_making_put(parent, script, gone, count);
}

/* The parents whose sets are complete, and those that are gone themselves. */
static void
put_sets(struct gr_stream *stream, struct gr_script *script, struct gr_buf *rows)
{
    int64_t *ended = gr_alloc(stream->engine->lane_count, sizeof(*ended));
    int64_t *whole = gr_alloc(stream->engine->lane_count, sizeof(*whole));
    int64_t *gone = gr_alloc(stream->engine->lane_count, sizeof(*gone));
    int64_t *fresh = gr_alloc(stream->engine->lane_count, sizeof(*fresh));
    size_t ended_count = 0, whole_count = 0, gone_count = 0, fresh_count = 0;

    for (size_t i = 0; i < stream->engine->lane_count; i++) {
        const struct gr_lane *lane = &stream->lanes[i];

        if (!lane->is_in_script)
            continue;
        if (!lane->has_staged)
            fresh[fresh_count++] = lane->entries[0].key;
        if (lane->gone_count > 0)
            gone[gone_count++] = lane->entries[0].key;
        else if (lane->is_complete)
            ended[ended_count++] = lane->entries[0].key;
        if (lane->gone_count == 0 && lane->is_complete && !lane->has_refused)
            whole[whole_count++] = lane->entries[0].key;
    }
    if (fresh_count > 0)
        gr_commit_set_forget(script, &stream->table, fresh, fresh_count);
    if (rows->len > 0)
        gr_commit_set_page(script, &stream->table, rows);
    if (gr_stream_is_audit(stream)) {
        struct gr_audit audit = gr_auditing_claim(stream);

        gr_audit_record_sets(script, &audit, stream->auditing.window, whole, whole_count, gone,
                             gone_count);
    }
    if (ended_count > 0) {
        stream->count_step =
            gr_commit_set_finish(script, &stream->table, ended, ended_count, whole, whole_count,
                                 stream->parent_table, stream->feeds, stream->feed_count);
        stream->has_counts = true;
    }
    if (gone_count > 0)
        put_parents_gone(stream, script, gone, gone_count);
    gr_free(ended);
    gr_free(whole);
    gr_free(gone);
    gr_free(fresh);
}

/* Of the entries whose answers are committed now, all that is to be asked of them has been. */
static size_t
answers_in_script(const struct gr_stream *stream)
{
    size_t answers = 0;

    for (size_t i = 0; i < stream->engine->lane_count; i++)
        if (stream->lanes[i].is_in_script && stream->lanes[i].is_complete)
            answers += stream->lanes[i].entry_count;
    return answers;
}

/* An object that only says that it is there brings no row to be counted by. */
static void
record_rows(struct gr_stream *stream, struct gr_script *script, struct gr_buf *rows,
            const int64_t *gone, size_t gone_count)
{
    struct gr_audit audit = gr_auditing_claim(stream);
    bool is_silent = stream->plan->schema->ask == GR_ASK_EXISTS;

    gr_audit_record_rows(script, &audit, stream->auditing.window, rows, gone, gone_count,
                         is_silent ? (int64_t)(answers_in_script(stream) - gone_count) : 0);
}

/* Of whatever was asked for, be it there or gone. */
static void
put_made(struct gr_stream *stream, struct gr_script *script)
{
    int64_t keys[GR_ASK_IDS_MAX * 8];
    size_t count = 0;

    for (size_t i = 0; i < stream->engine->lane_count; i++) {
        const struct gr_lane *lane = &stream->lanes[i];

        for (size_t j = 0; lane->is_in_script && j < lane->entry_count; j++)
            keys[count++] = lane->entries[j].key;
    }
    gr_making_put(stream, script, keys, count);
}

static void
put_rows(struct gr_stream *stream, struct gr_script *script, struct gr_buf *rows)
{
    int64_t gone[GR_ASK_IDS_MAX * 8];
    size_t gone_count = 0;
    bool has_rows = rows->len > 0;

    for (size_t i = 0; i < stream->engine->lane_count; i++) {
        const struct gr_lane *lane = &stream->lanes[i];

        for (size_t j = 0; lane->is_in_script && j < lane->gone_count; j++)
            gone[gone_count++] = lane->gone[j];
    }
    if (gr_stream_is_audit(stream))
        record_rows(stream, script, rows, gone, gone_count);
    if (has_rows) {
        stream->count_step =
            gr_commit_merge(script, &stream->table, rows, NULL, 0, stream->parent_table,
                            stream->feeds, stream->feed_count);
        stream->has_counts = true;
    }
    if (gone_count > 0) {
        stream->gone_step =
            gr_commit_gone(script, &stream->table, gone, gone_count, gr_stream_child(stream),
                           stream->feeds, stream->feed_count);
        stream->has_gone = true;
    }
    put_made(stream, script);
}

/* Takes as many held lanes as fit into one commit. */
static size_t
gather(struct gr_stream *stream, struct gr_buf *rows)
{
    size_t taken = 0;

    for (size_t i = 0; i < stream->engine->lane_count && taken < 8; i++) {
        struct gr_lane *lane = &stream->lanes[i];

        if (lane->state != GR_LANE_HELD)
            continue;
        if (lane->has_staged && lane->session != gr_pg_session(stream->engine->pg)) {
            begin_ask(lane);
            continue;
        }
        append(rows, lane);
        lane->is_in_script = true;
        taken++;
    }
    return taken;
}

/* Who has nothing to commit does not wait for the warehouse. */
static bool
holds_answers(const struct gr_stream *stream)
{
    for (size_t i = 0; i < stream->engine->lane_count; i++)
        if (stream->lanes[i].state == GR_LANE_HELD && !stream->lanes[i].is_in_script)
            return true;
    return false;
}

static void
commit_answers(struct gr_stream *stream)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf rows = gr_buf_new(0);
    GR_CLEANUP(gr_free_var) char *walk = gr_walk_state_json(&stream->walk);
    struct gr_script *script;

    if (gather(stream, &rows) == 0)
        return;
    script = gr_script_new(stream->plan->name);
    stream->has_counts = stream->has_gone = false;
    if (gr_stream_is_audit(stream))
        gr_auditing_commit_state(stream, script, walk,
                                 gr_auditing_position(stream, answers_in_script(stream)));
    else
        gr_stream_commit_state(stream, script, walk, stream->walk.bookmark_us,
                               stream->walk.clock_us, GR_COMMIT_PLAIN);
    if (stream->plan->schema->ask == GR_ASK_PARENT)
        put_sets(stream, script, &rows);
    else
        put_rows(stream, script, &rows);
    gr_walking_put_fields(stream, script);
    for (size_t i = 0; i < stream->engine->lane_count; i++) {
        struct gr_lane *lane = &stream->lanes[i];

        if (!lane->is_in_script)
            continue;
        if (lane->has_staged)
            gr_script_bind(script, lane->session);
        gr_walking_put_rejects(stream, script, &lane->rejects);
        /* What an audit asks is in no queue. */
        if (lane->is_complete && !gr_stream_is_audit(stream))
            gr_commit_queue_done(script, &stream->table, lane->entries, lane->entry_count);
    }
    gr_warehouse_start(stream, script);
}

/* Whoever feeds the queue later may name them for a change that the answer has seen. */
static void
remember_answers(const struct gr_lane *lane)
{
    struct gr_stream *stream = lane->stream;

    if (lane->clock_us == GR_TIME_NONE || gr_stream_is_audit(stream))
        return;
    if (stream->answers == NULL)
        stream->answers = gr_alloc(GR_ANSWERS_MAX, sizeof(stream->answers[0]));
    for (size_t i = 0; i < lane->entry_count; i++) {
        stream->answers[stream->next_answer] = (struct gr_queue_answer){
            .key = lane->entries[i].key, .until_us = lane->clock_us - GR_LATE_US};
        stream->next_answer = (stream->next_answer + 1) % GR_ANSWERS_MAX;
        if (stream->answer_count < GR_ANSWERS_MAX)
            stream->answer_count++;
    }
}

static void
lane_committed(struct gr_lane *lane)
{
    lane->is_in_script = false;
    if (lane->is_complete) {
        remember_answers(lane);
        lane->stream->report->queue -= (int64_t)lane->entry_count;
        lane->stream->auditing.after = gr_auditing_position(lane->stream, lane->entry_count);
        lane->stream->auditing.answered += lane->entry_count;
        lane->has_staged = false;
        lane->state = GR_LANE_IDLE;
        return;
    }
    lane->has_staged = true;
    lane->session = gr_pg_session(lane->stream->engine->pg);
    request(lane);
}

bool
gr_drain_committed(struct gr_stream *stream, const struct gr_script *script, struct gr_error *err)
{
    (void)err;
    if (stream->has_counts)
        gr_stream_count(stream, script, stream->count_step);
    gr_walking_report_fields(stream, script);
    if (stream->has_gone)
        gr_stream_count(stream, script, stream->gone_step);
    for (size_t i = 0; i < stream->engine->lane_count; i++)
        if (stream->lanes[i].is_in_script)
            lane_committed(&stream->lanes[i]);
    return true;
}

/* Answers that were being committed, or wait half staged, are asked for again. */
void
gr_drain_session_lost(struct gr_stream *stream)
{
    for (size_t i = 0; stream->phase == GR_PHASE_DRAIN && i < stream->engine->lane_count; i++) {
        struct gr_lane *lane = &stream->lanes[i];

        if (lane->is_in_script || lane->has_staged) {
            if (lane->state == GR_LANE_FLIGHT)
                gr_http_cancel(stream->engine->http, lane);
            begin_ask(lane);
        }
    }
}

bool
gr_phase_drain(struct gr_stream *stream, enum gr_phase *next, struct gr_error *err)
{
    bool is_idle = !gr_warehouse_works_for(stream);

    (void)err;
    ask_more(stream);
    if (holds_answers(stream) && gr_warehouse_is_free(stream->engine))
        commit_answers(stream);
    for (size_t i = 0; i < stream->engine->lane_count; i++)
        is_idle = is_idle && stream->lanes[i].state == GR_LANE_IDLE;
    if (is_idle && !gr_warehouse_works_for(stream) &&
        (stream->queue_next >= stream->queue_count || stream->engine->is_stopping))
        *next = gr_stream_is_audit(stream) ? GR_PHASE_AUDIT : GR_PHASE_SETTLE;
    return true;
}
