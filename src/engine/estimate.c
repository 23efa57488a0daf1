/* estimate.c - what a run will ask, and how long that takes. */
#include "gr/engine/estimate.h"

#include "gr/engine/stream.h"
#include "gr/source/ratelimit.h"

/* clang-format off */
static const char *const basis_names[GR_BASIS_COUNT] = {
    [GR_BASIS_UNKNOWN] = "unknown",
    [GR_BASIS_NOTHING] = "nothing is asked",
    [GR_BASIS_OBJECT]  = "a single object",
    [GR_BASIS_RUNS]    = "its last runs",
    [GR_BASIS_WHOLE]   = "its last full reading",
    [GR_BASIS_PACE]    = "pace of newest rows",
    [GR_BASIS_PAGE]    = "its only page",
    [GR_BASIS_PARENT]  = "rows of its parent",
    [GR_BASIS_LIMIT]   = "the row limit, at most",
};
/* clang-format on */

const char *
gr_basis_name(enum gr_basis basis)
{
    return basis_names[basis];
}

static int64_t
max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* whole / part, rounded up; of positive numbers. */
static int64_t
parts(int64_t whole, int64_t part)
{
    return part > 0 ? whole / part + (whole % part > 0) : whole;
}

/* a * b / c, in a range where the product need not fit. */
static int64_t
scale(int64_t a, int64_t b, int64_t c)
{
    double scaled = (double)a * (double)b / (double)c;

    return scaled < 9e15 ? (int64_t)(scaled + 0.999999) : INT64_C(9000000000000000);
}

static struct gr_estimate
of_page(const struct gr_estimate_case *known)
{
    if (known->has_page && known->is_page_last)
        return (struct gr_estimate){max64(known->passes, 1), GR_BASIS_PAGE};
    if (known->has_page && !known->is_whole && known->page_us > 0 && known->distance_us >= 0)
        return (struct gr_estimate){max64(parts(known->distance_us, known->page_us), 1),
                                    GR_BASIS_PACE};
    return (struct gr_estimate){-1, GR_BASIS_UNKNOWN};
}

static struct gr_estimate
without_limit(const struct gr_estimate_case *known)
{
    if (known->is_object)
        return (struct gr_estimate){1, GR_BASIS_OBJECT};
    if (known->is_whole && known->whole_requests > 0)
        return (struct gr_estimate){known->whole_requests, GR_BASIS_WHOLE};
    if (!known->is_whole && known->history_runs > 0 && known->history_ms > 0 &&
        known->since_ms >= 0)
        return (struct gr_estimate){
            max64(scale(known->history_requests, known->since_ms, known->history_ms),
                  known->is_asked ? 0 : 1),
            GR_BASIS_RUNS};
    if (known->is_asked)
        return (struct gr_estimate){known->parent_rows,
                                    known->parent_rows >= 0 ? GR_BASIS_PARENT : GR_BASIS_UNKNOWN};
    return of_page(known);
}

struct gr_estimate
gr_estimate(const struct gr_estimate_case *known)
{
    struct gr_estimate estimate = without_limit(known);
    int64_t most = parts(known->limit_rows, known->page_limit);

    if (known->asks_nothing)
        return (struct gr_estimate){0, GR_BASIS_NOTHING};
    if (known->limit_rows > 0 && (estimate.requests < 0 || estimate.requests > most))
        return (struct gr_estimate){most, GR_BASIS_LIMIT};
    if (known->is_asked && known->parent_rows >= 0 && estimate.requests > known->parent_rows)
        estimate = (struct gr_estimate){known->parent_rows, GR_BASIS_PARENT};
    /* What is in its queue is of its parent's rows. */
    if (estimate.requests >= 0 && known->limit_rows == 0 && estimate.basis != GR_BASIS_PARENT)
        estimate.requests += known->queue_requests;
    return estimate;
}

int64_t
gr_estimate_queue(enum gr_ask ask, int64_t entries)
{
    return ask == GR_ASK_IDS ? parts(entries, GR_ASK_IDS_MAX) : entries;
}

int64_t
gr_estimate_ms(int64_t requests, const struct gr_rate *rate)
{
    struct gr_ratelimit limit;
    int64_t waits;

    gr_ratelimit_init(&limit, rate, 0);
    waits = requests - gr_ratelimit_burst(&limit);
    return waits > 0 ? scale(waits, limit.spacing_us, 1000) : 0;
}
