/* connection_source.c - a Gorgias connection from its value. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/spec/base_url.h"
#include "gr/spec/connection.h"
#include "gr/spec/field.h"
#include "gr/spec/names.h"

#define SOURCE_HINT GR_SOURCE_EXAMPLE

enum { SECRET_FILE_BYTES = 65536 };

/* What a connection says, before it is judged. */
struct draft {
    const char *type;
    const char *spec;
    const struct gr_yaml_node *secrets;
    const struct gr_yaml_node *inputs;
    struct gr_source source;
    const char *api_key_file;
    const char *anchor_date;
    const struct gr_yaml_node *rate;
    const struct gr_yaml_node *timeout;
};

#define AT(member) offsetof(struct draft, member)
#define IN(member) offsetof(struct draft, source.member)

/* clang-format off */
static const struct gr_field fields[] = {
    {"type",               GR_FIELD_TEXT, AT(type),                  false, NULL, NULL,
     "`api` (Sling's form) or `gorgias`"},
    {"spec",               GR_FIELD_TEXT, AT(spec),                  false, NULL, NULL,
     "`gorgias`"},
    {"secrets",            GR_FIELD_MAP,  AT(secrets),               false, NULL, NULL,
     "Sling's form: holds subdomain, email, api_key and the OAuth2 keys"},
    {"inputs",             GR_FIELD_MAP,  AT(inputs),                false, NULL, NULL,
     "Sling's form: holds anchor_date, base_url, rate and timeout"},
    {"subdomain",          GR_FIELD_TEXT, IN(subdomain),             false, NULL, NULL,
     "mycompany, of mycompany.gorgias.com"},
    {"email",              GR_FIELD_TEXT, IN(email),                 false, NULL, NULL,
     "user of the API key"},
    {"api_key",            GR_FIELD_TEXT, IN(api_key),               false, NULL, NULL,
     "from Settings > Advanced > REST API"},
    {"api_key_file",       GR_FIELD_TEXT, AT(api_key_file),          false, NULL, NULL,
     "file that holds the API key, instead of api_key"},
    {"access_token",       GR_FIELD_TEXT, IN(access_token),          false, NULL, NULL,
     "OAuth2, instead of email and api_key"},
    {"client_id",          GR_FIELD_TEXT, IN(client_id),             false, NULL, NULL,
     "OAuth2: with client_secret and a refresh token, the access token is renewed"},
    {"client_secret",      GR_FIELD_TEXT, IN(client_secret),         false, NULL, NULL,
     "OAuth2"},
    {"refresh_token",      GR_FIELD_TEXT, IN(refresh_token),         false, NULL, NULL,
     "OAuth2; a token that rotates needs refresh_token_file"},
    {"refresh_token_file", GR_FIELD_TEXT, IN(refresh_token_file),    false, NULL, NULL,
     "OAuth2: file that holds the refresh token; rewritten when the token rotates, so it and its folder "
     "must be writable"},
    {"anchor_date",        GR_FIELD_TEXT, AT(anchor_date),           false, NULL, NULL,
     "YYYY-MM-DD: where a first run begins; default one year ago; `beginning` for everything"},
    {"base_url",           GR_FIELD_TEXT, IN(base_url),              false, NULL, NULL,
     "default https://SUBDOMAIN.gorgias.com; plain http only to a loopback address"},
    {"rate",               GR_FIELD_MAP,  AT(rate),                  false, NULL, NULL,
     "`requests`, `per`, `share`: the account's budget, and how much of it to take"},
    {"timeout",            GR_FIELD_MAP,  AT(timeout),               false, NULL, NULL,
     "`connect`, `stall`, `total`, `retry`: for how long what is waited for"},
    {0},
};

static const struct gr_field rate_fields[] = {
    {"requests", GR_FIELD_COUNT,    offsetof(struct gr_rate, requests), false, NULL, NULL,
     "default 40, with OAuth2 80"},
    {"per",      GR_FIELD_DURATION, offsetof(struct gr_rate, per_ms),   false, NULL, "20s",
     "the time for that many requests"},
    {"share",    GR_FIELD_SHARE,    offsetof(struct gr_rate, share),    false, NULL, "1.0",
     "the part of it that this program may take: all its runs on one warehouse together"},
    {0},
};

