/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Where tasks live: chunks of equal slots that never go back to the system, so a pointer to a task that has
 * ended is a pointer to some task or to a free slot, never to something else. Stands on mmap(2).
 *
 * The chunks are also the registry of all tasks: one global symbol, aglet_registry, leads a debugger to every
 * slot, and keeping it costs a spawn nothing. */
#include "task_core.h"
#include "aglet/registry.h"
#include "aglet/stackless.h"

#include <string.h>
#include <sys/mman.h>

struct chunk {
    struct chunk *next;
    uint32_t slots, slot_size;
    _Alignas(64) unsigned char memory[];
};

static struct chunk *_Atomic aglet_tasks_;

const struct aglet_registry aglet_registry = {
    .version = AGLET_REGISTRY_VERSION,
    .size = sizeof(struct aglet_registry),
    .chunks = (const void *const *)(const void *)&aglet_tasks_,
    .chunk_next = offsetof(struct chunk, next),
    .chunk_slots = offsetof(struct chunk, slots),
    .chunk_slot_size = offsetof(struct chunk, slot_size),
    .chunk_first = offsetof(struct chunk, memory),
    .task_kind = offsetof(struct aglet_task, kind),
    .task_started = offsetof(struct aglet_task, started),
    .task_place = offsetof(struct aglet_task, place),
    .task_stack = offsetof(struct aglet_task, stack),
    .task_name = offsetof(struct aglet_task, name),
    .task_waits_for = offsetof(struct aglet_task, waits_for),
    .task_waits_at = offsetof(struct aglet_task, waits_at),
    .task_id = offsetof(struct aglet_task, id_born),
    .task_frame = sizeof(struct aglet_task),
    .frame_line = offsetof(struct aglet_frame, at_),
    .stack_sp = offsetof(struct stack, ctx) + offsetof(struct context, sp),
    .saved_words = CONTEXT_WORDS,
    .saved_pc = CONTEXT_PC,
};

static struct slock lock;                      /* protects all below, and aglet_tasks_ while it changes */
static struct aglet_task *spare[TASK_CLASSES]; /* free slots no worker keeps */
static struct rest {
    unsigned char *at; /* slots of the newest chunk that were never used, nor touched */
    size_t slots;
} rest[TASK_CLASSES];

enum { SMALL_CHUNK = 64 * 1024, LARGE_CHUNK = 2 * 1024 * 1024, SMALL_CHUNKS = 8 };
enum { LARGEST_FRAME = 256 * 1024 };

static size_t class_bytes(unsigned c) {
    return (c & 1 ? (size_t)TASK_SMALL : (size_t)TASK_SMALLEST) << (c / 2);
}

unsigned task_class_of_(size_t bytes) {
    unsigned c = 0;
    if (bytes > sizeof(struct aglet_task) + LARGEST_FRAME)
        return TASK_CLASSES;
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

/* At most `want` of the unused slots as a list in front of `others`. What is taken in turn lies in turn. */
static struct aglet_task *carve(unsigned c, size_t want, struct aglet_task *others) {
    size_t size = class_bytes(c), n = want < rest[c].slots ? want : rest[c].slots;
    struct aglet_task *list = others, **end = &list;
    for (size_t i = 0; i < n; i++, rest[c].at += size) {
        struct aglet_task *t = (struct aglet_task *)(void *)rest[c].at;
        t->size_class = (uint8_t)c;
        *end = t;
        end = &t->next;
    }
    *end = others;
    rest[c].slots -= n;
    return list;
}

/* Map one more chunk of a class; its slots join rest[c]. The lock is held; it is given up meanwhile. */
static bool grow(unsigned c) {
    static unsigned chunks; /* under the lock */
    size_t size = class_bytes(c);
    size_t bytes = chunks++ < SMALL_CHUNKS ? SMALL_CHUNK : LARGE_CHUNK;
    while (bytes < sizeof(struct chunk) + 4 * size)
        bytes *= 2;
    slock_unlock(&lock);
    struct chunk *chunk = map_chunk(bytes);
    slock_lock(&lock);
    if (!chunk)
        return false;
    chunk->slots = (uint32_t)((bytes - sizeof(struct chunk)) / size);
    chunk->slot_size = (uint32_t)size;
    chunk->next = atomic_load_explicit(&aglet_tasks_, memory_order_relaxed);
    /* Partner: the acquire load in task_each. */
    atomic_store_explicit(&aglet_tasks_, chunk, memory_order_release);
    spare[c] = carve(c, SIZE_MAX, spare[c]); /* another thread may have grown it as well */
    rest[c] = (struct rest){chunk->memory, chunk->slots};
    return true;
}

/* A list of at least one free slot, some more if there are; NULL: no memory. */
static struct aglet_task *take_some(unsigned c, unsigned want, unsigned *got) {
    slock_lock(&lock);
    struct aglet_task *list = spare[c], **end = &spare[c];
    for (*got = 0; *end && *got < want; ++*got)
        end = &(*end)->next;
    struct aglet_task *others = *end;
    *end = NULL;
    if (list) {
        spare[c] = others;
    } else if (rest[c].slots || grow(c)) {
        *got = (unsigned)(want < rest[c].slots ? want : rest[c].slots);
        list = carve(c, want, NULL);
    }
    slock_unlock(&lock);
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

struct aglet_task *task_new_slow_(struct task_cache *cache, size_t bytes) {
    unsigned c = task_class_of(bytes), got;
    if (c == TASK_CLASSES)
        return NULL;
    struct aglet_task *t = take_some(c, cache ? 64 : 1, &got);
    if (!t)
        return NULL;
    if (cache) {
        cache->free[c] = t->next;
        cache->n[c] = got - 1;
    } else {
        give_all(c, t->next);
    }
    return t;
}

/* A full cache keeps the half that was freed last. */
void task_free_slow_(struct task_cache *cache, struct aglet_task *t) {
    unsigned c = t->size_class;
    if (cache) {
        struct aglet_task *last = cache->free[c];
        for (unsigned i = 1; i < TASK_CACHE_MAX / 2; i++)
            last = last->next;
        give_all(c, last->next);
        last->next = NULL;
        cache->n[c] = TASK_CACHE_MAX / 2;
        task_free(cache, t);
    } else {
        t->next = NULL;
        give_all(c, t);
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
