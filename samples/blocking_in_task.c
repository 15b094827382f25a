/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong on purpose: a task calls usleep, which stops its worker and every task behind it. The checked library
 * shows where the task is while it keeps the worker. Mended by aglet_sleep_ms, or aglet_run_blocking as in
 * blocking_work.c. Stands on aglet/executor.h.
 *
 * Lint   blocking-in-task
 * Run    release exits 0
 * Run    checked exits 66 reports blocking-in-task */
#include <aglet/executor.h>
#include <stdio.h>
#include <unistd.h>

static void *poll_device(void *arg) {
    usleep(1500000);
    return arg;
}

AGLET_MAIN(argc, argv) {
    aglet_task *task;
    if (aglet_spawn(&task, poll_device, NULL) || aglet_join(task, NULL))
        return 1;
    puts("polled");
    return 0;
}
