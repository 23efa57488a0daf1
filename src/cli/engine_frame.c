/* engine_frame.c - commands that run the engine: run and audit. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "gr/base/time.h"
#include "gr/cli/command.h"
#include "gr/cli/frame.h"
#include "gr/cli/metrics.h"
#include "gr/cli/output.h"
#include "gr/cli/watch.h"

static volatile sig_atomic_t stop; /* a signal handler can reach nothing else */

/* The first signal asks for a stop in good order, the second has its usual effect. */
static void
on_signal(int number)
{
    (void)number;
    stop = 1;
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
}

static void
watch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};

    /* No SA_RESTART: whoever waits is to wake up. */
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

/* Escape sequences do not go into a JSON log. */
static bool
wants_live(const struct gr_options *options)
{
    if (strcmp(options->progress, "auto") != 0)
        return strcmp(options->progress, "always") == 0;
    return isatty(STDERR_FILENO) == 1 && strcmp(options->log_format, "text") == 0;
}

/* Writes the metrics file, if one was asked for; gives the exit code. */
static int
write_metrics(const struct gr_options *options, const struct gr_run_report *report,
              const struct gr_run_facts *facts)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    struct gr_error err;

    if (options->metrics_file == NULL)
        return 0;
    gr_metrics_put(report, facts, gr_clock_us(), &text);
    return gr_output_write_file(options->metrics_file, &text, &err) ? 0 : gr_output_fail(&err);
}

/* What never came to a run is a failed run for those who watch the metrics. */
static int
fail(const struct gr_options *options, const struct gr_error *failure)
{
    int code = gr_output_fail(failure);
    struct gr_run_report report = {.exit_code = code};
    struct gr_run_facts facts = {.file = options->file, .source = "", .target = ""};

    (void)write_metrics(options, &report, &facts);
    return code;
}

/* Runs the plan, watched: with its log, its display and its signals. */
static bool
run_watched(const struct gr_options *options, const struct gr_plan *plan,
            struct gr_run_report *report, struct gr_error *err)
{
    struct gr_watch *watch = gr_watch_new(wants_live(options), &stop);
    struct gr_run_options ask = {
        .max_duration_ms =
            options->max_duration_ms > 0 ? options->max_duration_ms : plan->max_duration_ms,
        .max_requests = options->max_requests,
        .stop = &stop,
        .progress = gr_watch_see,
        .context = watch,
    };
    bool ok;

    watch_signals();
    gr_output_log(options, gr_watch_around, watch);
    ok = gr_run(plan, &ask, report, err);
    gr_watch_see(watch, report);
    gr_output_log(options, NULL, NULL);
    gr_watch_free(watch);
    return ok;
}

static int
run_plan(const struct gr_options *options, const struct gr_plan *plan,
         const struct gr_frame_views *views)
{
    GR_CLEANUP(gr_run_report_free) struct gr_run_report report = {0};
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    struct gr_run_facts facts = {
        .file = options->file,
        .source = plan->source.name,
        .target = plan->target.name,
        .started_us = gr_clock_us(),
    };
    struct gr_error err;
    int printed, written;
    bool has_run = run_watched(options, plan, &report, &err);

    /* What ends a run under way is logged when it happens; this is what kept it from beginning. */
    if (!has_run) {
        int code = gr_output_fail(&err);

        report.exit_code = report.exit_code != 0 ? report.exit_code : code;
    }
    if (strcmp(options->output, "json") == 0)
        views->put_json(&report, &facts, &text);
    else if (has_run)
        views->put(plan, &report, &facts, &text);
    printed = gr_output_finish(&text);
    written = write_metrics(options, &report, &facts);
    /* The work is done, but what was asked for besides is not there. */
    return report.exit_code == 0 && (printed != 0 || written != 0) ? 1 : report.exit_code;
}

int
gr_frame_engine(const struct gr_options *options, const struct gr_frame_views *views)
{
    GR_CLEANUP(gr_plan_free) struct gr_plan plan = {0};
    struct gr_error err;

    if (options->metrics_file != NULL && !gr_output_try_file(options->metrics_file, &err))
        return gr_output_fail(&err);
    if (!gr_command_plan(options, &plan, &err))
        return fail(options, &err);
    /* Said by the file, and so not known before. */
    if (plan.is_dry_run && !plan.is_audit)
        return gr_command_dry_run(options);
    return run_plan(options, &plan, views);
}
