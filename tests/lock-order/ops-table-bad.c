/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The second lock is taken through an ops table. */
#include <pthread.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
struct ops {
    void (*flush)(void);
};

static void flush_all(void) {
    pthread_mutex_lock(&b);
    pthread_mutex_unlock(&b);
}
static const struct ops ops = {.flush = flush_all};

static void *one(void *arg) {
    pthread_mutex_lock(&a);
    ops.flush(); // expected-warning {{[aglet-lock-order]}}
    pthread_mutex_unlock(&a);
    return arg;
}

static void *two(void *arg) {
    pthread_mutex_lock(&b);
    pthread_mutex_lock(&a);
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
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
