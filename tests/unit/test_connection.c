/* layers: spec */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gr/base/buf.h"
#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/spec/connection.h"

#define NOW  INT64_C(1795243824000000) /* 2026-11-21T06:50:24Z */
#define FLAT "type: gorgias, subdomain: mycompany, email: me@example.com, api_key: key1"

static struct gr_arena *arena;
static struct gr_error err;
static struct gr_notes notes;
static char home[64];

static int
set_up(void **state)
{
    (void)state;
    arena = gr_arena_new();
    notes = (struct gr_notes){.arena = arena};
    (void)snprintf(home, sizeof(home), "/tmp/gr-test-connection-XXXXXX");
    assert_non_null(mkdtemp(home));
    assert_int_equal(setenv("HOME", home, 1), 0);
    assert_int_equal(unsetenv("SLING_HOME_DIR"), 0);
    assert_int_equal(unsetenv("GORGIAS"), 0);
    assert_int_equal(unsetenv("WAREHOUSE"), 0);
    assert_int_equal(unsetenv("GR_TEST_KEY"), 0);
    return 0;
}

static void
path_in_home(char path[256], const char *name)
{
    (void)snprintf(path, 256, "%s/%s", home, name);
}

static int
tear_down(void **state)
{
    char path[256];

    (void)state;
    path_in_home(path, ".sling/env.yaml");
    (void)unlink(path);
    path_in_home(path, "env.yaml");
    (void)unlink(path);
    path_in_home(path, "secret");
    (void)unlink(path);
    path_in_home(path, ".sling");
    (void)rmdir(path);
    assert_int_equal(rmdir(home), 0);
    gr_arena_free(arena);
    return 0;
}

static void
write_file(const char *name, const char *text, unsigned mode)
{
    char path[256];
    FILE *file;

    path_in_home(path, name);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static const struct gr_yaml_node *
parse(const char *text)
{
    const struct gr_yaml_node *root;

    if (!gr_yaml_parse("f.yaml", text, strlen(text), arena, &root, &err))
        fail_msg("%s", err.message);
    return root;
}

static struct gr_connections
connections(const char *own)
{
    return (struct gr_connections){
        .arena = arena, .own = own != NULL ? parse(own) : NULL, .now_us = NOW, .notes = &notes};
}

/* The source GORGIAS, of a file with these `connections`. */
static bool
source(const char *own, struct gr_source *out)
{
    struct gr_connections from = connections(own);

    return gr_connection_source(&from, parse("GORGIAS"), out, &err);
}

static bool
target(const char *own, struct gr_target *out)
{
    struct gr_connections from = connections(own);

    return gr_connection_target(&from, parse("WAREHOUSE"), out, &err);
}

static void
expect_source(const char *own, struct gr_source *out)
{
    if (!source(own, out))
        fail_msg("%s: %s", own, err.message);
}

static void
assert_redacted(const char *secret)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);

    gr_buf_printf(&text, "<%s>", secret);
    gr_log_redact(&text);
    if (strcmp(gr_buf_text(&text), "<***>") != 0)
        fail_msg("not redacted: %s", secret);
}

