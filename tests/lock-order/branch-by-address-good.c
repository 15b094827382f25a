/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The same with a branch for each order. */
#include <pthread.h>

struct account {
    pthread_mutex_t mu;
    long balance;
};
static struct account x = {PTHREAD_MUTEX_INITIALIZER, 10}, y = {PTHREAD_MUTEX_INITIALIZER, 10};

static void lock_both(struct account *p, struct account *q) {
    if (p < q) {
        pthread_mutex_lock(&p->mu);
        pthread_mutex_lock(&q->mu);
    } else {
        pthread_mutex_lock(&q->mu);
        pthread_mutex_lock(&p->mu);
    }
}
static void transfer(struct account *from, struct account *to, long amount) {
    lock_both(from, to);
    from->balance -= amount;
    to->balance += amount;
    pthread_mutex_unlock(&from->mu);
    pthread_mutex_unlock(&to->mu);
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
