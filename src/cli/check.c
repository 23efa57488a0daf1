/* check.c - the command that tries what a run would need. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "gr/cli/command.h"
#include "gr/cli/doc.h"
#include "gr/cli/output.h"
#include "gr/cli/text.h"
#include "gr/engine/check.h"

enum { SUBJECT_WIDTH = 26 };

/* What becomes of the lines. */
struct lines {
    bool has_colour;
    bool is_unwritable;           /* stdout takes nothing: said once    */
    struct json_object *findings; /* NULL: lines are printed as they come */
    int64_t count;
    int64_t failed;
};

static void
put_text(const struct lines *lines, const char *subject, const char *detail,
         const struct gr_error *err, struct gr_buf *out)
{
    const char *colour = err == NULL ? "\033[32m" : "\033[31m";

    gr_buf_printf(out, "%s%s%s ", lines->has_colour ? colour : "", err == NULL ? "✓" : "✗",
                  lines->has_colour ? "\033[0m" : "");
    gr_text_pad(out, subject, SUBJECT_WIDTH, false);
    gr_buf_puts(out, "  ");
    gr_output_put_redacted(out, err == NULL ? detail : err->message);
    while (out->data[out->len - 1] == ' ')
        out->data[--out->len] = '\0';
    gr_buf_putc(out, '\n');
    if (err != NULL && err->hint[0] != '\0') {
        gr_buf_puts(out, "  HINT: ");
        gr_output_put_redacted(out, err->hint);
        gr_buf_putc(out, '\n');
    }
}

static struct json_object *
finding_doc(const char *subject, const char *detail, const struct gr_error *err)
{
    struct json_object *item = gr_doc_object();

    gr_doc_put_text(item, "subject", subject);
    gr_doc_put_bool(item, "ok", err == NULL);
    gr_doc_put_text(item, "detail", detail);
    gr_doc_put_text(item, "fault", err == NULL ? NULL : gr_fault_facts(err->fault)->name);
    if (err != NULL)
        gr_doc_put_message(item, "error", err->message);
    else
        gr_doc_put_text(item, "error", NULL);
    if (err != NULL && err->hint[0] != '\0')
        gr_doc_put_message(item, "hint", err->hint);
    else
        gr_doc_put_text(item, "hint", NULL);
    return item;
}

static void
write_out(struct lines *lines, const struct gr_buf *text)
{
    if (!lines->is_unwritable && gr_output_finish(text) != 0)
        lines->is_unwritable = true;
}

static void
take_line(void *context, const char *subject, const char *detail, const struct gr_error *err)
{
    struct lines *lines = context;
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);

    lines->count++;
    lines->failed += err != NULL ? 1 : 0;
    if (lines->findings != NULL) {
        gr_doc_add(lines->findings, finding_doc(subject, detail, err));
        return;
    }
    put_text(lines, subject, detail, err, &text);
    write_out(lines, &text);
}

static void
put_result(const struct gr_options *options, struct lines *lines, int code, struct gr_buf *out)
{
    GR_CLEANUP(gr_doc_free_var) struct json_object *doc = gr_doc_object();

    if (lines->findings != NULL) {
        gr_doc_put_text(doc, "file", options->file);
        gr_doc_put_bool(doc, "ok", lines->failed == 0);
        gr_doc_put_int(doc, "exit_code", code);
        gr_doc_put(doc, "checks", lines->findings);
        gr_doc_print_json(doc, out);
    } else if (lines->failed == 0) {
        gr_buf_printf(out, "gorgias-replicate: all %" PRId64 " checks passed\n", lines->count);
    } else {
        gr_buf_printf(out, "gorgias-replicate: %" PRId64 " of %" PRId64 " checks failed\n",
                      lines->failed, lines->count);
    }
}

int
gr_command_check(const struct gr_options *options)
{
    bool is_json = strcmp(options->output, "json") == 0;
    struct lines lines = {.has_colour = gr_output_has_colour(STDOUT_FILENO)};
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    GR_CLEANUP(gr_plan_free) struct gr_plan plan = {0};
    struct gr_error err;
    int code;

    if (!gr_command_plan(options, &plan, &err))
        return gr_output_fail(&err);
    lines.findings = is_json ? gr_doc_array() : NULL;
    code = gr_check(&plan, take_line, &lines);
    put_result(options, &lines, code, &text);
    write_out(&lines, &text);
    return code == 0 && lines.is_unwritable ? 1 : code;
}
