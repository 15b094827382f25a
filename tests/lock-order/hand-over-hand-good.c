/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Along a list, each lock is taken before the one before it is given up. */
#include <pthread.h>

struct node {
    pthread_mutex_t mu;
    struct node *next;
    int n;
};
static struct node third = {PTHREAD_MUTEX_INITIALIZER, NULL, 3}, second = {PTHREAD_MUTEX_INITIALIZER, &third, 2}, first = {PTHREAD_MUTEX_INITIALIZER, &second, 1};
static int total;

static int walk(struct node *at) {
    int sum = 0;
    pthread_mutex_lock(&at->mu);
    while (at->next) {
        struct node *next = at->next;
        pthread_mutex_lock(&next->mu);
        sum += at->n;
        pthread_mutex_unlock(&at->mu);
        at = next;
    }
    sum += at->n;
    pthread_mutex_unlock(&at->mu);
    return sum;
}

static void *one(void *arg) {
    total = walk(&first);
    return arg;
}

static void *two(void *arg) {
    walk(&second);
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
