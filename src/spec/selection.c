/* selection.c - which streams of a file a run is about. */
#include "gr/spec/selection.h"

#include <string.h>

#include "gr/spec/names.h"

/* One word of --streams. */
struct word {
    const char *text; /* without minus and tag: */
    bool is_exclude;
    bool is_tag;
};

struct words {
    struct word *items;
    size_t count;
    bool includes;
    bool includes_tags;
    bool excludes_tags;
};

static bool
fits(const struct word *word, const struct gr_stream_entry *entry)
{
    for (size_t i = 0; word->is_tag && i < entry->tags.count; i++)
        if (gr_name_matches(word->text, entry->tags.items[i]))
            return true;
    if (word->is_tag)
        return false;
    return gr_name_matches(word->text, entry->name) ||
           (entry->id != NULL && gr_name_matches(word->text, entry->id));
}

static void
add(struct words *to, const char *text)
{
    struct word word = {.text = text};

    if (*word.text == '-') {
        word.is_exclude = true;
        word.text++;
    }
    if (strncmp(word.text, "tag:", 4) == 0) {
        word.is_tag = true;
        word.text += 4;
    }
    to->includes = to->includes || !word.is_exclude;
    to->includes_tags = to->includes_tags || (word.is_tag && !word.is_exclude);
    to->excludes_tags = to->excludes_tags || (word.is_tag && word.is_exclude);
    to->items[to->count++] = word;
}

static struct words
split(const char *text, struct gr_arena *arena)
{
    struct words words = {0};

    words.items = gr_arena_alloc(arena, strlen(text) + 1, sizeof(*words.items));
    while (*text != '\0') {
        size_t lead = strspn(text, " ,");
        size_t len = strcspn(text + lead, ",");
        size_t end = len;

        while (end > 0 && text[lead + end - 1] == ' ')
            end--;
        if (end > 0)
            add(&words, gr_arena_strndup(arena, text + lead, end));
        text += lead + len;
    }
    return words;
}

static bool
fail_unmatched(const char *what, const char *file, const struct gr_replication *from,
               struct gr_arena *arena, bool is_name, struct gr_error *err)
{
    const char **names = gr_arena_alloc(arena, from->count + 1, sizeof(names[0]));
    size_t count = 0;

    for (size_t i = 0; i < from->count; i++)
        if (!from->streams[i].is_disabled)
            names[count++] = from->streams[i].name;
    (void)gr_fail(err, GR_FAULT_USAGE, "\"%.80s\" matches no stream of %s%s", what, file,
                  is_name ? gr_name_did_you_mean(arena, what, names, count) : "");
    return gr_hint(err, "Its streams are: %s.", gr_name_list(arena, names, count));
}

static bool
check_words(const struct words *words, const char *file, const struct gr_replication *from,
            struct gr_arena *arena, struct gr_error *err)
{
    if (words->includes_tags && words->excludes_tags)
        return gr_fail(err, GR_FAULT_USAGE,
                       "--streams cannot include and exclude tags; either "
                       "include or exclude");
    for (size_t i = 0; i < words->count; i++) {
        const struct word *word = &words->items[i];
        const struct gr_stream_entry *disabled = NULL;
        bool any = false;

        for (size_t j = 0; j < from->count; j++) {
            if (!fits(word, &from->streams[j]))
                continue;
            if (from->streams[j].is_disabled)
                disabled = &from->streams[j];
            else
                any = true;
        }
        if (any || (word->is_exclude && disabled != NULL))
            continue;
        if (disabled != NULL)
            return gr_fail(err, GR_FAULT_USAGE, "stream \"%s\" is disabled in %s", disabled->name,
                           file);
        return fail_unmatched(
            gr_arena_printf(arena, "%s%s", word->is_tag ? "tag:" : "", word->text), file, from,
            arena, !word->is_tag, err);
    }
    return true;
}

static enum gr_choice
choose(const struct words *words, const struct gr_stream_entry *entry)
{
    enum gr_choice choice = words->includes ? GR_CHOICE_NONE : GR_CHOICE_IN;

    if (entry->is_disabled)
        return GR_CHOICE_NONE;
    for (size_t i = 0; i < words->count; i++)
        if (fits(&words->items[i], entry)) {
            if (words->items[i].is_exclude)
                return GR_CHOICE_AWAY;
            choice = GR_CHOICE_IN;
        }
    return choice;
}

bool
gr_selection_apply(const char *words, const char *file, const struct gr_replication *from,
                   struct gr_arena *arena, enum gr_choice *choices, struct gr_error *err)
{
    struct words parsed = split(words != NULL ? words : "", arena);
    size_t count = 0;

    if (words != NULL && parsed.count == 0)
        return fail_unmatched(words, file, from, arena, false, err);
    if (!check_words(&parsed, file, from, arena, err))
        return false;
    for (size_t i = 0; i < from->count; i++) {
        choices[i] = choose(&parsed, &from->streams[i]);
        count += choices[i] == GR_CHOICE_IN ? 1 : 0;
    }
    if (count == 0 && words != NULL)
        return fail_unmatched(words, file, from, arena, false, err);
    if (count == 0)
        return gr_fail(err, GR_FAULT_SPEC, "%s: all streams are disabled", file);
    return true;
}
