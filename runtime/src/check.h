/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What a lock tells the checker: I was made, taken, waited for, given, destroyed. Every call stands behind
 * `if (aglet_checked)`; the functions exist in the checked library (src/checked/) only. The preloaded library for
 * plain pthread programs calls them as well, with no id: then the record is found by address.
 * Stands on checked.h, aglet/base.h. */
#ifndef AGLET_SRC_CHECK_H
#define AGLET_SRC_CHECK_H

#include "checked.h"

#include "aglet/base.h"

enum check_kind {
    CHECK_MUTEX,
    CHECK_RWLOCK,
    CHECK_SPIN,
    CHECK_RECURSIVE, /* a mutex its holder may take again */
    CHECK_KINDS
};

/* How a lock is taken. */
enum { CHECK_EXCLUSIVE = 1, CHECK_SHARED = 2, CHECK_TRIED = 4 /* without waiting: makes no order edge to it */ };

/* `id` is the lock's id field; NULL: look the lock up by its address. `caller` is an address in the program. */

/* The lock begins, or ends, its life. Reports destroy-held, uninitialised-lock. */
void check_init(enum check_kind kind, const void *lock, uint32_t *id, const char *name, const void *caller);
void check_destroy(enum check_kind kind, const void *lock, uint32_t *id, const void *caller);

/* The calling thread has just taken the lock, by whatever way. Reports lock-order, uninitialised-lock, copy. */
void check_acquired(enum check_kind kind, int mode, const void *lock, uint32_t *id, const void *caller);

/* The lock is not free and the calling thread is about to wait for it. Reports double-lock, deadlock,
 * uninitialised-lock. Returns false when waiting would be for ever and the hook took the report: do not wait.
 * After true, check_wait_end follows. */
bool check_wait_begin(enum check_kind kind, int mode, const void *lock, uint32_t *id, aglet_time deadline,
                      const void *caller);
void check_wait_end(bool taken);

/* The calling thread is about to give the lock. Reports unlock-unheld, long-hold. Returns false when it does not hold
 * it: do not give. */
bool check_release(enum check_kind kind, int mode, const void *lock, uint32_t *id, const void *caller);

/* Reports requires when the calling thread does not hold the lock in at least this mode. */
void check_assert_held(enum check_kind kind, int mode, const void *lock, const uint32_t *id, const void *caller);

/* A task is about to be suspended at `caller`: reports lock-across-yield for each thread lock this thread holds.
 * Returns how many it holds. The executor calls it on every suspension. */
unsigned check_yield(const void *caller);

/* How many thread locks the calling thread holds. One load; for the executor's own assertions. */
unsigned check_held_count(void);

#endif
