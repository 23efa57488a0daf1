/* layers: spec */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gr/base/buf.h"
#include "gr/spec/embedded.h"
#include "gr/spec/names.h"
#include "gr/spec/schema.h"

#define HEAD "stream: things\ndescription: d\npath: /api/things\n"
#define COLUMNS                                                                                    \
    "columns:\n  id: {type: bigint, null: false, description: d}\n"                                \
    "  at: {type: timestamptz, description: d}\n  n: {type: bigint, description: d}\n"

static const struct {
    const char *name;
    bool is_named_only;
} shipped[] = {
    {"account", false},
    {"custom_fields", false},
    {"customer_details", true},
    {"customers", false},
    {"events", false},
    {"integrations", false},
    {"jobs", true},
    {"macros", false},
    {"rules", false},
    {"satisfaction_surveys", false},
    {"tags", false},
    {"teams", false},
    {"ticket_custom_field_values", true},
    {"ticket_messages", false},
    {"tickets", false},
    {"users", false},
    {"views", false},
    {"voice_call_events", true},
    {"voice_call_recordings", true},
    {"voice_calls", true},
    {"widgets", true},
};

enum { SHIPPED = sizeof(shipped) / sizeof(shipped[0]) };

static struct gr_arena *arena;
static struct gr_error err;

