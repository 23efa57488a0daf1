/* options.c - the reading of a command line by the tables of commands and options. */
#include "gr/cli/options.h"

#include <string.h>

#include "gr/spec/names.h"

enum { OPTIONS_MAX = 64 }; /* of which one may have been meant */

/* clang-format off */
/* What users of Sling type, and what it is called here. */
static const struct {
    const char *names;
    const char *hint;
} sling_names[] = {
    {" -r --replication ", "The file is an argument here: gorgias-replicate run FILE."},
    {" -d --debug --trace ", "It is called --log-level debug here."},
    {" -s --select ", "Use --streams for streams; columns are chosen by select: in the file."},
    {" -m ", "It is called --mode here."},
    {" -l ", "It is called --limit here."},
    {" --src-conn --tgt-conn --src-stream --tgt-object ",
     "Streams and connections are named in a replication file."},
};
/* clang-format on */

/* An option as it stands on the command line. */
struct seen {
    const char *written;            /* --streams                            */
    const struct gr_option *option; /* NULL: there is no such one           */
    const char *value;              /* NULL: none                           */
};

/* A command line taken apart, not yet judged. */
struct line {
    struct seen *seen;
    size_t seen_count;
    const char **words; /* command and arguments */
    size_t word_count;
};

static const struct gr_option *
find_option(const char *written)
{
    for (size_t i = 0; i < gr_option_row_count; i++) {
        const struct gr_option *option = &gr_option_rows[i];
        const char letter[] = {'-', option->letter, '\0'};

        if (option->letter != 0 && strcmp(written, letter) == 0)
            return option;
        if (strncmp(written, "--", 2) == 0 && strcmp(written + 2, option->name) == 0)
            return option;
    }
    return NULL;
}

/* Takes one option; returns how many words of argv it took. */
static int
take_option(struct line *line, struct gr_arena *arena, const char *const *argv)
{
    struct seen *seen = &line->seen[line->seen_count++];
    const char *equals = strncmp(argv[0], "--", 2) == 0 ? strchr(argv[0], '=') : NULL;

    seen->written = argv[0];
    if (equals != NULL) {
        seen->written = gr_arena_strndup(arena, argv[0], (size_t)(equals - argv[0]));
        seen->value = equals + 1;
    }
    seen->option = find_option(seen->written);
    if (seen->option == NULL || seen->option->kind == GR_OPTION_FLAG || equals != NULL)
        return 1;
    /* A value may begin with a dash (-tag:x), but what looks like an option is one. */
    if (argv[1] == NULL || strncmp(argv[1], "--", 2) == 0)
        return 1;
    seen->value = argv[1];
    return 2;
}

static void
take_apart(struct line *line, struct gr_arena *arena, int argc, const char *const *argv)
{
    bool is_over = false;

    line->seen = gr_arena_alloc(arena, (size_t)argc + 1, sizeof(line->seen[0]));
    line->words = gr_arena_alloc(arena, (size_t)argc + 1, sizeof(line->words[0]));
    for (int i = 1; i < argc;) {
        if (!is_over && strcmp(argv[i], "--") == 0) {
            is_over = true;
            i++;
        } else if (!is_over && argv[i][0] == '-' && argv[i][1] != '\0') {
            i += take_option(line, arena, argv + i);
        } else {
            line->words[line->word_count++] = argv[i++];
        }
    }
}

static bool
hint_help(const struct gr_command *command, struct gr_error *err)
{
    if (command == NULL)
        return gr_hint(err, "gorgias-replicate --help lists the commands.");
    return gr_hint(err, "gorgias-replicate %s --help lists its options.", command->name);
}

static bool
fail_unknown_option(const struct seen *seen, const struct gr_options *options, struct gr_error *err)
{
    const char *names[OPTIONS_MAX];
    const char *dashed = gr_arena_printf(options->arena, " %s ", seen->written);
    size_t count = 0;

    for (size_t i = 0; i < gr_option_row_count && count < OPTIONS_MAX; i++)
        if (options->command == NULL ||
            (gr_option_rows[i].commands & gr_command_bit(options->command)) != 0)
            names[count++] = gr_arena_printf(options->arena, "--%s", gr_option_rows[i].name);
    (void)gr_fail(err, GR_FAULT_USAGE, "unknown option \"%s\"%s", seen->written,
                  gr_name_did_you_mean(options->arena, seen->written, names, count));
    for (size_t i = 0; i < sizeof(sling_names) / sizeof(sling_names[0]); i++)
        if (strstr(sling_names[i].names, dashed) != NULL)
            return gr_hint(err, "%s", sling_names[i].hint);
    return hint_help(options->command, err);
}

static bool
fail_unknown_command(const char *word, const struct gr_options *options, struct gr_error *err)
{
    const char *names[GR_COMMAND_COUNT];
    size_t count = 0;

    for (size_t i = 0; i < GR_COMMAND_COUNT; i++)
        if (!gr_commands[i].is_hidden)
            names[count++] = gr_commands[i].name;
    (void)gr_fail(err, GR_FAULT_USAGE, "unknown command \"%s\"%s", word,
                  gr_name_did_you_mean(options->arena, word, names, count));
    return hint_help(NULL, err);
}

static const struct gr_command *
find_command(const char *word)
{
    for (size_t i = 0; i < GR_COMMAND_COUNT; i++)
        if (strcmp(gr_commands[i].name, word) == 0)
            return &gr_commands[i];
    return NULL;
}

