/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Two accounts, locked in the order of the arguments, which differ. */
#include <pthread.h>

struct account {
    pthread_mutex_t mu;
    long balance;
};
static struct account x = {PTHREAD_MUTEX_INITIALIZER, 10}, y = {PTHREAD_MUTEX_INITIALIZER, 10};

static void transfer(struct account *from, struct account *to, long amount) {
    pthread_mutex_lock(&from->mu);
    pthread_mutex_lock(&to->mu); // expected-warning {{[aglet-lock-order]}}
    from->balance -= amount;
    to->balance += amount;
    pthread_mutex_unlock(&to->mu);
    pthread_mutex_unlock(&from->mu);
}

static void *one(void *arg) {
    transfer(&x, &y, 1);
    return arg;
}

static void *two(void *arg) {
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
