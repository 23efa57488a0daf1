/* retry.c - whether and when a failed request is sent again. */
#include "gr/source/retry.h"

#include <stdio.h>
#include <string.h>

#include "gr/base/time.h"

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
    pause /= 2;
    return pause + (int64_t)((double)pause * random);
}

int64_t
gr_retry_pause_ms(const struct gr_error *fault, const struct gr_retry_state *state, double random)
{
    int limit = state->was_reached ? GR_RETRY_ATTEMPTS : GR_RETRY_ATTEMPTS_UNREACHED;
    int64_t pause;

    if (gr_fault_facts(fault->fault)->retry != GR_RETRY_REQUEST)
        return -1;
    if (fault->fault != GR_FAULT_THROTTLED && state->attempts >= limit)
        return -1;
    if (fault->retry_after_ms > 0)
        pause = fault->retry_after_ms + (int64_t)(250.0 * random);
    else
        pause = backoff_ms(state->attempts, random);
    return state->lost_ms + pause > state->allowed_ms ? -1 : pause;
}

int64_t
gr_retry_after_ms(const char *text, int64_t clock_us)
{
    int64_t value = 0, date_us;

    if (gr_time_parse_http(text, &date_us))
        value = date_us > clock_us ? (date_us - clock_us + 999) / 1000 : 0;
    else if (*text < '0' || *text > '9')
        return -1;
    else
        for (; *text != '\0'; text++) {
            if (*text < '0' || *text > '9')
                return -1;
            value =
                value < GR_RETRY_AFTER_MAX_MS ? value * 10 + (*text - '0') * INT64_C(1000) : value;
        }
    return value < GR_RETRY_AFTER_MAX_MS ? value : GR_RETRY_AFTER_MAX_MS;
}

void
gr_retry_give_up(struct gr_error *fault, const struct gr_retry_state *state)
{
    size_t len = strlen(fault->message), size = sizeof(fault->message);
    char asked[GR_TIME_TEXT], allowed[GR_TIME_TEXT], lost[GR_TIME_TEXT];

    if (gr_fault_facts(fault->fault)->retry != GR_RETRY_REQUEST)
        return;
    gr_duration_format(fault->retry_after_ms, asked);
    gr_duration_format(state->allowed_ms, allowed);
    gr_duration_format(state->lost_ms, lost);
    if (state->lost_ms + fault->retry_after_ms > state->allowed_ms && fault->retry_after_ms > 0)
        (void)snprintf(fault->message + len, size - len,
                       ": it asks to wait %s, and timeout.retry allows %s for one request", asked,
                       allowed);
    else
        (void)snprintf(fault->message + len, size - len, ": given up after %d attempts in %s",
                       state->attempts, lost);
}
