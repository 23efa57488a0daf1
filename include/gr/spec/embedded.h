/*
 * gr/spec/embedded.h - files that are part of the binary.
 *
 * Owns    everything is static
 */
#ifndef GR_SPEC_EMBEDDED_H
#define GR_SPEC_EMBEDDED_H

#include <stddef.h>

struct gr_embedded {
    const char *name; /* file name without its folder; NULL ends a table */
    const char *text; /* zero-terminated                                 */
    size_t len;
};

/* The files of schemas/, sorted by name. */
extern const struct gr_embedded gr_schema_texts[];

/* The style sheet of the report; linked into the layer cli. */
extern const struct gr_embedded gr_report_style[];

#endif
