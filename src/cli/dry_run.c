/* dry_run.c - run --dry-run: the plan, with what it would take. */
#include "gr/base/log.h"
#include "gr/cli/command.h"
#include "gr/cli/dry_run_view.h"
#include "gr/cli/frame.h"

/* Without the warehouse or the source less is known, and that is all. */
static void
tell(const struct gr_error *reason)
{
    if (reason->fault != GR_OK)
        gr_log_error(GR_LOG_WARN, NULL, reason);
}

static bool
put_forecast(const struct gr_frame *frame, struct gr_buf *out, struct gr_error *err)
{
    struct gr_forecast forecast;

    (void)err;
    gr_forecast(frame->plan, &forecast);
    tell(&forecast.warehouse);
    tell(&forecast.source);
    (frame->is_json ? gr_dry_run_view_put_json : gr_dry_run_view_put)(frame->plan, &forecast, out);
    gr_forecast_free(&forecast);
    return true;
}

int
gr_command_dry_run(const struct gr_options *options)
{
    return gr_frame_on_plan(options, put_forecast);
}
