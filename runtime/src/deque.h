/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A work-stealing deque: one owner pushes and pops at the bottom, anybody takes from the top.
 * Chase and Lev 2005 with the orderings of Lê, Pop, Cohen and Zappa Nardelli 2013. */
#ifndef AGLET_SRC_DEQUE_H
#define AGLET_SRC_DEQUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One generation of the buffer. Old generations are kept until the deque is destroyed, because a
 * thief may still read them; they double, so all of them together are no larger than the newest. */
struct deque_ring {
    size_t mask;
    struct deque_ring *older;
    _Atomic(void *) slot[];
};

struct deque {
    _Alignas(64) _Atomic int64_t top;    /* thieves and owner: next to take */
    _Alignas(64) _Atomic int64_t bottom; /* written by the owner only: next free */
    _Atomic(struct deque_ring *) ring;   /* written by the owner only */
    int64_t top_seen;                    /* owner only: a lower bound of top */
};

/* Returns  0 or -ENOMEM. */
int deque_init(struct deque *d);
void deque_destroy(struct deque *d);

/* Put an item at the bottom. Owner only.
 *
 * Returns  0, or -ENOMEM when the ring is full and cannot grow; the item is then still the caller's. */
int deque_push(struct deque *d, void *item);

/* Take the newest item, or NULL. Owner only. */
void *deque_pop(struct deque *d);

/* Take the oldest item, or NULL when empty. Any thread. *again is set when another thread took the
 * item this one was after, so that trying once more makes sense. */
void *deque_steal(struct deque *d, bool *again);

/* How many items there were a moment ago. Any thread. */
static inline int64_t deque_size(struct deque *d) {
    int64_t n = atomic_load_explicit(&d->bottom, memory_order_relaxed) -
                atomic_load_explicit(&d->top, memory_order_relaxed);
    return n > 0 ? n : 0;
}

#endif
