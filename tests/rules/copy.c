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
struct jobs {
    struct job *at;
    size_t n;
};
int one_more(struct jobs *jobs);
int one_more(struct jobs *jobs) {
    struct job *moved = realloc(jobs->at, (jobs->n + 1) * sizeof *moved); // expected-warning {{[aglet-copy]}}
    if (!moved)
        return -1;
    jobs->at = moved;
    pthread_mutex_init(&moved[jobs->n].mu, NULL); // the others' locks have moved all the same
    moved[jobs->n++].n = 0;
    return 0;
}
struct job **one_more_pointer(struct job **jobs, size_t n);
struct job **one_more_pointer(struct job **jobs, size_t n) {
    struct job **moved = realloc(jobs, (n + 1) * sizeof *moved); // no diagnostic: the jobs stay where they are
    if (moved && (moved[n] = malloc(sizeof **moved)))
        pthread_mutex_init(&moved[n]->mu, NULL);
    return moved;
}
void clone(struct job *to, const struct job *from);
void clone(struct job *to, const struct job *from) {
    memcpy(to, from, sizeof *to); // no diagnostic: it gets a lock of its own
    pthread_mutex_init(&to->mu, NULL);
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

/* ---- an initialiser with a name ---- */
static pthread_once_t started = PTHREAD_ONCE_INIT;
static pthread_mutex_t at_first = PTHREAD_MUTEX_INITIALIZER;
void after_fork(void);
void after_fork(void) {
    pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    memcpy(&started, &once, sizeof once); // no diagnostic: nobody has used what is copied
    at_first = mutex; // no diagnostic
}
void after_use(void);
void after_use(void) {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    memcpy(&at_first, &mutex, sizeof mutex); // expected-warning {{[aglet-copy]}}
}
