/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Where tasks live: chunks of equal slots that never go back to the system, so a pointer to a task that has
 * ended is a pointer to some task or to a free slot, never to something else. Stands on mmap(2).
 *
 * The chunks are also the registry of all tasks: one global symbol, aglet_registry, leads a debugger to every
 * slot, and keeping it costs a spawn nothing. */
#include "task_core.h"
#include "aglet/registry.h"
#include "aglet/stackless.h"
#include "fork.h"

#include <string.h>
#include <sys/mman.h>

struct chunk {
    struct chunk *next;
    uint32_t slots, slot_size;
    const char *_Atomic *_Atomic names;               /* of its slots, by number; NULL until one has a name */
    _Alignas(64) unsigned char first_wait[TASK_WAIT]; /* task_wait_room of the first slot, if not apart */
    unsigned char memory[];
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
    .task_named = offsetof(struct aglet_task, named),
    .chunk_names = offsetof(struct chunk, names),
    .task_rest = sizeof(struct aglet_task) + offsetof(struct task_step_rest, rest),
    .stack_rest = offsetof(struct stack, rest),
    .rest_waits_for = offsetof(struct task_rest, waits_for),
    .rest_waits_at = offsetof(struct task_rest, waits_at),
    .task_id = offsetof(struct aglet_task, id_born),
    .task_frame = sizeof(struct aglet_task) + sizeof(struct task_step_rest),
    .frame_line = offsetof(struct aglet_frame, at_),
    .stack_sp = offsetof(struct stack, ctx) + offsetof(struct context, sp),
    .saved_words = CONTEXT_WORDS,
    .saved_pc = CONTEXT_PC,
};

struct slock task_slab_lock; /* protects all below, and aglet_tasks_ while it changes */
static struct store {
    struct aglet_task *batches; /* of free slots no worker keeps, each a list with its length */
    struct aglet_task *loose;   /* slots that came one by one */
    unsigned loose_n;
    unsigned char *at; /* slots of the newest chunk that were never used, nor touched */
    size_t slots;
    unsigned chunks; /* how many were mapped */
} store[TASK_CLASSES];

enum {
    SMALL_CHUNK = 64 * 1024,
    LARGE_CHUNK = 2 * 1024 * 1024,
    SMALL_CHUNKS = 8,
    HUGE_PAGE = 2 * 1024 * 1024
};
enum { LARGEST_FRAME = 256 * 1024, CARVED_AT_ONCE = 64 };

static size_t class_bytes(unsigned c) {
    return c == TASK_CLASS_LINE ? (size_t)TASK_LINE
                                : (c & 1 ? (size_t)TASK_SMALLEST : (size_t)TASK_SMALL) << ((c - 1) / 2);
}

unsigned task_class_of_(size_t bytes) {
    unsigned c = 0;
    if (bytes > sizeof(struct aglet_task) + sizeof(struct task_step_rest) + LARGEST_FRAME)
        return TASK_CLASSES;
    while (class_bytes(c) < bytes + (c > TASK_CLASS_SMALLEST ? TASK_WAIT : 0))
        c++;
    return c;
}

