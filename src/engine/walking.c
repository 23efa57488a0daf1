/* walking.c - the phase in which pages are fetched and committed. */
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/engine/engine.h"
#include "gr/engine/page.h"
#include "gr/source/gorgias.h"

static bool
is_empty(const struct gr_batch *batch)
{
    return batch->pages == 0 && !batch->begins_scan;
}

/* So is it with `more` pages of the size that they have. */
static bool
is_full(const struct gr_stream *stream, size_t more)
{
    int64_t limit = stream->plan->batch_limit_rows;
    const struct gr_batch *batch = &stream->batch;
    size_t page = batch->pages > 0 ? batch->rows.len / (size_t)batch->pages : 0;
    size_t most = batch->is_fill ? GR_AHEAD_BYTES : GR_BATCH_BYTES;

    if (batch->is_open && gr_script_unsent(stream->engine->fill.script) >= GR_AHEAD_BYTES)
        return true;
    return batch->rows.len + (1 + more) * page >= most ||
           (limit > 0 &&
            (batch->pages + (int64_t)more) * stream->plan->schema->page_limit >= limit);
}

/* Forgets what is in it, and keeps the memory for rows. */
static void
empty_batch(struct gr_batch *batch)
{
    gr_buf_reset(&batch->rows);
    gr_rejects_free(&batch->rejects);
    gr_free(batch->walk);
    gr_free(batch->tuples);
    *batch = (struct gr_batch){
        .rows = batch->rows, .bookmark_us = GR_TIME_NONE, .clock_us = GR_TIME_NONE};
}

void
gr_walking_free(struct gr_stream *stream)
{
    empty_batch(&stream->batch);
    gr_buf_free(&stream->batch.rows);
}

int64_t
gr_walking_risk(const struct gr_stream *stream)
{
    int64_t pages = stream->pages_committed / GR_LOSS_PAGES;

    if (stream->pages_committed < GR_STRICT_PAGES)
        return 0;
    return pages < GR_RISK_PAGES ? pages : GR_RISK_PAGES;
}

int64_t
gr_walking_most(const struct gr_stream *stream)
{
    int64_t risk = gr_walking_risk(stream);

    return stream->batch.is_fill && !gr_spare_is_ready(stream->engine) ? risk * 3 / 4
                                                                       : (risk + 1) / 2;
}

/* Pages that were asked for and are not committed are what a kill would repeat. */
static bool
is_bold(const struct gr_stream *stream, int64_t more)
{
    int64_t pages = stream->batch.pages + more;

    return pages + stream->pages_in_script > gr_walking_risk(stream) ||
           pages > gr_walking_most(stream);
}

/* The lane of the walk's chain of pages. */
static struct gr_lane *
lane_of(struct gr_stream *stream)
{
    return &stream->lanes[stream->walk_lane];
}

/* The one beside it, for the request that is sent while a page is read; NULL: there is one only. */
static struct gr_lane *
other_lane(struct gr_stream *stream)
{
    return stream->engine->lane_count > 1 ? &stream->lanes[1 - stream->walk_lane] : NULL;
}

static char *
url_of(const struct gr_stream *stream, const struct gr_walk_ask *ask)
{
    struct gr_buf url = gr_buf_new(0);

    gr_gorgias_list_url(&url, stream->plan->schema,
                        &(struct gr_list_ask){.order = ask->order,
                                              .cursor = ask->cursor,
                                              .since_us = ask->since_us,
                                              .limit = ask->limit,
                                              .pass = ask->pass});
    return gr_buf_take(&url);
}

/* Asks for the walk's next page, unless a commit has to come first. */
static void
ask_next(struct gr_stream *stream)
{
    struct gr_lane *lane = lane_of(stream);
    struct gr_walk_ask ask;

    if (lane->state != GR_LANE_IDLE || is_full(stream, 0) || is_bold(stream, 0) ||
        stream->engine->is_stopping)
        return;
    /* Rows to be merged and rows to be staged are not of one batch. */
    if (!is_empty(&stream->batch) && stream->batch.is_scan != gr_walk_is_scan(&stream->walk))
        return;
    if (!gr_walk_next(&stream->walk, &ask))
        return;
    lane->begins_scan = ask.begins_scan;
    gr_lane_request(lane, url_of(stream, &ask));
}

/* The page that has come is about to be read: what will be asked behind it, if it is as it seems,
   is asked now. */
