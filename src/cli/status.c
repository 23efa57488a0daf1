/* status.c - the command that says how a replication stands. */
#include <unistd.h>

#include "gr/cli/command.h"
#include "gr/cli/frame.h"
#include "gr/cli/output.h"
#include "gr/cli/status_view.h"

static bool
put_status(const struct gr_frame *frame, struct gr_buf *out, struct gr_error *err)
{
    struct gr_overview overview;

    if (!gr_overview_read(frame->pg, frame->plan, &overview, err))
        return false;
    if (frame->is_json)
        gr_status_view_put_json(frame->plan, &overview, out);
    else
        gr_status_view_put(frame->plan, &overview,
                           isatty(STDOUT_FILENO) == 1 ? gr_output_width(STDOUT_FILENO) : 0, out);
    gr_overview_free(&overview);
    return true;
}

int
gr_command_status(const struct gr_options *options)
{
    return gr_frame_on_warehouse(options, put_status);
}
