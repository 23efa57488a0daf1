/* notes.c - the list of warnings. */
#include "gr/spec/notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NOTE_BYTES = 1024 };

static void
append(struct gr_notes *notes, const char *line)
{
    if (notes->count == notes->cap) {
        size_t cap = notes->cap == 0 ? 16 : notes->cap * 2;
        const char **items = gr_arena_alloc(notes->arena, cap, sizeof(items[0]));

        if (notes->count > 0)
            memcpy(items, notes->items, notes->count * sizeof(items[0]));
        notes->items = items;
        notes->cap = cap;
    }
    notes->items[notes->count++] = line;
}

void
gr_notes_add(struct gr_notes *notes, const struct gr_yaml_node *at, const char *fmt, ...)
{
    char what[NOTE_BYTES];
    char *line;
    va_list args;

    if (notes == NULL)
        return;
    va_start(args, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    if (at == NULL)
        line = gr_arena_strdup(notes->arena, what);
    else
        line =
            gr_arena_printf(notes->arena, "%s:%zu:%zu: %s", at->file, at->line, at->column, what);
    /* What stands in `defaults` is read once for each stream. */
    for (size_t i = 0; i < notes->count; i++)
        if (strcmp(notes->items[i], line) == 0)
            return;
    append(notes, line);
}
