/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A mutex: one thread at a time. Stands on base.h.
 *
 * Eight bytes. Taking a free one is one atomic instruction. A thread that waits spins a little, then sleeps
 * in the kernel; for one that its holder takes again within a microsecond, it sleeps a millisecond first. One
 * that has waited little more than a millisecond is served next, so that nobody starves. The thread that
 * waits is an OS thread: a task must not suspend while it holds one (see async_mutex.h). In a child made by fork the
 * thread that forked holds what it held, and nobody waits. */
#ifndef AGLET_MUTEX_H
#define AGLET_MUTEX_H

#include "aglet/base.h"

/* If all bytes are zero it is valid and unlocked. Not to be copied or moved. */
typedef struct AGLET_LOCK_TYPE aglet_mutex {
    uint32_t state_;
    uint32_t id_; /* names the checked library's record of it */
} aglet_mutex;

#define AGLET_MUTEX_INIT                                                                                     \
    { 0, 0 }

AGLET_BEGIN_DECLS

/* Make *mu valid and unlocked. `aglet_mutex_init_named` gives it a name for reports; the name is not copied.
 *
 * Misuse    initialising a mutex that somebody holds (checked). */
AGLET_API void aglet_mutex_init(aglet_mutex *mu);
AGLET_API void aglet_mutex_init_named(aglet_mutex *mu, const char *name);

/* End *mu's life: its memory may be freed or used for something else.
 *
 * Requires  nobody holds it, waits for it, or will use it. Not needed for a mutex whose memory merely goes
 *           away, though the checked library finds later misuse better with it.
 * Misuse    destroying a held one is reported (checked). */
AGLET_API void aglet_mutex_destroy(aglet_mutex *mu);

/* Take *mu; wait while another thread holds it.
 *
 * Ensures   the calling thread holds *mu, and sees what the thread that held it last wrote.
 * Misuse    taking a mutex that the calling thread holds already, or whose holder waits for this thread,
 *           would wait for ever; the checked library reports it and ends the process before it waits. */
AGLET_API void aglet_mutex_lock(aglet_mutex *mu) AGLET_ACQUIRES(mu);

/* Take *mu if nobody holds it; never waits. Returns whether it was taken. */
AGLET_API AGLET_MUST_USE bool aglet_mutex_try_lock(aglet_mutex *mu) AGLET_TRY_ACQUIRES(true, mu);

/* Take *mu, waiting at most until the deadline. Returns 0, or -ETIMEDOUT and *mu is not taken. */
AGLET_API AGLET_MUST_USE int aglet_mutex_lock_until(aglet_mutex *mu, aglet_time deadline)
    AGLET_TRY_ACQUIRES(0, mu);

/* Give up *mu, and let one waiting thread take it.
 *
 * Requires  the calling thread holds *mu.
 * Ensures   every write this thread made while holding *mu is seen by the next thread that takes it. Once
 *           another thread can take *mu, this call does not touch its memory again: that thread may free it.
 * Misuse    unlocking a mutex that another thread holds, or that nobody holds, is reported (checked) and
 *           leaves *mu as it was. */
AGLET_API void aglet_mutex_unlock(aglet_mutex *mu) AGLET_RELEASES(mu);

/* The checked library reports when the calling thread does not hold *mu; the release library does nothing. */
AGLET_API void aglet_assert_held(const aglet_mutex *mu) AGLET_ASSERTS_HELD(mu);

AGLET_END_DECLS
#endif
