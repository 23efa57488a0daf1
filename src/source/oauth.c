/* oauth.c - access tokens that are renewed before they expire. */
#include "gr/source/oauth.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gr/base/alloc.h"
#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/source/gorgias.h"
#include "gr/source/retry.h"

enum { RENEW_BEFORE_MS = 300000, LIFE_S = 24 * 3600, LIFE_MAX_S = 366 * 24 * 3600 };

void
gr_oauth_init(struct gr_oauth *oauth, const struct gr_source *source)
{
    *oauth = (struct gr_oauth){.source = source,
                               .has_token = source->access_token != NULL,
                               .expires_ms = INT64_MAX};
    if (source->refresh_token != NULL && source->client_id != NULL)
        oauth->refresh_token = gr_strdup(source->refresh_token);
}

void
gr_oauth_free(struct gr_oauth *oauth)
{
    gr_free(oauth->refresh_token);
    *oauth = (struct gr_oauth){0};
}

bool
gr_oauth_can_renew(const struct gr_oauth *oauth)
{
    return oauth->refresh_token != NULL;
}

/* A token that lives but a short while is used for at least half of its life. */
bool
gr_oauth_is_due(const struct gr_oauth *oauth, int64_t now_ms)
{
    return gr_oauth_can_renew(oauth) && (!oauth->has_token || now_ms >= oauth->expires_ms);
}

static bool
write_all(const char *path, const char *text)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t len = strlen(text);
    bool ok;

    if (file < 0)
        return false;
    ok = fchmod(file, 0600) == 0 && write(file, text, len) == (ssize_t)len && fsync(file) == 0;
    return close(file) == 0 && ok;
}

/* The file has either the old token or the new one, whatever happens. */
static bool
keep_rotated(const struct gr_oauth *oauth, struct gr_error *err)
{
    const char *path = oauth->source->refresh_token_file;
    GR_CLEANUP(gr_buf_free) struct gr_buf draft = gr_buf_new(0);

    if (path == NULL) {
        gr_log(GR_LOG_WARN, NULL,
               "the refresh token has rotated, and there is no refresh_token_file to keep it in",
               NULL);
        return true;
    }
    gr_buf_printf(&draft, "%s.new", path);
    if (write_all(gr_buf_text(&draft), oauth->refresh_token) &&
        rename(gr_buf_text(&draft), path) == 0)
        return true;
    (void)gr_fail(err, GR_FAULT_SPEC, "%s: the rotated refresh token cannot be written: %s", path,
                  strerror(errno));
    return gr_hint(err, "Make the file and its folder writable for the user that runs this, and "
                        "authorize the app again: the old token may no longer work.");
}

static void
put_field(struct gr_buf *form, const char *name, const char *value)
{
    gr_buf_printf(form, "%s%s=", form->len > 0 ? "&" : "", name);
    gr_http_encode(form, value);
}

static struct gr_http_response *
ask(const struct gr_oauth *oauth, struct gr_http *http)
{
    const struct gr_source *source = oauth->source;
    GR_CLEANUP(gr_buf_free) struct gr_buf form = gr_buf_new(0);

    put_field(&form, "grant_type", "refresh_token");
    put_field(&form, "refresh_token", oauth->refresh_token);
    if (oauth->is_form) {
        put_field(&form, "client_id", source->client_id);
        put_field(&form, "client_secret", source->client_secret);
    }
    return gr_http_post(http, "/oauth/token", gr_buf_text(&form),
                        oauth->is_form ? NULL : source->client_id,
                        oauth->is_form ? NULL : source->client_secret);
}

/* Gives; NULL where there is no such text. */
static char *
member(struct json_object *object, const char *name)
{
    struct json_object *value;

    if (!json_object_object_get_ex(object, name, &value) ||
        !json_object_is_type(value, json_type_string))
        return NULL;
    return gr_strdup(json_object_get_string(value));
}

static int64_t
life_ms(struct json_object *object)
{
    struct json_object *value;
    int64_t seconds = LIFE_S;

    if (json_object_object_get_ex(object, "expires_in", &value))
        seconds = json_object_get_int64(value);
    return (seconds > 0 && seconds <= LIFE_MAX_S ? seconds : LIFE_S) * 1000;
}

