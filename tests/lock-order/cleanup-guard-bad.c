/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Guards that a cleanup attribute releases. */
#include <pthread.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void release(pthread_mutex_t **mu) {
    pthread_mutex_unlock(*mu);
}
#define GUARD(name, lock) pthread_mutex_t *name __attribute__((cleanup(release))) = &(lock); pthread_mutex_lock(name)

static void *one(void *arg) {
    GUARD(outer, a);
    GUARD(inner, b); // expected-warning {{[aglet-lock-order]}}
    return arg;
}

static void *two(void *arg) {
    GUARD(outer, b);
    GUARD(inner, a);
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
