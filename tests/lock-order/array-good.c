/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Two elements of an array of locks, ascending. */
#include <pthread.h>

static pthread_mutex_t table[4] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};

static void *one(void *arg) {
    pthread_mutex_lock(&table[0]);
    pthread_mutex_lock(&table[1]);
    pthread_mutex_unlock(&table[1]);
    pthread_mutex_unlock(&table[0]);
    return arg;
}

static void *two(void *arg) {
    pthread_mutex_lock(&table[1]);
    pthread_mutex_lock(&table[2]);
    pthread_mutex_unlock(&table[2]);
    pthread_mutex_unlock(&table[1]);
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
