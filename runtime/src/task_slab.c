/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Where tasks live: chunks of equal slots that never go back to the system, so a pointer to a task that has
 * ended is a pointer to some task or to a free slot, never to something else. Stands on mmap(2).
 *
 * The chunks are also the registry of all tasks: one global symbol, aglet_tasks_, leads a debugger to every
 * slot, and keeping it costs a spawn nothing. */
#include "task_core.h"

#include <string.h>
#include <sys/mman.h>

struct chunk {
    struct chunk *next;
    uint32_t slots, slot_size;
    _Alignas(64) unsigned char memory[];
};

struct chunk *_Atomic aglet_tasks_;

static struct slock lock;                      /* protects the lists below and growing */
static struct aglet_task *spare[TASK_CLASSES]; /* free slots no worker keeps */

enum { SMALL_CHUNK = 64 * 1024, LARGE_CHUNK = 2 * 1024 * 1024, SMALL_CHUNKS = 8 };
enum { SMALLEST = 128, LARGEST_FRAME = 256 * 1024 };

/* 128 192 256 384 512 768 …: two classes for each doubling. */
static size_t class_bytes(unsigned c) {
    return (c & 1 ? (size_t)192 : (size_t)SMALLEST) << (c / 2);
}

static inline unsigned class_of(size_t bytes) {
    unsigned c = 0;
    if (AGLET_LIKELY(bytes <= SMALLEST))
        return 0;
    while (class_bytes(c) < bytes)
        c++;
    return c;
}

/* Programs with many tasks get huge pages: a small page costs over a microsecond to touch first. */
static struct chunk *map_chunk(size_t bytes) {
    bool large = bytes == LARGE_CHUNK;
    char *m =
        mmap(NULL, large ? 2 * bytes : bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (m == MAP_FAILED)
        return NULL;
    if (large) {
        char *aligned = (char *)(((uintptr_t)m + bytes - 1) & ~((uintptr_t)bytes - 1));
        if (aligned > m)
            munmap(m, (size_t)(aligned - m));
        if (m + bytes > aligned)
            munmap(aligned + bytes, (size_t)(m + bytes - aligned));
        m = aligned;
        madvise(m, bytes, MADV_HUGEPAGE);
    }
    return (struct chunk *)(void *)m;
}

static struct aglet_task *grow(unsigned c) {
    static _Atomic unsigned chunks;
    size_t size = class_bytes(c);
    size_t bytes = atomic_fetch_add_explicit(&chunks, 1, memory_order_relaxed) < SMALL_CHUNKS ? SMALL_CHUNK
                                                                                              : LARGE_CHUNK;
    while (bytes < sizeof(struct chunk) + 4 * size)
        bytes *= 2;
    size_t slots = (bytes - sizeof(struct chunk)) / size;
    struct chunk *chunk = map_chunk(bytes);
    if (!chunk)
        return NULL;
    chunk->slots = (uint32_t)slots;
    chunk->slot_size = (uint32_t)size;
    struct aglet_task *list = NULL;
    for (size_t i = slots; i-- > 0;) {
        struct aglet_task *t = (struct aglet_task *)(void *)(chunk->memory + i * size);
        t->size_class = (uint8_t)c;
        t->next = list;
        list = t;
    }
    slock_lock(&lock);
    chunk->next = atomic_load_explicit(&aglet_tasks_, memory_order_relaxed);
    /* Partner: the acquire load in task_each. */
    atomic_store_explicit(&aglet_tasks_, chunk, memory_order_release);
    slock_unlock(&lock);
    return list;
}

/* A list of at least one free slot, some more if there are. */
static struct aglet_task *take_some(unsigned c, unsigned want, unsigned *got) {
    slock_lock(&lock);
    struct aglet_task *list = spare[c], **end = &spare[c];
    for (*got = 0; *end && *got < want; ++*got)
        end = &(*end)->next;
    struct aglet_task *rest = *end;
    if (*got)
        *end = NULL;
    spare[c] = rest;
    slock_unlock(&lock);
    if (*got)
        return list;
    list = grow(c);
    for (struct aglet_task *t = list; t; t = t->next)
        ++*got;
    return list;
}

static void give_all(unsigned c, struct aglet_task *list) {
    if (!list)
        return;
    struct aglet_task *last = list;
    while (last->next)
        last = last->next;
    slock_lock(&lock);
    last->next = spare[c];
    spare[c] = list;
    slock_unlock(&lock);
}

struct aglet_task *task_new(struct task_cache *cache, size_t frame) {
    if (frame > LARGEST_FRAME)
        return NULL;
    unsigned c = class_of(sizeof(struct aglet_task) + frame), got;
    struct aglet_task *t;
    if (cache) {
        t = cache->free[c];
        if (AGLET_UNLIKELY(!t)) {
            t = take_some(c, 256, &got);
            if (!t)
                return NULL;
            cache->n[c] += got;
        }
        cache->free[c] = t->next;
        cache->n[c]--;
    } else {
        t = take_some(c, 1, &got);
        if (!t)
            return NULL;
        give_all(c, t->next);
    }
    t->next = NULL;
    t->home = NULL;
    t->stack = NULL;
    t->group = NULL;
    t->name = NULL;
    t->locals = NULL;
    t->waits_for = NULL;
    t->result = NULL;
    t->local = 0;
    t->yielded = 0;
    atomic_store_explicit(&t->aborted, 0, memory_order_relaxed);
    atomic_store_explicit(&t->join, JOIN_OPEN, memory_order_relaxed);
    /* A late waker may look at the state at any time; RUNNABLE makes its token a spurious one. */
    atomic_store_explicit(&t->state, TASK_RUNNABLE, memory_order_relaxed);
    return t;
}

void task_free(struct task_cache *cache, struct aglet_task *t) {
    unsigned c = t->size_class;
    atomic_store_explicit(&t->kind, TASK_FREE, memory_order_relaxed);
    if (!cache) {
        t->next = NULL;
        give_all(c, t);
        return;
    }
    t->next = cache->free[c];
    cache->free[c] = t;
    if (AGLET_UNLIKELY(++cache->n[c] > TASK_CACHE_MAX)) {
        struct aglet_task *half = cache->free[c], **end = &half;
        for (unsigned i = 0; i < TASK_CACHE_MAX / 2; i++)
            end = &(*end)->next;
        cache->free[c] = *end;
        *end = NULL;
        cache->n[c] -= TASK_CACHE_MAX / 2;
        give_all(c, half);
    }
}

void task_cache_flush(struct task_cache *cache) {
    for (unsigned c = 0; c < TASK_CLASSES; c++)
        give_all(c, cache->free[c]);
    memset(cache, 0, sizeof *cache);
}

void task_each(void (*visit)(struct aglet_task *t, void *context), void *context) {
    /* Partner: the release store in grow. */
    for (struct chunk *chunk = atomic_load_explicit(&aglet_tasks_, memory_order_acquire); chunk;
         chunk = chunk->next)
        for (uint32_t i = 0; i < chunk->slots; i++) {
            struct aglet_task *t =
                (struct aglet_task *)(void *)(chunk->memory + (size_t)i * chunk->slot_size);
            if (atomic_load_explicit(&t->kind, memory_order_acquire) != TASK_FREE)
                visit(t, context);
        }
}
