/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* An async mutex held across waits: only one task at a time talks to the device. Stands on
 * aglet/async_mutex.h.
 *
 * Prints  200 */
#include <aglet/async_mutex.h>
#include <aglet/executor.h>
#include <stdio.h>

struct device {
    aglet_async_mutex mu;
    int value AGLET_GUARDED_BY(mu);
};

static struct device device;

static void *increment(void *arg) {
    for (int i = 0; i < 20; i++) {
        if (aglet_async_mutex_lock(&device.mu))
            break;
        int value = device.value;
        (void)aglet_yield(); /* the device takes its time; the lock stays ours */
        device.value = value + 1;
        aglet_async_mutex_unlock(&device.mu);
    }
    return arg;
}

AGLET_MAIN(argc, argv) {
    aglet_task *tasks[10];
    for (int i = 0; i < 10; i++)
        if (aglet_spawn(&tasks[i], increment, NULL))
            return 1;
    if (aglet_join_all(tasks, NULL, 10) || aglet_async_mutex_lock(&device.mu))
        return 1;
    int value = device.value;
    aglet_async_mutex_unlock(&device.mu);
    printf("%d\n", value);
    return value == 200 ? 0 : 1;
}
