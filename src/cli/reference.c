/* reference.c - what is printed from the program's own tables, and where tests/lint/docs_fresh.py
 * keeps it. */
#include <string.h>

#include "gr/base/buf.h"
#include "gr/cli/command.h"
#include "gr/cli/completion.h"
#include "gr/cli/exit_codes.h"
#include "gr/cli/help.h"
#include "gr/cli/output.h"
#include "gr/engine/run.h"
#include "gr/spec/from_sling.h"
#include "gr/spec/replication.h"
#include "gr/spec/schema.h"

/* clang-format off */
static const struct {
    const char *name;
    void (*put)(struct gr_buf *out);
} pages[] = {
    {"commands",         gr_help_put_reference},
    {"replication-file", gr_replication_reference},
    {"schema-file",      gr_schema_reference},
    {"from-sling",       gr_from_sling_reference},
    {"phases",           gr_phases_reference},
    {"exit-codes",       gr_exit_codes_put},
    {"man",              gr_man_put},
    {"bash",             gr_completion_put_bash},
    {"zsh",              gr_completion_put_zsh},
    {"fish",             gr_completion_put_fish},
};
/* clang-format on */

int
gr_command_reference(const struct gr_options *options)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    GR_CLEANUP(gr_buf_free) struct gr_buf names = gr_buf_new(0);
    struct gr_error err;

    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        if (strcmp(options->file, pages[i].name) == 0) {
            pages[i].put(&text);
            return gr_output_finish(&text);
        }
        gr_buf_printf(&names, "%s%s", i == 0 ? "" : ", ", pages[i].name);
    }
    (void)gr_fail(&err, GR_FAULT_USAGE, "the reference has no page \"%s\"", options->file);
    (void)gr_hint(&err, "Pages: %s.", gr_buf_text(&names));
    return gr_output_fail(&err);
}
