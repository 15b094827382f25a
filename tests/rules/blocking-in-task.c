/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* blocking-in-task: blocking calls that tasks reach, and those they do not. */
#include <aglet/blocking.h>
#include <aglet/task.h>
#include <unistd.h>

static void backoff(int ms) {
    usleep((unsigned)ms * 1000 + 1); // no diagnostic: reported where it is known how long
    sleep(2); // expected-warning {{'sleep' may block the worker thread of task 'poller' [aglet-blocking-in-task]}}
}
static void *poller(void *arg) {
    backoff(3); // expected-warning {{'usleep' may block the worker thread of task 'poller' [aglet-blocking-in-task]}}
    return arg;
}
static void *polite(void *arg) {
    aglet_sleep_ms(3); // no diagnostic: the task sleeps, the worker does not
    return arg;
}
static void *heavy(void *arg) {
    sleep(1); // no diagnostic: runs on the blocking pool
    return arg;
}
static void *offloads(void *arg) {
    void *result;
    aglet_run_blocking(heavy, arg, &result);
    return result;
}
static void *thread_body(void *arg) {
    sleep(1); // no diagnostic: not a task
    return arg;
}
int start(void);
int start(void) {
    aglet_task *a, *b, *c;
    if (aglet_spawn(&a, poller, 0) || aglet_spawn(&b, polite, 0) || aglet_spawn(&c, offloads, 0))
        return -1;
    aglet_join(a, 0);
    aglet_join(b, 0);
    aglet_join(c, 0);
    return thread_body(0) != 0;
}
