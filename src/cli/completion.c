/* completion.c - what can be offered for the arguments that the tables name. */
#include "gr/cli/completion.h"

#include <string.h>

#include "gr/spec/embedded.h"
#include "gr/spec/plan.h"

static void
put_streams(struct gr_buf *words)
{
    for (const struct gr_embedded *file = gr_schema_texts; file->name != NULL; file++)
        gr_buf_printf(words, "%s%.*s", words->len > 0 ? " " : "", (int)strcspn(file->name, "."),
                      file->name);
}

static void
put_modes(struct gr_buf *words)
{
    for (int mode = 0; mode < GR_MODE_AUDIT; mode++)
        gr_buf_printf(words, "%s%s", mode > 0 ? " " : "", gr_mode_name((enum gr_mode)mode));
}

/* clang-format off */
static const struct {
    const char *argument;
    enum gr_offer offer;
    void (*put)(struct gr_buf *words);
} offers[] = {
    {"A,B",         GR_OFFER_LIST,   put_streams},
    {"STREAM",      GR_OFFER_WORDS,  put_streams},
    {"[STREAM...]", GR_OFFER_WORDS,  put_streams},
    {"MODE",        GR_OFFER_WORDS,  put_modes},
    {"FILE",        GR_OFFER_YAML,   NULL},
    {"PATH",        GR_OFFER_FILE,   NULL},
    {"PAGE.html",   GR_OFFER_FILE,   NULL},
    {"DIR",         GR_OFFER_FOLDER, NULL},
};
/* clang-format on */

enum gr_offer
gr_completion_offer(const char *argument, struct gr_buf *words)
{
    for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
        if (strcmp(argument, offers[i].argument) != 0)
            continue;
        if (offers[i].put != NULL)
            offers[i].put(words);
        return offers[i].offer;
    }
    if (strchr(argument, '|') == NULL)
        return GR_OFFER_NOTHING;
    for (; *argument != '\0'; argument++)
        gr_buf_putc(words, *argument == '|' ? ' ' : *argument);
    return GR_OFFER_WORDS;
}

bool
gr_completion_argument(const struct gr_command *command, size_t place, struct gr_buf *out)
{
    const char *at = command->arguments;

    for (size_t i = 0; i < place && *at != '\0'; i++) {
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    gr_buf_put(out, at, strcspn(at, " "));
    return *at != '\0';
}

bool
gr_completion_takes(const struct gr_command *command, const struct gr_option *option)
{
    return (option->commands & gr_command_bit(command)) != 0;
}
