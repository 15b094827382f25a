/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* lock-mismatch: a lock held on one of the ways to an unlock. Stands on pthreads. */
#include <pthread.h>

struct table {
    pthread_mutex_t mu;
    int n;
};

/* A jump to the wrong label: the story says where the lock is taken and which way comes without it. */
int wrong_label(struct table *t, int x);
int wrong_label(struct table *t, int x) {
    if (x == 1) // expected-note {{on the way where this is true}}
        goto unlock;
    pthread_mutex_lock(&t->mu); // expected-note {{'t->mu' is taken here}}
    t->n++;
unlock:
    pthread_mutex_unlock(&t->mu); // expected-warning {{[aglet-lock-mismatch]}}
    return 0;
}
int right_label(struct table *t, int x);
int right_label(struct table *t, int x) {
    if (x == 1)
        goto out;
    pthread_mutex_lock(&t->mu);
    t->n++;
    pthread_mutex_unlock(&t->mu); // no diagnostic: the jump goes past it
out:
    return 0;
}
int same_condition(struct table *t, int shared);
int same_condition(struct table *t, int shared) {
    int n;
    if (shared)
        pthread_mutex_lock(&t->mu);
    n = ++t->n;
    if (shared)
        pthread_mutex_unlock(&t->mu); // no diagnostic: one condition decides both
    return n;
}
