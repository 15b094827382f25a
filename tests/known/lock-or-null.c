/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A function that returns its object with its lock held, or NULL where the lock call failed.
 * Stands on pthreads and the annotations. */
#include <aglet/annotations.h>
#include <pthread.h>
#include <stddef.h>

struct record {
    pthread_mutex_t mu;
    int n AGLET_GUARDED_BY(mu);
};
static struct record *enter(struct record *r) { return pthread_mutex_lock(&r->mu) ? NULL : r; }

int use(struct record *shared);
int use(struct record *shared) { // expected-no-diagnostics
    struct record *r = enter(shared);
    if (!r)
        return -1;
    r->n = 3;
    pthread_mutex_unlock(&r->mu);
    return 0;
}
