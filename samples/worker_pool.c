/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A pool of worker threads over one channel with many consumers; results come back through another.
 * Stands on aglet/channel.h and aglet/thread.h.
 *
 * Prints  2686700 */
#include <aglet/channel.h>
#include <aglet/thread.h>
#include <stdio.h>

struct job {
    int number;
    long square;
};

AGLET_CHANNEL(jobs, struct job *);

enum { WORKERS = 4, JOBS = 200 };

struct worker {
    jobs_shared_receiver todo;
    jobs_sender done;
};

static void *work(void *arg) {
    struct worker *w = arg;
    struct job *job;
    while (jobs_shared_recv(&w->todo, &job) == 0) {
        job->square = (long)job->number * job->number;
        if (jobs_send(&w->done, job))
            break;
    }
    jobs_shared_drop(&w->todo);
    jobs_drop(&w->done);
    return NULL;
}

int main(void) {
    jobs_sender todo_tx, done_tx;
    jobs_receiver todo_rx, done_rx;
    struct worker workers[WORKERS];
    aglet_thread threads[WORKERS];
    static struct job jobs[JOBS];
    if (jobs_bounded(&todo_tx, &todo_rx, 16) || jobs_unbounded(&done_tx, &done_rx))
        return 1;
    jobs_shared_receiver todo = jobs_share(&todo_rx);
    for (int i = 0; i < WORKERS; i++) {
        workers[i].todo = jobs_shared_clone(&todo);
        workers[i].done = jobs_clone(&done_tx);
        if (aglet_thread_spawn(&threads[i], work, &workers[i]))
            return 1;
    }
    jobs_shared_drop(&todo);
    jobs_drop(&done_tx);
    for (int i = 1; i <= JOBS; i++)
        jobs[i - 1].number = i;
    for (int i = 1; i <= JOBS; i++) {
        if (jobs_send(&todo_tx, &jobs[i - 1]))
            return 1;
    }
    jobs_drop(&todo_tx);
    long sum = 0;
    struct job *job;
    while (jobs_recv(&done_rx, &job) == 0) {
        sum += job->square;
    }
    jobs_drop_receiver(&done_rx);
    for (int i = 0; i < WORKERS; i++)
        (void)aglet_thread_join(&threads[i], NULL);
    printf("%ld\n", sum);
    return sum == 2686700 ? 0 : 1;
}
