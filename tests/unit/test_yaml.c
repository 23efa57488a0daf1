/* layers: spec */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
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
        {"a: *x", "f.yaml:1:4: an alias without its anchor before it"},
        {"a: *x\nb: &x 1", "f.yaml:1:4: an alias without its anchor before it"},
        {"streams:\n  *_fields : 1", "f.yaml:2:3: an alias without its anchor before it"},
        {"a: &x [1]\n*x : 1", "f.yaml:2:1: a key must be a text"},
        {"a: &x\n*x : 1", "f.yaml:2:1: a key must be a text"},
        {"a: &x b\n*x : 1\n*x : 2",
         "f.yaml:3:1: key \"b\" comes a second time; the first is at 2:1"},
        {"a: &x !t 1", "f.yaml:1:4: a tag that is not supported"},
        {"a: &x {b: *x}", "f.yaml:1:11: alias *x stands inside of its own anchor"},
        {"a: &x [1, [*x]]", "f.yaml:1:12: alias *x stands inside of its own anchor"},
        {"a: &x\n  <<: *x", "f.yaml:2:7: alias *x stands inside of its own anchor"},
        {"a: &x 1\nb: {<<: *x}",
         "f.yaml:2:9: << must name a mapping or a list of mappings, found \"1\""},
        {"b:\n  <<:\n", "f.yaml:2:6: << must name a mapping or a list of mappings, found nothing"},
        {"a: &x {b: 1}\nc: {<<: [*x, 1]}",
         "f.yaml:2:9: << must name a mapping or a list of mappings"},
        {"a: &x {b: 1}\nc: {<<: [[*x]]}",
         "f.yaml:2:9: << must name a mapping or a list of mappings"},
        {"a: &x {b: 1}\nc: {<<: *x, <<: *x}",
         "f.yaml:2:13: key \"<<\" comes a second time; the first is at 2:5"},
        {"a: &x {b: 1}\nc: {<<: *x, d: 1, d: 2}",
         "f.yaml:2:19: key \"d\" comes a second time; the first is at 2:13"},
        {"a: &x {b: 1, b: 2}\nc: {<<: *x}",
         "f.yaml:1:14: key \"b\" comes a second time; the first is at 1:8"},
        {"a: 1\nb: 2\na: 3", "f.yaml:3:1: key \"a\" comes a second time; the first is at 1:1"},
        {"x: {a: 1, \"a\": 2}", "f.yaml:1:11: key \"a\" comes a second time; the first is at 1:5"},
        {"a: 1\n---\nb: 2", "f.yaml:2:1: a second document begins here; one is all there may be"},
        {"a: !!binary eA==", "f.yaml:1:4: a tag that is not supported"},
        {"a: !ruby/object {}", "f.yaml:1:4: a tag that is not supported"},
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

/* --- anchors, aliases, merges ------------------------------------------------------------------
 */

/* JSON has two escapes for a character beyond U+FFFF; half of one is none, and what is no escape
 * stays. */
static void
test_surrogates(void **state)
{
    const char *text = "{\"a\": \"\\ud83d\\ude00\\u00e4\", \"b\": \"\\\\ud83d\\\\ude00\"}";
    const struct gr_yaml_node *root = parse(text);

    (void)state;
    assert_string_equal(gr_yaml_get(root, "a")->text, "\xF0\x9F\x98\x80\xC3\xA4");
    assert_string_equal(gr_yaml_get(root, "b")->text, "\\ud83d\\ude00");
    expect_refusal("a: \"\\ud83d\"", 11, "f.yaml:1:7: found invalid Unicode character escape code");
}

static void
test_aliases(void **state)
{
    const struct gr_yaml_node *root =
        parse("a: &x {k: 1}\nb: *x\nc: [*x, &y 'null', *y]\n&z d: *z\nf: &n\ng: *n\n*y : e\n"
              "h: &x 2\ni: *x\nj: &x [&x 3, *x]\nk: *x\n");
    const struct gr_yaml_node *list = gr_yaml_get(root, "c");

    (void)state;
    assert_string_equal(gr_yaml_get(gr_yaml_get(root, "b"), "k")->text, "1");
    assert_int_equal(gr_yaml_get(root, "b")->line, 1);
    assert_int_equal(gr_yaml_get(root, "b")->column, 4);
    assert_int_equal(list->items[0]->kind, GR_YAML_MAP);
    assert_int_equal(list->items[2]->kind, GR_YAML_TEXT);
    assert_true(list->items[2]->is_quoted);
    assert_string_equal(gr_yaml_get(root, "d")->text, "d");
    assert_int_equal(gr_yaml_get(root, "g")->kind, GR_YAML_NULL);
    assert_string_equal(root->keys[6]->text, "null");
    assert_int_equal(root->keys[6]->line, 7);
    assert_int_equal(root->keys[6]->column, 1);
    /* The anchor that came last counts, also one inside of the other. */
    assert_string_equal(gr_yaml_get(root, "i")->text, "2");
    assert_string_equal(gr_yaml_get(root, "j")->items[1]->text, "3");
    assert_string_equal(gr_yaml_get(root, "k")->text, "3");
    expect_refusal("v: *x_1", 7, "f.yaml:1:4: an alias without its anchor before it");
    assert_string_equal(err.hint, "A star that is meant as a text stands in quotes: '*'.");
    expect_refusal("a: 1\nb: &x [*x]", 14, "f.yaml:2:8: alias *x stands inside of its own anchor");
    assert_string_equal(err.hint, "The anchor is at 2:4; nothing can hold itself.");
}

