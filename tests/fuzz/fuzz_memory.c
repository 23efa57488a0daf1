/* layers: walk */
/* fuzz_memory.c - any text as what a walk remembers: it is taken within bounds, written down and
   read again it is the same, and the walk goes on to its end from there. */
#include "fuzz.h"
#include "gr/base/alloc.h"
#include "gr/base/time.h"
#include "gr/walk/memory.h"

#define NOW_US INT64_C(1795243824000000)

static const struct gr_column columns[] = {
    {.name = "id", .field = "id", .type = GR_TYPE_BIGINT, .is_key = true},
    {.name = "z", .field = "z", .type = GR_TYPE_TIMESTAMPTZ},
};
static const struct gr_pass passes[] = {{NULL, 0}, {NULL, 0}};
static const struct gr_schema schema = {.stream = "tickets",
                                        .walk = GR_WALK_NEWEST_FIRST,
                                        .cursor = "z",
                                        .order = "z:desc",
                                        .full_order = "z:asc",
                                        .page_limit = 100,
                                        .passes = passes,
                                        .pass_count = 2,
                                        .columns = columns,
                                        .column_count = 2,
                                        .key_count = 1};
static const struct gr_plan_stream stream = {.name = "tickets",
                                             .schema = &schema,
                                             .columns = columns,
                                             .column_count = 2,
                                             .key_count = 1,
                                             .cursor_column = 1,
                                             .range_from_us = GR_TIME_NONE,
                                             .range_to_us = GR_TIME_NONE};

static void
check_round_trip(const char *json)
{
    struct gr_walk walk = {.stream = &stream, .bookmark_us = GR_TIME_NONE};
    struct gr_walk again = {.stream = &stream, .bookmark_us = GR_TIME_NONE};
    struct gr_walk once_more = {.stream = &stream, .bookmark_us = GR_TIME_NONE};
    GR_CLEANUP(gr_free_var) char *first = NULL;
    GR_CLEANUP(gr_free_var) char *second = NULL;
    GR_CLEANUP(gr_free_var) char *third = NULL;

    gr_walk_recall(&walk, json);
    require(walk.span.is_open == (walk.span.cursor != NULL));
    require(walk.scan.staged_rows >= 0 && walk.scan.pages >= 0);
    first = gr_walk_state_json(&walk);
    gr_walk_recall(&again, first);
    second = gr_walk_state_json(&again);
    /* Only an instant whose year in UTC has not four digits is lost on the way, once. */
    gr_walk_recall(&once_more, second);
    third = gr_walk_state_json(&once_more);
    require((first == NULL) == (second == NULL) && (second == NULL) == (third == NULL));
    require(second == NULL || strcmp(second, third) == 0);
    gr_walk_free(&walk);
    gr_walk_free(&again);
    gr_walk_free(&once_more);
}

/* Empty last pages are the shortest answers that a source can give. */
static void
check_end(const char *json)
{
    struct gr_walk walk;
    struct gr_walk_ask ask;
    struct gr_page_facts page = {.first_us = GR_TIME_NONE,
                                 .last_us = GR_TIME_NONE,
                                 .max_us = GR_TIME_NONE,
                                 .descends = true,
                                 .ascends = true,
                                 .clock_us = NOW_US,
                                 .local_clock_us = NOW_US};
    struct gr_error err;
    int requests = 0;

    gr_walk_begin(&walk, &stream, false, GR_TIME_NONE, GR_TIME_NONE, json, NOW_US);
    while (gr_walk_next(&walk, &ask)) {
        require(++requests <= 8);
        require(ask.pass == NULL || (ask.pass >= passes && ask.pass < passes + 2));
        require(gr_walk_page(&walk, &page, &err));
    }
    require(walk.is_done);
    gr_walk_free(&walk);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GR_CLEANUP(gr_free_var) char *json = gr_strndup((const char *)data, size);

    check_round_trip(json);
    check_end(json);
    return 0;
}
