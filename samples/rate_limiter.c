/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A rate limiter: a semaphore whose permits a timer puts in, up to a burst. Stands on aglet/async_semaphore.h and the
 * intervals of aglet/task.h.
 *
 * Prints  20 requests, 4 clients, at the rate */
#include <aglet/async_semaphore.h>
#include <aglet/executor.h>
#include <stdio.h>

enum { CLIENTS = 4, REQUESTS = 20, BURST = 3, EVERY_MS = 5 };

static void *fill(void *arg) {
    aglet_async_semaphore *permits = arg;
    aglet_interval every = aglet_interval_ms(EVERY_MS);
    while (aglet_interval_next(&every) == 0)
        if (aglet_async_semaphore_permits(permits) < BURST)
            aglet_async_semaphore_give(permits, 1);
    return NULL;
}

static void *ask(void *arg) {
    aglet_async_semaphore *permits = arg;
    for (int i = 0; i < REQUESTS / CLIENTS; i++)
        if (aglet_async_semaphore_take(permits, AGLET_FOREVER))
            return NULL;
    return arg;
}

AGLET_MAIN(argc, argv) {
    static aglet_async_semaphore permits = AGLET_ASYNC_SEMAPHORE_INIT(BURST);
    aglet_task *filler, *clients[CLIENTS];
    void *done[CLIENTS];
    int all = 0;
    aglet_time began = aglet_now();
    if (aglet_spawn(&filler, fill, &permits))
        return 1;
    for (int i = 0; i < CLIENTS; i++)
        if (aglet_spawn(&clients[i], ask, &permits))
            return 1;
    if (aglet_join_all(clients, done, CLIENTS))
        return 1;
    int64_t took_ms = (aglet_now() - began) / 1000000;
    aglet_abort(filler);
    (void)aglet_join(filler, NULL);
    for (int i = 0; i < CLIENTS; i++)
        all += done[i] != NULL;
    printf("%d requests, %d clients, %s\n", REQUESTS, all,
           took_ms >= (REQUESTS - BURST - 1) * EVERY_MS ? "at the rate" : "too fast");
    return all == CLIENTS ? 0 : 1;
}
