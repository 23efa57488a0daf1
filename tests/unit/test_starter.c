/* layers: cli */
/* The text of a first replication file, with the schemas that are built in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli_golden.h"
#include "gr/cli/starter.h"

static void
test_starter(void **state)
{
    static const struct gr_schema streams[] = {
        {.stream = "details",
         .walk = GR_WALK_NONE,
         .parent = "tickets",
         .is_named_only = true,
         .description = "One by one"},
        {.stream = "tags", .walk = GR_WALK_FULL, .description = "Labels of tickets"},
        {.stream = "tickets", .walk = GR_WALK_NEWEST_FIRST, .description = "Conversations"},
        {.stream = "users",
         .walk = GR_WALK_FULL,
         .description = "Agents, and a description that goes on for so long that it has to be cut "
                        "somewhere or the line would not be read by anybody at all"},
        {.stream = "values",
         .walk = GR_WALK_NONE,
         .made_from = "tickets",
         .made_of = "fields",
         .is_named_only = true,
         .description = "Of fields"},
    };
    static const bool is_refused[] = {false, false, false, true, false};
    const struct gr_schemas schemas = {.items = streams, .count = 5};
    const struct gr_starter starter = {.file = "gorgias.yaml",
                                       .source = "GORGIAS",
                                       .source_place = "the environment variable GORGIAS",
                                       .target = "PG",
                                       .target_place = "/home/me/.sling/env.yaml",
                                       .base_url = "https://demo.gorgias.com",
                                       .warehouse = "db:5432/dw",
                                       .schemas = &schemas,
                                       .is_refused = is_refused};
    struct gr_buf text = gr_buf_new(0);

    (void)state;
    gr_starter_put(&starter, &text);
    assert_golden(&text, "starter.yaml");
    gr_buf_free(&text);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_starter)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
