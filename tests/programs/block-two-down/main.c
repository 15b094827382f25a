/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Tasks that call it, directly and through the pool for blocking calls. */
#include "fetch.h"
#include <aglet/blocking.h>
#include <aglet/executor.h>
#include <aglet/task.h>

static int sockets[2];

static void *waits(void *arg) {
    char buffer[64];
    (void)arg;
    fetch(sockets[0], buffer, sizeof buffer); // no diagnostic: reported where it passes no flag
    return NULL;
}
static void *polls(void *arg) {
    char buffer[64];
    (void)arg;
    fetch_now(sockets[0], buffer, sizeof buffer); // no diagnostic: MSG_DONTWAIT, two calls down
    fetch_ready(sockets[0], buffer, sizeof buffer); // no diagnostic: poll with a timeout of zero
    return NULL;
}
static void *in_pool(void *arg) {
    char buffer[64];
    (void)arg;
    fetch(sockets[1], buffer, sizeof buffer); // no diagnostic: on a thread that may wait
    return NULL;
}
static void *hops(void *arg) {
    void *result;
    aglet_run_blocking(in_pool, arg, &result);
    return result;
}
AGLET_MAIN(argc, argv) {
    aglet_task *tasks[3];
    (void)argc;
    (void)argv;
    if (aglet_spawn(&tasks[0], waits, NULL) || aglet_spawn(&tasks[1], polls, NULL) || aglet_spawn(&tasks[2], hops, NULL))
        return 1;
    return aglet_join_all(tasks, NULL, 3);
}
