/* completion_fish.c - the completion for fish: one line for each command, option and argument. */
#include "gr/cli/completion.h"

static const char *const complete = "complete -c gorgias-replicate";

/* Text inside of '...'. */
static void
put_quoted(const char *text, struct gr_buf *out)
{
    gr_buf_putc(out, '\'');
    for (; *text != '\0'; text++)
        gr_buf_printf(out, *text == '\'' || *text == '\\' ? "\\%c" : "%c", *text);
    gr_buf_putc(out, '\'');
}

static void
put_condition(const struct gr_command *command, struct gr_buf *out)
{
    if (command == NULL)
        gr_buf_printf(out, "%s -n __fish_use_subcommand", complete);
    else
        gr_buf_printf(out, "%s -n '__fish_seen_subcommand_from %s'", complete, command->name);
}

/* What is offered for a value, which an option says with -r. */
static void
put_offer(const char *argument, struct gr_buf *out)
{
    static const char *const offers[GR_OFFERS] = {
        [GR_OFFER_NOTHING] = " -f",  [GR_OFFER_WORDS] = " -f -a ",
        [GR_OFFER_LIST] = " -f -a ", [GR_OFFER_YAML] = " -k -a '(__fish_complete_suffix .yaml)'",
        [GR_OFFER_FILE] = " -F",     [GR_OFFER_FOLDER] = " -f -a '(__fish_complete_directories)'",
    };
    GR_CLEANUP(gr_buf_free) struct gr_buf words = gr_buf_new(0);
    enum gr_offer offer = gr_completion_offer(argument, &words);

    gr_buf_puts(out, offers[offer]);
    if (offer == GR_OFFER_WORDS)
        put_quoted(gr_buf_text(&words), out);
    if (offer == GR_OFFER_LIST)
        gr_buf_printf(out, "'(__fish_complete_list , \"string split \\\\\" \\\\\" %s\")'",
                      gr_buf_text(&words));
}

static void
put_options(const struct gr_command *command, struct gr_buf *out)
{
    for (size_t i = 0; i < gr_option_row_count; i++) {
        const struct gr_option *option = &gr_option_rows[i];

        if (!gr_completion_takes(command, option))
            continue;
        put_condition(command, out);
        gr_buf_printf(out, " -l %s", option->name);
        if (option->letter != 0)
            gr_buf_printf(out, " -s %c", option->letter);
        if (option->kind != GR_OPTION_FLAG) {
            gr_buf_puts(out, " -r");
            put_offer(option->argument, out);
        }
        gr_buf_puts(out, " -d ");
        put_quoted(option->help, out);
        gr_buf_putc(out, '\n');
    }
}

static void
put_arguments(const struct gr_command *command, struct gr_buf *out)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf argument = gr_buf_new(0);

    for (size_t place = 0; gr_completion_argument(command, place, &argument); place++) {
        put_condition(command, out);
        put_offer(gr_buf_text(&argument), out);
        gr_buf_putc(out, '\n');
        gr_buf_reset(&argument);
    }
}

void
gr_completion_put_fish(struct gr_buf *out)
{
    gr_buf_puts(out, "# Completion of gorgias-replicate for fish, printed by `gorgias-replicate "
                     "reference fish`.\n");
    gr_buf_printf(out, "%s -f\n", complete);
    for (size_t i = 0; i < GR_COMMAND_COUNT; i++) {
        if (gr_commands[i].is_hidden)
            continue;
        put_condition(NULL, out);
        gr_buf_printf(out, " -a %s -d ", gr_commands[i].name);
        put_quoted(gr_commands[i].help, out);
        gr_buf_putc(out, '\n');
    }
    put_options(NULL, out);
    for (size_t i = 0; i < GR_COMMAND_COUNT; i++) {
        if (gr_commands[i].is_hidden)
            continue;
        put_options(&gr_commands[i], out);
        put_arguments(&gr_commands[i], out);
    }
}
