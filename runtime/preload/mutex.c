/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* pthread_mutex_* and pthread_spin_*, watched. Stands on real.h, check.h. A mutex has no room for an id, so
 * its record is found by its address. Process-shared and robust mutexes are left alone: their owner may be
 * another process. */
#include "real.h"

#include "misuse.h"

#include <errno.h>

/* Bits of glibc's __kind, as <bits/pthreadtypes.h> and nptl's headers fix them for the ABI. */
enum { KIND_TYPE = 3, KIND_RECURSIVE = 1, KIND_ERRORCHECK = 2, KIND_ROBUST = 16, KIND_SHARED = 128 };

enum { KIND_KNOWN = 3 | 16 | 32 | 64 | 128 | 256 | 512 };

static bool left_alone(const pthread_mutex_t *m) {
    int kind = m->__data.__kind;
    if (AGLET_LIKELY(!(kind & (KIND_ROBUST | KIND_SHARED)) || (kind & ~KIND_KNOWN) != 0))
        return false;
    misuse_warn("process-shared and robust mutexes are not checked");
    return true;
}

/* glibc writes -1 where a mutex is destroyed; other bits than the known ones were never written by it. Says
 * so once per use, and lets the C library answer. */
static bool strange(const pthread_mutex_t *m, const void *caller) {
    int kind = m->__data.__kind;
    if (AGLET_LIKELY((kind & ~KIND_KNOWN) == 0))
        return false;
    misuse_report("uninitialised-lock", m, false, caller, "a mutex is used that %s",
                  kind == -1 ? "was destroyed" : "was never initialised");
    return true;
}

static enum check_kind kind_of(const pthread_mutex_t *m) {
    return (m->__data.__kind & KIND_TYPE) == KIND_RECURSIVE ? CHECK_RECURSIVE : CHECK_MUTEX;
}

/* Its program wants error numbers, not reports. */
static bool tells_itself(const pthread_mutex_t *m) {
    return (m->__data.__kind & KIND_TYPE) == KIND_ERRORCHECK;
}

/* The mutex says by its bytes that this thread holds it, which never took it: it would wait for itself. */
static bool is_copy(const pthread_mutex_t *m, const void *caller) {
    if (m->__data.__owner != check_thread_id() || check_holds(kind_of(m), m, caller))
        return false;
    misuse_report("copy", m, true, caller,
                  "the mutex at %p is a copy of one that was held when it was copied: initialise each",
                  (const void *)m);
    return true;
}

EXPORT int pthread_mutex_init(pthread_mutex_t *m, const pthread_mutexattr_t *attributes) {
    bool watched = watching();
    int error = real.pthread_mutex_init(m, attributes);
    if (watched && error == 0 && !left_alone(m))
        check_init(kind_of(m), m, NULL, NULL, PROGRAM());
    return error;
}

EXPORT int pthread_mutex_destroy(pthread_mutex_t *m) {
    if (watching() && !left_alone(m))
        check_destroy(kind_of(m), m, NULL, PROGRAM());
    return real.pthread_mutex_destroy(m);
}

static int lock_until(pthread_mutex_t *m, aglet_time deadline, clockid_t clock, const struct timespec *until,
                      const void *caller) {
    if (strange(m, caller))
        return EINVAL;
    enum check_kind kind = kind_of(m);
    int error = real.pthread_mutex_trylock(m);
    if (error == EBUSY) {
        if (!tells_itself(m) && until == NULL && is_copy(m, caller))
            return EDEADLK;
        if (!tells_itself(m) && !check_wait_begin(kind, CHECK_EXCLUSIVE, m, NULL, deadline, caller))
            return EDEADLK;
        if (until != NULL)
            error = real.pthread_mutex_clocklock(m, clock, until);
        else
            WAIT_AND_LOOK(error, real.pthread_mutex_lock(m),
                          real.pthread_mutex_clocklock(m, CLOCK_MONOTONIC, limit));
        if (!tells_itself(m))
            check_wait_end(error == 0);
    }
    if (error == 0)
        check_acquired(kind, CHECK_EXCLUSIVE, m, NULL, caller);
    return error;
}

