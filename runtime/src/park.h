/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* One waiter sleeps, another wakes it. The waiter is an OS thread or a task; whoever waits in a channel, for
 * a join or for a timer does not care which. Stands on futex.h (threads) and on the executor's operations
 * (tasks).
 *
 * A parker holds one token or none.
 *   park    takes the token, sleeping until there is one.
 *   unpark  puts the token in; a second one before the first is taken is lost.
 * So an unpark that comes before the park is not lost: the park returns at once. The order a waiter needs is
 *   1. p = parker_current();  2. publish p in the queue, under the queue's lock;  3. parker_park(p);
 *   4. look, under the lock or through an atomic, whether the event came; if not, back to 3.
 * and the waker's: take the entry out of the queue, note in it that the event came, and unpark.
 *
 * Who owns what, and until when. A parker belongs to one thread or task and is used by no other waiter. Its
 * memory never goes back to the allocator: threads that end leave theirs to threads that start, and tasks
 * must do the same (`task parkers are type-stable`). That is the whole protocol for a late unpark: a waker
 * may copy the pointer out of the queue entry, mark the entry (after which the entry, on the waiter's stack,
 * may be gone), and unpark afterwards. If the waiter had woken for another reason and is gone, the token
 * lands in a parker that somebody else now owns, whose park then returns once without reason. Hence: every
 * park stands in a loop that looks at its own condition, and stray tokens are harmless.
 *
 * Nobody parks in one parker for two reasons at once: a signal handler may unpark, never park. */
#ifndef AGLET_SRC_PARK_H
#define AGLET_SRC_PARK_H

#include "futex.h"

struct parker;

/* How a kind of waiter sleeps. The functions keep the token semantics above; `state` is theirs to use. */
struct parker_ops {
    /* Take the token, sleeping until there is one or the deadline passes. False: the deadline passed and no
     * token was taken (a token that comes in the same instant is kept for the next park). Called by the owner
     * only. */
    bool (*park)(struct parker *p, aglet_time deadline);
    /* Put the token in, and wake the owner if it sleeps. Any thread, any task, signal handlers too; does not
     * sleep, takes no lock of the program. After the token is in, *p may already serve another owner. */
    void (*unpark)(struct parker *p);
};

enum { PARKER_EMPTY, PARKER_TOKEN, PARKER_ASLEEP };

struct parker {
    const struct parker_ops *ops; /* written once, before the parker is first published */
    _Atomic uint32_t state;       /* PARKER_…; for threads also the futex word */
    void *owner;                  /* the task, for a task's ops; NULL for threads */
    struct parker *next_free;     /* of parkers whose thread has ended; under the pool's lock */
};

/* The waiter that runs now: the task's parker where an executor has set one, else this thread's, made at the
 * first call. Never NULL: where no memory can be had the process ends with a sentence. */
struct parker *parker_current(void);

/* The executor says, on every switch, which task runs on this thread: its parker, or NULL between tasks. */
void parker_set_current(struct parker *task_parker);

/* This thread's own parker, even while a task runs on it (for the executor's idle workers). */
struct parker *parker_of_thread(void);

/* Sleep until there is a token, and take it. */
static inline void parker_park(struct parker *p) {
    p->ops->park(p, AGLET_FOREVER);
}

/* The same until a deadline. Returns false when the deadline passed without a token. */
static inline bool parker_park_until(struct parker *p, aglet_time deadline) {
    return p->ops->park(p, deadline);
}

static inline void parker_unpark(struct parker *p) {
    p->ops->unpark(p);
}

#endif
