/* type.c - the table of column types. */
#include "gr/spec/type.h"

#include <string.h>
#include <strings.h>

/* clang-format off */
static const struct gr_type_facts types[GR_TYPE_COUNT] = {
    [GR_TYPE_BIGINT]      = {"bigint",      "bigint",           "bigint", "bigint",
                             "int integer smallint int8 int4 int2 long"},
    [GR_TYPE_DOUBLE]      = {"double",      "double precision", "double precision",
                             "double precision",
                             "float float8 float4 real decimal numeric number"},
    [GR_TYPE_BOOLEAN]     = {"boolean",     "boolean",          "boolean", "boolean",
                             "bool"},
    [GR_TYPE_TEXT]        = {"text",        "text",             "text", "text",
                             "string varchar char character uuid time timez binary"},
    [GR_TYPE_TIMESTAMPTZ] = {"timestamptz", "timestamptz",      "timestamptz",
                             "timestamp with time zone",
                             "timestampz timestamp datetime date"},
    [GR_TYPE_JSONB]       = {"jsonb",       "jsonb",            "text", "jsonb",
                             "json object array variant"},
};
/* clang-format on */

const struct gr_type_facts *
gr_type_facts(enum gr_type type)
{
    return &types[type];
}

/* True if `word` is one of the words of a list with spaces between them. */
static bool
is_among(const char *word, const char *list)
{
    size_t len = strlen(word);

    while (*list != '\0') {
        size_t n = strcspn(list, " ");

        if (n == len && strncasecmp(list, word, n) == 0)
            return true;
        list += n + strspn(list + n, " ");
    }
    return false;
}

bool
gr_type_parse(const char *word, enum gr_type *type_out)
{
    for (unsigned i = 0; i < GR_TYPE_COUNT; i++)
        if (strcasecmp(word, types[i].name) == 0 || is_among(word, types[i].aliases)) {
            *type_out = (enum gr_type)i;
            return true;
        }
    return false;
}
