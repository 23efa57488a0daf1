/* init.c - the command that writes a first replication file, after trying what it names. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gr/base/alloc.h"
#include "gr/base/time.h"
#include "gr/cli/check_view.h"
#include "gr/cli/command.h"
#include "gr/cli/output.h"
#include "gr/cli/starter.h"
#include "gr/engine/check.h"

/* A file under way. */
struct init {
    const struct gr_options *options;
    const char *beside; /* where it is written before it has its name */
    struct gr_schemas schemas;
    struct gr_starter starter;
    bool *is_refused; /* of each schema                            */
    int64_t refused;
    int64_t wanted; /* streams that are not off for what they are      */
    struct gr_check_view view;
};

static bool
fail_write(const char *file, struct gr_error *err)
{
    (void)gr_fail(err, GR_FAULT_USAGE, "cannot write %s: %s", file, strerror(errno));
    return gr_hint(err, "Name a file in a folder that this user may write to.");
}

static bool
fail_exists(const char *file, struct gr_error *err)
{
    (void)gr_fail(err, GR_FAULT_USAGE, "%s exists, and is not overwritten", file);
    return gr_hint(err, "Name another file, or remove this one.");
}

static bool
is_free(const char *file, struct gr_error *err)
{
    struct stat facts;

    return lstat(file, &facts) != 0 || fail_exists(file, err);
}

/* --- connections ---------------------------------------------------------------------------- */

/* What somebody needs who has just begun; both at once where both are missing. */
static bool
fail_missing(const char *source, const char *target, const char *file, struct gr_error *err)
{
    static const char key[] = "(the key is in Gorgias under Settings > REST API)";

    if (source != NULL && target != NULL) {
        (void)gr_fail(err, GR_FAULT_USAGE,
                      "no connections are set: neither %s and %s in the environment, nor any in %s",
                      source, target, file);
        return gr_hint(err, "Set them: export %.60s='%s' %.60s='%s' %s", source, GR_SOURCE_EXAMPLE,
                       target, GR_TARGET_EXAMPLE, key);
    }
    (void)gr_fail(err, GR_FAULT_USAGE,
                  "no connection to %s is set: neither %s in the environment, nor one in %s",
                  source != NULL ? "Gorgias" : "PostgreSQL", source != NULL ? source : target,
                  file);
    if (source != NULL)
        return gr_hint(err, "Set it: export %.60s='%s' %s", source, GR_SOURCE_EXAMPLE, key);
    return gr_hint(err, "Set it: export %.60s='%s'", target, GR_TARGET_EXAMPLE);
}

/* A URL may hold a password, and the file is to hold none. */
static bool
judge_name(const char *option, const char *name, const char *variable, struct gr_error *err)
{
    if (name == NULL || strstr(name, "://") == NULL)
        return true;
    (void)gr_fail(err, GR_FAULT_USAGE, "%s wants the name of a connection, not a URL", option);
    return gr_hint(err, "Keep it out of the file: export %s='...', and leave %s away.", variable,
                   option);
}

static bool
find_connections(struct init *init, struct gr_arena *arena, struct gr_error *err)
{
    const struct gr_options *options = init->options;
    struct gr_notes notes = {.arena = arena}; /* loading the file says them */
    struct gr_connections from = {.arena = arena, .now_us = gr_clock_us(), .notes = &notes};
    struct gr_starter *starter = &init->starter;
    const char *source = options->source != NULL ? options->source : "GORGIAS";
    const char *target = options->target != NULL ? options->target : "WAREHOUSE";

    if (!judge_name("--source", options->source, "GORGIAS", err) ||
        !judge_name("--target", options->target, "WAREHOUSE", err) ||
        !gr_connection_guess(&from, GR_CONNECTION_SOURCE, source, options->source == NULL,
                             &starter->source, &starter->source_place, err) ||
        !gr_connection_guess(&from, GR_CONNECTION_TARGET, target, options->target == NULL,
                             &starter->target, &starter->target_place, err))
        return false;
    if (starter->source == NULL || starter->target == NULL)
        return fail_missing(
            starter->source == NULL ? source : NULL, starter->target == NULL ? target : NULL,
            starter->source == NULL ? starter->source_place : starter->target_place, err);
    return true;
}

/* --- writing -------------------------------------------------------------------------------- */

static bool
write_whole(int file, const struct gr_buf *text)
{
    size_t at = 0;

    while (at < text->len) {
        ssize_t written = write(file, text->data + at, text->len - at);

        if (written < 0 && errno != EINTR)
            return false;
        at += written > 0 ? (size_t)written : 0;
    }
    return fsync(file) == 0;
}

static bool
write_beside(const struct init *init, struct gr_error *err)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    int file = open(init->beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool ok;

    if (file < 0)
        return fail_write(init->starter.file, err);
    gr_starter_put(&init->starter, &text);
    ok = write_whole(file, &text);
    ok = close(file) == 0 && ok;
    return ok || fail_write(init->starter.file, err);
}

