/*
 * gr/spec/casing.h - `column_casing`: how a column's name is written in the table.
 *
 * Pure.
 *
 * Source  sling-cli, core/dbio/iop/datatype.go: ColumnCasing.Apply for a target that folds to lower
 *         case
 */
#ifndef GR_SPEC_CASING_H
#define GR_SPEC_CASING_H

#include "gr/base/alloc.h"

enum gr_casing {
    GR_CASING_NORMALIZE, /* lower case, but for a name in mixed case, which stays */
    GR_CASING_SOURCE,    /* as the API has it                                     */
    GR_CASING_TARGET,    /* as PostgreSQL has it: lower case                      */
    GR_CASING_SNAKE,     /* updatedDatetime, updated_datetime: updated_datetime   */
    GR_CASING_UPPER,
    GR_CASING_LOWER,
    GR_CASING_CAMEL /* updated_datetime, customer__id: updatedDatetime, customerId */
};

/* The words of `column_casing`, in the order of enum gr_casing, ended by NULL. */
extern const char *const gr_casing_words[];

/* The name as it is to be written. */
const char *gr_casing_apply(enum gr_casing casing, const char *name, struct gr_arena *arena);

#endif
