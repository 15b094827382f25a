/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a current-thread executor is run by one thread and then by another, while a task of it has begun on the first.
 * Finds: affinity. Only with Aglet's API. */
#include "form.h"
#include "aglet/executor.h"

static aglet_executor *executor;

static void *tick(void *argument) {
    for (int i = 0; i < 3; i++)
        (void)aglet_sleep_ms(1);
    return argument;
}

static void *serve(void *argument) {
    (void)aglet_spawn(NULL, tick, NULL);
    (void)aglet_sleep_ms(mended ? 50 : 1);
    return argument;
}

static void *run_there(void *argument) {
    (void)aglet_block_on(executor, serve, NULL, NULL);
    return argument;
}

int main(void) {
    executor = aglet_executor_new(&(struct aglet_executor_options){.current_thread = true});
    if (executor == NULL)
        return 1;
    run(run_there, NULL);
    (void)aglet_block_on(executor, serve, NULL, NULL);
    aglet_executor_free(executor);
    return 0;
}
