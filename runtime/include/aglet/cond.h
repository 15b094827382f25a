/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A condition variable: wait, with a mutex given up meanwhile, until somebody says that something changed.
 * Stands on mutex.h. */
#ifndef AGLET_COND_H
#define AGLET_COND_H

#include "aglet/mutex.h"

/* If all bytes are zero it is valid. Not to be copied or moved. */
typedef struct AGLET_TRUSTED_SYNC("its words are atomic") aglet_cond {
    uint32_t sequence_;
    uint32_t waiters_;
    uint32_t id_;
} aglet_cond;

#define AGLET_COND_INIT                                                                                      \
    { 0, 0, 0 }

AGLET_BEGIN_DECLS

AGLET_API void aglet_cond_init(aglet_cond *c);

/* End its life. Misuse: while threads wait on it (checked). */
AGLET_API void aglet_cond_destroy(aglet_cond *c);

/* Give up *mu, wait for a signal, take *mu again. May return without a signal: stand in a loop, or use one of
 * the two below.
 *
 * Requires  the calling thread holds *mu, once; all threads that wait on *c at one time use one mutex.
 * Misuse    waiting without holding *mu, or with a second mutex, is reported (checked). */
AGLET_API void aglet_cond_wait(aglet_cond *c, aglet_mutex *mu) AGLET_REQUIRES(mu);

/* The same until a deadline. Returns 0, or -ETIMEDOUT; *mu is held in either case. */
AGLET_API int aglet_cond_wait_until(aglet_cond *c, aglet_mutex *mu, aglet_time deadline) AGLET_REQUIRES(mu);

/* Wait until ready(context) is true. `ready` runs with *mu held.
 * aglet_cond_wait_for_until returns 0, or -ETIMEDOUT where it is still false at the deadline. */
AGLET_API void aglet_cond_wait_for(aglet_cond *c, aglet_mutex *mu, bool (*ready)(void *), void *context)
    AGLET_REQUIRES(mu);
AGLET_API int aglet_cond_wait_for_until(aglet_cond *c, aglet_mutex *mu, bool (*ready)(void *), void *context,
                                        aglet_time deadline) AGLET_REQUIRES(mu);

/* Wait until the expression is true; it is evaluated with *mu held. */
#define AGLET_COND_WAIT(c, mu, expression)                                                                   \
    do {                                                                                                     \
        while (!(expression))                                                                                \
            aglet_cond_wait((c), (mu));                                                                      \
    } while (0)

/* Wake one waiter, or all. Costs one load where nobody waits. The mutex need not be held, but what the
 * waiters wait for must have been changed with it held. */
AGLET_API void aglet_cond_signal(aglet_cond *c);
AGLET_API void aglet_cond_broadcast(aglet_cond *c);

AGLET_END_DECLS
#endif
