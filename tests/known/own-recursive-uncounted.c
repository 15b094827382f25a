/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A lock that is taken unless its owner is this thread, with no count: whoever took it remembers that it did. Stands on pthreads. */
#include <aglet/annotations.h>
#include <pthread.h>

struct owned {
    pthread_mutex_t mu;
    pthread_t owner;
    int n AGLET_GUARDED_BY(mu);
};
void add(struct owned *o);
void add(struct owned *o) {
    const int mine = pthread_equal(o->owner, pthread_self());
    if (!mine) {
        pthread_mutex_lock(&o->mu);
        o->owner = pthread_self();
    }
    o->n++; // no diagnostic: held either way
    if (!mine) {
        o->owner = 0;
        pthread_mutex_unlock(&o->mu);
    }
}
void twice(struct owned *o);
void twice(struct owned *o) {
    const int mine = pthread_equal(o->owner, pthread_self());
    if (!mine) {
        pthread_mutex_lock(&o->mu);
        o->owner = pthread_self();
    }
    add(o); // no diagnostic: it finds out that it is the owner
    if (!mine) {
        o->owner = 0;
        pthread_mutex_unlock(&o->mu);
    }
}
/* For -verify, which wants some: */
void bare(struct owned *o);
void bare(struct owned *o) {
    o->n++; // expected-warning {{[aglet-guarded-by]}}
}
