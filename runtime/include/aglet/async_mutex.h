/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Locks that park the task and not its thread: a mutex with its condition. They may be held across yields.
 * Stands on aglet/base.h. OS threads may use them too, and then block.
 *
 * First come, first served: a lock is handed to the waiter that has waited longest. For data that is never
 * used across a yield aglet_mutex costs less under contention. */
#ifndef AGLET_ASYNC_MUTEX_H
#define AGLET_ASYNC_MUTEX_H

#include "aglet/base.h"

/* All zero is valid and unlocked. Not to be copied or moved. */
typedef struct AGLET_ASYNC_LOCK_TYPE aglet_async_mutex {
    uint32_t lock_, held_;
    void *head_, *tail_;
} aglet_async_mutex;

typedef struct aglet_async_cond {
    uint32_t lock_, unused_;
    void *head_, *tail_;
} aglet_async_cond;

AGLET_BEGIN_DECLS

/* Take *mu. Returns 0, or -ECANCELED when the task was aborted: then *mu is not taken. */
AGLET_API AGLET_MUST_USE int aglet_async_mutex_lock(aglet_async_mutex *mu)
    AGLET_TRY_ACQUIRES(0, mu) AGLET_YIELDS;

/* The same until a deadline: -ETIMEDOUT. */
AGLET_API AGLET_MUST_USE int aglet_async_mutex_lock_until(aglet_async_mutex *mu, aglet_time deadline)
    AGLET_TRY_ACQUIRES(0, mu) AGLET_YIELDS;

/* Take *mu if nobody holds it; never waits. */
AGLET_API AGLET_MUST_USE bool aglet_async_mutex_try_lock(aglet_async_mutex *mu) AGLET_TRY_ACQUIRES(true, mu);

/* Hand *mu to the next waiter, or leave it free.
 * Requires  the caller holds it. Any thread: the lock belongs to the code, not to a thread.
 * Misuse    unlocking a free one is reported (unlock-unheld) and does nothing. */
AGLET_API void aglet_async_mutex_unlock(aglet_async_mutex *mu) AGLET_RELEASES(mu);

/* Give up *mu, wait for a signal, take *mu again. Stand in a loop that looks at the condition.
 * Returns   0, -ETIMEDOUT or -ECANCELED: *mu is held again in every case. */
AGLET_API int aglet_async_cond_wait(aglet_async_cond *cond, aglet_async_mutex *mu, aglet_time deadline)
    AGLET_REQUIRES(mu) AGLET_YIELDS;
AGLET_API void aglet_async_cond_signal(aglet_async_cond *cond);
AGLET_API void aglet_async_cond_broadcast(aglet_async_cond *cond);

AGLET_END_DECLS
#endif