/* Sling's form and the flat one, in every place where a value may stand, mean the same. */
static void
test_forms(void **state)
{
    static const char *const values[] = {
        "{type: api, spec: gorgias, secrets: {subdomain: mycompany, email: me@example.com, "
        "api_key: ${GR_TEST_KEY}}, inputs: {anchor_date: 2024-01-01}}",
        "{type: gorgias, subdomain: mycompany, email: me@example.com, api_key: ${GR_TEST_KEY}, "
        "anchor_date: \"2024-01-01\"}",
        "{ \"type\": \"api\", \"spec\": \"gorgias\", \"secrets\": {\"subdomain\": \"mycompany\", "
        "\"email\": \"me@example.com\", \"api_key\":\"${GR_TEST_KEY}\"}, "
        "\"inputs\": {\"anchor_date\": \"2024-01-01\"} }",
        "{subdomain: https://mycompany.gorgias.com/app, email: me@example.com, "
        "api_key: ${GR_TEST_KEY}, anchor_date: 2024-01-01}",
    };

    (void)state;
    assert_int_equal(setenv("GR_TEST_KEY", "a-secret-key", 1), 0);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        for (int place = 0; place < 2; place++) {
            struct gr_source s;
            char own[1024];

            (void)snprintf(own, sizeof(own), "GORGIAS: %s", values[i]);
            assert_int_equal(setenv("GORGIAS", place == 0 ? "mysql://wrong" : values[i], 1), 0);
            expect_source(place == 0 ? own : NULL, &s);
            assert_string_equal(s.name, "GORGIAS");
            assert_string_equal(s.subdomain, "mycompany");
            assert_string_equal(s.base_url, "https://mycompany.gorgias.com");
            assert_string_equal(s.email, "me@example.com");
            assert_string_equal(s.api_key, "a-secret-key");
            assert_int_equal(s.anchor_us, INT64_C(1704067200000000));
        }
    }
    assert_redacted("a-secret-key");
    assert_redacted("bWVAZXhhbXBsZS5jb206YS1zZWNyZXQta2V5");
}

static void
test_defaults(void **state)
{
    struct gr_source s;

    (void)state;
    expect_source("GORGIAS: {" FLAT "}", &s);
    assert_int_equal(s.anchor_us, INT64_C(1763683200000000)); /* 2025-11-21 */
    assert_int_equal(s.rate.requests, 40);
    assert_int_equal(s.rate.per_ms, 20000);
    assert_true(s.rate.share == 1.0);
    assert_false(s.rate.is_stated);
    assert_int_equal(s.connect_timeout_ms, 10000);
    assert_int_equal(s.stall_timeout_ms, 30000);
    assert_int_equal(s.total_timeout_ms, 300000);
    assert_null(s.access_token);
}

static void
test_options(void **state)
{
    struct gr_source s;
    struct gr_connections from = connections("GORGIAS: {" FLAT "}");

    (void)state;
    expect_source("GORGIAS: {" FLAT ", rate: {requests: 100, per: 10s, share: 0.8}, "
                  "timeout: {connect: 1s, stall: 2s, total: 1m}, anchor_date: beginning}",
                  &s);
    assert_int_equal(s.rate.requests, 100);
    assert_int_equal(s.rate.per_ms, 10000);
    assert_true(s.rate.share == 0.8);
    assert_true(s.rate.is_stated);
    assert_int_equal(s.connect_timeout_ms, 1000);
    assert_int_equal(s.total_timeout_ms, 60000);
    assert_true(s.anchor_us == GR_TIME_NONE);
    expect_source("GORGIAS: {" FLAT ", rate: {share: 0.5}}", &s);
    assert_false(s.rate.is_stated);
    expect_source("GORGIAS: {" FLAT ", anchor_date: 2030-01-01}", &s);
    assert_int_equal(notes.count, 1);

    from.now_us = INT64_C(1709208000000000); /* 2024-02-29 */
    assert_true(gr_connection_source(&from, parse("GORGIAS"), &s, &err));
    assert_int_equal(s.anchor_us, INT64_C(1677542400000000)); /* 2023-02-28 */
}

