/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: an executor that could not be had is used. Finds: task-leak. Only with Aglet's API. */
#include "form.h"
#include "aglet/executor.h"

static void *work(void *argument) {
    return argument;
}

int main(void) {
    struct aglet_executor_options options = {.stack_size = mended ? 0 : SIZE_MAX};
    aglet_executor *executor = aglet_executor_new(&options);
    (void)aglet_block_on(executor, work, NULL, NULL);
    aglet_executor_free(executor);
    return 0;
}
