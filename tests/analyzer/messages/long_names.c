/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A lock at the end of a long way of pointers is said by the way's ends. Stands on pthreads. */
#include <pthread.h>

struct node {
    pthread_mutex_t mu;
    struct node *up, *down, *next;
    int n;
};
int seven(struct node *at, int n);
int seven(struct node *at, int n) {
    pthread_mutex_lock(&at->up->next->next->down->next->up->mu);
    if (n < 0)
        return -1;
    pthread_mutex_unlock(&at->up->next->next->down->next->up->mu);
    return n;
}
int eight(struct node *at, int n);
int eight(struct node *at, int n) {
    pthread_mutex_lock(&at->up->next->next->next->down->next->up->mu);
    if (n < 0)
        return -1;
    pthread_mutex_unlock(&at->up->next->next->next->down->next->up->mu);
    return n;
}
