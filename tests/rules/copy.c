/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* copy: locks, and structs that hold one, used as values. Stands on pthreads. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct job {
    pthread_mutex_t mu;
    int n;
};
struct batch {
    struct job jobs[4];
    int used;
};

void by_assignment(struct job *a, const struct job *b);
void by_assignment(struct job *a, const struct job *b) {
    *a = *b; // expected-warning {{[aglet-copy]}}
}
void the_lock_alone(struct job *a, const struct job *b);
void the_lock_alone(struct job *a, const struct job *b) {
    a->mu = b->mu; // expected-warning {{[aglet-copy]}}
}
void by_initialiser(const struct job *b);
void by_initialiser(const struct job *b) {
    struct job mine = *b; // expected-warning {{[aglet-copy]}}
    (void)mine.n;
}
void by_memcpy(struct batch *a, const struct batch *b);
void by_memcpy(struct batch *a, const struct batch *b) {
    memcpy(a, b, sizeof *a); // expected-warning {{[aglet-copy]}}
}
struct job *by_realloc(struct job *jobs, size_t n);
struct job *by_realloc(struct job *jobs, size_t n) {
    return realloc(jobs, n * sizeof *jobs); // expected-warning {{[aglet-copy]}}
}

void initialised(struct job *a);
void initialised(struct job *a) {
    static const struct job fresh = {PTHREAD_MUTEX_INITIALIZER, 0};
    struct job mine = {PTHREAD_MUTEX_INITIALIZER, 1}; // no diagnostic: an initialiser, no copy
    a->n = fresh.n + mine.n;
}
void the_rest(struct job *a, const struct job *b);
void the_rest(struct job *a, const struct job *b) {
    a->n = b->n; // no diagnostic: no lock in it
}
void pointers(struct job **a, struct job *b);
void pointers(struct job **a, struct job *b) {
    *a = b; // no diagnostic: the address is copied, not the job
}
