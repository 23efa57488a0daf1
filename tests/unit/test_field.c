/* layers: spec */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "gr/spec/field.h"
#include "gr/spec/notes.h"
#include "gr/spec/type.h"

struct thing {
    const char *text;
    const char *name;
    struct gr_texts texts;
    bool flag;
    int64_t count;
    double share;
    int64_t pause_ms;
    int word;
    const struct gr_yaml_node *map;
    const struct gr_yaml_node *node;
};

#define AT(member) offsetof(struct thing, member)

static const char *const colours[] = {"red", "green", NULL};

/* clang-format off */
static const struct gr_field table[] = {
    {"text",  GR_FIELD_TEXT,     AT(text),     true,  NULL,    NULL,    "a text to have"},
    {"name",  GR_FIELD_NAME,     AT(name),     false, NULL,    NULL,    "a name"},
    {"texts", GR_FIELD_TEXTS,    AT(texts),    false, NULL,    NULL,    "texts"},
    {"flag",  GR_FIELD_BOOL,     AT(flag),     false, NULL,    "true",  "a flag"},
    {"count", GR_FIELD_COUNT,    AT(count),    false, NULL,    "7",     "a count"},
    {"share", GR_FIELD_SHARE,    AT(share),    false, NULL,    "0.5",   "a share"},
    {"pause", GR_FIELD_DURATION, AT(pause_ms), false, NULL,    "5m",    "a pause"},
    {"word",  GR_FIELD_WORD,     AT(word),     false, colours, "green", "a colour"},
    {"map",   GR_FIELD_MAP,      AT(map),      false, NULL,    NULL,    "a map"},
    {"node",  GR_FIELD_NODE,     AT(node),     false, NULL,    NULL,    "a node"},
    {"paging", GR_FIELD_TEXT,    AT(name),     false, NULL,    NULL,    "how pages follow"},
    {"idle",  GR_FIELD_IDLE,     0,            false, NULL,    NULL,    "it sleeps"},
    {"mute",  GR_FIELD_IDLE,     0,            false, NULL,    NULL,    ""},
    {0},
};
/* clang-format on */

static struct gr_arena *arena;
static struct gr_error err;
static struct gr_notes notes;

static int
set_up(void **state)
{
    (void)state;
    arena = gr_arena_new();
    notes = (struct gr_notes){.arena = arena};
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    gr_arena_free(arena);
    return 0;
}

static bool
bind(const char *text, struct thing *out)
{
    const struct gr_yaml_node *root;

    if (!gr_yaml_parse("f.yaml", text, strlen(text), arena, &root, &err))
        return false;
    return gr_field_bind(root, table, out, &notes, arena, &err);
}

static void
test_defaults(void **state)
{
    struct thing thing = {0};

    (void)state;
    assert_true(bind("text: x\nname: ~\nmap:\n", &thing));
    assert_string_equal(thing.text, "x");
    assert_null(thing.name);
    assert_true(thing.flag);
    assert_int_equal(thing.count, 7);
    assert_true(thing.share == 0.5);
    assert_int_equal(thing.pause_ms, 300000);
    assert_int_equal(thing.word, 1);
    assert_null(thing.map);
    assert_null(thing.node);
    assert_int_equal(notes.count, 0);
}

static void
test_all_kinds(void **state)
{
    struct thing thing = {0};

    (void)state;
    assert_true(bind("{text: 12, name: a_1, texts: [a, 2], flag: no, count: \"40\", share: 1.0, "
                     "pause: 1h30m, word: red, map: {a: b}, node: ~, idle: 3, mute: [x]}",
                     &thing));
    assert_string_equal(thing.text, "12");
    assert_string_equal(thing.name, "a_1");
    assert_int_equal(thing.texts.count, 2);
    assert_string_equal(thing.texts.items[1], "2");
    assert_false(thing.flag);
    assert_int_equal(thing.count, 40);
    assert_int_equal(thing.pause_ms, 5400000);
    assert_int_equal(thing.word, 0);
    assert_int_equal(thing.map->count, 1);
    assert_int_equal(thing.node->kind, GR_YAML_NULL);
    assert_int_equal(notes.count, 2);
    assert_string_equal(notes.items[0], "f.yaml:1:126: \"idle\" has no effect here: it sleeps");
    assert_string_equal(notes.items[1], "f.yaml:1:135: \"mute\" has no effect here");
}

static void
test_one_text_is_a_list(void **state)
{
    struct thing thing = {0};

    (void)state;
    assert_true(bind("{text: x, texts: a}", &thing));
    assert_int_equal(thing.texts.count, 1);
    assert_string_equal(thing.texts.items[0], "a");
    assert_true(bind("{text: x, texts: []}", &thing));
    assert_int_equal(thing.texts.count, 0);
}