static bool
take_tokens(struct gr_oauth *oauth, struct gr_http *http, struct json_object *body, int64_t now_ms,
            struct gr_error *err)
{
    GR_CLEANUP(gr_free_var) char *access = member(body, "access_token");
    char *refresh = member(body, "refresh_token");
    int64_t life = life_ms(body);
    bool has_rotated = refresh != NULL && strcmp(refresh, oauth->refresh_token) != 0;

    gr_log_secret(access);
    gr_log_secret(refresh);
    if (has_rotated) {
        gr_free(oauth->refresh_token);
        oauth->refresh_token = refresh;
    } else {
        gr_free(refresh);
    }
    if (access == NULL)
        return gr_fail(err, GR_FAULT_PAYLOAD, "/oauth/token: the answer has no access_token");
    if (has_rotated && !keep_rotated(oauth, err))
        return false;
    gr_http_set_token(http, access);
    oauth->has_token = true;
    oauth->expires_ms = now_ms + (life > 2 * RENEW_BEFORE_MS ? life - RENEW_BEFORE_MS : life / 2);
    return true;
}

static bool
take_answer(struct gr_oauth *oauth, struct gr_http *http, const struct gr_http_response *response,
            int64_t now_ms, struct gr_error *err)
{
    struct json_object *body;
    bool ok;

    if (!gr_gorgias_classify(response, err)) {
        if (response->status == 400 || response->status == 401 || response->status == 403) {
            (void)gr_fail(err, GR_FAULT_AUTH,
                          "the source refused to renew the access token (HTTP %ld from /oauth/token)",
                          response->status);
            (void)gr_hint(err, "Check client_id, client_secret and the refresh token; authorize the "
                               "app again if the token was revoked.");
        }
        return false;
    }
    body = json_tokener_parse(gr_buf_text(&response->body));
    ok = take_tokens(oauth, http, body, now_ms, err);
    json_object_put(body);
    return ok;
}

/* One request; a second one where the credentials turn out to belong into the form. */
static bool
attempt(struct gr_oauth *oauth, struct gr_http *http, int64_t now_ms, struct gr_retry_state *state,
        struct gr_error *err)
{
    struct gr_http_response *response = ask(oauth, http);
    bool ok = take_answer(oauth, http, response, now_ms, err);

    state->was_reached = state->was_reached || response->status != 0;
    state->lost_ms += response->elapsed_ms;
    gr_http_response_free(response);
    if (ok || err->fault != GR_FAULT_AUTH || oauth->is_form) {
        state->attempts++;
        return ok;
    }
    oauth->is_form = true;
    return attempt(oauth, http, now_ms, state, err);
}

/* False: there is no further attempt. */
static bool
wait_to_retry(struct gr_http *http, struct gr_retry_state *state, double random,
              struct gr_error *refusal)
{
    int64_t pause = gr_retry_pause_ms(refusal, state, random);
    char pause_text[GR_TIME_TEXT];

    if (pause < 0)
        return false;
    gr_duration_format(pause, pause_text);
    gr_log(GR_LOG_WARN, NULL, "will try again", "because", refusal->message, "after", pause_text,
           NULL);
    state->lost_ms += pause;
    return gr_http_pause(http, pause) || gr_fail(refusal, GR_FAULT_CANCELLED, "stopped");
}

bool
gr_oauth_renew(struct gr_oauth *oauth, struct gr_http *http, int64_t now_ms, double random,
               struct gr_error *err)
{
    struct gr_retry_state state = {.allowed_ms = oauth->source->retry_timeout_ms};
    struct gr_error refusal;

    do {
        if (attempt(oauth, http, now_ms, &state, &refusal)) {
            gr_log(GR_LOG_DEBUG, NULL, "the access token was renewed", NULL);
            return true;
        }
    } while (wait_to_retry(http, &state, random, &refusal));
    if (refusal.fault != GR_FAULT_AUTH && refusal.fault != GR_FAULT_SPEC &&
        refusal.fault != GR_FAULT_CANCELLED) {
        gr_retry_give_up(&refusal, &state);
        (void)gr_fail_in(&refusal, "no access token");
        refusal.fault = GR_FAULT_UNREACHABLE;
    }
    *err = refusal;
    return false;
}