static void
ask_ahead(void *lane_, const char *next_cursor, int64_t last_us)
{
    struct gr_stream *stream = ((struct gr_lane *)lane_)->stream;
    struct gr_lane *lane = other_lane(stream);
    struct gr_walk_ask ask;

    if (lane == NULL || is_full(stream, 1) || is_bold(stream, 1) ||
        !gr_walk_foresee(&stream->walk, last_us, next_cursor, &ask))
        return;
    lane->begins_scan = ask.begins_scan;
    gr_lane_request(lane, url_of(stream, &ask));
    if (!gr_lane_send_now(lane))
        gr_lane_reset(lane);
}

/* The page was read, or refused: the request that was sent ahead of that is the walk's next one, or
   let go. */
static void
settle_ahead(struct gr_stream *stream)
{
    struct gr_lane *lane = other_lane(stream);
    GR_CLEANUP(gr_free_var) char *url = NULL;
    struct gr_walk_ask ask;

    if (lane == NULL || lane->state == GR_LANE_IDLE)
        return;
    if (gr_walk_next(&stream->walk, &ask))
        url = url_of(stream, &ask);
    if (url != NULL && strcmp(url, lane->url) == 0)
        stream->walk_lane = 1 - stream->walk_lane;
    else
        gr_lane_reset(lane);
}

static void
push(void *lane)
{
    gr_warehouse_push(((struct gr_lane *)lane)->stream->engine);
}

static const char *
cursor_field(const struct gr_plan_stream *plan)
{
    return plan->cursor_column >= 0 ? plan->columns[plan->cursor_column].field : NULL;
}

static bool
take_page(struct gr_lane *lane, const struct gr_http_response *response, struct gr_page *page,
          struct gr_error *err)
{
    struct gr_stream *stream = lane->stream;
    struct gr_page_sink sink = {.layout = stream->layout,
                                .walk = &stream->walk,
                                .rows = &stream->batch.rows,
                                .rejects = &stream->batch.rejects,
                                .tape = &stream->engine->tape,
                                .asked = lane->url,
                                .between = push,
                                .foresee = ask_ahead,
                                .cursor_field = cursor_field(stream->plan),
                                .context = lane};
    bool is_list = stream->plan->schema->shape == GR_SHAPE_LIST;
    const char *body = gr_buf_text(&response->body);

    if (is_list ? !gr_page_list(body, response->body.len, &sink, page, err)
                : !gr_page_object(body, response->body.len, &sink, page, err))
        return gr_fail_in(err, "%s", response->path);
    page->facts.clock_us = response->date_us;
    page->facts.local_clock_us = gr_clock_us();
    return true;
}

/* The batch holds the page: what the walk remembers from now on is committed with it. */
static void
note_state(struct gr_stream *stream)
{
    struct gr_batch *batch = &stream->batch;

    gr_free(batch->walk);
    batch->walk = gr_walk_state_json(&stream->walk);
    batch->bookmark_us = stream->walk.bookmark_us;
    batch->clock_us = stream->walk.clock_us;
}

const struct gr_stream *
gr_walking_parent(const struct gr_stream *stream)
{
    const char *name = stream->plan->schema->parent;

    return name != NULL ? gr_engine_stream(stream->engine, name) : NULL;
}

/* A fill does not look at parents: once one of them is found gone, rows are merged. */
static bool
may_fill(const struct gr_stream *stream)
{
    const struct gr_stream *parent = gr_walking_parent(stream);

    return stream->is_filling && !gr_walk_is_scan(&stream->walk) &&
           (parent == NULL || parent->report->deleted == 0);
}

static void
begin_batch(struct gr_stream *stream)
{
    stream->batch.is_fill = may_fill(stream);
    /* Where batches grow to that, at once. */
    if (stream->pages_committed >= GR_STRICT_PAGES && !stream->batch.is_fill)
        gr_buf_reserve(&stream->batch.rows, GR_BATCH_BYTES);
    gr_row_set_typed(stream->layout, stream->batch.is_fill);
}

static void
note_tuples(struct gr_stream *stream, size_t count)
{
    struct gr_batch *batch = &stream->batch;

    if (count == 0)
        return;
    batch->tuples = gr_realloc(batch->tuples, batch->tuple_count + count, sizeof(batch->tuples[0]));
    memcpy(batch->tuples + batch->tuple_count, stream->page_tuples,
           count * sizeof(batch->tuples[0]));
    batch->tuple_count += count;
}