/* `pairs` is "key=text" of each pair in order. */
static void
expect_pairs(const struct gr_yaml_node *map, const char *pairs)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf got = gr_buf_new(0);

    assert_int_equal(map->kind, GR_YAML_MAP);
    for (size_t i = 0; i < map->count; i++)
        gr_buf_printf(&got, "%s%s=%s", i == 0 ? "" : " ", map->keys[i]->text, map->items[i]->text);
    assert_string_equal(gr_buf_text(&got), pairs);
}

static void
test_merges(void **state)
{
    static const struct {
        const char *text; /* &a {x: 1, y: 2} and &b {y: 3, z: 4} stand before it */
        const char *pairs;
    } cases[] = {
        {"{<<: *a}", "x=1 y=2"},
        {"{k: 0, <<: *a, l: 9}", "k=0 x=1 y=2 l=9"},
        {"{<<: *a, x: 7}", "y=2 x=7"},
        {"{x: 7, <<: *a}", "x=7 y=2"},
        {"{<<: *a, x: ~}", "y=2 x=~"},
        {"{<<: [*a, *b]}", "x=1 y=2 z=4"},
        {"{<<: [*b, *a]}", "y=3 z=4 x=1"},
        {"{<<: [*b, *b], z: 5}", "y=3 z=5"},
        {"{<<: [*a, {y: 8, w: 9}]}", "x=1 y=2 w=9"},
        {"{<<: {y: 8}}", "y=8"},
        {"{<<: *ab}", "x=1 y=2 z=4"},
        {"{<<: {<<: *a, x: 5}, y: 6}", "x=5 y=6"},
        {"{<<: []}", ""},
        {"{<<: {}}", ""},
        {"{'<<': 1, k: 2}", "<<=1 k=2"},
        {"{!!str <<: 1}", "<<=1"},
        {"[<<]", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[256];
        const struct gr_yaml_node *value;

        (void)snprintf(text, sizeof(text),
                       "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nab: &ab [*a, *b]\nv: %s\n",
                       cases[i].text);
        value = gr_yaml_get(parse(text), "v");
        if (cases[i].pairs != NULL)
            expect_pairs(value, cases[i].pairs);
    }
}

/* What was merged is said to be where it is written. */
static void
test_merged_places(void **state)
{
    const struct gr_yaml_node *root = parse("a: &a\n  x: 1\n  y: 2\nv:\n  <<: *a\n  y: 3\n");
    const struct gr_yaml_node *v = gr_yaml_get(root, "v");

    (void)state;
    expect_pairs(v, "x=1 y=3");
    assert_int_equal(v->line, 5);
    assert_int_equal(v->keys[0]->line, 2);
    assert_int_equal(v->items[0]->line, 2);
    assert_int_equal(v->items[0]->column, 6);
    assert_int_equal(v->items[1]->line, 6);
    expect_pairs(gr_yaml_get(root, "a"), "x=1 y=2");
}

/* A chain of merges is as flat as what it merges, however long it is. */
static void
test_merge_chain(void **state)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);

    (void)state;
    gr_buf_puts(&text, "m0: &m0 {k: 0}\n");
    for (int i = 1; i <= 200; i++)
        gr_buf_printf(&text, "m%d: &m%d {<<: %s*m%d%s, k: %d}\n", i, i, i % 2 == 0 ? "[" : "",
                      i - 1, i % 2 == 0 ? "]" : "", i);
    expect_pairs(gr_yaml_get(parse(gr_buf_text(&text)), "m200"), "k=200");
}

static void
test_laughs(void **state)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    GR_CLEANUP(gr_buf_free) struct gr_buf merges = gr_buf_new(0);

    (void)state;
    gr_buf_puts(&text, "a0: &a0 lol\n");
    gr_buf_puts(&merges, "a0: &a0 {k: lol}\n");
    for (int i = 1; i < 30; i++) {
        gr_buf_printf(&text, "a%d: &a%d [", i, i);
        gr_buf_printf(&merges, "a%d: &a%d {<<: [", i, i);
        for (int j = 0; j < 10; j++) {
            gr_buf_printf(&text, "*a%d,", i - 1);
            gr_buf_printf(&merges, "*a%d,", i - 1);
        }
        gr_buf_puts(&text, "]\n");
        gr_buf_puts(&merges, "]}\n");
    }
    expect_refusal(text.data, text.len,
                   "f.yaml:6:38: with alias *a4 written out there are more than 100000 nodes");
    assert_string_equal(err.hint, "Aliases of aliases multiply. Use fewer.");
    /* Though nothing but k would be left of them: to merge is work. */
    expect_refusal(merges.data, merges.len,
                   "f.yaml:6:19: with alias *a4 written out there are more than 100000 nodes");
}

