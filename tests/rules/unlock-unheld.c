/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* unlock-unheld: a lock released where it is not held. Stands on pthreads. */
#include <pthread.h>

struct gate {
    pthread_mutex_t mu;
    int n;
};

void twice(struct gate *g);
void twice(struct gate *g) {
    pthread_mutex_lock(&g->mu);
    g->n++;
    pthread_mutex_unlock(&g->mu);
    pthread_mutex_unlock(&g->mu); // expected-warning {{[aglet-unlock-unheld]}}
}

void of_another(struct gate *g, struct gate *h);
void of_another(struct gate *g, struct gate *h) {
    pthread_mutex_lock(&g->mu);
    pthread_mutex_unlock(&g->mu);
    pthread_mutex_lock(&h->mu);
    h->n++;
    pthread_mutex_unlock(&h->mu);
    pthread_mutex_unlock(&g->mu); // expected-warning {{[aglet-unlock-unheld]}}
}

void after_a_failed_try(struct gate *g);
void after_a_failed_try(struct gate *g) {
    if (pthread_mutex_trylock(&g->mu) != 0) {
        pthread_mutex_unlock(&g->mu); // expected-warning {{[aglet-unlock-unheld]}}
        return;
    }
    pthread_mutex_unlock(&g->mu);
}

void taker(struct gate *g);
void taker(struct gate *g) {
    pthread_mutex_lock(&g->mu); // no diagnostic: a pair with the next
}
void wrapper(struct gate *g);
void wrapper(struct gate *g) {
    pthread_mutex_unlock(&g->mu); // no diagnostic: releases its caller's lock
}
void wrapper_used(struct gate *g);
void wrapper_used(struct gate *g) {
    pthread_mutex_lock(&g->mu);
    wrapper(g); // no diagnostic: held
    wrapper(g); // expected-warning {{[aglet-unlock-unheld]}}
}

void dropped_for_a_moment(struct gate *g);
void dropped_for_a_moment(struct gate *g) {
    pthread_mutex_unlock(&g->mu); // no diagnostic: the caller's lock, given back below
    g->n = 0;
    pthread_mutex_lock(&g->mu);
}