static const struct gr_field timeout_fields[] = {
    {"connect", GR_FIELD_DURATION, offsetof(struct gr_source, connect_timeout_ms), false, NULL,
     "10s", "until a connection stands"},
    {"stall",   GR_FIELD_DURATION, offsetof(struct gr_source, stall_timeout_ms),   false, NULL,
     "30s", "without a byte"},
    {"total",   GR_FIELD_DURATION, offsetof(struct gr_source, total_timeout_ms),   false, NULL,
     "5m",  "for one response"},
    {"retry",   GR_FIELD_DURATION, offsetof(struct gr_source, retry_timeout_ms),   false, NULL,
     "15m", "lost to one request: failed attempts, and pauses between them"},
    {0},
};
/* clang-format on */

/* A connection under way. */
struct loader {
    const struct gr_connections *from;
    const struct gr_yaml_node *name;
    const struct gr_yaml_node *map; /* flat: secrets and inputs have been taken apart */
    struct draft draft;
    struct gr_error *err;
};

static const struct gr_yaml_node *
at(const struct loader *l, const char *key)
{
    const struct gr_yaml_node *node = gr_yaml_get(l->map, key);

    return node != NULL ? node : l->map;
}

/* An empty text is as good as none, but says so. */
static bool
check_secret(struct loader *l, const char *key, const char *value)
{
    if (value == NULL)
        return true;
    gr_log_secret(value);
    if (*value == '\0')
        return gr_yaml_fail(at(l, key), l->err, "\"%s\" is empty", key);
    for (const char *c = value; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~')
            return gr_yaml_fail(at(l, key), l->err,
                                "\"%s\" holds a space or another character "
                                "that no key has",
                                key);
    return true;
}

/* As it travels in the Authorization header. */
static void
hide_basic(const char *user, const char *password)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    GR_CLEANUP(gr_buf_free) struct gr_buf pair = gr_buf_new(0);
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);

    gr_buf_printf(&pair, "%s:%s", user, password);
    for (size_t i = 0; i < pair.len; i += 3) {
        unsigned bits = 0;

        for (size_t j = 0; j < 3; j++)
            bits = bits << 8 | (i + j < pair.len ? (unsigned char)pair.data[i + j] : 0U);
        gr_buf_putc(&text, digits[bits >> 18 & 63]);
        gr_buf_putc(&text, digits[bits >> 12 & 63]);
        gr_buf_putc(&text, i + 1 < pair.len ? digits[bits >> 6 & 63] : '=');
        gr_buf_putc(&text, i + 2 < pair.len ? digits[bits & 63] : '=');
    }
    gr_log_secret(gr_buf_text(&text));
}

/* The content of a file that holds one secret, without white space around it. */
static bool
read_secret(struct loader *l, const char *key, const char *path, const char **out)
{
    const char *text;
    size_t len;
    size_t lead;

    if (!gr_yaml_slurp(path, SECRET_FILE_BYTES, l->from->arena, &text, &len, l->err)) {
        char why[sizeof(l->err->message)];

        (void)snprintf(why, sizeof(why), "%s", l->err->message);
        return gr_yaml_fail(at(l, key), l->err, "\"%s\": %.800s", key, why);
    }
    gr_connection_warn_shared(l->from, path);
    lead = strspn(text, " \t\r\n");
    text += lead;
    len = strlen(text);
    while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
        len--;
    *out = gr_arena_strndup(l->from->arena, text, len);
    return true;
}

static bool
is_there(const char *path)
{
    FILE *file = fopen(path, "rbe");

    if (file != NULL)
        (void)fclose(file);
    return file != NULL;
}

/* The rotated token in the file is newer than the one that the connection was set up with. */
static bool
read_files(struct loader *l)
{
    struct gr_source *s = &l->draft.source;

    if (l->draft.api_key_file != NULL && s->api_key != NULL)
        return gr_yaml_fail(at(l, "api_key_file"), l->err,
                            "\"api_key\" and \"api_key_file\" are "
                            "both set; one is enough");
    if (l->draft.api_key_file != NULL &&
        !read_secret(l, "api_key_file", l->draft.api_key_file, &s->api_key))
        return false;
    if (s->refresh_token_file != NULL &&
        (s->refresh_token == NULL || is_there(s->refresh_token_file)) &&
        !read_secret(l, "refresh_token_file", s->refresh_token_file, &s->refresh_token))
        return false;
    return true;
}

