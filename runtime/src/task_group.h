/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What the scheduler must know of groups and task-local storage. Stands on task_core.h. */
#ifndef AGLET_SRC_TASK_GROUP_H
#define AGLET_SRC_TASK_GROUP_H

#include "task_core.h"

/* A task is about to be published that m, which aglet_group_spawn has made, is the member of. */
void group_member_begins(struct group_member *m, struct aglet_task *t);

/* Its task has ended, but for giving up its memory. m is gone on return, and the group may be. */
void group_member_ended(struct group_member *m);

struct waiter;

/* Ask to be fired when the last member ends. Returns false when there is none: then the group can be used
 * again. */
bool group_link(struct aglet_group *group, struct waiter *w);

/* Run the destructors of a task's locals and free them. */
void task_locals_end_(struct task_rest *rest);
static inline void task_locals_end(struct task_rest *rest) {
    if (AGLET_UNLIKELY(rest->locals != NULL))
        task_locals_end_(rest);
}

#endif
