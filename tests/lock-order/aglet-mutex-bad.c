/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Aglet's own mutex, from plain threads. */
#include <aglet/mutex.h>
#include <pthread.h>

static aglet_mutex a = AGLET_MUTEX_INIT, b = AGLET_MUTEX_INIT;

static void *one(void *arg) {
    aglet_mutex_lock(&a);
    aglet_mutex_lock(&b); // expected-warning {{[aglet-lock-order]}}
    aglet_mutex_unlock(&b);
    aglet_mutex_unlock(&a);
    return arg;
}

static void *two(void *arg) {
    aglet_mutex_lock(&b);
    aglet_mutex_lock(&a);
    aglet_mutex_unlock(&a);
    aglet_mutex_unlock(&b);
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
