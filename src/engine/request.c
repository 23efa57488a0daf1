/* request.c - lanes send their requests within the budget, and are handed what comes back. */
#include <stdio.h>
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/engine/engine.h"
#include "gr/source/gorgias.h"

void
gr_lane_request(struct gr_lane *lane, char *url)
{
    gr_free(lane->url);
    lane->url = url;
    lane->state = GR_LANE_READY;
    lane->ready_ms = 0;
    lane->retry = (struct gr_retry_state){0};
    lane->renewals = lane->redirects = 0;
}

void
gr_lane_reset(struct gr_lane *lane)
{
    if (lane->state == GR_LANE_FLIGHT)
        gr_http_cancel(lane->stream->engine->http, lane);
    gr_free(lane->url);
    gr_free(lane->cursor);
    gr_buf_free(&lane->rows);
    gr_rejects_free(&lane->rejects);
    *lane = (struct gr_lane){.stream = lane->stream};
}

/* xorshift64*: jitter needs no better. */
static double
draw(struct gr_engine *engine)
{
    engine->random ^= engine->random >> 12;
    engine->random ^= engine->random << 25;
    engine->random ^= engine->random >> 27;
    return (double)((engine->random * UINT64_C(2685821657736338717)) >> 11) / 9007199254740992.0;
}

/* The first request goes alone, also when it has to be sent again: it tells what of the account's
   budget others have used, and a wrong key or address fails once and not several times over. */
static bool
may_go(const struct gr_engine *engine, const struct gr_lane *lane)
{
    return lane->state == GR_LANE_READY &&
           (engine->was_reached || engine->scout == NULL || engine->scout == lane);
}

/* The ready lane whose stream has waited for its turn longest, or NULL. */
static struct gr_lane *
next_lane(const struct gr_engine *engine, int64_t now_ms)
{
    for (size_t i = 0; i < engine->count; i++) {
        struct gr_stream *stream = &engine->streams[(engine->turn + i) % engine->count];

        for (size_t j = 0; j < engine->lane_count; j++) {
            struct gr_lane *lane = &stream->lanes[j];

            if (may_go(engine, lane) && lane->ready_ms <= now_ms)
                return lane;
        }
    }
    return NULL;
}

/* False if there is no token to be had: then the run has ended, or is about to stop. */
static bool
renew_token(struct gr_engine *engine, int64_t now_ms)
{
    struct gr_error err;

    if (gr_oauth_renew(&engine->oauth, engine->http, now_ms, draw(engine), &err))
        return true;
    if (err.fault != GR_FAULT_CANCELLED)
        gr_engine_fail(engine, &err);
    return false;
}

/* The budget is the account's: what refused one request for longer than a run may wait would refuse
   all others. Who has nothing more to ask is not touched by it. */
static void
fail_who_would_ask(struct gr_engine *engine)
{
    for (size_t i = 0; i < engine->count; i++) {
        struct gr_stream *stream = &engine->streams[i];

        for (size_t j = 0; j < engine->lane_count; j++) {
            if (stream->lanes[j].state != GR_LANE_READY)
                continue;
            gr_stream_fail(stream, &engine->closed);
            break;
        }
    }
}

bool
gr_requests_are_spent(const struct gr_engine *engine)
{
    int64_t most = engine->options->max_requests;

    return most > 0 && engine->report->requests >= most;
}

bool
gr_requests_wait(const struct gr_engine *engine)
{
    for (size_t i = 0; i < engine->count; i++)
        for (size_t j = 0; j < engine->lane_count; j++)
            if (engine->streams[i].lanes[j].state == GR_LANE_READY)
                return true;
    return false;
}

/* The lane's request has gone. */
static void
count_request(struct gr_engine *engine, struct gr_lane *lane, int64_t now_ms)
{
    gr_ratelimit_take(&engine->budget, now_ms * 1000);
    gr_lease_take(&engine->leasing.lease);
    engine->scout = lane;
    engine->turn = (size_t)(lane->stream - engine->streams + 1) % engine->count;
    lane->state = GR_LANE_FLIGHT;
    lane->stream->report->requests++;
    lane->number = ++engine->report->requests;
}

static bool
is_crowded(const struct gr_engine *engine)
{
    return gr_http_in_flight(engine->http) >= (size_t)engine->plan->threads;
}

