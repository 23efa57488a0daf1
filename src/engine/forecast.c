/* forecast.c - what a run of this plan would do now. */
#include "gr/engine/forecast.h"

#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/time.h"
#include "gr/engine/preview.h"

/* No list has the stream's rows, and each is asked for. */
static bool
is_asked(const struct gr_plan_stream *stream)
{
    return stream->schema->walk == GR_WALK_NONE && stream->schema->parent != NULL;
}

static struct gr_forecast_stream *
parent_of(const struct gr_forecast *forecast, const struct gr_plan_stream *stream)
{
    for (size_t i = 0; i < forecast->count; i++)
        if (strcmp(forecast->streams[i].plan->name, stream->schema->parent) == 0)
            return &forecast->streams[i];
    return NULL;
}

/* Rows of which each may be asked for. */
static bool
count_parents(struct gr_pg *pg, struct gr_forecast *out)
{
    for (size_t i = 0; i < out->count; i++) {
        const struct gr_plan_stream *stream = out->streams[i].plan;
        struct gr_forecast_stream *parent = is_asked(stream) ? parent_of(out, stream) : NULL;

        if (parent != NULL &&
            !gr_overview_count(pg, parent->plan, &parent->table_rows, &out->warehouse))
            return false;
    }
    return true;
}

static void
look_at_state(const struct gr_plan *plan, struct gr_forecast *out)
{
    struct gr_pg *pg = NULL;

    if (!gr_pg_open(&plan->target, &pg, &out->warehouse))
        return;
    if (gr_overview_read(pg, plan, &out->overview, &out->warehouse) && count_parents(pg, out))
        out->warehouse.fault = GR_OK;
    gr_pg_close(pg);
    if (out->overview.has_budget && !plan->source.rate.is_stated) {
        out->rate.requests = out->overview.budget_requests;
        out->rate.per_ms = out->overview.budget_per_ms;
    }
}

static bool
is_incremental(const struct gr_plan_stream *stream)
{
    return stream->mode == GR_MODE_INCREMENTAL && stream->schema->walk != GR_WALK_FULL;
}

static bool
is_fresh(const struct gr_forecast *forecast, const struct gr_forecast_stream *stream)
{
    return stream->state != NULL && stream->state->completed_us != GR_TIME_NONE &&
           forecast->overview.now_us - stream->state->completed_us <
               stream->plan->min_interval_ms * 1000;
}

/* Where reading begins, or ends where it goes newest first. */
static int64_t
from_of(const struct gr_plan *plan, const struct gr_forecast_stream *stream)
{
    if (stream->plan->has_range)
        return stream->plan->range_from_us;
    if (!is_incremental(stream->plan) || stream->plan->schema->walk == GR_WALK_NONE)
        return GR_TIME_NONE;
    if (stream->state != NULL && stream->state->bookmark_us != GR_TIME_NONE)
        return stream->state->bookmark_us;
    return plan->source.anchor_us;
}

/* The first page of a stream. */
struct first_page {
    bool is_known;
    bool is_last;
    int64_t first_us, last_us;
};

/* A part of what is asked for one by one is none of it. */
static bool
asks_nothing(const struct gr_forecast_stream *stream)
{
    const struct gr_plan_stream *plan = stream->plan;

    return stream->is_fresh || plan->mode == GR_MODE_DEFINITION_ONLY ||
           plan->schema->made_from != NULL || (is_asked(plan) && plan->limit_rows > 0);
}

/* As many as are here; before there are any, as its own reading brings. */
static int64_t
parent_rows(const struct gr_forecast *forecast, const struct gr_plan_stream *stream)
{
    const struct gr_forecast_stream *parent = parent_of(forecast, stream);

    if (parent == NULL || parent->table_rows > 0)
        return parent != NULL ? parent->table_rows : -1;
    return parent->estimate.requests >= 0
               ? parent->estimate.requests * parent->plan->schema->page_limit
               : -1;
}

/* Its last runs tell what one that goes on from them takes. */
static bool
goes_on(const struct gr_forecast_stream *stream)
{
    const struct gr_overview_stream *state = stream->state;

    return state != NULL && stream->plan->mode == GR_MODE_INCREMENTAL &&
           (is_asked(stream->plan) ? state->completed_us : state->bookmark_us) != GR_TIME_NONE;
}

static struct gr_estimate_case
known_of(const struct gr_forecast *forecast, const struct gr_forecast_stream *stream,
         const struct first_page *page)
{
    const struct gr_plan_stream *plan = stream->plan;
    const struct gr_overview_stream *state = stream->state;
    struct gr_estimate_case known = {
        .asks_nothing = asks_nothing(stream),
        .is_asked = is_asked(plan),
        .parent_rows = is_asked(plan) ? parent_rows(forecast, plan) : -1,
        .is_object = plan->schema->shape == GR_SHAPE_OBJECT,
        .is_whole = !is_incremental(plan) && !plan->has_range,
        .page_limit = plan->schema->page_limit,
        .passes = (int64_t)plan->schema->pass_count,
        .limit_rows = plan->limit_rows,
        .since_ms = -1,
        .has_page = page->is_known,
        .is_page_last = page->is_last,
        .distance_us = -1,
    };

    if (goes_on(stream)) {
        known.history_runs = state->history_runs;
        known.history_requests = state->history_requests;
        known.history_ms = state->history_ms;
    }
    if (state != NULL && state->run_id > 0 && state->started_us != GR_TIME_NONE)
        known.since_ms = (forecast->overview.now_us - state->started_us) / 1000;
    if (state != NULL) {
        known.whole_requests = state->whole_requests;
        known.queue_requests = gr_estimate_queue(plan->schema->ask, state->queue);
    }
    if (page->is_known && page->first_us != GR_TIME_NONE) {
        known.page_us = page->first_us - page->last_us;
        if (stream->from_us != GR_TIME_NONE)
            known.distance_us =
                page->first_us > stream->from_us ? page->first_us - stream->from_us : 0;
    }
    return known;
}

