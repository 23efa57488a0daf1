/* layers: spec */
/* fuzz_schema.c - any bytes as a schema file: what is taken keeps the promises of gr/spec/schema.h.
 */
#include "fuzz.h"
#include "gr/spec/names.h"
#include "gr/spec/schema.h"

static void
require_column(const struct gr_schema *schema, size_t i)
{
    const struct gr_column *column = &schema->columns[i];

    require(gr_name_is_plain(column->name) && !gr_name_is_reserved(column->name));
    require(column->field != NULL && column->type < GR_TYPE_COUNT);
    require(column->is_key == (i < schema->key_count));
    require(gr_schema_column(schema, column->name) == (int)i);
}

static void
require_schema(const struct gr_schema *schema)
{
    require(schema->stream != NULL && gr_name_is_plain(schema->stream));
    require(schema->path != NULL && schema->path[0] == '/');
    require_text(schema->path, strlen(schema->path));
    require(schema->key_count >= 1 && schema->key_count <= schema->column_count);
    require(schema->pass_count >= 1);
    require(schema->page_limit >= 0 && schema->lookback_ms >= 0);
    for (size_t i = 0; i < schema->column_count; i++)
        require_column(schema, i);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gr_arena *arena = gr_arena_new();
    struct gr_schema schema = {0};
    struct gr_error err;

    if (gr_schema_parse("tags.yaml", (const char *)data, size, arena, &schema, &err)) {
        require_schema(&schema);
    } else {
        require_error(&err, GR_FAULT_SPEC);
        require(strncmp(err.message, "tags.yaml:", 10) == 0);
    }
    gr_arena_free(arena);
    return 0;
}
