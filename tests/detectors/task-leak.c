/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: a detached task still waits when the program's executor ends. Finds: task-leak. Only with Aglet's
 * API. */
#include "form.h"
#include "aglet/executor.h"

static void *wait_long(void *argument) {
    (void)aglet_sleep_ms(mended ? 1 : 60000);
    return argument;
}

static void *work(void *argument) {
    (void)aglet_spawn(NULL, wait_long, NULL);
    (void)aglet_sleep_ms(5);
    return argument;
}

int main(void) {
    return aglet_run(NULL, work, NULL, NULL);
}
