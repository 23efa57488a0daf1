/* gorgias.c - what the API's URLs and answers look like. */
#include "gr/source/gorgias.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "gr/base/time.h"

static void
put_param(struct gr_buf *url, bool *is_first, const char *name, const char *value)
{
    gr_buf_putc(url, *is_first ? '?' : '&');
    *is_first = false;
    gr_http_encode(url, name);
    gr_buf_putc(url, '=');
    gr_http_encode(url, value);
}

void
gr_gorgias_list_url(struct gr_buf *url, const struct gr_schema *schema,
                    const struct gr_list_ask *ask)
{
    bool is_first = true;
    char text[GR_TIME_TEXT];

    gr_buf_puts(url, schema->path);
    if (schema->shape == GR_SHAPE_OBJECT)
        return;
    if (ask->limit > 0) {
        gr_buf_printf(url, "?limit=%" PRId64, ask->limit);
        is_first = false;
    }
    if (ask->order != NULL)
        put_param(url, &is_first, "order_by", ask->order);
    for (size_t i = 0; ask->pass != NULL && i < ask->pass->count; i++)
        put_param(url, &is_first, ask->pass->params[i].name, ask->pass->params[i].value);
    if (ask->since_us != GR_TIME_NONE && schema->since != NULL) {
        gr_time_format(ask->since_us, text);
        put_param(url, &is_first, schema->since, text);
    }
    for (size_t i = 0; i < ask->id_count; i++) {
        gr_buf_putc(url, is_first ? '?' : '&');
        is_first = false;
        gr_buf_printf(url, "%s=%" PRId64, ask->param, ask->ids[i]);
    }
    if (ask->cursor != NULL)
        put_param(url, &is_first, "cursor", ask->cursor);
}

void
gr_gorgias_object_url(struct gr_buf *url, const struct gr_schema *schema, int64_t id)
{
    gr_buf_printf(url, "%s/%" PRId64, schema->path, id);
}

/* --- reading URLs ----------------------------------------------------------------------------- */

static int
hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* A plus stays one: whether it means a space, cursors do not say, and they hold no spaces. */
static void
put_decoded(struct gr_buf *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bool is_escape = text[i] == '%' && i + 2 < len && hex_value(text[i + 1]) >= 0 &&
                         hex_value(text[i + 2]) >= 0;

        if (!is_escape) {
            gr_buf_putc(out, text[i]);
            continue;
        }
        gr_buf_putc(out, (char)(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
        i += 2;
    }
}

/* The next parameter at or behind *at, name and value decoded into emptied buffers; moves *at
   behind it. */
static bool
next_param(const char **at, struct gr_buf *name, struct gr_buf *value)
{
    size_t len = strcspn(*at, "&#");
    size_t name_len = strcspn(*at, "=&#");

    if (len == 0)
        return false;
    gr_buf_reset(name);
    gr_buf_reset(value);
    put_decoded(name, *at, name_len);
    if (name_len < len)
        put_decoded(value, *at + name_len + 1, len - name_len - 1);
    *at += len;
    *at += **at == '&' ? 1 : 0;
    return true;
}

static const char *
query_of(const char *url)
{
    size_t len = strcspn(url, "?");

    return url + len + (url[len] == '?' ? 1 : 0);
}

bool
gr_gorgias_param(const char *url, const char *name, struct gr_buf *value)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf found = gr_buf_new(0);
    const char *at = query_of(url);

    while (next_param(&at, &found, value))
        if (strcmp(gr_buf_text(&found), name) == 0)
            return true;
    gr_buf_reset(value);
    return false;
}

/* A server may write down what it was asked in a form of its own: unencoded, so that a plus reads
   as a space, with nothing for what was not asked, or several values in one. */
static bool
is_loose(const char *value)
{
    return *value == '\0' || strchr(value, ',') != NULL;
}

static bool
is_same_text(const char *one, const char *other)
{
    for (; *one != '\0' && *other != '\0'; one++, other++)
        if ((*one == ' ' ? '+' : *one) != (*other == ' ' ? '+' : *other))
            return false;
    return *one == *other;
}

static bool
means_the_same(const char *one, const char *other)
{
    int64_t one_us, other_us;

    return is_same_text(one, other) || strcasecmp(one, other) == 0 ||
           (gr_time_parse(one, strlen(one), &one_us) &&
            gr_time_parse(other, strlen(other), &other_us) && one_us == other_us);
}

/* True if `asked` has the parameter with that value, or does not have it at all. */
static bool
agrees(const char *asked, const char *name, const char *value)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf our_name = gr_buf_new(0);
    GR_CLEANUP(gr_buf_free) struct gr_buf our_value = gr_buf_new(0);
    const char *at = query_of(asked);
    bool is_there = false;

    while (next_param(&at, &our_name, &our_value)) {
        if (strcmp(gr_buf_text(&our_name), name) != 0)
            continue;
        is_there = true;
        if (strcmp(name, "cursor") == 0 ? is_same_text(gr_buf_text(&our_value), value)
                                        : means_the_same(gr_buf_text(&our_value), value))
            return true;
    }
    return !is_there && strcmp(name, "cursor") != 0;
}

bool
gr_gorgias_is_answer(const char *uri, const char *asked)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf name = gr_buf_new(0);
    GR_CLEANUP(gr_buf_free) struct gr_buf value = gr_buf_new(0);
    const char *at = query_of(uri);

    /* How many rows, and in which order, the server may have corrected; that shows in the rows. */
    while (next_param(&at, &name, &value))
        if (strcmp(gr_buf_text(&name), "limit") != 0 &&
            strcmp(gr_buf_text(&name), "order_by") != 0 && !is_loose(gr_buf_text(&value)) &&
            !agrees(asked, gr_buf_text(&name), gr_buf_text(&value)))
            return false;
    return true;
}

