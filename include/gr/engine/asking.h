/*
 * gr/engine/asking.h - one request after the other, each waited for: for commands, outside the
 * loop.
 *
 * Within the account's budget; a 429 is waited for once. Nothing else is tried again: whoever asks
 * is there to see it.
 *
 * Shape   gr_asking_open, gr_asking_get*, gr_asking_close
 * Errors  as gr/source/gorgias.h; GR_FAULT_UNREACHABLE until the source has answered something
 * Owns    the struct owns its connection; borrows the source
 */
#ifndef GR_ENGINE_ASKING_H
#define GR_ENGINE_ASKING_H

#include <stdbool.h>

#include "gr/base/error.h"
#include "gr/source/http.h"
#include "gr/source/ratelimit.h"
#include "gr/spec/connection.h"

struct gr_asking {
    const struct gr_source *source;
    struct gr_http *http;
    struct gr_ratelimit budget;
    bool is_reached; /* the source has answered something         */
    bool is_over;    /* every further request would end the same  */
};

/* True if an access token would have to be fetched first, which may rotate the refresh token. */
bool gr_asking_needs_token(const struct gr_source *source);

/* Connects; fetches an access token where one is needed. *asking is to be closed also on false. */
bool gr_asking_open(struct gr_asking *asking, const struct gr_source *source, struct gr_error *err);
void gr_asking_close(struct gr_asking *asking);

/* GET; gives a response with a 2xx. */
bool gr_asking_get(struct gr_asking *asking, const char *url, struct gr_http_response **out,
                   struct gr_error *err);

#endif
