/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The mutex. Stands on futex.h; in the checked library also on check.h.
 *
 * Bits of the state word: LOCKED · SLEEPERS, somebody may sleep on the word · HEIR, one waiter has waited so long
 * that only it may take the lock next · HEIR_SLEEPS, and it sleeps. Cost: one compare-exchange to take, one to give.
 *
 * Newcomers may take a free lock ahead of sleepers, because waking a sleeper takes microseconds during which the lock
 * would idle. That alone would starve: hence the heir. A waiter that has waited HEIR_AFTER sets HEIR; from then on a
 * give leaves the lock free but not takeable by others. The heir is usually awake and spinning, so the hand-over
 * costs one cache line transfer. (Go's starvation mode and parking_lot's timed fair unlock serve the same end; the
 * first queues everybody while it lasts, the second hands to a thread that is still asleep.)
 *
 * Giving is one atomic step with nothing read or written after it, so the lock's memory may be freed by whoever took
 * it next. What follows is at most a futex_wake on the bare address. An unlock by plain store would be faster and
 * needs a read of SLEEPERS afterwards: rejected for that. */
#include "aglet/mutex.h"

#include "check.h"
#include "futex.h"

#include <errno.h>

enum { LOCKED = 1, SLEEPERS = 2, HEIR = 4, HEIR_SLEEPS = 8 };
enum { WAKE_SLEEPER = 1, WAKE_HEIR = 2 }; /* futex sets */
enum { SPINS = 40, HEIR_SPINS = 400 };
static const aglet_time heir_after = 500000;

static inline _Atomic uint32_t *word(aglet_mutex *mu)
{
    return (_Atomic uint32_t *)&mu->state_;
}

static inline bool take_free(aglet_mutex *mu)
{
    uint32_t free = 0;
    /* Pairs with the release in give. */
    return atomic_compare_exchange_strong_explicit(word(mu), &free, LOCKED, memory_order_acquire,
                                                   memory_order_relaxed);
}

/* Give the lock. One atomic step; SLEEPERS goes out with it, and the sleeper that is woken puts it back in. */
static inline void give(aglet_mutex *mu)
{
    uint32_t seen = LOCKED;
    /* Pairs with the acquire of every take. */
    if (AGLET_LIKELY(atomic_compare_exchange_strong_explicit(word(mu), &seen, 0, memory_order_release,
                                                             memory_order_relaxed)))
        return;
    for (;;) {
        uint32_t left = seen & HEIR ? seen & (uint32_t)(HEIR | SLEEPERS) : 0;
        if (atomic_compare_exchange_weak_explicit(word(mu), &seen, left, memory_order_release,
                                                  memory_order_relaxed))
            break;
    }
    if (seen & HEIR_SLEEPS)
        futex_wake_set(word(mu), 1, WAKE_HEIR);
    else if (!(seen & HEIR) && (seen & SLEEPERS))
        futex_wake_set(word(mu), 1, WAKE_SLEEPER);
}

/* Stop being the heir without having taken the lock: whoever sleeps must not wait for a give that went to us. */
static void renounce(aglet_mutex *mu)
{
    uint32_t seen = atomic_load_explicit(word(mu), memory_order_relaxed), left;
    do {
        left = seen & ~(uint32_t)(HEIR | HEIR_SLEEPS);
        if (!(seen & LOCKED))
            left &= ~(uint32_t)SLEEPERS;
    } while (!atomic_compare_exchange_weak_explicit(word(mu), &seen, left, memory_order_relaxed,
                                                    memory_order_relaxed));
    if (!(seen & LOCKED) && (seen & SLEEPERS))
        futex_wake_set(word(mu), 1, WAKE_SLEEPER);
}

/* The heir's wait. HEIR is set and is ours. Returns false when the deadline passed; then HEIR is out. */
static bool inherit(aglet_mutex *mu, aglet_time deadline)
{
    for (int spin = 0;; spin++) {
        uint32_t seen = atomic_load_explicit(word(mu), memory_order_relaxed);
        if (!(seen & LOCKED)) {
            uint32_t now = (seen & (uint32_t)SLEEPERS) | LOCKED;
            if (atomic_compare_exchange_weak_explicit(word(mu), &seen, now, memory_order_acquire,
                                                      memory_order_relaxed))
                return true;
            continue;
        }
        if (spin < HEIR_SPINS && spinning_pays()) {
            cpu_relax();
            continue;
        }
        if (!(seen & HEIR_SLEEPS) &&
            !atomic_compare_exchange_weak_explicit(word(mu), &seen, seen | HEIR_SLEEPS, memory_order_relaxed,
                                                   memory_order_relaxed))
            continue;
        if (!futex_wait_set(word(mu), seen | HEIR_SLEEPS, deadline, WAKE_HEIR)) {
            renounce(mu);
            return false;
        }
    }
}

