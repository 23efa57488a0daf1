/* audit.c - the command that proves the copy complete. */
#include <string.h>

#include "gr/base/time.h"
#include "gr/cli/audit_view.h"
#include "gr/cli/command.h"
#include "gr/cli/metrics.h"
#include "gr/cli/output.h"

enum { REQUESTS_DEFAULT = 2000 };

static int
audit_plan(const struct gr_options *options, const struct gr_plan *plan)
{
    GR_CLEANUP(gr_run_report_free) struct gr_run_report report = {0};
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    struct gr_run_facts facts = {
        .file = options->file,
        .source = plan->source.name,
        .target = plan->target.name,
        .started_us = gr_clock_us(),
    };
    bool is_json = strcmp(options->output, "json") == 0;
    struct gr_error err;
    int printed = 0, written;
    bool has_run = gr_command_engine(options, plan, &report, &err);

    if (!has_run) {
        int code = gr_output_fail(&err);

        report.exit_code = report.exit_code != 0 ? report.exit_code : code;
    }
    if (is_json)
        gr_audit_view_put_json(&report, &facts, &text);
    else if (has_run)
        gr_audit_view_put(plan, &report, &facts, &text);
    printed = gr_output_finish(&text);
    written = gr_command_metrics(options, &report, &facts);
    /* What was found is stored and repaired, but nobody was told: that proves nothing. */
    return report.exit_code == 0 && (printed != 0 || written != 0) ? 1 : report.exit_code;
}

int
gr_command_audit(const struct gr_options *options)
{
    GR_CLEANUP(gr_plan_free) struct gr_plan plan = {0};
    struct gr_options own = *options;
    struct gr_error err;

    if (own.max_requests == 0)
        own.max_requests = REQUESTS_DEFAULT;
    if (own.metrics_file != NULL && !gr_metrics_try(own.metrics_file, &err))
        return gr_output_fail(&err);
    if (!gr_command_plan(&own, &plan, &err))
        return gr_command_fail(&own, &err);
    return audit_plan(&own, &plan);
}