/* --discover stands for its command, and takes no word for it. */
static void
find_command_of(struct line *line, struct gr_options *out)
{
    for (size_t i = 0; i < line->seen_count; i++)
        if (line->seen[i].option != NULL &&
            line->seen[i].option->at == offsetof(struct gr_options, wants_discover))
            out->command = &gr_commands[GR_COMMAND_DISCOVER];
    if (line->word_count == 0)
        return;
    if (out->command == NULL || strcmp(line->words[0], out->command->name) == 0) {
        out->command = find_command(line->words[0]);
        if (out->command != NULL) {
            line->words++;
            line->word_count--;
        }
    }
}

static bool
judge_command(const struct line *line, const struct gr_options *options, struct gr_error *err)
{
    return options->command != NULL || line->word_count == 0 ||
           fail_unknown_command(line->words[0], options, err);
}

/* The row of that name that is the command's, if one is. */
static const struct gr_option *
option_of(const struct gr_command *command, const struct gr_option *option)
{
    for (size_t i = 0; option != NULL && i < gr_option_row_count; i++)
        if (strcmp(gr_option_rows[i].name, option->name) == 0 &&
            (gr_option_rows[i].commands & gr_command_bit(command)) != 0)
            return &gr_option_rows[i];
    return option;
}

static bool
judge_option(struct gr_options *options, const struct seen *seen, struct gr_error *err)
{
    const struct gr_command *command = options->command;
    const struct gr_option *option = option_of(command, seen->option);
    bool is_flag = option != NULL && option->kind == GR_OPTION_FLAG;

    if (option == NULL)
        return fail_unknown_option(seen, options, err);
    if (command != NULL && (option->commands & gr_command_bit(command)) == 0)
        return gr_fail(err, GR_FAULT_USAGE, "command \"%s\" does not take %s", command->name,
                       seen->written) ||
               hint_help(command, err);
    if (is_flag && seen->value != NULL)
        return gr_fail(err, GR_FAULT_USAGE, "option %s takes no value, not even \"%s\"",
                       seen->written, seen->value);
    if (!is_flag && (seen->value == NULL || seen->value[0] == '\0'))
        return gr_fail(err, GR_FAULT_USAGE, "option %s needs a value: %s", seen->written,
                       option->argument);
    return gr_option_set(options, option, seen->written, seen->value, err);
}

/* The first error counts, but all options are read: --log-format decides how the error is told. */
static bool
judge_options(const struct line *line, struct gr_options *out, struct gr_error *err)
{
    struct gr_error other;
    bool ok = true;

    for (size_t i = 0; i < line->seen_count; i++)
        ok = judge_option(out, &line->seen[i], ok ? err : &other) && ok;
    return ok;
}

/* How many words fit "FILE WORD [STREAM...]"; *missing_out is the first of those that must be there
   and is not, up to the next space, or NULL. */
static size_t
count_arguments(const char *usage, size_t given, const char **missing_out)
{
    size_t most = 0;

    *missing_out = NULL;
    for (const char *at = usage; *at != '\0'; at += strcspn(at, " "), at += strspn(at, " ")) {
        const char *dots = strstr(at, "...");

        if (*at != '[' && *missing_out == NULL && most >= given)
            *missing_out = at;
        if (dots != NULL && dots < at + strcspn(at, " "))
            return SIZE_MAX;
        most++;
    }
    return most;
}

static bool
judge_arguments(const struct line *line, struct gr_options *out, struct gr_error *err)
{
    const struct gr_command *command = out->command;
    const char *missing;
    size_t most;

    if (command == NULL)
        return gr_fail(err, GR_FAULT_USAGE, "a command is missing") || hint_help(NULL, err);
    most = count_arguments(command->arguments, line->word_count, &missing);
    if (missing != NULL)
        return gr_fail(err, GR_FAULT_USAGE, "command \"%s\" needs an argument: %.*s", command->name,
                       (int)strcspn(missing, " "), missing) ||
               hint_help(command, err);
    if (line->word_count > most)
        return gr_fail(err, GR_FAULT_USAGE, "unexpected argument \"%s\"", line->words[most]) ||
               hint_help(command, err);
    if (line->word_count > 0) {
        out->file = line->words[0];
        out->words = line->words + 1;
        out->word_count = line->word_count - 1;
    }
    if (out->is_full_refresh && out->mode != NULL && strcmp(out->mode, "full-refresh") != 0)
        return gr_fail(err, GR_FAULT_USAGE, "--full-refresh and --mode %s contradict each other",
                       out->mode);
    return true;
}

static void
set_fallbacks(struct gr_options *out)
{
    for (size_t i = 0; i < gr_option_row_count; i++) {
        void *at = (char *)out + gr_option_rows[i].at;

        if (gr_option_rows[i].fallback != NULL)
            *(const char **)at = gr_option_rows[i].fallback;
    }
}

bool
gr_options_parse(int argc, const char *const *argv, struct gr_options *out, struct gr_error *err)
{
    struct gr_error option_err, command_err;
    struct line line = {0};
    bool are_options_right, is_command_right;

    *out = (struct gr_options){.arena = gr_arena_new()};
    set_fallbacks(out);
    take_apart(&line, out->arena, argc, argv);
    find_command_of(&line, out);
    are_options_right = judge_options(&line, out, &option_err);
    is_command_right = judge_command(&line, out, &command_err);
    /* What looks like an unknown command may be the value of an unknown option before it. */
    if (!is_command_right && (out->command != NULL || are_options_right)) {
        *err = command_err;
        return false;
    }
    if (out->wants_help || out->wants_version)
        return true;
    if (!are_options_right) {
        *err = option_err;
        return false;
    }
    return judge_arguments(&line, out, err);
}

void
gr_options_free(struct gr_options *options)
{
    gr_arena_free(options->arena);
    *options = (struct gr_options){0};
}
