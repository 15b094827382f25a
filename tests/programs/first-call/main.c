/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The program's very first call hands a function to the executor: it counts like any other. */
#include <aglet/task.h>
#include <unistd.h>

static void *poller(void *arg);

int start(aglet_task **task);
int start(aglet_task **task) {
    return aglet_spawn(task, poller, NULL);
}

static void *poller(void *arg) {
    sleep(2); // expected-warning {{[aglet-blocking-in-task]}}
    return arg;
}
