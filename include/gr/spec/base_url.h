/*
 * gr/spec/base_url.h - the scheme, host and port that requests go to.
 *
 * https to anywhere, plain http only to this machine: 127.0.0.0/8, ::1, localhost. No user, path or
 * query.
 *
 * Errors  none; the parser returns the static text of what is wrong
 */
#ifndef GR_SPEC_BASE_URL_H
#define GR_SPEC_BASE_URL_H

#include "gr/base/alloc.h"

/* NULL and the URL without slashes at its end in *out, or what is wrong. */
const char *gr_base_url_parse(const char *text, struct gr_arena *arena, const char **out);

#endif
