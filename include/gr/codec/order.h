/*
 * gr/codec/order.h - a JSON value with the members of its objects in the order that jsonb has them
 * in: by the length of their names, then by their bytes. PostgreSQL sorts them when it reads a
 * value, and has little to do where they are in order.
 *
 * Owns    nothing
 * Source  PostgreSQL 15, src/backend/utils/adt/jsonb_util.c (lengthCompareJsonbPair)
 */
#ifndef GR_CODEC_ORDER_H
#define GR_CODEC_ORDER_H

#include "gr/codec/json.h"

/*
 * Copies a value that is on tape to `out`, which has room for as many bytes as it has; returns
 * behind the last. Members of the same name keep their order, because the last one counts. An
 * object stays as it came where sorting it is not cheap: it has many members, or a name with an
 * escape.
 */
char *gr_order_copy(char *out, const struct gr_json_value *value);

#endif
