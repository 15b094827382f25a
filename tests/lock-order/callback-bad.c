/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A callback takes the second lock under the first. */
#include <pthread.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static int total;

static void each(int n, void (*visit)(int)) {
    pthread_mutex_lock(&a);
    for (int i = 0; i < n; i++)
        visit(i); // expected-warning {{[aglet-lock-order]}}
    pthread_mutex_unlock(&a);
}
static void add(int i) {
    pthread_mutex_lock(&b);
    total += i;
    pthread_mutex_unlock(&b);
}

static void *one(void *arg) {
    each(3, add);
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
