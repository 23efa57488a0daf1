/* layers: spec */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "gr/base/buf.h"
#include "gr/spec/yaml.h"

static struct gr_arena *arena;
static struct gr_error err;

static int
set_up(void **state)
{
    (void)state;
    arena = gr_arena_new();
    err = (struct gr_error){.fault = GR_OK};
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    gr_arena_free(arena);
    return 0;
}

static const struct gr_yaml_node *
parse(const char *text)
{
    const struct gr_yaml_node *root = NULL;

    if (!gr_yaml_parse("f.yaml", text, strlen(text), arena, &root, &err))
        fail_msg("%s", err.message);
    return root;
}

static void
expect_refusal(const char *text, size_t len, const char *message)
{
    const struct gr_yaml_node *root = NULL;

    assert_false(gr_yaml_parse("f.yaml", text, len, arena, &root, &err));
    assert_null(root);
    assert_int_equal(err.fault, GR_FAULT_SPEC);
    assert_string_equal(err.message, message);
}

static void
test_places(void **state)
{
    const struct gr_yaml_node *root = parse("a: 1\nb:\n  - x\n  - {c: \xc3\xa4, d: y}\n");
    const struct gr_yaml_node *list = gr_yaml_get(root, "b");

    (void)state;
    assert_int_equal(root->kind, GR_YAML_MAP);
    assert_int_equal(root->count, 2);
    assert_string_equal(root->keys[1]->text, "b");
    assert_int_equal(root->keys[1]->line, 2);
    assert_int_equal(root->keys[1]->column, 1);
    assert_int_equal(list->kind, GR_YAML_LIST);
    assert_int_equal(list->items[0]->line, 3);
    assert_int_equal(list->items[0]->column, 5);
    assert_int_equal(gr_yaml_get(list->items[1], "d")->column, 15);
    assert_null(gr_yaml_get(root, "z"));
    assert_null(gr_yaml_get(NULL, "z"));
    assert_null(gr_yaml_get(list, "z"));
}

