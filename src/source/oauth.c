/* oauth.c - access tokens that are renewed before they expire. */
#include "gr/source/oauth.h"

#include <json-c/json.h>
#include <string.h>

#include "gr/base/alloc.h"
#include "gr/base/log.h"
#include "gr/base/time.h"
#include "gr/source/gorgias.h"
#include "gr/source/retry.h"
#include "gr/source/tokenfile.h"

enum {
    RENEW_BEFORE_MS = 300000,
    LIFE_S = 24 * 3600,
    LIFE_MAX_S = 366 * 24 * 3600,
    LOCK_POLL_MS = 100
};

void
gr_oauth_init(struct gr_oauth *oauth, const struct gr_source *source)
{
    *oauth = (struct gr_oauth){
        .source = source, .has_token = source->access_token != NULL, .expires_ms = INT64_MAX};
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

/* Takes the place of the refresh token, if it is another one; takes `token`, which may be NULL. */
static bool
adopt(struct gr_oauth *oauth, char *token)
{
    bool is_other = token != NULL && strcmp(token, oauth->refresh_token) != 0;

    gr_log_secret(token);
    if (is_other) {
        gr_free(oauth->refresh_token);
        oauth->refresh_token = token;
    } else {
        gr_free(token);
    }
    return is_other;
}

/* Another run that shares the file may have renewed since. */
static bool
adopt_newer(struct gr_oauth *oauth)
{
    const char *path = oauth->source->refresh_token_file;

    return path != NULL && adopt(oauth, gr_token_file_read(path));
}

static bool
write_file(const struct gr_oauth *oauth, const char *hint, struct gr_error *err)
{
    return gr_token_file_write(oauth->source->refresh_token_file, oauth->refresh_token, err) ||
           gr_hint(err, "%s", hint);
}

/* Before the only key is used up, it is made sure that the next one can be kept: by writing this
   one as that will be written. */
static bool
rehearse(const struct gr_oauth *oauth, struct gr_error *err)
{
    return oauth->source->refresh_token_file == NULL ||
           write_file(oauth,
                      "Make the file and its folder writable for the user that runs this: a token "
                      "that rotates "
                      "has to be kept. Nothing was asked of the source, and the token is as good "
                      "as before.",
                      err);
}

static bool
keep_rotated(const struct gr_oauth *oauth, struct gr_error *err)
{
    if (oauth->source->refresh_token_file == NULL) {
        gr_log(
            GR_LOG_WARN, NULL,
            "the refresh token has rotated, and the one that the connection states works no more",
            "hint",
            "The next run will be refused: authorize the app again, and name a refresh_token_file "
            "instead of "
            "refresh_token, in which rotated tokens are kept.",
            NULL);
        return true;
    }
    return write_file(
        oauth,
        "Make the file and its folder writable for the user that runs this, and authorize the app "
        "again: the old token may no longer work.",
        err);
}

/* Waits while another run renews, which asks once and is done. */
static bool
lock_file(const struct gr_oauth *oauth, struct gr_http *http, int *lock, struct gr_error *err)
{
    const struct gr_source *source = oauth->source;
    int64_t waited_ms = 0;

    while (source->refresh_token_file != NULL &&
           !gr_token_file_lock(source->refresh_token_file, lock)) {
        if (waited_ms >= source->retry_timeout_ms) {
            (void)gr_fail(err, GR_FAULT_UNREACHABLE,
                          "%s: another run has been renewing the access token for too long",
                          source->refresh_token_file);
            return gr_hint(err,
                           "Look for a run that is frozen, and end it: that lets go of the file.");
        }
        if (!gr_http_pause(http, LOCK_POLL_MS))
            return gr_fail(err, GR_FAULT_CANCELLED, "stopped");
        waited_ms += LOCK_POLL_MS;
    }
    return true;
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
    int64_t life = life_ms(body);

    gr_log_secret(access);
    if (adopt(oauth, member(body, "refresh_token")) && !keep_rotated(oauth, err))
        return false;
    if (access == NULL)
        return gr_fail(err, GR_FAULT_PAYLOAD, "/oauth/token: the answer has no access_token");
    gr_http_set_token(http, access);
    oauth->has_token = true;
    oauth->expires_ms =
        now_ms + (life > INT64_C(2) * RENEW_BEFORE_MS ? life - RENEW_BEFORE_MS : life / 2);
    return true;
}

/* Words of RFC 6749, 5.2, by which the endpoint says what is wrong. */
static const struct refusal {
    const char *word;
    const char *hint;
    bool is_of_grant; /* the client was accepted */
} refusals[] = {
    {"invalid_grant",
     "The refresh token was used before, was revoked, or is another app's: authorize the app "
     "again, and put the "
     "new token where the connection has the old one.",
     true},
    {"invalid_client", "Check client_id and client_secret.", false},
    {"",
     "Check client_id, client_secret and the refresh token; authorize the app again if the token "
     "was revoked.",
     false},
};

static const struct refusal *
find_refusal(struct json_object *body)
{
    GR_CLEANUP(gr_free_var) char *word = member(body, "error");
    const struct refusal *refusal = refusals;

    while (refusal->word[0] != '\0' && (word == NULL || strcmp(word, refusal->word) != 0))
        refusal++;
    return refusal;
}

static bool
refuse(const struct refusal *refusal, long status, struct gr_error *err)
{
    (void)gr_fail(err, GR_FAULT_AUTH,
                  "the source refused to renew the access token%s%s (HTTP %ld from /oauth/token)",
                  refusal->word[0] == '\0' ? "" : ": ", refusal->word, status);
    return gr_hint(err, "%s", refusal->hint);
}

/* False with `*is_client_out`: where the client's credentials stood may be what was wrong. */
static bool
take_answer(struct gr_oauth *oauth, struct gr_http *http, const struct gr_http_response *response,
            int64_t now_ms, bool *is_client_out, struct gr_error *err)
{
    struct json_object *body = json_tokener_parse(gr_buf_text(&response->body));
    const struct refusal *refusal = find_refusal(body);
    bool ok = gr_gorgias_classify(response, err);

    if (ok)
        ok = take_tokens(oauth, http, body, now_ms, err);
    else if (response->status == 400 || response->status == 401 || response->status == 403)
        (void)refuse(refusal, response->status, err);
    *is_client_out = !ok && err->fault == GR_FAULT_AUTH && !refusal->is_of_grant;
    json_object_put(body);
    return ok;
}

/* One request; a second one where the credentials turn out to belong into the form. */
static bool
request(struct gr_oauth *oauth, struct gr_http *http, int64_t now_ms, struct gr_retry_state *state,
        struct gr_error *err)
{
    struct gr_http_response *response = ask(oauth, http);
    bool is_client;
    bool ok = take_answer(oauth, http, response, now_ms, &is_client, err);

    state->was_reached = state->was_reached || response->status != 0;
    state->lost_ms += response->elapsed_ms;
    gr_http_response_free(response);
    if (!is_client || oauth->is_form) {
        state->attempts++;
        return ok;
    }
    oauth->is_form = true;
    return request(oauth, http, now_ms, state, err);
}

/* Where locks do not reach, another run may have used the token up, and left the next one. */
static bool
attempt(struct gr_oauth *oauth, struct gr_http *http, int64_t now_ms, struct gr_retry_state *state,
        struct gr_error *err)
{
    GR_CLEANUP(gr_token_file_unlock) int lock = GR_TOKEN_FILE_UNLOCKED;

    if (!lock_file(oauth, http, &lock, err))
        return false;
    (void)adopt_newer(oauth);
    if (!rehearse(oauth, err))
        return false;
    return request(oauth, http, now_ms, state, err) ||
           (err->fault == GR_FAULT_AUTH && adopt_newer(oauth) &&
            request(oauth, http, now_ms, state, err));
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
