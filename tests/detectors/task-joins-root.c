/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a task joins the task that aglet_block_on waits for, whose handle is nobody's. Finds: unjoined. Only with
 * Aglet's API. */
#include "form.h"
#include "aglet/executor.h"

static void *join_it(void *root) {
    (void)aglet_join(root, NULL);
    return NULL;
}

static void *work(void *argument) {
    aglet_task *task;
    if (!mended && aglet_spawn(&task, join_it, aglet_self()) == 0)
        (void)aglet_join(task, NULL);
    return argument;
}

int main(void) {
    return aglet_run(NULL, work, NULL, NULL);
}
