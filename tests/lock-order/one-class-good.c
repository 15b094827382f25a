/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Two objects of one type, one locked inside the other, each time in an order that the program shows. */
#include <aglet/annotations.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

struct account {
    pthread_mutex_t mu;
    int id;
    long balance;
    struct account *parent, *next;
};
extern struct account *account_find(int id);

/* The lower address first, by two branches. */
void transfer(struct account *from, struct account *to, long amount);
void transfer(struct account *from, struct account *to, long amount) {
    if (from < to) {
        pthread_mutex_lock(&from->mu);
        pthread_mutex_lock(&to->mu); // no diagnostic: compared
    } else {
        pthread_mutex_lock(&to->mu);
        pthread_mutex_lock(&from->mu); // no diagnostic: compared
    }
    from->balance -= amount;
    to->balance += amount;
    pthread_mutex_unlock(&to->mu);
    pthread_mutex_unlock(&from->mu);
}

/* Swapped where needed, as numbers. */
void transfer_swapped(struct account *a, struct account *b);
void transfer_swapped(struct account *a, struct account *b) {
    if ((uintptr_t)b < (uintptr_t)a) {
        struct account *t = a;
        a = b;
        b = t;
    }
    pthread_mutex_lock(&a->mu);
    pthread_mutex_lock(&b->mu); // no diagnostic: the lower address is in a
    a->balance += b->balance;
    pthread_mutex_unlock(&b->mu);
    pthread_mutex_unlock(&a->mu);
}

/* By a number that each has. */
void transfer_by_id(int from_id, int to_id);
void transfer_by_id(int from_id, int to_id) {
    struct account *from = account_find(from_id), *to = account_find(to_id);
    struct account *first = from->id < to->id ? from : to, *second = from->id < to->id ? to : from;
    pthread_mutex_lock(&first->mu);
    pthread_mutex_lock(&second->mu); // no diagnostic: the smaller id first
    to->balance += from->balance;
    pthread_mutex_unlock(&second->mu);
    pthread_mutex_unlock(&first->mu);
}

/* A helper locks two in order; another one says which is first. */
static void lock_two(struct account *a, struct account *b) {
    if (a > b) {
        pthread_mutex_lock(&b->mu);
        pthread_mutex_lock(&a->mu); // no diagnostic: compared
    } else {
        pthread_mutex_lock(&a->mu);
        pthread_mutex_lock(&b->mu); // no diagnostic: compared
    }
}
void move_all(struct account *from, struct account *to);
void move_all(struct account *from, struct account *to) {
    lock_two(from, to); // no diagnostic: the helper compares
    to->balance += from->balance;
    from->balance = 0;
    pthread_mutex_unlock(&from->mu);
    pthread_mutex_unlock(&to->mu);
}
static int comes_before(const struct account *a, const struct account *b) {
    return a->id < b->id;
}
void move_half(struct account *from, struct account *to);
void move_half(struct account *from, struct account *to) {
    struct account *first = from, *second = to;
    if (comes_before(to, from)) {
        first = to;
        second = from;
    }
    pthread_mutex_lock(&first->mu);
    pthread_mutex_lock(&second->mu); // no diagnostic: comes_before compared them
    to->balance += from->balance / 2;
    pthread_mutex_unlock(&second->mu);
    pthread_mutex_unlock(&first->mu);
}

/* A sorted array of pointers. */
static int by_address(const void *x, const void *y) {
    const struct account *a = *(struct account *const *)x, *b = *(struct account *const *)y;
    return a < b ? -1 : a > b;
}
void all(struct account **accounts, int n);
void all(struct account **accounts, int n) {
    qsort(accounts, (size_t)n, sizeof *accounts, by_address);
    for (int i = 0; i < n; i++)
        pthread_mutex_lock(&accounts[i]->mu); // no diagnostic: sorted
    for (int i = 0; i < n; i++)
        accounts[i]->balance = 0;
    for (int i = 0; i < n; i++)
        pthread_mutex_unlock(&accounts[i]->mu);
}

/* By index. */
static struct account table[5] = {{PTHREAD_MUTEX_INITIALIZER, 0, 0, 0, 0}};
void whole_table(void);
void whole_table(void) {
    for (int i = 0; i < 5; i++)
        pthread_mutex_lock(&table[i].mu); // no diagnostic: one after the other
    for (int i = 0; i < 5; i++)
        pthread_mutex_unlock(&table[i].mu);
}
void neighbours(unsigned i);
void neighbours(unsigned i) {
    pthread_mutex_lock(&table[i].mu);
    pthread_mutex_lock(&table[i + 1].mu); // no diagnostic: the next one
    table[i].balance += table[i + 1].balance;
    pthread_mutex_unlock(&table[i + 1].mu);
    pthread_mutex_unlock(&table[i].mu);
}

/* Along a list, hand over hand; the parent before its child, everywhere. */
long sum(struct account *first);
long sum(struct account *first) {
    long n = 0;
    struct account *a = first;
    pthread_mutex_lock(&a->mu);
    while (a->next) {
        struct account *next = a->next;
        n += a->balance;
        pthread_mutex_lock(&next->mu); // no diagnostic: next in the list
        pthread_mutex_unlock(&a->mu);
        a = next;
    }
    pthread_mutex_unlock(&a->mu);
    return n;
}
void down(struct account *child);
void down(struct account *child) {
    struct account *parent = child->parent;
    pthread_mutex_lock(&parent->mu);
    pthread_mutex_lock(&child->mu); // no diagnostic: never the other way round
    child->balance += parent->balance;
    pthread_mutex_unlock(&child->mu);
    pthread_mutex_unlock(&parent->mu);
}

/* One at a time, by a lock around both. */
static pthread_mutex_t transfers = PTHREAD_MUTEX_INITIALIZER;
void transfer_alone(struct account *from, struct account *to);
void transfer_alone(struct account *from, struct account *to) {
    pthread_mutex_lock(&transfers);
    pthread_mutex_lock(&from->mu);
    pthread_mutex_lock(&to->mu); // no diagnostic: nobody else holds two of them
    to->balance += from->balance;
    pthread_mutex_unlock(&to->mu);
    pthread_mutex_unlock(&from->mu);
    pthread_mutex_unlock(&transfers);
}

/* Backing off. */
int try_transfer(struct account *from, struct account *to);
int try_transfer(struct account *from, struct account *to) {
    pthread_mutex_lock(&from->mu);
    if (pthread_mutex_trylock(&to->mu)) { // no diagnostic: it does not wait
        pthread_mutex_unlock(&from->mu);
        return -1;
    }
    to->balance += from->balance;
    pthread_mutex_unlock(&to->mu);
    pthread_mutex_unlock(&from->mu);
    return 0;
}

/* Declared: which node of a tree is first, its documentation says. */
struct node {
    struct node *parent;
    pthread_mutex_t mu AGLET_ACQUIRED_AFTER(parent->mu);
    int n;
};
void swap(struct node *a, struct node *b);
void swap(struct node *a, struct node *b) {
    pthread_mutex_lock(&a->mu);
    pthread_mutex_lock(&b->mu); // no diagnostic: nesting is declared
    const int n = a->n;
    a->n = b->n;
    b->n = n;
    pthread_mutex_unlock(&b->mu);
    pthread_mutex_unlock(&a->mu);
}
