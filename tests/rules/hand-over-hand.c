/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A list walked hand over hand: the next element's lock is taken before this one's is given up. Stands on pthreads. */
#include <pthread.h>
#include <stddef.h>

struct node {
    pthread_mutex_t mu;
    struct node *next;
    int key, value;
};
static pthread_mutex_t list_mu = PTHREAD_MUTEX_INITIALIZER;
static struct node *list;

int look_up(int key);
int look_up(int key) {
    struct node *n, *next;
    int found = -1;
    pthread_mutex_lock(&list_mu);
    n = list;
    if (n)
        pthread_mutex_lock(&n->mu);
    pthread_mutex_unlock(&list_mu);
    while (n) {
        if (n->key == key) {
            found = n->value;
            pthread_mutex_unlock(&n->mu);
            return found;
        }
        next = n->next;
        if (next)
            pthread_mutex_lock(&next->mu);
        pthread_mutex_unlock(&n->mu);
        n = next;
    }
    return found; // no diagnostic: past the last element nothing is held
}

int look_up_and_leak(int key);
int look_up_and_leak(int key) {
    struct node *n, *next;
    pthread_mutex_lock(&list_mu);
    n = list;
    if (n)
        pthread_mutex_lock(&n->mu);
    pthread_mutex_unlock(&list_mu);
    while (n) {
        if (n->key == key)
            return 1; // expected-warning 1+ {{[aglet-lock-leak]}}
        next = n->next;
        if (next)
            pthread_mutex_lock(&next->mu);
        pthread_mutex_unlock(&n->mu);
        n = next;
    }
    return 0; // no diagnostic: past the last element nothing is held
}

/* The head of the list is a part of something else, and two locks go along together. */
struct chain {
    struct link {
        struct link *next;
        int key;
        pthread_mutex_t mu;
    } head;
};
int chain_find(struct chain *c, int key);
int chain_find(struct chain *c, int key) {
    struct link *before = &c->head, *at;
    int found;
    pthread_mutex_lock(&before->mu);
    at = before->next;
    pthread_mutex_lock(&at->mu);
    while (at->key < key) {
        pthread_mutex_unlock(&before->mu);
        before = at;
        at = at->next;
        pthread_mutex_lock(&at->mu); // no diagnostic: each is taken with the one before it held, all along
    }
    found = at->key == key;
    pthread_mutex_unlock(&at->mu);
    pthread_mutex_unlock(&before->mu);
    return found;
}
int chain_find_wrong(struct chain *c, int key);
int chain_find_wrong(struct chain *c, int key) {
    struct link *before = &c->head, *at;
    pthread_mutex_lock(&before->mu);
    at = before->next;
    pthread_mutex_lock(&at->mu);
    while (at->key < key) {
        pthread_mutex_unlock(&at->mu); // no diagnostic here: it is held
        before = at;
        at = at->next;
        pthread_mutex_lock(&at->mu);
    }
    pthread_mutex_unlock(&at->mu);
    pthread_mutex_unlock(&before->mu); // expected-warning {{[aglet-unlock-unheld]}}
    return 0;                          // expected-warning {{'c->head.mu' is still held on this return [aglet-lock-leak]}}
}