void
gr_requests_start(struct gr_engine *engine, int64_t now_ms)
{
    if (engine->closed.fault != GR_OK)
        fail_who_would_ask(engine);
    while (!engine->is_stopping && !gr_requests_are_spent(engine) && !is_crowded(engine) &&
           gr_ratelimit_wait_us(&engine->budget, now_ms * 1000) == 0) {
        struct gr_lane *lane = next_lane(engine, now_ms);
        struct gr_error err;

        if (lane == NULL ||
            (gr_oauth_is_due(&engine->oauth, now_ms) && !renew_token(engine, now_ms)))
            return;
        if (!gr_lease_allows(&engine->leasing.lease, now_ms * 1000)) {
            gr_leasing_ask(engine, now_ms);
            return;
        }
        if (!gr_http_start(engine->http, lane->url, lane, &err)) {
            gr_stream_fail(lane->stream, &err);
            continue;
        }
        count_request(engine, lane, now_ms);
    }
}

bool
gr_lane_send_now(struct gr_lane *lane)
{
    struct gr_engine *engine = lane->stream->engine;
    int64_t now_ms = gr_clock_ms();
    struct gr_error ignored;

    if (engine->is_stopping || engine->closed.fault != GR_OK || gr_requests_are_spent(engine) ||
        is_crowded(engine) || gr_ratelimit_wait_us(&engine->budget, now_ms * 1000) > 0 ||
        !gr_lease_allows(&engine->leasing.lease, now_ms * 1000) ||
        gr_oauth_is_due(&engine->oauth, now_ms) || next_lane(engine, now_ms) != lane ||
        !gr_http_start(engine->http, lane->url, lane, &ignored))
        return false;
    count_request(engine, lane, now_ms);
    gr_http_push(engine->http);
    return true;
}

int64_t
gr_requests_due_ms(const struct gr_engine *engine, int64_t now_ms)
{
    int64_t due = -1;
    int64_t bucket_us = gr_ratelimit_wait_us(&engine->budget, now_ms * 1000);
    int64_t lease_us = gr_lease_wait_us(&engine->leasing.lease, now_ms * 1000);
    int64_t budget = ((bucket_us > lease_us ? bucket_us : lease_us) + 999) / 1000;

    if (is_crowded(engine) || gr_requests_are_spent(engine))
        return -1;
    for (size_t i = 0; i < engine->count; i++) {
        for (size_t j = 0; j < engine->lane_count; j++) {
            const struct gr_lane *lane = &engine->streams[i].lanes[j];
            int64_t wait = lane->ready_ms - now_ms;

            if (!may_go(engine, lane))
                continue;
            wait = wait > budget ? wait : budget;
            due = due < 0 || wait < due ? wait : due;
        }
    }
    return due;
}

/* Requests that went before this lane's and are still on their way. */
static int64_t
earlier_requests(const struct gr_engine *engine, const struct gr_lane *seen)
{
    int64_t count = 0;

    for (size_t i = 0; i < engine->count; i++) {
        for (size_t j = 0; j < engine->lane_count; j++) {
            const struct gr_lane *lane = &engine->streams[i].lanes[j];

            count += lane->state == GR_LANE_FLIGHT && lane->number < seen->number;
        }
    }
    return count;
}

static void
observe(struct gr_engine *engine, const struct gr_http_response *response, int64_t now_ms)
{
    const struct gr_lane *lane = response->tag;
    struct gr_ratelimit_header header = {.used = response->used,
                                         .max = response->limit,
                                         .sent_us = (now_ms - response->elapsed_ms) * 1000,
                                         .later = engine->report->requests - lane->number,
                                         .earlier = earlier_requests(engine, lane)};

    /* A body that was cut or reset half way has come from somebody. */
    if (response->error.fault == GR_OK || response->status != 0)
        engine->was_reached = true;
    gr_ratelimit_observe(&engine->budget, now_ms * 1000, &header);
}

static void
give_up(struct gr_lane *lane, struct gr_error *fault)
{
    struct gr_engine *engine = lane->stream->engine;

    gr_retry_give_up(fault, &lane->retry);
    if (fault->fault != GR_FAULT_THROTTLED || engine->closed.fault != GR_OK)
        return;
    engine->closed = *fault;
    (void)gr_fail_in(&engine->closed, "the account takes no further request");
}

