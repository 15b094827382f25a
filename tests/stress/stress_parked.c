/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A million stackless tasks parked at once in 512 MiB of address space; then all are aborted, and each must
 * end. Stands on the public headers.
 *
 *   stress_parked [SECONDS]      takes what it takes; prints the bytes per task */
#include "aglet/executor.h"
#include "aglet/stackless.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { TASKS = 1000000 };

struct sleeper {
    AGLET_FRAME_HEADER;
    long *ended;
    int error;
};

AGLET_STACKLESS(sleeper, struct sleeper) {
    AGLET_BEGIN(f);
    AGLET_AWAIT(f, f->error, aglet_sleep_poll(&f->aglet_, aglet_after_ms(3600000)));
    *f->ended += f->error == -ECANCELED;
    AGLET_END(f);
}

static long resident(void) {
    long pages = 0, skip;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%ld %ld", &skip, &pages) != 2)
        abort();
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

static void *body(void *arg) {
    aglet_task **tasks = arg;
    long ended = 0, before = resident();
    for (long i = 0; i < TASKS; i++)
        if (sleeper_spawn(&tasks[i], (struct sleeper){.ended = &ended}) != 0) {
            fprintf(stderr, "stress_parked: no memory for task %ld\n", i);
            exit(1);
        }
    (void)aglet_sleep_ms(100); /* each has its turn, and parks */
    long bytes = (resident() - before) / TASKS;
    printf("%ld bytes per parked task, its handle included\n", bytes);
    for (long i = 0; i < TASKS; i++)
        aglet_abort(tasks[i]);
    for (long i = 0; i < TASKS; i++)
        (void)aglet_join(tasks[i], NULL);
    if (ended != TASKS)
        fprintf(stderr, "stress_parked: only %ld tasks saw their abort\n", ended);
    return (void *)(intptr_t)(ended != TASKS || bytes > 256);
}

int main(void) {
    struct rlimit limit = {512L << 20, 512L << 20};
    if (setrlimit(RLIMIT_AS, &limit) != 0)
        return 1;
    static aglet_task *tasks[TASKS];
    struct aglet_executor_options options = {.current_thread = true};
    void *wrong = NULL;
    int error = aglet_run(&options, body, tasks, &wrong);
    return error || wrong;
}