static int
set_up(void **state)
{
    (void)state;
    arena = gr_arena_new();
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
parse(const char *text, struct gr_schema *out)
{
    return gr_schema_parse("t.yaml", text, strlen(text), arena, out, &err);
}

static void
test_shipped_files_load(void **state)
{
    struct gr_schemas schemas;

    (void)state;
    if (!gr_schemas_load(NULL, &schemas, &err))
        fail_msg("%s", err.message);
    assert_int_equal(schemas.count, SHIPPED);
    for (size_t i = 0; i < SHIPPED; i++) {
        const struct gr_schema *s = &schemas.items[i];

        assert_string_equal(s->stream, shipped[i].name);
        assert_int_equal(s->is_named_only, shipped[i].is_named_only);
        assert_ptr_equal(gr_schemas_find(&schemas, s->stream), s);
        assert_true(s->key_count >= 1);
        assert_true(s->pass_count >= 1);
        for (size_t j = 0; j < s->column_count; j++) {
            assert_int_equal(s->columns[j].is_key, j < s->key_count);
            assert_true(gr_name_is_plain(s->columns[j].name));
            assert_true(s->columns[j].description[0] != '\0');
            assert_int_equal(gr_schema_column(s, s->columns[j].name), j);
        }
    }
    assert_null(gr_schemas_find(&schemas, "nothing"));
    assert_int_equal(gr_schema_column(&schemas.items[0], "nothing"), -1);
    gr_schemas_free(&schemas);
}

static void
test_facts_of_the_shipped_files(void **state)
{
    struct gr_schemas schemas;
    const struct gr_schema *s;

    (void)state;
    assert_true(gr_schemas_load(NULL, &schemas, &err));
    s = gr_schemas_find(&schemas, "tickets");
    assert_int_equal(s->walk, GR_WALK_NEWEST_FIRST);
    assert_string_equal(s->cursor, "updated_datetime");
    assert_int_equal(s->lookback_ms, 300000);
    s = gr_schemas_find(&schemas, "events");
    assert_int_equal(s->walk, GR_WALK_OLDEST_FIRST);
    assert_string_equal(s->since, "created_datetime[gte]");
    s = gr_schemas_find(&schemas, "custom_fields");
    assert_int_equal(s->walk, GR_WALK_FULL);
    assert_int_equal(s->pass_count, 4);
    assert_true(s->confirm_gone);
    s = gr_schemas_find(&schemas, "account");
    assert_int_equal(s->shape, GR_SHAPE_OBJECT);
    s = gr_schemas_find(&schemas, "ticket_messages");
    assert_int_equal(s->ask, GR_ASK_PARENT);
    assert_string_equal(s->parent, "tickets");
    gr_schemas_free(&schemas);
}

static void
test_a_schema_of_everything(void **state)
{
    struct gr_schema s;

    (void)state;
    if (!parse(HEAD "key: [n, id]\nwalk: oldest_first\ncursor: at\norder: at:asc,id:asc\n"
                    "since: at[gte]\nlookback: 1h\npage_limit: 30\nask: ids\nask_param: ids\n"
                    "passes:\n  - {kind: A, archived: false}\n  - {}\n"
                    "events: {object_type: Thing, types: [thing-deleted]}\n"
                    "columns:\n  id: {type: bigint, description: d}\n"
                    "  at: {type: timestamptz, description: d, null: true}\n"
                    "  n: {type: bigint, null: no, description: d}\n"
                    "  u: {type: bigint, volatile: true, description: d}\n",
               &s))
        fail_msg("%s", err.message);
    assert_string_equal(s.columns[0].name, "n");
    assert_string_equal(s.columns[1].name, "id");
    assert_string_equal(s.columns[2].name, "at");
    assert_true(s.columns[0].is_key);
    assert_true(s.columns[3].is_volatile);
    assert_int_equal(s.key_count, 2);
    assert_int_equal(s.page_limit, 30);
    assert_int_equal(s.ask, GR_ASK_IDS);
    assert_int_equal(s.pass_count, 2);
    assert_string_equal(s.passes[0].params[1].name, "archived");
    assert_string_equal(s.passes[0].params[1].value, "false");
    assert_int_equal(s.passes[1].count, 0);
    assert_string_equal(s.event_types[0], "thing-deleted");
}

static void
test_each_ask_word(void **state)
{
    static const struct {
        const char *text;
        enum gr_ask ask;
    } cases[] = {
        {"", GR_ASK_NONE},
        {"ask: none\n", GR_ASK_NONE},
        {"ask: ids\nask_param: p\n", GR_ASK_IDS},
        {"ask: object\n", GR_ASK_OBJECT},
        {"ask: exists\n", GR_ASK_EXISTS},
        {"ask: parent\nask_param: p\nparent: q\nparent_key: n\nparent_count: c\n", GR_ASK_PARENT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[1024];
        struct gr_schema s;

        (void)snprintf(text, sizeof(text), HEAD "key: [id]\nwalk: full\n%s" COLUMNS, cases[i].text);
        assert_true(parse(text, &s));
        assert_int_equal(s.ask, cases[i].ask);
    }
}

static void
test_refusals(void **state)
{
#define FULL   HEAD "key: [id]\nwalk: full\n"
#define NONE   HEAD "key: [id]\nwalk: none\n"
#define NEWEST HEAD "key: [id]\nwalk: newest_first\n"
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"stream: things", "t.yaml:1:1: key \"description\" is missing"},
        {"stream: Things\ndescription: d",
         "t.yaml:1:9: \"stream\" must be a name (a-z, 0-9 and _), found \"Things\""},
        {FULL "pagination: x\n" COLUMNS, "t.yaml:6:1: unknown key \"pagination\""},
        {FULL "fullorder: x\n" COLUMNS,
         "t.yaml:6:1: unknown key \"fullorder\" (did you mean \"full_order\"?)"},
        {"stream: a\ndescription: d\npath: /things\nkey: [id]\nwalk: full\n" COLUMNS,
         "t.yaml:3:7: \"path\" must begin with /api/, found \"/things\""},
        {"stream: a\ndescription: ''\npath: /api/x\nkey: [id]\nwalk: full\n" COLUMNS,
         "t.yaml:2:14: \"description\" must not be empty"},
        {FULL "page_limit: 0\n" COLUMNS, "t.yaml:6:13: \"page_limit\" must be 1 to 100"},
        {FULL "page_limit: 101\n" COLUMNS, "t.yaml:6:13: \"page_limit\" must be 1 to 100"},
        {HEAD "key: []\nwalk: full\n" COLUMNS, "t.yaml:4:6: \"key\" must name at least one column"},
        {HEAD "key: [nr]\nwalk: full\n" COLUMNS,
         "t.yaml:4:6: key column \"nr\" is not among the columns"},
        {HEAD "key: [id, id]\nwalk: full\n" COLUMNS, "t.yaml:4:6: key column \"id\" comes twice"},
        {HEAD "key: [id]\nwalk: sideways\n" COLUMNS, "t.yaml:5:7: unknown walk \"sideways\""},
        {FULL "cursor: at\n" COLUMNS,
         "t.yaml:6:9: \"cursor\" has a meaning only with \"walk: newest_first\""},
        {NEWEST "order: at:desc\n" COLUMNS,
         "t.yaml:1:1: \"newest_first\" needs the key \"cursor\""},
        {NEWEST "cursor: at\n" COLUMNS, "t.yaml:1:1: \"newest_first\" needs the key \"order\""},
        {NEWEST "cursor: n\norder: n:desc\n" COLUMNS,
         "t.yaml:6:9: cursor \"n\" must be a timestamptz column"},
        {NEWEST "cursor: updated_datime\norder: at:desc\n" COLUMNS,
         "t.yaml:6:9: cursor \"updated_datime\" is not among the columns"},
        {NEWEST "cursor: at\norder: at:asc\n" COLUMNS,
         "t.yaml:7:8: \"order\" must begin with \"at:desc\" for walk newest_first"},
        {NEWEST "cursor: at\norder: n:desc,at:desc\n" COLUMNS,
         "t.yaml:7:8: \"order\" must begin with \"at:desc\" for walk newest_first"},
        {NEWEST "cursor: at\norder: at\n" COLUMNS,
         "t.yaml:7:8: \"order\" must be column:asc or column:desc, found \"at\""},
        {NEWEST "cursor: at\norder: at:desc,\n" COLUMNS,
         "t.yaml:7:8: \"order\" must be column:asc or column:desc, found \"at:desc,\""},
        {FULL "full_order: z:asc\n" COLUMNS,
         "t.yaml:6:13: \"full_order\" names \"z\", which is not among the columns"},
        {NEWEST "cursor: at\norder: at:desc\nsince: x\n" COLUMNS,
         "t.yaml:8:8: \"since\" has a meaning only with \"walk: oldest_first\""},
        {FULL "ask: ids\n" COLUMNS, "t.yaml:1:1: \"ask: ids\" needs the key \"ask_param\""},
        {FULL "ask: parent\nask_param: x\n" COLUMNS,
         "t.yaml:1:1: \"ask: parent\" needs the key \"parent\""},
        {FULL "parent: x\n" COLUMNS,
         "t.yaml:6:9: \"parent\" has a meaning only with \"ask: parent\""},
        {FULL "ask: parent\nask_param: x\nparent: p\nparent_key: z\nparent_count: c\n" COLUMNS,
         "t.yaml:9:13: parent_key \"z\" is not among the columns"},
        {NONE COLUMNS, "t.yaml:5:7: \"walk: none\" needs \"made_from\", or \"ask: object\" and "
                       "\"parent\""},
        {NONE "ask: object\n" COLUMNS, "t.yaml:1:1: \"ask: object\" needs the key \"parent\""},
        {NONE "ask: object\nparent: p\nparent_key: n\n" COLUMNS,
         "t.yaml:8:13: \"parent_key\" must be the key with \"walk: none\": each row is asked for "
         "by "
         "the id of its parent"},
        {NONE "ask: object\nparent: p\nparent_key: id\nparent_count: n\n" COLUMNS,
         "t.yaml:9:15: \"parent_count\" has a meaning only with \"ask: parent\""},
        {FULL "made_from: p\nmade_of: m\nparent_key: id\n" COLUMNS,
         "t.yaml:6:12: \"made_from\" has a meaning only with \"walk: none\""},
        {FULL "made_of: p\n" COLUMNS,
         "t.yaml:6:10: \"made_of\" has a meaning only with \"made_from\""},
        {NONE "made_from: p\nparent_key: id\n" COLUMNS,
         "t.yaml:1:1: \"made_from\" needs the key \"made_of\""},
        {NONE "made_from: p\nmade_of: m\n" COLUMNS,
         "t.yaml:1:1: \"made_from\" needs the key \"parent_key\""},
        {NONE "made_from: p\nmade_of: m\nparent_key: id\n" COLUMNS,
         "t.yaml:4:6: \"key\" must be \"parent_key\" and the entry's name with \"made_from\""},
        {HEAD "key: [id, n]\nwalk: none\nmade_from: p\nmade_of: m\nparent_key: id\n" COLUMNS,
         "t.yaml:10:3: column \"at\" must be text or jsonb with \"made_from\""},
        {HEAD "key: [id, n]\nwalk: none\nmade_from: p\nmade_of: m\nparent_key: id\n"
              "columns:\n  id: { type: bigint, description: \"x\" }\n  n: { type: bigint, "
              "description: \"x\" }\n",
         "t.yaml:10:3: \"made_from\" needs a column for the value of an entry"},
        {HEAD "key: [id, n]\nwalk: none\nmade_from: p\nmade_of: m\nparent_key: id\nask: ids\n"
              "ask_param: x\n" COLUMNS,
         "t.yaml:9:6: \"ask\" does not go with \"made_from\": nothing is asked for"},
        {FULL "shape: object\nask: object\n" COLUMNS,
         "t.yaml:6:8: \"shape: object\" goes with \"walk: full\" and without \"ask\""},
        {FULL "passes: {}\n" COLUMNS,
         "t.yaml:6:9: \"passes\" must be a list with at least one mapping"},
        {FULL "passes: [a]\n" COLUMNS,
         "t.yaml:6:10: a pass must be a mapping of query parameters, found \"a\""},
        {FULL "passes: [{a: []}]\n" COLUMNS,
         "t.yaml:6:14: a query parameter must be a text, found a list"},
        {FULL "events: {object_type: X, types: [y]}\n" COLUMNS,
         "t.yaml:6:9: \"events\" needs \"ask\", which says how the rows that they name are asked "
         "for"},
        {FULL "ask: object\nevents: {object_type: X, types: []}\n" COLUMNS,
         "t.yaml:7:9: \"types\" must name at least one event type"},
        {FULL COLUMNS "  _hash: {type: bigint, description: d}\n",
         "t.yaml:10:3: column name \"_hash\" is taken: every table has a column of that name"},
        {FULL COLUMNS "  camelCase: {type: bigint, description: d}\n",
         "t.yaml:10:3: column name \"camelCase\" must be a name (a-z, 0-9 and _)"},
        {FULL COLUMNS "  x: {type: varchar, description: d}\n",
         "t.yaml:10:13: unknown type \"varchar\"; it must be bigint, double, boolean, text, "
         "timestamptz or jsonb"},
        {FULL COLUMNS "  x: {type: text, fields: {a: text}, description: d}\n",
         "t.yaml:10:27: column \"x\" is no jsonb, so it has no fields"},
        {FULL COLUMNS "  x: {type: jsonb, fields: {a: {b: string}}, description: d}\n",
         "t.yaml:10:36: unknown type \"string\"; it must be bigint, double, boolean, text, "
         "timestamptz or jsonb"},
        {FULL COLUMNS "  x: {type: jsonb, fields: {A: text}, description: d}\n",
         "t.yaml:10:29: \"x__A\" must be a name (a-z, 0-9 and _) of at most 63 bytes"},
        {FULL COLUMNS "  x: {type: text}\n", "t.yaml:10:6: key \"description\" is missing"},
        {FULL COLUMNS "  x: {type: text, description: d, null: false}\n",
         "t.yaml:10:41: column \"x\" is not in the key, so it cannot be \"null: false\""},
        {FULL "columns:\n  id: {type: bigint, description: d, null: true}\n",
         "t.yaml:7:44: column \"id\" is in the key, so it cannot be \"null: true\""},
        {FULL "columns:\n  id: {type: bigint, description: d, null: 1}\n",
         "t.yaml:7:44: \"null\" must be true or false, found \"1\""},
        {FULL "columns:\n  id: {type: bigint, description: d, volatile: true}\n",
         "t.yaml:7:3: column \"id\" is in the key, so it cannot be volatile"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gr_schema s;

        if (parse(cases[i].text, &s))
            fail_msg("accepted, instead of: %s", cases[i].message);
        assert_int_equal(err.fault, GR_FAULT_SPEC);
        assert_string_equal(err.message, cases[i].message);
    }
}

/* A folder of schema files made for the test. */
static char folder[] = "/tmp/gr-test-schema-XXXXXX";

static void
write_file(const char *name, const char *text)
{
    char path[256];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static void
remove_file(const char *name)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    (void)unlink(path);
}

static void
expect_folder_refusal(const char *tail)
{
    struct gr_schemas schemas;
    char message[512];

    assert_false(gr_schemas_load(folder, &schemas, &err));
    (void)snprintf(message, sizeof(message), "%s/%s", folder, tail);
    assert_string_equal(err.message, message);
}

static void
test_folder(void **state)
{
    struct gr_schemas schemas;
    char text[2048];

    (void)state;
    (void)memcpy(strstr(folder, "schema-") + 7, "XXXXXX", 6);
    assert_non_null(mkdtemp(folder));
    write_file("README.txt", "not a schema");
    write_file("things.yaml", FULL COLUMNS);
    write_file("tags.yml", "stream: tags\ndescription: mine\npath: /api/tags\nkey: [id]\n"
                           "walk: full\n" COLUMNS);
    if (!gr_schemas_load(folder, &schemas, &err))
        fail_msg("%s", err.message);
    assert_int_equal(schemas.count, SHIPPED + 1);
    assert_string_equal(gr_schemas_find(&schemas, "tags")->description, "mine");
    assert_int_equal(gr_schemas_find(&schemas, "tags")->column_count, 3);
    gr_schemas_free(&schemas);

    write_file("things2.yaml", FULL COLUMNS);
    (void)snprintf(text, sizeof(text),
                   "things2.yaml: stream \"things\" is declared in %s/things.yaml too", folder);
    expect_folder_refusal(text);
    remove_file("things2.yaml");

    write_file("things.yaml", FULL "ask: parent\nask_param: x\nparent: nobody\nparent_key: n\n"
                                   "parent_count: c\n" COLUMNS);
    expect_folder_refusal("things.yaml: parent \"nobody\" is not a stream");
    write_file("things.yaml", FULL "ask: parent\nask_param: x\nparent: tickets\nparent_key: n\n"
                                   "parent_count: c\n" COLUMNS);
    expect_folder_refusal("things.yaml: parent_count \"c\" is not a bigint column of "
                          "schemas/tickets.yaml");
    write_file("things.yaml", FULL "ask: parent\nask_param: x\nparent: things\nparent_key: n\n"
                                   "parent_count: n\n" COLUMNS);
    expect_folder_refusal("things.yaml: the stream is its own parent");
    write_file("things.yaml", "");
    expect_folder_refusal("things.yaml: the file is empty");
    remove_file("things.yaml");
    remove_file("tags.yml");
    remove_file("README.txt");
    assert_int_equal(rmdir(folder), 0);

    assert_false(gr_schemas_load("/nowhere", &schemas, &err));
    assert_int_equal(err.fault, GR_FAULT_USAGE);
    assert_string_equal(err.message,
                        "cannot open the schemas folder /nowhere: No such file or directory");
}

/* What is shipped can be copied, changed and given back. */
static void
test_shipped_folder_replaces_itself(void **state)
{
    struct gr_schemas schemas;

    (void)state;
    if (!gr_schemas_load(GR_SOURCE_DIR "/schemas", &schemas, &err))
        fail_msg("%s", err.message);
    assert_int_equal(schemas.count, SHIPPED);
    gr_schemas_free(&schemas);
}

/* The manual names every key that the shipped files use. */
static void
test_reference(void **state)
{
    static const char *const keys[] = {"`stream`", "`walk`",     "`full_order`",  "`passes`",
                                       "`exists`", "`volatile`", "`object_type`", "`timestamptz`"};
    GR_CLEANUP(gr_buf_free) struct gr_buf out = gr_buf_new(0);

    (void)state;
    gr_schema_reference(&out);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        assert_non_null(strstr(gr_buf_text(&out), keys[i]));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_shipped_files_load),
        TEST(test_facts_of_the_shipped_files),
        TEST(test_a_schema_of_everything),
        TEST(test_each_ask_word),
        TEST(test_refusals),
        TEST(test_folder),
        TEST(test_shipped_folder_replaces_itself),
        TEST(test_reference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
