/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: two threads run one current-thread executor at once; the second one's task never runs. Finds: affinity. Only
 * with Aglet's API. */
#include "form.h"
#include "aglet/executor.h"

static aglet_executor *executor;
static _Atomic bool inside;

static void *serve(void *argument) {
    atomic_store(&inside, true);
    (void)aglet_sleep_ms(mended ? 1 : 100);
    return argument;
}

static void *run_there(void *argument) {
    (void)aglet_block_on(executor, serve, NULL, NULL);
    return argument;
}

int main(void) {
    thread_type t;
    executor = aglet_executor_new(&(struct aglet_executor_options){.current_thread = true});
    if (executor == NULL)
        return 1;
    spawn(&t, run_there, NULL);
    if (mended)
        join(&t);
    while (!atomic_load(&inside))
        usleep(1000);
    (void)aglet_block_on(executor, serve, NULL, NULL);
    if (!mended)
        join(&t);
    aglet_executor_free(executor);
    return 0;
}
