/*
 * gr/base/alloc.h - the only caller of malloc; out of memory ends the process.
 *
 * That is safe because all durable effects are inside PostgreSQL transactions, and it is why no
 * caller checks for NULL.
 *
 * Shape   gr_alloc / gr_realloc ... gr_free; or an arena: gr_arena_new, gr_arena_*, gr_arena_free
 * Owns    what gr_alloc gives belongs to the caller; what an arena gives lives as long as the arena
 */
#ifndef GR_BASE_ALLOC_H
#define GR_BASE_ALLOC_H

#include <stdarg.h>
#include <stddef.h>

#include "gr/base/attr.h"

/* Zeroed memory of `count` things of `size` bytes; gives. */
void *gr_alloc(size_t count, size_t size);

/* Takes `old`, gives memory of `count` x `size` bytes with the old content; the rest is unset. */
void *gr_realloc(void *old, size_t count, size_t size);

/* A copy of `len` bytes with a zero byte behind; gives. */
char *gr_strndup(const char *text, size_t len);
char *gr_strdup(const char *text);

/* Frees; NULL is fine. */
void gr_free(void *memory);

/* For GR_CLEANUP on a `char *` or any other pointer variable. */
void gr_free_var(void *pointer_to_pointer);

/* Memory that is freed all at once: what a file or a plan is made of. */
struct gr_arena;
struct gr_arena *gr_arena_new(void);
void gr_arena_free(struct gr_arena *arena);
void *gr_arena_alloc(struct gr_arena *arena, size_t count, size_t size);
char *gr_arena_strndup(struct gr_arena *arena, const char *text, size_t len);
char *gr_arena_strdup(struct gr_arena *arena, const char *text);
char *gr_arena_printf(struct gr_arena *arena, const char *fmt, ...) GR_PRINTF(2, 3);

#endif
