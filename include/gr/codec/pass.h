/*
 * gr/codec/pass.h - passing over JSON that was checked before: where does a value end?
 *
 * Sixty-four bytes at a time, without looking at single ones: escaped bytes and the insides of
 * strings are masks, brackets outside of strings are counted.
 *
 * Errors  none; on text that is no JSON the answer is some place up to `end`
 * Source  Langdale, Lemire: Parsing Gigabytes of JSON per Second (2019), 3.1.1
 */
#ifndef GR_CODEC_PASS_H
#define GR_CODEC_PASS_H

#include <stdbool.h>

/* Behind the closing quote of the string whose opening quote is before `at`; `*escaped_out` is set
   when there is a backslash in it, and is otherwise left alone. */
const char *gr_pass_string(const char *at, const char *end, bool *escaped_out);

/* Behind the closing bracket of the container whose opening bracket is at `at`. */
const char *gr_pass_container(const char *at, const char *end);

/* Behind the number or word at `at`. */
const char *gr_pass_plain(const char *at, const char *end);

#endif
