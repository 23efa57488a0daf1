/*
 * gr/engine/check.h - tries what a run would need: credentials, every endpoint of the plan, the
 * warehouse, its privileges. Writes nothing.
 *
 * Errors  none of its own: each finding is a line; the result is the exit code of the worst
 */
#ifndef GR_ENGINE_CHECK_H
#define GR_ENGINE_CHECK_H

#include <stdbool.h>

#include "gr/base/error.h"
#include "gr/spec/plan.h"

/* `err` is NULL when the subject is in order; `detail` is what was found, may be "". */
typedef void gr_check_line(void *context, const char *subject, const char *detail,
                           const struct gr_error *err);

int gr_check(const struct gr_plan *plan, gr_check_line *line, void *context);

#endif
