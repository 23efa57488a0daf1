/* layers: cli */
/* The command line: every row of the tables of commands and options, and what is not in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "cli_golden.h"
#include "gr/cli/completion.h"
#include "gr/cli/exit_codes.h"
#include "gr/cli/help.h"
#include "gr/cli/options.h"
#include "gr/cli/text.h"
#include "gr/spec/schema.h"

enum { ARGS_MAX = 24 };

/* A command line as one text, words apart by spaces. */
struct words {
    char text[256];
    const char *argv[ARGS_MAX];
    int argc;
};

static void
split(const char *line, struct words *words)
{
    char *at = words->text;

    *words = (struct words){.argv = {"gorgias-replicate"}, .argc = 1};
    (void)snprintf(words->text, sizeof(words->text), "%s", line);
    while (*(at += strspn(at, " ")) != '\0') {
        words->argv[words->argc++] = at;
        at += strcspn(at, " ");
        if (*at == ' ')
            *at++ = '\0';
    }
    words->argv[words->argc] = NULL;
}

static bool
parse(const char *line, struct words *words, struct gr_options *options, struct gr_error *err)
{
    *err = (struct gr_error){0};
    split(line, words);
    return gr_options_parse(words->argc, words->argv, options, err);
}

/* A value that an option takes, "" for a flag. */
static const char *
value_for(const struct gr_option *option, char text[64])
{
    static const char *const values[GR_OPTION_KINDS] = {
        [GR_OPTION_FLAG] = "",    [GR_OPTION_TEXT] = "x",   [GR_OPTION_WORDS] = "a,-tag:b",
        [GR_OPTION_PAIR] = "K=V", [GR_OPTION_NUMBER] = "7", [GR_OPTION_DURATION] = "1h30m",
    };

    if (option->kind != GR_OPTION_CHOICE)
        return values[option->kind];
    (void)snprintf(text, 64, "%.*s", (int)strcspn(option->argument, "|"), option->argument);
    return text;
}

/* Every option with every command that is there, in both forms. */
static void
test_every_option(void **state)
{
    (void)state;
    for (size_t c = 0; c < GR_COMMAND_COUNT; c++) {
        for (size_t o = 0; o < gr_option_row_count; o++) {
            const struct gr_command *command = &gr_commands[c];
            const struct gr_option *option = &gr_option_rows[o];
            bool takes = (option->commands & gr_command_bit(command)) != 0;
            char value[64], line[256];

            /* A row of the same name may be the command's own. */
            for (size_t i = 0; i < gr_option_row_count; i++)
                takes = takes || (strcmp(option->name, gr_option_rows[i].name) == 0 &&
                                  (gr_option_rows[i].commands & gr_command_bit(command)) != 0);
            if (strcmp(option->name, "discover") == 0 ||
                (strcmp(option->name, "output") == 0 && option->kind == GR_OPTION_TEXT))
                continue;
            for (int form = 0; form < 2; form++) {
                struct gr_options options;
                struct words words;
                struct gr_error err;
                bool ok;

                (void)snprintf(line, sizeof(line), "%s %s --%s%s%s", command->name,
                               command->arguments, option->name,
                               option->kind == GR_OPTION_FLAG ? ""
                               : form == 0                    ? "="
                                                              : " ",
                               value_for(option, value));
                ok = parse(line, &words, &options, &err);
                if (ok != takes)
                    print_message("%s: %s\n", line, err.message);
                assert_int_equal(ok, takes);
                if (!takes)
                    assert_non_null(strstr(err.message, option->name));
                else
                    assert_ptr_equal(options.command, command);
                gr_options_free(&options);
            }
        }
    }
}

