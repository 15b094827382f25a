/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* pthread_rwlock_*, watched. Stands on real.h, check.h. POSIX lets a thread read-lock twice, so that is no
 * misuse here as it is with aglet_rwlock; it is one where a writer waits between, and then the deadlock is
 * real. */
#include "real.h"

#include "engine.h"
#include "misuse.h"

#include <errno.h>

static bool left_alone(const pthread_rwlock_t *rw) {
    if (AGLET_LIKELY(rw->__data.__shared == 0))
        return false;
    misuse_warn("process-shared read-write locks are not checked");
    return true;
}

EXPORT int pthread_rwlock_init(pthread_rwlock_t *rw, const pthread_rwlockattr_t *attributes) {
    bool watched = watching();
    int error = real.pthread_rwlock_init(rw, attributes);
    if (watched && error == 0 && !left_alone(rw))
        check_init(CHECK_RWLOCK, rw, NULL, NULL, PROGRAM());
    return error;
}

EXPORT int pthread_rwlock_destroy(pthread_rwlock_t *rw) {
    if (watching() && !left_alone(rw))
        check_destroy(CHECK_RWLOCK, rw, NULL, PROGRAM());
    return real.pthread_rwlock_destroy(rw);
}

/* One for both modes: how to try, wait, and wait until. */
struct way {
    int mode;
    int (*try)(pthread_rwlock_t *);
    int (*wait)(pthread_rwlock_t *);
    int (*until)(pthread_rwlock_t *, clockid_t, const struct timespec *);
};

static struct way reading(void) {
    return (struct way){CHECK_SHARED, real.pthread_rwlock_tryrdlock, real.pthread_rwlock_rdlock,
                        real.pthread_rwlock_clockrdlock};
}

static struct way writing(void) {
    return (struct way){CHECK_EXCLUSIVE, real.pthread_rwlock_trywrlock, real.pthread_rwlock_wrlock,
                        real.pthread_rwlock_clockwrlock};
}

static int take(pthread_rwlock_t *rw, struct way way, clockid_t clock, const struct timespec *until,
                const void *caller) {
    int error = way.try(rw);
    if (error == EBUSY) {
        if (!check_wait_begin(CHECK_RWLOCK, way.mode, rw, NULL, deadline_of(clock, until), caller))
            return EDEADLK;
        if (until != NULL)
            error = way.until(rw, clock, until);
        else
            WAIT_AND_LOOK(error, way.wait(rw), way.until(rw, CLOCK_MONOTONIC, limit));
        check_wait_end(error == 0);
    }
    if (error == 0)
        check_acquired(CHECK_RWLOCK, way.mode, rw, NULL, caller);
    return error;
}

static int try(pthread_rwlock_t *rw, struct way way, bool watched, const void *caller) {
    int error = way.try(rw);
    if (watched && error == 0 && !left_alone(rw))
        check_acquired(CHECK_RWLOCK, way.mode | CHECK_TRIED, rw, NULL, caller);
    return error;
}

EXPORT int pthread_rwlock_rdlock(pthread_rwlock_t *rw) {
    if (!watching() || left_alone(rw))
        return real.pthread_rwlock_rdlock(rw);
    return take(rw, reading(), CLOCK_MONOTONIC, NULL, PROGRAM());
}

EXPORT int pthread_rwlock_wrlock(pthread_rwlock_t *rw) {
    if (!watching() || left_alone(rw))
        return real.pthread_rwlock_wrlock(rw);
    return take(rw, writing(), CLOCK_MONOTONIC, NULL, PROGRAM());
}

EXPORT int pthread_rwlock_timedrdlock(pthread_rwlock_t *rw, const struct timespec *until) {
    if (!watching() || left_alone(rw))
        return real.pthread_rwlock_timedrdlock(rw, until);
    return take(rw, reading(), CLOCK_REALTIME, until, PROGRAM());
}

EXPORT int pthread_rwlock_timedwrlock(pthread_rwlock_t *rw, const struct timespec *until) {
    if (!watching() || left_alone(rw))
        return real.pthread_rwlock_timedwrlock(rw, until);
    return take(rw, writing(), CLOCK_REALTIME, until, PROGRAM());
}

EXPORT int pthread_rwlock_clockrdlock(pthread_rwlock_t *rw, clockid_t clock, const struct timespec *until) {
    if (!watching() || left_alone(rw))
        return real.pthread_rwlock_clockrdlock(rw, clock, until);
    return take(rw, reading(), clock, until, PROGRAM());
}

EXPORT int pthread_rwlock_clockwrlock(pthread_rwlock_t *rw, clockid_t clock, const struct timespec *until) {
    if (!watching() || left_alone(rw))
        return real.pthread_rwlock_clockwrlock(rw, clock, until);
    return take(rw, writing(), clock, until, PROGRAM());
}

EXPORT int pthread_rwlock_tryrdlock(pthread_rwlock_t *rw) {
    bool watched = watching();
    return try(rw, reading(), watched, PROGRAM());
}

EXPORT int pthread_rwlock_trywrlock(pthread_rwlock_t *rw) {
    bool watched = watching();
    return try(rw, writing(), watched, PROGRAM());
}

EXPORT int pthread_rwlock_unlock(pthread_rwlock_t *rw) {
    if (!watching() || left_alone(rw))
        return real.pthread_rwlock_unlock(rw);
    struct lock_record *r = record_by_address(rw);
    struct check_thread *t = thread_self();
    int mode = r != NULL && atomic_load_explicit(&r->owner, memory_order_relaxed) == t ? CHECK_EXCLUSIVE
                                                                                       : CHECK_SHARED;
    if (!check_release(CHECK_RWLOCK, mode, rw, NULL, PROGRAM()))
        return EPERM;
    return real.pthread_rwlock_unlock(rw);
}
