/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The wait takes its lock back under an outer one. */
#include <pthread.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
static int n;

static void *one(void *arg) {
    pthread_mutex_lock(&a);
    pthread_mutex_lock(&b); // expected-warning {{[aglet-lock-order]}}
    while (n == 0)
        pthread_cond_wait(&ready, &b);
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
    return arg;
}

static void *two(void *arg) {
    pthread_mutex_lock(&b);
    n++;
    pthread_cond_signal(&ready);
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
