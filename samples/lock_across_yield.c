/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Wrong on purpose: a task sleeps while it holds a thread lock. Every other task of its worker that wants the
 * lock then waits for a thread that waits for it. The checked library says where the lock was taken and where
 * the task sleeps. Mended in lock_across_yield_mended.c. Stands on aglet/executor.h.
 *
 * Lint   lock-across-yield
 * Run    release exits 0
 * Run    checked exits 66 reports lock-across-yield */
#include <aglet/executor.h>
#include <aglet/mutex.h>
#include <stdio.h>

struct cache {
    aglet_mutex mu;
    int hits AGLET_GUARDED_BY(mu);
};

static struct cache cache;

static void *refresh(void *arg) {
    (void)arg;
    aglet_mutex_lock(&cache.mu);
    cache.hits++;
    /* Stands for "ask the server": the task is suspended here, the lock stays with the thread. */
    (void)aglet_sleep_ms(5);
    aglet_mutex_unlock(&cache.mu);
    return NULL;
}

int main(void) {
    aglet_mutex_init_named(&cache.mu, "cache.mu");
    if (aglet_run(&(struct aglet_executor_options){.current_thread = true}, refresh, NULL, NULL))
        return 1;
    aglet_mutex_lock(&cache.mu);
    printf("%d hit\n", cache.hits);
    aglet_mutex_unlock(&cache.mu);
    return 0;
}
