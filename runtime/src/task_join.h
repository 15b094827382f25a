/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Waiting for a task's end, as join and select do it. Stands on task_sleep.h. */
#ifndef AGLET_SRC_TASK_JOIN_H
#define AGLET_SRC_TASK_JOIN_H

#include "task_sleep.h"

/* Does its end still have to be waited for? 0: no, join_take it. -EAGAIN: yes; w, where not NULL, is linked.
 * -EDEADLK: it is the caller itself, or NULL. -EINVAL: the handle is not the caller's, because somebody else
 * joins it, has detached it, or (checked) it was given up before. */
int join_begin(struct aglet_task *t, struct waiter *w);

/* Report that (checked: unjoined, deadlock). Returns the error. */
int join_refused(struct aglet_task *t, int error, const char *verb, const void *caller);

/* aglet_join_until, for what `caller` does. */
int join_task(struct aglet_task *t, void **result, aglet_time deadline, const void *caller);

/* Ask to be fired when t ends. Returns false when it has ended, or somebody else asked. */
bool join_link(struct aglet_task *t, struct waiter *w);

/* Take the wish back. Returns true when t has not ended; after false w is not touched any more either. */
bool join_unlink(struct aglet_task *t, struct waiter *w);

/* Take the result of a task that has ended, and free it. */
void join_take(struct aglet_task *t, void **result);

#endif
