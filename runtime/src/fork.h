/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The runtime over fork(2). The parent notices nothing. In the child only the thread that forked is left: it is no
 * worker and no task any more, and may make executors of its own; those of the parent stay in the parent.
 * Stands on pthread_atfork(3). */
#ifndef AGLET_SRC_FORK_H
#define AGLET_SRC_FORK_H

#include "task_lock.h"

/* The locks of what all executors share. Who forks holds them all meanwhile, so that the child finds it whole;
 * nobody takes one while it holds another. */
extern struct slock task_slab_lock, task_stack_lock, worker_memory_lock, reactor_lock, signal_table_lock;

/* How many forks lie between the program's start and this process. Changes in a child only, before anything runs. */
extern uint32_t fork_depth;

enum fork_moment { BEFORE_FORK, IN_PARENT, IN_CHILD };

/* The same for locks that others cannot name, and for what a child starts anew. */
void blocking_fork(enum fork_moment moment);
void pool_fork(enum fork_moment moment);
void dump_fork(enum fork_moment moment);
void check_tasks_fork(enum fork_moment moment); /* checked library */

/* From now on forks are prepared for. Returns 0 or -ENOMEM. */
int fork_watch(void);

#endif
