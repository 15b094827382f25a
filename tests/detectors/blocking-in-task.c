/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a task blocks its worker. Finds: blocking-in-task. Only with Aglet's API. */
#include "form.h"
#include "aglet/blocking.h"
#include "aglet/executor.h"

static void *block(void *argument) {
    usleep(1500000);
    return argument;
}

static void *work(void *argument) {
    if (mended)
        (void)aglet_run_blocking(block, NULL, NULL);
    else
        block(NULL);
    return argument;
}

int main(void) {
    return aglet_run(NULL, work, NULL, NULL);
}
