/* yaml_file.c - the content of files, read to a bound of size and patience. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "gr/base/buf.h"
#include "gr/spec/yaml.h"

enum { PIPE_PATIENCE_MS = 10000 };

/* Waits for bytes: what is read may be the pipe of a shell's <(...). */
static bool
wait_for_bytes(int file)
{
    struct pollfd ready = {.fd = file, .events = POLLIN};

    return poll(&ready, 1, PIPE_PATIENCE_MS) > 0;
}

static void
close_file(const int *file)
{
    if (*file >= 0)
        (void)close(*file);
}

static bool
fail_to_read(const char *path, struct gr_error *err)
{
    if (errno == EAGAIN)
        return gr_fail(err, GR_FAULT_SPEC, "cannot read %s: nothing came for %d seconds", path,
                       PIPE_PATIENCE_MS / 1000);
    return gr_fail(err, GR_FAULT_SPEC, "cannot read %s: %s", path, strerror(errno));
}

bool
gr_yaml_slurp(const char *path, size_t limit_bytes, struct gr_arena *arena, const char **text_out,
              size_t *len_out, struct gr_error *err)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf text = gr_buf_new(limit_bytes);
    /* Without waiting for somebody who writes: a pipe that nobody has opened is empty. */
    GR_CLEANUP(close_file) int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char block[16384];
    ssize_t got;

    if (file < 0)
        return gr_fail(err, GR_FAULT_SPEC, "cannot open %s: %s", path, strerror(errno));
    while ((got = read(file, block, sizeof(block))) != 0 && text.failed == NULL) {
        if (got > 0)
            gr_buf_put(&text, block, (size_t)got);
        else if (errno != EINTR && (errno != EAGAIN || !wait_for_bytes(file)))
            return fail_to_read(path, err);
    }
    if (text.failed != NULL)
        return gr_fail(err, GR_FAULT_SPEC, "%s: larger than %zu bytes", path, limit_bytes);
    *text_out = gr_arena_strndup(arena, gr_buf_text(&text), text.len);
    *len_out = text.len;
    return true;
}

bool
gr_yaml_load(const char *path, struct gr_arena *arena, const struct gr_yaml_node **out,
             struct gr_error *err)
{
    const char *text;
    size_t len;

    if (!gr_yaml_slurp(path, GR_YAML_BYTES, arena, &text, &len, err))
        return false;
    return gr_yaml_parse(path, text, len, arena, out, err);
}
