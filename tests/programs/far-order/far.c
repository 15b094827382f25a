/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A conflicting order whose second lock is taken many calls below the first, both known by class only: said at the strict
 * level only, as such a way can seldom be walked as a whole. */
#include <pthread.h>

struct account {
    pthread_mutex_t mu;
    int n;
};
struct bank {
    pthread_mutex_t mu;
    int n;
};

static void six(struct bank *b) {
    pthread_mutex_lock(&b->mu);
    b->n++;
    pthread_mutex_unlock(&b->mu);
}
static void five(struct bank *b) { six(b); }
static void four(struct bank *b) { five(b); }
static void three(struct bank *b) { four(b); }
static void two(struct bank *b) { three(b); }
static void one(struct bank *b) { two(b); }

void pay(struct account *a, struct bank *b);
void pay(struct account *a, struct bank *b) {
    pthread_mutex_lock(&a->mu);
    a->n--;
    one(b); // expected-warning {{[aglet-lock-order]}}
    pthread_mutex_unlock(&a->mu);
}

void settle(struct account *a, struct bank *b);
void settle(struct account *a, struct bank *b) {
    pthread_mutex_lock(&b->mu);
    pthread_mutex_lock(&a->mu);
    a->n++;
    pthread_mutex_unlock(&a->mu);
    pthread_mutex_unlock(&b->mu);
}
