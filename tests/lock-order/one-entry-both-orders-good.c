/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* One entry has both orders, and one thread ever runs it. */
#include <pthread.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static int turn;

static void *one(void *arg) {
    for (int i = 0; i < 2; i++) {
        if (turn++ % 2) {
            pthread_mutex_lock(&a);
            pthread_mutex_lock(&b);
        } else {
            pthread_mutex_lock(&b);
            pthread_mutex_lock(&a);
        }
        pthread_mutex_unlock(&a);
        pthread_mutex_unlock(&b);
    }
    return arg;
}

int main(void) {
    pthread_t t;
    pthread_create(&t, NULL, one, NULL);
    pthread_join(t, NULL);
    return 0;
}
