/* names.c - names, patterns, and the nearest name. */
#include "gr/spec/names.h"

#include <string.h>
#include <strings.h>

#include "gr/base/buf.h"

enum { NEAREST_BYTES = 64 }; /* longer words are nobody's typing errors */

bool
gr_name_is_plain(const char *text)
{
    size_t len = strlen(text);

    if (len == 0 || len > GR_NAME_BYTES || (*text >= '0' && *text <= '9'))
        return false;
    return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

bool
gr_name_is_reserved(const char *text)
{
    static const char *const reserved[] = {"_loaded_at", "_deleted_at", "_hash", "_extra"};

    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        if (strcmp(text, reserved[i]) == 0)
            return true;
    return false;
}

bool
gr_name_is_pattern(const char *text)
{
    return strpbrk(text, "*?[") != NULL;
}

/* Matches `c` against the set that begins at *pattern_at, behind its bracket; moves past the set.
 */
static bool
matches_set(const char **pattern_at, char c)
{
    const char *at = *pattern_at;
    bool is_inverted = *at == '!' || *at == '^';
    bool is_in = false;

    if (is_inverted)
        at++;
    for (const char *first = at; *at != '\0' && (*at != ']' || at == first); at++) {
        if (at[1] == '-' && at[2] != ']' && at[2] != '\0') {
            is_in = is_in || (c >= at[0] && c <= at[2]);
            at += 2;
        } else {
            is_in = is_in || c == *at;
        }
    }
    *pattern_at = *at == ']' ? at + 1 : at;
    return is_in != is_inverted;
}

bool
gr_name_matches(const char *pattern, const char *text)
{
    const char *star = NULL; /* behind the last star, to come back to */
    const char *star_text = NULL;

    while (*text != '\0' || *pattern != '\0') {
        const char *next = pattern + 1;
        bool is_same = false;

        if (*pattern == '*') {
            star = next;
            star_text = text;
            pattern = next;
            continue;
        }
        if (*text != '\0' && *pattern != '\0') {
            if (*pattern == '[')
                is_same = matches_set(&next, *text);
            else
                is_same = *pattern == '?' || *pattern == *text;
        }
        if (is_same) {
            pattern = next;
            text++;
        } else if (star != NULL && *star_text != '\0') {
            pattern = star;
            text = ++star_text;
        } else {
            return false;
        }
    }
    return true;
}

static size_t
min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;

    return least < c ? least : c;
}

/* Insertions, deletions, replacements and swaps of neighbours between two words. */
static size_t
distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[3][NEAREST_BYTES + 1];

    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *two_above = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            row[j] =
                min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                two_above[j - 2] + 1 < row[j])
                row[j] = two_above[j - 2] + 1;
        }
    }
    return rows[a_len % 3][b_len];
}

/* A third of the word may be wrong; half of it when it begins well ("pagination" for "paging"). */
static size_t
tolerance(const char *word, size_t len, const char *known)
{
    return len >= 4 && strncasecmp(word, known, 4) == 0 ? len / 2 + 1 : (len + 1) / 3;
}

const char *
gr_name_nearest(const char *word, const char *const *known, size_t count)
{
    size_t len = strlen(word);
    size_t best = NEAREST_BYTES;
    const char *nearest = NULL;

    if (len == 0 || len > NEAREST_BYTES)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t known_len = strlen(known[i]);
        size_t d;

        if (known_len > NEAREST_BYTES)
            continue;
        if (strcasecmp(word, known[i]) == 0)
            return known[i];
        d = distance(word, len, known[i], known_len);
        if (d < best && d <= tolerance(word, len, known[i])) {
            best = d;
            nearest = known[i];
        }
    }
    return nearest;
}

const char *
gr_name_did_you_mean(struct gr_arena *arena, const char *word, const char *const *known,
                     size_t count)
{
    const char *nearest = gr_name_nearest(word, known, count);

    return nearest == NULL ? "" : gr_arena_printf(arena, " (did you mean \"%s\"?)", nearest);
}

const char *
gr_name_list(struct gr_arena *arena, const char *const *names, size_t count)
{
    GR_CLEANUP(gr_buf_free) struct gr_buf list = gr_buf_new(0);

    for (size_t i = 0; i < count; i++)
        gr_buf_printf(&list, "%s%s", i == 0 ? "" : ", ", names[i]);
    return gr_arena_strdup(arena, gr_buf_text(&list));
}
