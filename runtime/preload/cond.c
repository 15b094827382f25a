/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* pthread_cond_*, watched. Stands on real.h, check.h. */
#include "real.h"

#include <errno.h>

/* What has to be noted when a wait ends, also when the thread is cancelled in it: its cleanup handlers run
 * with the mutex held, and give it. */
struct wait {
    pthread_cond_t *cond;
    pthread_mutex_t *mutex;
    const void *caller;
    bool told, noted, in_time;
};

static void wait_over(void *context) {
    struct wait *w = context;
    if (w->told)
        check_block_end();
    if (w->noted) {
        check_cond_woken(w->cond, w->in_time);
        enum check_kind kind = (w->mutex->__data.__kind & 3) == 1 ? CHECK_RECURSIVE : CHECK_MUTEX;
        check_acquired(kind, CHECK_EXCLUSIVE, w->mutex, NULL, w->caller);
    }
}

static int wait_until(pthread_cond_t *c, pthread_mutex_t *m, clockid_t clock, const struct timespec *until,
                      bool own_clock, const void *caller) {
    int error;
    struct wait w = {c, m, caller, false, false, true};
    bool checked = (m->__data.__kind & (16 | 128)) == 0;
    w.noted = checked && check_cond_wait(c, NULL, m, NULL, caller);
    if (w.noted)
        check_release((m->__data.__kind & 3) == 1 ? CHECK_RECURSIVE : CHECK_MUTEX, CHECK_EXCLUSIVE, m, NULL,
                      caller);
    w.told = checked && check_block_begin(CHECK_ON_COND, c, until != NULL ? 0 : AGLET_FOREVER, caller);
    pthread_cleanup_push(wait_over, &w);
    if (until != NULL)
        error = own_clock ? real.pthread_cond_timedwait(c, m, until)
                          : real.pthread_cond_clockwait(c, m, clock, until);
    else
        WAIT_AND_LOOK(error, real.pthread_cond_wait(c, m),
                      real.pthread_cond_clockwait(c, m, CLOCK_MONOTONIC, limit));
    w.in_time = error == 0;
    pthread_cleanup_pop(1);
    return error;
}

EXPORT int pthread_cond_wait(pthread_cond_t *c, pthread_mutex_t *m) {
    if (!watching())
        return real.pthread_cond_wait(c, m);
    return wait_until(c, m, CLOCK_MONOTONIC, NULL, false, PROGRAM());
}

EXPORT int pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *until) {
    if (!watching())
        return real.pthread_cond_timedwait(c, m, until);
    return wait_until(c, m, CLOCK_REALTIME, until, true, PROGRAM());
}

EXPORT int pthread_cond_clockwait(pthread_cond_t *c, pthread_mutex_t *m, clockid_t clock,
                                  const struct timespec *until) {
    if (!watching())
        return real.pthread_cond_clockwait(c, m, clock, until);
    return wait_until(c, m, clock, until, false, PROGRAM());
}

EXPORT int pthread_cond_signal(pthread_cond_t *c) {
    if (watching())
        check_signal(c, NULL, check_cond_waited(c), PROGRAM());
    return real.pthread_cond_signal(c);
}

EXPORT int pthread_cond_broadcast(pthread_cond_t *c) {
    if (watching())
        check_signal(c, NULL, check_cond_waited(c), PROGRAM());
    return real.pthread_cond_broadcast(c);
}

EXPORT int pthread_cond_destroy(pthread_cond_t *c) {
    if (watching())
        check_cond_destroy(c, NULL, PROGRAM());
    return real.pthread_cond_destroy(c);
}
