/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* One 32-bit word as a mutual exclusion lock that starves nobody; mutex and rwlock are made of it.
 * Stands on futex.h and pthread_atfork(3). Zero is free.
 *
 * Bits of the state word: LOCKED · SLEEPERS, somebody may sleep on the word · HEIR, one waiter has waited so
 * long that only it may take the lock next · HEIR_SLEEPS, and it sleeps. Above them two numbers of forks (below).
 * Cost: one compare-exchange to take, one to give.
 *
 * Newcomers may take a free lock ahead of sleepers, because waking a sleeper takes microseconds during which
 * the lock would idle. That alone would starve: hence the heir. While HEIR is set a give leaves the lock free
 * but not takeable by others. The heir is awake and spins, so the hand-over costs one cache line transfer.
 *
 * A waiter looks a few times, ever more seldom (at once seldom where the lock is known to be busy:
 * busy_points in the source), and then becomes the heir, for a few microseconds only: so two threads that
 * contend hand the lock to and fro without a system call. Where that is not enough the section is long or its
 * holder stopped, and the waiter sleeps. One that has waited half a millisecond becomes the heir as soon as
 * it runs, and stays it, asleep if need be. A waiter that is awake takes SLEEPERS out of the word and keeps
 * it in mind: the holder then wakes nobody, for a third thread that runs would cost more than it does. Once
 * in two milliseconds a waiter goes to sleep instead of becoming the heir, and with that the holder wakes the
 * sleeper that came first. Whoever takes the lock with SLEEPERS in mind puts it back.
 *
 * Where whoever had the lock wants it back within a microsecond, a waiter begins with a nap of one to four
 * milliseconds instead (hot_lock.h): one thread at a time then has the lock and a processor to
 * itself, and nothing of it is in the word.
 *
 * An heir that was stopped when its turn came is passed over after 20 microseconds; it remains the heir.
 * (Go's starvation mode and parking_lot's timed fair unlock serve the same end; the first queues everybody
 * while it lasts, the second hands to a thread that is still asleep. nsync and abseil have a designated waker
 * where this one has a bit taken out of the word.)
 *
 * In a child of fork the waiters of the parent are not there. SLEEPERS then costs a wake of nobody; an heir would keep
 * the lock for ever. So HEIR comes with the number of forks that led to its process, HEIR_DEPTH, and one of another
 * depth is none. A holder may have its depth noted likewise, HOLDER_DEPTH: the rwlock's writers do, who have to know in
 * the child what they took in the parent. In a program that does not fork both are zero.
 *
 * Giving is one atomic step with nothing read or written after it, so the lock's memory may be freed by
 * whoever took it next. What follows is at most a futex_wake on the bare address. An unlock by plain store
 * would be faster and needs a read of SLEEPERS afterwards: rejected for that. */
#ifndef AGLET_SRC_WORD_LOCK_H
#define AGLET_SRC_WORD_LOCK_H

#include "futex.h"

enum { LOCKED = 1, SLEEPERS = 2, HEIR = 4, HEIR_SLEEPS = 8 };
enum { DEPTH_BITS = 14, HOLDER_SHIFT = 4, HEIR_SHIFT = HOLDER_SHIFT + DEPTH_BITS };
#define HOLDER_DEPTH UINT32_C(0x0003fff0)
#define HEIR_DEPTH UINT32_C(0xfffc0000)

/* LOCKED, and where HOLDER_DEPTH is: how many forks lie between the program's start and this process. Changes in a
 * child only, before anything else runs there. */
extern uint32_t word_lock_here __attribute__((visibility("hidden")));

/* Wait and take; false when the deadline passed. `mine`, in all calls for one lock: LOCKED, or
 * word_lock_here to have the holder's depth noted. */
bool word_lock_take_slow(_Atomic uint32_t *word, uint32_t mine, aglet_time deadline);

/* Give when others wait; `seen` is what the word was just now. Returns whom word_lock_wake is to wake. */
uint32_t word_lock_give_slow(_Atomic uint32_t *word, uint32_t seen);
void word_lock_give_and_wake(_Atomic uint32_t *word, uint32_t seen);
void word_lock_wake(_Atomic uint32_t *word, uint32_t whom);

/* Take if free, also with waiters left over on the word. */
bool word_lock_try(_Atomic uint32_t *word, uint32_t mine);

static inline bool word_lock_take_free(_Atomic uint32_t *word, uint32_t mine) {
    uint32_t free = 0;
    /* Pairs with the release in word_lock_give. */
    return atomic_compare_exchange_strong_explicit(word, &free, mine, memory_order_acquire,
                                                   memory_order_relaxed);
}

/* Give the lock, in one atomic step; SLEEPERS goes out with it, and the sleeper that is woken puts it back
 * in. In two parts for the rwlock, which has another step to do before the system call. *inherited becomes true where
 * the lock was taken before a fork, by this thread in the parent. */
static inline uint32_t word_lock_release(_Atomic uint32_t *word, uint32_t mine, bool *inherited) {
    uint32_t seen = mine;
    /* Pairs with the acquire of every take. */
    if (AGLET_LIKELY(atomic_compare_exchange_strong_explicit(word, &seen, 0, memory_order_release,
                                                             memory_order_relaxed)))
        return 0;
    *inherited = (seen ^ mine) & HOLDER_DEPTH;
    return word_lock_give_slow(word, seen);
}

static inline void word_lock_give(_Atomic uint32_t *word) {
    uint32_t seen = LOCKED;
    if (AGLET_UNLIKELY(!atomic_compare_exchange_strong_explicit(word, &seen, 0, memory_order_release,
                                                                memory_order_relaxed)))
        word_lock_give_and_wake(word, seen);
}

#endif
