/* main.c - reads the command line and calls the command. */
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "gr/base/alloc.h"
#include "gr/cli/help.h"
#include "gr/cli/options.h"
#include "gr/cli/output.h"

#if defined(__SANITIZE_ADDRESS__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER 0
#endif

/* Memory holds the credentials: no core file, and no other process of the user may look into it.
   The leak check of a sanitizer is such a process, so the latter is left out with one. */
static void
forbid_looking(void)
{
    const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    if (!HAS_SANITIZER)
        (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* A copy of the arguments, ended by NULL. */
static const char *const *
copy_arguments(struct gr_arena *arena, int argc, char **argv)
{
    const char **copy = gr_arena_alloc(arena, (size_t)argc + 1, sizeof(copy[0]));

    for (int i = 0; i < argc; i++)
        copy[i] = gr_arena_strdup(arena, argv[i]);
    return copy;
}

/* The values of --env may be secrets, and everybody can read the arguments of a process. */
static void
hide_values(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        bool is_joined = strncmp(argv[i], "--env=", 6) == 0;
        bool is_next = strcmp(argv[i - 1], "--env") == 0;
        char *equals = is_joined || is_next ? strchr(argv[i] + (is_joined ? 6 : 0), '=') : NULL;

        if (equals != NULL)
            memset(equals + 1, '*', strlen(equals + 1));
    }
}

static int
print_help(const struct gr_options *options)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);

    if (options->wants_version)
        gr_help_put_version(&text);
    else
        gr_help_put(options->command, &text);
    return gr_output_finish(&text);
}

static int
run(int argc, const char *const *argv)
{
    GR_CLEANUP(gr_options_free) struct gr_options options = {0};
    struct gr_error err;
    bool ok = gr_options_parse(argc, argv, &options, &err);

    gr_output_log(&options, NULL, NULL);
    if (!ok)
        return gr_output_fail(&err);
    if (options.wants_help || options.wants_version)
        return print_help(&options);
    return options.command->run(&options);
}

int
main(int argc, char **argv)
{
    struct gr_arena *arena = gr_arena_new();
    const char *const *arguments = copy_arguments(arena, argc, argv);
    int code;

    hide_values(argc, argv);
    forbid_looking();
    /* A closed pipe is an error of the write, which says so. */
    (void)signal(SIGPIPE, SIG_IGN);
    code = run(argc, arguments);
    gr_arena_free(arena);
    return code;
}
