/* layers: cli */
/* Widths, cuts, numbers, grids, YAML. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "gr/base/buf.h"
#include "gr/cli/doc.h"
#include "gr/cli/grid.h"
#include "gr/cli/text.h"

static void
test_cut(void **state)
{
    static const struct {
        const char *text;
        size_t width;
        const char *wanted;
    } cases[] = {
        {"abc", 3, "abc"},    {"abcd", 3, "ab…"},     {"äöü", 3, "äöü"}, {"äöüß", 3, "äö…"},
        {"abc", 1, "…"},      {"abc", 0, ""},         {"", 0, ""},       {"", 5, ""},
        {"€uro€", 4, "€ur…"}, {"one two", 5, "one…"}, {"😀😀😀", 2, "😀…"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gr_buf out = gr_buf_new(0);

        gr_text_cut(&out, cases[i].text, cases[i].width);
        assert_string_equal(gr_buf_text(&out), cases[i].wanted);
        assert_true(gr_text_width(gr_buf_text(&out)) <= cases[i].width);
        gr_buf_free(&out);
    }
}

static void
test_number(void **state)
{
    static const struct {
        int64_t number;
        const char *wanted;
    } cases[] = {
        {0, "0"},
        {999, "999"},
        {1000, "1,000"},
        {1234567, "1,234,567"},
        {-1000, "-1,000"},
        {-999, "-999"},
        {INT64_MAX, "9,223,372,036,854,775,807"},
        {INT64_MIN, "-9,223,372,036,854,775,808"},
    };
    char text[GR_TEXT_NUMBER];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(gr_text_number(cases[i].number, text), cases[i].wanted);
}

static void
test_grid(void **state)
{
    static const struct gr_grid_column columns[] = {
        {.title = "NAME"}, {.title = "N", .is_right = true}, {.title = "WHAT", .is_cut = true}};
    struct gr_grid *grid = gr_grid_new(columns, 3);
    struct gr_buf out = gr_buf_new(0);

    (void)state;
    gr_grid_put(grid, "ä");
    gr_grid_put_number(grid, 12345);
    gr_grid_put(grid, "a description that is too long");
    gr_grid_put(grid, "longer");
    gr_grid_put_number(grid, 1);
    gr_grid_put(grid, "");
    gr_grid_print(grid, 30, &out);
    assert_string_equal(gr_buf_text(&out), "NAME         N  WHAT\n"
                                           "ä       12,345  a description…\n"
                                           "longer       1\n");
    gr_buf_reset(&out);
    gr_grid_print(grid, 5, &out);
    assert_non_null(strstr(gr_buf_text(&out), "12,345  a descrip…\n"));
    gr_buf_free(&out);
    gr_grid_free(grid);
}

static void
test_yaml(void **state)
{
    struct json_object *doc = gr_doc_object();
    struct json_object *list = gr_doc_array();
    struct json_object *item = gr_doc_object();
    struct gr_buf out = gr_buf_new(0);

    (void)state;
    gr_doc_put_text(doc, "plain", "What it is, in /words");
    gr_doc_put_text(doc, "colon", "a: b");
    gr_doc_put_text(doc, "word", "no");
    gr_doc_put_text(doc, "capitals", "NO");
    gr_doc_put_text(doc, "number", "12");
    gr_doc_put_text(doc, "quote", "say \"hi\"\n");
    gr_doc_put_text(doc, "nothing", NULL);
    gr_doc_put_text(doc, "empty", "");
    gr_doc_put(doc, "no_items", gr_doc_array());
    gr_doc_put_bool(doc, "flag", true);
    gr_doc_put_text(item, "a", "x");
    gr_doc_put_int(item, "b", 2);
    gr_doc_add(list, item);
    gr_doc_add_text(list, "y.z");
    gr_doc_put(doc, "items", list);
    gr_doc_print_yaml(doc, &out);
    assert_string_equal(gr_buf_text(&out), "plain: What it is, in /words\n"
                                           "colon: \"a: b\"\n"
                                           "word: \"no\"\n"
                                           "capitals: \"NO\"\n"
                                           "number: \"12\"\n"
                                           "quote: \"say \\\"hi\\\"\\n\"\n"
                                           "nothing: null\n"
                                           "empty: \"\"\n"
                                           "no_items: []\n"
                                           "flag: true\n"
                                           "items:\n"
                                           "  - a: x\n"
                                           "    b: 2\n"
                                           "  - y.z\n");
    gr_buf_free(&out);
    gr_doc_free_var(&doc);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_number),
        cmocka_unit_test(test_grid),
        cmocka_unit_test(test_yaml),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
