/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A trylock that is only asked whether it was busy: its other errors are mistakes, and no way on which the lock is not held.
 * Stands on pthreads and the annotations. */
#include <aglet/annotations.h>
#include <errno.h>
#include <pthread.h>

struct counter {
    pthread_mutex_t mu;
    int n AGLET_GUARDED_BY(mu);
};

int count(struct counter *c);
int count(struct counter *c) { // expected-no-diagnostics
    if (pthread_mutex_trylock(&c->mu) == EBUSY)
        return -1;
    int n = c->n++;
    pthread_mutex_unlock(&c->mu);
    return n;
}
