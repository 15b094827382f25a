/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A call that returns only when the lock is held: what follows is under it, without asking anything of callers. */
#include <aglet/annotations.h>
#include <pthread.h>

struct account {
    pthread_mutex_t mu;
    int sum AGLET_GUARDED_BY(mu);
};

void must_hold(const struct account *a) AGLET_ASSERTS_HELD(a->mu);
void must_hold_clang(const struct account *a) __attribute__((assert_capability(a->mu)));

void add(struct account *a) {
    must_hold(a);
    a->sum++;
}

void add_as_clang_says(struct account *a) {
    must_hold_clang(a);
    a->sum++;
}

void add_locked(struct account *a) {
    pthread_mutex_lock(&a->mu);
    must_hold(a);
    a->sum++;
    pthread_mutex_unlock(&a->mu);
    a->sum = 0; // expected-warning {{without 'a->mu' held [aglet-guarded-by]}}
}

void add_sometimes(struct account *a, int sure) {
    if (sure)
        must_hold(a);
    a->sum++; // expected-warning {{without 'a->mu' held [aglet-guarded-by]}}
}

void add_other(struct account *a, struct account *b) {
    must_hold(a);
    b->sum++; // expected-warning {{with 'a->mu' held, not 'b->mu' [aglet-guarded-by]}}
}

void twice(struct account *a) {
    must_hold(a);
    pthread_mutex_lock(&a->mu); // expected-warning {{taken again while held [aglet-double-lock]}}
    a->sum++;
    pthread_mutex_unlock(&a->mu);
}
