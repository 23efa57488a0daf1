/* alloc.c - allocation that cannot fail, and arenas. */
#include "gr/base/alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK_BYTES = 16 * 1024 };

struct block {
    struct block *next;
    size_t used;
    size_t cap;
    max_align_t data[];
};

struct gr_arena {
    struct block *blocks; /* the newest first */
};

GR_NORETURN static void
out_of_memory(void)
{
    static const char text[] = "gorgias-replicate: out of memory; what was committed is safe\n";

    (void)fwrite(text, 1, sizeof(text) - 1, stderr);
    _Exit(1);
}

void *
gr_alloc(size_t count, size_t size)
{
    void *memory = calloc(count == 0 ? 1 : count, size == 0 ? 1 : size);

    if (memory == NULL)
        out_of_memory();
    return memory;
}

void *
gr_realloc(void *old, size_t count, size_t size)
{
    void *memory;

    if (size != 0 && count > SIZE_MAX / size)
        out_of_memory();
    memory = realloc(old, count * size == 0 ? 1 : count * size);
    if (memory == NULL)
        out_of_memory();
    return memory;
}

char *
gr_strndup(const char *text, size_t len)
{
    char *copy = gr_alloc(len + 1, 1);

    if (len > 0)
        memcpy(copy, text, len);
    return copy;
}

char *
gr_strdup(const char *text)
{
    return gr_strndup(text, strlen(text));
}

void
gr_free(void *memory)
{
    free(memory);
}

void
gr_free_var(void *pointer_to_pointer)
{
    void *memory;

    memcpy(&memory, pointer_to_pointer, sizeof(memory));
    free(memory);
}

struct gr_arena *
gr_arena_new(void)
{
    return gr_alloc(1, sizeof(struct gr_arena));
}

void
gr_arena_free(struct gr_arena *arena)
{
    if (arena == NULL)
        return;
    for (struct block *next, *block = arena->blocks; block != NULL; block = next) {
        next = block->next;
        free(block);
    }
    free(arena);
}

void *
gr_arena_alloc(struct gr_arena *arena, size_t count, size_t size)
{
    struct block *block = arena->blocks;
    size_t bytes;
    void *memory;

    if (size != 0 && count > (SIZE_MAX - ARENA_BLOCK_BYTES) / size)
        out_of_memory();
    bytes = (count * size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (block == NULL || block->cap - block->used < bytes) {
        size_t cap = bytes > ARENA_BLOCK_BYTES ? bytes : ARENA_BLOCK_BYTES;

        block = gr_alloc(1, sizeof(*block) + cap);
        block->cap = cap;
        block->next = arena->blocks;
        arena->blocks = block;
    }
    memory = (char *)block->data + block->used;
    block->used += bytes;
    return memory;
}

char *
gr_arena_strndup(struct gr_arena *arena, const char *text, size_t len)
{
    char *copy = gr_arena_alloc(arena, len + 1, 1);

    if (len > 0)
        memcpy(copy, text, len);
    return copy;
}

char *
gr_arena_strdup(struct gr_arena *arena, const char *text)
{
    return gr_arena_strndup(arena, text, strlen(text));
}

char *
gr_arena_printf(struct gr_arena *arena, const char *fmt, ...)
{
    va_list args;
    int len;
    char *text;

    va_start(args, fmt);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    text = gr_arena_alloc(arena, (size_t)(len < 0 ? 0 : len) + 1, 1);
    va_start(args, fmt);
    (void)vsnprintf(text, (size_t)(len < 0 ? 0 : len) + 1, fmt, args);
    va_end(args);
    return text;
}
