/* layers: spec */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gr/base/time.h"
#include "gr/spec/casing.h"
#include "gr/spec/from_sling.h"
#include "gr/spec/plan.h"
#include "gr/spec/replication.h"

#define NOW  INT64_C(1795243824000000) /* 2026-11-21T06:50:24Z */
#define ENDS "source: GORGIAS\ntarget: WAREHOUSE\n"
#define HEAD ENDS "defaults: {object: 'g.{stream_name}'}\nstreams:\n" /* four lines */

static struct gr_plan plan;
static struct gr_plan_options options;
static struct gr_error err;
static char folder[64];

static int
set_up(void **state)
{
    (void)state;
    plan = (struct gr_plan){0};
    options = (struct gr_plan_options){.now_us = NOW};
    (void)snprintf(folder, sizeof(folder), "/tmp/gr-test-plan-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(setenv("HOME", folder, 1), 0);
    assert_int_equal(unsetenv("SLING_HOME_DIR"), 0);
    assert_int_equal(unsetenv("SLING_STATE"), 0);
    assert_int_equal(unsetenv("SLING_THREADS"), 0);
    assert_int_equal(unsetenv("SLING_TIMEOUT"), 0);
    assert_int_equal(unsetenv("GR_KEEP_RUNS"), 0);
    assert_int_equal(setenv("GORGIAS",
                            "{type: api, spec: gorgias, secrets: {subdomain: m, "
                            "email: a@b, api_key: key1}}",
                            1),
                     0);
    assert_int_equal(setenv("WAREHOUSE", "postgresql://user@host/db", 1), 0);
    assert_int_equal(setenv("MY_POSTGRES", "postgresql://user@host/db", 1), 0);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    gr_plan_free(&plan);
    assert_int_equal(rmdir(folder), 0);
    return 0;
}

/* Plans a file of that text; positions are said in "f.yaml". */
static bool
try_plan(const char *text)
{
    char back[512];
    FILE *file;
    bool is_loaded;

    gr_plan_free(&plan);
    assert_non_null(getcwd(back, sizeof(back)));
    assert_int_equal(chdir(folder), 0);
    file = fopen("f.yaml", "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
    is_loaded = gr_plan_load("f.yaml", &options, &plan, &err);
    assert_int_equal(unlink("f.yaml"), 0);
    assert_int_equal(chdir(back), 0);
    return is_loaded;
}

static void
make_plan(const char *text)
{
    if (!try_plan(text))
        fail_msg("%s: %s", text, err.message);
}

static void
expect_refusal(const char *text, const char *message)
{
    if (try_plan(text))
        fail_msg("accepted, instead of: %s", message);
    assert_string_equal(err.message, message);
    assert_null(plan.arena);
}

static const struct gr_plan_stream *
stream(const char *name)
{
    static const struct gr_plan_stream none;

    for (size_t i = 0; i < plan.count; i++)
        if (strcmp(plan.streams[i].name, name) == 0)
            return &plan.streams[i];
    fail_msg("no stream %s", name);
    return &none;
}

static void
expect_order(const char *names)
{
    char got[1024] = "";
    size_t len = 0;

    for (size_t i = 0; i < plan.count; i++)
        len += (size_t)snprintf(got + len, sizeof(got) - len, "%s%s", i == 0 ? "" : " ",
                                plan.streams[i].name);
    assert_string_equal(got, names);
}

static void
expect_warning(const char *line)
{
    for (size_t i = 0; i < plan.warning_count; i++)
        if (strcmp(plan.warnings[i], line) == 0)
            return;
    fail_msg("no warning \"%s\" but %s", line, plan.warning_count > 0 ? plan.warnings[0] : "none");
}

static const struct gr_column *
column(const struct gr_plan_stream *s, const char *field)
{
    for (size_t i = 0; i < s->column_count; i++)
        if (strcmp(s->columns[i].field, field) == 0)
            return &s->columns[i];
    return NULL;
}

/* ... which is there. */
static const struct gr_column *
the_column(const struct gr_plan_stream *s, const char *field)
{
    const struct gr_column *found = column(s, field);

    if (found == NULL) {
        fail_msg("no column %s", field);
        abort(); /* which fail_msg does not say of itself */
    }
    return found;
}

static enum gr_type
type_of(const struct gr_plan_stream *s, const char *field)
{
    const struct gr_column *found = column(s, field);

    if (found == NULL)
        fail_msg("no column %s", field);
    return found == NULL ? GR_TYPE_COUNT : found->type;
}

/* --- files that must work ----------------------------------------------------------------------
 */

static void
test_shipped_files(void **state)
{
    static const char *const files[] = {"all", "example", "demo"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        char path[512];

        (void)snprintf(path, sizeof(path), GR_SOURCE_DIR "/replications/%s.yaml", files[i]);
        if (!gr_plan_load(path, &options, &plan, &err))
            fail_msg("%s", err.message);
        assert_int_equal(plan.count, 14);
        assert_int_equal(plan.all_object_count, 14);
        assert_int_equal(plan.warning_count, 0);
        assert_string_equal(plan.all_objects[0], "gorgias.account");
        assert_string_equal(plan.file, path);
        gr_plan_free(&plan);
    }
}

static void
test_the_example(void **state)
{
    (void)state;
    make_plan("source: GORGIAS\ntarget: WAREHOUSE\ndefaults:\n  mode: incremental\n"
              "  object: gorgias.{stream_name}\nstreams:\n  tickets:\n  ticket_messages:\n"
              "  customers:\n  satisfaction_surveys:\n  events:\n  tags:\n    mode: full-refresh\n"
              "    target_options: { delete_missing: soft }\n  '*':\n"
              "env:\n  SLING_STATE: WAREHOUSE/_gorgias_replicate\n");
    expect_order("events tickets ticket_messages customers satisfaction_surveys tags account "
                 "custom_fields integrations macros rules teams users views");
    assert_int_equal(plan.warning_count, 0);
    assert_string_equal(plan.state_schema, "_gorgias_replicate");
    assert_int_equal(plan.threads, 16);
    assert_int_equal(plan.lanes, 12);
    assert_int_equal(stream("tickets")->mode, GR_MODE_INCREMENTAL);
    assert_int_equal(stream("tickets")->missing, GR_MISSING_SOFT);
    assert_string_equal(stream("tickets")->note, "");
    assert_string_equal(stream("tickets")->table_schema, "gorgias");
    assert_string_equal(stream("tickets")->table_name, "tickets");
    assert_int_equal(stream("tickets")->lookback_ms, 300000);
    assert_true(stream("tickets")->add_new_columns);
    assert_int_equal(stream("tags")->missing, GR_MISSING_SOFT);
    assert_int_equal(stream("tags")->mode, GR_MODE_FULL_REFRESH);
    assert_int_equal(stream("users")->mode, GR_MODE_FULL_REFRESH);
    assert_int_equal(stream("users")->missing, GR_MISSING_HARD);
    assert_string_equal(stream("users")->note,
                        "the endpoint cannot be read incrementally: refreshed in full");
    assert_string_equal(plan.target.shown, "host:5432/db");
}

/* The two files of Sling's page on Gorgias, as they are. */
static void
test_slings_examples(void **state)
{
    (void)state;
    make_plan("source: GORGIAS\ntarget: MY_POSTGRES\n\ndefaults:\n  mode: incremental\n"
              "  object: gorgias.{stream_name}\n\nstreams:\n  tickets:\n  customers:\n"
              "  satisfaction_surveys:\n  ticket_messages:\n    mode: full-refresh\n  users:\n"
              "    mode: full-refresh\n\nenv:\n  SLING_STATE: MY_POSTGRES/sling_state.gorgias\n");
    expect_order("tickets customers satisfaction_surveys ticket_messages users");
    assert_string_equal(plan.state_schema, "sling_state");
    assert_int_equal(plan.warning_count, 1);
    expect_warning("f.yaml:18:16: the table \"gorgias\" in SLING_STATE is not used: the state has "
                   "tables of its own in schema \"sling_state\"");
    make_plan("source: GORGIAS\ntarget: MY_POSTGRES\ndefaults:\n  mode: full-refresh\n"
              "  object: gorgias.{stream_name}\nstreams:\n  '*':\n");
    assert_int_equal(plan.count, 14);
    assert_int_equal(plan.warning_count, 0);
}

/* --- defaults, wildcards, order ----------------------------------------------------------------
 */

static void
test_defaults_merge(void **state)
{
    (void)state;
    make_plan(ENDS "defaults:\n  mode: truncate\n  object: g.{stream_name}\n  tags: [a]\n"
                   "  columns: {id: text}\n"
                   "  source_options: {limit: 5, lookback: 1m}\n"
                   "  target_options: {delete_missing: soft, add_new_columns: false}\n"
                   "  primary_key: [domain]\n"
                   "streams:\n"
                   "  account: {columns: {}}\n"
                   "  tags: {tags: ~, mode: ~, source_options: {limit: ~, lookback: 2m}, "
                   "columns: {usage: double}}\n"
                   "  users: {target_options: ~, columns: {}, primary_key: id}\n");
    assert_int_equal(stream("account")->mode, GR_MODE_TRUNCATE);
    assert_int_equal(stream("account")->limit_rows, 5);
    assert_int_equal(stream("account")->lookback_ms, 60000);
    assert_int_equal(stream("account")->tag_count, 1);
    assert_int_equal(stream("account")->missing, GR_MISSING_SOFT);
    assert_false(stream("account")->add_new_columns);
    assert_int_equal(stream("tags")->mode, GR_MODE_FULL_REFRESH);
    assert_int_equal(stream("tags")->limit_rows, 0);
    assert_int_equal(stream("tags")->lookback_ms, 120000);
    assert_int_equal(stream("tags")->tag_count, 0);
    assert_int_equal(type_of(stream("tags"), "usage"), GR_TYPE_DOUBLE);
    assert_true(stream("users")->add_new_columns);
    assert_int_equal(stream("users")->missing, GR_MISSING_HARD);
    expect_warning("f.yaml:10:16: primary_key is not used for stream \"tags\", whose key is [id]");
}

/* Anchors for what several streams share, as Sling's files have them. */
static void
test_anchors(void **state)
{
    static const char file[] =
        "\xef\xbb\xbfsource: GORGIAS\n"
        "target: WAREHOUSE\n"
        "defaults: &defaults\n"
        "  mode: incremental\n"
        "  object: gorgias.{stream_name}\n"
        "  target_options: &options\n"
        "    add_new_columns: false\n"
        "    batch_limit: 500\n"
        "streams:\n"
        "  tickets: &large\n"
        "    tags: &tags [hourly, large]\n"
        "    source_options: &lookback {lookback: 2h}\n"
        "  customers: *large\n"
        "  events:\n"
        "    <<: *large\n"
        "    tags: [events]\n"
        "  tags:\n"
        "    <<: [*defaults, *large]\n"
        "    mode: full-refresh\n"
        "    target_options:\n"
        "      <<: *options\n"
        "      batch_limit: 7\n"
        "  users: {tags: *tags , source_options: {<<: *lookback, limit: 3}}\n";

    (void)state;
    make_plan(file);
    expect_order("events tickets customers tags users");
    assert_int_equal(stream("customers")->lookback_ms, 7200000);
    assert_string_equal(stream("customers")->tags[1], "large");
    assert_string_equal(stream("events")->tags[0], "events");
    assert_int_equal(stream("events")->lookback_ms, 7200000);
    assert_int_equal(stream("tags")->mode, GR_MODE_FULL_REFRESH);
    assert_int_equal(stream("tags")->batch_limit_rows, 7);
    assert_false(stream("tags")->add_new_columns);
    assert_string_equal(stream("tags")->tags[0], "hourly");
    assert_int_equal(stream("users")->tag_count, 2);
    assert_int_equal(stream("users")->limit_rows, 3);
    assert_int_equal(stream("users")->lookback_ms, 7200000);
    assert_int_equal(stream("users")->batch_limit_rows, 500);
    /* A mistake is where it is written, not where it is used. */
    expect_refusal(HEAD "  tags: {disabled: true, <<: {id: x}}\n  users: &u\n    tags: {a: b}\n"
                        "  views: *u\n",
                   "f.yaml:7:11: \"tags\" must be a list of texts, found a mapping");
    expect_refusal(HEAD "  users: {object: &o g.t}\n  views: {object: *o }\n",
                   "f.yaml:5:19: streams \"users\" and \"views\" have the same object \"g.t\"");
}

static void
test_columns_merge_with_plus(void **state)
{
    (void)state;
    make_plan(ENDS "defaults:\n  object: g.{stream_name}\n  columns: {name: json, uri: json}\n"
                   "streams:\n  tags:\n    columns: {+description: json, +uri: ~}\n");
    assert_int_equal(type_of(stream("tags"), "name"), GR_TYPE_JSONB);
    assert_int_equal(type_of(stream("tags"), "description"), GR_TYPE_JSONB);
    assert_int_equal(type_of(stream("tags"), "uri"), GR_TYPE_TEXT);
}

#define AVAILABLE                                                                                  \
    "[account, custom_fields, customer_details, customers, events, integrations, jobs, macros, "   \
    "rules, satisfaction_surveys, tags, teams, ticket_custom_field_values, ticket_messages, "      \
    "tickets, users, views, "                                                                      \
    "voice_call_events, voice_call_recordings, voice_calls, widgets]"

static void
test_wildcards(void **state)
{
    (void)state;
    make_plan(HEAD "  users: {disabled: true}\n  't*': {tags: [t]}\n  tags: {tags: [mine]}\n"
                   "  '*s': {tags: [s], description: x}\n");
    assert_string_equal(stream("tags")->tags[0], "mine");
    assert_string_equal(stream("tickets")->tags[0], "t");
    assert_string_equal(stream("views")->tags[0], "s");
    assert_string_not_equal(stream("views")->description, "x");
    assert_int_equal(plan.count, 12);
    for (size_t i = 0; i < plan.all_object_count; i++)
        assert_string_not_equal(plan.all_objects[i], "g.users");
    expect_refusal(HEAD "  'x*':\n",
                   "f.yaml:5:3: did not find endpoint(s) for: x*. Available endpoints: " AVAILABLE);
    expect_refusal(HEAD "  '*': {single: true}\n",
                   "f.yaml:5:3: did not find endpoint(s) for: *. Available endpoints: " AVAILABLE);
    expect_refusal(
        HEAD "  ticket:\n",
        "f.yaml:5:3: did not find endpoint(s) for: ticket. Available endpoints: " AVAILABLE
        " (did you mean \"tickets\"?)");
    expect_refusal(
        HEAD "  'voice_*':\n",
        "f.yaml:5:3: \"voice_*\" matches only streams that no wildcard includes, such as "
        "voice_calls");
    make_plan(HEAD "  '*':\n  jobs:\n");
    assert_int_equal(plan.count, 15);
    assert_non_null(stream("jobs"));
}

static void
test_running_order(void **state)
{
    (void)state;
    make_plan(HEAD "  ticket_messages:\n  tags:\n  customers:\n  tickets:\n  events:\n");
    expect_order("tags events customers tickets ticket_messages");
    options.streams = "ticket_messages,tags,tickets";
    make_plan(HEAD "  ticket_messages:\n  tags:\n  customers:\n  tickets:\n  events:\n");
    expect_order("tags tickets ticket_messages");
    assert_int_equal(plan.all_object_count, 5);
}

/* --- selection ---------------------------------------------------------------------------------
 */

static void
test_selection(void **state)
{
    static const char file[] = HEAD "  tickets: {tags: [a], id: t1}\n  tags: {tags: [a, b]}\n"
                                    "  users: {tags: [b]}\n  views: {disabled: true}\n";
    static const struct {
        const char *words;
        const char *order; /* NULL: refused */
        const char *message;
    } cases[] = {
        {NULL, "tickets tags users", NULL},
        {"tickets", "tickets", NULL},
        {"users, t1", "tickets users", NULL},
        {"t*", "tickets tags", NULL},
        {"tag:b", "tags users", NULL},
        {"tag:b,tickets", "tickets tags users", NULL},
        {"-tag:b", "tickets", NULL},
        {"-users", "tickets tags", NULL},
        {"tag:a,-tags", "tickets", NULL},
        {"*,-t*", "users", NULL},
        {"-views", "tickets tags users", NULL},
        {"ticket", NULL,
         "\"ticket\" matches no stream of f.yaml (did you mean "
         "\"tickets\"?)"},
        {"tickets,x*", NULL, "\"x*\" matches no stream of f.yaml"},
        {"tag:z", NULL, "\"tag:z\" matches no stream of f.yaml"},
        {"tag:a,-tag:b", NULL,
         "--streams cannot include and exclude tags; either include or "
         "exclude"},
        {"tickets,-tickets", NULL, "\"tickets,-tickets\" matches no stream of f.yaml"},
        {"views", NULL, "stream \"views\" is disabled in f.yaml"},
        {"", NULL, "\"\" matches no stream of f.yaml"},
        {" , ", NULL, "\" , \" matches no stream of f.yaml"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        options.streams = cases[i].words;
        if (cases[i].order != NULL) {
            make_plan(file);
            expect_order(cases[i].order);
        } else {
            expect_refusal(file, cases[i].message);
            assert_int_equal(err.fault, GR_FAULT_USAGE);
        }
    }
    assert_string_equal(err.hint, "Its streams are: tickets, tags, users.");
}

/* Made rows go along with what they are made from, whatever else was asked for; but not where they
   were taken away. */
static void
test_selection_of_made_streams(void **state)
{
    static const char file[] =
        HEAD "  tickets: {tags: [a]}\n  users:\n  ticket_custom_field_values: {tags: [made]}\n";
    static const struct {
        const char *words;
        const char *order;
        bool goes_along;
    } cases[] = {
        {NULL, "tickets users ticket_custom_field_values", false},
        {"tickets", "tickets ticket_custom_field_values", true},
        {"tag:a", "tickets ticket_custom_field_values", true},
        {"ticket_custom_field_values", "ticket_custom_field_values", false},
        {"-tickets", "users ticket_custom_field_values", false},
        {"users", "users", false},
        {"-ticket_custom_field_values", "tickets users", false},
        {"tickets,-ticket_custom_field_values", "tickets", false},
        {"*,-*_values", "tickets users", false},
        {"-tag:made", "tickets users", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        options.streams = cases[i].words;
        make_plan(file);
        expect_order(cases[i].order);
        if (strstr(cases[i].order, "_values") != NULL)
            assert_int_equal(stream("ticket_custom_field_values")->goes_along, cases[i].goes_along);
    }
}

/* --- modes and ranges --------------------------------------------------------------------------
 */

static void
test_every_mode_word(void **state)
{
    (void)state;
    for (unsigned i = 0; i < GR_MODE_AUDIT; i++) {
        enum gr_mode mode;
        char text[512];

        assert_true(gr_mode_parse(gr_mode_name((enum gr_mode)i), &mode));
        assert_int_equal(mode, i);
        (void)snprintf(text, sizeof(text), HEAD "  tickets: {mode: %s%s}\n",
                       gr_mode_name((enum gr_mode)i),
                       i == GR_MODE_BACKFILL ? ", source_options: {range: '2024-01-01,'}" : "");
        make_plan(text);
        assert_int_equal(stream("tickets")->mode, i);
    }
    assert_null(gr_mode_words[GR_MODE_AUDIT]);
    assert_string_equal(gr_mode_name(GR_MODE_AUDIT), "audit");
    assert_false(gr_mode_parse("audit", &(enum gr_mode){GR_MODE_BACKFILL}));
    assert_false(gr_mode_parse("", &(enum gr_mode){GR_MODE_BACKFILL}));
}

static void
test_audit(void **state)
{
    (void)state;
    options.is_audit = true;
    make_plan(HEAD "  tickets: {mode: incremental, source_options: {limit: 5}, target_options:"
                   " {pre_sql: a, post_sql: b}}\n"
                   "  tags: {mode: incremental}\n  users: {mode: snapshot}\n");
    assert_true(plan.is_audit);
    expect_order("tickets tags");
    assert_int_equal(stream("tickets")->mode, GR_MODE_AUDIT);
    assert_int_equal(stream("tickets")->audited, GR_MODE_INCREMENTAL);
    assert_int_equal(stream("tickets")->missing, GR_MISSING_SOFT);
    assert_int_equal(stream("tickets")->limit_rows, 0);
    assert_null(stream("tickets")->pre_sql);
    assert_null(stream("tickets")->post_sql);
    assert_int_equal(stream("tags")->audited, GR_MODE_FULL_REFRESH);
    assert_int_equal(stream("tags")->missing, GR_MISSING_HARD);
    assert_string_equal(stream("tags")->note, "");
    /* The objects of all streams make it an audit of the same replication. */
    assert_int_equal(plan.all_object_count, 3);
    expect_warning("f.yaml:7:17: stream \"users\" is not audited: only the modes incremental and"
                   " full-refresh claim a complete copy");
    expect_refusal(HEAD "  users: {mode: snapshot}\n", "f.yaml: no stream is left to audit");
}

static void
test_ranges(void **state)
{
    const struct gr_plan_stream *s;

    (void)state;
    make_plan(HEAD "  tickets: {mode: backfill, source_options: {range: '2024-01-01,2024-02-01'}}\n"
                   "  events: {mode: incremental, source_options: {range: ',2024-02-01'}}\n"
                   "  tags: {mode: backfill}\n");
    s = stream("tickets");
    assert_true(s->has_range);
    assert_int_equal(s->range_from_us, INT64_C(1704067200000000));
    assert_int_equal(s->range_to_us, INT64_C(1706745600000000));
    s = stream("events");
    assert_int_equal(s->mode, GR_MODE_BACKFILL);
    assert_true(s->range_from_us == GR_TIME_NONE);
    assert_string_equal(s->note, "a range is given: a backfill, which leaves the bookmark alone");
    s = stream("tags");
    assert_int_equal(s->mode, GR_MODE_FULL_REFRESH);
    assert_false(s->has_range);

    options.range = "2024-05-01,";
    make_plan(HEAD "  tickets:\n  tags:\n");
    assert_int_equal(stream("tickets")->mode, GR_MODE_BACKFILL);
    assert_int_equal(stream("tags")->mode, GR_MODE_FULL_REFRESH);
    assert_false(stream("tags")->has_range);
    options.range = "2024-05-01";
    expect_refusal(HEAD "  tickets:\n", "--range must be FROM,TO, found \"2024-05-01\"");
    assert_int_equal(err.fault, GR_FAULT_USAGE);
    options.range = NULL;
    expect_refusal(HEAD "  tickets: {mode: backfill}\n",
                   "f.yaml:5:19: stream \"tickets\" has mode backfill but no range");
    expect_refusal(HEAD "  tickets: {mode: truncate, source_options: {range: ',2024-01-01'}}\n",
                   "f.yaml:5:53: stream \"tickets\" has a range, which does not go with mode "
                   "truncate");
    expect_refusal(HEAD "  tickets: {mode: backfill, source_options: {range: x}}\n",
                   "f.yaml:5:53: \"range\" must be FROM,TO, found \"x\"");
}

/* Sling hands a third part on to whatever is read. */
static void
test_steps_of_ranges(void **state)
{
    static const char file[] =
        HEAD "  tickets: {mode: incremental, source_options: {range: '2024-01-01,2024-02-01%s'}}\n";
    static const struct {
        const char *rest;
        bool is_range;
    } cases[] = {{",1d", true}, {",", true}, {",1d,", false}, {",,", false}};
    char text[512];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)snprintf(text, sizeof(text), file, cases[i].rest);
        assert_int_equal(try_plan(text), cases[i].is_range);
        if (!cases[i].is_range)
            continue;
        assert_int_equal(stream("tickets")->range_from_us, INT64_C(1704067200000000));
        assert_int_equal(stream("tickets")->range_to_us, INT64_C(1706745600000000));
        assert_int_equal(plan.warning_count, 1);
        expect_warning("f.yaml:5:56: the step of the range has no effect here: a range is read "
                       "page by page");
    }
    options.range = "2024-01-01,2024-02-01,1d";
    expect_refusal(HEAD "  tickets:\n",
                   "--range must be FROM,TO, found \"2024-01-01,2024-02-01,1d\"");
    options.range = NULL;
}

static void
test_range_texts(void **state)
{
    static const struct {
        const char *text;
        bool is_range;
    } cases[] = {
        {"2024-01-01,2024-01-02", true},
        {"2024-01-01,", true},
        {",2024-01-01", true},
        {"2024-01-01,2024-01-01", true},
        {",", false},
        {"", false},
        {"2024-01-01", false},
        {"2024-01-02,2024-01-01", false},
        {"2024-01-01,2024-01-02,", false},
        {"x,2024-01-01", false},
        {"2024-01-01,x", false},
        {"2024-01-01T00:00:00Z,2024-01-01T00:00:01Z", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t from_us;
        int64_t to_us;

        assert_int_equal(gr_range_parse(cases[i].text, &from_us, &to_us), cases[i].is_range);
    }
}

static void
test_options_win(void **state)
{
    static const char *const env[] = {"SLING_THREADS=9", "S=other", NULL};

    (void)state;
    options.mode = "snapshot";
    options.limit_rows = 3;
    options.env = env;
    make_plan(ENDS "defaults: {object: '{S}.{stream_name}', mode: truncate, "
                   "source_options: {limit: 8}}\nstreams: {tickets: {mode: incremental}}\n"
                   "env: {S: g, SLING_THREADS: 2}\n");
    assert_int_equal(stream("tickets")->mode, GR_MODE_SNAPSHOT);
    assert_int_equal(stream("tickets")->limit_rows, 3);
    assert_string_equal(stream("tickets")->table_schema, "other");
    assert_int_equal(plan.threads, 9);
    assert_int_equal(plan.lanes, 9);
    options.threads = 11;
    make_plan(HEAD "  tickets:\n");
    assert_int_equal(plan.threads, 11);
}

static void
test_refused_options(void **state)
{
    static const char *const no_equals[] = {"X", NULL};
    static const char *const bad_threads[] = {"SLING_THREADS=0", NULL};

    (void)state;
    options.mode = "full-refrsh";
    expect_refusal(HEAD "  tickets:\n",
                   "--mode: unknown mode \"full-refrsh\" (did you mean \"full-refresh\"?)");
    options = (struct gr_plan_options){.now_us = NOW, .limit_rows = -1};
    expect_refusal(HEAD "  tickets:\n", "--limit must not be negative");
    options = (struct gr_plan_options){.now_us = NOW, .threads = 65};
    expect_refusal(HEAD "  tickets:\n", "--threads must be 1 to 64");
    options = (struct gr_plan_options){.now_us = NOW, .env = no_equals};
    expect_refusal(HEAD "  tickets:\n", "--env: \"X\" is not NAME=VALUE");
    options = (struct gr_plan_options){.now_us = NOW, .env = bad_threads};
    expect_refusal(HEAD "  tickets:\n", "--env:1:1: SLING_THREADS must be 1 to 64, found \"0\"");
    assert_int_equal(err.fault, GR_FAULT_USAGE);
    options = (struct gr_plan_options){.now_us = NOW, .schemas_folder = "/nowhere"};
    expect_refusal(HEAD "  tickets:\n",
                   "cannot open the schemas folder /nowhere: No such file or directory");
    assert_false(
        gr_plan_load("/nowhere.yaml", &(struct gr_plan_options){.now_us = NOW}, &plan, &err));
    assert_string_equal(err.message, "cannot open /nowhere.yaml: No such file or directory");
    assert_string_equal(err.hint,
                        "gorgias-replicate init /nowhere.yaml tries account and database, "
                        "and writes it.");
}

/* --- objects, variables, environment -----------------------------------------------------------
 */

static void
test_variables(void **state)
{
    const struct gr_plan_stream *s;

    (void)state;
    assert_int_equal(setenv("GR_TEST_VAR", "from_env", 1), 0);
    make_plan(ENDS
              "streams:\n  tags:\n    object: '{X}_{YYYY}.{stream_name}_{timestamp.MM}'\n"
              "    target_options:\n      pre_sql: |-\n"
              "        select '{}', '{\"a\": 1}', '{env.GR_TEST_VAR}', '{env.X}', "
              "'{source_name} {target_name} {target_schema} {target_database}'\n"
              "      post_sql: analyze {object_full_name} -- {run_timestamp} {timestamp.date}\n"
              "env: {X: x}\n");
    s = stream("tags");
    assert_string_equal(s->table_schema, "x_2026");
    assert_string_equal(s->table_name, "tags_11");
    assert_string_equal(s->pre_sql, "select '{}', '{\"a\": 1}', 'from_env', 'x', "
                                    "'GORGIAS WAREHOUSE public db'");
    assert_string_equal(s->post_sql, "analyze \"x_2026\".\"tags_11\" -- 2026_11_21_065024 "
                                     "2026-11-21");
    expect_refusal(ENDS "defaults:\n  object: gorgias.{strean_name}\nstreams:\n  tags:\n",
                   "f.yaml:4:11: unknown variable \"{strean_name}\" (did you mean "
                   "\"stream_name\"?)");
    expect_refusal(ENDS "streams:\n  tags: {object: 'x{env.GR_TEST_UNSET}'}\n",
                   "f.yaml:4:18: unknown variable \"{env.GR_TEST_UNSET}\"");
}

static void
test_objects(void **state)
{
    (void)state;
    make_plan(ENDS "streams: {tags: {object: Tags}, teams: {object: '\"A b\".\"C\"'}}\n");
    assert_string_equal(stream("tags")->table_schema, "public");
    assert_string_equal(stream("tags")->table_name, "tags");
    assert_string_equal(stream("teams")->table_schema, "A b");
    assert_string_equal(plan.all_objects[0], "A b.C");
    assert_int_equal(setenv("WAREHOUSE", "postgresql://h/db?schema=mine", 1), 0);
    make_plan(ENDS "streams: {tags: {object: tags}}\n");
    assert_string_equal(stream("tags")->table_schema, "mine");
    make_plan("source: GORGIAS\ntarget: postgresql://u@h/db\nstreams: {tags: {object: tags}}\n");
    assert_string_equal(plan.target.name, "target");

    expect_refusal(ENDS "streams:\n  tags:\n",
                   "f.yaml:4:3: need to specify \"object\" for stream \"tags\"");
    expect_refusal(ENDS "defaults: {object: g.t}\nstreams:\n  tags:\n  teams:\n",
                   "f.yaml:3:20: streams \"tags\" and \"teams\" have the same object \"g.t\"");
    expect_refusal(ENDS "streams: {tags: {object: a.b.c}}\n",
                   "f.yaml:3:26: object \"a.b.c\" is not the name of a table: it must have two "
                   "parts at most, schema and table");
    expect_refusal(ENDS "streams: {tags: {object: _gorgias_replicate.tags}}\n",
                   "f.yaml:3:26: object \"_gorgias_replicate.tags\" is in schema "
                   "\"_gorgias_replicate\", which holds the state");
}

static void
test_system_schemas(void **state)
{
    (void)state;
    expect_refusal(ENDS "streams: {tags: {object: pg_catalog.tags}}\n",
                   "f.yaml:3:26: object \"pg_catalog.tags\" is in schema \"pg_catalog\", which "
                   "belongs to PostgreSQL");
    assert_string_equal(err.hint, "Choose another schema, such as gorgias.{stream_name}.");
    expect_refusal(ENDS "streams: {tags: {object: Information_Schema.tags}}\n",
                   "f.yaml:3:26: object \"Information_Schema.tags\" is in schema "
                   "\"information_schema\", which belongs to PostgreSQL");
    expect_refusal(ENDS "defaults:\n  object: 'PG_{stream_name}.t'\nstreams:\n  tags:\n",
                   "f.yaml:4:11: object \"PG_tags.t\" is in schema \"pg_tags\", which belongs to "
                   "PostgreSQL");
    expect_refusal("source: GORGIAS\ntarget: postgresql://u@h/db?schema=pg_temp\n"
                   "streams: {tags: {object: tags}}\n",
                   "f.yaml:3:26: object \"tags\" is in schema \"pg_temp\", which belongs to "
                   "PostgreSQL");
    /* None of these is kept by PostgreSQL. */
    make_plan(ENDS "streams: {tags: {object: pgx.pg_tags}, teams: {object: '\"PG_x\".t'},\n"
                   "  users: {object: pg.t}, views: {object: information_schemas.t}}\n");
    assert_string_equal(stream("teams")->table_schema, "PG_x");
}

static void
test_timeouts(void **state)
{
    static const struct {
        const char *minutes;
        int64_t ms; /* 0: refused */
    } cases[] = {{"90", 5400000},   {"0.5", 30000},
                 {"'15'", 900000},  {".1", 6000},
                 {"0", 0},          {"0.00001", 0},
                 {"-5", 0},         {"5m", 0},
                 {"1e3", 0},        {"99999999", 5999999940000},
                 {"9999999999", 0}, {"1.2.3", 0},
                 {"''", 0},         {".", 0}};
    char text[512];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        (void)snprintf(text, sizeof(text), HEAD "  tags:\nenv: {SLING_TIMEOUT: %s}\n",
                       cases[i].minutes);
        assert_int_equal(try_plan(text), cases[i].ms > 0);
        if (cases[i].ms > 0)
            assert_int_equal(plan.max_duration_ms, cases[i].ms);
        else
            assert_non_null(strstr(
                err.message, "f.yaml:6:22: SLING_TIMEOUT must be a number of minutes above 0"));
    }
    make_plan(HEAD "  tags:\n");
    assert_int_equal(plan.max_duration_ms, 0);
    assert_int_equal(setenv("SLING_TIMEOUT", "2", 1), 0);
    make_plan(HEAD "  tags:\n");
    assert_int_equal(plan.max_duration_ms, 120000);
    make_plan(HEAD "  tags:\nenv: {SLING_TIMEOUT: 3}\n"); /* the file comes first */
    assert_int_equal(plan.max_duration_ms, 180000);
    assert_int_equal(unsetenv("SLING_TIMEOUT"), 0);
}

/* As Sling does, which could not parse the streams either; but saying why. */
static void
test_quoted_booleans(void **state)
{
    (void)state;
    expect_refusal(HEAD "  tags: {disabled: 'true'}\n",
                   "f.yaml:5:20: \"disabled\" must be true or false, found \"true\"");
    assert_string_equal(err.hint, "Take the quotes away: they make a text of it.");
    expect_refusal(HEAD "  tags: {disabled: maybe}\n",
                   "f.yaml:5:20: \"disabled\" must be true or false, found \"maybe\"");
    assert_string_equal(err.hint, "");
}

static void
test_environment(void **state)
{
    (void)state;
    assert_int_equal(setenv("SLING_STATE", "warehouse/From_Process", 1), 0);
    assert_int_equal(setenv("SLING_THREADS", "7", 1), 0);
    make_plan(HEAD "  tags:\n");
    assert_string_equal(plan.state_schema, "from_process");
    assert_int_equal(plan.threads, 7);
    make_plan(HEAD "  tags:\nenv:\n  SLING_STATE: WAREHOUSE/x\n  SLING_THREADS: 3\n"
                   "  SLING_LOADED_AT_COLUMN: true\n  SLING_RETRIES: 3\n  MINE: ~\n");
    assert_string_equal(plan.state_schema, "x");
    assert_int_equal(plan.threads, 3);
    assert_int_equal(plan.warning_count, 1);
    assert_string_equal(stream("tags")->loaded_at.name, "_sling_loaded_at");
    assert_true(stream("tags")->loaded_at.is_unix);
    expect_warning("f.yaml:10:18: SLING_RETRIES has no effect here: requests are retried in any "
                   "case");
    expect_refusal(
        HEAD "  tags:\nenv: {SLING_STATE: AWS_S3/x}\n",
        "f.yaml:6:20: SLING_STATE names the connection \"AWS_S3\", but the state is kept "
        "in the target \"WAREHOUSE\"");
    expect_refusal(HEAD "  tags:\nenv: {SLING_STATE: x}\n",
                   "f.yaml:6:20: SLING_STATE must be CONNECTION/SCHEMA, found \"x\"");
    expect_refusal(HEAD "  tags:\nenv: {SLING_STATE: WAREHOUSE/a-b}\n",
                   "f.yaml:6:20: SLING_STATE names the schema \"a-b\": a name must be of letters, "
                   "digits and _, or stand in double quotes");
    expect_refusal(HEAD "  tags:\nenv: {SLING_THREADS: many}\n",
                   "f.yaml:6:22: SLING_THREADS must be 1 to 64, found \"many\"");
    expect_refusal(HEAD "  tags:\nenv: {X: [a]}\n",
                   "f.yaml:6:10: variable \"X\" must be a text, found a list");
    make_plan(HEAD "  tags:\n");
    assert_true(plan.keep_runs_ms == 400 * INT64_C(86400000));
    make_plan(HEAD "  tags:\nenv: {GR_KEEP_RUNS: 90d}\n");
    assert_true(plan.keep_runs_ms == 90 * INT64_C(86400000));
    make_plan(HEAD "  tags:\nenv: {GR_KEEP_RUNS: forever}\n");
    assert_true(plan.keep_runs_ms == 0);
    expect_refusal(HEAD "  tags:\nenv: {GR_KEEP_RUNS: 23h}\n",
                   "f.yaml:6:21: GR_KEEP_RUNS must be a number of days such as 90d, or forever, "
                   "found \"23h\"");
    expect_refusal(HEAD "  tags:\nenv: {GR_KEEP_RUNS: 99999999999999999999d}\n",
                   "f.yaml:6:21: GR_KEEP_RUNS must be a number of days such as 90d, or forever, "
                   "found \"99999999999999999999d\"");
    assert_int_equal(setenv("GR_KEEP_RUNS", "30d", 1), 0);
    make_plan(HEAD "  tags:\n");
    assert_true(plan.keep_runs_ms == 30 * INT64_C(86400000));
    assert_int_equal(setenv("SLING_THREADS", "x", 1), 0);
    expect_refusal(HEAD "  tags:\n", "$SLING_THREADS:1:1: SLING_THREADS must be 1 to 64, found "
                                     "\"x\"");
}

/* --- columns -----------------------------------------------------------------------------------
 */

static void
test_select(void **state)
{
    const struct gr_plan_stream *s;

    (void)state;
    make_plan(HEAD "  tickets: {select: [subject, 'c*_fields']}\n  tags: {select: '-usage, -uri'}\n"
                   "  teams: {select: ['*', id as team_id, -uri]}\n"
                   "  users: {select: 'id'}\n");
    s = stream("tickets");
    assert_int_equal(s->column_count, 5);
    assert_string_equal(s->columns[0].name, "id");
    assert_non_null(column(s, "subject"));
    assert_non_null(column(s, "custom_fields"));
    assert_non_null(column(s, "messages_count"));
    assert_string_equal(s->columns[s->cursor_column].name, "updated_datetime");
    assert_int_equal(s->ignored_count + s->column_count, s->schema->column_count);
    expect_warning(
        "f.yaml:5:21: stream \"tickets\" keeps column \"updated_datetime\" all the same: "
        "the order of versions goes by it");
    expect_warning("f.yaml:5:21: stream \"tickets\" keeps column \"messages_count\" all the same: "
                   "rows of another stream are counted by it");
    assert_int_equal(stream("tags")->ignored_count, 2);
    assert_string_equal(stream("tags")->ignored_fields[0], "usage");
    assert_string_equal(stream("teams")->columns[0].name, "team_id");
    assert_string_equal(stream("teams")->columns[0].field, "id");
    assert_int_equal(stream("users")->column_count, 1);
    assert_int_equal(plan.warning_count, 2);

    make_plan(HEAD "  tags: {select: [-id, -name]}\n");
    assert_non_null(column(stream("tags"), "id"));
    assert_null(column(stream("tags"), "name"));
    expect_warning(
        "f.yaml:5:19: stream \"tags\" keeps column \"id\" all the same: the primary key");
}

static void
test_types(void **state)
{
    (void)state;
    make_plan(HEAD "  tags: {columns: {'*': string, usage: 'decimal(12,2)', "
                   "name: 'string | value_len < 9'}}\n"
                   "  teams: {columns: [{name: name, type: json}, {uri: json}, "
                   "'description: json']}\n"
                   "  tickets: {select: [-uri], columns: {uri: json, subject: varchar(20)}}\n");
    assert_int_equal(type_of(stream("tags"), "id"), GR_TYPE_BIGINT);
    assert_int_equal(type_of(stream("tags"), "decoration"), GR_TYPE_TEXT);
    assert_int_equal(type_of(stream("tags"), "usage"), GR_TYPE_DOUBLE);
    assert_int_equal(type_of(stream("teams"), "name"), GR_TYPE_JSONB);
    assert_int_equal(type_of(stream("teams"), "uri"), GR_TYPE_JSONB);
    assert_int_equal(type_of(stream("teams"), "description"), GR_TYPE_JSONB);
    expect_warning("f.yaml:5:57: stream \"tags\": the constraint \"value_len < 9\" is not checked");
}

static void
expect_columns(const char *of, const char *names)
{
    const struct gr_plan_stream *s = stream(of);
    char got[2048] = "";
    size_t len = 0;

    for (size_t i = 0; i < s->column_count; i++)
        len += (size_t)snprintf(got + len, sizeof(got) - len, "%s%s", i == 0 ? "" : " ",
                                s->columns[i].name);
    assert_string_equal(got, names);
}

static void
test_flatten(void **state)
{
    (void)state;
    make_plan(HEAD "  tickets: {select: [subject, customer, tags, assignee_team__name],\n"
                   "    source_options: {flatten: 1}}\n"
                   "  ticket_messages: {select: [source__*], source_options: {flatten: 1}}\n"
                   "  customers: {select: [name], source_options: {flatten: false}}\n");
    expect_columns("tickets", "id customer__id customer__email customer__name customer__firstname "
                              "customer__lastname customer__meta assignee_team__name subject tags "
                              "messages_count updated_datetime");
    assert_string_equal(the_column(stream("tickets"), "customer__id")->refers, "customers");
    assert_string_equal(the_column(stream("tickets"), "customer__id")->within->field, "customer");
    assert_int_equal(type_of(stream("tickets"), "customer__id"), GR_TYPE_BIGINT);
    assert_int_equal(type_of(stream("tickets"), "customer__meta"), GR_TYPE_JSONB);
    assert_int_equal(type_of(stream("tickets"), "tags"), GR_TYPE_JSONB);
    expect_columns("ticket_messages",
                   "id ticket_id source__type source__from source__to source__cc "
                   "source__bcc source__extra created_datetime");
    /* Deeper, and all the way; what is opened is no column. */
    make_plan(HEAD "  ticket_messages: {select: [source__*], source_options: {flatten: true}}\n");
    assert_null(column(stream("ticket_messages"), "source__from"));
    assert_non_null(column(stream("ticket_messages"), "source__from__address"));
    make_plan(HEAD "  tickets: {source_options: {flatten: 2}}\n");
    assert_null(column(stream("tickets"), "customer"));
    assert_non_null(column(stream("tickets"), "meta"));
    assert_int_equal(stream("tickets")->ignored_count, 0);
    make_plan(
        HEAD
        "  tickets: {select: ['*', -customer, -assignee_user__meta], source_options: {flatten: "
        "1}}\n");
    assert_null(column(stream("tickets"), "customer__id"));
    assert_null(column(stream("tickets"), "assignee_user__meta"));
    assert_int_equal(stream("tickets")->ignored_count, 1);
    assert_string_equal(stream("tickets")->ignored_fields[0], "customer");
    make_plan(HEAD
              "  tags: {source_options: {flatten: 0}, columns: {decoration__color: string}}\n");
    expect_warning(
        "f.yaml:5:36: flatten: 0 keeps nested values whole; all levels, as Sling means it, "
        "is flatten: true");
    assert_non_null(column(stream("tags"), "decoration"));
    assert_non_null(column(stream("tags"), "decoration__color"));
}

/* Fields of nested values that the file names, with and without flatten. */
static void
test_named_fields(void **state)
{
    const struct gr_plan_stream *s;

    (void)state;
    make_plan(HEAD "  tickets:\n    select: [Customer__Email, meta__campaign as campaign, "
                   "customer__meta__location_info__city]\n"
                   "    columns: {meta__score: bigint}\n"
                   "  customers: {select: ['*', -meta__x]}\n"
                   "  tags: {select: ['@columns'], columns: [usage: string]}\n");
    s = stream("tickets");
    expect_columns("tickets", "id messages_count updated_datetime customer__email campaign "
                              "customer__meta__location_info__city");
    assert_string_equal(
        the_column(s, "customer__meta__location_info__city")->within->within->within->field,
        "customer");
    assert_int_equal(type_of(s, "meta__campaign"), GR_TYPE_TEXT);
    expect_warning(
        "f.yaml:8:29: \"-meta__x\" leaves nothing out of stream \"customers\": meta is one "
        "jsonb column, unless flatten says otherwise");
    expect_columns("tags", "id usage");
    make_plan(HEAD "  tickets: {columns: {meta__score: bigint, customer__id: bigint}}\n");
    s = stream("tickets");
    assert_int_equal(type_of(s, "meta__score"), GR_TYPE_BIGINT);
    /* The same reference is not followed twice. */
    assert_non_null(the_column(s, "customer")->refers);
    assert_null(the_column(s, "customer__id")->refers);
}

static void
test_casing(void **state)
{
    const struct gr_plan_stream *s;

    (void)state;
    make_plan(HEAD "  tickets:\n    primary_key: [ID]\n    update_key: UPDATED_DATETIME\n"
                   "    select: [SUBJECT, updatedDatetime, status as State, customer__id]\n"
                   "    columns: {SUBJECT: json}\n"
                   "    target_options: {column_casing: camel, table_keys: {index: [[Status], "
                   "[updated_datetime]]}}\n"
                   "  tags: {target_options: {column_casing: upper}}\n");
    s = stream("tickets");
    expect_columns("tickets", "id State subject messagesCount updatedDatetime customerId");
    assert_int_equal(type_of(s, "subject"), GR_TYPE_JSONB);
    assert_string_equal(s->columns[s->cursor_column].name, "updatedDatetime");
    assert_string_equal(s->table_keys[0].columns[0], "State");
    assert_string_equal(s->table_keys[1].columns[0], "updatedDatetime");
    assert_string_equal(stream("tags")->columns[0].name, "ID");
    assert_int_equal(plan.warning_count, 1); /* messages_count is kept */
}

static void
test_casing_words(void **state)
{
    static const struct {
        const char *name;
        const char *in[GR_CASING_CAMEL + 1];
    } cases[] = {
        {"updated_datetime",
         {"updated_datetime", "updated_datetime", "updated_datetime", "updated_datetime",
          "UPDATED_DATETIME", "updated_datetime", "updatedDatetime"}},
        {"customer__id",
         {"customer__id", "customer__id", "customer__id", "customer__id", "CUSTOMER__ID",
          "customer__id", "customerId"}},
        {"hasCreditCard",
         {"hasCreditCard", "hasCreditCard", "hascreditcard", "has_credit_card", "HASCREDITCARD",
          "hascreditcard", "hasCreditCard"}},
        {"URI", {"uri", "URI", "uri", "uri", "URI", "uri", "uri"}},
        {"reply-to",
         {"reply-to", "reply-to", "reply-to", "reply-to", "REPLY-TO", "reply-to", "replyTo"}},
        {"_", {"_", "_", "_", "_", "_", "_", "_"}},
    };
    struct gr_arena *arena = gr_arena_new();

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (int casing = 0; casing <= GR_CASING_CAMEL; casing++)
            assert_string_equal(gr_casing_apply((enum gr_casing)casing, cases[i].name, arena),
                                cases[i].in[casing]);
    gr_arena_free(arena);
}

/* Variables of the file in all its values, and Sling's settings. */
static void
test_file_variables(void **state)
{
    (void)state;
    assert_int_equal(setenv("GR_TEST_WHERE", "WAREHOUSE", 1), 0);
    make_plan("source: '{SRC}'\ntarget: WAREHOUSE\ndefaults: {mode: '{MODE}', object: "
              "'{S}.{stream_name}'}\n"
              "streams:\n  '{PREFIX}s': {source_options: {limit: {N}}}\n  users: {tags: ['{S}', "
              "'{{x}}']}\n"
              "env:\n  SRC: GORGIAS\n  MODE: truncate\n  S: lake\n  PREFIX: tag\n  N: 7\n"
              "  SLING_STATE: $GR_TEST_WHERE/state\n  SLING_THRAEDS: 3\n");
    assert_string_equal(plan.source.name, "GORGIAS");
    assert_int_equal(stream("tags")->mode, GR_MODE_TRUNCATE);
    assert_string_equal(stream("tags")->table_schema, "lake");
    assert_int_equal(stream("tags")->limit_rows, 7);
    assert_string_equal(stream("users")->tags[0], "lake");
    assert_string_equal(stream("users")->tags[1], "{{x}}");
    assert_string_equal(plan.state_schema, "state");
    expect_warning(
        "f.yaml:14:18: SLING_THRAEDS is no setting of this program or of Sling (did you mean "
        "\"SLING_THREADS\"?)");
    assert_int_equal(setenv("GR_TEST_FROM", "GORGIAS", 1), 0);
    make_plan("source: ${GR_TEST_FROM}\ntarget: $GR_TEST_WHERE\n"
              "streams: {tags: {object: 'S_{stream_table_upper}.{stream_table}'}}\n");
    assert_string_equal(plan.source.name, "GORGIAS");
    assert_string_equal(plan.target.name, "WAREHOUSE");
    assert_string_equal(stream("tags")->table_schema, "s_tags");
    make_plan(HEAD "  tags:\nenv: {SLING_LIMIT: 9, SLING_DRY_RUN: TRUE, SLING_LOADED_AT_COLUMN: "
                   "timestamp}\n");
    assert_int_equal(stream("tags")->limit_rows, 9);
    assert_true(plan.is_dry_run);
    assert_false(stream("tags")->loaded_at.is_unix);
    make_plan(HEAD "  tags:\nenv: {SLING_LOADED_AT_COLUMN: false}\n");
    assert_null(stream("tags")->loaded_at.name);
    assert_int_equal(plan.warning_count, 1);
    make_plan(HEAD "  tags:\nenv: {SLING_LOADED_AT_COLUMN: etl_at}\n");
    assert_string_equal(stream("tags")->loaded_at.name, "etl_at");
    expect_refusal(
        HEAD "  tags:\nenv: {SLING_LOADED_AT_COLUMN: name}\n",
        "f.yaml:5:3: stream \"tags\" has a column \"name\", which SLING_LOADED_AT_COLUMN "
        "names");
    expect_refusal(HEAD "  tags:\nenv: {SLING_LIMIT: many}\n",
                   "f.yaml:6:20: SLING_LIMIT must be a number of rows, found \"many\"");
}

/* What stands in defaults is said once, what a stream says is said of it. */
static void
test_whom_warnings_are_about(void **state)
{
    (void)state;
    make_plan(ENDS "defaults: {object: 'g.{stream_name}', where: x, select: [name, nmae]}\n"
                   "streams:\n  tags: {sql: y}\n  users:\n");
    expect_warning("f.yaml:3:46: \"where\" has no effect here: the API has no such filter");
    expect_warning(
        "f.yaml:5:15: stream \"tags\": \"sql\" has no effect here: the API takes no SQL");
    expect_warning(
        "f.yaml:3:64: \"select\" names \"nmae\", which is no column of stream \"users\"");
    assert_int_equal(plan.warning_count, 4);
}

/* Keys that an endpoint does not have are columns, so no mistakes: its own are used. */
static void
test_other_keys(void **state)
{
    (void)state;
    make_plan(ENDS "defaults:\n  object: 'g.{stream_name}'\n"
                   "  target_options: {table_keys: {primary: id, index: [[name], "
                   "[created_datetime]], sort: x}}\n"
                   "streams:\n  tags: {primary_key: [id, name], update_key: usage}\n"
                   "  events: {update_key: id}\n  account:\n");
    expect_warning("f.yaml:7:23: primary_key is not used for stream \"tags\", whose key is [id]");
    expect_warning(
        "f.yaml:7:47: update_key is not used for stream \"tags\", which is always read in "
        "full");
    expect_warning("f.yaml:8:24: update_key is not used for stream \"events\", which goes by "
                   "\"created_datetime\"");
    expect_warning(
        "f.yaml:5:42: table_keys: the primary key of stream \"account\" is [domain] all the "
        "same");
    expect_warning("f.yaml:5:54: stream \"events\" gets no index on \"name\": it is no column");
    expect_warning("f.yaml:5:89: \"sort\" has no effect here: it is for other databases than "
                   "PostgreSQL");
    assert_int_equal(stream("events")->table_key_count, 1);
    assert_int_equal(stream("tags")->table_key_count, 2);
}

/* The page for those who switch speaks of keys that there are. */
static void
test_from_sling(void **state)
{
    (void)state;
    assert_null(gr_from_sling_stray());
}

static void
test_table_keys(void **state)
{
    const struct gr_plan_stream *s;

    (void)state;
    make_plan(HEAD "  tickets:\n    primary_key: id\n    update_key: updated_datetime\n"
                   "    select: ['*', status as state]\n"
                   "    target_options: {table_keys: {primary: [id], unique: [[uri], [id, state]], "
                   "index: [status, _loaded_at]}}\n");
    s = stream("tickets");
    assert_int_equal(s->table_key_count, 3);
    assert_true(s->table_keys[0].is_unique);
    assert_int_equal(s->table_keys[1].count, 2);
    assert_false(s->table_keys[2].is_unique);
    assert_string_equal(s->table_keys[2].columns[0], "state");
    assert_string_equal(s->table_keys[2].columns[1], "_loaded_at");
}

static void
test_warnings(void **state)
{
    (void)state;
    make_plan(ENDS "hooks: {start: []}\ndefaults:\n  object: g.{stream_name}\n"
                   "  update_key: updated_datetime\n  where: x\n"
                   "  source_options: {flatten: 1, jq: x}\n"
                   "  target_options: {column_casing: camel, use_bulk: false}\n"
                   "streams:\n  events:\n  tags:\n  '*s':\n");
    assert_int_equal(plan.warning_count, 4 + 3);
    expect_warning(
        "f.yaml:3:8: \"hooks\" has no effect here: hooks are not run; pre_sql and post_sql of "
        "target_options are");
    expect_warning("f.yaml:7:10: \"where\" has no effect here: the API has no such filter");
    expect_warning("f.yaml:8:36: \"jq\" has no effect here: objects are stored as they come");
    expect_warning("f.yaml:9:52: \"use_bulk\" has no effect here: rows always go through COPY");
    expect_warning("f.yaml:6:15: update_key is not used for stream \"events\", which goes by "
                   "\"createdDatetime\"");
    make_plan(HEAD "  tags: {update_key: usage}\n");
    expect_warning(
        "f.yaml:5:22: update_key is not used for stream \"tags\", which is always read in "
        "full");
    make_plan(HEAD "  tags: {source_options: {flatten: false}, "
                   "target_options: {column_casing: snake, delete_missing: off}}\n");
    assert_int_equal(plan.warning_count, 0);
    assert_int_equal(stream("tags")->missing, GR_MISSING_HARD);
}

static void
test_refusals(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"[a]", "f.yaml:1:1: a replication file must be a mapping, found a list"},
        {"target: X\nstreams: {}", "f.yaml:1:1: key \"source\" is missing"},
        {"source: X\nstreams: {}", "f.yaml:1:1: key \"target\" is missing"},
        {ENDS, "f.yaml:1:1: key \"streams\" is missing"},
        {ENDS "streams:\n", "f.yaml:1:1: key \"streams\" is missing"},
        {ENDS "streams: {}\n", "f.yaml:3:10: \"streams\" names no stream"},
        {ENDS "streams: [tags]\n", "f.yaml:3:10: \"streams\" must be a mapping, found a list"},
        {ENDS "stream: {}\n", "f.yaml:3:1: unknown key \"stream\" (did you mean \"streams\"?)"},
        {"source: [a]\ntarget: X\nstreams: {tags: }",
         "f.yaml:1:9: \"source\" must be the name of a connection, found a list"},
        {"source: X\ntarget: ~\nstreams: {tags: }",
         "f.yaml:2:9: \"target\" must be the name of a connection, found nothing"},
        {HEAD "  tags: full-refresh\n",
         "f.yaml:5:9: stream \"tags\" must be a mapping or nothing, found \"full-refresh\""},
        {HEAD "  tags: {primry_key: id}\n",
         "f.yaml:5:10: unknown key \"primry_key\" (did you mean \"primary_key\"?)"},
        {HEAD "  tags: {source_options: {limt: 1}}\n",
         "f.yaml:5:27: unknown key \"limt\" (did you mean \"limit\"?)"},
        {HEAD "  tags: {mode: incrementel}\n",
         "f.yaml:5:16: unknown mode \"incrementel\" (did you mean \"incremental\"?)"},
        {HEAD "  tags:\n  tags:\n", "f.yaml:6:3: key \"tags\" comes a second time; the first is at "
                                    "5:3"},
        {ENDS "defaults: {moed: x}\nstreams: {tags: }\n",
         "f.yaml:3:12: unknown key \"moed\" (did you mean \"mode\"?)"},
        {HEAD "  tags: {disabled: true}\n", "f.yaml: all streams are disabled"},
        {HEAD "  tags: {primary_key: [id, nmae]}\n",
         "f.yaml:5:23: \"primary_key\" names \"nmae\", which is no column of stream \"tags\" (did "
         "you "
         "mean \"name\"?)"},
        {HEAD "  events: {update_key: created_datetim}\n",
         "f.yaml:5:24: \"update_key\" names \"created_datetim\", which is no column of stream "
         "\"events\" (did you mean \"created_datetime\"?)"},
        {HEAD "  tags: {target_options: {delete_missing: true}}\n",
         "f.yaml:5:43: \"delete_missing\" must be soft or hard, found \"true\""},
        {HEAD "  tags: {target_options: {table_keys: {index: [nme]}}}\n",
         "f.yaml:5:47: \"table_keys\" names \"nme\", which is no column of stream \"tags\" (did "
         "you "
         "mean \"name\"?)"},
        {HEAD "  tags: {target_options: {table_keys: {index: []}}}\n",
         "f.yaml:5:47: an index must have at least one column"},
        {HEAD "  tags: {target_options: {table_keys: {primary: nmae}}}\n",
         "f.yaml:5:49: \"table_keys\" names \"nmae\", which is no column of stream \"tags\" (did "
         "you "
         "mean \"name\"?)"},
        {HEAD "  tags: {select: [nam]}\n", "f.yaml:5:19: \"select\" names \"nam\", which is no "
                                           "column of stream \"tags\" (did you mean "
                                           "\"name\"?)"},
        {HEAD "  tags: {select: 'name,,id'}\n", "f.yaml:5:18: \"select\" holds an empty name"},
        {HEAD "  tags: {select: [name, -id]}\n", "f.yaml:5:18: \"select\" mixes names to take and "
                                                 "names to leave out; that goes only with a "
                                                 "\"*\""},
        {HEAD "  tags: {select: ['@column']}\n",
         "f.yaml:5:19: \"select\" names \"@column\", which is no column of stream \"tags\""},
        {HEAD "  tags: {select: [name as _hash]}\n",
         "f.yaml:5:19: \"_hash\" cannot be the name of a column: it must have 1 to 63 bytes, and "
         "not "
         "be one that every table has"},
        {HEAD "  tags: {source_options: {flatten: deep}}\n",
         "f.yaml:5:36: \"flatten\" must be true, false or a number of levels, found \"deep\""},
        {HEAD "  tags: {target_options: {column_casing: snak}}\n",
         "f.yaml:5:42: unknown column_casing \"snak\" (did you mean \"snake\"?)"},
        {HEAD "  tickets: {target_options: {column_casing: camel}, columns: {summary__id: text},\n"
              "    select: ['*', subject as summaryId]}\n",
         "f.yaml:6:13: stream \"tickets\" has two columns named \"summaryId\": the fields "
         "\"subject\" and \"summary__id\""},
        {HEAD "  tags: {select: ['*', name as id]}\n",
         "f.yaml:5:18: stream \"tags\" has two columns named \"id\": the fields \"id\" and "
         "\"name\""},
        {HEAD "  tags: {select: {a: b}}\n",
         "f.yaml:5:18: expected a list of texts, found a mapping"},
        {HEAD "  tags: {columns: {nmae: text}}\n",
         "f.yaml:5:20: \"columns\" names \"nmae\", which is no column of stream \"tags\" (did you "
         "mean \"name\"?)"},
        {HEAD "  tags: {columns: {name: blob}}\n", "f.yaml:5:20: unknown type \"blob\""},
        {HEAD "  tags: {columns: {id: text}}\n",
         "f.yaml:5:20: column \"id\" of stream \"tags\" must be bigint: the primary key"},
        {HEAD "  tags: {columns: {name: [text]}}\n",
         "f.yaml:5:26: the type of column \"name\" must be a word, found a list"},
        {HEAD "  tags: {columns: text}\n",
         "f.yaml:5:19: \"columns\" must be a mapping or a list, found \"text\""},
        {HEAD "  tags: {columns: [name]}\n",
         "f.yaml:5:20: an element of \"columns\" must be \"name: type\", found \"name\""},
        {"a: &a [x]\nb: [*c]\n", "f.yaml:2:5: an alias without its anchor before it"},
        {"\x7f"
         "ELF",
         "f.yaml:1:1: byte 0x7f is not text; a YAML file is UTF-8 without control "
         "characters"},
        {"", "f.yaml: the file is empty"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expect_refusal(cases[i].text, cases[i].message);
        assert_int_equal(err.fault, GR_FAULT_SPEC);
    }
}

/* Whatever is missing from a valid file, the plan is made or refused, and nothing leaks. */
static void
test_every_prefix(void **state)
{
    static const char text[] =
        HEAD "  tickets: {select: [-uri], columns: {subject: json}, tags: [a]}\n"
             "  '*': {mode: incremental}\nenv: {SLING_STATE: WAREHOUSE/s.t}\n";
    char copy[sizeof(text)];

    (void)state;
    for (size_t len = 0; len < sizeof(text); len++) {
        (void)snprintf(copy, sizeof(copy), "%.*s", (int)len, text);
        (void)try_plan(copy);
    }
}

static void
test_reference(void **state)
{
    static const char *const keys[] = {"`source`",         "`object`",      "`lookback`",
                                       "`delete_missing`", "`anchor_date`", "`sslmode`",
                                       "`merge_strategy`"};
    GR_CLEANUP(gr_buf_free) struct gr_buf out = gr_buf_new(0);

    (void)state;
    gr_replication_reference(&out);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        assert_non_null(strstr(gr_buf_text(&out), keys[i]));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_shipped_files),
        TEST(test_the_example),
        TEST(test_slings_examples),
        TEST(test_defaults_merge),
        TEST(test_anchors),
        TEST(test_columns_merge_with_plus),
        TEST(test_wildcards),
        TEST(test_running_order),
        TEST(test_selection),
        TEST(test_selection_of_made_streams),
        TEST(test_every_mode_word),
        TEST(test_audit),
        TEST(test_ranges),
        TEST(test_range_texts),
        TEST(test_steps_of_ranges),
        TEST(test_timeouts),
        TEST(test_quoted_booleans),
        TEST(test_options_win),
        TEST(test_refused_options),
        TEST(test_variables),
        TEST(test_objects),
        TEST(test_system_schemas),
        TEST(test_environment),
        TEST(test_select),
        TEST(test_types),
        TEST(test_flatten),
        TEST(test_named_fields),
        TEST(test_casing),
        TEST(test_casing_words),
        TEST(test_file_variables),
        TEST(test_whom_warnings_are_about),
        TEST(test_other_keys),
        TEST(test_from_sling),
        TEST(test_table_keys),
        TEST(test_warnings),
        TEST(test_refusals),
        TEST(test_every_prefix),
        TEST(test_reference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
