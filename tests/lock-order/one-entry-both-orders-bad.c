/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* One entry has both orders, and two threads run it. */
#include <pthread.h>

static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = PTHREAD_MUTEX_INITIALIZER;
static int turn;

static void *one(void *arg) {
    if (turn++ % 2) {
        pthread_mutex_lock(&a);
        pthread_mutex_lock(&b); // expected-warning {{[aglet-lock-order]}}
    } else {
        pthread_mutex_lock(&b);
        pthread_mutex_lock(&a);
    }
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    return arg;
}

int main(void) {
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, one, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    return 0;
}
