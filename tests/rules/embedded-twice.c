/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A condition and a mutex in structs of the program's own, which other structs hold several of: what is told apart is the whole way to
 * them, not the last member alone. Stands on pthreads. */
#include <pthread.h>

struct condition {
    pthread_cond_t cond;
    int clock;
};
struct mutex {
    pthread_mutex_t mutex;
    int spins;
};
struct worker {
    struct mutex mu;
    struct condition filled;
    int n;
};
struct pool {
    struct mutex mu, names;
    struct condition changed, named;
    struct worker workers[4];
    int n, given;
};

static void await(struct condition *c, struct mutex *m) {
    pthread_cond_wait(&c->cond, &m->mutex);
}
static void lock(struct mutex *m) {
    pthread_mutex_lock(&m->mutex);
}
static void unlock(struct mutex *m) {
    pthread_mutex_unlock(&m->mutex);
}

void work(struct pool *p, int i);
void work(struct pool *p, int i) {
    struct worker *w = &p->workers[i];
    lock(&w->mu);
    while (!w->n)
        await(&w->filled, &w->mu); // no diagnostic: another condition than the pool's
    unlock(&w->mu);
    lock(&p->mu);
    while (!p->n)
        await(&p->changed, &p->mu); // no diagnostic
    unlock(&p->mu);
    lock(&p->names);
    while (!p->given)
        await(&p->named, &p->names); // no diagnostic: no more is it the one with `mu`
    unlock(&p->names);
    lock(&p->mu);
    while (!p->n)
        await(&p->changed, &p->mu); // no diagnostic
    unlock(&p->mu);
}

void work_wrong(struct pool *p);
void work_wrong(struct pool *p) {
    lock(&p->names);
    while (!p->n)
        await(&p->changed, &p->names); // expected-warning {{[aglet-cond-wait]}}
    unlock(&p->names);
}
