/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* C11's <threads.h>, which in glibc is pthreads under other names and never comes by the names we stand in
 * for. Stands on this library's own pthread functions; glibc fixes that mtx_t, cnd_t and thrd_t are the
 * pthread types. */
#include "real.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

/* The call, with reports naming the program's line and not ours. */
#define FOR_PROGRAM(call) (on_behalf_of = CALLER(), over(call))

static int over(int error) {
    on_behalf_of = NULL;
    return error;
}

static int result_of(int error) {
    switch (error) {
    case 0: return thrd_success;
    case ENOMEM: return thrd_nomem;
    case ETIMEDOUT: return thrd_timedout;
    case EBUSY: return thrd_busy;
    default: return thrd_error;
    }
}

EXPORT int mtx_init(mtx_t *m, int type) {
    bool watched = watching();
    int result = real.mtx_init(m, type);
    if (watched && result == thrd_success)
        check_init(type & mtx_recursive ? CHECK_RECURSIVE : CHECK_MUTEX, m, NULL, NULL, CALLER());
    return result;
}

EXPORT void mtx_destroy(mtx_t *m) {
    (void)FOR_PROGRAM(pthread_mutex_destroy((pthread_mutex_t *)m));
}

EXPORT int mtx_lock(mtx_t *m) {
    return result_of(FOR_PROGRAM(pthread_mutex_lock((pthread_mutex_t *)m)));
}

EXPORT int mtx_trylock(mtx_t *m) {
    return result_of(FOR_PROGRAM(pthread_mutex_trylock((pthread_mutex_t *)m)));
}

EXPORT int mtx_timedlock(mtx_t *restrict m, const struct timespec *restrict until) {
    return result_of(FOR_PROGRAM(pthread_mutex_timedlock((pthread_mutex_t *)m, until)));
}

EXPORT int mtx_unlock(mtx_t *m) {
    return result_of(FOR_PROGRAM(pthread_mutex_unlock((pthread_mutex_t *)m)));
}

EXPORT void cnd_destroy(cnd_t *c) {
    (void)FOR_PROGRAM(pthread_cond_destroy((pthread_cond_t *)c));
}

EXPORT int cnd_wait(cnd_t *c, mtx_t *m) {
    return result_of(FOR_PROGRAM(pthread_cond_wait((pthread_cond_t *)c, (pthread_mutex_t *)m)));
}

EXPORT int cnd_timedwait(cnd_t *restrict c, mtx_t *restrict m, const struct timespec *restrict until) {
    return result_of(FOR_PROGRAM(pthread_cond_timedwait((pthread_cond_t *)c, (pthread_mutex_t *)m, until)));
}

EXPORT int cnd_signal(cnd_t *c) {
    return result_of(FOR_PROGRAM(pthread_cond_signal((pthread_cond_t *)c)));
}

EXPORT int cnd_broadcast(cnd_t *c) {
    return result_of(FOR_PROGRAM(pthread_cond_broadcast((pthread_cond_t *)c)));
}

struct start {
    thrd_start_t entry;
    void *argument;
};

static void *first(void *argument) {
    struct start s = *(struct start *)argument;
    free(argument);
    return (void *)(intptr_t)s.entry(s.argument);
}

EXPORT int thrd_create(thrd_t *thread, thrd_start_t entry, void *argument) {
    struct start *s = malloc(sizeof *s);
    if (s == NULL)
        return thrd_nomem;
    *s = (struct start){entry, argument};
    int error = FOR_PROGRAM(pthread_create(thread, NULL, first, s));
    if (error != 0)
        free(s);
    return result_of(error == EAGAIN ? ENOMEM : error);
}

EXPORT int thrd_join(thrd_t thread, int *result) {
    void *value;
    int error = FOR_PROGRAM(pthread_join(thread, &value));
    if (error == 0 && result != NULL)
        *result = (int)(intptr_t)value;
    return result_of(error);
}

EXPORT int thrd_detach(thrd_t thread) {
    return result_of(FOR_PROGRAM(pthread_detach(thread)));
}

EXPORT void call_once(once_flag *flag, void (*make)(void)) {
    (void)FOR_PROGRAM(pthread_once((pthread_once_t *)flag, make));
}
