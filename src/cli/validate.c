/* validate.c - the command that checks a replication file offline. */
#include "gr/cli/command.h"
#include "gr/cli/frame.h"
#include "gr/cli/plan_view.h"

static bool
put_plan(const struct gr_frame *frame, struct gr_buf *out, struct gr_error *err)
{
    (void)err;
    (frame->is_json ? gr_plan_view_put_json : gr_plan_view_put)(frame->plan, out);
    return true;
}

int
gr_command_validate(const struct gr_options *options)
{
    return gr_frame_on_plan(options, put_plan);
}
