/*
 * gr/cli/discover.h - the endpoints that there are, as a table, JSON or YAML. Pure.
 *
 * Errors  GR_FAULT_USAGE where the globs match nothing
 */
#ifndef GR_CLI_DISCOVER_H
#define GR_CLI_DISCOVER_H

#include <stdbool.h>
#include <stddef.h>

#include "gr/base/buf.h"
#include "gr/base/error.h"
#include "gr/spec/schema.h"

struct gr_discover {
    const char *streams; /* globs, comma-separated; NULL: all */
    const char *format;  /* table, json, yaml                 */
    bool with_columns;
    size_t width; /* of a table, in columns; 0: any    */
};

bool gr_discover_put(const struct gr_schemas *schemas, const struct gr_discover *ask,
                     struct gr_buf *out, struct gr_error *err);

#endif