static void
test_refusals(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"text: x\npagination: 1",
         "f.yaml:2:1: unknown key \"pagination\" (did you mean \"paging\"?)"},
        {"text: x\nqqq: 1", "f.yaml:2:1: unknown key \"qqq\""},
        {"name: x", "f.yaml:1:1: key \"text\" is missing"},
        {"text: ~", "f.yaml:1:1: key \"text\" is missing"},
        {"[a]", "f.yaml:1:1: expected a mapping, found a list"},
        {"text: [x]", "f.yaml:1:7: \"text\" must be a text, found a list"},
        {"{text: x, name: A-b}",
         "f.yaml:1:17: \"name\" must be a name (a-z, 0-9 and _), found \"A-b\""},
        {"{text: x, texts: {a: b}}",
         "f.yaml:1:18: \"texts\" must be a list of texts, found a mapping"},
        {"{text: x, texts: [a, []]}", "f.yaml:1:22: expected a text in the list, found a list"},
        {"{text: x, texts: [a, ~]}", "f.yaml:1:22: expected a text in the list, found nothing"},
        {"{text: x, flag: 1}", "f.yaml:1:17: \"flag\" must be true or false, found \"1\""},
        {"{text: x, flag: 'true'}", "f.yaml:1:17: \"flag\" must be true or false, found \"true\""},
        {"{text: x, count: -1}", "f.yaml:1:18: \"count\" must be a whole number, found \"-1\""},
        {"{text: x, count: 1.5}", "f.yaml:1:18: \"count\" must be a whole number, found \"1.5\""},
        {"{text: x, count: 1234567890123456789}",
         "f.yaml:1:18: \"count\" must be a whole number, found \"1234567890123456789\""},
        {"{text: x, count: ''}", "f.yaml:1:18: \"count\" must be a whole number, found \"\""},
        {"{text: x, share: 0}",
         "f.yaml:1:18: \"share\" must be a number above 0 and at most 1, found \"0\""},
        {"{text: x, share: 1.1}",
         "f.yaml:1:18: \"share\" must be a number above 0 and at most 1, found \"1.1\""},
        {"{text: x, share: nan}",
         "f.yaml:1:18: \"share\" must be a number above 0 and at most 1, found \"nan\""},
        {"{text: x, pause: soon}",
         "f.yaml:1:18: \"pause\" must be a duration such as 90s, 5m or 1h30m, found \"soon\""},
        {"{text: x, word: gren}", "f.yaml:1:17: unknown word \"gren\" (did you mean \"green\"?)"},
        {"{text: x, word: [red]}", "f.yaml:1:17: \"word\" must be a word, found a list"},
        {"{text: x, map: y}", "f.yaml:1:16: \"map\" must be a mapping, found \"y\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct thing thing = {0};

        assert_false(bind(cases[i].text, &thing));
        assert_int_equal(err.fault, GR_FAULT_SPEC);
        assert_string_equal(err.message, cases[i].message);
    }
}

static void
test_hints(void **state)
{
    struct thing thing = {0};

    (void)state;
    assert_false(bind("{text: x, word: blue}", &thing));
    assert_string_equal(err.hint, "The words are: red, green.");
    assert_false(bind("{text: x, qqq: blue}", &thing));
    assert_string_equal(err.hint,
                        "The keys here are: text, name, texts, flag, count, share, pause, "
                        "word, map, node, paging.");
}

static void
test_reference(void **state)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf out = gr_buf_new(0);
    const char *text;

    (void)state;
    gr_field_print(&out, table);
    text = gr_buf_text(&out);
    assert_non_null(strstr(text, "| `text` | a text | required | a text to have |\n"));
    assert_non_null(strstr(text, "| `word` | `red`, `green` | `green` | a colour |\n"));
    assert_non_null(strstr(text, "| `name` | a name (a-z, 0-9 and _) | | a name |\n"));
    assert_non_null(strstr(text, "no effect here: `idle`, `mute`.\n"));
}

static void
test_notes_come_once(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        gr_notes_add(&notes, NULL, "note %d", i % 40);
    assert_int_equal(notes.count, 40);
    assert_string_equal(notes.items[39], "note 39");
    gr_notes_add(NULL, NULL, "nowhere");
}

/* Each type has a complete row, and is found by all of its words. */
static void
test_types(void **state)
{
    enum gr_type type;

    (void)state;
    for (unsigned i = 0; i < GR_TYPE_COUNT; i++) {
        const struct gr_type_facts *facts = gr_type_facts((enum gr_type)i);
        char word[32];

        assert_non_null(facts->name);
        assert_non_null(facts->sql);
        assert_non_null(facts->staging);
        assert_true(gr_type_parse(facts->name, &type));
        assert_int_equal(type, i);
        for (const char *at = facts->aliases; *at != '\0'; at += strspn(at, " ")) {
            size_t len = strcspn(at, " ");

            memcpy(word, at, len);
            word[len] = '\0';
            assert_true(gr_type_parse(word, &type));
            assert_int_equal(type, i);
            at += len;
        }
    }
    assert_true(gr_type_parse("STRING", &type));
    assert_int_equal(type, GR_TYPE_TEXT);
    assert_false(gr_type_parse("", &type));
    assert_false(gr_type_parse("int integer", &type));
    assert_false(gr_type_parse("blob", &type));
    assert_string_equal(gr_type_facts(GR_TYPE_JSONB)->staging, "text");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_defaults),        TEST(test_all_kinds), TEST(test_one_text_is_a_list),
        TEST(test_refusals),        TEST(test_hints),     TEST(test_reference),
        TEST(test_notes_come_once), TEST(test_types),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
