/* variables.c - runtime variables. */
#include "gr/spec/variables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gr/base/buf.h"
#include "gr/base/time.h"
#include "gr/spec/names.h"

enum { EXPANDED_BYTES = 4 << 20 };

void
gr_variables_set(struct gr_variables *variables, const char *name, const char *value)
{
    if (variables->count == variables->cap) {
        size_t cap = variables->cap == 0 ? 64 : variables->cap * 2;
        struct gr_variable *items = gr_arena_alloc(variables->arena, cap, sizeof(*items));

        if (variables->count > 0)
            memcpy(items, variables->items, variables->count * sizeof(*items));
        variables->items = items;
        variables->cap = cap;
    }
    variables->items[variables->count++] = (struct gr_variable){name, value};
}

/* The pieces of 2026-11-21T06:50:24.000123Z and the names that they have in Sling. */
/* clang-format off */
static const struct {
    const char *name;
    size_t from;
    size_t len;
} pieces[] = {
    {"YYYY", 0, 4}, {"YY", 2, 2}, {"MM", 5, 2}, {"DD", 8, 2}, {"HH", 11, 2}, {"mm", 14, 2},
    {"ss", 17, 2}, {"date", 0, 10},
};
/* clang-format on */

void
gr_variables_set_time(struct gr_variables *variables, int64_t now_us)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct gr_arena *arena = variables->arena;
    char t[GR_TIME_TEXT];
    size_t month;

    gr_time_format(now_us, t);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        const char *value = gr_arena_strndup(arena, t + pieces[i].from, pieces[i].len);

        gr_variables_set(variables, gr_arena_printf(arena, "timestamp.%s", pieces[i].name), value);
        if (strcmp(pieces[i].name, "date") != 0)
            gr_variables_set(variables, pieces[i].name, value);
    }
    month = (size_t)((t[5] - '0') * 10 + t[6] - '0') - 1;
    gr_variables_set(variables, "timestamp.MMM", gr_arena_strndup(arena, months + month * 3, 3));
    gr_variables_set(variables, "MMM", gr_arena_strndup(arena, months + month * 3, 3));
    gr_variables_set(variables, "timestamp.datetime",
                     gr_arena_printf(arena, "%.10s %.8s", t, t + 11));
    gr_variables_set(variables, "timestamp.rfc3339", gr_arena_printf(arena, "%.19sZ", t));
    gr_variables_set(variables, "timestamp.unix",
                     gr_arena_printf(arena, "%lld", (long long)(now_us / 1000000)));
    gr_variables_set(variables, "timestamp.file_name",
                     gr_arena_printf(arena, "%.4s_%.2s_%.2s_%.2s%.2s%.2s", t, t + 5, t + 8, t + 11,
                                     t + 14, t + 17));
    gr_variables_set(variables, "run_timestamp", variables->items[variables->count - 1].value);
}

/* The length of the {name} at `at`, 0 if there is none. */
static size_t
variable_len(const char *at)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    size_t len;

    if (at[1] == '\0' || strchr(first, at[1]) == NULL)
        return 0;
    len = strspn(at + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789.");
    return at[len + 1] == '}' ? len + 2 : 0;
}

static const char *
find_own(const struct gr_variables *variables, const char *name)
{
    for (size_t i = variables->count; i > 0; i--)
        if (strcmp(variables->items[i - 1].name, name) == 0)
            return variables->items[i - 1].value;
    return NULL;
}

static const char *
find(const struct gr_variables *variables, const char *name)
{
    const char *value = find_own(variables, name);

    return value == NULL && strncmp(name, "env.", 4) == 0 ? getenv(name + 4) : value;
}

const char *
gr_variables_replace(const struct gr_variables *variables, const char *text)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf replaced = gr_buf_new(EXPANDED_BYTES);

    if (strchr(text, '{') == NULL)
        return text;
    while (*text != '\0') {
        size_t len = *text == '{' ? variable_len(text) : 0;
        const char *value = NULL;

        if (len > 0)
            value = find_own(variables, gr_arena_strndup(variables->arena, text + 1, len - 2));
        if (value != NULL)
            gr_buf_puts(&replaced, value);
        else
            gr_buf_put(&replaced, text, len > 0 ? len : 1);
        text += len > 0 ? len : 1;
    }
    return gr_arena_strdup(variables->arena, gr_buf_text(&replaced));
}

static bool
fail_unknown(const struct gr_variables *variables, const struct gr_yaml_node *at, const char *name,
             struct gr_error *err)
{
    const char **known = gr_arena_alloc(variables->arena, variables->count + 1, sizeof(known[0]));

    for (size_t i = 0; i < variables->count; i++)
        known[i] = variables->items[i].name;
    (void)gr_yaml_fail(at, err, "unknown variable \"{%.60s}\"%s", name,
                       gr_name_did_you_mean(variables->arena, name, known, variables->count));
    return gr_hint(err,
                   "Variables are {stream_name}, {target_schema}, {run_timestamp} and the like, "
                   "{env.NAME}, and the names under \"env\" in the file.");
}

bool
gr_variables_expand(const struct gr_variables *variables, const struct gr_yaml_node *at,
                    const char *text, const char **out, struct gr_error *err)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf expanded = gr_buf_new(EXPANDED_BYTES);

    while (*text != '\0') {
        size_t len = *text == '{' ? variable_len(text) : 0;
        const char *name;
        const char *value;

        if (len == 0) {
            gr_buf_putc(&expanded, *text++);
            continue;
        }
        name = gr_arena_strndup(variables->arena, text + 1, len - 2);
        value = find(variables, name);
        if (value == NULL)
            return fail_unknown(variables, at, name, err);
        gr_buf_puts(&expanded, value);
        text += len;
    }
    if (expanded.failed != NULL)
        return gr_yaml_fail(at, err, "the text with its variables is larger than 4 MiB");
    *out = gr_arena_strdup(variables->arena, gr_buf_text(&expanded));
    return true;
}
