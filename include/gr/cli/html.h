/*
 * gr/cli/html.h - text as HTML. Pure.
 *
 * Whatever comes from elsewhere goes through gr_html_put: it can neither end an attribute or an
 * element nor begin one, and the secrets are out of it.
 */
#ifndef GR_CLI_HTML_H
#define GR_CLI_HTML_H

#include "gr/base/buf.h"

/* Appends `text` (NULL: nothing) for the content of an element or a quoted attribute: redacted,
   valid UTF-8, without control characters. */
void gr_html_put(struct gr_buf *out, const char *text);

/* before, the text, behind: the first and the last as they are. */
void gr_html_put_in(struct gr_buf *out, const char *before, const char *text, const char *behind);

#endif