static void
estimate(const struct gr_forecast *forecast, struct gr_forecast_stream *stream,
         const struct first_page *page)
{
    struct gr_estimate_case known = known_of(forecast, stream, page);

    stream->estimate = gr_estimate(&known);
}

/* How much a page of the stream tells: most of children, which are most of the rows, and something
   of whatever is read newest first; of other lists only whether they have another. */
static int
worth_of(const struct gr_forecast_stream *stream)
{
    bool is_paced =
        is_incremental(stream->plan) && stream->plan->schema->walk == GR_WALK_NEWEST_FIRST;

    if (stream->estimate.requests >= 0 || stream->plan->schema->walk == GR_WALK_NONE)
        return 0;
    return 1 + is_paced + (is_paced && stream->plan->schema->parent != NULL);
}

static struct gr_forecast_stream *
least_known(struct gr_forecast *forecast)
{
    struct gr_forecast_stream *found = NULL;

    for (size_t i = 0; i < forecast->count; i++)
        if (worth_of(&forecast->streams[i]) > (found == NULL ? 0 : worth_of(found)))
            found = &forecast->streams[i];
    return found;
}

static bool
ask_page(const struct gr_plan *plan, struct gr_forecast *forecast,
         const struct gr_plan_stream *stream, struct first_page *out, struct gr_error *err)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf rows = gr_buf_new(0);
    GR_CLEANUP(gr_rejects_free) struct gr_rejects rejects = {0};
    GR_CLEANUP(gr_page_free) struct gr_page page = {0};
    struct gr_row_layout *layout = gr_row_layout_new(stream);
    struct gr_page_sink sink = {.layout = layout, .rows = &rows, .rejects = &rejects};
    struct gr_asking asking = {0};
    struct gr_walk walk;
    struct gr_walk_ask ask;
    bool ok;

    gr_walk_begin(&walk, stream, stream->mode != GR_MODE_INCREMENTAL, plan->source.anchor_us,
                  GR_TIME_NONE, NULL, gr_clock_us());
    ok = gr_walk_next(&walk, &ask) && gr_asking_open(&asking, &plan->source, err) &&
         gr_preview_page(&asking, stream, &ask, &sink, &page, err);
    if (ok) {
        *out = (struct first_page){.is_known = true,
                                   .is_last = page.next_cursor == NULL,
                                   .first_us = page.facts.first_us,
                                   .last_us = page.facts.last_us};
        forecast->rate = asking.budget.rate;
    }
    gr_asking_close(&asking);
    gr_walk_free(&walk);
    gr_row_layout_free(layout);
    return ok;
}

/* In one request, or not at all where that would need another, for a token. */
static void
look_at_source(const struct gr_plan *plan, struct gr_forecast *forecast)
{
    struct gr_forecast_stream *stream = least_known(forecast);
    struct first_page page = {0};

    if (stream == NULL)
        return;
    forecast->needs_token = gr_asking_needs_token(&plan->source);
    if (forecast->needs_token) {
        (void)gr_fail(&forecast->source, GR_FAULT_AUTH,
                      "the source is not asked: an access token would have to be fetched first");
        return;
    }
    if (!ask_page(plan, forecast, stream->plan, &page, &forecast->source))
        return;
    forecast->asked = stream->plan->name;
    estimate(forecast, stream, &page);
}

static void
sum_up(struct gr_forecast *forecast)
{
    for (size_t i = 0; i < forecast->count; i++) {
        if (forecast->streams[i].estimate.requests < 0)
            forecast->unknown++;
        else
            forecast->requests += forecast->streams[i].estimate.requests;
    }
    forecast->ms = gr_estimate_ms(forecast->requests, &forecast->rate);
}

void
gr_forecast(const struct gr_plan *plan, struct gr_forecast *out)
{
    static const struct first_page unasked = {0};

    *out = (struct gr_forecast){.rate = plan->source.rate, .count = plan->count};
    out->streams = gr_alloc(plan->count, sizeof(out->streams[0]));
    for (size_t i = 0; i < plan->count; i++)
        out->streams[i].plan = &plan->streams[i];
    look_at_state(plan, out);
    for (size_t i = 0; i < plan->count; i++) {
        struct gr_forecast_stream *stream = &out->streams[i];

        stream->state = i < out->overview.in_file ? &out->overview.streams[i] : NULL;
        stream->is_fresh = is_fresh(out, stream);
        stream->from_us = from_of(plan, stream);
        estimate(out, stream, &unasked);
    }
    look_at_source(plan, out);
    /* Once their parents are. */
    for (size_t i = 0; i < plan->count; i++)
        if (is_asked(&plan->streams[i]))
            estimate(out, &out->streams[i], &unasked);
    sum_up(out);
}

void
gr_forecast_free(struct gr_forecast *forecast)
{
    gr_free(forecast->streams);
    if (forecast->overview.arena != NULL)
        gr_overview_free(&forecast->overview);
    *forecast = (struct gr_forecast){0};
}
