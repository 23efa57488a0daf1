/* help.c - help and reference, printed from the tables. */
#include "gr/cli/help.h"

#include <ctype.h>
#include <string.h>

#include "gr/cli/exit_codes.h"
#include "gr/cli/text.h"

enum { LEFT_MAX = 128, USAGE_WIDTH = 41 };

/* "  -o, --output text|json" */
static void
put_left(const struct gr_option *option, struct gr_buf *out)
{
    if (option->letter != 0)
        gr_buf_printf(out, "  -%c, --%s", option->letter, option->name);
    else
        gr_buf_printf(out, "      --%s", option->name);
    if (option->argument[0] != '\0')
        gr_buf_printf(out, " %s", option->argument);
}

static void
put_option(const struct gr_option *option, size_t width, struct gr_buf *out)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf left = gr_buf_new(LEFT_MAX);

    put_left(option, &left);
    gr_text_pad(out, gr_buf_text(&left), width, false);
    gr_buf_printf(out, "  %s", option->help);
    if (option->fallback != NULL)
        gr_buf_printf(out, " (default: %s)", option->fallback);
    gr_buf_putc(out, '\n');
}

static void
put_options(const struct gr_command *command, struct gr_buf *out)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf left = gr_buf_new(LEFT_MAX);
    unsigned bit = gr_command_bit(command);
    size_t width = 0;

    for (size_t i = 0; i < gr_option_row_count; i++) {
        if ((gr_option_rows[i].commands & bit) == 0)
            continue;
        gr_buf_reset(&left);
        put_left(&gr_option_rows[i], &left);
        width = left.len > width ? left.len : width;
    }
    gr_buf_puts(out, "\nOptions:\n");
    for (size_t i = 0; i < gr_option_row_count; i++)
        if ((gr_option_rows[i].commands & bit) != 0)
            put_option(&gr_option_rows[i], width, out);
}

static void
put_usage(const struct gr_command *command, struct gr_buf *out)
{
    gr_buf_printf(out, "gorgias-replicate %s", command->name);
    if (command->arguments[0] != '\0')
        gr_buf_printf(out, " %s", command->arguments);
    gr_buf_puts(out, " [options]");
}

static void
put_program(struct gr_buf *out)
{
    gr_buf_puts(out, "gorgias-replicate copies a Gorgias helpdesk into PostgreSQL and keeps the "
                     "copy current.\n\nUsage:\n");
    for (size_t i = 0; i < GR_COMMAND_COUNT; i++) {
        GR_CLEANUP(gr_buf_free) struct gr_buf usage = gr_buf_new(LEFT_MAX);

        if (gr_commands[i].is_hidden)
            continue;
        put_usage(&gr_commands[i], &usage);
        gr_buf_puts(out, "  ");
        gr_text_pad(out, gr_buf_text(&usage), USAGE_WIDTH, false);
        gr_buf_printf(out, "  %s\n", gr_commands[i].help);
    }
    gr_buf_puts(out, "  gorgias-replicate COMMAND --help\n");
    put_options(NULL, out);
    gr_buf_puts(out, "\nExit codes:\n");
    for (size_t i = 0; i < gr_exit_code_count; i++)
        gr_buf_printf(out, "  %d  %s\n", gr_exit_codes[i].code, gr_exit_codes[i].meaning);
}

void
gr_help_put(const struct gr_command *command, struct gr_buf *out)
{
    if (command == NULL) {
        put_program(out);
        return;
    }
    gr_buf_puts(out, "Usage: ");
    put_usage(command, out);
    gr_buf_printf(out, "\n\n%c%s.\n", toupper((unsigned char)command->help[0]), command->help + 1);
    if (gr_command_details[command - gr_commands] != NULL)
        gr_buf_printf(out, "\n%s", gr_command_details[command - gr_commands]);
    put_options(command, out);
}

void
gr_help_put_version(struct gr_buf *out)
{
    gr_buf_puts(out, "gorgias-replicate " GR_VERSION "\n");
}

/* A cell of a Markdown table: a bar in it would end it. */
static void
put_cell(struct gr_buf *out, const char *text)
{
    for (; *text != '\0'; text++)
        gr_buf_printf(out, *text == '|' ? "\\%c" : "%c", *text);
}

static void
put_option_row(const struct gr_option *option, struct gr_buf *out)
{
    gr_buf_printf(out, "| `--%s", option->name);
    if (option->argument[0] != '\0') {
        gr_buf_putc(out, ' ');
        put_cell(out, option->argument);
    }
    gr_buf_putc(out, '`');
    if (option->letter != 0)
        gr_buf_printf(out, ", `-%c`", option->letter);
    gr_buf_puts(out, " | ");
    put_cell(out, option->help);
    gr_buf_printf(out, " | %s |\n", option->fallback != NULL ? option->fallback : "");
}

static void
put_command_section(const struct gr_command *command, struct gr_buf *out)
{
    gr_buf_printf(out, "## %s\n\n`", command->name);
    put_usage(command, out);
    gr_buf_printf(out, "`: %s.\n\n", command->help);
    if (gr_command_details[command - gr_commands] != NULL)
        gr_buf_printf(out, "```text\n%s```\n\n", gr_command_details[command - gr_commands]);
    gr_buf_puts(out, "| option | meaning | default |\n|---|---|---|\n");
    for (size_t i = 0; i < gr_option_row_count; i++)
        if ((gr_option_rows[i].commands & gr_command_bit(command)) != 0)
            put_option_row(&gr_option_rows[i], out);
    gr_buf_putc(out, '\n');
}

static void
put_faults_of(int code, struct gr_buf *out)
{
    const char *comma = "";

    for (int fault = GR_OK + 1; fault < GR_FAULT_COUNT; fault++) {
        const struct gr_fault_facts *facts = gr_fault_facts((enum gr_fault)fault);

        if (facts->exit_code != code)
            continue;
        gr_buf_printf(out, "%s`%s`", comma, facts->name);
        comma = ", ";
    }
}

void
gr_help_put_reference(struct gr_buf *out)
{
    gr_buf_puts(
        out, "# Command reference\n\n"
             "Printed by `gorgias-replicate reference commands` from the tables of `src/cli`.\n\n");
    for (size_t i = 0; i < GR_COMMAND_COUNT; i++)
        if (!gr_commands[i].is_hidden)
            put_command_section(&gr_commands[i], out);
    gr_buf_puts(out, "## Exit codes\n\n| exit | meaning | faults, as logs and JSON name them |\n"
                     "|---|---|---|\n");
    for (size_t i = 0; i < gr_exit_code_count; i++) {
        gr_buf_printf(out, "| %d | %s | ", gr_exit_codes[i].code, gr_exit_codes[i].meaning);
        put_faults_of(gr_exit_codes[i].code, out);
        gr_buf_puts(out, " |\n");
    }
}