static void
test_rows_are_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < GR_COMMAND_COUNT; i++) {
        assert_non_null(gr_commands[i].name);
        assert_non_null(gr_commands[i].arguments);
        assert_non_null(gr_commands[i].help);
        assert_non_null(gr_commands[i].run);
    }
    for (size_t i = 0; i < gr_option_row_count; i++) {
        const struct gr_option *option = &gr_option_rows[i];

        assert_true(option->help[0] != '\0');
        assert_true(option->commands != 0);
        assert_true(option->at > 0);
        assert_int_equal(option->kind == GR_OPTION_FLAG, option->argument[0] == '\0');
        for (size_t j = 0; j < i; j++) {
            const struct gr_option *other = &gr_option_rows[j];
            bool is_same = strcmp(option->name, other->name) == 0;

            /* Only what no command takes twice may have one name. */
            assert_true(!is_same || (option->commands & other->commands) == 0);
            assert_true(is_same || option->letter == 0 || option->letter != other->letter);
            assert_int_equal(is_same ? option->letter : 0, is_same ? other->letter : 0);
            assert_int_equal(is_same ? option->kind == GR_OPTION_FLAG : 0,
                             is_same ? other->kind == GR_OPTION_FLAG : 0);
            assert_true(option->at != other->at);
        }
    }
}

static void
test_values(void **state)
{
    struct gr_options options;
    struct words words;
    struct gr_error err;

    (void)state;
    assert_true(
        parse("--log-level debug --streams a run --streams=b,c x.yaml --env A=1 --env B=x=y "
              "-o json",
              &words, &options, &err));
    assert_ptr_equal(options.command, &gr_commands[GR_COMMAND_RUN]);
    assert_string_equal(options.file, "x.yaml");
    assert_string_equal(options.streams, "a,b,c");
    assert_string_equal(options.log_level, "debug");
    assert_string_equal(options.output, "json");
    assert_string_equal(options.progress, "auto");
    assert_string_equal(options.env.items[0], "A=1");
    assert_string_equal(options.env.items[1], "B=x=y");
    assert_null(options.env.items[2]);
    gr_options_free(&options);

    assert_true(parse("run --max-duration 50m --limit 10 --limit 20 --threads=3 --full-refresh "
                      "--mode full-refresh --range 2024-01-01,2024-02-01 --dry-run -- --odd.yaml",
                      &words, &options, &err));
    assert_int_equal(options.max_duration_ms, 50 * 60000);
    assert_int_equal(options.limit_rows, 20);
    assert_int_equal(options.threads, 3);
    assert_true(options.is_full_refresh);
    assert_true(options.is_dry_run);
    assert_string_equal(options.range, "2024-01-01,2024-02-01");
    assert_string_equal(options.file, "--odd.yaml");
    gr_options_free(&options);

    assert_true(parse("run f --streams -tag:slow", &words, &options, &err));
    assert_string_equal(options.streams, "-tag:slow");
    gr_options_free(&options);
}

/* --discover is the command discover, wherever it stands. */
static void
test_discover(void **state)
{
    static const char *const lines[] = {
        "--discover",
        "discover",
        "--discover discover",
        "--columns --discover",
        "--discover --columns --format json --streams tickets,t*",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct gr_options options;
        struct words words;
        struct gr_error err;

        assert_true(parse(lines[i], &words, &options, &err));
        assert_ptr_equal(options.command, &gr_commands[GR_COMMAND_DISCOVER]);
        gr_options_free(&options);
    }
}

