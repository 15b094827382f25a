/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a task frees the executor that runs it, which would wait for the task's end. Finds: deadlock. Only with
 * Aglet's API. */
#include "form.h"
#include "aglet/executor.h"

static aglet_executor *executor;

static void *work(void *argument) {
    if (!mended)
        aglet_executor_free(executor);
    return argument;
}

int main(void) {
    executor = aglet_executor_new(NULL);
    if (executor == NULL)
        return 1;
    int error = aglet_block_on(executor, work, NULL, NULL);
    aglet_executor_free(executor);
    return error;
}
