/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: an executor is freed while another thread runs a task on it. Finds: task-leak. Only with Aglet's API. */
#include "form.h"
#include "aglet/executor.h"

static aglet_executor *executor;
static _Atomic bool inside;

static void *serve(void *argument) {
    atomic_store(&inside, true);
    (void)aglet_sleep_ms(100);
    return argument;
}

static void *run_there(void *argument) {
    (void)aglet_block_on(executor, serve, NULL, NULL);
    return argument;
}

int main(void) {
    thread_type t;
    executor = aglet_executor_new(NULL);
    if (executor == NULL)
        return 1;
    spawn(&t, run_there, NULL);
    while (!atomic_load(&inside))
        usleep(1000);
    if (mended)
        join(&t);
    aglet_executor_free(executor);
    if (!mended)
        join(&t);
    return 0;
}
