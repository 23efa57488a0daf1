/*
 * gr/spec/from_sling.h - docs/from-sling.md, the page for those who switch.
 *
 * It is printed from the tables that the replication file is read by, so no key can be missing in
 * it; what differs from Sling, and what Sling has not, is marked beside. gr_from_sling_stray is for
 * the test that no mark outlives its key.
 *
 * Pure.
 */
#ifndef GR_SPEC_FROM_SLING_H
#define GR_SPEC_FROM_SLING_H

#include "gr/base/buf.h"

/* Prints the page. */
void gr_from_sling_reference(struct gr_buf *out);

/* The key of a mark that no table has any more, or NULL. */
const char *gr_from_sling_stray(void);

#endif