static bool
check_credentials(struct loader *l)
{
    struct gr_source *s = &l->draft.source;
    bool has_oauth2 = s->access_token != NULL || s->client_id != NULL || s->client_secret != NULL ||
                      s->refresh_token != NULL;

    if (!read_files(l) || !check_secret(l, "api_key", s->api_key) ||
        !check_secret(l, "access_token", s->access_token) ||
        !check_secret(l, "client_secret", s->client_secret) ||
        !check_secret(l, "refresh_token", s->refresh_token))
        return false;
    if (has_oauth2 && (s->api_key != NULL || s->email != NULL))
        return gr_yaml_fail(l->map, l->err,
                            "connection \"%s\" has both an API key and OAuth2 "
                            "tokens; one is enough",
                            l->name->text);
    if (!has_oauth2 && (s->email == NULL || s->api_key == NULL)) {
        (void)gr_yaml_fail(l->map, l->err, "key \"%s\" is missing in connection \"%s\"",
                           s->email == NULL ? "email" : "api_key", l->name->text);
        return gr_hint(l->err,
                       "Email and API key come from Settings > Advanced > REST API in "
                       "Gorgias; OAuth2 needs access_token, or client_id, client_secret and "
                       "refresh_token.");
    }
    if (s->access_token == NULL && has_oauth2 &&
        (s->client_id == NULL || s->client_secret == NULL || s->refresh_token == NULL))
        return gr_yaml_fail(l->map, l->err,
                            "OAuth2 in connection \"%s\" needs access_token, or all "
                            "of client_id, client_secret and refresh_token (or refresh_token_file)",
                            l->name->text);
    if (!has_oauth2 && (*s->email == '\0' || strpbrk(s->email, ": \t\r\n") != NULL))
        return gr_yaml_fail(at(l, "email"), l->err,
                            "\"email\" must be an e-mail address, without spaces and colons");
    if (!has_oauth2)
        hide_basic(s->email, s->api_key);
    else if (s->client_id != NULL && s->client_secret != NULL)
        hide_basic(s->client_id, s->client_secret);
    return true;
}

