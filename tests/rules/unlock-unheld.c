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

/* ---- said once, where the lock was forgotten ---- */
struct job {
    pthread_mutex_t mu;
    pthread_cond_t done;
    struct job *next;
    int busy;
};
static void finish_all(struct job *first) {
    for (struct job *j = first; j; j = j->next) {
        j->busy = 0;
        pthread_mutex_unlock(&j->mu); // expected-warning {{[aglet-unlock-unheld]}}
    }
}

static void await(struct job *j) {
    while (j->busy) // nobody took j->mu
        pthread_cond_wait(&j->done, &j->mu);
    pthread_mutex_unlock(&j->mu); // expected-warning {{[aglet-unlock-unheld]}}
}
static struct job first_job, second_job;
int run_first(void);
int run_first(void) {
    first_job.busy = 1;
    await(&first_job); // no diagnostic: the mistake is in await()
    return first_job.busy;
}
int run_second(void);
int run_second(void) {
    await(&second_job); // no diagnostic: as above
    finish_all(&second_job);
    return second_job.busy;
}

/* ---- two functions of one interface share a lock only if it is the same one ---- */
struct guarded {
    struct wrapped {
        pthread_mutex_t mutex;
    } lock;
    int n;
};
static struct guarded books, pages;
static void wrapped_lock(struct wrapped *w) { pthread_mutex_lock(&w->mutex); }
static void wrapped_unlock(struct wrapped *w) { pthread_mutex_unlock(&w->mutex); }
void books_enter(void);
void books_enter(void) { wrapped_lock(&books.lock); } // no diagnostic: books_leave releases it
void books_leave(void);
void books_leave(void) { wrapped_unlock(&books.lock); } // no diagnostic: books_enter takes it
int pages_count(void);
int pages_count(void) {
    int n = pages.n;
    wrapped_unlock(&pages.lock); // expected-warning {{[aglet-unlock-unheld]}}
    return n;
}

/* ---- a wrapper that failed has nothing to release ---- */
static int job_lock(struct job *j) { return pthread_mutex_lock(&j->mu) == 0; }
int use_job(struct job *j);
int use_job(struct job *j) {
    if (!job_lock(j)) {
        pthread_mutex_unlock(&j->mu); // expected-warning {{[aglet-unlock-unheld]}}
        return -1;
    }
    j->busy++;
    pthread_mutex_unlock(&j->mu);
    return 0;
}

/* ---- by a function that always returns the same object ---- */
static struct all_locks {
    pthread_mutex_t relays, mounts;
} all_locks;
struct all_locks *locks(void);
struct all_locks *locks(void) {
    return &all_locks;
}
void restart_relay(int *relay);
void restart_relay(int *relay) {
    pthread_mutex_lock(&locks()->relays);
    ++*relay;
    pthread_mutex_unlock(&locks()->relays); // no diagnostic: the very lock
    pthread_mutex_unlock(&locks()->mounts); // expected-warning {{[aglet-unlock-unheld]}}
}
