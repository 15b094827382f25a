/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Who drops the last reference has the object alone: it may destroy its mutex and write its members, also in a function of its own. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct object {
    atomic_int references;
    pthread_mutex_t mu;
    int state;
};

static void drop(struct object *o) {
    if (atomic_fetch_sub(&o->references, 1) == 1) {
        o->state = -1;
        pthread_mutex_destroy(&o->mu);
        free(o);
    }
}

static void drop_early_return(struct object *o) {
    if (atomic_fetch_sub_explicit(&o->references, 1, memory_order_release) != 1)
        return;
    atomic_thread_fence(memory_order_acquire);
    pthread_mutex_destroy(&o->mu);
    free(o);
}

static void end_at_once(struct object *o) {
    atomic_fetch_sub(&o->references, 1);
    pthread_mutex_destroy(&o->mu);
}

static void count(struct object *o) {
    pthread_mutex_lock(&o->mu);
    o->state++;
    pthread_mutex_unlock(&o->mu);
}

static void *use(void *arg) {
    count(arg);
    drop(arg);
    return NULL;
}

static void *use_early_return(void *arg) {
    count(arg);
    drop_early_return(arg);
    return NULL;
}

static void *use_and_leave(void *arg) {
    count(arg);
    return NULL;
}

static struct object *make(void) {
    struct object *o = calloc(1, sizeof *o);
    if (!o)
        abort();
    pthread_mutex_init(&o->mu, NULL);
    atomic_init(&o->references, 2);
    return o;
}

void counted(void) {
    pthread_t thread;
    struct object *o = make();
    if (pthread_create(&thread, NULL, use, o)) // no diagnostic: the last reference is alone
        abort();
    pthread_detach(thread);
    drop(o);
}

void counted_early_return(void) {
    pthread_t thread;
    struct object *o = make();
    if (pthread_create(&thread, NULL, use_early_return, o)) // no diagnostic: the same
        abort();
    pthread_detach(thread);
    drop_early_return(o);
}

void not_counted(void) {
    pthread_t thread;
    struct object *o = make();
    if (pthread_create(&thread, NULL, use_and_leave, o)) // expected-warning {{[aglet-sync]}}
        abort();
    pthread_detach(thread);
    end_at_once(o);
}
