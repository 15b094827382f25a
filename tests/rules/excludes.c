/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* excludes: calls with a lock held that the callee takes itself. Stands on pthreads and the annotations. */
#include <aglet/annotations.h>
#include <pthread.h>

struct log {
    pthread_mutex_t mu;
    void (*sink)(struct log *l) AGLET_EXCLUDES(l->mu);
};
void flush(struct log *l) AGLET_EXCLUDES(l->mu);

void held(struct log *l, struct log *other);
void held(struct log *l, struct log *other) {
    flush(l); // no diagnostic: not held
    pthread_mutex_lock(&l->mu);
    flush(other); // no diagnostic: another one's lock
    flush(l);     // expected-warning {{[aglet-excludes]}}
    l->sink(l);   // expected-warning {{[aglet-excludes]}}
    pthread_mutex_unlock(&l->mu);
    flush(l); // no diagnostic: released
}

/* What the call does is seen, too: one mistake, said once. */
static void drain(struct log *l) AGLET_EXCLUDES(l->mu);
static void drain(struct log *l) {
    pthread_mutex_lock(&l->mu);
    pthread_mutex_unlock(&l->mu);
}
void drain_held(struct log *l);
void drain_held(struct log *l) {
    drain(l);
    pthread_mutex_lock(&l->mu);
    drain(l); // expected-warning {{[aglet-excludes]}}
    pthread_mutex_unlock(&l->mu);
}
