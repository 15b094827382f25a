/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Two locks of one object. */
#include <pthread.h>

struct store {
    pthread_mutex_t index, data;
};
static struct store store = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};

static void *one(void *arg) {
    pthread_mutex_lock(&store.index);
    pthread_mutex_lock(&store.data); // expected-warning {{[aglet-lock-order]}}
    pthread_mutex_unlock(&store.data);
    pthread_mutex_unlock(&store.index);
    return arg;
}

static void *two(void *arg) {
    pthread_mutex_lock(&store.data);
    pthread_mutex_lock(&store.index);
    pthread_mutex_unlock(&store.index);
    pthread_mutex_unlock(&store.data);
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
