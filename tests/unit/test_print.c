/* layers: codec */
/* A row of binary COPY as a JSON object: what is encoded is what is shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "gr/codec/print.h"
#include "gr/codec/row.h"

static const struct gr_column columns[] = {
    {.name = "id", .field = "id", .type = GR_TYPE_BIGINT, .is_key = true},
    {.name = "ratio", .field = "ratio", .type = GR_TYPE_DOUBLE},
    {.name = "is on", .field = "on", .type = GR_TYPE_BOOLEAN},
    {.name = "text", .field = "text", .type = GR_TYPE_TEXT},
    {.name = "at", .field = "at", .type = GR_TYPE_TIMESTAMPTZ},
    {.name = "meta", .field = "meta", .type = GR_TYPE_JSONB},
};
static const struct gr_plan_stream stream = {
    .columns = columns, .column_count = 6, .key_count = 1, .cursor_column = -1};

static void
assert_prints(const char *object, const char *wanted)
{
    struct gr_row_layout *layout = gr_row_layout_new(&stream);
    struct gr_json_reader reader = gr_json_open(object, strlen(object));
    struct gr_rejects rejects = {0};
    struct gr_row_facts facts;
    struct gr_json_value value;
    struct gr_error err;
    struct gr_buf rows = gr_buf_new(0), out = gr_buf_new(0);

    assert_true(gr_json_value(&reader, &value));
    assert_true(gr_row_encode(layout, &value, &rows, &facts, &rejects, &err));
    assert_ptr_equal(gr_print_tuple(&stream, gr_buf_text(&rows), &out), rows.data + rows.len);
    assert_string_equal(gr_buf_text(&out), wanted);
    gr_rejects_free(&rejects);
    gr_row_layout_free(layout);
    gr_buf_free(&rows);
    gr_buf_free(&out);
}

static void
test_each_type(void **state)
{
    (void)state;
    assert_int_equal(stream.column_count, GR_TYPE_COUNT);
    assert_prints(
        "{\"id\": -7, \"ratio\": 0.1, \"on\": true, \"text\": \"a\\\"\\\\\\n\\u0001é\","
        " \"at\": \"2026-11-21T08:50:24.5+02:00\", \"meta\": {\"a\": [1, null]}}",
        "{\"id\": -7, \"ratio\": 0.1, \"is on\": true, \"text\": \"a\\\"\\\\\\n\\u0001é\","
        " \"at\": \"2026-11-21T06:50:24.500000Z\", \"meta\": {\"a\": [1, null]}, \"_extra\": "
        "null}");
    assert_prints(
        "{\"id\": 9223372036854775807, \"ratio\": 1e300, \"on\": false, \"text\": \"\","
        " \"at\": \"1969-12-31\", \"meta\": 3}",
        "{\"id\": 9223372036854775807, \"ratio\": 1e+300, \"is on\": false, \"text\": \"\","
        " \"at\": \"1969-12-31T00:00:00.000000Z\", \"meta\": 3, \"_extra\": null}");
}

static void
test_zero_is_a_number_too(void **state)
{
    (void)state;
    assert_prints("{\"id\": 0, \"ratio\": 0.0}",
                  "{\"id\": 0, \"ratio\": 0, \"is on\": null, \"text\": null, \"at\": null,"
                  " \"meta\": null, \"_extra\": null}");
}

static void
test_nulls_and_what_is_not_declared(void **state)
{
    (void)state;
    assert_prints("{\"id\": 1, \"new\": [true], \"text\": null, \"ratio\": \"x\"}",
                  "{\"id\": 1, \"ratio\": null, \"is on\": null, \"text\": null, \"at\": null,"
                  " \"meta\": null, \"_extra\": {\"new\":[true]}}");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_type),
        cmocka_unit_test(test_zero_is_a_number_too),
        cmocka_unit_test(test_nulls_and_what_is_not_declared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
