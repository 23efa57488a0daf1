/* output.c - stdout for results, stderr for what went wrong. */
#include "gr/cli/output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gr/base/alloc.h"
#include "gr/base/log.h"

enum { WIDTH_DEFAULT = 120, WIDTH_MAX = 10000 };

/* Errors of commands are told in the form of the log. */
static bool is_log_json;

bool
gr_output_write(const struct gr_buf *text, struct gr_error *err)
{
    if (fwrite(gr_buf_text(text), 1, text->len, stdout) != text->len || fflush(stdout) != 0)
        return gr_fail(err, GR_FAULT_USAGE, "cannot write to stdout: %s", strerror(errno));
    return true;
}

static bool
fail_file(const char *path, struct gr_error *err)
{
    (void)gr_fail(err, GR_FAULT_USAGE, "cannot write \"%s\": %s", path, strerror(errno));
    return gr_hint(err, "The file needs a folder that is there and that this user may write to.");
}

bool
gr_output_try_file(const char *path, struct gr_error *err)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? gr_strdup(".") : gr_strndup(path, (size_t)(slash - path) + 1);
    bool may_write = access(folder, W_OK | X_OK) == 0;

    gr_free(folder);
    return may_write || fail_file(path, err);
}

bool
gr_output_write_file(const char *path, const struct gr_buf *text, struct gr_error *err)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf beside = gr_buf_new(0);
    FILE *file;
    bool ok;

    gr_buf_printf(&beside, "%s.%ld.tmp", path, (long)getpid());
    file = fopen(gr_buf_text(&beside), "w");
    if (file == NULL)
        return fail_file(path, err);
    ok = fwrite(gr_buf_text(text), 1, text->len, file) == text->len;
    ok = fclose(file) == 0 && ok;
    if (ok && rename(gr_buf_text(&beside), path) == 0)
        return true;
    (void)fail_file(path, err);
    (void)unlink(gr_buf_text(&beside));
    return false;
}

int
gr_output_finish(const struct gr_buf *text)
{
    struct gr_error err;

    return gr_output_write(text, &err) ? 0 : gr_output_fail(&err);
}

int
gr_output_fail(const struct gr_error *err)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(0);

    if (is_log_json) {
        gr_log_error(GR_LOG_ERROR, NULL, err);
        return gr_fault_facts(err->fault)->exit_code;
    }
    gr_buf_printf(&text, "%sgorgias-replicate: %s\n", gr_log_mark(GR_LOG_ERROR), err->message);
    if (err->hint[0] != '\0')
        gr_buf_printf(&text, "%sHINT: %s\n", gr_log_mark(GR_LOG_ERROR), err->hint);
    gr_log_redact(&text);
    (void)fwrite(gr_buf_text(&text), 1, text.len, stderr);
    return gr_fault_facts(err->fault)->exit_code;
}

/* systemd names the file that its journal reads from. It is inherited, so stderr may be another. */
static bool
is_journal(int fd)
{
    const char *journal = getenv("JOURNAL_STREAM");
    struct stat file;
    char name[64];

    if (journal == NULL || fstat(fd, &file) != 0)
        return false;
    (void)snprintf(name, sizeof(name), "%" PRIuMAX ":%" PRIuMAX, (uintmax_t)file.st_dev,
                   (uintmax_t)file.st_ino);
    return strcmp(journal, name) == 0;
}

void
gr_output_log(const struct gr_options *options, void (*around)(void *context, bool is_before),
              void *context)
{
    struct gr_log_setup setup = {
        .level = GR_LOG_INFO,
        .as_json = options->log_format != NULL && strcmp(options->log_format, "json") == 0,
        .in_colour = gr_output_has_colour(STDERR_FILENO),
        .in_journal = is_journal(STDERR_FILENO),
        .around = around,
        .context = context,
    };

    if (options->log_level != NULL)
        (void)gr_log_level_parse(options->log_level, &setup.level);
    is_log_json = setup.as_json;
    gr_log_setup(setup);
}

bool
gr_output_has_colour(int fd)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    if ((no_colour != NULL && no_colour[0] != '\0') || (term != NULL && strcmp(term, "dumb") == 0))
        return false;
    return isatty(fd) == 1;
}

size_t
gr_output_width(int fd)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size = {0};
    size_t width = 0;

    for (; columns != NULL && *columns >= '0' && *columns <= '9' && width < WIDTH_MAX; columns++)
        width = width * 10 + (size_t)(*columns - '0');
    if (columns != NULL && *columns == '\0' && width > 0)
        return width;
    if (isatty(fd) == 1 && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return WIDTH_DEFAULT;
}

size_t
gr_output_height(int fd)
{
    struct winsize size = {0};

    if (isatty(fd) == 1 && ioctl(fd, TIOCGWINSZ, &size) == 0)
        return size.ws_row;
    return 0;
}

void
gr_output_put_redacted(struct gr_buf *out, const char *text)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf safe = gr_buf_new(0);

    gr_buf_puts(&safe, text);
    gr_log_redact(&safe);
    gr_buf_puts(out, gr_buf_text(&safe));
}
