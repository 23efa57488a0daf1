/*
 * gr/cli/status_view.h - how a replication stands, for somebody who looks at it in the morning: a
 * table, what is wrong in words, and the budget; or JSON. Pure.
 */
#ifndef GR_CLI_STATUS_VIEW_H
#define GR_CLI_STATUS_VIEW_H

#include "gr/base/buf.h"
#include "gr/sink/overview.h"
#include "gr/spec/plan.h"

/* `width` of the table's lines, in columns; 0: as wide as they are. */
void gr_status_view_put(const struct gr_plan *plan, const struct gr_overview *overview,
                        size_t width, struct gr_buf *out);
void gr_status_view_put_json(const struct gr_plan *plan, const struct gr_overview *overview,
                             struct gr_buf *out);

/* What is wrong with a stream, in lines; the account of a hint begins with "  HINT: ". */
void gr_status_view_put_trouble(const struct gr_overview_stream *stream, struct gr_buf *out);

/* How many streams of the file somebody should look at. */
int64_t gr_status_view_wrong(const struct gr_overview *overview);

/* How long the stream's queue takes under the rate limit; -1: it has none. */
int64_t gr_status_view_drain_ms(const struct gr_plan *plan, const struct gr_overview *overview,
                                const struct gr_overview_stream *stream);

#endif
