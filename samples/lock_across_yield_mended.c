/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The mended twin of lock_across_yield.c, both ways: the thread lock is given up before the wait, and where a
 * lock must be held across it, it is an async one. Stands on aglet/executor.h.
 *
 * Prints  5 hits */
#include <aglet/async_mutex.h>
#include <aglet/executor.h>
#include <aglet/mutex.h>
#include <stdio.h>

struct cache {
    aglet_mutex mu;
    int hits AGLET_GUARDED_BY(mu);
    aglet_async_mutex server; /* one request at a time */
};

static struct cache cache;

static void *refresh(void *arg) {
    (void)arg;
    aglet_mutex_lock(&cache.mu);
    cache.hits++;
    aglet_mutex_unlock(&cache.mu);
    if (aglet_async_mutex_lock(&cache.server))
        return NULL;
    (void)aglet_sleep_ms(1);
    aglet_async_mutex_unlock(&cache.server);
    return NULL;
}

static void *refresh_all(void *arg) {
    (void)arg;
    AGLET_GROUP(all);
    for (int i = 0; i < 5; i++)
        (void)aglet_group_spawn(&all, refresh, NULL);
    return NULL;
}

int main(void) {
    if (aglet_run(NULL, refresh_all, NULL, NULL))
        return 1;
    printf("%d hits\n", cache.hits);
    return cache.hits == 5 ? 0 : 1;
}
