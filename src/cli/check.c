/* check.c - the command that tries what a run would need. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "gr/cli/check_view.h"
#include "gr/cli/command.h"
#include "gr/cli/output.h"
#include "gr/engine/check.h"

static void
put_result(const struct gr_options *options, struct gr_check_view *view, int code,
           struct gr_buf *out)
{
    GR_CLEANUP(gr_doc_free_var) struct json_object *doc = gr_doc_object();

    if (view->findings != NULL) {
        gr_doc_put_text(doc, "file", options->file);
        gr_doc_put_bool(doc, "ok", view->failed == 0);
        gr_doc_put_int(doc, "exit_code", code);
        gr_doc_put(doc, "checks", view->findings);
        gr_doc_print_json(doc, out);
    } else if (view->failed == 0) {
        gr_buf_printf(out, "gorgias-replicate: all %" PRId64 " checks passed\n", view->count);
    } else {
        gr_buf_printf(out, "gorgias-replicate: %" PRId64 " of %" PRId64 " checks failed\n",
                      view->failed, view->count);
    }
}

int
gr_command_check(const struct gr_options *options)
{
    bool is_json = strcmp(options->output, "json") == 0;
    struct gr_check_view view = {.has_colour = gr_output_has_colour(STDOUT_FILENO)};
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    GR_CLEANUP(gr_plan_free) struct gr_plan plan = {0};
    struct gr_error err;
    int code;

    if (!gr_command_plan(options, &plan, &err))
        return gr_output_fail(&err);
    view.findings = is_json ? gr_doc_array() : NULL;
    code = gr_check(&plan, gr_check_view_take, &view);
    put_result(options, &view, code, &text);
    gr_check_view_write(&view, &text);
    return code == 0 && view.is_unwritable ? 1 : code;
}