/* Counts the rows that were on the page before, and remembers those of this one. */
static void
note_repeats(struct gr_stream *stream, struct gr_page *page)
{
    for (int64_t i = 0; i < page->wanted; i++) {
        bool is_repeat = false;

        for (int64_t j = 0; j < stream->page_tuple_count && !is_repeat; j++)
            is_repeat = page->tuples[i].key == stream->page_tuples[j].key;
        page->facts.repeats += is_repeat;
    }
    gr_free(stream->page_tuples);
    stream->page_tuples = page->tuples;
    stream->page_tuple_count = page->wanted;
    page->tuples = NULL;
}

static bool
add_page(struct gr_lane *lane, const struct gr_http_response *response, struct gr_error *err)
{
    struct gr_stream *stream = lane->stream;
    struct gr_batch *batch = &stream->batch;
    bool was_scan = gr_walk_is_scan(&stream->walk);
    size_t rows_before = batch->rows.len;
    size_t rejects_before = batch->rejects.count;
    GR_CLEANUP(gr_page_free) struct gr_page page = {0};

    if (is_empty(batch))
        begin_batch(stream);
    if (!take_page(lane, response, &page, err))
        return false;
    note_repeats(stream, &page);
    if (!gr_walk_page(&stream->walk, &page.facts, err)) {
        err->fault = GR_FAULT_REFUSED; /* the same page again would be no better */
        return gr_fail_in(err, "%s", response->path);
    }
    if (!was_scan && gr_walk_is_scan(&stream->walk)) {
        /* The page that broke the order belongs to no claim; the scan will read its rows again. */
        batch->rows.len = rows_before;
        gr_rejects_cut(&batch->rejects, rejects_before);
        gr_log(GR_LOG_WARN, stream->plan->name, "reads everything instead", "because",
               stream->walk.note, NULL);
        stream->report->note = stream->walk.note;
        return true;
    }
    if (batch->is_fill && stream->walk.is_doubted) {
        /* It comes again, and a fill takes no row twice. */
        batch->rows.len = rows_before;
        gr_rejects_cut(&batch->rejects, rejects_before);
        return true;
    }
    if (!was_scan)
        note_tuples(stream, (size_t)page.wanted);
    batch->is_scan = was_scan;
    batch->begins_scan = batch->begins_scan || lane->begins_scan;
    batch->pages++;
    if (was_scan)
        stream->walk.scan.staged_rows += page.wanted;
    stream->has_refused = stream->has_refused || page.refused > 0;
    note_state(stream);
    stream->report->pages++;
    stream->report->rows_read += page.wanted;
    stream->report->rejected += page.refused;
    return true;
}

bool
gr_walking_answer(struct gr_lane *lane, struct gr_http_response *response,
                  const struct gr_error *fault, struct gr_error *err)
{
    struct gr_stream *stream = lane->stream;

    if (fault == NULL) {
        bool is_taken = add_page(lane, response, err);

        settle_ahead(stream);
        return is_taken;
    }
    *err = *fault;
    if (fault->fault != GR_FAULT_REFUSED || !gr_walk_refused(&stream->walk, err))
        return false;
    gr_log(GR_LOG_INFO, stream->plan->name, "the page cursor has expired; begins again", NULL);
    return true;
}

void
gr_walking_put_rejects(struct gr_stream *stream, struct gr_script *script,
                       struct gr_rejects *rejects)
{
    struct gr_commit_reject *items = gr_alloc(rejects->count, sizeof(*items));

    for (size_t i = 0; i < rejects->count; i++)
        items[i] = (struct gr_commit_reject){.key = rejects->items[i].key,
                                             .column = rejects->items[i].column,
                                             .reason = rejects->items[i].reason,
                                             .original = rejects->items[i].original};
    if (rejects->count > 0)
        gr_commit_rejects(script, &stream->table, stream->engine->run_id, items, rejects->count);
    for (size_t i = 0; i < rejects->count; i++)
        stream->report->rejected += rejects->items[i].column != NULL;
    gr_free(items);
    gr_rejects_free(rejects);
}

