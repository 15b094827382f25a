/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a task runs another one with aglet_run, which is for threads; it never runs. Finds: blocking-in-task. Only with
 * Aglet's API. */
#include "form.h"
#include "aglet/executor.h"

static void *work(void *argument) {
    return argument;
}

static void *serve(void *argument) {
    aglet_task *task;
    if (!mended)
        (void)aglet_run(NULL, work, NULL, NULL);
    else if (aglet_spawn(&task, work, NULL) == 0)
        (void)aglet_join(task, NULL);
    return argument;
}

int main(void) {
    return aglet_run(NULL, serve, NULL, NULL);
}
