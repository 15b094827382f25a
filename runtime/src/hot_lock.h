/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Which locks are hot, and how long those nap who wait for one. Stands on base.h.
 *
 * A lock is hot where a thread that had it has to wait for it again within a microsecond of having lost it. What several
 * threads could do in turns there, one that is left alone with the lock does as well, and undisturbed: so waiters begin
 * with a nap, and leave it the processor, too. The clock wakes them, and the holder need not know of them. Where it does
 * other work between its sections the lock would be idle meanwhile: hence the microsecond, some of which the cache lines
 * take.
 *
 * Each end of a nap may move the lock to another processor, and the clock's interrupt takes some microseconds from whoever
 * works on the one that it comes to. So the naps for one lock end half a millisecond apart, though none lasts less than one
 * or more than four: threads get the lock in the order they lost it, each for such a beat. One that wakes and finds that
 * nobody began a nap since the last end of one wakes all others: whoever had the lock then does not want it any more. A
 * thread that comes to a hot lock without having had it a moment ago stands in no row, and naps a millisecond.
 *
 * Kept by a hash of the lock's address, and without atomic steps: some of it may be lost, for it is a guess. */
#ifndef AGLET_SRC_HOT_LOCK_H
#define AGLET_SRC_HOT_LOCK_H

#include "aglet/base.h"

#include <stdatomic.h>

/* The upper bits are the well-mixed ones. */
static inline uint64_t lock_hash(const void *lock) {
    return ((uintptr_t)lock >> 3) * UINT64_C(0x9e3779b97f4a7c15);
}

/* This thread comes to wait for the lock, which may be known as a busy one (word_lock.c). Returns whether it is hot. */
bool hot_on_wait(const void *lock, bool busy);

/* This thread took the lock, in one wait of eight, and in each where the lock is busy or after a nap. */
void hot_on_take(const void *lock);

/* Until when to nap, from `now` on; in the row of those who had the lock a moment ago, or by oneself. */
aglet_time hot_nap_end(const void *lock, aglet_time now, bool *in_row);

/* A nap in the row came to its end now. Returns whether the others are to be woken. */
bool hot_nap_was_last(const void *lock, aglet_time now);

/* What those sleep on who nap for the lock, or for another of its hash; always zero. */
_Atomic uint32_t *hot_bed(const void *lock);

#endif
