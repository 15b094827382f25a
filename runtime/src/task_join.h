/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Waiting for a task's end, as join and select do it. Stands on task_sleep.h. */
#ifndef AGLET_SRC_TASK_JOIN_H
#define AGLET_SRC_TASK_JOIN_H

#include "task_sleep.h"

/* Ask to be fired when t ends. Returns false when it has ended. */
bool join_link(struct aglet_task *t, struct waiter *w);

/* Take the wish back. Returns true when t has not ended; after false w is not touched any more either. */
bool join_unlink(struct aglet_task *t, struct waiter *w);

/* Take the result of a task that has ended, and free it. */
void join_take(struct aglet_task *t, void **result);

#endif
