/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A robust mutex is held also where the lock call returns EOWNERDEAD.
 * Stands on pthreads and the annotations. */
#define _GNU_SOURCE
#include <aglet/annotations.h>
#include <errno.h>
#include <pthread.h>

struct shared {
    pthread_mutex_t mu;
    int n AGLET_GUARDED_BY(mu);
};

int next(struct shared *s);
int next(struct shared *s) { // expected-no-diagnostics
    int error = pthread_mutex_lock(&s->mu), n;
    switch (error) {
    case 0: break;
    case EOWNERDEAD:
        s->n = 0;
        pthread_mutex_consistent(&s->mu);
        break;
    default: return -error;
    }
    n = s->n++;
    pthread_mutex_unlock(&s->mu);
    return n;
}
