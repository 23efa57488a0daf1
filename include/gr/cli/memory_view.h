/*
 * gr/cli/memory_view.h - what an unfinished walk remembers, in words. Pure.
 */
#ifndef GR_CLI_MEMORY_VIEW_H
#define GR_CLI_MEMORY_VIEW_H

#include "gr/base/buf.h"

/* Appends what the JSON of gr/walk/memory.h says, or nothing; `json` may be NULL. */
void gr_memory_view_put(const char *json, struct gr_buf *out);

#endif
