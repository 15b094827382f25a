/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Sleeping one after another, side by side, and a join of many tasks. Stands on aglet/executor.h.
 *
 * Prints  three naps in turn: at least 60 ms, ten together: at least 20 ms, results add up to 45 */
#include <aglet/executor.h>
#include <stdio.h>

static void *nap(void *arg) {
    (void)aglet_sleep_ms(20);
    return arg;
}

AGLET_MAIN(argc, argv) {
    aglet_task *tasks[10];
    void *results[10];
    long sum = 0;

    aglet_time began = aglet_now();
    for (int i = 0; i < 3; i++)
        nap(NULL);
    long one_by_one = (long)((aglet_now() - began) / 1000000);

    began = aglet_now();
    for (intptr_t i = 0; i < 10; i++)
        if (aglet_spawn(&tasks[i], nap, (void *)i))
            return 1;
    if (aglet_join_all(tasks, results, 10))
        return 1;
    long together = (long)((aglet_now() - began) / 1000000);
    for (int i = 0; i < 10; i++)
        sum += (long)(intptr_t)results[i];
    printf("three naps in turn: at least 60 ms, ten together: at least 20 ms, results add up to %ld\n", sum);
    return one_by_one >= 60 && together >= 20 && together < 200 && sum == 45 ? 0 : 1;
}