/* True if the lane will send its request again after a pause. */
static bool
try_again(struct gr_lane *lane, struct gr_error *fault, int64_t elapsed_ms, int64_t now_ms)
{
    struct gr_engine *engine = lane->stream->engine;
    char attempt[32], pause_text[GR_TIME_TEXT];
    int64_t pause;

    lane->retry.attempts++;
    lane->retry.was_reached = engine->was_reached;
    lane->retry.allowed_ms = engine->plan->source.retry_timeout_ms;
    lane->retry.lost_ms += elapsed_ms;
    pause = gr_retry_pause_ms(fault, &lane->retry, draw(engine));
    if (fault->fault == GR_FAULT_THROTTLED) {
        engine->report->throttled++;
        gr_ratelimit_refused(&engine->budget, now_ms * 1000, pause < 0 ? 0 : pause * 1000);
    }
    if (pause < 0) {
        give_up(lane, fault);
        return false;
    }
    lane->retry.lost_ms += pause;
    lane->ready_ms = now_ms + pause;
    lane->state = GR_LANE_READY;
    lane->stream->report->retries++;
    gr_duration_format(pause, pause_text);
    (void)snprintf(attempt, sizeof(attempt), "%d", lane->retry.attempts);
    gr_log(GR_LOG_WARN, lane->stream->plan->name, "will try again", "because", fault->message,
           "attempt", attempt, "after", pause_text, NULL);
    return true;
}

static void
fail(struct gr_lane *lane, const struct gr_http_response *response, struct gr_error *err)
{
    struct gr_engine *engine = lane->stream->engine;

    if (err->fault == GR_FAULT_TRANSPORT && !engine->was_reached)
        err->fault = GR_FAULT_UNREACHABLE;
    /* An HTML 404 means an unknown account only while no API has answered. */
    else if (err->fault == GR_FAULT_UNREACHABLE && response->error.fault == GR_OK &&
             engine->was_answered)
        err->fault = GR_FAULT_MISSING;
    gr_stream_fail(lane->stream, err);
}

/* A token that was refused before its time is renewed once; requests that were on their way with
   the old one are just sent again. */
static bool
renew(struct gr_lane *lane, int64_t now_ms)
{
    struct gr_engine *engine = lane->stream->engine;

    if (!gr_oauth_can_renew(&engine->oauth) || ++lane->renewals > 2)
        return false;
    /* Where that fails, the lane waits for the end of the run. */
    engine->was_renewed = engine->was_renewed || renew_token(engine, now_ms);
    lane->state = GR_LANE_READY;
    lane->ready_ms = now_ms;
    return true;
}

/* The same request again, with or without a slash at the end of its path. */
static bool
ask_there(struct gr_lane *lane, const struct gr_http_response *response)
{
    struct gr_buf url = gr_buf_new(0);

    if (++lane->redirects > 1 ||
        !gr_gorgias_slash_url(response, lane->stream->engine->plan->source.base_url, lane->url,
                              &url))
        return false;
    gr_free(lane->url);
    lane->url = gr_buf_take(&url);
    lane->ready_ms = 0;
    lane->state = GR_LANE_READY;
    return true;
}

static void
take_response(struct gr_engine *engine, struct gr_http_response *response, int64_t now_ms)
{
    struct gr_lane *lane = response->tag;
    struct gr_error fault, err;
    bool is_fine;

    observe(engine, response, now_ms);
    lane->stream->report->bytes += (int64_t)response->body.len;
    lane->state = GR_LANE_IDLE;
    is_fine = gr_gorgias_classify(response, &fault);
    if (is_fine)
        engine->was_renewed = false;
    if (is_fine || (response->error.fault == GR_OK && !response->is_html))
        engine->was_answered = true;
    if (!is_fine && fault.fault == GR_FAULT_AUTH && renew(lane, now_ms))
        return;
    if (!is_fine && fault.fault == GR_FAULT_REDIRECT && ask_there(lane, response))
        return;
    if (!is_fine && try_again(lane, &fault, response->elapsed_ms, now_ms))
        return;
    if (gr_stream_answer(lane, response, is_fine ? NULL : &fault, &err))
        return;
    /* A page that is not what it should be may be so the next time it is sent. */
    if (is_fine && err.fault == GR_FAULT_PAYLOAD) {
        if (try_again(lane, &err, response->elapsed_ms, now_ms))
            return;
        fault = err;
        if (gr_stream_answer(lane, response, &fault, &err))
            return;
    }
    fail(lane, response, &err);
}

void
gr_requests_take(struct gr_engine *engine, int64_t now_ms)
{
    size_t most = gr_http_in_flight(engine->http);
    struct gr_http_response *response;

    /* No more than were on their way: reading one sends another, and the warehouse waits as well.
     */
    while (most-- > 0 && (response = gr_http_take(engine->http)) != NULL) {
        take_response(engine, response, now_ms);
        gr_http_response_free(response);
    }
}
