/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a task ends by pthread_exit, which ends its worker's thread instead. Finds: blocking-in-task. Only with
 * Aglet's API. */
#include "form.h"
#include "aglet/executor.h"

#include <pthread.h>

static void *work(void *argument) {
    if (!mended)
        pthread_exit(argument);
    return argument;
}

int main(void) {
    return aglet_run(NULL, work, NULL, NULL);
}
