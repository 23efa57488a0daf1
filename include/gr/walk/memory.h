/*
 * gr/walk/memory.h - what a walk remembers between runs, as JSON beside its bookmark.
 *
 *   {"span": {"hi": "2026-...Z", "lo": "2026-...Z", "clock": "2026-...Z", "cursor": "..."}}
 *   {"scan": {"fallback": false, "pass": 0, "clock": "2026-...Z", "rows": 4200, "pages": 42,
 *             "cursor": "..."}}
 *
 * Errors  none: what cannot be read is as if it were not there, and costs requests, never rows
 * Owns    gr_walk_state_json (gr/walk/walk.h) gives its text
 */
#ifndef GR_WALK_MEMORY_H
#define GR_WALK_MEMORY_H

#include "gr/walk/walk.h"

/* Sets walk->span and walk->scan from the JSON; `json` may be NULL. */
void gr_walk_recall(struct gr_walk *walk, const char *json);

#endif
