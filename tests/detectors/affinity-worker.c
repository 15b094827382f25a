/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: an object that belongs to one thread is used by a task on another worker. Finds: affinity. Only with
 * Aglet's API. */
#include "form.h"
#include "aglet/executor.h"

static aglet_affine owner = AGLET_AFFINE_INIT;

static void *draw(void *argument) {
    aglet_affine_check(&owner);
    return argument;
}

static void *work(void *argument) {
    aglet_task *task;
    draw(NULL);
    if (mended)
        (void)aglet_spawn_local(&task, draw, NULL);
    else
        (void)aglet_spawn(&task, draw, NULL);
    /* Keep this worker, so that another one takes the task. */
    for (aglet_time end = aglet_after_ms(mended ? 1 : 200); aglet_now() < end;)
        ;
    (void)aglet_join(task, NULL);
    return argument;
}

int main(void) {
    return aglet_run(&(struct aglet_executor_options){.workers = 2}, work, NULL, NULL);
}
