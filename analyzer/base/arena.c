/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Memory that is freed all at once: blocks that double up to a megabyte.
 * Stands on alloc.h. */
#include "arena.h"
#include "alloc.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POISONED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define POISONED 1
#endif
#ifdef POISONED
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

enum { FIRST_BLOCK = 4096, LAST_BLOCK = 1 << 20, KEPT = 16 << 20, ALIGN = 16 };

struct arena_block {
    struct arena_block *next;
    size_t size; /* of bytes */
    _Alignas(ALIGN) char bytes[];
};

static void take_block(struct arena *a, size_t size) {
    struct arena_block *b = a->spare;
    if (b && b->size >= size) {
        a->spare = b->next;
    } else {
        size_t want = a->first ? a->first->size * 2 : FIRST_BLOCK;
        if (want > LAST_BLOCK)
            want = LAST_BLOCK;
        if (want < size)
            want = size;
        b = xmalloc(sizeof *b + want);
        b->size = want;
        ASAN_POISON_MEMORY_REGION(b->bytes, want);
    }
    b->next = a->first;
    a->first = b;
    a->at = b->bytes;
    a->end = b->bytes + b->size;
    a->total += b->size;
}

static size_t room_for(size_t size) {
    size_t room = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    return room ? room : ALIGN;
}

void *arena_alloc(struct arena *a, size_t size) {
    if (size > SIZE_MAX / 2)
        die("out of memory: %zu bytes were asked for", size);
    size_t room = room_for(size);
    if (room > (size_t)(a->end - a->at))
        take_block(a, room);
    void *p = a->at;
    a->at += room;
    ASAN_UNPOISON_MEMORY_REGION(p, size);
    return p;
}

void arena_trim(struct arena *a, const void *array, size_t had, size_t used) {
    if ((const char *)array + room_for(had) != a->at || room_for(used) >= room_for(had))
        return;
    a->at -= room_for(had) - room_for(used);
    ASAN_POISON_MEMORY_REGION(a->at, room_for(had) - room_for(used));
}

void *arena_zalloc(struct arena *a, size_t size) {
    return memset(arena_alloc(a, size), 0, size);
}

void *arena_copy(struct arena *a, const void *from, size_t size) {
    void *p = arena_alloc(a, size);
    if (size)
        memcpy(p, from, size);
    return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n) {
    char *copy = arena_alloc(a, n + 1);
    memcpy(copy, s, n);
    copy[n] = 0;
    return copy;
}

char *arena_strdup(struct arena *a, const char *s) {
    return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *format, ...) {
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    if (n < 0)
        die("a message could not be formatted: '%s'", format);
    char *s = arena_alloc(a, (size_t)n + 1);
    va_start(ap, format);
    vsnprintf(s, (size_t)n + 1, format, ap);
    va_end(ap);
    return s;
}

static void free_blocks(struct arena_block *b) {
    while (b) {
        struct arena_block *next = b->next;
        ASAN_UNPOISON_MEMORY_REGION(b->bytes, b->size);
        free(b);
        b = next;
    }
}

/* Large blocks come first in both lists, and so are the ones that are kept. */
void arena_reset(struct arena *a) {
    size_t kept = 0;
    struct arena_block **at = &a->first;
    while (*at) {
        ASAN_POISON_MEMORY_REGION((*at)->bytes, (*at)->size);
        at = &(*at)->next;
    }
    *at = a->spare;
    a->spare = a->first;
    a->first = NULL;
    a->at = a->end = NULL;
    a->total = 0;
    for (at = &a->spare; *at && kept + (*at)->size <= KEPT; at = &(*at)->next)
        kept += (*at)->size;
    free_blocks(*at);
    *at = NULL;
}

void arena_free(struct arena *a) {
    free_blocks(a->first);
    free_blocks(a->spare);
    *a = (struct arena){0};
}
