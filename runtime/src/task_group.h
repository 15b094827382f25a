/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What the scheduler must know of groups and task-local storage. Stands on task_core.h. */
#ifndef AGLET_SRC_TASK_GROUP_H
#define AGLET_SRC_TASK_GROUP_H

#include "task_core.h"

/* One member has ended. The group's memory may be gone on return. */
void group_member_ended(struct aglet_group *group, struct aglet_task *t);

/* Ask to be fired when the last member ends. Returns false when there is none: then the group can be used
 * again. */
bool group_link(struct aglet_group *group, struct sleeper *s);

/* Run the destructors of a task's locals and free them. */
void task_locals_end_(struct task_rest *rest);
static inline void task_locals_end(struct task_rest *rest) {
    if (AGLET_UNLIKELY(rest->locals != NULL))
        task_locals_end_(rest);
}

#endif
