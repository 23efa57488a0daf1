/*
 * gr/engine/forecast.h - what a run of this plan would do now: from where to where each stream
 * would be read, with how many requests, in what time. Writes nothing, anywhere.
 *
 * The state tables tell what earlier runs took; where they tell nothing of a stream, its first page
 * is asked for: of one stream, in one request. Neither has to answer: then less is known, and said
 * to be.
 *
 * Errors  none: why the warehouse or the source has told nothing is in the forecast
 * Owns    the forecast owns its streams and its overview
 */
#ifndef GR_ENGINE_FORECAST_H
#define GR_ENGINE_FORECAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/engine/estimate.h"
#include "gr/sink/overview.h"
#include "gr/spec/plan.h"

struct gr_forecast_stream {
    const struct gr_plan_stream *plan;
    const struct gr_overview_stream *state; /* NULL: not known                              */
    bool is_fresh;                          /* complete within its min_interval             */
    int64_t from_us;                        /* GR_TIME_NONE: everything, or no walk         */
    int64_t table_rows;                     /* in its table, where that was counted         */
    struct gr_estimate estimate;
};

struct gr_forecast {
    struct gr_overview overview;        /* owned                                            */
    struct gr_error warehouse, source;  /* GR_OK where they have told what was asked        */
    bool needs_token;                   /* which is why the source was not asked            */
    const char *asked;                  /* the stream whose first page was asked for, or NULL */
    struct gr_rate rate;                /* the account's, as far as known                   */
    struct gr_forecast_stream *streams; /* owned; those of the plan                         */
    size_t count;
    int64_t requests; /* of all estimates that are known                  */
    size_t unknown;   /* estimates that are not                           */
    int64_t ms;
};

void gr_forecast(const struct gr_plan *plan, struct gr_forecast *out);
void gr_forecast_free(struct gr_forecast *forecast);

#endif
