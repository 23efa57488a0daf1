/* run.c - the command that replicates. */
#include "gr/cli/command.h"
#include "gr/cli/frame.h"
#include "gr/cli/summary.h"

static void
put_summary(const struct gr_plan *plan, const struct gr_run_report *report,
            const struct gr_run_facts *facts, struct gr_buf *out)
{
    (void)plan;
    gr_summary_put(report, facts, out);
}

int
gr_command_run(const struct gr_options *options)
{
    static const struct gr_frame_views views = {.put = put_summary,
                                                .put_json = gr_summary_put_json};

    return options->is_dry_run ? gr_command_dry_run(options) : gr_frame_engine(options, &views);
}