/* New names are stored with the rows that brought them; who stores a name first reports it. */
void
gr_walking_put_fields(struct gr_stream *stream, struct gr_script *script)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf sql = gr_buf_new(0);

    gr_buf_printf(&sql,
                  "insert into %s.fields (object, field) values ($1, $2) on conflict do nothing",
                  stream->table.state);
    stream->field_count = stream->new_field_count;
    for (size_t i = 0; i < stream->new_field_count; i++) {
        const char *params[] = {stream->table.object, stream->new_fields[i]};
        size_t step = gr_script_sql(script, gr_buf_text(&sql), params, 2);

        if (i == 0)
            stream->field_step = step;
    }
}

void
gr_walking_report_fields(struct gr_stream *stream, const struct gr_script *script)
{
    for (size_t i = 0; i < stream->field_count; i++) {
        if (gr_script_touched(script, stream->field_step + i) > 0)
            gr_log(GR_LOG_WARN, stream->plan->name, "a field that the schema does not name",
                   "field", stream->new_fields[i], "kept_in", "_extra", NULL);
        gr_free(stream->new_fields[i]);
    }
    /* Names met while the script ran stay for the next one. */
    if (stream->field_count > 0)
        memmove(stream->new_fields, stream->new_fields + stream->field_count,
                (stream->new_field_count - stream->field_count) * sizeof(stream->new_fields[0]));
    stream->new_field_count -= stream->field_count;
    stream->field_count = 0;
}

/* Where pages come at the pace of the API, the disk is waited for, and at the end of a walk; not
   where they come faster than commits, be these close behind each other or of several pages. How
   long the disk has taken does not count: a slow one would be waited for at each page. */
enum gr_commit_kind
gr_walking_commit_kind(const struct gr_stream *stream)
{
    bool is_close = gr_clock_ms() - stream->committed_ms < GR_RELAX_MS || stream->batch.pages > 1;

    return is_close && !stream->walk.is_done ? GR_COMMIT_RELAXED : GR_COMMIT_PLAIN;
}

/* The rows that other streams make of those of the batch. */
static void
put_made(struct gr_stream *stream, struct gr_script *script)
{
    const struct gr_batch *batch = &stream->batch;
    GR_CLEANUP(gr_free_var) int64_t *keys = NULL;

    if (batch->is_scan || batch->tuple_count == 0 || !gr_making_is_wanted(stream))
        return;
    keys = gr_alloc(batch->tuple_count, sizeof(*keys));
    for (size_t i = 0; i < batch->tuple_count; i++)
        keys[i] = batch->tuples[i].key;
    gr_making_put(stream, script, keys, batch->tuple_count);
}

void
gr_walking_put_rest(struct gr_stream *stream, struct gr_script *script)
{
    struct gr_batch *batch = &stream->batch;

    put_made(stream, script);
    gr_walking_put_rejects(stream, script, &batch->rejects);
    gr_walking_put_fields(stream, script);
    stream->has_counts = !batch->is_scan && !batch->is_fill;
    stream->was_filled = batch->is_fill;
    stream->count_step = batch->is_fill ? batch->copy_step : stream->count_step;
    stream->pages_in_script = batch->pages;
    stream->rows_in_script = (int64_t)batch->tuple_count;
    empty_batch(batch);
}

static void
commit_batch(struct gr_stream *stream)
{
    struct gr_batch *batch = &stream->batch;
    struct gr_script *script = gr_script_new(stream->plan->name);

    /* A scan speaks for its time only when it has come to its end. */
    gr_stream_commit_state(stream, script, batch->walk, batch->bookmark_us,
                           batch->is_scan ? GR_TIME_NONE : batch->clock_us,
                           gr_walking_commit_kind(stream));
    if (batch->is_scan) {
        if (batch->begins_scan)
            gr_commit_scan_begin(script, &stream->table);
        gr_commit_scan_page(script, &stream->table, &batch->rows);
    } else {
        stream->count_step =
            gr_commit_merge(script, &stream->table, &batch->rows, batch->tuples,
                            stream->finds_known ? batch->tuple_count : 0, stream->parent_table,
                            stream->feeds, stream->feed_count);
    }
    gr_walking_put_rest(stream, script);
    gr_warehouse_start(stream, script);
}

static void
begin_commit(struct gr_stream *stream)
{
    struct gr_pg *place;

    if (!stream->batch.is_fill) {
        if (gr_warehouse_is_free(stream->engine))
            commit_batch(stream);
        return;
    }
    place = gr_warehouse_place(stream);
    if (place != NULL)
        gr_filling_begin(stream, place);
}

