/*
 * gr/engine/preview.h - rows of a stream as they would be stored, asked of the source and put
 * nowhere: no warehouse is needed.
 *
 * The stream is walked as a first run would walk it, so newest rows come first where it does so.
 * Where its rows come with those of another stream, that one's list is walked: each row is asked
 * for by its id, or made.
 *
 * Errors  as gr/engine/asking.h; GR_FAULT_PAYLOAD for a page that is none
 */
#ifndef GR_ENGINE_PREVIEW_H
#define GR_ENGINE_PREVIEW_H

#include <stdbool.h>

#include "gr/base/buf.h"
#include "gr/base/error.h"
#include "gr/engine/asking.h"
#include "gr/engine/page.h"
#include "gr/spec/plan.h"
#include "gr/walk/walk.h"

/* Asks for a page of the stream and takes it, with its clocks. */
bool gr_preview_page(struct gr_asking *asking, const struct gr_plan_stream *stream,
                     const struct gr_walk_ask *ask, const struct gr_page_sink *sink,
                     struct gr_page *page, struct gr_error *err);

/* Gets the rows of a page, one JSON object a line, as soon as they have come. */
typedef bool gr_preview_take(void *context, const struct gr_buf *lines, struct gr_error *err);

/* At most stream->limit_rows rows, which is not 0. */
bool gr_preview(const struct gr_plan *plan, const struct gr_plan_stream *stream,
                gr_preview_take *take, void *context, struct gr_error *err);

#endif
