/* check.c - tries what a run would need, and writes nothing. */
#include "gr/engine/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gr/base/time.h"
#include "gr/codec/json.h"
#include "gr/sink/pg.h"
#include "gr/source/gorgias.h"
#include "gr/source/http.h"
#include "gr/source/ratelimit.h"
#include "gr/source/retry.h"

enum { DETAIL_MAX = 256, VERSION_MIN = 130000 };

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
    if (response->used >= 0)
        gr_ratelimit_observe(&check->budget, gr_clock_ms() * 1000, response->used, response->limit,
                             0);
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

        if (pause_ms > GR_RETRY_WAIT_MAX_MS)
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
    gr_http_close(check->http);
}

static bool
is_true(const struct gr_rows *rows, size_t column)
{
    const char *text = gr_rows_text(rows, 0, column);

    return text != NULL && text[0] == 't';
}

static bool
judge_server(struct gr_pg *pg, struct gr_error *err)
{
    GR_CLEANUP(gr_rows_free) struct gr_rows rows = {0};

    if (gr_pg_version(pg) < VERSION_MIN) {
        (void)gr_fail(err, GR_FAULT_TARGET, "PostgreSQL %d is too old", gr_pg_version(pg) / 10000);
        return gr_hint(err, "PostgreSQL 13 or later is needed.");
    }
    if (!gr_pg_query(pg, "select pg_is_in_recovery()", NULL, 0, &rows, err))
        return false;
    if (is_true(&rows, 0)) {
        (void)gr_fail(err, GR_FAULT_TARGET, "the server is a standby and takes no writes");
        return gr_hint(err, "Name the primary in the target connection.");
    }
    return true;
}

static bool
judge_temporary(struct gr_pg *pg, struct gr_error *err)
{
    GR_CLEANUP(gr_rows_free) struct gr_rows rows = {0};

    if (!gr_pg_query(pg,
                     "select has_database_privilege(current_database(), 'TEMP'), current_user, "
                     "quote_ident(current_database()), quote_ident(current_user)",
                     NULL, 0, &rows, err))
        return false;
    if (is_true(&rows, 0))
        return true;
    (void)gr_fail(err, GR_FAULT_TARGET, "role \"%s\" may not make temporary tables",
                  gr_rows_text(&rows, 0, 1));
    return gr_hint(err, "GRANT TEMPORARY ON DATABASE %s TO %s;", gr_rows_text(&rows, 0, 2),
                   gr_rows_text(&rows, 0, 3));
}

/* A schema must let tables be made in it, or the database must let the schema be made. */
static bool
judge_schema(struct gr_pg *pg, const char *name, char detail[DETAIL_MAX], struct gr_error *err)
{
    static const char sql[] =
        "select n.oid is not null, has_schema_privilege(n.oid, 'CREATE') and "
        "has_schema_privilege(n.oid, 'USAGE'), has_database_privilege(current_database(), "
        "'CREATE'), current_user, quote_ident(current_database()), quote_ident(current_user), "
        "quote_ident(w.name) from (select $1::text as name) w left join pg_namespace n on "
        "n.nspname = w.name";
    GR_CLEANUP(gr_rows_free) struct gr_rows rows = {0};

    if (!gr_pg_query(pg, sql, &name, 1, &rows, err))
        return false;
    if (is_true(&rows, 0)) {
        (void)snprintf(detail, DETAIL_MAX, "exists");
        if (is_true(&rows, 1))
            return true;
        (void)gr_fail(err, GR_FAULT_TARGET, "role \"%s\" may not make tables in schema \"%s\"",
                      gr_rows_text(&rows, 0, 3), name);
        return gr_hint(err, "GRANT USAGE, CREATE ON SCHEMA %s TO %s;", gr_rows_text(&rows, 0, 6),
                       gr_rows_text(&rows, 0, 5));
    }
    (void)snprintf(detail, DETAIL_MAX, "will be made");
    if (is_true(&rows, 2))
        return true;
    (void)gr_fail(err, GR_FAULT_TARGET, "role \"%s\" may not make schema \"%s\"",
                  gr_rows_text(&rows, 0, 3), name);
    return gr_hint(err, "CREATE SCHEMA %s AUTHORIZATION %s; or GRANT CREATE ON DATABASE %s TO %s;",
                   gr_rows_text(&rows, 0, 6), gr_rows_text(&rows, 0, 5), gr_rows_text(&rows, 0, 4),
                   gr_rows_text(&rows, 0, 5));
}

