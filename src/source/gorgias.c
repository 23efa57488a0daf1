/* gorgias.c - what the API's URLs and answers look like. */
#include "gr/source/gorgias.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

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

/* The API's own words: {"error": {"msg": "...", "data": {...}}}, or "" for any other body. */
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
        return gr_hint(err, "Check email and api_key (Settings > REST API in Gorgias); a key belongs "
                            "to the user with that e-mail address.");
    case 403:
        (void)gr_fail(err, GR_FAULT_FORBIDDEN, "HTTP 403 from %s%s", path, words);
        return gr_hint(err, "The role of the API key's user may not read this endpoint; use the key "
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
gr_gorgias_is_merged(const struct gr_http_response *response, const char *base_url,
                     const struct gr_schema *schema)
{
    size_t len = strlen(schema->path);
    const char *to;

    if (response->status != 301 || response->location == NULL)
        return false;
    to = place_of(response, base_url);
    if (strncmp(to, schema->path, len) != 0 || to[len] != '/')
        return false;
    to += len + 1;
    len = strspn(to, "0123456789");
    return len > 0 && (to[len] == '\0' || strcmp(to + len, "/") == 0);
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
    if (response->status >= 500) {
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
