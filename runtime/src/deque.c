/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The work-stealing deque. Stands on nothing but C11 atomics.
 * ThreadSanitizer does not model fences, so under it the fences become seq_cst operations. */
#include "deque.h"
#include "switch.h"

#include <errno.h>
#include <stdlib.h>

enum { FIRST_SIZE = 256 };

#ifdef AGLET_TSAN_
#define RELAXED memory_order_seq_cst
#define FENCE(order) ((void)0)
#else
#define RELAXED memory_order_relaxed
#define FENCE(order) atomic_thread_fence(order)
#endif

static struct deque_ring *ring_new(size_t size) {
    struct deque_ring *ring = calloc(1, sizeof *ring + size * sizeof ring->slot[0]);
    if (ring)
        ring->mask = size - 1;
    return ring;
}

int deque_init(struct deque *d) {
    struct deque_ring *ring = ring_new(FIRST_SIZE);
    if (!ring)
        return -ENOMEM;
    atomic_init(&d->top, 0);
    atomic_init(&d->bottom, 0);
    atomic_init(&d->ring, ring);
    d->top_seen = 0;
    return 0;
}

void deque_destroy(struct deque *d) {
    struct deque_ring *ring = atomic_load_explicit(&d->ring, memory_order_relaxed);
    while (ring) {
        struct deque_ring *older = ring->older;
        free(ring);
        ring = older;
    }
    atomic_store_explicit(&d->ring, NULL, memory_order_relaxed);
}

static struct deque_ring *grow(struct deque *d, struct deque_ring *old, int64_t top, int64_t bottom) {
    struct deque_ring *ring = ring_new(2 * (old->mask + 1));
    if (!ring)
        return NULL;
    ring->older = old;
    for (int64_t i = top; i < bottom; i++)
        atomic_store_explicit(&ring->slot[(size_t)i & ring->mask],
                              atomic_load_explicit(&old->slot[(size_t)i & old->mask], memory_order_relaxed),
                              memory_order_relaxed);
    /* Partner: the load of ring in deque_steal, which must see the slots copied above. */
    atomic_store_explicit(&d->ring, ring, memory_order_release);
    return ring;
}

int deque_push(struct deque *d, void *item) {
    int64_t bottom = atomic_load_explicit(&d->bottom, memory_order_relaxed);
    struct deque_ring *ring = atomic_load_explicit(&d->ring, memory_order_relaxed);
    if (bottom - d->top_seen > (int64_t)ring->mask) {
        /* Partner: the compare-exchange of top in deque_steal: a slot is reused only after its item was
         * read. */
        d->top_seen = atomic_load_explicit(&d->top, memory_order_acquire);
        if (bottom - d->top_seen > (int64_t)ring->mask) {
            ring = grow(d, ring, d->top_seen, bottom);
            if (!ring)
                return -ENOMEM;
        }
    }
    atomic_store_explicit(&ring->slot[(size_t)bottom & ring->mask], item, RELAXED);
    /* Partner: the acquire load of bottom in deque_steal: who sees the new bottom sees the item. */
    atomic_store_explicit(&d->bottom, bottom + 1, memory_order_release);
    return 0;
}

void *deque_pop(struct deque *d) {
    int64_t bottom = atomic_load_explicit(&d->bottom, memory_order_relaxed) - 1;
    struct deque_ring *ring = atomic_load_explicit(&d->ring, memory_order_relaxed);
    atomic_store_explicit(&d->bottom, bottom, RELAXED);
    /* Partner: the fence in deque_steal. Either the thief sees the lowered bottom or this thread sees the
     * raised top; for the last item the compare-exchange decides. */
    FENCE(memory_order_seq_cst);
    int64_t top = atomic_load_explicit(&d->top, RELAXED);
    if (top > bottom) {
        atomic_store_explicit(&d->bottom, bottom + 1, memory_order_relaxed);
        return NULL;
    }
    void *item = atomic_load_explicit(&ring->slot[(size_t)bottom & ring->mask], memory_order_relaxed);
    if (top == bottom) {
        /* Partner: the same compare-exchange in deque_steal. */
        if (!atomic_compare_exchange_strong_explicit(&d->top, &top, top + 1, memory_order_seq_cst,
                                                     memory_order_relaxed))
            item = NULL;
        atomic_store_explicit(&d->bottom, bottom + 1, memory_order_relaxed);
    }
    return item;
}

void *deque_steal(struct deque *d, bool *again) {
    int64_t top = atomic_load_explicit(&d->top, memory_order_acquire);
    /* Partner: the fence in deque_pop. */
    FENCE(memory_order_seq_cst);
    /* Partner: the release store of bottom in deque_push. */
    int64_t bottom = atomic_load_explicit(&d->bottom, memory_order_acquire);
    *again = false;
    if (top >= bottom)
        return NULL;
    /* Partner: the release store of ring in grow. */
    struct deque_ring *ring = atomic_load_explicit(&d->ring, memory_order_acquire);
    void *item = atomic_load_explicit(&ring->slot[(size_t)top & ring->mask], RELAXED);
    /* Partner: the compare-exchange in deque_pop and in other thieves: one of us gets the item. Release:
     * deque_push reads top before it reuses the slot just read. */
    if (!atomic_compare_exchange_strong_explicit(&d->top, &top, top + 1, memory_order_seq_cst,
                                                 memory_order_relaxed)) {
        *again = true;
        return NULL;
    }
    return item;
}
