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
static void nap(int n) {
    (void)n;
    sleep(1); // expected-warning {{'sleep' may block the worker thread of task 'visits' [aglet-blocking-in-task]}}
}
static void add_up(int n) {
    static int sum;
    sum += n;
}
static void each(void (*visit)(int), int n) {
    for (int i = 0; i < n; i++)
        visit(i); // no diagnostic: not every callback blocks, and who hands one over says which
}
static void *visits(void *arg) {
    each(add_up, 3);
    each(nap, 3);
    return arg;
}
static void *visits_politely(void *arg) {
    each(add_up, 3); // no diagnostic: this one does not block
    return arg;
}
static void *thread_body(void *arg) {
    sleep(1); // no diagnostic: not a task
    return arg;
}
int start(void);
int start(void) {
    aglet_task *a, *b, *c, *d, *e;
    if (aglet_spawn(&a, poller, 0) || aglet_spawn(&b, polite, 0) || aglet_spawn(&c, offloads, 0) || aglet_spawn(&d, visits, 0) ||
        aglet_spawn(&e, visits_politely, 0))
        return -1;
    aglet_join(a, 0);
    aglet_join(b, 0);
    aglet_join(c, 0);
    aglet_join(d, 0);
    aglet_join(e, 0);
    return thread_body(0) != 0;
}
