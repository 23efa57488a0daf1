/* check_view.c - what was found, line by line. */
#include "gr/cli/check_view.h"

#include "gr/cli/output.h"
#include "gr/cli/text.h"

enum { SUBJECT_WIDTH = 26 };

static void
put_text(const struct gr_check_view *view, const char *subject, const char *detail,
         const struct gr_error *err, struct gr_buf *out)
{
    const char *colour = err == NULL ? "\033[32m" : "\033[31m";

    gr_buf_printf(out, "%s%s%s ", view->has_colour ? colour : "", err == NULL ? "✓" : "✗",
                  view->has_colour ? "\033[0m" : "");
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

void
gr_check_view_write(struct gr_check_view *view, const struct gr_buf *text)
{
    if (!view->is_unwritable && gr_output_finish(text) != 0)
        view->is_unwritable = true;
}

void
gr_check_view_take(void *context, const char *subject, const char *detail,
                   const struct gr_error *err)
{
    struct gr_check_view *view = context;
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);

    view->count++;
    view->failed += err != NULL ? 1 : 0;
    if (view->findings != NULL) {
        gr_doc_add(view->findings, finding_doc(subject, detail, err));
        return;
    }
    put_text(view, subject, detail, err, &text);
    gr_check_view_write(view, &text);
}
