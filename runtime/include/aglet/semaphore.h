/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A counting semaphore for OS threads. Stands on base.h. */
#ifndef AGLET_SEMAPHORE_H
#define AGLET_SEMAPHORE_H

#include "aglet/base.h"

/* All bytes zero: valid, with no permits. Not to be copied or moved. */
typedef struct AGLET_TRUSTED_SYNC("its words are atomic") aglet_semaphore {
    uint32_t permits_ AGLET_ALIGNED(8);
    uint32_t waiters_;
} aglet_semaphore;

#define AGLET_SEMAPHORE_INIT(permits)                                                                        \
    { (permits), 0 }

AGLET_BEGIN_DECLS

AGLET_API void aglet_semaphore_init(aglet_semaphore *s, uint32_t permits);

/* Take one permit; wait while there is none. Sees what the thread that gave a permit wrote before. */
AGLET_API void aglet_semaphore_take(aglet_semaphore *s) AGLET_BLOCKS;
AGLET_API AGLET_MUST_USE bool aglet_semaphore_try_take(aglet_semaphore *s);

/* Returns 0, or -ETIMEDOUT and no permit was taken. */
AGLET_API AGLET_MUST_USE int aglet_semaphore_take_until(aglet_semaphore *s, aglet_time deadline) AGLET_BLOCKS;

/* Add permits. May be called in a signal handler. Returns 0, or -EOVERFLOW above 2^32-1 and nothing is added.
 * The memory may be freed by a thread that took the permit. */
AGLET_API int aglet_semaphore_give(aglet_semaphore *s, uint32_t permits);

AGLET_END_DECLS
#endif
