/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Pools of threads for work that blocks: one for files and users, one for name lookups, so that a dead name
 * server does not hold up files. Stands on pthreads. */
#ifndef AGLET_SRC_BLOCKING_H
#define AGLET_SRC_BLOCKING_H

#include "aglet/blocking.h"

enum blocking_pool { BLOCKING_GENERAL, BLOCKING_LOOKUP, BLOCKING_POOLS };

/* aglet_run_blocking on a certain pool. */
int blocking_run(enum blocking_pool pool, void *(*work)(void *), void *arg, void **result, const char *why,
                 const void *caller);

/* How many threads all pools have, and how many pieces of work are not finished. */
void blocking_count(unsigned *threads, unsigned *busy);

#endif
