/* report.c - the command that writes a page about a replication. */
#include <string.h>

#include "gr/cli/command.h"
#include "gr/cli/frame.h"
#include "gr/cli/output.h"
#include "gr/cli/report_page.h"

/* The page is the result: on stdout there is something only if it goes there. */
static bool
put_report(const struct gr_frame *frame, struct gr_buf *out, struct gr_error *err)
{
    const char *path = frame->options->page;
    struct gr_overview overview;
    struct gr_history history;
    bool ok = true;

    if (!gr_history_read(frame->pg, frame->plan, &overview, &history, err))
        return false;
    gr_report_page_put(frame->plan, &overview, &history, out);
    gr_overview_free(&overview);
    if (strcmp(path, "-") != 0) {
        ok = gr_output_write_file(path, out, err);
        gr_buf_reset(out);
    }
    return ok;
}

int
gr_command_report(const struct gr_options *options)
{
    struct gr_error err;

    if (options->page == NULL) {
        (void)gr_fail(&err, GR_FAULT_USAGE, "command \"report\" needs -o PAGE.html");
        (void)gr_hint(&err, "-o - writes the page to stdout.");
        return gr_output_fail(&err);
    }
    if (strcmp(options->page, "-") != 0 && !gr_output_try_file(options->page, &err))
        return gr_output_fail(&err);
    return gr_frame_on_warehouse(options, put_report);
}
