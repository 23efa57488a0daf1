/*
 * gr/source/oauth.h - access tokens that are renewed before they expire.
 *
 * A rotated refresh token replaces the one in refresh_token_file (gr/source/tokenfile.h) before the
 * new access token is used. That it can is made sure before the old one is used up. Runs that share
 * the file renew one after the other, each with the token that the one before has left. What no
 * order of steps can help: a run that is killed, or cut off, after the source has rotated the token
 * and before its answer is here and written takes the only valid token with it.
 *
 * Where the token endpoint wants the client's credentials is not documented: HTTP Basic is tried
 * first, the form if that is refused.
 *
 * Shape   gr_oauth_init; whenever gr_oauth_is_due: gr_oauth_renew; gr_oauth_free
 * Units   milliseconds of a monotonic clock
 * Errors  GR_FAULT_AUTH refused; GR_FAULT_SPEC the file cannot be written; GR_FAULT_CANCELLED it
 * was stopped (gr_http_on_stop); GR_FAULT_UNREACHABLE for everything else, for without a token
 *         nothing can be asked
 * Owns    its tokens; borrows the source
 * Source  docs/api.md section 1; RFC 6749, 6
 */
#ifndef GR_SOURCE_OAUTH_H
#define GR_SOURCE_OAUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "gr/base/error.h"
#include "gr/source/http.h"
#include "gr/spec/connection.h"

struct gr_oauth {
    const struct gr_source *source;
    char *refresh_token; /* owned; NULL: tokens cannot be renewed               */
    bool has_token;      /* the http connection has an access token             */
    int64_t expires_ms;  /* INT64_MAX: unknown                                  */
    bool is_form;        /* the credentials belong into the form                */
};

void gr_oauth_init(struct gr_oauth *oauth, const struct gr_source *source);
void gr_oauth_free(struct gr_oauth *oauth);

/* True if a token has to be fetched before the next request. */
bool gr_oauth_is_due(const struct gr_oauth *oauth, int64_t now_ms);

/* True if a refused token could be renewed. */
bool gr_oauth_can_renew(const struct gr_oauth *oauth);

/* Fetches an access token and gives it to `http`; tries again as other requests do
   (gr/source/retry.h). Blocks. `random` is a number in [0, 1): the jitter of its pauses. */
bool gr_oauth_renew(struct gr_oauth *oauth, struct gr_http *http, int64_t now_ms, double random,
                    struct gr_error *err);

#endif