/* The name is taken in one step, and only if nobody has it. Not every file system knows links. */
static bool
give_name(const struct init *init, struct gr_error *err)
{
    const char *file = init->starter.file;

    if (link(init->beside, file) == 0)
        return true;
    if (errno == EEXIST)
        return fail_exists(file, err);
    if (errno != EPERM && errno != EOPNOTSUPP)
        return fail_write(file, err);
    return is_free(file, err) && (rename(init->beside, file) == 0 || fail_write(file, err));
}

/* --- trying --------------------------------------------------------------------------------- */

/* An endpoint that the key may not read is no reason to have no file. */
static void
take_line(void *context, const char *subject, const char *detail, const struct gr_error *err)
{
    struct init *init = context;
    bool is_refusal =
        err != NULL && (err->fault == GR_FAULT_FORBIDDEN || err->fault == GR_FAULT_MISSING);

    for (size_t i = 0; is_refusal && i < init->schemas.count; i++)
        if (strcmp(init->schemas.items[i].stream, subject) == 0) {
            init->is_refused[i] = true;
            init->refused++;
        }
    gr_check_view_take(&init->view, subject, detail, err);
}

/* Tries the file as it would be; `code` is the exit code of what must not be. */
static bool
try_file(struct init *init, const struct gr_plan *plan, int *code_out, struct gr_error *err)
{
    int code = gr_check(plan, take_line, init);

    *code_out = init->view.failed > init->refused ? code : 0;
    if (*code_out != 0)
        return gr_fail(err, GR_FAULT_USAGE,
                       "%s was not written: %" PRId64 " of %" PRId64 " checks failed",
                       init->starter.file, init->view.failed, init->view.count) ||
               gr_hint(err, "Mend what is marked with a cross, and try again.");
    if (init->refused == init->wanted) {
        *code_out = 1;
        return gr_fail(err, GR_FAULT_FORBIDDEN, "%s was not written: no endpoint may be read",
                       init->starter.file);
    }
    return true;
}

static void
put_result(const struct init *init, struct gr_buf *out)
{
    const struct gr_starter *starter = &init->starter;

    gr_buf_printf(out, "gorgias-replicate: wrote %s: %" PRId64 " streams, %s -> %s (%s)\n",
                  starter->file, init->wanted - init->refused, starter->source, starter->target,
                  starter->warehouse);
    if (init->refused > 0)
        gr_buf_printf(out, "%" PRId64 " are disabled in it: this account's key may not read them\n",
                      init->refused);
    if (init->wanted < (int64_t)init->schemas.count)
        gr_buf_printf(out,
                      "%" PRId64 " more are in it, and off: remove disabled: true to copy them\n",
                      (int64_t)init->schemas.count - init->wanted);
    gr_buf_printf(out, "Next: gorgias-replicate run %s --dry-run, then without --dry-run\n",
                  starter->file);
}

/* The file beside is what is tried; it is written anew with what was learnt. */
static bool
try_and_write(struct init *init, int *code_out, struct gr_error *err)
{
    GR_CLEANUP(gr_plan_free) struct gr_plan plan = {0};
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);
    struct gr_options own = *init->options;

    own.file = init->beside;
    if (!write_beside(init, err) || !gr_command_plan(&own, &plan, err) ||
        !try_file(init, &plan, code_out, err))
        return false;
    init->starter.base_url = plan.source.base_url;
    init->starter.warehouse = plan.target.shown;
    init->starter.is_refused = init->is_refused;
    if (!write_beside(init, err) || !give_name(init, err))
        return false;
    put_result(init, &text);
    gr_check_view_write(&init->view, &text);
    return true;
}

static bool
init_file(struct init *init, int *code_out, struct gr_error *err)
{
    struct gr_arena *arena = init->options->arena;
    bool ok;

    if (!is_free(init->starter.file, err) || !gr_schemas_load(NULL, &init->schemas, err) ||
        !find_connections(init, arena, err))
        return false;
    for (size_t i = 0; i < init->schemas.count; i++)
        init->wanted += !init->schemas.items[i].is_named_only;
    init->is_refused = gr_arena_alloc(arena, init->schemas.count, sizeof(bool));
    init->beside = gr_arena_printf(arena, "%s.%ld.tmp", init->starter.file, (long)getpid());
    ok = try_and_write(init, code_out, err);
    (void)unlink(init->beside);
    return ok;
}

int
gr_command_init(const struct gr_options *options)
{
    struct init init = {.options = options,
                        .starter = {.file = options->file, .base_url = "", .warehouse = ""},
                        .view = {.has_colour = gr_output_has_colour(STDOUT_FILENO)}};
    struct gr_error err;
    int code = 0;
    bool ok;

    init.starter.schemas = &init.schemas;
    ok = init_file(&init, &code, &err);
    if (!ok) {
        int failed = gr_output_fail(&err);

        code = code != 0 ? code : failed;
    }
    gr_schemas_free(&init.schemas);
    return ok && init.view.is_unwritable ? 1 : code;
}
