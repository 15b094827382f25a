/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The condition variable: a sequence number that signals advance and waiters sleep on. Stands on futex.h,
 * mutex.h. */
#include "aglet/cond.h"

#include "check.h"
#include "futex.h"
#include "take.h"

#include <errno.h>
#include <limits.h>

static inline _Atomic uint32_t *sequence(aglet_cond *c) {
    return (_Atomic uint32_t *)&c->sequence_;
}

static inline _Atomic uint32_t *waiters(aglet_cond *c) {
    return (_Atomic uint32_t *)&c->waiters_;
}

void aglet_cond_init(aglet_cond *c) {
    *c = (aglet_cond)AGLET_COND_INIT;
}

void aglet_cond_destroy(aglet_cond *c) {
    if (aglet_checked)
        check_cond_destroy(c, &c->id_, CALLER());
}

static int wait_until(aglet_cond *c, aglet_mutex *mu, aglet_time deadline, const void *caller) {
    if (aglet_checked && !check_cond_wait(c, &c->id_, mu, &mu->id_, caller))
        return 0;
    /* Counted before the mutex is given: a signaller that changed something with the mutex held sees the
     * count. */
    atomic_fetch_add_explicit(waiters(c), 1, memory_order_relaxed);
    uint32_t seen = atomic_load_explicit(sequence(c), memory_order_relaxed);
    mutex_unlock_from(mu, caller);
    bool in_time = true;
    if (!aglet_checked || check_block_begin(CHECK_ON_COND, c, deadline, caller)) {
        in_time = futex_wait(sequence(c), seen, deadline);
        if (aglet_checked)
            check_block_end();
    }
    if (aglet_checked)
        check_cond_woken(c, in_time);
    atomic_fetch_sub_explicit(waiters(c), 1, memory_order_relaxed);
    mutex_lock_from(mu, caller);
    return in_time ? 0 : -ETIMEDOUT;
}

void aglet_cond_wait(aglet_cond *c, aglet_mutex *mu) {
    wait_until(c, mu, AGLET_FOREVER, CALLER());
}

int aglet_cond_wait_until(aglet_cond *c, aglet_mutex *mu, aglet_time deadline) {
    return wait_until(c, mu, deadline, CALLER());
}

void aglet_cond_wait_for(aglet_cond *c, aglet_mutex *mu, bool (*ready)(void *), void *context) {
    while (!ready(context))
        wait_until(c, mu, AGLET_FOREVER, CALLER());
}

int aglet_cond_wait_for_until(aglet_cond *c, aglet_mutex *mu, bool (*ready)(void *), void *context,
                              aglet_time deadline) {
    while (!ready(context))
        if (wait_until(c, mu, deadline, CALLER()) != 0)
            return ready(context) ? 0 : -ETIMEDOUT;
    return 0;
}

static void wake(aglet_cond *c, int count, const void *caller) {
    bool somebody = atomic_load_explicit(waiters(c), memory_order_relaxed) != 0;
    if (aglet_checked)
        check_signal(c, &c->id_, somebody, caller);
    if (!somebody)
        return;
    atomic_fetch_add_explicit(sequence(c), 1, memory_order_relaxed);
    futex_wake(sequence(c), count);
}

void aglet_cond_signal(aglet_cond *c) {
    wake(c, 1, CALLER());
}

void aglet_cond_broadcast(aglet_cond *c) {
    wake(c, INT_MAX, CALLER());
}
