/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a task's handle is joined after the spawn that should have filled it failed. Finds: unjoined. Only with Aglet's
 * API. */
#include "form.h"
#include "aglet/executor.h"

static void *work(void *argument) {
    return argument;
}

int main(void) {
    aglet_task *task = NULL;
    /* A thread that is no task has no executor to spawn on. */
    int error = aglet_spawn(&task, work, NULL);
    if (!mended || error == 0)
        (void)aglet_join(task, NULL);
    return 0;
}
