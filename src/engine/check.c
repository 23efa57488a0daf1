/* check.c - tries what a run would need, and writes nothing. */
#include "gr/engine/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gr/base/time.h"
#include "gr/codec/json.h"
#include "gr/engine/asking.h"
#include "gr/sink/probe.h"
#include "gr/source/gorgias.h"

enum { DETAIL_MAX = 256 };

static const char account_path[] = "/api/account";

struct check {
    const struct gr_plan *plan;
    gr_check_line *line;
    void *context;
    int worst; /* exit code of the worst finding */
    struct gr_asking asking;
};

static void
tell(struct check *check, const char *subject, const char *detail, const struct gr_error *err)
{
    int code = err == NULL ? 0 : gr_fault_facts(err->fault)->exit_code;

    check->worst = code > check->worst ? code : check->worst;
    check->line(check->context, subject, detail, err);
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
ask(struct check *check, const char *url, struct gr_error *err)
{
    struct gr_http_response *response;
    bool ok;

    if (!gr_asking_get(&check->asking, url, &response, err))
        return false;
    ok = judge_body(response, err);
    gr_http_response_free(response);
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
    for (size_t i = 0; i < check->plan->count && !check->asking.is_over; i++) {
        const struct gr_plan_stream *stream = &check->plan->streams[i];

        if (stream->schema->made_from != NULL)
            continue; /* nothing is asked for it */
        /* That endpoint has been asked, to try the credentials. */
        if (strcmp(stream->schema->path, account_path) == 0)
            tell(check, stream->name, "GET /api/account", account_err);
        else
            check_endpoint(check, stream);
    }
}

static void
check_source(struct check *check)
{
    const struct gr_source *source = &check->plan->source;
    char detail[DETAIL_MAX];
    struct gr_error err;
    bool ok;

    (void)snprintf(detail, sizeof(detail), "%s, GET %s", source->base_url, account_path);
    if (!gr_asking_open(&check->asking, source, &err)) {
        tell(check, "source", detail, &err);
        gr_asking_close(&check->asking);
        return;
    }
    ok = ask(check, account_path, &err);
    if (!ok && err.fault == GR_FAULT_FORBIDDEN) {
        /* The credentials are right; only the account is not for everybody to read. */
        (void)snprintf(detail, sizeof(detail), "%s, the account itself may not be read",
                       source->base_url);
        tell(check, "source", detail, NULL);
    } else {
        tell(check, "source", detail, ok ? NULL : &err);
    }
    check_endpoints(check, ok ? NULL : &err);
    gr_asking_close(&check->asking);
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
