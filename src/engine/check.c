/* check.c - tries what a run would need, and writes nothing. */
#include "gr/engine/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gr/base/time.h"
#include "gr/codec/json.h"
#include "gr/sink/probe.h"
#include "gr/source/gorgias.h"
#include "gr/source/http.h"
#include "gr/source/oauth.h"
#include "gr/source/ratelimit.h"

enum { DETAIL_MAX = 256 };

static const char account_path[] = "/api/account";

struct check {
    const struct gr_plan *plan;
    gr_check_line *line;
    void *context;
    int worst; /* exit code of the worst finding */
    struct gr_http *http;
    struct gr_ratelimit budget;
    bool is_reached; /* the source has answered something         */
    bool is_over;    /* every further request would end the same  */
};

static void
tell(struct check *check, const char *subject, const char *detail, const struct gr_error *err)
{
    int code = err == NULL ? 0 : gr_fault_facts(err->fault)->exit_code;

    check->worst = code > check->worst ? code : check->worst;
    check->line(check->context, subject, detail, err);
}

static void
wait_for_budget(struct check *check)
{
    int64_t now_us = gr_clock_ms() * 1000;
    int64_t wait_us;

    while ((wait_us = gr_ratelimit_wait_us(&check->budget, now_us)) > 0) {
        gr_clock_sleep(wait_us / 1000 + 1);
        now_us = gr_clock_ms() * 1000;
    }
    gr_ratelimit_take(&check->budget, now_us);
}

/* A 2xx whose body is not JSON is no answer of the API: a proxy's page, say. */
static bool
judge_body(const struct gr_http_response *response, struct gr_error *err)
{
    struct gr_json_reader reader = gr_json_open(gr_buf_text(&response->body), response->body.len);
    struct gr_json_value value;

    if (gr_json_value(&reader, &value) && gr_json_end(&reader))
        return true;
    return gr_fail(err, GR_FAULT_PAYLOAD, "the answer from %s is not JSON: %s at byte %zu",
                   response->path, reader.failed != NULL ? reader.failed : "it ends early",
                   reader.at);
}

static bool
ask_once(struct check *check, const char *url, struct gr_error *err)
{
    struct gr_http_response *response;
    bool ok;

    wait_for_budget(check);
    response = gr_http_get(check->http, url);
    gr_ratelimit_observe(
        &check->budget, gr_clock_ms() * 1000,
        &(struct gr_ratelimit_header){.used = response->used,
                                      .max = response->limit,
                                      .sent_us = (gr_clock_ms() - response->elapsed_ms) * 1000});
    ok = gr_gorgias_classify(response, err) && judge_body(response, err);
    gr_http_response_free(response);
    return ok;
}

/* One request; a second one only after a 429. */
static bool
ask(struct check *check, const char *url, struct gr_error *err)
{
    bool ok = ask_once(check, url, err);

    if (!ok && err->fault == GR_FAULT_THROTTLED) {
        int64_t pause_ms =
            err->retry_after_ms >= 0 ? err->retry_after_ms : check->budget.rate.per_ms;

        if (pause_ms > check->plan->source.retry_timeout_ms)
            return false;
        gr_ratelimit_refused(&check->budget, gr_clock_ms() * 1000, pause_ms * 1000);
        ok = ask_once(check, url, err);
    }
    if (!ok && err->fault == GR_FAULT_TRANSPORT && !check->is_reached)
        err->fault = GR_FAULT_UNREACHABLE;
    check->is_reached = check->is_reached || ok || err->fault != GR_FAULT_UNREACHABLE;
    if (!ok && (err->fault == GR_FAULT_AUTH || err->fault == GR_FAULT_UNREACHABLE))
        check->is_over = true;
    return ok;
}

