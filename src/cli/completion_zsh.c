/* completion_zsh.c - the completion for zsh: specifications for its _arguments. */
#include "gr/cli/completion.h"

#include <string.h>

/* clang-format off */
static const struct {
    const char *before;
    const char *after; /* behind the words */
} offers[GR_OFFERS] = {
    [GR_OFFER_NOTHING] = {" ", ""},
    [GR_OFFER_WORDS]   = {"(", ")"},
    [GR_OFFER_LIST]    = {"_values -s , word ", ""},
    [GR_OFFER_YAML]    = {"_files -g \"*.(yaml|yml)\"", ""},
    [GR_OFFER_FILE]    = {"_files", ""},
    [GR_OFFER_FOLDER]  = {"_files -/", ""},
};
/* clang-format on */

/* Text inside of '...' and [...] or before a colon. */
static void
put_quoted(const char *text, struct gr_buf *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            gr_buf_puts(out, "'\\''");
        else if (strchr("[]:\\", *text) != NULL)
            gr_buf_printf(out, "\\%c", *text);
        else
            gr_buf_putc(out, *text);
    }
}

static void
put_offer(const char *argument, struct gr_buf *out)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf words = gr_buf_new(0);
    enum gr_offer offer = gr_completion_offer(argument, &words);

    gr_buf_putc(out, ':');
    put_quoted(argument, out);
    gr_buf_printf(out, ":%s%s%s", offers[offer].before, gr_buf_text(&words), offers[offer].after);
}

static void
put_option(const struct gr_option *option, struct gr_buf *out)
{
    const char *value = option->kind == GR_OPTION_FLAG ? "" : "=";
    const char *star = option->kind == GR_OPTION_PAIR ? "*" : "";

    if (option->letter != 0)
        gr_buf_printf(out, "        {-%c,--%s%s}'[", option->letter, option->name, value);
    else
        gr_buf_printf(out, "        '%s--%s%s[", star, option->name, value);
    put_quoted(option->help, out);
    gr_buf_putc(out, ']');
    if (option->kind != GR_OPTION_FLAG)
        put_offer(option->argument, out);
    gr_buf_puts(out, "' \\\n");
}

static void
put_options(const struct gr_command *command, struct gr_buf *out)
{
    for (size_t i = 0; i < gr_option_row_count; i++)
        if (gr_completion_takes(command, &gr_option_rows[i]))
            put_option(&gr_option_rows[i], out);
}

static void
put_arguments(const struct gr_command *command, struct gr_buf *out)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf argument = gr_buf_new(0);

    for (size_t place = 0; gr_completion_argument(command, place, &argument); place++) {
        bool is_last = strstr(gr_buf_text(&argument), "...") != NULL;

        gr_buf_puts(out, is_last ? "        '*" : "        '");
        if (!is_last)
            gr_buf_printf(out, "%zu", place + 1);
        put_offer(gr_buf_text(&argument), out);
        gr_buf_puts(out, "' \\\n");
        gr_buf_reset(&argument);
    }
}

static void
put_command(const struct gr_command *command, struct gr_buf *out)
{
    gr_buf_printf(out, "    %s)\n      _arguments \\\n", command->name);
    put_options(command, out);
    put_arguments(command, out);
    gr_buf_puts(out, "        && return 0\n      ;;\n");
}

void
gr_completion_put_zsh(struct gr_buf *out)
{
    gr_buf_puts(out, "#compdef gorgias-replicate\n"
                     "# Completion for zsh, printed by `gorgias-replicate reference zsh`.\n"
                     "\n_gorgias-replicate() {\n"
                     "  local curcontext=$curcontext state line\n"
                     "  typeset -A opt_args\n"
                     "  local -a commands=(\n");
    for (size_t i = 0; i < GR_COMMAND_COUNT; i++) {
        if (gr_commands[i].is_hidden)
            continue;
        gr_buf_printf(out, "    '%s:", gr_commands[i].name);
        put_quoted(gr_commands[i].help, out);
        gr_buf_puts(out, "'\n");
    }
    gr_buf_puts(out, "  )\n  _arguments -C \\\n");
    put_options(NULL, out);
    gr_buf_puts(out, "        '1:command:{_describe command commands}' \\\n"
                     "        '*::argument:->arguments' && return 0\n"
                     "  case $words[1] in\n");
    for (size_t i = 0; i < GR_COMMAND_COUNT; i++)
        if (!gr_commands[i].is_hidden)
            put_command(&gr_commands[i], out);
    gr_buf_puts(out, "  esac\n  return 1\n}\n\n_gorgias-replicate \"$@\"\n");
}
