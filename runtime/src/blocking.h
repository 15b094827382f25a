/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Pools of threads for work that blocks: one for files and users, one for name lookups, so that a dead name
 * server does not hold up files. Stands on task_sleep.h and pthreads. */
#ifndef AGLET_SRC_BLOCKING_H
#define AGLET_SRC_BLOCKING_H

#include "aglet/blocking.h"
#include "task_sleep.h"

enum blocking_pool { BLOCKING_GENERAL, BLOCKING_LOOKUP, BLOCKING_POOLS };

/* One piece of work; it stays put until its sleeper has fired or it was withdrawn. */
struct work {
    struct work *next;
    void *(*run)(void *);
    void *arg, *result;
    struct sleeper *sleeper;
};

/* Hand work to a pool. Returns 0, or -ENOMEM when there is no thread to do it and none can be had. */
int blocking_submit(enum blocking_pool pool, struct work *work);

/* Take work out again that no thread has begun. Returns whether it was. */
bool blocking_withdraw(enum blocking_pool pool, struct work *work);

/* aglet_run_blocking on a certain pool. */
int blocking_run(enum blocking_pool pool, void *(*work)(void *), void *arg, void **result, const char *why,
                 const void *caller);

/* How many threads all pools have, and how many pieces of work are not finished. */
void blocking_count(unsigned *threads, unsigned *busy);

#endif