static void
check_endpoint(struct check *check, const struct gr_plan_stream *stream)
{
    const struct gr_schema *schema = stream->schema;
    struct gr_list_ask first = {.since_us = GR_TIME_NONE, .limit = 1};
    GR_CLEANUP(gr_buf_free) struct gr_buf url = gr_buf_new(0);
    char detail[DETAIL_MAX];
    struct gr_error err;
    bool ok;

    if (schema->pass_count > 0)
        first.pass = &schema->passes[0];
    if (schema->shape == GR_SHAPE_OBJECT)
        gr_buf_puts(&url, schema->path);
    else
        gr_gorgias_list_url(&url, schema, &first);
    (void)snprintf(detail, sizeof(detail), "GET %s", schema->path);
    ok = ask(check, gr_buf_text(&url), &err);
    tell(check, stream->name, detail, ok ? NULL : &err);
}

static void
check_endpoints(struct check *check, const struct gr_error *account_err)
{
    for (size_t i = 0; i < check->plan->count && !check->is_over; i++) {
        const struct gr_plan_stream *stream = &check->plan->streams[i];

        /* That endpoint has been asked, to try the credentials. */
        if (strcmp(stream->schema->path, account_path) == 0)
            tell(check, stream->name, "GET /api/account", account_err);
        else
            check_endpoint(check, stream);
    }
}

static bool
have_token(struct check *check, struct gr_error *err)
{
    struct gr_oauth oauth;
    bool ok;

    gr_oauth_init(&oauth, &check->plan->source);
    ok = !gr_oauth_is_due(&oauth, gr_clock_ms()) ||
         gr_oauth_renew(&oauth, check->http, gr_clock_ms(), 0.5, err);
    gr_oauth_free(&oauth);
    return ok;
}

static void
check_source(struct check *check)
{
    const struct gr_source *source = &check->plan->source;
    char detail[DETAIL_MAX];
    struct gr_error err;
    bool ok;

    (void)snprintf(detail, sizeof(detail), "%s, GET %s", source->base_url, account_path);
    if (!gr_http_open(source, &check->http, &err)) {
        tell(check, "source", detail, &err);
        return;
    }
    gr_ratelimit_init(&check->budget, &source->rate, gr_clock_ms() * 1000);
    ok = have_token(check, &err) && ask(check, account_path, &err);
    if (!ok && err.fault == GR_FAULT_FORBIDDEN) {
        /* The credentials are right; only the account is not for everybody to read. */
        (void)snprintf(detail, sizeof(detail), "%s, the account itself may not be read",
                       source->base_url);
        tell(check, "source", detail, NULL);
    } else {
        tell(check, "source", detail, ok ? NULL : &err);
    }
    check_endpoints(check, ok ? NULL : &err);
    gr_http_close(check->http);
}

static void
check_privileges(struct check *check, struct gr_pg *pg)
{
    GR_CLEANUP(gr_probe_free) struct gr_probe probe = {0};
    struct gr_error err;

    if (!gr_probe_run(pg, check->plan, &probe, &err)) {
        tell(check, "privileges", "", &err);
        return;
    }
    for (size_t i = 0; i < probe.count; i++) {
        const struct gr_probe_item *item = &probe.items[i];

        if (!item->is_ok)
            (void)gr_fail(&err, GR_FAULT_TARGET, "%s", item->reason);
        tell(check, item->what, item->reason, item->is_ok ? NULL : &err);
    }
}

static void
check_target(struct check *check)
{
    const struct gr_target *target = &check->plan->target;
    struct gr_error err;
    struct gr_pg *pg = NULL;

    if (!gr_pg_open(target, &pg, &err)) {
        tell(check, "warehouse", target->shown, &err);
        return;
    }
    tell(check, "warehouse", target->shown, NULL);
    check_privileges(check, pg);
    gr_pg_close(pg);
}

int
gr_check(const struct gr_plan *plan, gr_check_line *line, void *context)
{
    struct check check = {.plan = plan, .line = line, .context = context};

    check_source(&check);
    check_target(&check);
    return check.worst;
}
