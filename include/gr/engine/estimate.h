/*
 * gr/engine/estimate.h - what a run will ask, and how long that takes. Pure, and honest: what
 * cannot be known is said to be unknown.
 *
 * Units   requests; milliseconds, microseconds where a name says so
 * Errors  none: every function is total
 */
#ifndef GR_ENGINE_ESTIMATE_H
#define GR_ENGINE_ESTIMATE_H

#include <stdbool.h>
#include <stdint.h>

#include "gr/spec/connection.h"
#include "gr/spec/schema.h"

/* What an estimate rests on. */
enum gr_basis {
    GR_BASIS_UNKNOWN,
    GR_BASIS_NOTHING, /* nothing is asked                                                */
    GR_BASIS_OBJECT,  /* the endpoint is a single object                                 */
    GR_BASIS_RUNS,    /* what its last runs took, for as long as it has not run          */
    GR_BASIS_WHOLE,   /* what its last complete reading took                             */
    GR_BASIS_PACE,    /* how close together its newest rows lie                          */
    GR_BASIS_PAGE,    /* its list is no longer than the page that was asked for          */
    GR_BASIS_PARENT,  /* each row of its parent, roughly                                 */
    GR_BASIS_LIMIT,   /* the row limit: at most                                          */
    GR_BASIS_COUNT
};
const char *gr_basis_name(enum gr_basis basis);

struct gr_estimate {
    int64_t requests; /* -1: unknown */
    enum gr_basis basis;
};

/* What is known of a stream. */
struct gr_estimate_case {
    bool asks_nothing;
    bool is_object;
    bool is_whole;       /* everything is read                                        */
    bool is_asked;       /* no list has its rows: each is asked for                   */
    int64_t parent_rows; /* ... of about so many; -1: unknown                         */
    int64_t page_limit, passes;
    int64_t limit_rows; /* 0: none                                                   */
    int64_t history_runs, history_requests, history_ms; /* of gr/sink/overview.h            */
    int64_t since_ms;       /* since its last run began, -1: it never ran                */
    int64_t whole_requests; /* 0: unknown                                                */
    int64_t queue_requests;
    bool has_page;       /* its first page was asked for                              */
    bool is_page_last;   /* ... and is the only one                                   */
    int64_t page_us;     /* time between its first row and its last                   */
    int64_t distance_us; /* from its first row down to where the walk ends; -1: unknown */
};
struct gr_estimate gr_estimate(const struct gr_estimate_case *known);

/* Requests that answer so many entries of a queue, at least. */
int64_t gr_estimate_queue(enum gr_ask ask, int64_t entries);

/* How long so many requests take under the rate limit, from an empty bucket. */
int64_t gr_estimate_ms(int64_t requests, const struct gr_rate *rate);

#endif