/* Memory for a chunk, aligned to `align`, a power of two; 0: to a page. */
static char *map_aligned(size_t bytes, size_t align) {
    char *m = mmap(NULL, bytes + align, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (m == MAP_FAILED)
        return NULL;
    if (align) {
        size_t before = -(uintptr_t)m & (align - 1);
        if (before)
            munmap(m, before);
        munmap(m + before + bytes, align - before);
        m += before;
    }
    return m;
}

/* Programs with many tasks get huge pages: a small page costs over a microsecond to touch first. The first chunk of
 * the smallest tasks begins with small ones, too, and has its waits in them. `bytes` are those of the slots. */
static struct chunk *map_chunk(size_t bytes, bool few, bool apart) {
    char *m = map_aligned(bytes + (apart ? APART_WAITS : 0), few && !apart ? 0 : bytes);
    if (m && few && apart)
        madvise(m + HUGE_PAGE, bytes - HUGE_PAGE, MADV_HUGEPAGE);
    else if (m && !few)
        madvise(m, bytes + (apart ? APART_WAITS : 0), MADV_HUGEPAGE);
    return (struct chunk *)(void *)m;
}

/* A batch is a list whose first slot knows its length and, while it is in the store, the next batch: where a
 * task that lives keeps its function and its argument. */
static void put_batch(struct store *st, struct aglet_task *first, unsigned n) {
    first->batch = st->batches;
    first->batch_n = n;
    st->batches = first;
}

/* At most `want` of the unused slots. What is taken in turn lies in turn. */
static struct aglet_task *carve(unsigned c, size_t want, unsigned *got) {
    struct store *st = &store[c];
    size_t size = class_bytes(c), n = want < st->slots ? want : st->slots;
    struct aglet_task *list = NULL, **end = &list;
    for (size_t i = 0; i < n; i++, st->at += size) {
        struct aglet_task *t = (struct aglet_task *)(void *)st->at;
        t->size_class = (uint8_t)c;
        *end = t;
        end = &t->next;
    }
    *end = NULL;
    st->slots -= n;
    *got = (unsigned)n;
    return list;
}

/* Map one more chunk of a class, to be carved. The lock is held; it is given up meanwhile. */
static bool grow(unsigned c) {
    struct store *st = &store[c];
    bool apart = c == TASK_CLASS_SMALLEST;
    bool few = st->chunks < (apart ? 1 : SMALL_CHUNKS);
    size_t size = class_bytes(c), bytes = apart ? APART_SLOTS : few ? SMALL_CHUNK : LARGE_CHUNK;
    while (bytes < sizeof(struct chunk) + 4 * size)
        bytes *= 2;
    slock_unlock(&task_slab_lock);
    struct chunk *chunk = map_chunk(bytes, few, apart);
    slock_lock(&task_slab_lock);
    if (!chunk)
        return false;
    chunk->slots = (uint32_t)((bytes - sizeof(struct chunk)) / size);
    chunk->slot_size = (uint32_t)size;
    chunk->next = atomic_load_explicit(&aglet_tasks_, memory_order_relaxed);
    /* Partner: the acquire load in task_each. */
    atomic_store_explicit(&aglet_tasks_, chunk, memory_order_release);
    st->chunks++;
    while (st->slots) { /* another thread has grown it as well */
        unsigned n;
        struct aglet_task *left = carve(c, TASK_BATCH, &n);
        put_batch(st, left, n);
    }
    st->at = chunk->memory;
    st->slots = chunk->slots;
    return true;
}

/* A list of *got free slots, at least one; NULL: no memory. */
static struct aglet_task *take_batch(unsigned c, unsigned *got) {
    struct store *st = &store[c];
    slock_lock(&task_slab_lock);
    struct aglet_task *list = st->batches;
    if (list) {
        st->batches = list->batch;
        *got = list->batch_n;
    } else if ((list = st->loose)) {
        st->loose = NULL;
        *got = st->loose_n;
        st->loose_n = 0;
    } else if (st->slots || grow(c)) {
        list = carve(c, CARVED_AT_ONCE, got);
    }
    slock_unlock(&task_slab_lock);
    return list;
}

static void give_batch(unsigned c, struct aglet_task *list, unsigned n) {
    slock_lock(&task_slab_lock);
    if (n)
        put_batch(&store[c], list, n);
    slock_unlock(&task_slab_lock);
}

struct aglet_task *task_new_slow_(struct task_cache *cache, size_t bytes) {
    unsigned c = task_class_of(bytes), got;
    if (c == TASK_CLASSES)
        return NULL;
    struct aglet_task *t = cache ? cache->full[c] : NULL;
    if (t) {
        cache->full[c] = NULL;
        got = TASK_BATCH;
    } else if (!(t = take_batch(c, &got))) {
        return NULL;
    }
    if (cache) {
        cache->free[c] = t->next;
        cache->n[c] = got - 1;
    } else {
        give_batch(c, t->next, got - 1);
    }
    return t;
}

/* A worker's batch is full: it keeps that one as well, and gives back the one that was full before. */
void task_free_slow_(struct task_cache *cache, struct aglet_task *t) {
    unsigned c = t->size_class;
    if (cache) {
        if (cache->full[c])
            give_batch(c, cache->full[c], TASK_BATCH);
        cache->full[c] = cache->free[c];
        cache->free[c] = NULL;
        cache->n[c] = 0;
        task_free(cache, t);
        return;
    }
    struct store *st = &store[c];
    slock_lock(&task_slab_lock);
    t->next = st->loose;
    st->loose = t;
    if (++st->loose_n == TASK_BATCH) {
        put_batch(st, st->loose, TASK_BATCH);
        st->loose = NULL;
        st->loose_n = 0;
    }
    slock_unlock(&task_slab_lock);
}

void task_cache_flush(struct task_cache *cache) {
    for (unsigned c = 0; c < TASK_CLASSES; c++) {
        give_batch(c, cache->free[c], cache->n[c]);
        give_batch(c, cache->full[c], cache->full[c] ? TASK_BATCH : 0);
    }
    memset(cache, 0, sizeof *cache);
}

/* Where the name of t is kept, or NULL; make: then also where none of its chunk had a name before. */
static const char *_Atomic *name_place(const struct aglet_task *t, bool make) {
    struct chunk *chunk = atomic_load_explicit(&aglet_tasks_, memory_order_acquire);
    const unsigned char *at = (const unsigned char *)t;
    while (chunk && (at < chunk->memory || at >= chunk->memory + (size_t)chunk->slots * chunk->slot_size))
        chunk = chunk->next;
    if (!chunk)
        return NULL;
    const char *_Atomic *names = atomic_load_explicit(&chunk->names, memory_order_acquire);
    if (!names && make) {
        size_t size = chunk->slots * sizeof *names;
        void *fresh = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (fresh == MAP_FAILED)
            return NULL;
        /* Partner: the acquire load above. */
        if (atomic_compare_exchange_strong(&chunk->names, &names, fresh))
            names = fresh;
        else
            munmap(fresh, size);
    }
    return names ? &names[(size_t)(at - chunk->memory) / chunk->slot_size] : NULL;
}

const char *task_name(const struct aglet_task *t) {
    /* Partner: the release store in task_set_name. */
    if (!atomic_load_explicit(&t->named, memory_order_acquire))
        return NULL;
    const char *_Atomic *place = name_place(t, false);
    return place ? atomic_load_explicit(place, memory_order_relaxed) : NULL;
}

void task_set_name(struct aglet_task *t, const char *name) {
    const char *_Atomic *place = name_place(t, true);
    if (!place)
        return;
    atomic_store_explicit(place, name, memory_order_relaxed);
    /* Partner: the acquire load in task_name. */
    atomic_store_explicit(&t->named, 1, memory_order_release);
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
