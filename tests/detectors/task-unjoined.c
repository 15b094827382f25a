/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a task is started with a handle, and the handle never used. Finds: unjoined. Only with Aglet's API. */
#include "form.h"
#include "aglet/executor.h"

static void *count(void *argument) {
    ++*(int *)argument;
    return NULL;
}

static void *work(void *argument) {
    aglet_task *task;
    if (aglet_spawn(&task, count, argument))
        return NULL;
    if (mended)
        (void)aglet_join(task, NULL);
    else
        (void)aglet_sleep_ms(20); /* it has surely ended by now */
    return NULL;
}

int main(void) {
    static int counter;
    return aglet_run(NULL, work, &counter, NULL);
}