/* mycompany, mycompany.gorgias.com and https://mycompany.gorgias.com/app all mean mycompany. */
static bool
check_subdomain(struct loader *l)
{
    struct gr_source *s = &l->draft.source;
    const char *text = s->subdomain;
    const char *scheme;
    const char *rest;
    char *name;
    size_t len;

    if (text == NULL && s->base_url == NULL) {
        (void)gr_yaml_fail(l->map, l->err, "key \"subdomain\" is missing in connection \"%s\"",
                           l->name->text);
        return gr_hint(l->err, "It is the mycompany of https://mycompany.gorgias.com.");
    }
    if (text == NULL)
        text = "";
    if (gr_connection_is_url(text, l->from->arena, &scheme))
        text += strlen(scheme) + 3;
    len = strcspn(text, "./:");
    rest = text + len;
    name = gr_arena_strndup(l->from->arena, text, len);
    for (char *c = name; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    if (s->subdomain != NULL &&
        (len == 0 || len > 63 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != len ||
         (*rest == '.' &&
          (strncasecmp(rest, ".gorgias.com", 12) != 0 || (rest[12] != '\0' && rest[12] != '/'))) ||
         *rest == ':')) {
        /* What stands before an @ may be a user and a password. */
        (void)gr_yaml_fail(at(l, "subdomain"), l->err,
                           "\"subdomain\" must be letters, digits and "
                           "hyphens, found %s",
                           strchr(s->subdomain, '@') != NULL
                               ? "another text"
                               : gr_yaml_shown(l->from->arena, at(l, "subdomain")));
        return gr_hint(l->err, "It is the mycompany of https://mycompany.gorgias.com.");
    }
    s->subdomain = name;
    return true;
}

static bool
check_base_url(struct loader *l)
{
    struct gr_source *s = &l->draft.source;
    const char *wrong;

    if (s->base_url == NULL) {
        s->base_url = gr_arena_printf(l->from->arena, "https://%s.gorgias.com", s->subdomain);
        return true;
    }
    wrong = gr_base_url_parse(s->base_url, l->from->arena, &s->base_url);
    if (wrong == NULL)
        return true;
    (void)gr_yaml_fail(at(l, "base_url"), l->err, "\"base_url\" %s", wrong);
    return gr_hint(l->err,
                   "Write https://HOST or https://HOST:PORT, without a path; plain http is for "
                   "127.0.0.1, ::1 and localhost only.");
}

/* The same day of the year before, at midnight UTC; February 29 becomes the 28. */
static int64_t
one_year_before(int64_t now_us)
{
    char text[GR_TIME_TEXT];
    char before[GR_TIME_TEXT];
    int64_t us = GR_TIME_NONE;
    int year;

    gr_time_format(now_us, text);
    year = (text[0] - '0') * 1000 + (text[1] - '0') * 100 + (text[2] - '0') * 10 + text[3] - '0';
    (void)snprintf(before, sizeof(before), "%04d-%.5s", year - 1, text + 5);
    if (!gr_time_parse(before, 10, &us)) {
        (void)snprintf(before, sizeof(before), "%04d-02-28", year - 1);
        (void)gr_time_parse(before, 10, &us);
    }
    return us;
}

static bool
check_anchor(struct loader *l)
{
    const char *text = l->draft.anchor_date;
    int64_t *anchor = &l->draft.source.anchor_us;

    *anchor = GR_TIME_NONE;
    if (text == NULL)
        *anchor = one_year_before(l->from->now_us);
    else if (strcmp(text, "beginning") != 0 &&
             (strlen(text) != 10 || !gr_time_parse(text, 10, anchor))) {
        (void)gr_yaml_fail(at(l, "anchor_date"), l->err,
                           "\"anchor_date\" must be a date "
                           "(YYYY-MM-DD) or the word beginning, found \"%.60s\"",
                           text);
        return gr_hint(l->err, "Without it a first run begins one year ago.");
    }
    if (*anchor != GR_TIME_NONE && *anchor > l->from->now_us)
        gr_notes_add(l->from->notes, at(l, "anchor_date"),
                     "\"anchor_date\" lies in the future, so "
                     "a first run has nothing to read");
    return true;
}

static bool
check_limits(struct loader *l)
{
    struct gr_source *s = &l->draft.source;
    const struct gr_yaml_node *rate = l->draft.rate;

    if (!gr_field_bind(rate, rate_fields, &s->rate, NULL, l->from->arena, l->err) ||
        !gr_field_bind(l->draft.timeout, timeout_fields, s, NULL, l->from->arena, l->err))
        return false;
    s->rate.is_stated = gr_yaml_get(rate, "requests") != NULL || gr_yaml_get(rate, "per") != NULL;
    if (gr_yaml_get(rate, "requests") == NULL)
        s->rate.requests = s->api_key != NULL ? 40 : 80;
    if (s->rate.requests < 1 || s->rate.per_ms < 1)
        return gr_yaml_fail(rate, l->err,
                            "\"rate\" must allow at least one request in more than "
                            "no time");
    if (s->connect_timeout_ms < 1 || s->stall_timeout_ms < 1 || s->total_timeout_ms < 1 ||
        s->retry_timeout_ms < 1)
        return gr_yaml_fail(l->draft.timeout, l->err, "a timeout must be longer than 0");
    return true;
}

/* What a key such as secrets holds: a mapping, also one that `sling conns set` has left as a text.
 */
static bool
read_group(struct loader *l, const struct gr_yaml_node *value, const char *key,
           const struct gr_yaml_node **out)
{
    const struct gr_yaml_node *group = gr_yaml_get(value, key);

    if (group != NULL && group->kind == GR_YAML_TEXT && group->text[0] == '{' &&
        !gr_yaml_parse(group->file, group->text, strlen(group->text), l->from->arena, &group,
                       l->err))
        return false;
    if (group != NULL && group->kind != GR_YAML_MAP && group->kind != GR_YAML_NULL)
        return gr_yaml_fail(group, l->err, "\"%s\" must be a mapping", key);
    *out = group;
    return true;
}

/* secrets: and inputs: taken apart, so that one table reads both forms. */
static bool
flatten(struct loader *l, const struct gr_yaml_node *value)
{
    static const char *const keys[] = {"secrets", "inputs"};
    const struct gr_yaml_node *groups[2];
    size_t count = value->count;
    struct gr_yaml_node *flat;

    for (size_t i = 0; i < 2; i++) {
        if (!read_group(l, value, keys[i], &groups[i]))
            return false;
        count += groups[i] != NULL ? groups[i]->count : 0;
    }
    flat = gr_yaml_map(l->from->arena, value, count);
    for (size_t i = 0; i < value->count; i++)
        if (strcmp(value->keys[i]->text, "secrets") != 0 &&
            strcmp(value->keys[i]->text, "inputs") != 0)
            gr_yaml_put(flat, value->keys[i], value->items[i]);
    for (size_t i = 0; i < 2; i++) {
        const struct gr_yaml_node *group = groups[i];

        for (size_t j = 0; group != NULL && j < group->count; j++) {
            if (gr_yaml_get(flat, group->keys[j]->text) != NULL)
                return gr_yaml_fail(group->keys[j], l->err,
                                    "key \"%.60s\" comes a second time in "
                                    "connection \"%s\"",
                                    group->keys[j]->text, l->name->text);
            gr_yaml_put(flat, group->keys[j], group->items[j]);
        }
    }
    l->map = flat;
    return true;
}

static bool
check_type(struct loader *l, const struct gr_yaml_node *value)
{
    const struct gr_yaml_node *type = gr_yaml_get(value, "type");
    const struct gr_yaml_node *spec = gr_yaml_get(value, "spec");

    if (type != NULL && type->kind == GR_YAML_TEXT && strcasecmp(type->text, "api") != 0 &&
        strcasecmp(type->text, "gorgias") != 0) {
        (void)gr_yaml_fail(type, l->err,
                           "source \"%s\" must be a Gorgias connection, found type "
                           "\"%.60s\"",
                           l->name->text, type->text);
        return gr_hint(l->err, "For example: %s", SOURCE_HINT);
    }
    if (spec != NULL && spec->kind == GR_YAML_TEXT && strcasecmp(spec->text, "gorgias") != 0) {
        (void)gr_yaml_fail(spec, l->err,
                           "source \"%s\" must be a Gorgias connection, found spec "
                           "\"%.60s\"",
                           l->name->text, spec->text);
        return gr_hint(l->err, "Gorgias is the only API that this program reads.");
    }
    return true;
}

bool
gr_connection_source(const struct gr_connections *from, const struct gr_yaml_node *name,
                     struct gr_source *out, struct gr_error *err)
{
    struct loader l = {.from = from, .name = name, .err = err};
    const struct gr_yaml_node *value;
    const char *scheme = "";

    if (!gr_connection_find(from, name, SOURCE_HINT, &value, err))
        return false;
    if (value->kind == GR_YAML_TEXT) {
        bool is_name = !gr_connection_is_url(name->text, from->arena, &scheme);

        (void)gr_connection_is_url(value->text, from->arena, &scheme);
        (void)gr_yaml_fail(value, err,
                           "source \"%s\" must be a Gorgias connection, found a %s:// "
                           "URL",
                           is_name ? name->text : "URL", scheme);
        return gr_hint(err, "For example: %s", SOURCE_HINT);
    }
    if (!check_type(&l, value) || !flatten(&l, value) ||
        !gr_field_bind(l.map, fields, &l.draft, from->notes, from->arena, err))
        return false;
    l.draft.source.name = name->text;
    if (!check_credentials(&l) || !check_subdomain(&l) || !check_base_url(&l) ||
        !check_anchor(&l) || !check_limits(&l))
        return false;
    *out = l.draft.source;
    return true;
}

void
gr_connection_source_reference(struct gr_buf *out)
{
    gr_field_print(out, fields);
    gr_buf_puts(out, "\n`rate`:\n\n");
    gr_field_print(out, rate_fields);
    gr_buf_puts(out, "\n`timeout`:\n\n");
    gr_field_print(out, timeout_fields);
}
