/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The same, one order. */
#include <pthread.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;

static void *one(void *arg) {
    if (pthread_mutex_lock(&a) != 0)
        return arg;
    if (pthread_mutex_lock(&b) != 0)
        goto out;
    pthread_mutex_unlock(&b);
out:
    pthread_mutex_unlock(&a);
    return arg;
}

static void *two(void *arg) {
    if (pthread_mutex_lock(&a) != 0)
        return arg;
    if (pthread_mutex_lock(&b) != 0)
        goto out;
    pthread_mutex_unlock(&b);
out:
    pthread_mutex_unlock(&a);
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
