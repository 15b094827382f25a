/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A counting semaphore and a once that park the task. Stands on aglet/base.h. */
#ifndef AGLET_ASYNC_SEMAPHORE_H
#define AGLET_ASYNC_SEMAPHORE_H

#include "aglet/base.h"

/* All zero is valid: no permits. AGLET_ASYNC_SEMAPHORE_INIT(n): n permits. */
typedef struct aglet_async_semaphore {
    uint32_t lock_, permits_;
    void *head_, *tail_;
} aglet_async_semaphore;
#define AGLET_ASYNC_SEMAPHORE_INIT(n)                                                                        \
    { 0, (n), NULL, NULL }

/* All zero is valid: not done. */
typedef struct aglet_async_once {
    uint32_t lock_, state_;
    void *head_, *tail_;
} aglet_async_once;

AGLET_BEGIN_DECLS

/* Take a permit, in the order of arrival. Returns 0, -ETIMEDOUT or -ECANCELED. */
AGLET_API AGLET_MUST_USE int aglet_async_semaphore_take(aglet_async_semaphore *s,
                                                        aglet_time deadline) AGLET_YIELDS;
AGLET_API AGLET_MUST_USE bool aglet_async_semaphore_try_take(aglet_async_semaphore *s);

/* Put n permits in; there is no upper limit. */
AGLET_API void aglet_async_semaphore_give(aglet_async_semaphore *s, uint32_t n);

/* How many permits are left at this moment. Where one task alone gives, there are never more than this before it gives again:
 * so it can fill up to a limit (samples/rate_limiter.c). */
AGLET_API uint32_t aglet_async_semaphore_permits(aglet_async_semaphore *s);

/* Run make(arg) once, however many ask; the others wait until it has returned 0. If it fails, the next caller
 * tries. Returns 0 when it is done, what make returned when this call's failed, or -ECANCELED. */
AGLET_API int aglet_async_once_run(aglet_async_once *once, int (*make)(void *arg), void *arg) AGLET_YIELDS;

AGLET_END_DECLS
#endif