static void
test_scalars(void **state)
{
    static const struct {
        const char *text;
        enum gr_yaml_kind kind;
        const char *value;
        int boolean; /* -1: none */
    } cases[] = {
        {"v:", GR_YAML_NULL, "", -1},
        {"v: ~", GR_YAML_NULL, "~", -1},
        {"v: null", GR_YAML_NULL, "null", -1},
        {"v: 'null'", GR_YAML_TEXT, "null", -1},
        {"v: ''", GR_YAML_TEXT, "", -1},
        {"v: !!str null", GR_YAML_TEXT, "null", -1},
        {"v: true", GR_YAML_TEXT, "true", 1},
        {"v: \"true\"", GR_YAML_TEXT, "true", -1},
        {"v: Yes", GR_YAML_TEXT, "Yes", 1},
        {"v: on", GR_YAML_TEXT, "on", 1},
        {"v: off", GR_YAML_TEXT, "off", 0},
        {"v: NO", GR_YAML_TEXT, "NO", 0},
        {"v: tRue", GR_YAML_TEXT, "tRue", -1},
        {"v: y", GR_YAML_TEXT, "y", -1},
        {"v: 1", GR_YAML_TEXT, "1", -1},
        {"v: 2024-01-01", GR_YAML_TEXT, "2024-01-01", -1},
        {"v: |\n  a\n  b\n", GR_YAML_TEXT, "a\nb\n", -1},
        {"v: {\"a\":\"b\"}", GR_YAML_MAP, "", -1},
        {"\xef\xbb\xbfv: bom", GR_YAML_TEXT, "bom", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct gr_yaml_node *value = gr_yaml_get(parse(cases[i].text), "v");
        bool boolean = false;
        bool is_boolean = gr_yaml_bool(value, &boolean);

        if (value->kind != cases[i].kind || is_boolean != (cases[i].boolean >= 0) ||
            boolean != (cases[i].boolean == 1))
            fail_msg("%s", cases[i].text);
        if (value->kind == GR_YAML_TEXT)
            assert_string_equal(value->text, cases[i].value);
    }
}

/* ${NAME} holds together inside of braces, and moves no column. */
static void
test_variables_in_flow(void **state)
{
    const struct gr_yaml_node *root = parse("{ a: ${HOME}, b: x${A_1}y, c: [${Z}] }");

    (void)state;
    assert_string_equal(gr_yaml_get(root, "a")->text, "${HOME}");
    assert_string_equal(gr_yaml_get(root, "b")->text, "x${A_1}y");
    assert_string_equal(gr_yaml_get(root, "c")->items[0]->text, "${Z}");
    assert_int_equal(gr_yaml_get(root, "b")->column, 18);
    assert_string_equal(gr_yaml_get(parse("a: \"${X}\"\n"), "a")->text, "${X}");
    assert_string_equal(gr_yaml_get(parse("${X}: b"), "${X}")->text, "b");
    assert_string_equal(gr_yaml_get(parse("a: '\xee\xb4\x9b ${X}'"), "a")->text,
                        "\xee\xb4\x9b ${X}");
    assert_string_equal(gr_yaml_get(parse("a: ${1}"), "a")->text, "${1}");
}

static void
test_refusals(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"", "f.yaml: the file is empty"},
        {"# only a comment\n", "f.yaml: the file is empty"},
        {"a: &x 1", "f.yaml:1:4: anchors (&name) are not supported: write it out"},
        {"a: &x {b: 1}", "f.yaml:1:4: anchors (&name) are not supported: write it out"},
        {"a: *x", "f.yaml:1:4: aliases (*name) are not supported: write it out, or put a * that is "
                  "meant as a text in quotes"},
        {"*x : 1",
         "f.yaml:1:1: aliases (*name) are not supported: write it out, or put a * that is "
         "meant as a text in quotes"},
        {"a: 1\n<<: {b: 1}", "f.yaml:2:1: merge keys (<<) are not supported: write the keys out"},
        {"a: 1\nb: 2\na: 3", "f.yaml:3:1: key \"a\" comes a second time; the first is at 1:1"},
        {"x: {a: 1, \"a\": 2}", "f.yaml:1:11: key \"a\" comes a second time; the first is at 1:5"},
        {"a: 1\n---\nb: 2", "f.yaml:2:1: a second document begins here; one is all there may be"},
        {"a: !!binary eA==", "f.yaml:1:4: tag \"tag:yaml.org,2002:binary\" is not supported"},
        {"a: !ruby/object {}", "f.yaml:1:4: tag \"!ruby/object\" is not supported"},
        {"? [a, b]\n: c", "f.yaml:1:3: a key must be a text"},
        {"?\n: c", "f.yaml:1:2: a key is missing before the colon"},
        {"a: \"x\\0y\"", "f.yaml:1:4: the text holds a zero byte"},
        {"a: [1, 2", "f.yaml:2:1: did not find expected ',' or ']'"},
        {"a: b: c", "f.yaml:1:5: mapping values are not allowed in this context"},
        {"a:\n\t- b", "f.yaml:2:1: found character that cannot start any token"},
        {"a: \xff", "f.yaml:1:4: byte 0xff is not text; a YAML file is UTF-8 without control "
                    "characters"},
        {"\xc3\xa4: 1\nb: \x01", "f.yaml:2:4: byte 0x01 is not text; a YAML file is UTF-8 without "
                                 "control characters"},
        {"a: \xc3", "f.yaml:1:4: byte 0xc3 is not text; a YAML file is UTF-8 without control "
                    "characters"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_refusal(cases[i].text, strlen(cases[i].text), cases[i].message);
    expect_refusal("a: \0b", 5,
                   "f.yaml:1:4: byte 0x00 is not text; a YAML file is UTF-8 without "
                   "control characters");
    expect_refusal("streams:\n  *:\n", 13,
                   "f.yaml:2:4: did not find expected alphabetic or numeric character");
    assert_string_equal(err.hint, "A star that is meant as a text stands in quotes: '*'.");
}

static void
test_bomb(void **state)
{
    static const char bomb[] = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\n";

    (void)state;
    expect_refusal(bomb, sizeof(bomb) - 1,
                   "f.yaml:1:4: anchors (&name) are not supported: write it out");
}

static void
test_depth(void **state)
{
    char text[200000];
    const struct gr_yaml_node *root;

    (void)state;
    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    assert_true(gr_yaml_parse("f.yaml", text, 128, arena, &root, &err));
    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    expect_refusal(text, 130, "f.yaml:1:65: nested deeper than 64 levels");
    memset(text, '[', sizeof(text));
    expect_refusal(text, sizeof(text), "f.yaml:1:65: nested deeper than 64 levels");
}

static void
test_size(void **state)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    const struct gr_yaml_node *root;

    (void)state;
    gr_buf_puts(&text, "a: ");
    memset(gr_buf_extend(&text, GR_YAML_BYTES - 3), 'x', GR_YAML_BYTES - 3);
    assert_true(gr_yaml_parse("f.yaml", text.data, text.len, arena, &root, &err));
    gr_buf_putc(&text, 'x');
    expect_refusal(text.data, text.len, "f.yaml: larger than 1 MiB");
}