/* The next batch asks what of it is known already if most of this one was. */
static void
count_merged(struct gr_stream *stream, const struct gr_script *script)
{
    int64_t known = (int64_t)gr_script_left_out(script);
    int64_t others = gr_commit_counts(script, stream->count_step).unchanged;

    stream->report->unchanged += known;
    stream->finds_known = 2 * (known + others) >= stream->rows_in_script;
    gr_stream_count(stream, script, stream->count_step);
}

bool
gr_walking_committed(struct gr_stream *stream, const struct gr_script *script, struct gr_error *err)
{
    (void)err;
    stream->committed_ms = gr_clock_ms();
    stream->pages_committed += stream->pages_in_script;
    stream->pages_in_script = 0;
    if (stream->has_counts)
        count_merged(stream, script);
    if (stream->was_filled) {
        stream->report->inserted += gr_script_touched(script, stream->count_step);
        gr_settle_feed(stream);
    }
    stream->report->bookmark_us = stream->walk.bookmark_us;
    gr_walking_report_fields(stream, script);
    return true;
}

void
gr_walking_unstaged(struct gr_stream *stream)
{
    struct gr_batch *batch = &stream->batch;

    gr_lane_reset(lane_of(stream));
    empty_batch(batch);
    stream->pages_in_script = 0;
    stream->finishing.is_checked = stream->finishing.is_second_scan = false;
    gr_walk_restage(&stream->walk);
}

void
gr_walking_refused_fill(struct gr_stream *stream)
{
    gr_filling_give_up(stream);
    stream->must_reopen = true;
    stream->may_not_fill = true;
}

void
gr_walking_lost_session(struct gr_stream *stream)
{
    gr_filling_give_up(stream);
    stream->must_reopen = true;
    stream->goes_on_filling = stream->is_filling;
}

/* As after a kill: the last commit says where to go on. It may still be one that is not on disk. */
static void
let_go(struct gr_stream *stream)
{
    gr_lane_reset(lane_of(stream));
    empty_batch(&stream->batch);
    stream->pages_in_script = 0;
    stream->must_reopen = stream->is_filling = false;
    stream->is_fed = true; /* whatever was fed to it meanwhile */
    gr_walk_free(&stream->walk);
    gr_opening_undo(stream);
}

/* Later phases claim what the walk has read: so its last commit is on disk before they begin. */
static void
make_sure(struct gr_stream *stream)
{
    GR_CLEANUP(gr_free_var) char *walk = gr_walk_state_json(&stream->walk);
    struct gr_script *script;

    if (!gr_warehouse_is_free(stream->engine))
        return;
    script = gr_script_new(stream->plan->name);
    gr_stream_commit_state(stream, script, walk, stream->walk.bookmark_us, stream->walk.clock_us,
                           GR_COMMIT_PLAIN);
    stream->has_counts = stream->was_filled = false;
    gr_warehouse_start(stream, script);
}

bool
gr_phase_walk(struct gr_stream *stream, enum gr_phase *next, struct gr_error *err)
{
    struct gr_engine *engine = stream->engine;
    bool is_idle;

    (void)err;
    if (stream->batch.is_open)
        gr_filling_step(stream);
    if (stream->must_reopen) {
        /* What is being committed counts. */
        if (gr_warehouse_works_for(stream))
            return true;
        let_go(stream);
        *next = GR_PHASE_OPEN;
        return true;
    }
    ask_next(stream);
    if (!is_empty(&stream->batch) && !stream->batch.is_open)
        begin_commit(stream);
    is_idle = lane_of(stream)->state == GR_LANE_IDLE && is_empty(&stream->batch) &&
              !gr_warehouse_works_for(stream);
    if (!is_idle || (!stream->walk.is_done && !engine->is_stopping))
        return true;
    if (stream->is_unsure) {
        make_sure(stream);
        return true;
    }
    if (!stream->walk.is_done)
        *next = GR_PHASE_CLOSE;
    else
        *next = gr_walk_is_scan(&stream->walk) ? GR_PHASE_FINISH : GR_PHASE_SETTLE;
    stream->walk_is_over = true;
    stream->is_filling = false;
    gr_row_set_typed(stream->layout, false);
    return true;
}
