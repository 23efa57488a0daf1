/* tokenfile.c - the file of the refresh token: locked, read, and replaced as a whole. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "gr/source/tokenfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gr/base/alloc.h"
#include "gr/base/buf.h"

enum { TOKEN_BYTES_MAX = 65536 };

/* Where the links of `path` lead; the path itself where there is no such file yet. */
static const char *
find_real(const char *path, char real[PATH_MAX])
{
    return realpath(path, real) != NULL ? real : path;
}

static void
put_folder(struct gr_buf *out, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        gr_buf_putc(out, '.');
    else
        gr_buf_put(out, path, slash == path ? 1 : (size_t)(slash - path));
}

static int
open_folder(const char *real)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf folder = gr_buf_new(0);

    put_folder(&folder, real);
    return open(gr_buf_text(&folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void
close_file(const int *file)
{
    if (*file >= 0)
        (void)close(*file);
}

bool
gr_token_file_lock(const char *path, int *lock_out)
{
    char real[PATH_MAX];
    int folder = open_folder(find_real(path, real));

    *lock_out = GR_TOKEN_FILE_UNLOCKED;
    if (folder >= 0 && flock(folder, LOCK_EX | LOCK_NB) == 0) {
        *lock_out = folder;
        return true;
    }
    if (folder < 0 || errno != EWOULDBLOCK) {
        close_file(&folder);
        return true;
    }
    close_file(&folder);
    return false;
}

void
gr_token_file_unlock(int *lock)
{
    close_file(lock);
    *lock = GR_TOKEN_FILE_UNLOCKED;
}

char *
gr_token_file_read(const char *path)
{
    GR_CLEANUP(close_file) int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    GR_CLEANUP(gr_free_var) char *text = gr_alloc(TOKEN_BYTES_MAX, 1);
    ssize_t len = file < 0 ? -1 : read(file, text, TOKEN_BYTES_MAX - 1);
    const char *token;
    size_t token_len;

    if (len <= 0)
        return NULL;
    token = text + strspn(text, " \t\r\n");
    token_len = strcspn(token, " \t\r\n");
    return token_len > 0 ? gr_strndup(token, token_len) : NULL;
}

/* What a killed run has left there is of no use, and a link would lead who knows where. */
static int
open_draft(const char *draft)
{
    (void)unlink(draft);
    return open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* The caller's errno says why not. */
static bool
write_draft(const char *draft, const char *token)
{
    GR_CLEANUP(close_file) int file = open_draft(draft);
    size_t len = strlen(token);
    ssize_t written;

    if (file < 0 || fchmod(file, 0600) != 0)
        return false;
    written = write(file, token, len);
    if (written >= 0 && written != (ssize_t)len)
        errno = ENOSPC;
    return written == (ssize_t)len && fsync(file) == 0;
}

static bool
replace(const char *real, const char *draft, const char *token)
{
    GR_CLEANUP(close_file) int folder = open_folder(real);

    if (!write_draft(draft, token) || rename(draft, real) != 0) {
        int why = errno;

        (void)unlink(draft);
        errno = why;
        return false;
    }
    /* Not every file system can do that to a folder. */
    if (folder >= 0)
        (void)fsync(folder);
    return true;
}

bool
gr_token_file_write(const char *path, const char *token, struct gr_error *err)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf draft = gr_buf_new(0);
    char real[PATH_MAX];

    gr_buf_printf(&draft, "%s.new", find_real(path, real));
    if (replace(find_real(path, real), gr_buf_text(&draft), token))
        return true;
    return gr_fail(err, GR_FAULT_SPEC, "%s: the refresh token cannot be written: %s", path,
                   strerror(errno));
}