bool
gr_gorgias_is_merged(const struct gr_http_response *response, const char *base_url,
                     const struct gr_schema *schema)
{
    const char *to = response->location;
    const char *host = strstr(base_url, "://");
    const char *their_host = to != NULL ? strstr(to, "://") : NULL;
    size_t path_len = strlen(schema->path);

    if ((response->status != 301 && response->status != 308) || to == NULL)
        return false;
    if (their_host != NULL) {
        if (host == NULL || strncmp(their_host, host, strlen(host)) != 0)
            return false;
        to = their_host + strlen(host);
    }
    return strncmp(to, schema->path, path_len) == 0 && to[path_len] == '/' &&
           to[path_len + 1] >= '0' && to[path_len + 1] <= '9';
}

/* --- answers ------------------------------------------------------------------------------------
 */

/* The API's own words: {"error": {"msg": "...", "data": {...}}}, or "" for any other body. Without
   the period at their end, because more may be said behind them. */
static void
error_words(const struct gr_http_response *response, char *words, size_t size)
{
    struct json_object *body, *error, *part;
    size_t len = 0;

    words[0] = '\0';
    if (response->body.len == 0 || response->body.len > 65536)
        return;
    body = json_tokener_parse(gr_buf_text(&response->body));
    if (json_object_object_get_ex(body, "error", &error)) {
        if (json_object_object_get_ex(error, "msg", &part))
            (void)snprintf(words, size, ": %s", json_object_get_string(part));
        len = strlen(words);
        if (json_object_object_get_ex(error, "data", &part))
            (void)snprintf(words + len, size - len, " %s",
                           json_object_to_json_string_ext(part, JSON_C_TO_STRING_PLAIN));
        len = strlen(words);
        if (len > 0 && words[len - 1] == '.')
            words[len - 1] = '\0';
    }
    json_object_put(body);
}

static bool
client_error(const struct gr_http_response *response, const char *words, struct gr_error *err)
{
    const char *path = response->path;

    switch (response->status) {
    case 401:
        (void)gr_fail(err, GR_FAULT_AUTH, "the source refused the credentials (HTTP 401 from %s%s)",
                      path, words);
        return gr_hint(err,
                       "Check email and api_key (Settings > REST API in Gorgias); a key belongs "
                       "to the user with that e-mail address.");
    case 403:
        (void)gr_fail(err, GR_FAULT_FORBIDDEN, "HTTP 403 from %s%s", path, words);
        return gr_hint(err,
                       "The role of the API key's user may not read this endpoint; use the key "
                       "of an admin or lead agent, or disable the stream.");
    case 404:
    case 410:
        if (response->is_html) {
            (void)gr_fail(err, GR_FAULT_UNREACHABLE,
                          "no Gorgias account answers here (HTTP 404 page from %s)", path);
            return gr_hint(err, "Check the subdomain or base_url of the source connection.");
        }
        return gr_fail(err, GR_FAULT_MISSING, "HTTP %ld from %s%s", response->status, path, words);
    case 429:
        (void)gr_fail(err, GR_FAULT_THROTTLED, "HTTP 429 from %s%s", path, words);
        err->retry_after_ms = response->retry_after_ms;
        return gr_hint(err, "Another integration shares the account's budget; lower rate.share or "
                            "rate.requests of the source connection.");
    default:
        return gr_fail(err, GR_FAULT_REFUSED, "HTTP %ld from %s%s", response->status, path, words);
    }
}

static size_t
path_length(const char *url)
{
    size_t len = strcspn(url, "?#");

    return len > 0 && url[len - 1] == '/' ? len - 1 : len;
}

/* The place that the response redirects to, without the account's own host. */
static const char *
place_of(const struct gr_http_response *response, const char *base_url)
{
    size_t base = strlen(base_url);

    return strncmp(response->location, base_url, base) == 0 ? response->location + base
                                                            : response->location;
}

bool
gr_gorgias_slash_url(const struct gr_http_response *response, const char *base_url,
                     const char *asked, struct gr_buf *url)
{
    const char *to;
    size_t len, to_len;

    if (response->status < 300 || response->status > 399 || response->location == NULL)
        return false;
    to = place_of(response, base_url);
    len = strcspn(asked, "?");
    to_len = strcspn(to, "?#");
    if (path_length(to) != path_length(asked) || strncmp(to, asked, path_length(asked)) != 0 ||
        to_len == len)
        return false;
    gr_buf_put(url, to, to_len);
    gr_buf_puts(url, asked + len);
    return true;
}

bool
gr_gorgias_classify(const struct gr_http_response *response, struct gr_error *err)
{
    char words[300];

    if (response->error.fault != GR_OK) {
        *err = response->error;
        return false;
    }
    if (response->status >= 200 && response->status < 300)
        return true;
    error_words(response, words, sizeof(words));
    /* 408 and 425 are a server's or proxy's own trouble, and ask for another attempt. */
    if (response->status >= 500 || response->status == 408 || response->status == 425) {
        (void)gr_fail(err, GR_FAULT_REMOTE, "HTTP %ld from %s%s", response->status, response->path,
                      words);
        err->retry_after_ms = response->retry_after_ms;
        return gr_hint(err, "The source had a fault; the next run goes on where this one stopped.");
    }
    if (response->status >= 400)
        return client_error(response, words, err);
    (void)gr_fail(err, GR_FAULT_REDIRECT, "HTTP %ld from %s: redirected to %s", response->status,
                  response->path, response->location != NULL ? response->location : "nowhere");
    return gr_hint(err, "Credentials are sent to no other host; check base_url or the subdomain.");
}
