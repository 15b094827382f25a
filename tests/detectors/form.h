/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* One source, two forms: with Aglet's API (FORM_AGLET) or plain pthreads. With MENDED a program is right,
 * else wrong in exactly one way. With ERRORCHECK, in the pthread form, mutexes check errors and an error ends
 * the program with 3. Stands on aglet.h or pthread.h. */
#ifndef FORM_H
#define FORM_H

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef MENDED
enum { mended = 1 };
#else
enum { mended = 0 };
#endif

#ifdef FORM_AGLET

#include "aglet/aglet.h"

typedef aglet_mutex lock_type;
#define LOCK_INIT AGLET_MUTEX_INIT
#define lock_init(m) aglet_mutex_init(m)
#define lock_destroy(m) aglet_mutex_destroy(m)
#define lock(m) aglet_mutex_lock(m)
#define lock_ms(m, ms) aglet_mutex_lock_until(m, aglet_after_ms(ms))
#define unlock(m) aglet_mutex_unlock(m)
typedef aglet_rwlock rw_type;
#define RW_INIT AGLET_RWLOCK_INIT
#define rw_read(rw) aglet_rwlock_read(rw)
#define rw_write(rw) aglet_rwlock_write(rw)
#define rw_read_unlock(rw) aglet_rwlock_read_unlock(rw)
#define rw_write_unlock(rw) aglet_rwlock_write_unlock(rw)
typedef aglet_cond cond_type;
#define COND_INIT AGLET_COND_INIT
#define cond_wait(c, m) aglet_cond_wait(c, m)
#define cond_wait_ms(c, m, ms) aglet_cond_wait_until(c, m, aglet_after_ms(ms))
#define cond_signal(c) aglet_cond_signal(c)
typedef aglet_thread thread_type;
#define spawn(t, f, a) (aglet_thread_spawn(t, f, a) == 0 ? (void)0 : abort())
#define join(t) ((void)aglet_thread_join(t, NULL))

#else

#include <errno.h>
#include <pthread.h>
#include <time.h>

#ifdef ERRORCHECK
#define MUST(call) ((call) == 0 ? (void)0 : (puts("error number"), _exit(3)))
#define LOCK_INIT PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP
#else
#define MUST(call) ((void)(call))
#define LOCK_INIT PTHREAD_MUTEX_INITIALIZER
#endif
typedef pthread_mutex_t lock_type;
static inline void lock_init_(pthread_mutex_t *m) {
    static const pthread_mutex_t fresh = LOCK_INIT;
    memcpy(m, &fresh, sizeof *m);
}
#ifdef ERRORCHECK
#define lock_init(m) lock_init_(m)
#else
#define lock_init(m) MUST(pthread_mutex_init(m, NULL))
#endif
#define lock_destroy(m) MUST(pthread_mutex_destroy(m))
#define lock(m) MUST(pthread_mutex_lock(m))
#define lock_ms(m, ms) lock_ms_(m, ms)
#define unlock(m) MUST(pthread_mutex_unlock(m))
typedef pthread_rwlock_t rw_type;
#define RW_INIT PTHREAD_RWLOCK_INITIALIZER
#define rw_read(rw) MUST(pthread_rwlock_rdlock(rw))
#define rw_write(rw) MUST(pthread_rwlock_wrlock(rw))
#define rw_read_unlock(rw) MUST(pthread_rwlock_unlock(rw))
#define rw_write_unlock(rw) MUST(pthread_rwlock_unlock(rw))
typedef pthread_cond_t cond_type;
#define COND_INIT PTHREAD_COND_INITIALIZER
#define cond_wait(c, m) MUST(pthread_cond_wait(c, m))
static inline struct timespec after_ms_(long ms) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += ms * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}
static inline int cond_wait_ms_(pthread_cond_t *c, pthread_mutex_t *m, long ms) {
    struct timespec t = after_ms_(ms);
    return pthread_cond_timedwait(c, m, &t);
}
static inline int lock_ms_(pthread_mutex_t *m, long ms) {
    struct timespec t = after_ms_(ms);
    int error = pthread_mutex_timedlock(m, &t);
    if (error != 0 && error != ETIMEDOUT)
        MUST(error);
    return error;
}
#define cond_wait_ms(c, m, ms) cond_wait_ms_(c, m, ms)
#define cond_signal(c) MUST(pthread_cond_signal(c))
typedef pthread_t thread_type;
#define spawn(t, f, a) (pthread_create(t, NULL, f, a) == 0 ? (void)0 : abort())
#define join(t) MUST(pthread_join(*(t), NULL))

#endif

/* Wait until `count` threads have come here. */
static inline void meet(_Atomic int *arrived, int count) {
    atomic_fetch_add(arrived, 1);
    while (atomic_load(arrived) < count)
        usleep(1000);
}

static inline void run(void *(*f)(void *), void *argument) {
    thread_type t;
    spawn(&t, f, argument);
    join(&t);
}

#endif
