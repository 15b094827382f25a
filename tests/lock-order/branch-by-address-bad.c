/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A branch for each order, on something that is no order. */
#include <pthread.h>

struct account {
    pthread_mutex_t mu;
    long balance;
};
static struct account x = {PTHREAD_MUTEX_INITIALIZER, 10}, y = {PTHREAD_MUTEX_INITIALIZER, 10};

static int flip;
static void transfer(struct account *from, struct account *to, long amount) {
    if (flip) {
        pthread_mutex_lock(&x.mu);
        pthread_mutex_lock(&y.mu); // expected-warning {{[aglet-lock-order]}}
    } else {
        pthread_mutex_lock(&y.mu);
        pthread_mutex_lock(&x.mu);
    }
    from->balance -= amount;
    to->balance += amount;
    pthread_mutex_unlock(&x.mu);
    pthread_mutex_unlock(&y.mu);
}

static void *one(void *arg) {
    transfer(&x, &y, 1);
    return arg;
}

static void *two(void *arg) {
    flip = 1;
    transfer(&y, &x, 2);
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
