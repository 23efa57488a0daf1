/*
 * fuzz.h - what all fuzz targets share.
 *
 * A target is one function that takes any bytes and asserts the laws of a module. libFuzzer calls
 * it in the preset `fuzz`; replay.c calls it with the corpus everywhere else.
 */
#ifndef GR_TESTS_FUZZ_H
#define GR_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gr/base/error.h"
#include "gr/base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A law; the line that was broken is named, since a sanitizer's trace is not always there. */
#define require(condition) require_at(condition, #condition, __FILE__, __LINE__)

static inline void
require_at(bool condition, const char *law, const char *file, int line)
{
    if (condition)
        return;
    (void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, law);
    abort();
}

/* UTF-8 without zero bytes, as PostgreSQL wants its texts. */
static inline void
require_text(const char *at, size_t len)
{
    const char *end = at + len;

    while (at < end) {
        size_t one = gr_utf8_length(at, end);

        require(one > 0 && *at != '\0');
        at += one;
    }
}

/* A message is one line of text that says something; a hint may be missing. */
static inline void
require_error(const struct gr_error *err, enum gr_fault fault)
{
    require(err->fault == fault);
    require(err->message[0] != '\0' && strpbrk(err->message, "\r\n") == NULL);
    require(strpbrk(err->hint, "\r\n") == NULL);
    require_text(err->message, strlen(err->message));
    require_text(err->hint, strlen(err->hint));
}

/* Nothing of whoever runs this is read: no env.yaml, no settings. */
static inline void
forget_environment(void)
{
    static const char *const names[] = {"HOME", "SLING_HOME_DIR", "SLING_STATE", "SLING_THREADS",
                                        "GR_KEEP_RUNS"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        (void)unsetenv(names[i]);
}

#endif
