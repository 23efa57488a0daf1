/* man.c - the manual page, in the macros of man(7). */
#include <ctype.h>

#include "gr/cli/completion.h"
#include "gr/cli/exit_codes.h"

/* clang-format off */
static const struct {
    const char *name;
    const char *meaning;
} variables[] = {
    {"GORGIAS, WAREHOUSE", "The connections that a replication file names, each as a URL or as a YAML mapping. Any name will do."},
    {"SLING_HOME_DIR", "The folder of env.yaml, where connections are looked up that neither the file nor the environment has."},
    {"SLING_STATE", "CONNECTION/SCHEMA: the schema of the state tables, in place of _gorgias_replicate."},
    {"SLING_THREADS", "What --threads says."},
    {"NO_COLOR", "If it is set and not empty: no colours."},
}, files[] = {
    {"~/.sling/env.yaml", "Connections, where SLING_HOME_DIR is not set. Nobody else should be able to read it."},
    {"/usr/share/doc/gorgias-replicate/", "The reference of replication files (replication-file.md), how to schedule runs (scheduling.md), "
     "what is guaranteed, and examples."},
}, examples[] = {
    {"gorgias-replicate init gorgias.yaml", "Tries account and database, and writes a replication file."},
    {"gorgias-replicate run gorgias.yaml --max-duration 50m", "Copies what is new, and stops in good order before the next run is due."},
    {"gorgias-replicate status gorgias.yaml", "Says how each stream stands."},
};
/* clang-format on */

/* Text as it is: no request, and dashes that can be copied into a shell. */
static void
put_text(const char *text, struct gr_buf *out)
{
    bool is_start = true;

    for (; *text != '\0'; text++) {
        if (is_start && (*text == '.' || *text == '\''))
            gr_buf_puts(out, "\\&");
        if (*text == '\\')
            gr_buf_puts(out, "\\e");
        else if (*text == '-')
            gr_buf_puts(out, "\\-");
        else if (*text == '~')
            gr_buf_puts(out, "\\(ti");
        else
            gr_buf_putc(out, *text);
        is_start = *text == '\n';
    }
}

/* Bold text on a line of its own. */
static void
put_bold(const char *text, struct gr_buf *out)
{
    gr_buf_puts(out, "\\fB");
    put_text(text, out);
    gr_buf_puts(out, "\\fR");
}

static void
put_item(const char *name, const char *meaning, struct gr_buf *out)
{
    gr_buf_puts(out, ".TP\n");
    put_bold(name, out);
    gr_buf_putc(out, '\n');
    put_text(meaning, out);
    gr_buf_putc(out, '\n');
}

/* "run FILE [options]", the name in bold. */
static void
put_usage(const struct gr_command *command, struct gr_buf *out)
{
    put_bold("gorgias-replicate ", out);
    put_bold(command->name, out);
    if (command->arguments[0] != '\0') {
        gr_buf_puts(out, " \\fI");
        put_text(command->arguments, out);
        gr_buf_puts(out, "\\fR");
    }
    gr_buf_puts(out, " [options]\n");
}

static void
put_synopsis(struct gr_buf *out)
{
    gr_buf_puts(out, ".SH SYNOPSIS\n.nf\n");
    for (size_t i = 0; i < GR_COMMAND_COUNT; i++)
        if (!gr_commands[i].is_hidden)
            put_usage(&gr_commands[i], out);
    gr_buf_puts(out, ".fi\n");
}

static void
put_command(const struct gr_command *command, struct gr_buf *out)
{
    const char *details = gr_command_details[command - gr_commands];
    const char *comma = "Options: ";

    gr_buf_printf(out, ".SS %s\n%c", command->name, toupper((unsigned char)command->help[0]));
    put_text(command->help + 1, out);
    gr_buf_puts(out, ".\n");
    if (details != NULL) {
        gr_buf_puts(out, ".PP\n.nf\n");
        put_text(details, out);
        gr_buf_puts(out, ".fi\n");
    }
    gr_buf_puts(out, ".PP\n");
    for (size_t i = 0; i < gr_option_row_count; i++) {
        if (!gr_completion_takes(command, &gr_option_rows[i]))
            continue;
        gr_buf_puts(out, comma);
        put_text("--", out);
        put_text(gr_option_rows[i].name, out);
        comma = ",\n";
    }
    gr_buf_puts(out, ".\n");
}

static void
put_option(const struct gr_option *option, struct gr_buf *out)
{
    gr_buf_puts(out, ".TP\n");
    if (option->letter != 0)
        gr_buf_printf(out, "\\fB\\-%c\\fR, ", option->letter);
    put_bold("--", out);
    put_bold(option->name, out);
    if (option->argument[0] != '\0') {
        gr_buf_puts(out, " \\fI");
        put_text(option->argument, out);
        gr_buf_puts(out, "\\fR");
    }
    gr_buf_printf(out, "\n%c", toupper((unsigned char)option->help[0]));
    put_text(option->help + 1, out);
    gr_buf_putc(out, '.');
    if (option->fallback != NULL) {
        gr_buf_puts(out, " Default: ");
        put_text(option->fallback, out);
        gr_buf_putc(out, '.');
    }
    gr_buf_putc(out, '\n');
}

static void
put_exit_codes(struct gr_buf *out)
{
    gr_buf_puts(out, ".SH EXIT STATUS\n");
    for (size_t i = 0; i < gr_exit_code_count; i++) {
        const struct gr_exit_code *row = &gr_exit_codes[i];

        gr_buf_printf(out, ".TP\n\\fB%d\\fR\n%c", row->code,
                      toupper((unsigned char)row->meaning[0]));
        put_text(row->meaning + 1, out);
        gr_buf_puts(out, ".\n");
    }
}

void
gr_man_put(struct gr_buf *out)
{
    gr_buf_puts(out, ".\\\" Printed by `gorgias-replicate reference man`.\n"
                     ".TH GORGIAS\\-REPLICATE 1 \"\" \"gorgias\\-replicate " GR_VERSION
                     "\" \"User Commands\"\n"
                     ".SH NAME\n"
                     "gorgias\\-replicate \\- copy a Gorgias helpdesk account into PostgreSQL\n");
    put_synopsis(out);
    gr_buf_puts(out,
                ".SH DESCRIPTION\n"
                "Copies a Gorgias helpdesk account into PostgreSQL and keeps the copy current.\n"
                "A replication file, in the shape that Sling has given it, says what goes where.\n"
                "Rows, bookmark and queue are committed in one transaction: a run may be ended at\n"
                "any moment, and the next one goes on from there.\n"
                "Results are on standard output, the log and errors on standard error.\n"
                ".SH COMMANDS\n");
    for (size_t i = 0; i < GR_COMMAND_COUNT; i++)
        if (!gr_commands[i].is_hidden)
            put_command(&gr_commands[i], out);
    gr_buf_puts(out, ".SH OPTIONS\n");
    for (size_t i = 0; i < gr_option_row_count; i++)
        put_option(&gr_option_rows[i], out);
    put_exit_codes(out);
    gr_buf_puts(out, ".SH ENVIRONMENT\n");
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++)
        put_item(variables[i].name, variables[i].meaning, out);
    gr_buf_puts(out, ".SH FILES\n");
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        put_item(files[i].name, files[i].meaning, out);
    gr_buf_puts(out, ".SH EXAMPLES\n");
    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++)
        put_item(examples[i].name, examples[i].meaning, out);
    gr_buf_puts(out, ".SH SEE ALSO\n.BR psql (1),\n.BR systemd.timer (5)\n");
}
