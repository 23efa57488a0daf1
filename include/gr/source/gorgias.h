/*
 * gr/source/gorgias.h - what the API's URLs and answers look like. Pure.
 *
 * Errors  GR_FAULT_AUTH 401; GR_FAULT_FORBIDDEN 403; GR_FAULT_MISSING 404 and 410;
 *         GR_FAULT_THROTTLED 429; GR_FAULT_REFUSED other 4xx; GR_FAULT_REMOTE 5xx, 408 and 425;
 *         GR_FAULT_REDIRECT 3xx; GR_FAULT_UNREACHABLE for the HTML 404 of an unknown subdomain
 * Source  docs/api.md sections 1 to 4
 */
#ifndef GR_SOURCE_GORGIAS_H
#define GR_SOURCE_GORGIAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gr/base/buf.h"
#include "gr/base/error.h"
#include "gr/source/http.h"
#include "gr/spec/schema.h"

/* What a list request asks for; unset members are left out of the URL. */
struct gr_list_ask {
    const char *order; /* order_by                                                  */
    const char *cursor;
    int64_t since_us; /* schema->since, GR_TIME_NONE: none                         */
    int64_t limit;
    const struct gr_pass *pass; /* further parameters                                        */
    const char *param;          /* repeated for each of `ids`                                */
    const int64_t *ids;
    size_t id_count;
};

/* Appends /api/tickets?limit=100&order_by=... */
void gr_gorgias_list_url(struct gr_buf *url, const struct gr_schema *schema,
                         const struct gr_list_ask *ask);

/* Appends /api/tickets/17 */
void gr_gorgias_object_url(struct gr_buf *url, const struct gr_schema *schema, int64_t id);

/*
 * True if the response redirects to the same path with or without a slash at its end, on the same
 * host: then `url` is what to ask for instead of `asked`, the path and query that were asked for.
 * Whether the API does so is unknown; any other redirect leads elsewhere and is not followed.
 */
bool gr_gorgias_slash_url(const struct gr_http_response *response, const char *base_url,
                          const char *asked, struct gr_buf *url);

/*
 * True if the response says that the object lives on under another id of the same endpoint, as a
 * merged customer does. Every other redirect tells nothing of the object.
 */
bool gr_gorgias_is_merged(const struct gr_http_response *response, const char *base_url,
                          const struct gr_schema *schema);

/*
 * False if a list's `uri` names another value of a parameter than the request `asked`, or a cursor
 * where none was sent: an answer out of some cache that belongs to another request. What the uri
 * does not name tells nothing.
 */
bool gr_gorgias_is_answer(const char *uri, const char *asked);

/* A parameter of a path and query: its first value appended, decoded. False: there is none. */
bool gr_gorgias_param(const char *url, const char *name, struct gr_buf *value);

/* True if the response is a 2xx that can be read; otherwise fills *err with the fault. */
bool gr_gorgias_classify(const struct gr_http_response *response, struct gr_error *err);

#endif
