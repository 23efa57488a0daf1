/* dry_run.c - run --dry-run: the plan, with what it would take. */
#include <string.h>

#include "gr/base/log.h"
#include "gr/cli/command.h"
#include "gr/cli/dry_run_view.h"
#include "gr/cli/output.h"

/* The exit code that a run would end with for it. */
static int
tell(const struct gr_error *failure)
{
    return failure->fault == GR_OK ? 0 : gr_output_fail(failure);
}

/* A run opens the warehouse first; a token that is due it would fetch, and here nobody may. */
static int
tell_failures(const struct gr_forecast *forecast)
{
    int warehouse = tell(&forecast->warehouse), source = 0;

    if (forecast->needs_token)
        gr_log_error(GR_LOG_WARN, NULL, &forecast->source);
    else
        source = tell(&forecast->source);
    return warehouse != 0 ? warehouse : source;
}

/* Without the warehouse or the source less is known; what is known is printed all the same. */
int
gr_command_dry_run(const struct gr_options *options)
{
    bool is_json = options->output != NULL && strcmp(options->output, "json") == 0;
    GR_CLEANUP(gr_plan_free) struct gr_plan plan = {0};
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    struct gr_forecast forecast;
    struct gr_error err;
    int code, printed;

    if (!gr_command_plan(options, &plan, &err))
        return gr_output_fail(&err);
    gr_forecast(&plan, &forecast);
    code = tell_failures(&forecast);
    (is_json ? gr_dry_run_view_put_json : gr_dry_run_view_put)(&plan, &forecast, &text);
    gr_forecast_free(&forecast);
    printed = gr_output_finish(&text);
    return code != 0 ? code : printed;
}
