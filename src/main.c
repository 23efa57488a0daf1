/* main.c - reads the command line and calls the command. */
#include <signal.h>
#include <stddef.h>

#include "gr/cli/help.h"
#include "gr/cli/options.h"
#include "gr/cli/output.h"

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

int
main(int argc, char **argv)
{
    GR_CLEANUP(gr_options_free) struct gr_options options = {0};
    struct gr_error err;
    bool ok;

    /* A closed pipe is an error of the write, which says so. */
    (void)signal(SIGPIPE, SIG_IGN);
    ok = gr_options_parse(argc, (const char *const *)argv, &options, &err);
    gr_output_log(&options, NULL, NULL);
    if (!ok)
        return gr_output_fail(&err);
    if (options.wants_help || options.wants_version)
        return print_help(&options);
    return options.command->run(&options);
}
