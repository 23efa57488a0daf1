/* notes.c - the list of warnings. */
#include "gr/spec/notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NOTE_BYTES = 1024 };

static const char **
grown(const struct gr_notes *notes, const char **items, size_t cap)
{
    const char **larger = gr_arena_alloc(notes->arena, cap, sizeof(larger[0]));

    if (notes->count > 0)
        memcpy(larger, items, notes->count * sizeof(larger[0]));
    return larger;
}

static void
append(struct gr_notes *notes, const char *line, const char *said)
{
    if (notes->count == notes->cap) {
        size_t cap = notes->cap == 0 ? 16 : notes->cap * 2;

        notes->items = grown(notes, notes->items, cap);
        notes->said = grown(notes, notes->said, cap);
        notes->cap = cap;
    }
    notes->said[notes->count] = said;
    notes->items[notes->count++] = line;
}

void
gr_notes_add(struct gr_notes *notes, const struct gr_yaml_node *at, const char *fmt, ...)
{
    char what[NOTE_BYTES];
    const char *place = "";
    const char *said;
    va_list args;

    if (notes == NULL)
        return;
    va_start(args, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    if (at != NULL)
        place = gr_arena_printf(notes->arena, "%s:%zu:%zu: ", at->file, at->line, at->column);
    said = gr_arena_printf(notes->arena, "%s%s", place, what);
    /* What stands in `defaults` is read once for each stream. */
    for (size_t i = 0; i < notes->count; i++)
        if (strcmp(notes->said[i], said) == 0)
            return;
    append(notes,
           notes->about == NULL
               ? said
               : gr_arena_printf(notes->arena, "%s%s: %s", place, notes->about, what),
           said);
}
