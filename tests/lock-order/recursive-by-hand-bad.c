/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A recursive lock that the program made itself, and another lock in opposite order. */
#define _GNU_SOURCE
#include <pthread.h>

struct mine {
    pthread_mutex_t mu;
    pthread_t owner;
    int depth;
};
static void mine_lock(struct mine *m) {
    if (m->owner == pthread_self()) {
        m->depth++;
        return;
    }
    pthread_mutex_lock(&m->mu);
    m->owner = pthread_self();
    m->depth = 1;
}
static void mine_unlock(struct mine *m) {
    if (--m->depth)
        return;
    m->owner = 0;
    pthread_mutex_unlock(&m->mu);
}

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static struct context {
    struct mine lock;
} c = {{.mu = PTHREAD_MUTEX_INITIALIZER}};

static void *one(void *arg) {
    mine_lock(&c.lock);
    mine_lock(&c.lock);
    pthread_mutex_lock(&log_lock); // expected-warning {{[aglet-lock-order]}}
    pthread_mutex_unlock(&log_lock);
    mine_unlock(&c.lock);
    mine_unlock(&c.lock);
    return arg;
}

static void *two(void *arg) {
    pthread_mutex_lock(&log_lock);
    mine_lock(&c.lock);
    mine_unlock(&c.lock);
    pthread_mutex_unlock(&log_lock);
    return arg;
}

int main(void) {
    pthread_t t, u;
    pthread_create(&t, NULL, one, NULL);
    pthread_create(&u, NULL, two, NULL);
    pthread_join(t, NULL);
    pthread_join(u, NULL);
    return 0;
}