static void
test_help_wins(void **state)
{
    static const struct {
        const char *line;
        int command; /* -1: none */
    } cases[] = {
        {"--help", -1},
        {"-h", -1},
        {"--version", -1},
        {"-V", -1},
        {"run --help", GR_COMMAND_RUN},
        {"--help run", GR_COMMAND_RUN},
        {"run --bogus --limit x -h", GR_COMMAND_RUN},
        {"--discover --help", GR_COMMAND_DISCOVER},
        {"validate a b c --help", GR_COMMAND_VALIDATE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gr_options options;
        struct words words;
        struct gr_error err;

        assert_true(parse(cases[i].line, &words, &options, &err));
        assert_true(options.wants_help || options.wants_version);
        assert_ptr_equal(options.command,
                         cases[i].command < 0 ? NULL : &gr_commands[cases[i].command]);
        gr_options_free(&options);
    }
}

/* clang-format off */
static const struct {
    const char *line;
    const char *message;
    const char *hint; /* a part of it, or NULL */
} refusals[] = {
    {"", "a command is missing", "gorgias-replicate --help"},
    {"--limit 5", "a command is missing", NULL},
    {"rum x", "unknown command \"rum\" (did you mean \"run\"?)", "gorgias-replicate --help"},
    {"replicate-all x", "unknown command \"replicate-all\"", NULL},
    {"referense", "unknown command \"referense\"", NULL},
    {"run f --stream tickets",
     "unknown option \"--stream\" (did you mean \"--streams\"?)", "run --help"},
    {"--stream tickets run f", "unknown option \"--stream\" (did you mean \"--streams\"?)", NULL},
    {"run f --stream=tickets", "unknown option \"--stream\" (did you mean \"--streams\"?)", NULL},
    {"run f --ful-refresh",
     "unknown option \"--ful-refresh\" (did you mean \"--full-refresh\"?)", NULL},
    {"run f --zzzzzzzz", "unknown option \"--zzzzzzzz\"", NULL},
    {"run f -x", "unknown option \"-x\"", NULL},
    {"run -r f", "unknown option \"-r\"", "The file is an argument here"},
    {"run f -d", "unknown option \"-d\"", "--log-level debug"},
    {"run f --src-conn X", "unknown option \"--src-conn\"", "replication file"},
    {"run f --columns", "command \"run\" does not take --columns", "run --help"},
    {"validate f --progress never", "command \"validate\" does not take --progress", NULL},
    {"discover -o json", "command \"discover\" does not take -o", NULL},
    {"run f --discover", "unexpected argument \"run\"", NULL},
    {"run", "command \"run\" needs an argument: FILE", "run --help"},
    {"check", "command \"check\" needs an argument: FILE", NULL},
    {"run f g", "unexpected argument \"g\"", NULL},
    {"discover f", "unexpected argument \"f\"", NULL},
    {"--discover f", "unexpected argument \"f\"", NULL},
    {"run f --limit", "option --limit needs a value: N", NULL},
    {"run f --limit=", "option --limit needs a value: N", NULL},
    {"run f --streams --dry-run", "option --streams needs a value: A,B", NULL},
    {"run f --limit 0", "option --limit wants a whole number from 1, not \"0\"", NULL},
    {"run f --limit -5", "option --limit wants a whole number from 1, not \"-5\"", NULL},
    {"run f --limit 5k", "option --limit wants a whole number from 1, not \"5k\"", NULL},
    {"run f --limit 99999999999999999999",
     "option --limit wants a whole number from 1, not \"99999999999999999999\"", NULL},
    {"run f --max-duration soon",
     "option --max-duration wants a duration such as 90s, 50m or 1h30m, not \"soon\"", NULL},
    {"run f --max-duration 0s",
     "option --max-duration wants a duration such as 90s, 50m or 1h30m, not \"0s\"", NULL},
    {"run f --progress maybe", "option --progress wants auto|always|never, not \"maybe\"", NULL},
    {"run f --progress aut", "option --progress wants auto|always|never, not \"aut\"", NULL},
    {"run f -o xml", "option -o wants text|json, not \"xml\"", NULL},
    {"run f --env HOME", "option --env wants NAME=VALUE, not \"HOME\"", NULL},
    {"run f --env =x", "option --env wants NAME=VALUE, not \"=x\"", NULL},
    {"run f --dry-run=yes", "option --dry-run takes no value, not even \"yes\"", NULL},
    {"run f --full-refresh --mode incremental",
     "--full-refresh and --mode incremental contradict each other", NULL},
    {"audit f --max-requests 0", "option --max-requests wants a whole number from 1, not \"0\"", NULL},
    {"audit f --mode incremental", "command \"audit\" does not take --mode", NULL},
    {"run f --max-requests 5", "command \"run\" does not take --max-requests", NULL},
    {"report f --html", "unknown option \"--html\"", "report --help"},
    {"preview f", "command \"preview\" needs an argument: STREAM", NULL},
    {"preview", "command \"preview\" needs an argument: FILE", NULL},
    {"preview f tickets tags", "unexpected argument \"tags\"", NULL},
    {"state f", "command \"state\" needs an argument: show|reset|set", NULL},
    {"status f tickets", "unexpected argument \"tickets\"", NULL},
    {"init f --streams x", "command \"init\" does not take --streams", NULL},
    {"report f p.html", "unexpected argument \"p.html\"", NULL},
    {"report f -o", "option -o needs a value: PAGE.html", NULL},
    {"run f -o p.html", "option -o wants text|json, not \"p.html\"", NULL},
    {"bogus --help", "unknown command \"bogus\"", NULL},
};
/* clang-format on */

static void
test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct gr_options options;
        struct words words;
        struct gr_error err;

        assert_false(parse(refusals[i].line, &words, &options, &err));
        assert_int_equal(err.fault, GR_FAULT_USAGE);
        assert_string_equal(err.message, refusals[i].message);
        if (refusals[i].hint != NULL)
            assert_non_null(strstr(err.hint, refusals[i].hint));
        gr_options_free(&options);
    }
}

