/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The half that yields: two calls down, through a table, through a callback; and one that locks for its caller. */
#include "store.h"

aglet_mutex store_mu = AGLET_MUTEX_INIT;

static int work(int n) {
    return aglet_sleep_ms(n);
}

int store_flush(int n) {
    return n ? work(n) : 0;
}

int store_count(int n) {
    return n + 1;
}

static int to_disk(int n) {
    return store_flush(n);
}

static int to_memory(int n) {
    return n;
}

const struct backend disk = {to_disk}, memory = {to_memory};

aglet_mutex *store_enter(void) {
    aglet_mutex_lock(&store_mu);
    return &store_mu;
}

int store_each(int (*visit)(int n), int n) {
    return visit(n);
}