EXPORT int pthread_mutex_lock(pthread_mutex_t *m) {
    if (!watching() || left_alone(m))
        return real.pthread_mutex_lock(m);
    return lock_until(m, AGLET_FOREVER, CLOCK_MONOTONIC, NULL, PROGRAM());
}

EXPORT int pthread_mutex_timedlock(pthread_mutex_t *m, const struct timespec *until) {
    if (!watching() || left_alone(m))
        return real.pthread_mutex_timedlock(m, until);
    return lock_until(m, deadline_of(CLOCK_REALTIME, until), CLOCK_REALTIME, until, PROGRAM());
}

EXPORT int pthread_mutex_clocklock(pthread_mutex_t *m, clockid_t clock, const struct timespec *until) {
    if (!watching() || left_alone(m))
        return real.pthread_mutex_clocklock(m, clock, until);
    return lock_until(m, deadline_of(clock, until), clock, until, PROGRAM());
}

EXPORT int pthread_mutex_trylock(pthread_mutex_t *m) {
    bool watched = watching();
    int error = real.pthread_mutex_trylock(m);
    if (watched && error == 0 && !left_alone(m))
        check_acquired(kind_of(m), CHECK_EXCLUSIVE | CHECK_TRIED, m, NULL, PROGRAM());
    return error;
}

EXPORT int pthread_mutex_unlock(pthread_mutex_t *m) {
    if (!watching() || left_alone(m))
        return real.pthread_mutex_unlock(m);
    /* The checker's note goes before the unlock, after which another thread may have the lock; an
     * error-checking mutex says by itself that it is not held. */
    if (tells_itself(m) && m->__data.__owner != (int)check_thread_id())
        return real.pthread_mutex_unlock(m);
    if (!check_release(kind_of(m), CHECK_EXCLUSIVE, m, NULL, PROGRAM()))
        return EPERM;
    return real.pthread_mutex_unlock(m);
}

EXPORT int pthread_spin_init(pthread_spinlock_t *s, int shared) {
    bool watched = watching();
    int error = real.pthread_spin_init(s, shared);
    if (watched && error == 0) {
        check_init(CHECK_SPIN, (const void *)s, NULL, NULL, PROGRAM());
        if (shared != PTHREAD_PROCESS_PRIVATE) {
            check_leave_alone((const void *)s);
            misuse_warn("process-shared spin locks are not checked");
        }
    }
    return error;
}

EXPORT int pthread_spin_destroy(pthread_spinlock_t *s) {
    if (watching())
        check_destroy(CHECK_SPIN, (const void *)s, NULL, PROGRAM());
    return real.pthread_spin_destroy(s);
}

EXPORT int pthread_spin_lock(pthread_spinlock_t *s) {
    if (!watching())
        return real.pthread_spin_lock(s);
    int error = real.pthread_spin_trylock(s);
    if (error == EBUSY) {
        if (!check_wait_begin(CHECK_SPIN, CHECK_EXCLUSIVE, (const void *)s, NULL, AGLET_FOREVER, PROGRAM()))
            return EDEADLK;
        error = real.pthread_spin_lock(s);
        check_wait_end(error == 0);
    }
    if (error == 0)
        check_acquired(CHECK_SPIN, CHECK_EXCLUSIVE, (const void *)s, NULL, PROGRAM());
    return error;
}

EXPORT int pthread_spin_trylock(pthread_spinlock_t *s) {
    bool watched = watching();
    int error = real.pthread_spin_trylock(s);
    if (watched && error == 0)
        check_acquired(CHECK_SPIN, CHECK_EXCLUSIVE | CHECK_TRIED, (const void *)s, NULL, PROGRAM());
    return error;
}

EXPORT int pthread_spin_unlock(pthread_spinlock_t *s) {
    if (watching() && !check_release(CHECK_SPIN, CHECK_EXCLUSIVE, (const void *)s, NULL, PROGRAM()))
        return EPERM;
    return real.pthread_spin_unlock(s);
}