/* However wrong the line is, the error is told in the form that it asks for. */
/* What stands behind FILE. */
static void
test_words(void **state)
{
    struct gr_options options;
    struct words words;
    struct gr_error err;

    (void)state;
    assert_true(parse("state -o json f reset tickets -- -tags", &words, &options, &err));
    assert_string_equal(options.file, "f");
    assert_int_equal(options.word_count, 3);
    assert_string_equal(options.words[0], "reset");
    assert_string_equal(options.words[2], "-tags");
    gr_options_free(&options);
    assert_true(parse("run f", &words, &options, &err));
    assert_int_equal(options.word_count, 0);
    gr_options_free(&options);
}

static void
test_log_format_of_a_refusal(void **state)
{
    struct gr_options options;
    struct words words;
    struct gr_error err;

    (void)state;
    assert_false(parse("run --bogus f --limit x --log-format json", &words, &options, &err));
    assert_string_equal(options.log_format, "json");
    gr_options_free(&options);
}

static void
assert_width(const struct gr_buf *text)
{
    for (const char *line = gr_buf_text(text); *line != '\0';) {
        size_t len = strcspn(line, "\n");
        char copy[512];

        (void)snprintf(copy, sizeof(copy), "%.*s", (int)len, line);
        if (gr_text_width(copy) > GR_HELP_WIDTH)
            print_message("%s\n", copy);
        assert_true(gr_text_width(copy) <= GR_HELP_WIDTH);
        line += len + (line[len] == '\n' ? 1 : 0);
    }
}

static void
test_help(void **state)
{
    struct gr_buf all = gr_buf_new(0);

    (void)state;
    gr_help_put(NULL, &all);
    for (size_t i = 0; i < GR_COMMAND_COUNT; i++) {
        if (gr_commands[i].is_hidden) {
            char name[64];

            (void)snprintf(name, sizeof(name), "gorgias-replicate %s", gr_commands[i].name);
            assert_null(strstr(gr_buf_text(&all), name));
            continue;
        }
        gr_buf_printf(&all, "\n=== %s --help\n", gr_commands[i].name);
        gr_help_put(&gr_commands[i], &all);
    }
    assert_width(&all);
    assert_golden(&all, "help.txt");
    gr_buf_free(&all);
}