static void
check_schema(struct check *check, struct gr_pg *pg, const char *name)
{
    char subject[DETAIL_MAX], detail[DETAIL_MAX] = "";
    struct gr_error err;
    bool ok = judge_schema(pg, name, detail, &err);

    (void)snprintf(subject, sizeof(subject), "schema %s", name);
    tell(check, subject, detail, ok ? NULL : &err);
}

/* The state schema, and each schema of a table once. */
static void
check_schemas(struct check *check, struct gr_pg *pg)
{
    const struct gr_plan *plan = check->plan;

    for (size_t i = 0; i < plan->count; i++) {
        const char *name = plan->streams[i].table_schema;
        bool is_new = strcmp(name, plan->state_schema) != 0;

        for (size_t j = 0; j < i && is_new; j++)
            is_new = strcmp(name, plan->streams[j].table_schema) != 0;
        if (is_new)
            check_schema(check, pg, name);
    }
    check_schema(check, pg, plan->state_schema);
}

/* A table that is there must be a table, and take rows; *exists_out says whether it is there. */
static bool
judge_table(struct gr_pg *pg, const struct gr_plan_stream *stream, bool *exists_out,
            struct gr_error *err)
{
    static const char sql[] =
        "select c.relkind in ('r', 'p'), has_table_privilege(c.oid, 'SELECT') and "
        "has_table_privilege(c.oid, 'INSERT') and has_table_privilege(c.oid, 'UPDATE') and "
        "has_table_privilege(c.oid, 'DELETE'), current_user, c.oid::regclass, "
        "quote_ident(current_user) from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "where n.nspname = $1 and c.relname = $2";
    const char *params[] = {stream->table_schema, stream->table_name};
    GR_CLEANUP(gr_rows_free) struct gr_rows rows = {0};

    if (!gr_pg_query(pg, sql, params, 2, &rows, err))
        return false;
    *exists_out = rows.count > 0;
    if (rows.count == 0)
        return true;
    if (!is_true(&rows, 0)) {
        (void)gr_fail(err, GR_FAULT_DATA, "%s is there, but is no table",
                      gr_rows_text(&rows, 0, 3));
        return gr_hint(err, "Name another object: for the stream.");
    }
    if (is_true(&rows, 1))
        return true;
    (void)gr_fail(err, GR_FAULT_TARGET, "role \"%s\" may not read and write %s",
                  gr_rows_text(&rows, 0, 2), gr_rows_text(&rows, 0, 3));
    return gr_hint(err, "GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %s;",
                   gr_rows_text(&rows, 0, 3), gr_rows_text(&rows, 0, 4));
}

/* A line for each table that cannot be used, and one for the others. */
static void
check_tables(struct check *check, struct gr_pg *pg)
{
    size_t existing = 0, missing = 0;
    char detail[DETAIL_MAX];

    for (size_t i = 0; i < check->plan->count; i++) {
        const struct gr_plan_stream *stream = &check->plan->streams[i];
        struct gr_error err;
        bool exists = false;

        if (!judge_table(pg, stream, &exists, &err)) {
            (void)snprintf(detail, sizeof(detail), "table %s.%s", stream->table_schema,
                           stream->table_name);
            tell(check, detail, "", &err);
            continue;
        }
        existing += exists ? 1 : 0;
        missing += exists ? 0 : 1;
    }
    (void)snprintf(detail, sizeof(detail), "%zu in use, %zu to be made", existing, missing);
    if (existing + missing > 0)
        tell(check, "tables", detail, NULL);
}

static void
check_target(struct check *check)
{
    const struct gr_target *target = &check->plan->target;
    char detail[DETAIL_MAX];
    struct gr_error err;
    struct gr_pg *pg = NULL;
    bool ok;

    if (!gr_pg_open(target, &pg, &err)) {
        tell(check, "warehouse", target->shown, &err);
        return;
    }
    (void)snprintf(detail, sizeof(detail), "%s, PostgreSQL %d.%d", target->shown,
                   gr_pg_version(pg) / 10000, gr_pg_version(pg) % 10000);
    ok = judge_server(pg, &err);
    tell(check, "warehouse", detail, ok ? NULL : &err);
    if (ok) {
        ok = judge_temporary(pg, &err);
        tell(check, "temporary tables", "", ok ? NULL : &err);
        check_schemas(check, pg);
        check_tables(check, pg);
    }
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