/* Wait for the lock and take it. Returns false when the deadline passed. */
static bool take_slow(aglet_mutex *mu, aglet_time deadline)
{
    aglet_time since = 0;
    bool may_spin = spinning_pays();
    uint32_t sleepers = 0; /* SLEEPERS once we slept: others may sleep still, and only we would wake them */
    int spin = 0, pause = 4;
    for (;;) {
        uint32_t seen = atomic_load_explicit(word(mu), memory_order_relaxed);
        if (!(seen & (uint32_t)(LOCKED | HEIR))) {
            if (atomic_compare_exchange_weak_explicit(word(mu), &seen, seen | LOCKED | sleepers, memory_order_acquire,
                                                      memory_order_relaxed))
                return true;
            continue;
        }
        if (may_spin && spin < SPINS) {
            /* Long pauses leave the cache line to the holder, who often takes the lock again at once. */
            for (int i = 0; i < pause; i++)
                cpu_relax();
            if (pause < 64)
                pause *= 2;
            spin++;
            continue;
        }
        aglet_time now = aglet_now();
        if (since == 0)
            since = now;
        else if (now - since > heir_after && !(seen & HEIR)) {
            uint32_t want = seen | HEIR | sleepers;
            if (!(seen & LOCKED))
                continue;
            if (atomic_compare_exchange_weak_explicit(word(mu), &seen, want, memory_order_relaxed,
                                                      memory_order_relaxed))
                return inherit(mu, deadline);
            continue;
        }
        if (!(seen & SLEEPERS) &&
            !atomic_compare_exchange_weak_explicit(word(mu), &seen, seen | SLEEPERS, memory_order_relaxed,
                                                   memory_order_relaxed))
            continue;
        if (!futex_wait_set(word(mu), seen | SLEEPERS, deadline, WAKE_SLEEPER))
            return false;
        sleepers = SLEEPERS;
        spin = 0;
        pause = 4;
    }
}

void aglet_mutex_init(aglet_mutex *mu)
{
    aglet_mutex_init_named(mu, NULL);
}

void aglet_mutex_init_named(aglet_mutex *mu, const char *name)
{
    if (aglet_checked)
        check_init(CHECK_MUTEX, mu, &mu->id_, name, CALLER());
    else
        mu->id_ = 0;
    atomic_store_explicit(word(mu), 0, memory_order_relaxed);
}

void aglet_mutex_destroy(aglet_mutex *mu)
{
    if (aglet_checked)
        check_destroy(CHECK_MUTEX, mu, &mu->id_, CALLER());
}

void aglet_mutex_lock(aglet_mutex *mu)
{
    if (AGLET_LIKELY(take_free(mu))) {
        if (aglet_checked)
            check_acquired(CHECK_MUTEX, CHECK_EXCLUSIVE, mu, &mu->id_, CALLER());
        return;
    }
    if (aglet_checked) {
        if (!check_wait_begin(CHECK_MUTEX, CHECK_EXCLUSIVE, mu, &mu->id_, AGLET_FOREVER, CALLER()))
            return;
        take_slow(mu, AGLET_FOREVER);
        check_wait_end(true);
        check_acquired(CHECK_MUTEX, CHECK_EXCLUSIVE, mu, &mu->id_, CALLER());
    } else {
        take_slow(mu, AGLET_FOREVER);
    }
}

bool aglet_mutex_try_lock(aglet_mutex *mu)
{
    bool taken = take_free(mu);
    if (!taken) {
        /* Free, but not zero: sleepers were left by somebody whose wait ended early. */
        uint32_t seen = atomic_load_explicit(word(mu), memory_order_relaxed);
        while (!taken && !(seen & (uint32_t)(LOCKED | HEIR)))
            taken = atomic_compare_exchange_weak_explicit(word(mu), &seen, seen | LOCKED, memory_order_acquire,
                                                          memory_order_relaxed);
    }
    if (aglet_checked && taken)
        check_acquired(CHECK_MUTEX, CHECK_EXCLUSIVE | CHECK_TRIED, mu, &mu->id_, CALLER());
    return taken;
}

int aglet_mutex_lock_until(aglet_mutex *mu, aglet_time deadline)
{
    bool taken = take_free(mu);
    if (!taken) {
        if (aglet_checked && !check_wait_begin(CHECK_MUTEX, CHECK_EXCLUSIVE, mu, &mu->id_, deadline, CALLER()))
            return -ETIMEDOUT;
        taken = take_slow(mu, deadline);
        if (aglet_checked)
            check_wait_end(taken);
    }
    if (aglet_checked && taken)
        check_acquired(CHECK_MUTEX, CHECK_EXCLUSIVE, mu, &mu->id_, CALLER());
    return taken ? 0 : -ETIMEDOUT;
}

void aglet_mutex_unlock(aglet_mutex *mu)
{
    if (aglet_checked && !check_release(CHECK_MUTEX, CHECK_EXCLUSIVE, mu, &mu->id_, CALLER()))
        return;
    give(mu);
}

void aglet_assert_held(const aglet_mutex *mu)
{
    if (aglet_checked)
        check_assert_held(CHECK_MUTEX, CHECK_EXCLUSIVE, mu, &mu->id_, CALLER());
}
