/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A library with two locks of its own, that takes them in the one order or, with BACK, in the other. Two such are
 * loaded one after the other, at the same place as a rule, by plain.c. Stands on pthreads. */
#include <pthread.h>

static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;

void take_both(void);

void take_both(void) {
#ifdef BACK
    pthread_mutex_t *outer = &second, *inner = &first;
#else
    pthread_mutex_t *outer = &first, *inner = &second;
#endif
    pthread_mutex_lock(outer);
    pthread_mutex_lock(inner);
    pthread_mutex_unlock(inner);
    pthread_mutex_unlock(outer);
}
