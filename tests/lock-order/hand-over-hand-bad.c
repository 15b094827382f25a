/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The list has a lock of its own, taken before a node here and after one there. */
#include <pthread.h>

struct node {
    pthread_mutex_t mu;
    struct node *next;
    int n;
};
static struct node third = {PTHREAD_MUTEX_INITIALIZER, NULL, 3}, second = {PTHREAD_MUTEX_INITIALIZER, &third, 2}, first = {PTHREAD_MUTEX_INITIALIZER, &second, 1};
static pthread_mutex_t list = PTHREAD_MUTEX_INITIALIZER;
static int total;

static void *one(void *arg) {
    pthread_mutex_lock(&list);
    pthread_mutex_lock(&first.mu); // expected-warning {{[aglet-lock-order]}}
    total += first.n;
    pthread_mutex_unlock(&first.mu);
    pthread_mutex_unlock(&list);
    return arg;
}

static void *two(void *arg) {
    pthread_mutex_lock(&first.mu);
    pthread_mutex_lock(&list);
    total++;
    pthread_mutex_unlock(&list);
    pthread_mutex_unlock(&first.mu);
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