static void
test_reference(void **state)
{
    struct gr_buf text = gr_buf_new(0);

    (void)state;
    gr_help_put_reference(&text);
    for (int fault = GR_OK + 1; fault < GR_FAULT_COUNT; fault++) {
        char name[64];

        (void)snprintf(name, sizeof(name), "`%s`", gr_fault_facts((enum gr_fault)fault)->name);
        assert_non_null(strstr(gr_buf_text(&text), name));
    }
    assert_golden(&text, "reference.md");
    gr_buf_free(&text);
}

/* Rows are in the order of their codes, and no fault ends with a code that is not among them. */
static void
test_exit_codes(void **state)
{
    (void)state;
    for (size_t i = 0; i < gr_exit_code_count; i++) {
        assert_int_equal(gr_exit_codes[i].code, i);
        assert_non_null(gr_exit_codes[i].meaning);
        assert_non_null(gr_exit_codes[i].scheduler);
    }
    for (int fault = GR_OK; fault < GR_FAULT_COUNT; fault++)
        assert_in_range(gr_fault_facts((enum gr_fault)fault)->exit_code, 0, gr_exit_code_count - 1);
}

/* The shells complete by these: an argument that a table names, with what may stand there. */
static void
test_offers(void **state)
{
    static const struct {
        const char *argument;
        enum gr_offer offer;
        const char *words;
    } cases[] = {
        {"FILE", GR_OFFER_YAML, ""},
        {"DIR", GR_OFFER_FOLDER, ""},
        {"PATH", GR_OFFER_FILE, ""},
        {"N", GR_OFFER_NOTHING, ""},
        {"text|json", GR_OFFER_WORDS, "text json"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gr_buf words = gr_buf_new(0);

        assert_int_equal(gr_completion_offer(cases[i].argument, &words), cases[i].offer);
        assert_string_equal(gr_buf_text(&words), cases[i].words);
        gr_buf_free(&words);
    }
}

/* The streams that are offered are the streams that there are. */
static void
test_offered_streams(void **state)
{
    struct gr_buf offered = gr_buf_new(0), wanted = gr_buf_new(0);
    struct gr_schemas schemas;
    struct gr_error err;

    (void)state;
    assert_true(gr_schemas_load(NULL, &schemas, &err));
    for (size_t i = 0; i < schemas.count; i++)
        gr_buf_printf(&wanted, "%s%s", i > 0 ? " " : "", schemas.items[i].stream);
    assert_int_equal(gr_completion_offer("A,B", &offered), GR_OFFER_LIST);
    assert_string_equal(gr_buf_text(&offered), gr_buf_text(&wanted));
    gr_schemas_free(&schemas);
    gr_buf_free(&offered);
    gr_buf_free(&wanted);
}

static void
test_arguments(void **state)
{
    static const char *const wanted[] = {"FILE", "show|reset|set", "[STREAM...]"};
    struct gr_buf argument = gr_buf_new(0);

    (void)state;
    for (size_t place = 0; place < 3; place++) {
        gr_buf_reset(&argument);
        assert_true(gr_completion_argument(&gr_commands[GR_COMMAND_STATE], place, &argument));
        assert_string_equal(gr_buf_text(&argument), wanted[place]);
    }
    assert_false(gr_completion_argument(&gr_commands[GR_COMMAND_STATE], 3, &argument));
    assert_false(gr_completion_argument(&gr_commands[GR_COMMAND_DISCOVER], 0, &argument));
    gr_buf_free(&argument);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_option), cmocka_unit_test(test_rows_are_whole),
        cmocka_unit_test(test_values),       cmocka_unit_test(test_discover),
        cmocka_unit_test(test_help_wins),    cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_words),        cmocka_unit_test(test_log_format_of_a_refusal),
        cmocka_unit_test(test_help),         cmocka_unit_test(test_reference),
        cmocka_unit_test(test_exit_codes),   cmocka_unit_test(test_offers),
        cmocka_unit_test(test_arguments),    cmocka_unit_test(test_offered_streams),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