/* The limits are the same for what is written and for what aliases stand for. */
static void
test_alias_limits(void **state)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf nodes = gr_buf_new(0);
    GR_CLEANUP(gr_buf_free) struct gr_buf bytes = gr_buf_new(0);
    GR_CLEANUP(gr_buf_free) struct gr_buf depth = gr_buf_new(0);
    const struct gr_yaml_node *root;

    (void)state;
    gr_buf_puts(&nodes, "[&x [a],");
    for (int i = 0; i < 49998; i++)
        gr_buf_puts(&nodes, "*x ,");
    gr_buf_puts(&nodes, "a]");
    assert_int_equal(parse(gr_buf_text(&nodes))->count, 50000);
    nodes.len -= 2;
    gr_buf_puts(&nodes, "*x ]");
    expect_refusal(nodes.data, nodes.len,
                   "f.yaml:1:200001: with alias *x written out there are more than 100000 nodes");

    gr_buf_puts(&bytes, "[&x ");
    memset(gr_buf_extend(&bytes, GR_YAML_BYTES / 2), 'x', GR_YAML_BYTES / 2);
    gr_buf_puts(&bytes, ",*x ]");
    assert_int_equal(parse(gr_buf_text(&bytes))->count, 2);
    bytes.len--;
    gr_buf_puts(&bytes, ",*x ]");
    expect_refusal(bytes.data, bytes.len,
                   "f.yaml:1:524298: with alias *x written out there are texts of more than 1 MiB");

    gr_buf_puts(&depth, "- &a0 []\n");
    for (int i = 1; i < 63; i++)
        gr_buf_printf(&depth, "- &a%d [*a%d ]\n", i, i - 1);
    assert_true(gr_yaml_parse("f.yaml", depth.data, depth.len, arena, &root, &err));
    gr_buf_puts(&depth, "- [*a62 ]\n");
    expect_refusal(depth.data, depth.len,
                   "f.yaml:64:4: with alias *a62 written out there are more than 64 levels");
}

/* Forty thousand names are found by their hashes, not compared with each other. */
static void
test_many_anchors(void **state)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    const struct gr_yaml_node *root;

    (void)state;
    for (int i = 0; i < 40000; i++)
        gr_buf_printf(&text, "- &a%d %d\n", i, i);
    for (int i = 0; i < 30000; i++)
        gr_buf_printf(&text, "- *a%d\n", i);
    root = parse(gr_buf_text(&text));
    assert_int_equal(root->count, 70000);
    for (size_t i = 0; i < 30000; i++)
        assert_ptr_equal(root->items[i], root->items[40000 + i]);
}

/* --- size and bytes ----------------------------------------------------------------------------
 */

static void
test_byte_order_mark(void **state)
{
    static const char bom[] = "\xef\xbb\xbf";
    const struct gr_yaml_node *root = parse("\xef\xbb\xbf"
                                            "a: 1\nb: 2\n");

    (void)state;
    assert_int_equal(root->count, 2);
    assert_int_equal(root->column, 1);
    assert_int_equal(root->keys[0]->column, 1);
    assert_int_equal(root->items[0]->column, 4);
    assert_int_equal(root->keys[1]->line, 2);
    assert_int_equal(root->keys[1]->column, 1);
    expect_refusal("\xef\xbb\xbf"
                   "a: *x",
                   8, "f.yaml:1:4: an alias without its anchor before it");
    expect_refusal("\xef\xbb\xbf"
                   "a: \x01",
                   7,
                   "f.yaml:1:4: byte 0x01 is not text; a YAML file is UTF-8 without control "
                   "characters");
    expect_refusal(bom, 3, "f.yaml: the file is empty");
    expect_refusal(bom, 2,
                   "f.yaml:1:1: byte 0xef is not text; a YAML file is UTF-8 without control "
                   "characters");
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
    static const char text[] = "a: {b: [1, \"two\\n\", ${X}], 'c': ~}\nd: |\n  text\n? e\n: &f {g: "
                               "1}\nh: {<<: [*f, *f ]}\n*f : i\n";
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
        TEST(test_places),        TEST(test_scalars),      TEST(test_variables_in_flow),
        TEST(test_refusals),      TEST(test_aliases),      TEST(test_merges),
        TEST(test_merged_places), TEST(test_merge_chain),  TEST(test_laughs),
        TEST(test_alias_limits),  TEST(test_many_anchors), TEST(test_byte_order_mark),
        TEST(test_depth),         TEST(test_size),         TEST(test_node_count),
        TEST(test_many_keys),     TEST(test_every_prefix), TEST(test_surrogates),
        TEST(test_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
