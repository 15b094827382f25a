/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The functions of the C library behind ours, found once. Stands on dlsym(3).
 *
 * Every stand-in begins with `if (!watching()) return real.…;`: before the real ones are found, inside the
 * checker itself, and after exit began, the program's call goes straight through. */
#ifndef AGLET_PRELOAD_REAL_H
#define AGLET_PRELOAD_REAL_H

#include "check.h"

#include "aglet/base.h"

#include <pthread.h>
#include <semaphore.h>
#include <threads.h>
#include <time.h>

/* free and realloc come first: finding the others may call them. */
#define REAL_FUNCTIONS(F)                                                                                    \
    F(void, free, (void *))                                                                                  \
    F(void *, realloc, (void *, size_t))                                                                     \
    F(size_t, malloc_usable_size, (void *))                                                                  \
    F(int, pthread_mutex_init, (pthread_mutex_t *, const pthread_mutexattr_t *))                             \
    F(int, pthread_mutex_destroy, (pthread_mutex_t *))                                                       \
    F(int, pthread_mutex_lock, (pthread_mutex_t *))                                                          \
    F(int, pthread_mutex_trylock, (pthread_mutex_t *))                                                       \
    F(int, pthread_mutex_timedlock, (pthread_mutex_t *, const struct timespec *))                            \
    F(int, pthread_mutex_clocklock, (pthread_mutex_t *, clockid_t, const struct timespec *))                 \
    F(int, pthread_mutex_unlock, (pthread_mutex_t *))                                                        \
    F(int, pthread_rwlock_init, (pthread_rwlock_t *, const pthread_rwlockattr_t *))                          \
    F(int, pthread_rwlock_destroy, (pthread_rwlock_t *))                                                     \
    F(int, pthread_rwlock_rdlock, (pthread_rwlock_t *))                                                      \
    F(int, pthread_rwlock_tryrdlock, (pthread_rwlock_t *))                                                   \
    F(int, pthread_rwlock_timedrdlock, (pthread_rwlock_t *, const struct timespec *))                        \
    F(int, pthread_rwlock_clockrdlock, (pthread_rwlock_t *, clockid_t, const struct timespec *))             \
    F(int, pthread_rwlock_wrlock, (pthread_rwlock_t *))                                                      \
    F(int, pthread_rwlock_trywrlock, (pthread_rwlock_t *))                                                   \
    F(int, pthread_rwlock_timedwrlock, (pthread_rwlock_t *, const struct timespec *))                        \
    F(int, pthread_rwlock_clockwrlock, (pthread_rwlock_t *, clockid_t, const struct timespec *))             \
    F(int, pthread_rwlock_unlock, (pthread_rwlock_t *))                                                      \
    F(int, pthread_spin_init, (pthread_spinlock_t *, int))                                                   \
    F(int, pthread_spin_destroy, (pthread_spinlock_t *))                                                     \
    F(int, pthread_spin_lock, (pthread_spinlock_t *))                                                        \
    F(int, pthread_spin_trylock, (pthread_spinlock_t *))                                                     \
    F(int, pthread_spin_unlock, (pthread_spinlock_t *))                                                      \
    F(int, pthread_cond_init, (pthread_cond_t *, const pthread_condattr_t *))                                \
    F(int, pthread_cond_destroy, (pthread_cond_t *))                                                         \
    F(int, pthread_cond_wait, (pthread_cond_t *, pthread_mutex_t *))                                         \
    F(int, pthread_cond_timedwait, (pthread_cond_t *, pthread_mutex_t *, const struct timespec *))           \
    F(int, pthread_cond_clockwait,                                                                           \
      (pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *))                             \
    F(int, pthread_cond_signal, (pthread_cond_t *))                                                          \
    F(int, pthread_cond_broadcast, (pthread_cond_t *))                                                       \
    F(int, pthread_barrier_wait, (pthread_barrier_t *))                                                      \
    F(int, sem_wait, (sem_t *))                                                                              \
    F(int, sem_trywait, (sem_t *))                                                                           \
    F(int, sem_clockwait, (sem_t *, clockid_t, const struct timespec *))                                     \
    F(int, pthread_create, (pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))                 \
    F(int, pthread_join, (pthread_t, void **))                                                               \
    F(int, pthread_tryjoin_np, (pthread_t, void **))                                                         \
    F(int, pthread_timedjoin_np, (pthread_t, void **, const struct timespec *))                              \
    F(int, pthread_clockjoin_np, (pthread_t, void **, clockid_t, const struct timespec *))                   \
    F(int, pthread_detach, (pthread_t))                                                                      \
    F(int, pthread_setname_np, (pthread_t, const char *))                                                    \
    F(int, pthread_once, (pthread_once_t *, void (*)(void)))                                                 \
    F(int, munmap, (void *, size_t))                                                                         \
    F(int, dlclose, (void *))                                                                                \
    F(int, mtx_init, (mtx_t *, int))

struct real {
#define REAL_FIELD(result, name, parameters) result(*name) parameters;
    REAL_FUNCTIONS(REAL_FIELD)
#undef REAL_FIELD
};

extern struct real real;

/* Are the real functions known, and is this call the program's own? Finds them at the first call. */
bool watching(void);

/* The functions themselves, also where `watching` says no. */
void real_find(void);

/* Where in the program the call came from, also when it came through our C11 functions, which set this. */
extern _Thread_local const void *on_behalf_of;
#define PROGRAM() (on_behalf_of != NULL ? on_behalf_of : CALLER())

#define EXPORT __attribute__((visibility("default")))

/* A point in time as the C library wants it. */
static inline struct timespec timespec_of(aglet_time t) {
    return (struct timespec){(time_t)(t / 1000000000), (long)(t % 1000000000)};
}

/* And back: on our clock, from the program's. */
static inline aglet_time deadline_of(clockid_t clock, const struct timespec *until) {
    struct timespec now;
    if (until == NULL || clock_gettime(clock, &now) != 0)
        return AGLET_FOREVER;
    int64_t seconds = (int64_t)until->tv_sec - now.tv_sec;
    if (seconds > 1000000000)
        seconds = 1000000000; /* thirty years and a program that says never by a large number */
    return seconds < 0 ? 0 : aglet_now() + seconds * 1000000000 + (until->tv_nsec - now.tv_nsec);
}

/* Wait by `wait_until(limit)` (an expression that returns an error number, with `limit` a const struct
 * timespec * on CLOCK_MONOTONIC) or, where nobody else runs, by slices after which the checker looks around.
 */
#define WAIT_AND_LOOK(result, forever, wait_until)                                                           \
    do {                                                                                                     \
        aglet_time look_at = check_look_at();                                                                \
        if (look_at == AGLET_FOREVER) {                                                                      \
            result = forever;                                                                                \
            break;                                                                                           \
        }                                                                                                    \
        struct timespec limit_ = timespec_of(look_at), *limit = &limit_;                                     \
        result = wait_until;                                                                                 \
        if (result == ETIMEDOUT)                                                                             \
            check_look(NULL, 0);                                                                             \
    } while (result == ETIMEDOUT)

#endif
