/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A barrier: so many threads wait for one another, again and again. Stands on base.h. */
#ifndef AGLET_BARRIER_H
#define AGLET_BARRIER_H

#include "aglet/base.h"

/* Not valid when zero: a barrier needs its count. Not to be copied or moved. */
typedef struct AGLET_TRUSTED_SYNC("its words are atomic") aglet_barrier {
    uint32_t missing_ AGLET_ALIGNED(8);
    uint32_t round_;
    uint32_t count_;
    uint32_t leaving_;
} aglet_barrier;

#define AGLET_BARRIER_INIT(count)                                                                            \
    { (count), 0, (count), 0 }

AGLET_BEGIN_DECLS

/* Requires count is 1 at least. */
AGLET_API void aglet_barrier_init(aglet_barrier *b, uint32_t count);

/* End its life: waits until the threads of the last round have left it, so that its memory may be freed. */
AGLET_API void aglet_barrier_destroy(aglet_barrier *b);

/* Wait until `count` threads have called this. Returns true in exactly one of them. Each sees what all of
 * them wrote before.
 *
 * Misuse    a barrier whose bytes are zero, or whose count is 0, waits for nobody (uninitialised-lock, checked). */
AGLET_API bool aglet_barrier_wait(aglet_barrier *b) AGLET_BLOCKS;

AGLET_END_DECLS
#endif
