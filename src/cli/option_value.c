/* option_value.c - the value of an option, from its text to its place. */
#include <string.h>

#include "gr/base/time.h"
#include "gr/cli/options.h"

static bool
fail_value(const char *written, const char *value, const char *wanted, struct gr_error *err)
{
    return gr_fail(err, GR_FAULT_USAGE, "option %s wants %s, not \"%s\"", written, wanted, value);
}

static bool
parse_number(const char *text, int64_t *out)
{
    int64_t value = 0;

    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || value > INT64_C(100000000000000000))
            return false;
        value = value * 10 + (*text - '0');
    }
    *out = value;
    return value > 0;
}

/* True if `word` is one of the words of "a|b|c". */
static bool
is_choice(const char *choices, const char *word)
{
    size_t len = strlen(word);

    for (const char *at = choices; *at != '\0'; at += strcspn(at, "|"), at += *at == '|')
        if (strcspn(at, "|") == len && strncmp(at, word, len) == 0)
            return true;
    return false;
}

static void
add_pair(struct gr_options *options, const char *pair)
{
    struct gr_option_pairs *env = &options->env;
    const char **items = gr_arena_alloc(options->arena, env->count + 2, sizeof(items[0]));

    if (env->count > 0)
        memcpy(items, env->items, env->count * sizeof(items[0]));
    items[env->count++] = pair;
    env->items = items;
}

bool
gr_option_set(struct gr_options *options, const struct gr_option *option, const char *written,
              const char *value, struct gr_error *err)
{
    void *at = (char *)options + option->at;
    const char **text = at;
    int64_t number = 0;

    switch (option->kind) {
    case GR_OPTION_FLAG:
        *(bool *)at = true;
        return true;
    case GR_OPTION_TEXT:
        *text = value;
        return true;
    case GR_OPTION_WORDS:
        *text = *text == NULL ? value : gr_arena_printf(options->arena, "%s,%s", *text, value);
        return true;
    case GR_OPTION_PAIR:
        if (strchr(value, '=') == NULL || value[0] == '=')
            return fail_value(written, value, "NAME=VALUE", err);
        add_pair(options, value);
        return true;
    case GR_OPTION_NUMBER:
        if (!parse_number(value, &number))
            return fail_value(written, value, "a whole number from 1", err);
        *(int64_t *)at = number;
        return true;
    case GR_OPTION_DURATION:
        if (!gr_duration_parse(value, &number) || number <= 0)
            return fail_value(written, value, "a duration such as 90s, 50m or 1h30m", err);
        *(int64_t *)at = number;
        return true;
    case GR_OPTION_CHOICE:
        if (!is_choice(option->argument, value))
            return fail_value(written, value, option->argument, err);
        *text = value;
        return true;
    case GR_OPTION_KINDS:
        break;
    }
    return gr_fail(err, GR_FAULT_BUG, "option --%s has no kind", option->name);
}
