/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A program that stands in for a function of the C library, as a checker or a tracer does: the calls of it mean what they
 * mean elsewhere. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

int pthread_join(pthread_t thread, void **result) {
    static int (*_Atomic real)(pthread_t, void **);
    int (*call)(pthread_t, void **) = real;
    if (!call) {
        void *found = dlsym(RTLD_NEXT, "pthread_join");
        memcpy(&call, &found, sizeof call);
        real = call;
    }
    return call(thread, result);
}

struct worker {
    pthread_t thread;
    struct pool *pool;
};
struct pool {
    unsigned n;
    struct worker worker[8];
};
extern int turn(struct pool *p);
static void *serve(void *arg) {
    struct worker *w = arg;
    struct pool *pool = w->pool;
    while (!__atomic_load_n(&pool->n, __ATOMIC_ACQUIRE))
        turn(pool);
    return NULL;
}
static void stop(struct pool *p, unsigned started) {
    for (unsigned i = 0; i < started; i++)
        pthread_join(p->worker[i].thread, NULL);
    free(p); // no diagnostic: all that use it were joined
}
struct pool *pool_new(unsigned n);
struct pool *pool_new(unsigned n) {
    struct pool *p = calloc(1, sizeof *p);
    unsigned started = 0;
    int error = 0;
    if (!p)
        return NULL;
    p->n = n;
    for (unsigned i = 0; i < n; i++)
        p->worker[i].pool = p;
    while (started < n && !error) {
        error = pthread_create(&p->worker[started].thread, NULL, serve, &p->worker[started]);
        started += !error;
    }
    if (error) {
        stop(p, started);
        return NULL;
    }
    return p;
}
int pool_once(void);
int pool_once(void) {
    struct pool *p = calloc(1, sizeof *p);
    pthread_t thread;
    if (!p)
        return -1;
    p->worker[0].pool = p;
    if (pthread_create(&thread, NULL, serve, &p->worker[0])) // expected-warning 2 {{[aglet-sync]}}
        return -1;
    free(p);
    return pthread_join(thread, NULL);
}
