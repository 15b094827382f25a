/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The semaphore. Stands on futex.h, check.h. Permits and waiters stand side by side in one 64-bit word that
 * givers change in one step, so that nothing is read after the permit is out. */
#include "aglet/semaphore.h"

#include "check.h"
#include "futex.h"
#include "tsan.h"

#include <errno.h>
#include <limits.h>

enum { SPINS = 100 };

static inline _Atomic uint32_t *permits(aglet_semaphore *s) {
    return (_Atomic uint32_t *)&s->permits_;
}

static inline _Atomic uint32_t *waiters(aglet_semaphore *s) {
    return (_Atomic uint32_t *)&s->waiters_;
}

void aglet_semaphore_init(aglet_semaphore *s, uint32_t n) {
    *s = (aglet_semaphore)AGLET_SEMAPHORE_INIT(n);
}

bool aglet_semaphore_try_take(aglet_semaphore *s) {
    uint32_t seen = atomic_load_explicit(permits(s), memory_order_relaxed);
    while (seen != 0)
        /* Pairs with the release in aglet_semaphore_give. */
        if (atomic_compare_exchange_weak_explicit(permits(s), &seen, seen - 1, memory_order_acquire,
                                                  memory_order_relaxed)) {
            tsan_observe(s);
            return true;
        }
    return false;
}

static int take_until(aglet_semaphore *s, aglet_time deadline, const void *caller) {
    for (int spin = 0; spin < SPINS; spin++) {
        if (aglet_semaphore_try_take(s))
            return 0;
        if (!spinning_pays())
            break;
        cpu_relax();
    }
    if (aglet_checked && !check_block_begin(CHECK_ON_SEMAPHORE, s, deadline, caller))
        return -EDEADLK;
    int result = 0;
    /* Sequentially consistent, like the giver's two steps: either it sees us counted, or we see its permit.
     */
    atomic_fetch_add_explicit(waiters(s), 1, memory_order_seq_cst);
    while (!aglet_semaphore_try_take(s)) {
        if (!futex_wait(permits(s), 0, deadline)) {
            result = aglet_semaphore_try_take(s) ? 0 : -ETIMEDOUT;
            break;
        }
    }
    atomic_fetch_sub_explicit(waiters(s), 1, memory_order_relaxed);
    if (aglet_checked)
        check_block_end();
    return result;
}

void aglet_semaphore_take(aglet_semaphore *s) {
    (void)take_until(s, AGLET_FOREVER, CALLER());
}

int aglet_semaphore_take_until(aglet_semaphore *s, aglet_time deadline) {
    return take_until(s, deadline, CALLER());
}

int aglet_semaphore_give(aglet_semaphore *s, uint32_t n) {
    _Atomic uint64_t *both = (_Atomic uint64_t *)(void *)s;
    uint64_t seen = atomic_load_explicit(both, memory_order_relaxed), next;
    tsan_publish(s);
    do {
        aglet_semaphore now, then;
        __builtin_memcpy(&now, &seen, sizeof now);
        then = now;
        if (__builtin_add_overflow(now.permits_, n, &then.permits_))
            return -EOVERFLOW;
        __builtin_memcpy(&next, &then, sizeof next);
    } while (!atomic_compare_exchange_weak_explicit(both, &seen, next, memory_order_seq_cst,
                                                    memory_order_relaxed));
    aglet_semaphore before;
    __builtin_memcpy(&before, &seen, sizeof before);
    if (before.waiters_ != 0)
        futex_wake((_Atomic uint32_t *)(void *)s, n > INT_MAX ? INT_MAX : (int)n);
    return 0;
}
