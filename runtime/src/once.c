/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Run once. Stands on futex.h, check.h. */
#include "aglet/once.h"

#include "check.h"
#include "futex.h"
#include "tsan.h"

#include <limits.h>

enum { NOT_YET, RUNNING, AWAITED /* running, and others sleep */, DONE };

static inline _Atomic uint32_t *state(const aglet_once *once) {
    return (_Atomic uint32_t *)(uintptr_t)&once->state_;
}

bool aglet_once_done(const aglet_once *once) {
    /* Pairs with the exchange in run. */
    bool done = atomic_load_explicit(state(once), memory_order_acquire) == DONE;
    if (aglet_checked && done)
        tsan_observe(once);
    return done;
}

static void run(aglet_once *once, void (*make)(void *), void *context, const void *caller) {
    for (;;) {
        uint32_t seen = NOT_YET;
        if (atomic_compare_exchange_strong_explicit(state(once), &seen, RUNNING, memory_order_acquire,
                                                    memory_order_acquire)) {
            if (aglet_checked)
                check_acquired(CHECK_ONCE, CHECK_EXCLUSIVE, once, &once->id_, caller);
            make(context);
            if (aglet_checked)
                check_release(CHECK_ONCE, CHECK_EXCLUSIVE, once, &once->id_, caller);
            tsan_publish(once);
            /* Pairs with every acquire here: what `make` wrote is seen by whoever sees DONE. */
            if (atomic_exchange_explicit(state(once), DONE, memory_order_release) == AWAITED)
                futex_wake(state(once), INT_MAX);
            return;
        }
        if (seen == DONE) {
            tsan_observe(once);
            return;
        }
        if (seen == RUNNING && !atomic_compare_exchange_strong_explicit(
                                   state(once), &seen, AWAITED, memory_order_relaxed, memory_order_relaxed))
            continue;
        if (aglet_checked &&
            !check_wait_begin(CHECK_ONCE, CHECK_EXCLUSIVE, once, &once->id_, AGLET_FOREVER, caller))
            return;
        futex_wait(state(once), AWAITED, AGLET_FOREVER);
        if (aglet_checked)
            check_wait_end(false);
    }
}

void aglet_once_run(aglet_once *once, void (*make)(void *), void *context) {
    if (!aglet_once_done(once))
        run(once, make, context, CALLER());
}

void aglet_lazy_make_(aglet_once *once, void (*make)(void), void *value) {
    run(once, (void (*)(void *))make, value, CALLER());
}
