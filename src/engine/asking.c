/* asking.c - one request after the other, each waited for. */
#include "gr/engine/asking.h"

#include "gr/base/time.h"
#include "gr/source/gorgias.h"
#include "gr/source/oauth.h"

bool
gr_asking_needs_token(const struct gr_source *source)
{
    struct gr_oauth oauth;
    bool is_due;

    gr_oauth_init(&oauth, source);
    is_due = gr_oauth_is_due(&oauth, gr_clock_ms());
    gr_oauth_free(&oauth);
    return is_due;
}

static bool
have_token(struct gr_asking *asking, struct gr_error *err)
{
    struct gr_oauth oauth;
    bool is_ok;

    gr_oauth_init(&oauth, asking->source);
    is_ok = !gr_oauth_is_due(&oauth, gr_clock_ms()) ||
            gr_oauth_renew(&oauth, asking->http, gr_clock_ms(), 0.5, err);
    gr_oauth_free(&oauth);
    return is_ok;
}

bool
gr_asking_open(struct gr_asking *asking, const struct gr_source *source, struct gr_error *err)
{
    *asking = (struct gr_asking){.source = source};
    if (!gr_http_open(source, &asking->http, err))
        return false;
    gr_ratelimit_init(&asking->budget, &source->rate, gr_clock_ms() * 1000);
    return have_token(asking, err);
}

void
gr_asking_close(struct gr_asking *asking)
{
    if (asking->http != NULL)
        gr_http_close(asking->http);
    asking->http = NULL;
}

static void
wait_for_budget(struct gr_asking *asking)
{
    int64_t now_us = gr_clock_ms() * 1000;
    int64_t wait_us;

    while ((wait_us = gr_ratelimit_wait_us(&asking->budget, now_us)) > 0) {
        gr_clock_sleep(wait_us / 1000 + 1);
        now_us = gr_clock_ms() * 1000;
    }
    gr_ratelimit_take(&asking->budget, now_us);
}

static bool
ask_once(struct gr_asking *asking, const char *url, struct gr_http_response **out,
         struct gr_error *err)
{
    struct gr_http_response *response;

    wait_for_budget(asking);
    response = gr_http_get(asking->http, url);
    gr_ratelimit_observe(
        &asking->budget, gr_clock_ms() * 1000,
        &(struct gr_ratelimit_header){.used = response->used,
                                      .max = response->limit,
                                      .sent_us = (gr_clock_ms() - response->elapsed_ms) * 1000});
    if (gr_gorgias_classify(response, err)) {
        *out = response;
        return true;
    }
    gr_http_response_free(response);
    return false;
}

/* One request; a second one only after a 429. */
bool
gr_asking_get(struct gr_asking *asking, const char *url, struct gr_http_response **out,
              struct gr_error *err)
{
    bool ok = ask_once(asking, url, out, err);

    if (!ok && err->fault == GR_FAULT_THROTTLED) {
        int64_t pause_ms =
            err->retry_after_ms >= 0 ? err->retry_after_ms : asking->budget.rate.per_ms;

        if (pause_ms > asking->source->retry_timeout_ms)
            return false;
        gr_ratelimit_refused(&asking->budget, gr_clock_ms() * 1000, pause_ms * 1000);
        ok = ask_once(asking, url, out, err);
    }
    if (!ok && err->fault == GR_FAULT_TRANSPORT && !asking->is_reached)
        err->fault = GR_FAULT_UNREACHABLE;
    asking->is_reached = asking->is_reached || ok || err->fault != GR_FAULT_UNREACHABLE;
    if (!ok && (err->fault == GR_FAULT_AUTH || err->fault == GR_FAULT_UNREACHABLE))
        asking->is_over = true;
    return ok;
}
