/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The async locks as stackless tasks use them: begin to take one, and take that back. Stands on task_sleep.h.
 */
#ifndef AGLET_SRC_ASYNC_SYNC_H
#define AGLET_SRC_ASYNC_SYNC_H

#include "task_sleep.h"

/* The common shape of the public types. */
struct async_object {
    struct slock lock;
    int32_t state; /* under lock */
    struct waitq q;
};

/* What is asked for; kept in waiter.index while it waits. */
enum async_want { ASYNC_MUTEX, ASYNC_READ, ASYNC_WRITE, ASYNC_PERMIT, ASYNC_SIGNAL, ASYNC_ONCE };

/* Take it and return 0; or link w, where it is not NULL, and return -EAGAIN. A waiter that fires owns what it
 * waited for. ASYNC_ONCE: 0 when it is done, 1 when the caller is to do it, and a waiter that fires asks
 * again. */
int async_begin(struct async_object *o, enum async_want want, struct waiter *w);

/* Take a waiter back. Returns true when it was still linked: then it has not fired. */
bool async_unlink(struct async_object *o, struct waiter *w);

/* Give a mutex to the next; the once was done (0) or failed. */
void async_mutex_give(struct async_object *o, const void *caller);
void async_once_end(struct async_object *o, int error);

#endif
