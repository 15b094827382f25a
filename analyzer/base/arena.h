/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Memory that is freed all at once.
 * Stands on alloc.h. Zeroed is a valid, empty arena. Not thread-safe. */
#ifndef AGLET_BASE_ARENA_H
#define AGLET_BASE_ARENA_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct arena_block;
struct arena {
    char *at, *end;            /* what is left of the newest block */
    struct arena_block *first; /* newest first */
    struct arena_block *spare; /* emptied by arena_reset, for the next use */
    size_t total;              /* bytes in the blocks in use: for counters */
};

/* Bytes aligned for any type, valid until arena_reset or arena_free. alloc leaves them as they are, zalloc clears them. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((returns_nonnull));
void *arena_zalloc(struct arena *a, size_t size) __attribute__((returns_nonnull));
void *arena_copy(struct arena *a, const void *from, size_t size) __attribute__((returns_nonnull));
char *arena_strdup(struct arena *a, const char *s) __attribute__((returns_nonnull));
char *arena_strndup(struct arena *a, const char *s, size_t n) __attribute__((returns_nonnull));
char *arena_printf(struct arena *a, const char *format, ...)
    __attribute__((returns_nonnull, format(printf, 2, 3)));

/* Of an array of `had` bytes only the first `used` are wanted: the rest goes back, if nothing was taken since. */
void arena_trim(struct arena *a, const void *array, size_t had, size_t used);

#define arena_new(a, type) ((type *)arena_zalloc((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_zalloc((a), sizeof(type) * (n)))

/* Empty it; reset keeps up to 16 MiB of blocks for the next use, since fresh pages cost more than what is put into them. */
void arena_reset(struct arena *a);
void arena_free(struct arena *a);

#ifdef __cplusplus
}
#endif
#endif
