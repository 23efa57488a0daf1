/* validate.c - the command that checks a replication file offline. */
#include <string.h>

#include "gr/cli/command.h"
#include "gr/cli/output.h"
#include "gr/cli/plan_view.h"

int
gr_command_print_plan(const struct gr_options *options, const struct gr_plan *plan)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);

    if (strcmp(options->output, "json") == 0)
        gr_plan_view_put_json(plan, &text);
    else
        gr_plan_view_put(plan, &text);
    return gr_output_finish(&text);
}

int
gr_command_validate(const struct gr_options *options)
{
    GR_CLEANUP(gr_plan_free) struct gr_plan plan = {0};
    struct gr_error err;

    if (!gr_command_plan(options, &plan, &err))
        return gr_output_fail(&err);
    return gr_command_print_plan(options, &plan);
}
