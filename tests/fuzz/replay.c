/* replay.c - feeds a fuzz target the files of a folder, where there is no libFuzzer: each as it is,
   and a short one also cut at each of its bytes, or at each STEP of them. */
#include <dirent.h>

#include "fuzz.h"
#include "gr/base/alloc.h"
#include "gr/base/buf.h"

enum { CUT_BYTES_MAX = 400 };

/* Into memory of exactly that size, so that a byte too far is seen. */
static void
feed(const char *bytes, size_t len)
{
    uint8_t *copy = gr_alloc(len, 1);

    memcpy(copy, bytes, len);
    (void)LLVMFuzzerTestOneInput(copy, len);
    gr_free(copy);
}

static bool
slurp(const char *path, struct gr_buf *out)
{
    FILE *file = fopen(path, "rb");
    char block[4096];
    size_t got;

    if (file == NULL)
        return false;
    while ((got = fread(block, 1, sizeof(block), file)) > 0)
        gr_buf_put(out, block, got);
    (void)fclose(file);
    return true;
}

static bool
replay(const char *path, size_t step)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf content = gr_buf_new(0);

    if (!slurp(path, &content))
        return false;
    (void)printf("%s\n", path);
    (void)fflush(stdout);
    for (size_t len = 0; len < content.len && content.len <= CUT_BYTES_MAX; len += step)
        feed(gr_buf_text(&content), len);
    feed(gr_buf_text(&content), content.len);
    return true;
}

int
main(int argc, char **argv)
{
    DIR *folder = argc >= 2 ? opendir(argv[1]) : NULL;
    size_t step = argc == 3 ? strtoul(argv[2], NULL, 10) : 1;
    struct dirent *entry;
    size_t count = 0;

    if (folder == NULL || step == 0) {
        (void)fprintf(stderr, "usage: %s FOLDER [STEP]\n", argv[0]);
        return 2;
    }
    while ((entry = readdir(folder)) != NULL) {
        GR_CLEANUP(gr_buf_free) struct gr_buf path = gr_buf_new(0);

        if (entry->d_name[0] == '.')
            continue;
        gr_buf_printf(&path, "%s/%s", argv[1], entry->d_name);
        count += replay(gr_buf_text(&path), step) ? 1 : 0;
    }
    (void)closedir(folder);
    (void)printf("%zu files\n", count);
    return count > 0 ? 0 : 1;
}
