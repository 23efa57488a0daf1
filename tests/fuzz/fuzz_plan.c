/* layers: spec */
/* fuzz_plan.c - any bytes as a replication file, all the way to the plan: every name in it is one
   that PostgreSQL takes as it is, and no two streams have the same table. */
#include <unistd.h>

#include "fuzz.h"
#include "gr/base/log.h"
#include "gr/spec/names.h"
#include "gr/spec/plan.h"

#define NOW_US INT64_C(1795243824000000)

static void
set_up(void)
{
    static bool is_done;

    if (is_done)
        return;
    is_done = true;
    forget_environment();
    (void)setenv("GORGIAS", "{type: gorgias, subdomain: a, email: a@b, api_key: key-12345}", 1);
    (void)setenv("WAREHOUSE", "postgresql://u:secret-1@h/d?schema=s", 1);
}

/* The path of a file with that content. */
static const char *
file_with(const uint8_t *data, size_t size)
{
    static char path[64];
    static int file = -1;

    if (file < 0) {
        char name[] = "/tmp/gr-fuzz-XXXXXX";

        file = mkstemp(name);
        require(file >= 0 && unlink(name) == 0);
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    }
    require(ftruncate(file, 0) == 0 && pwrite(file, data, size, 0) == (ssize_t)size);
    return path;
}

static void
require_name(const char *name)
{
    size_t len = strlen(name);

    require(len >= 1 && len <= GR_NAME_BYTES);
    require_text(name, len);
}

static void
require_stream(const struct gr_plan_stream *stream)
{
    require_name(stream->table_schema);
    require_name(stream->table_name);
    require(stream->mode < GR_MODE_COUNT && stream->schema != NULL && stream->note != NULL);
    require(stream->key_count >= 1 && stream->key_count <= stream->column_count);
    require(stream->cursor_column < (int)stream->column_count);
    require(stream->limit_rows >= 0 && stream->lookback_ms >= 0 && stream->batch_limit_rows >= 0);
    for (size_t i = 0; i < stream->column_count; i++) {
        require_name(stream->columns[i].name);
        require(!gr_name_is_reserved(stream->columns[i].name));
        require(stream->columns[i].is_key == (i < stream->key_count));
        for (size_t j = 0; j < i; j++)
            require(strcmp(stream->columns[i].name, stream->columns[j].name) != 0);
    }
}

static void
require_plan(const struct gr_plan *plan)
{
    require_name(plan->state_schema);
    require(plan->threads >= 1 && plan->count >= 1);
    for (size_t i = 0; i < plan->count; i++) {
        require_stream(&plan->streams[i]);
        for (size_t j = 0; j < i; j++)
            require(strcmp(plan->streams[i].table_name, plan->streams[j].table_name) != 0 ||
                    strcmp(plan->streams[i].table_schema, plan->streams[j].table_schema) != 0);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gr_plan_options options = {.now_us = NOW_US};
    struct gr_plan plan = {0};
    struct gr_error err;

    set_up();
    gr_log_forget();
    if (gr_plan_load(file_with(data, size), &options, &plan, &err)) {
        require_plan(&plan);
        gr_plan_free(&plan);
    } else {
        require_error(&err, GR_FAULT_SPEC);
    }
    return 0;
}
