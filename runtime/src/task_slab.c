/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Where tasks live: chunks of equal slots that never go back to the system, so a pointer to a task that has ended
 * is a pointer to some task or to a free slot, never to something else. Stands on malloc(3).
 *
 * The chunks are also the registry of all tasks: one global symbol, aglet_tasks_, leads a debugger to every slot,
 * and keeping it costs a spawn nothing. */
#include "task_core.h"

#include <stdlib.h>
#include <string.h>

struct chunk {
    struct chunk *next;
    uint32_t slots, slot_size;
    _Alignas(64) unsigned char memory[];
};

struct chunk *_Atomic aglet_tasks_;

static struct slock lock;                       /* protects the lists below and growing */
static struct aglet_task *spare[TASK_CLASSES]; /* free slots no worker keeps */

enum { CHUNK_BYTES = 64 * 1024, SMALLEST = 192, LARGEST_FRAME = 256 * 1024 };

/* 192 256 384 512 768 1024 …: two classes for each doubling. */
static size_t class_bytes(unsigned c) {
    return (c & 1 ? (size_t)256 : (size_t)SMALLEST) << (c / 2);
}

static inline unsigned class_of(size_t bytes) {
    unsigned c = 0;
    if (AGLET_LIKELY(bytes <= SMALLEST))
        return 0;
    while (class_bytes(c) < bytes)
        c++;
    return c;
}

static struct aglet_task *grow(unsigned c) {
    size_t size = class_bytes(c);
    size_t slots = size * 16 > CHUNK_BYTES ? 16 : CHUNK_BYTES / size;
    struct chunk *chunk = aligned_alloc(64, (sizeof *chunk + slots * size + 63) & ~(size_t)63);
    if (!chunk)
        return NULL;
    memset(chunk, 0, sizeof *chunk);
    chunk->slots = (uint32_t)slots;
    chunk->slot_size = (uint32_t)size;
    struct aglet_task *list = NULL;
    for (size_t i = slots; i-- > 0;) {
        struct aglet_task *t = (struct aglet_task *)(void *)(chunk->memory + i * size);
        memset(t, 0, sizeof *t);
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
    t->waits_on = NULL;
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
    for (struct chunk *chunk = atomic_load_explicit(&aglet_tasks_, memory_order_acquire); chunk; chunk = chunk->next)
        for (uint32_t i = 0; i < chunk->slots; i++) {
            struct aglet_task *t = (struct aglet_task *)(void *)(chunk->memory + (size_t)i * chunk->slot_size);
            if (atomic_load_explicit(&t->kind, memory_order_acquire) != TASK_FREE)
                visit(t, context);
        }
}
