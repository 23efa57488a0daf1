/*
 * cli_golden.h - compares a text with a file of tests/golden; UPDATE=1 in the environment writes
 * the file instead. Included once by each test of the cli layer, after <cmocka.h>.
 */
#ifndef CLI_GOLDEN_H
#define CLI_GOLDEN_H

#include <stdio.h>
#include <stdlib.h>

#include "gr/base/buf.h"

static void
read_whole(const char *path, struct gr_buf *out)
{
    FILE *file = fopen(path, "rb");
    char bytes[4096];
    size_t len;

    if (file == NULL)
        return;
    while ((len = fread(bytes, 1, sizeof(bytes), file)) > 0)
        gr_buf_put(out, bytes, len);
    (void)fclose(file);
}

static void
assert_golden(const struct gr_buf *text, const char *name)
{
    struct gr_buf path = gr_buf_new(0), wanted = gr_buf_new(0);

    gr_buf_printf(&path, "%s/tests/golden/%s", GR_SOURCE_DIR, name);
    if (getenv("UPDATE") != NULL) {
        FILE *file = fopen(gr_buf_text(&path), "wb");

        assert_non_null(file);
        assert_int_equal(fwrite(gr_buf_text(text), 1, text->len, file), text->len);
        assert_int_equal(fclose(file), 0);
    }
    read_whole(gr_buf_text(&path), &wanted);
    assert_string_equal(gr_buf_text(text), gr_buf_text(&wanted));
    gr_buf_free(&path);
    gr_buf_free(&wanted);
}

#endif
