/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The barrier: the last to come opens this round and sets up the next in one step, on a word that
 * holds both counts, so that more threads than the count may share a barrier. Stands on futex.h, check.h. */
#include "aglet/barrier.h"

#include "check.h"
#include "futex.h"
#include "misuse.h"
#include "tsan.h"

#include <limits.h>

enum { SPINS = 200 };
#define WORD(field) ((_Atomic uint32_t *)&b->field)

void aglet_barrier_init(aglet_barrier *b, uint32_t count) {
    *b = (aglet_barrier)AGLET_BARRIER_INIT(count);
}

void aglet_barrier_destroy(aglet_barrier *b) {
    for (uint32_t left; (left = atomic_load_explicit(WORD(leaving_), memory_order_acquire)) != 0;)
        futex_wait(WORD(leaving_), left, aglet_after_ms(1));
}

bool aglet_barrier_wait(aglet_barrier *b) {
    if (aglet_checked && b->count_ == 0)
        misuse_report(
            "uninitialised-lock", b, false, CALLER(),
            "a barrier that waits for nobody is used: it was not initialised, or with a count of 0");
    _Atomic uint64_t *both = (_Atomic uint64_t *)(void *)b;
    uint64_t seen = atomic_load_explicit(both, memory_order_relaxed), next;
    uint32_t now[2], then[2]; /* missing_, round_ */
    atomic_fetch_add_explicit(WORD(leaving_), 1, memory_order_relaxed);
    tsan_publish(b);
    do {
        __builtin_memcpy(now, &seen, sizeof now);
        bool completes = now[0] <= 1;
        then[0] = completes ? b->count_ : now[0] - 1;
        then[1] = now[1] + completes;
        __builtin_memcpy(&next, then, sizeof next);
        /* Pairs with itself, thread after thread, and with the loads of round_ below. */
    } while (!atomic_compare_exchange_weak_explicit(both, &seen, next, memory_order_acq_rel,
                                                    memory_order_relaxed));
    uint32_t round = now[1];
    bool last = then[1] != round;
    if (last) {
        futex_wake(WORD(round_), INT_MAX);
    } else {
        for (int spin = 0; spin < SPINS && spinning_pays(); spin++) {
            if (atomic_load_explicit(WORD(round_), memory_order_acquire) != round)
                break;
            cpu_relax();
        }
        bool told = aglet_checked && check_block_begin(CHECK_ON_BARRIER, b, AGLET_FOREVER, CALLER());
        while (atomic_load_explicit(WORD(round_), memory_order_acquire) == round)
            futex_wait(WORD(round_), round, AGLET_FOREVER);
        if (aglet_checked && told)
            check_block_end();
    }
    tsan_observe(b);
    if (atomic_fetch_sub_explicit(WORD(leaving_), 1, memory_order_release) == 1)
        futex_wake(WORD(leaving_), INT_MAX);
    return last;
}
