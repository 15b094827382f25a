/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The word lock where somebody has to wait. Stands on futex.h; word_lock.h says how it works. */
#include "word_lock.h"

#include "checked.h"
#include "misuse.h"

enum { WAKE_SLEEPER = 1, WAKE_HEIR = 2 }; /* futex sets */
enum { SPINS = 12, HEIR_SPINS = 400 };
static const aglet_time heir_after = 500000;

uint32_t word_lock_give_slow(_Atomic uint32_t *word, uint32_t seen) {
    for (;;) {
        if (AGLET_UNLIKELY(!(seen & LOCKED))) {
            if (aglet_checked)
                misuse_report("uninitialised-lock", (const void *)word, false, NULL,
                              "the lock at %p was overwritten while it was held", (const void *)word);
            return 0;
        }
        uint32_t left = seen & HEIR ? seen & (uint32_t)(HEIR | SLEEPERS) : 0;
        if (atomic_compare_exchange_weak_explicit(word, &seen, left, memory_order_release,
                                                  memory_order_relaxed))
            break;
    }
    if (seen & HEIR_SLEEPS)
        return WAKE_HEIR;
    return !(seen & HEIR) && (seen & SLEEPERS) ? WAKE_SLEEPER : 0;
}

void word_lock_wake(_Atomic uint32_t *word, uint32_t whom) {
    futex_wake_set(word, 1, whom);
}

void word_lock_give_and_wake(_Atomic uint32_t *word, uint32_t seen) {
    uint32_t whom = word_lock_give_slow(word, seen);
    if (whom != 0)
        word_lock_wake(word, whom);
}

bool word_lock_try(_Atomic uint32_t *word) {
    /* Free, but perhaps not zero: sleepers were left by somebody whose wait ended early. */
    uint32_t seen = atomic_load_explicit(word, memory_order_relaxed);
    while (!(seen & (uint32_t)(LOCKED | HEIR)))
        if (atomic_compare_exchange_weak_explicit(word, &seen, seen | LOCKED, memory_order_acquire,
                                                  memory_order_relaxed))
            return true;
    return false;
}

/* Stop being the heir without having taken the lock: whoever sleeps must not wait for a give that went to us.
 */
static void renounce(_Atomic uint32_t *word) {
    uint32_t seen = atomic_load_explicit(word, memory_order_relaxed), left;
    do {
        left = seen & ~(uint32_t)(HEIR | HEIR_SLEEPS);
        if (!(seen & LOCKED))
            left &= ~(uint32_t)SLEEPERS;
    } while (!atomic_compare_exchange_weak_explicit(word, &seen, left, memory_order_relaxed,
                                                    memory_order_relaxed));
    if (!(seen & LOCKED) && (seen & SLEEPERS))
        futex_wake_set(word, 1, WAKE_SLEEPER);
}

/* The heir's wait. HEIR is set and is ours. Returns false when the deadline passed; then HEIR is out. */
static bool inherit(_Atomic uint32_t *word, aglet_time deadline) {
    for (int spin = 0;; spin++) {
        uint32_t seen = atomic_load_explicit(word, memory_order_relaxed);
        if (!(seen & LOCKED)) {
            uint32_t now = (seen & (uint32_t)SLEEPERS) | LOCKED;
            if (atomic_compare_exchange_weak_explicit(word, &seen, now, memory_order_acquire,
                                                      memory_order_relaxed))
                return true;
            continue;
        }
        if (spin < HEIR_SPINS && spinning_pays()) {
            cpu_relax();
            continue;
        }
        if (!(seen & HEIR_SLEEPS) &&
            !atomic_compare_exchange_weak_explicit(word, &seen, seen | HEIR_SLEEPS, memory_order_relaxed,
                                                   memory_order_relaxed))
            continue;
        if (!futex_wait_set(word, seen | HEIR_SLEEPS, deadline, WAKE_HEIR)) {
            renounce(word);
            return false;
        }
    }
}

/* Wait for the lock and take it. Returns false when the deadline passed. */
bool word_lock_take_slow(_Atomic uint32_t *word, aglet_time deadline) {
    aglet_time since = 0;
    bool may_spin = spinning_pays();
    uint32_t sleepers = 0; /* SLEEPERS once we slept: others may sleep still, and only we would wake them */
    int spin = 0;
    for (;;) {
        uint32_t seen = atomic_load_explicit(word, memory_order_relaxed);
        if (!(seen & (uint32_t)(LOCKED | HEIR))) {
            if (atomic_compare_exchange_weak_explicit(word, &seen, seen | LOCKED | sleepers,
                                                      memory_order_acquire, memory_order_relaxed))
                return true;
            continue;
        }
        if (may_spin && spin < SPINS) {
            /* Long pauses leave the cache line to the holder, who often takes the lock again at once. */
            spin_pause(2 + spin++);
            continue;
        }
        aglet_time now = aglet_now();
        if (since == 0)
            since = now;
        else if (now - since > heir_after && !(seen & HEIR)) {
            uint32_t want = seen | HEIR | sleepers;
            if (!(seen & LOCKED))
                continue;
            if (atomic_compare_exchange_weak_explicit(word, &seen, want, memory_order_relaxed,
                                                      memory_order_relaxed))
                return inherit(word, deadline);
            continue;
        }
        if (!(seen & SLEEPERS) &&
            !atomic_compare_exchange_weak_explicit(word, &seen, seen | SLEEPERS, memory_order_relaxed,
                                                   memory_order_relaxed))
            continue;
        if (!futex_wait_set(word, seen | SLEEPERS, deadline, WAKE_SLEEPER))
            return false;
        sleepers = SLEEPERS;
        spin = 0;
    }
}
