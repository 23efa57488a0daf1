/* layers: codec */
/* Rows that are made of a value: which entries are some, and what they hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "gr/codec/made.h"

static const struct gr_column columns[] = {
    {.name = "ticket_id", .field = "ticket_id", .type = GR_TYPE_BIGINT, .is_key = true},
    {.name = "id", .field = "id", .type = GR_TYPE_BIGINT, .is_key = true},
    {.name = "value", .field = "value", .type = GR_TYPE_JSONB},
};
static const struct gr_schema schema = {.columns = columns, .column_count = 3, .key_count = 2};

struct taken {
    struct gr_buf text;
    int left;
};

static bool
take(void *context, const char *object, size_t len)
{
    struct taken *taken = context;

    gr_buf_put(&taken->text, object, len);
    gr_buf_putc(&taken->text, '\n');
    return --taken->left > 0;
}

static void
assert_makes(const char *value, int most, const char *wanted)
{
    struct taken taken = {.text = gr_buf_new(0), .left = most};

    gr_made_rows(&schema, 7, value, strlen(value), take, &taken);
    assert_string_equal(gr_buf_text(&taken.text), wanted);
    gr_buf_free(&taken.text);
}

static void
test_entries(void **state)
{
    (void)state;
    assert_makes("{\"12\": {\"id\": 12, \"value\": \"a\"}, \"0\": {}, \"5\":{ }}", 9,
                 "{\"id\": 12, \"value\": \"a\",\"ticket_id\": 7, \"id\": 12}\n"
                 "{\"ticket_id\": 7, \"id\": 0}\n"
                 "{ \"ticket_id\": 7, \"id\": 5}\n");
    assert_makes("{\"1\": {}, \"2\": {}, \"3\": {}}", 2,
                 "{\"ticket_id\": 7, \"id\": 1}\n{\"ticket_id\": 7, \"id\": 2}\n");
}

static void
test_an_entry_that_is_no_object_is_its_value(void **state)
{
    (void)state;
    assert_makes("{\"3\": [1], \"4\": null, \"5\": \"x\"}", 9,
                 "{\"value\": [1],\"ticket_id\": 7, \"id\": 3}\n"
                 "{\"value\": null,\"ticket_id\": 7, \"id\": 4}\n"
                 "{\"value\": \"x\",\"ticket_id\": 7, \"id\": 5}\n");
}

static void
test_what_is_no_row(void **state)
{
    static const char *const values[] = {
        "null",        "[]",           "3",
        "\"12\"",      "{}",           "{\"\": 1}",
        "{\"-1\": 1}", "{\"01\": 1}",  "{\"1 \": 1}",
        "{\"1a\": 1}", "{\"1.5\": 1}", "{\"1234567890123456789\": 1}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        assert_makes(values[i], 9, "");
    assert_makes("{\"123456789012345678\": {}}", 9,
                 "{\"ticket_id\": 7, \"id\": 123456789012345678}\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_an_entry_that_is_no_object_is_its_value),
        cmocka_unit_test(test_what_is_no_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
