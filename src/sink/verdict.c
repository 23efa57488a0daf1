/* verdict.c - what is to be said of a stream first. */
#include <string.h>

#include "gr/base/time.h"
#include "gr/sink/overview.h"

/* clang-format off */
static const struct gr_verdict_facts verdicts[GR_VERDICT_COUNT] = {
    [GR_VERDICT_OK]         = {"ok",          false},
    [GR_VERDICT_RUNNING]    = {"running",     false},
    [GR_VERDICT_NEVER]      = {"never ran",   true},
    [GR_VERDICT_FAILED]     = {"failed",      true},
    [GR_VERDICT_LOST]       = {"lost",        true},
    [GR_VERDICT_STOPPED]    = {"stopped",     true},
    [GR_VERDICT_UNFINISHED] = {"unfinished",  true},
    [GR_VERDICT_GAPS]       = {"gaps found",  true},
    [GR_VERDICT_ABSENT]     = {"not in file", true},
};

/* Words of stream_runs and runs that decide by themselves. */
static const struct {
    const char *status;
    enum gr_verdict verdict;
} statuses[] = {
    {"running", GR_VERDICT_RUNNING},
    {"failed",  GR_VERDICT_FAILED},
    {"lost",    GR_VERDICT_LOST},
    {"stopped", GR_VERDICT_STOPPED},
};
/* clang-format on */

const struct gr_verdict_facts *
gr_verdict_facts(enum gr_verdict verdict)
{
    return &verdicts[verdict];
}

static bool
claims_something(const struct gr_overview_stream *stream)
{
    return stream->mode != NULL &&
           (strcmp(stream->mode, "incremental") == 0 || strcmp(stream->mode, "full-refresh") == 0);
}

enum gr_verdict
gr_overview_verdict(const struct gr_overview_stream *stream)
{
    if (stream->plan == NULL)
        return GR_VERDICT_ABSENT;
    if (stream->run_id == 0)
        return GR_VERDICT_NEVER;
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        if (stream->status != NULL && strcmp(stream->status, statuses[i].status) == 0)
            return statuses[i].verdict;
    if (stream->completed_us == GR_TIME_NONE && claims_something(stream))
        return GR_VERDICT_UNFINISHED;
    if (stream->audit_missing > 0 || stream->audit_gone > 0)
        return GR_VERDICT_GAPS;
    return GR_VERDICT_OK;
}

int64_t
gr_overview_rows(const struct gr_overview_stream *stream)
{
    bool is_made = stream->plan != NULL && stream->plan->schema->made_from != NULL;

    return is_made ? stream->inserted + stream->updated + stream->unchanged : stream->rows_read;
}

/* An interrupted walk moves the clock, and completes nothing. */
int64_t
gr_overview_as_of(const struct gr_overview_stream *stream)
{
    bool is_earlier = stream->clock_us != GR_TIME_NONE && stream->clock_us < stream->completed_us;

    return is_earlier ? stream->clock_us : stream->completed_us;
}