static void
test_node_count(void **state)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    const struct gr_yaml_node *root;

    (void)state;
    gr_buf_putc(&text, '[');
    for (int i = 0; i < 99999; i++)
        gr_buf_puts(&text, "a,");
    gr_buf_putc(&text, ']');
    assert_true(gr_yaml_parse("f.yaml", text.data, text.len, arena, &root, &err));
    assert_int_equal(root->count, 99999);
    text.len--;
    gr_buf_puts(&text, "a]");
    expect_refusal(text.data, text.len, "f.yaml:1:200000: more than 100000 nodes");
}

/* Fifty thousand keys are sorted, not compared with each other. */
static void
test_many_keys(void **state)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);

    (void)state;
    for (int i = 0; i < 49000; i++)
        gr_buf_printf(&text, "k%d: 1\n", i);
    assert_int_equal(parse(gr_buf_text(&text))->count, 49000);
    gr_buf_puts(&text, "k7: 1\n");
    expect_refusal(text.data, text.len,
                   "f.yaml:49001:1: key \"k7\" comes a second time; the first is at 8:1");
}

/* Whatever a valid file is cut to, it is read or refused, never worse. */
static void
test_every_prefix(void **state)
{
    static const char text[] = "a: {b: [1, \"two\\n\", ${X}], 'c': ~}\nd: |\n  text\n? e\n: *f\n";
    const struct gr_yaml_node *root;

    (void)state;
    for (size_t len = 0; len < sizeof(text); len++)
        (void)gr_yaml_parse("f.yaml", text, len, arena, &root, &err);
}

static void
test_files(void **state)
{
    const struct gr_yaml_node *root;

    (void)state;
    assert_true(gr_yaml_load(GR_SOURCE_DIR "/replications/all.yaml", arena, &root, &err));
    assert_false(gr_yaml_load("/nowhere/x.yaml", arena, &root, &err));
    assert_string_equal(err.message, "cannot open /nowhere/x.yaml: No such file or directory");
    assert_false(gr_yaml_load("/", arena, &root, &err));
    assert_string_equal(err.message, "cannot read /: Is a directory");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_places),       TEST(test_scalars),    TEST(test_variables_in_flow),
        TEST(test_refusals),     TEST(test_bomb),       TEST(test_depth),
        TEST(test_size),         TEST(test_node_count), TEST(test_many_keys),
        TEST(test_every_prefix), TEST(test_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
