/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a task is spawned on an executor that was freed, and never runs. Finds: task-leak. Only with Aglet's API. */
#include "form.h"
#include "aglet/executor.h"

static void *work(void *argument) {
    return argument;
}

int main(void) {
    aglet_executor *executor = aglet_executor_new(NULL);
    if (executor == NULL)
        return 1;
    if (!mended)
        aglet_executor_free(executor);
    (void)aglet_spawn_on(executor, NULL, work, NULL);
    if (mended)
        aglet_executor_free(executor);
    return 0;
}
