/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong: two tasks take two async locks in opposite orders, one of them without the outer one that makes it harmless.
 * Finds: lock-order. The twin takes the outer lock both times, and no deadlock is possible. Only with Aglet's API. */
#include "form.h"
#include "aglet/async_mutex.h"
#include "aglet/executor.h"

static aglet_async_mutex outer, a, b;

static void take(aglet_async_mutex *mu) {
    if (aglet_async_mutex_lock(mu))
        abort();
    (void)aglet_yield();
}

static void *a_then_b(void *argument) {
    take(&outer);
    take(&a);
    take(&b);
    aglet_async_mutex_unlock(&b);
    aglet_async_mutex_unlock(&a);
    aglet_async_mutex_unlock(&outer);
    return argument;
}

static void *b_then_a(void *argument) {
    if (mended)
        take(&outer);
    take(&b);
    take(&a);
    aglet_async_mutex_unlock(&a);
    aglet_async_mutex_unlock(&b);
    if (mended)
        aglet_async_mutex_unlock(&outer);
    return argument;
}

static void *work(void *argument) {
    aglet_task_fn *const run[] = {a_then_b, b_then_a};
    for (int i = 0; i < 2; i++) {
        aglet_task *task;
        if (aglet_spawn(&task, run[i], NULL) || aglet_join(task, NULL))
            abort();
    }
    return argument;
}

int main(void) {
    return aglet_run(NULL, work, NULL, NULL);
}
