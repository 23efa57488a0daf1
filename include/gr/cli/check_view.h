/*
 * gr/cli/check_view.h - what was found by trying, printed line by line as it comes, or gathered as
 * JSON.
 *
 * Owns    findings are taken by the document that they are put into
 */
#ifndef GR_CLI_CHECK_VIEW_H
#define GR_CLI_CHECK_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "gr/base/buf.h"
#include "gr/base/error.h"
#include "gr/cli/doc.h"

struct gr_check_view {
    bool has_colour;
    bool is_unwritable;           /* stdout takes nothing: said once    */
    struct json_object *findings; /* NULL: lines are printed as they come */
    int64_t count;
    int64_t failed;
};

/* For gr_check; the context is a struct gr_check_view. */
void gr_check_view_take(void *context, const char *subject, const char *detail,
                        const struct gr_error *err);

/* Writes more to where the lines go. */
void gr_check_view_write(struct gr_check_view *view, const struct gr_buf *text);

#endif
