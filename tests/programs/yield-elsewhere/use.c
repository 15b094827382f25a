/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The half that holds the lock: each way to a yield in the other file, wrong and right. */
#include <aglet/guard.h>
#include "store.h"

/* This file's own `work` has nothing to do with the other's. */
static int work(int n) {
    return n * 2;
}

void direct(void);
void direct(void) {
    AGLET_GUARD(&store_mu);
    store_flush(1); // expected-warning {{[aglet-lock-across-yield]}}
    work(1);        // no diagnostic: it does not yield, the other file's of that name does
    store_count(1); // no diagnostic: it does not yield
}

void released(void);
void released(void) {
    aglet_mutex_lock(&store_mu);
    work(1);
    aglet_mutex_unlock(&store_mu);
    store_flush(1); // no diagnostic: released before
}

void returned(void);
void returned(void) {
    aglet_mutex *mu = store_enter();
    disk.flush(1); // expected-warning {{[aglet-lock-across-yield]}}
    aglet_mutex_unlock(mu);
    disk.flush(1); // no diagnostic: released before
}

static int keep(int n) {
    return store_count(n);
}
static int send(int n) {
    return store_flush(n);
}
void through_callback(void);
void through_callback(void) {
    aglet_mutex_lock(&store_mu);
    send(1);             // expected-warning {{[aglet-lock-across-yield]}}
    store_each(keep, 1); // no diagnostic: this one does not yield
    store_each(send, 1); // expected-warning {{'store_mu' is held across 'store_each', which may suspend the task [aglet-lock-across-yield]}}
    aglet_mutex_unlock(&store_mu);
    store_each(keep, 1);
    store_each(send, 1); // no diagnostic: released before
}
