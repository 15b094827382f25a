/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The lock that the library itself uses inside, never checked, never seen by the program. Zero is unlocked.
 * Stands on futex.h. Held for a few instructions only, and never around a call into the program or malloc. */
#ifndef AGLET_SRC_ILOCK_H
#define AGLET_SRC_ILOCK_H

#include "futex.h"

struct ilock {
    _Atomic uint32_t state; /* 0 free, 1 taken, 2 taken and somebody may sleep */
};

#ifdef AGLET_CHECKED_LIBRARY
/* The checker's own files are not instrumented, but what they call (memcpy, snprintf) is watched by
 * ThreadSanitizer. */
void __tsan_acquire(void *word) __attribute__((weak));
void __tsan_release(void *word) __attribute__((weak));
static inline void ilock_seen(struct ilock *l, bool taken) {
    if (AGLET_UNLIKELY(__tsan_acquire != NULL))
        (taken ? __tsan_acquire : __tsan_release)(l);
}
#else
static inline void ilock_seen(struct ilock *l, bool taken) {
    (void)l;
    (void)taken;
}
#endif

static inline void ilock_wait_(struct ilock *l) {
    uint32_t seen = 0;
    if (AGLET_LIKELY(atomic_compare_exchange_strong_explicit(&l->state, &seen, 1, memory_order_acquire,
                                                             memory_order_relaxed)))
        return;
    for (int spin = 0; spin < 100 && seen != 2; spin++) {
        cpu_relax();
        seen = 0;
        if (atomic_compare_exchange_weak_explicit(&l->state, &seen, 1, memory_order_acquire,
                                                  memory_order_relaxed))
            return;
    }
    while (atomic_exchange_explicit(&l->state, 2, memory_order_acquire) != 0)
        futex_wait(&l->state, 2, AGLET_FOREVER);
}

static inline void ilock_take(struct ilock *l) {
    ilock_wait_(l);
    ilock_seen(l, true);
}

/* False when the deadline passed and it is not taken. */
static inline bool ilock_take_until(struct ilock *l, aglet_time deadline) {
    while (atomic_exchange_explicit(&l->state, 2, memory_order_acquire) != 0)
        if (!futex_wait(&l->state, 2, deadline))
            return false;
    ilock_seen(l, true);
    return true;
}

static inline bool ilock_try(struct ilock *l) {
    uint32_t seen = 0;
    if (!atomic_compare_exchange_strong_explicit(&l->state, &seen, 1, memory_order_acquire,
                                                 memory_order_relaxed))
        return false;
    ilock_seen(l, true);
    return true;
}

static inline void ilock_give(struct ilock *l) {
    ilock_seen(l, false);
    if (AGLET_UNLIKELY(atomic_exchange_explicit(&l->state, 0, memory_order_release) == 2))
        futex_wake(&l->state, 1);
}

#endif