static void
test_base_urls(void **state)
{
    static const struct {
        const char *url;
        const char *out; /* NULL: refused */
    } cases[] = {
        {"http://127.0.0.1:8080", "http://127.0.0.1:8080"},
        {"http://127.1.2.3/", "http://127.1.2.3"},
        {"http://localhost:1", "http://localhost:1"},
        {"\"http://[::1]:99\"", "http://[::1]:99"},
        {"https://proxy.example.com:8443//", "https://proxy.example.com:8443"},
        {"http://example.com", NULL},
        {"http://127.example.com", NULL},
        {"http://127.0.0.1.example.com", NULL},
        {"http://127.0.0.1@example.com", NULL},
        {"http://127.0.0.256", NULL},
        {"http://127.0.0.010", NULL},
        {"http://127.0.0", NULL},
        {"http://127.0.0.1.", NULL},
        {"http://localhost.example.com", NULL},
        {"ftp://127.0.0.1", NULL},
        {"example.com", NULL},
        {"https://", NULL},
        {"https://user:pass@example.com", NULL},
        {"https://example.com/path", NULL},
        {"https://example.com:port", NULL},
        {"https://example.com:99999", NULL},
        {"https://example.com:0", NULL},
        {"https://example.com?x", NULL},
        {"\"https://[::1\"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char own[512];
        struct gr_source s;

        (void)snprintf(own, sizeof(own), "GORGIAS: {email: a@b, api_key: key1, base_url: %s}",
                       cases[i].url);
        if (source(own, &s) != (cases[i].out != NULL))
            fail_msg("%s: %s", cases[i].url, err.message);
        if (cases[i].out != NULL) {
            assert_string_equal(s.base_url, cases[i].out);
            assert_string_equal(s.subdomain, "");
        }
    }
}

static void
test_oauth2(void **state)
{
    struct gr_source s;
    char own[512];

    (void)state;
    expect_source("GORGIAS: {subdomain: m, access_token: token-one}", &s);
    assert_string_equal(s.access_token, "token-one");
    assert_int_equal(s.rate.requests, 80);
    assert_redacted("token-one");

    write_file("secret", " rotated/token+2\n", 0600);
    (void)snprintf(own, sizeof(own),
                   "GORGIAS: {subdomain: m, client_id: i, client_secret: client/secret, "
                   "refresh_token: original, refresh_token_file: %s/secret}",
                   home);
    expect_source(own, &s);
    assert_string_equal(s.refresh_token, "rotated/token+2");
    assert_redacted("rotated/token+2");
    assert_redacted("rotated%2Ftoken%2B2");
    assert_redacted("client%2Fsecret");

    (void)snprintf(own, sizeof(own),
                   "GORGIAS: {subdomain: m, client_id: i, client_secret: s, "
                   "refresh_token: original, refresh_token_file: %s/new}",
                   home);
    expect_source(own, &s);
    assert_string_equal(s.refresh_token, "original");
}

static void
test_api_key_file(void **state)
{
    struct gr_source s;
    char own[512];

    (void)state;
    (void)snprintf(own, sizeof(own), "GORGIAS: {subdomain: m, email: a@b, api_key_file: %s/secret}",
                   home);
    assert_false(source(own, &s));
    assert_non_null(strstr(err.message, "\"api_key_file\": cannot open "));
    write_file("secret", "key-from-file\r\n", 0600);
    expect_source(own, &s);
    assert_string_equal(s.api_key, "key-from-file");
    assert_redacted("key-from-file");
    write_file("secret", "\n", 0600);
    assert_false(source(own, &s));
    assert_non_null(strstr(err.message, "\"api_key\" is empty"));
}

static void
test_refused_sources(void **state)
{
    static const struct {
        const char *own;
        const char *message;
    } cases[] = {
        {"GORGIAS: {type: postgres, host: x}",
         "f.yaml:1:17: source \"GORGIAS\" must be a Gorgias connection, found type \"postgres\""},
        {"GORGIAS: {type: api, spec: stripe}",
         "f.yaml:1:28: source \"GORGIAS\" must be a Gorgias connection, found spec \"stripe\""},
        {"GORGIAS: mysql://u:p@h/d",
         "f.yaml:1:10: source \"GORGIAS\" must be a Gorgias connection, found a mysql:// URL"},
        {"GORGIAS: [a]", "f.yaml:1:10: connection \"GORGIAS\" must be a URL or a mapping, found a "
                         "list"},
        {"GORGIAS: key1234",
         "f.yaml:1:10: connection \"GORGIAS\" must be a URL or a mapping, found "
         "another text"},
        {"GORGIAS: {" FLAT ", apikey: x}",
         "f.yaml:1:86: unknown key \"apikey\" (did you mean \"api_key\"?)"},
        {"GORGIAS: {type: api, secrets: {subdomain: m}, subdomain: n}",
         "f.yaml:1:32: key \"subdomain\" comes a second time in connection \"GORGIAS\""},
        {"GORGIAS: {type: api, secrets: x}", "f.yaml:1:31: \"secrets\" must be a mapping"},
        {"GORGIAS: {subdomain: m, email: a@b}",
         "f.yaml:1:10: key \"api_key\" is missing in connection \"GORGIAS\""},
        {"GORGIAS: {subdomain: m, api_key: key1}",
         "f.yaml:1:10: key \"email\" is missing in connection \"GORGIAS\""},
        {"GORGIAS: {email: a@b, api_key: key1}",
         "f.yaml:1:10: key \"subdomain\" is missing in connection \"GORGIAS\""},
        {"GORGIAS: {subdomain: my_company, email: a@b, api_key: key1}",
         "f.yaml:1:22: \"subdomain\" must be letters, digits and hyphens, found \"my_company\""},
        {"GORGIAS: {subdomain: m.example.com, email: a@b, api_key: key1}",
         "f.yaml:1:22: \"subdomain\" must be letters, digits and hyphens, found \"m.example.com\""},
        {"GORGIAS: {subdomain: m, email: 'a b', api_key: key1}",
         "f.yaml:1:32: \"email\" must be an e-mail address, without spaces and colons"},
        {"GORGIAS: {subdomain: m, email: a@b, api_key: \"k\\n1\"}",
         "f.yaml:1:46: \"api_key\" holds a space or another character that no key has"},
        {"GORGIAS: {subdomain: m, email: a@b, api_key: key1, api_key_file: x}",
         "f.yaml:1:66: \"api_key\" and \"api_key_file\" are both set; one is enough"},
        {"GORGIAS: {subdomain: m, email: a@b, access_token: token-two}",
         "f.yaml:1:10: connection \"GORGIAS\" has both an API key and OAuth2 tokens; one is "
         "enough"},
        {"GORGIAS: {subdomain: m, client_id: x}",
         "f.yaml:1:10: OAuth2 in connection \"GORGIAS\" needs access_token, or all of client_id, "
         "client_secret and refresh_token (or refresh_token_file)"},
        {"GORGIAS: {" FLAT ", anchor_date: 2024-13-01}",
         "f.yaml:1:99: \"anchor_date\" must be a date (YYYY-MM-DD) or the word beginning, found "
         "\"2024-13-01\""},
        {"GORGIAS: {" FLAT ", rate: {requests: 0}}",
         "f.yaml:1:92: \"rate\" must allow at least one request in more than no time"},
        {"GORGIAS: {" FLAT ", rate: {share: 2}}",
         "f.yaml:1:100: \"share\" must be a number above 0 and at most 1, found \"2\""},
        {"GORGIAS: {" FLAT ", timeout: {stall: 0}}",
         "f.yaml:1:95: a timeout must be longer than 0"},
        {"GORGIAS: {subdomain: m, email: a@b, api_key: ${GR_TEST_KEY}}",
         "f.yaml:1:46: environment variable \"GR_TEST_KEY\" is not set"},
        {"GORGIAS: {subdomain: m, email: a@b, api_key: key1, base_url: http://a.b}",
         "f.yaml:1:62: \"base_url\" is plain http, which would show the credentials to the "
         "network"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gr_source s;

        if (source(cases[i].own, &s))
            fail_msg("accepted: %s", cases[i].own);
        assert_int_equal(err.fault, GR_FAULT_SPEC);
        assert_string_equal(err.message, cases[i].message);
    }
}

static void
test_lookup(void **state)
{
    struct gr_source s;
    char path[256];
    char message[1024];

    (void)state;
    assert_false(source(NULL, &s));
    (void)snprintf(
        message, sizeof(message),
        "f.yaml:1:1: connection \"GORGIAS\" is set neither under \"connections\" in this "
        "file, nor in the environment variable of that name, nor in "
        "%s/.sling/env.yaml",
        home);
    assert_string_equal(err.message, message);
    assert_string_equal(err.hint,
                        "Set it, for example: export GORGIAS='{ type: api, spec: gorgias, "
                        "secrets: { subdomain: mycompany, email: me@example.com, "
                        "api_key: xxx } }'");

    path_in_home(path, ".sling");
    assert_int_equal(mkdir(path, 0700), 0);
    write_file(".sling/env.yaml",
               "connections:\n  gorgias: {subdomain: low, email: a@b, "
               "api_key: key1}\nvariables: {a: b}\n",
               0600);
    expect_source(NULL, &s);
    assert_string_equal(s.subdomain, "low");
    assert_int_equal(notes.count, 0);
    write_file(".sling/env.yaml",
               "connections:\n  GORGIAS: {subdomain: low, email: a@b, "
               "api_key: key1}\n",
               0644);
    expect_source(NULL, &s);
    assert_int_equal(notes.count, 1);
    (void)snprintf(message, sizeof(message),
                   "%s/.sling/env.yaml holds secrets and can be read by "
                   "others; chmod 600 it",
                   home);
    assert_string_equal(notes.items[0], message);

    write_file("env.yaml",
               "connections:\n  GORGIAS: {subdomain: home, email: a@b, "
               "api_key: key1}\n",
               0600);
    assert_int_equal(setenv("SLING_HOME_DIR", home, 1), 0);
    expect_source(NULL, &s);
    assert_string_equal(s.subdomain, "home");
    assert_int_equal(setenv("GORGIAS", "{subdomain: variable, email: a@b, api_key: key1}", 1), 0);
    expect_source(NULL, &s);
    assert_string_equal(s.subdomain, "variable");
    expect_source("GORGIAS: {subdomain: file, email: a@b, api_key: key1}", &s);
    assert_string_equal(s.subdomain, "file");
    /* The whole env.yaml in a variable comes before the file; what `sling conns set` leaves as a
       text is a mapping all the same. */
    assert_int_equal(unsetenv("GORGIAS"), 0);
    assert_int_equal(setenv("SLING_ENV_YAML",
                            "{connections: {gorgias: {type: api, spec: gorgias, secrets: "
                            "'{subdomain: whole, email: a@b, api_key: key1}'}}}",
                            1),
                     0);
    expect_source(NULL, &s);
    assert_string_equal(s.subdomain, "whole");
    assert_int_equal(unsetenv("SLING_ENV_YAML"), 0);
    /* {"subdomain": "coded", "email": "a@b", "api_key": "key1"} */
    assert_int_equal(
        setenv("GORGIAS",
               "eyJzdWJkb21haW4iOiAiY29kZWQiLCAiZW1haWwiOiAiYUBiIiwgImFwaV9rZXkiOiAia2V5"
               "MSJ9",
               1),
        0);
    expect_source(NULL, &s);
    assert_string_equal(s.subdomain, "coded");
    assert_int_equal(setenv("GORGIAS", "{subdomain: m", 1), 0);
    assert_false(source(NULL, &s));
    assert_string_equal(err.message, "$GORGIAS:2:1: did not find expected ',' or '}'");
}

static const char *
value_of(const struct gr_target *t, const char *keyword)
{
    for (size_t i = 0; t->keywords[i] != NULL; i++)
        if (strcmp(t->keywords[i], keyword) == 0)
            return t->values[i];
    return "";
}

static void
test_target_urls(void **state)
{
    static const struct {
        const char *url;
        const char *dbname;
        const char *shown;
        const char *schema;
    } cases[] = {
        {"postgresql://user:s3cret%40x@host:5433/db?sslmode=verify-full",
         "postgresql://user:s3cret%40x@host:5433/db?sslmode=verify-full", "host:5433/db", "public"},
        {"postgres://host/db", "postgres://host/db", "host:5432/db", "public"},
        {"POSTGRES://host", "postgres://host", "host:5432", "public"},
        {"postgresql:///db?host=/tmp&schema=x", "postgresql:///db?host=/tmp", "/tmp/db", "x"},
        {"postgresql://", "postgresql://", "local socket", "public"},
        {"postgresql://a,b:6432/db", "postgresql://a,b:6432/db", "a:5432,b:6432/db", "public"},
        {"postgresql://[::1]/db", "postgresql://[::1]/db", "[::1]:5432/db", "public"},
        {"postgresql://h/d?schema=s&sslmode=require&password=qu%65ry",
         "postgresql://h/d?sslmode=require&password=qu%65ry", "h:5432/d", "s"},
        {"postgresql://h/d?dbname=e", "postgresql://h/d?dbname=e", "h:5432/e", "public"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gr_connections from = connections(NULL);
        struct gr_target t;

        for (int place = 0; place < 2; place++) {
            bool is_literal = place == 1;

            assert_int_equal(setenv("WAREHOUSE", cases[i].url, 1), 0);
            if (!gr_connection_target(&from,
                                      is_literal ? gr_yaml_text(arena, parse("x"), cases[i].url)
                                                 : parse("WAREHOUSE"),
                                      &t, &err))
                fail_msg("%s", err.message);
            assert_string_equal(t.name, is_literal ? "target" : "WAREHOUSE");
            assert_string_equal(value_of(&t, "dbname"), cases[i].dbname);
            assert_null(t.keywords[1]);
            assert_string_equal(t.shown, cases[i].shown);
            assert_string_equal(t.schema, cases[i].schema);
        }
    }
    assert_redacted("s3cret%40x");
    assert_redacted("s3cret@x");
    assert_redacted("query");
}

static void
test_target_mappings(void **state)
{
    struct gr_target t;

    (void)state;
    assert_true(
        target("WAREHOUSE: {type: postgres, host: h, user: u, password: 'pa ss', port: 5433, "
               "database: d, schema: s, sslmode: require}",
               &t));
    assert_string_equal(value_of(&t, "host"), "h");
    assert_string_equal(value_of(&t, "user"), "u");
    assert_string_equal(value_of(&t, "password"), "pa ss");
    assert_string_equal(value_of(&t, "port"), "5433");
    assert_string_equal(value_of(&t, "dbname"), "d");
    assert_string_equal(value_of(&t, "sslmode"), "require");
    assert_string_equal(t.schema, "s");
    assert_string_equal(t.shown, "h:5433/d");
    assert_redacted("pa ss");
    assert_true(target("WAREHOUSE: {dbname: d, connect_timeout: 5}", &t));
    assert_string_equal(t.shown, "local socket/d");
    assert_true(target("WAREHOUSE: {type: postgres, url: 'postgres://h/d'}", &t));
    assert_string_equal(t.shown, "h:5432/d");
}

static void
test_refused_targets(void **state)
{
    static const struct {
        const char *own;
        const char *message;
    } cases[] = {
        {"WAREHOUSE: mysql://u:p@h/d",
         "f.yaml:1:12: target \"WAREHOUSE\" must be a PostgreSQL connection, found a mysql:// URL"},
        {"WAREHOUSE: {type: snowflake}",
         "f.yaml:1:19: target \"WAREHOUSE\" must be a PostgreSQL connection, found type "
         "\"snowflake\""},
        {"WAREHOUSE: {host: h, pasword: p}",
         "f.yaml:1:22: unknown key \"pasword\" (did you mean \"password\"?)"},
        {"WAREHOUSE: {host: [h]}", "f.yaml:1:19: \"host\" must be a text, found a list"},
        {"WAREHOUSE: {user: a, username: b}",
         "f.yaml:1:22: \"username\" says again what another key has said"},
        {"WAREHOUSE: {url: 'postgres://h', host: b}",
         "f.yaml:1:13: \"url\" cannot stand beside other keys"},
        {"WAREHOUSE: postgres://u:p@ss@h/d",
         "f.yaml:1:12: the URL of target \"WAREHOUSE\" has more than one @"},
        {"WAREHOUSE: postgres://u:p@ss/SECRET@h/d",
         "f.yaml:1:12: the URL of target \"WAREHOUSE\" has an @ behind a slash"},
        {"WAREHOUSE: postgres://u:SECRET/s@h/d",
         "f.yaml:1:12: the URL of target \"WAREHOUSE\" has an @ behind a slash"},
        {"WAREHOUSE: {host: h, schema: ''}",
         "f.yaml:1:12: \"schema\" must be a name of at most 63 bytes, found \"\""},
        {"WAREHOUSE: postgres://u:${GR_TEST_KEY}@h/d",
         "f.yaml:1:12: environment variable \"GR_TEST_KEY\" is not set"},
        {"warehuose: postgres://h", "f.yaml:1:1: connection \"WAREHOUSE\" is set neither under"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gr_target t;

        if (target(cases[i].own, &t))
            fail_msg("accepted: %s", cases[i].own);
        assert_int_equal(err.fault, GR_FAULT_SPEC);
        err.message[strlen(cases[i].message)] = '\0';
        assert_string_equal(err.message, cases[i].message);
        assert_null(strstr(err.message, "p@"));
    }
}

/* A connection in quotes, or a URL of something else, where its name belongs. */
static void
test_connection_for_a_name(void **state)
{
    static const char *const texts[] = {"'{type: postgres, password: SECRET}'",
                                        "'user:SECRET@host'", "'[SECRET]'"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const struct gr_yaml_node *out;
        struct gr_connections from = {.arena = arena};

        assert_false(
            gr_connection_find(&from, parse(texts[i]), "postgresql://host/database", &out, &err));
        assert_int_equal(err.fault, GR_FAULT_SPEC);
        assert_string_equal(
            err.message,
            "f.yaml:1:1: a connection must be given by its name or as a URL, found another text");
        assert_null(strstr(err.hint, "SECRET"));
    }
}

/* Only values are expanded, and what comes out is no YAML any more. */
static void
test_expansion(void **state)
{
    const struct gr_yaml_node *out;

    (void)state;
    assert_int_equal(setenv("GR_TEST_KEY", "a: {b}, ${HOME}", 1), 0);
    assert_true(gr_connection_expand(
        parse("{${GR_TEST_KEY}: 'x ${GR_TEST_KEY} y', l: [$GR_TEST_KEY, '${', '${1}'], n: ~, "
              "d: [a$GR_TEST_KEY, $GR_TEST_UNSET, $]}"),
        arena, &out, &err));
    assert_string_equal(out->keys[0]->text, "${GR_TEST_KEY}");
    assert_string_equal(out->items[0]->text, "x a: {b}, ${HOME} y");
    assert_string_equal(out->items[1]->items[0]->text, "a: {b}, ${HOME}");
    assert_string_equal(out->items[1]->items[1]->text, "${");
    assert_string_equal(out->items[1]->items[2]->text, "${1}");
    assert_int_equal(out->items[2]->kind, GR_YAML_NULL);
    /* A dollar in a password is one. */
    assert_string_equal(out->items[3]->items[0]->text, "a$GR_TEST_KEY");
    assert_string_equal(out->items[3]->items[1]->text, "$GR_TEST_UNSET");
    assert_string_equal(out->items[3]->items[2]->text, "$");
    assert_true(gr_connection_expand_env(parse("[a$GR_TEST_KEY, $, '$5']"), arena, &out, &err));
    assert_string_equal(out->items[0]->text, "aa: {b}, ${HOME}");
    assert_string_equal(out->items[1]->text, "$");
    assert_string_equal(out->items[2]->text, "$5");
    assert_false(gr_connection_expand_env(parse("a: [$GR_TEST_UNSET]"), arena, &out, &err));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_connection_for_a_name),
        TEST(test_forms),
        TEST(test_defaults),
        TEST(test_options),
        TEST(test_base_urls),
        TEST(test_oauth2),
        TEST(test_api_key_file),
        TEST(test_refused_sources),
        TEST(test_lookup),
        TEST(test_target_urls),
        TEST(test_target_mappings),
        TEST(test_refused_targets),
        TEST(test_expansion),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
