/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Runs under ThreadSanitizer with the checked library as it is installed, not instrumented: two threads use plain
 * memory in turns, and only a once, a semaphore, a barrier or a reference count puts them in order. With `racy`
 * the barrier is left out, and that must be found. Stands on aglet.h. */
#include "aglet/aglet.h"

#include <string.h>

struct config {
    int limit;
};
struct job {
    int done[2];
};

static bool racy;
static AGLET_LAZY(struct config) config = AGLET_LAZY_INIT;
static aglet_semaphore filled;
static aglet_barrier both;
static int slot, halves[2], sum[2];

static void read_config(struct config *c) {
    c->limit = 7;
}

static int finished;

static void finish(struct job *j) {
    finished = j->done[0] + j->done[1];
}

static struct job *jobs;

static void work(int me) {
    struct job *mine = jobs;
    mine->done[me] = AGLET_LAZY_GET(&config, read_config)->limit;
    halves[me] = me + 1;
    if (!racy)
        aglet_barrier_wait(&both);
    sum[me] = halves[0] + halves[1];
    AGLET_ARC_DROP(mine);
}

static void *other(void *argument) {
    aglet_semaphore_take(&filled);
    slot++;
    work(1);
    return argument;
}

int main(int argc, char **argv) {
    racy = argc > 1 && strcmp(argv[1], "racy") == 0;
    aglet_semaphore_init(&filled, 0);
    aglet_barrier_init(&both, 2);
    jobs = AGLET_ARC_NEW(struct job, finish);
    (void)AGLET_ARC_KEEP(jobs);
    aglet_thread t;
    if (jobs == NULL || aglet_thread_spawn(&t, other, NULL) != 0)
        return 2;
    slot = 1;
    if (aglet_semaphore_give(&filled, 1) != 0)
        return 2;
    work(0);
    aglet_thread_join(&t, NULL);
    return slot == 2 && finished == 14 && (racy || (sum[0] == 3 && sum[1] == 3)) ? 0 : 1;
}
