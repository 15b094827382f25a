/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* glibc's mutex in the lock loops: normal, or with -DKIND=PTHREAD_MUTEX_ADAPTIVE_NP / PTHREAD_MUTEX_ERRORCHECK. */
#define _GNU_SOURCE
#include <pthread.h>
#ifndef KIND
#define KIND PTHREAD_MUTEX_NORMAL
#endif
typedef pthread_mutex_t lock_type;
static inline void lock_init(pthread_mutex_t *l) {
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, KIND);
    pthread_mutex_init(l, &attr);
    pthread_mutexattr_destroy(&attr);
}
#define LOCK_INIT(l) lock_init(l)
#define LOCK(l) pthread_mutex_lock(l)
#define UNLOCK(l) pthread_mutex_unlock(l)
#define HAVE_RW
typedef pthread_rwlock_t rw_type;
#define RW_INIT(l) pthread_rwlock_init(l, NULL)
#define RW_RLOCK(l) pthread_rwlock_rdlock(l)
#define RW_RUNLOCK(l) pthread_rwlock_unlock(l)
#define RW_WLOCK(l) pthread_rwlock_wrlock(l)
#define RW_WUNLOCK(l) pthread_rwlock_unlock(l)
#include "loops.h"
