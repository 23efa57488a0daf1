/* completion_bash.c - the completion for bash. */
#include "gr/cli/completion.h"

#include <string.h>

/* clang-format off */
static const char *const helpers =
    "# Completion of gorgias-replicate for bash, printed by `gorgias-replicate reference bash`.\n"
    "\n"
    "# Words that go on from what was begun, in a list from what is behind its last comma.\n"
    "_gorgias_replicate_words() {\n"
    "    local begun=\n"
    "    [[ $word != *,* ]] || begun=${word%,*},\n"
    "    mapfile -t COMPREPLY < <(compgen -P \"$begun\" -W \"$1\" -- \"${word##*,}\")\n"
    "}\n"
    "\n"
    "# Names of files, as the options of compgen say.\n"
    "_gorgias_replicate_files() {\n"
    "    compopt -o filenames 2>/dev/null\n"
    "    mapfile -t COMPREPLY < <(compgen \"$@\" -- \"$word\")\n"
    "}\n"
    "\n"
    "_gorgias_replicate() {\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command='' place=0 i\n"
    "    COMPREPLY=()\n"
    "    # --option=value comes as three words.\n"
    "    if [[ $word == = ]]; then\n"
    "        word=\n"
    "    elif [[ $before == = ]]; then\n"
    "        before=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "    fi\n"
    "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
    "        case ${COMP_WORDS[i]} in\n"
    "        ";

static const char *const counted =
    ")\n"
    "            i=$((i + 1))\n"
    "            if [[ ${COMP_WORDS[i]} == = ]]; then i=$((i + 1)); fi\n"
    "            ;;\n"
    "        -*) ;;\n"
    "        *) if [[ -z $command ]]; then command=${COMP_WORDS[i]}; else place=$((place + 1)); fi ;;\n"
    "        esac\n"
    "    done\n"
    "    case $command:$before in\n";

static const struct {
    const char *before;
    const char *after; /* behind the words */
} offers[GR_OFFERS] = {
    [GR_OFFER_NOTHING] = {":", ""},
    [GR_OFFER_WORDS]   = {"_gorgias_replicate_words '", "'"},
    [GR_OFFER_LIST]    = {"_gorgias_replicate_words '", "'"},
    [GR_OFFER_YAML]    = {"_gorgias_replicate_files -o plusdirs -f -X '!*.y*ml'", ""},
    [GR_OFFER_FILE]    = {"_gorgias_replicate_files -f", ""},
    [GR_OFFER_FOLDER]  = {"_gorgias_replicate_files -d", ""},
};
/* clang-format on */

/* "--output | -o", the pattern of a case. */
static void
put_names(const struct gr_option *option, struct gr_buf *out)
{
    gr_buf_printf(out, "--%s", option->name);
    if (option->letter != 0)
        gr_buf_printf(out, " | -%c", option->letter);
}

static void
put_offer(const char *argument, struct gr_buf *out)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf words = gr_buf_new(0);
    enum gr_offer offer = gr_completion_offer(argument, &words);

    gr_buf_printf(out, "%s%s%s", offers[offer].before, gr_buf_text(&words), offers[offer].after);
}

/* True where an earlier row has the name, too. */
static bool
is_repeated(size_t row)
{
    for (size_t i = 0; i < row; i++)
        if (strcmp(gr_option_rows[i].name, gr_option_rows[row].name) == 0)
            return true;
    return false;
}

/* A pattern that matches all options with a value. */
static void
put_valued(struct gr_buf *out)
{
    const char *bar = "";

    for (size_t i = 0; i < gr_option_row_count; i++) {
        if (gr_option_rows[i].kind == GR_OPTION_FLAG || is_repeated(i))
            continue;
        gr_buf_puts(out, bar);
        put_names(&gr_option_rows[i], out);
        bar = " | ";
    }
}

/* By command, since two may have options of one name. */
static void
put_values(const struct gr_command *command, struct gr_buf *out)
{
    for (size_t i = 0; i < gr_option_row_count; i++) {
        const struct gr_option *option = &gr_option_rows[i];

        if (option->kind == GR_OPTION_FLAG || !gr_completion_takes(command, option))
            continue;
        gr_buf_printf(out, "    %s:--%s", command->name, option->name);
        if (option->letter != 0)
            gr_buf_printf(out, " | %s:-%c", command->name, option->letter);
        gr_buf_puts(out, ") ");
        put_offer(option->argument, out);
        gr_buf_puts(out, "; return ;;\n");
    }
}

static void
put_options(const struct gr_command *command, struct gr_buf *out)
{
    gr_buf_printf(out, "    %s/-*) _gorgias_replicate_words '",
                  command != NULL ? command->name : "");
    for (size_t i = 0; i < gr_option_row_count; i++)
        if (gr_completion_takes(command, &gr_option_rows[i]))
            gr_buf_printf(out, " --%s", gr_option_rows[i].name);
    gr_buf_puts(out, "' ;;\n");
}

static void
put_arguments(const struct gr_command *command, struct gr_buf *out)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf argument = gr_buf_new(0);

    for (size_t place = 0; gr_completion_argument(command, place, &argument); place++) {
        if (strstr(gr_buf_text(&argument), "...") != NULL)
            gr_buf_printf(out, "    %s/*) ", command->name);
        else
            gr_buf_printf(out, "    %s/%zu) ", command->name, place);
        put_offer(gr_buf_text(&argument), out);
        gr_buf_puts(out, " ;;\n");
        gr_buf_reset(&argument);
    }
}

void
gr_completion_put_bash(struct gr_buf *out)
{
    gr_buf_puts(out, helpers);
    put_valued(out);
    gr_buf_puts(out, counted);
    for (size_t i = 0; i < GR_COMMAND_COUNT; i++)
        if (!gr_commands[i].is_hidden)
            put_values(&gr_commands[i], out);
    gr_buf_puts(
        out, "    esac\n    if [[ $word == -* ]]; then place=-; fi\n    case $command/$place in\n");
    gr_buf_puts(out, "    /0) _gorgias_replicate_words '");
    for (size_t i = 0; i < GR_COMMAND_COUNT; i++)
        if (!gr_commands[i].is_hidden)
            gr_buf_printf(out, " %s", gr_commands[i].name);
    gr_buf_puts(out, "' ;;\n");
    put_options(NULL, out);
    for (size_t i = 0; i < GR_COMMAND_COUNT; i++) {
        if (gr_commands[i].is_hidden)
            continue;
        put_options(&gr_commands[i], out);
        put_arguments(&gr_commands[i], out);
    }
    gr_buf_puts(out, "    esac\n}\ncomplete -F _gorgias_replicate gorgias-replicate\n");
}
