/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The lock of the scheduler's own short critical sections: some tens of nanoseconds, never a system call
 * inside. Stands on futex.h for cpu_relax, and on tsan.h. It spins and then gives up the processor; unlocking is one plain
 * store, which is why this is no mutex (a mutex pays a second locked instruction to learn whether somebody
 * sleeps). */
#ifndef AGLET_SRC_TASK_LOCK_H
#define AGLET_SRC_TASK_LOCK_H

#include "futex.h"
#include "tsan.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Zero is valid: unlocked. The lowest bit is the lock; the others are a number that the checked library may keep
 * there, and a lock of the release library has none. */
struct slock {
    _Atomic uint32_t held;
};

void slock_wait_(struct slock *l);

static inline bool slock_try(struct slock *l) {
    /* Partner: the release store in slock_unlock. */
    if (aglet_checked)
        return !(atomic_fetch_or_explicit(&l->held, 1, memory_order_acquire) & 1);
    return !atomic_exchange_explicit(&l->held, 1, memory_order_acquire);
}

static inline void slock_lock(struct slock *l) {
    if (!slock_try(l))
        slock_wait_(l);
}

static inline void slock_unlock(struct slock *l) {
    uint32_t number = aglet_checked ? atomic_load_explicit(&l->held, memory_order_relaxed) & ~UINT32_C(1) : 0;
    /* Partner: the acquire exchange in slock_try. */
    atomic_store_explicit(&l->held, number, memory_order_release);
}

static inline uint32_t slock_number(const struct slock *l) {
    return atomic_load_explicit(&l->held, memory_order_relaxed) >> 1;
}

/* Requires  the lock. */
static inline void slock_set_number(struct slock *l, uint32_t number) {
    atomic_store_explicit(&l->held, number << 1 | 1, memory_order_relaxed);
}

/* The same for the lock inside an object of the program's, a channel or an async lock: who takes it comes after who
 * gave it, and ThreadSanitizer is told so. The scheduler's own locks put nothing in order that a program may rely on,
 * and what is told of them would hide races from it. */
static inline void object_lock(struct slock *l) {
    slock_lock(l);
    tsan_observe(l);
}

static inline void object_unlock(struct slock *l) {
    tsan_publish(l);
    slock_unlock(l);
}

#endif
