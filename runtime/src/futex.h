/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Sleeping on a 32-bit word and waking its sleepers, in this process only. Stands on the kernel's futex(2).
 */
#ifndef AGLET_SRC_FUTEX_H
#define AGLET_SRC_FUTEX_H

#include "aglet/base.h"

#include <stdatomic.h>

enum { FUTEX_ANY = -1 }; /* as a set of bits: every sleeper, whatever set it named */

/* Sleep while *word is `expected`, until `deadline` (AGLET_FOREVER: without one).
 *
 * Returns   false when the deadline has passed; true else: woken, *word was another value, or for no reason.
 *           The caller looks at *word again in either case.
 * Ensures   errno is as it was. */
bool futex_wait(_Atomic uint32_t *word, uint32_t expected, aglet_time deadline);

/* The same, to be woken only by a futex_wake_set whose bits meet `set`, or by futex_wake. */
bool futex_wait_set(_Atomic uint32_t *word, uint32_t expected, aglet_time deadline, uint32_t set);

/* Wake at most `count` sleepers on the word; INT_MAX is all. Returns how many were woken.
 *
 * The word is only named, never read: it may be memory that was freed a moment ago, where the worst that can
 * happen is that a sleeper of the memory's next user wakes for no reason. */
int futex_wake(_Atomic uint32_t *word, int count);
int futex_wake_set(_Atomic uint32_t *word, int count, uint32_t set);

/* Tell the processor that this is a spin loop. */
static inline void cpu_relax(void) {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("isb" ::: "memory");
#else
    atomic_signal_fence(memory_order_seq_cst);
#endif
}

/* The n-th look in a spin loop: wait a little longer each time, so that whoever works on the same cache line
 * keeps it. */
static inline void spin_pause(int n) {
    for (int i = n < 6 ? 1 << n : 64; i > 0; i--)
        cpu_relax();
}

/* Is it worth spinning before sleeping? Not with one processor. Read once, at the first call. */
bool spinning_pays(void);

#endif
