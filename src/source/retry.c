/* retry.c - whether and when a failed request is sent again. */
#include "gr/source/retry.h"

enum { BACKOFF_FIRST_MS = 500, BACKOFF_MAX_MS = 30000 };

/* Half of the pause is fixed and half is drawn, so that runs which failed together part. */
static int64_t
backoff_ms(int attempts, double random)
{
    int64_t pause = BACKOFF_FIRST_MS;

    for (int i = 1; i < attempts && pause < BACKOFF_MAX_MS; i++)
        pause *= 2;
    if (pause > BACKOFF_MAX_MS)
        pause = BACKOFF_MAX_MS;
    return pause / 2 + (int64_t)((double)(pause / 2) * random);
}

int64_t
gr_retry_pause_ms(const struct gr_error *fault, const struct gr_retry_state *state, double random)
{
    int limit = state->was_reached ? GR_RETRY_ATTEMPTS : GR_RETRY_ATTEMPTS_UNREACHED;
    int64_t pause;

    if (gr_fault_facts(fault->fault)->retry != GR_RETRY_REQUEST)
        return -1;
    if (fault->fault == GR_FAULT_THROTTLED && fault->retry_after_ms > 0)
        pause = fault->retry_after_ms + (int64_t)(250.0 * random);
    else if (fault->fault != GR_FAULT_THROTTLED && state->attempts >= limit)
        return -1;
    else
        pause = backoff_ms(state->attempts, random);
    return state->waited_ms + pause > GR_RETRY_WAIT_MAX_MS ? -1 : pause;
}
