/* frame.c - commands that need the plan, or the plan and the warehouse. */
#include "gr/cli/frame.h"

#include <string.h>

#include "gr/cli/command.h"
#include "gr/cli/output.h"

static int
finish(const struct gr_frame *frame, gr_frame_work *work)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    struct gr_error err;

    if (!work(frame, &text, &err))
        return gr_output_fail(&err);
    return gr_output_finish(&text);
}

int
gr_frame_on_plan(const struct gr_options *options, gr_frame_work *work)
{
    GR_CLEANUP(gr_plan_free) struct gr_plan plan = {0};
    struct gr_frame frame = {.options = options,
                             .plan = &plan,
                             .is_json =
                                 options->output != NULL && strcmp(options->output, "json") == 0};
    struct gr_error err;

    if (!gr_command_plan(options, &plan, &err))
        return gr_output_fail(&err);
    return finish(&frame, work);
}

int
gr_frame_on_warehouse(const struct gr_options *options, gr_frame_work *work)
{
    GR_CLEANUP(gr_plan_free) struct gr_plan plan = {0};
    struct gr_frame frame = {
        .options = options, .plan = &plan, .is_json = strcmp(options->output, "json") == 0};
    struct gr_error err;
    int code;

    if (!gr_command_plan(options, &plan, &err) || !gr_pg_open(&plan.target, &frame.pg, &err))
        return gr_output_fail(&err);
    code = finish(&frame, work);
    gr_pg_close(frame.pg);
    return code;
}

bool
gr_frame_one(const struct gr_frame *frame, const char *hint, struct gr_plan *one,
             struct gr_error *err)
{
    const struct gr_plan *plan = frame->plan;
    size_t count = 0;

    *one = *plan;
    one->count = 1;
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->streams[i].goes_along)
            continue;
        one->streams = &plan->streams[i];
        count++;
    }
    return count == 1 ||
           gr_fail(err, GR_FAULT_USAGE, "\"%s\" fits %zu streams of %s", frame->options->streams,
                   count, plan->file) ||
           gr_hint(err, "%s", hint);
}
