/*
 * gr/cli/starter.h - the text of a first replication file. Pure.
 *
 * It names connections and holds no secret.
 */
#ifndef GR_CLI_STARTER_H
#define GR_CLI_STARTER_H

#include <stdbool.h>

#include "gr/base/buf.h"
#include "gr/spec/schema.h"

struct gr_starter {
    const char *file;
    const char *source, *source_place; /* the connection, and where it is set             */
    const char *target, *target_place;
    const char *base_url; /* what they lead to, "" where that is not known    */
    const char *warehouse;
    const struct gr_schemas *schemas;
    const bool *is_refused; /* streams that the account may not read, or NULL   */
};

void gr_starter_put(const struct gr_starter *starter, struct gr_buf *out);

#endif
