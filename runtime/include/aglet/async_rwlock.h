/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A read-write lock that parks the task: many readers or one writer, in the order they came.
 * Stands on aglet/base.h; see async_mutex.h for when to use it. */
#ifndef AGLET_ASYNC_RWLOCK_H
#define AGLET_ASYNC_RWLOCK_H

#include "aglet/base.h"

/* All zero is valid and unlocked. Not to be copied or moved. */
typedef struct AGLET_ASYNC_LOCK_TYPE aglet_async_rwlock {
    uint32_t lock_;
    int32_t users_; /* readers, or -1: a writer */
    void *head_, *tail_;
} aglet_async_rwlock;

AGLET_BEGIN_DECLS

/* Return 0, -ETIMEDOUT or -ECANCELED; a reader behind a waiting writer waits, so writers are not starved. */
AGLET_API AGLET_MUST_USE int aglet_async_rwlock_read(aglet_async_rwlock *rw,
                                                     aglet_time deadline) AGLET_YIELDS;
AGLET_API AGLET_MUST_USE int aglet_async_rwlock_write(aglet_async_rwlock *rw, aglet_time deadline)
    AGLET_TRY_ACQUIRES(0, rw) AGLET_YIELDS;

/* Give up either kind. Misuse: of a free one is reported (unlock-unheld) and does nothing. */
AGLET_API void aglet_async_rwlock_unlock(aglet_async_rwlock *rw) AGLET_RELEASES(rw);

AGLET_END_DECLS
#endif
