/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Spawn and join: threads that each compute something, and give it to whoever joins them; then the same with
 * tasks. Stands on aglet/thread.h and aglet/executor.h.
 *
 * Prints  threads 14, tasks 14 */
#include <aglet/executor.h>
#include <aglet/thread.h>
#include <stdio.h>

enum { WORKERS = 4 };

static void *square(void *arg) {
    long n = (long)(intptr_t)arg;
    return (void *)(intptr_t)(n * n);
}

static void *with_tasks(void *arg) {
    aglet_task *tasks[WORKERS];
    void *results[WORKERS];
    long sum = 0;
    (void)arg;
    for (long i = 0; i < WORKERS; i++)
        if (aglet_spawn(&tasks[i], square, (void *)(intptr_t)i))
            return NULL;
    if (aglet_join_all(tasks, results, WORKERS))
        return NULL;
    for (int i = 0; i < WORKERS; i++)
        sum += (long)(intptr_t)results[i];
    return (void *)(intptr_t)sum;
}

int main(void) {
    aglet_thread threads[WORKERS];
    long sum = 0;
    void *tasks = NULL;
    for (long i = 0; i < WORKERS; i++)
        if (aglet_thread_spawn(&threads[i], square, (void *)(intptr_t)i))
            return 1;
    for (int i = 0; i < WORKERS; i++) {
        void *result;
        if (aglet_thread_join(&threads[i], &result))
            return 1;
        sum += (long)(intptr_t)result;
    }
    if (aglet_run(NULL, with_tasks, NULL, &tasks))
        return 1;
    printf("threads %ld, tasks %ld\n", sum, (long)(intptr_t)tasks);
    return sum == 14 && (intptr_t)tasks == 14 ? 0 : 1;
}
