/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A lock and a reader-writer lock, a callback, an order of locks. */
#include "shop.h"
#include <poll.h>

struct till till = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_RWLOCK_INITIALIZER, 0, 0, 0, PTHREAD_MUTEX_INITIALIZER, NULL, NULL};

static void add(struct till *t, long money) {
    t->money += money;
}

void till_pay(struct till *t, long money) {
    pthread_mutex_lock(&t->mu);
    add(t, money);
    count_customer(t);
    pthread_mutex_unlock(&t->mu);
}

int till_name(struct till *t, bool change) {
    int n;
    if (change)
        pthread_rwlock_wrlock(&t->names);
    else
        pthread_rwlock_rdlock(&t->names);
    n = t->customers;
    pthread_rwlock_unlock(&t->names);
    return n;
}

void till_tell(struct till *t, void (*told)(struct till *, void *), void *context) {
    pthread_mutex_lock(&t->mu);
    t->told = told;
    t->context = context;
    pthread_mutex_unlock(&t->mu);
}

static void tell(struct till *t) {
    if (t->told)
        t->told(t, t->context);
}

/* Each caller passes one of the cases. */
void till_touch(struct till *t, int how) {
    pthread_mutex_lock(&t->mu);
    switch (how) {
    case 0: t->customers++; break;
    case 1: t->customers--; break;
    default: return;
    }
    pthread_mutex_unlock(&t->mu);
}

/* For as long as work.c says. */
void till_wait(struct till *t) {
    pthread_mutex_lock(&t->mu);
    (void)poll(NULL, 0, t->timeout);
    pthread_mutex_unlock(&t->mu);
}

/* Wrong, unless work.c makes the lock one that may be taken again. */
void till_twice(struct till *t) {
    pthread_mutex_lock(&t->again);
    pthread_mutex_lock(&t->again);
    t->timeout++;
    pthread_mutex_unlock(&t->again);
    pthread_mutex_unlock(&t->again);
}

long till_close(struct till *t) {
    long money;
    pthread_mutex_lock(&t->mu);
    shelf_lock(&shelves[0]);
    money = t->money;
    shelves[0].open = false;
    shelf_unlock(&shelves[0]);
    tell(t);
    pthread_mutex_unlock(&t->mu);
    return money;
}
