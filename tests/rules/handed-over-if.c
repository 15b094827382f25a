/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A request is put in a queue for another thread only where there is a callback, and done at once where there is none. */
#include <pthread.h>
#include <stddef.h>

typedef void done_fn(void *req);
struct request {
    struct request *next;
    done_fn *done;
    int code;
};
static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t some = PTHREAD_COND_INITIALIZER;
static struct request *first;

static void run(struct request *r) {
    r->code = 1;
}
static void *serve(void *arg) {
    for (;;) {
        pthread_mutex_lock(&mu);
        while (!first)
            pthread_cond_wait(&some, &mu);
        struct request *r = first;
        first = r->next;
        pthread_mutex_unlock(&mu);
        run(r);
        r->done(r);
    }
    return arg;
}
int start(pthread_t *t);
int start(pthread_t *t) {
    return pthread_create(t, NULL, serve, NULL);
}

static void submit(struct request *r, done_fn *done) {
    r->done = done;
    pthread_mutex_lock(&mu);
    r->next = first;
    first = r;
    pthread_cond_signal(&some);
    pthread_mutex_unlock(&mu);
}
static int request_do(struct request *r, done_fn *done) {
    if (done != NULL) {
        submit(r, done);
        return 0;
    }
    run(r);
    return r->code;
}
static int request_default(struct request *r, done_fn *done, done_fn *otherwise) {
    if (done == NULL)
        done = otherwise;
    if (done) {
        submit(r, done);
        return 0;
    }
    run(r);
    return r->code;
}

int at_once(void);
int at_once(void) {
    struct request r = {0};
    return request_do(&r, NULL); // no diagnostic: with no callback it stays here
}
void ready(void *req);
int later(void);
int later(void) {
    struct request r = {0};
    return request_do(&r, ready); // expected-warning {{local 'r' may die while the other thread still uses it [aglet-stack-escape]}}
}
int by_default(void);
int by_default(void) {
    struct request r = {0};
    return request_default(&r, NULL, ready); // expected-warning {{local 'r' may die while the other thread still uses it [aglet-stack-escape]}}
}
