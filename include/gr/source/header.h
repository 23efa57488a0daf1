/*
 * gr/source/header.h - the few response headers that matter, one line at a time. Pure.
 *
 *   Date                               the server's clock
 *   Retry-After                        seconds
 *   X-Gorgias-Account-Api-Call-Limit   used/limit
 *   Location, Content-Type
 *
 * Errors  none: what cannot be read is as if it were not there
 * Source  RFC 9110; docs/api.md section 2
 */
#ifndef GR_SOURCE_HEADER_H
#define GR_SOURCE_HEADER_H

#include <stddef.h>

#include "gr/source/http.h"

/* Takes the header line of `len` bytes, its line end included or not, into *response. */
void gr_header_take(const char *line, size_t len, struct gr_http_response *response);

#endif
