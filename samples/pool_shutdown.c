/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Workers over one channel of jobs, told to stop in the middle of it by a watch: each ends the job it has, and what was not
 * begun is freed. Stands on aglet/channel.h, aglet/broadcast.h, aglet/select.h.
 *
 * Prints  all that was done came back, and no job was lost */
#include <aglet/broadcast.h>
#include <aglet/channel.h>
#include <aglet/executor.h>
#include <aglet/select.h>
#include <stdio.h>
#include <stdlib.h>

struct job {
    long number;
};

AGLET_CHANNEL(jobs, struct job *);
AGLET_CHANNEL(results, long);
AGLET_WATCH(stop, bool);

enum { WORKERS = 4, ENOUGH = 100 };

struct worker {
    jobs_shared_receiver todo;
    results_sender done;
    stop_receiver stop;
};

static void *work(void *arg) {
    struct worker *w = arg;
    long did = 0;
    for (;;) {
        struct job *job = NULL;
        bool now = false;
        struct aglet_case cases[] = {AGLET_CASE_LATEST(&w->stop, &now), AGLET_CASE_RECV(&w->todo, &job)};
        if (aglet_select(cases, 2, AGLET_FOREVER) != 1 || cases[1].result)
            break; /* told to stop, aborted, or no more jobs */
        long square = job->number * job->number;
        free(job);
        did++;
        if (results_send(&w->done, square))
            break;
    }
    jobs_shared_drop(&w->todo);
    results_drop(&w->done);
    stop_leave(&w->stop);
    return (void *)(intptr_t)did;
}

static void *produce(void *arg) {
    jobs_sender *todo = arg;
    long made = 0;
    for (;; made++) {
        struct job *job = malloc(sizeof *job);
        if (!job)
            break;
        job->number = made;
        if (jobs_send(todo, job)) { /* nobody is left to do it */
            free(job);
            break;
        }
    }
    jobs_drop(todo);
    return (void *)(intptr_t)made;
}

AGLET_MAIN(argc, argv) {
    static struct worker workers[WORKERS];
    static jobs_sender todo_tx;
    jobs_receiver todo_rx;
    results_sender done_tx;
    results_receiver done_rx;
    stop_sender stop;
    aglet_task *tasks[WORKERS], *producer;
    void *did, *made;
    long came = 0, sum = 0, left = 0, square;
    if (jobs_bounded(&todo_tx, &todo_rx, 8) || results_unbounded(&done_tx, &done_rx) || stop_open(&stop, 1))
        return 1;
    jobs_shared_receiver todo = jobs_share(&todo_rx);
    for (int i = 0; i < WORKERS; i++) {
        workers[i] =
            (struct worker){jobs_shared_clone(&todo), results_clone(&done_tx), stop_subscribe(&stop)};
        if (aglet_spawn(&tasks[i], work, &workers[i]))
            return 1;
    }
    results_drop(&done_tx);
    if (aglet_spawn(&producer, produce, &todo_tx))
        return 1;
    while (results_recv(&done_rx, &square) == 0) /* until the last worker has dropped its sender */
        if (++came == ENOUGH)
            (void)stop_send(&stop, true);
    for (int i = 0; i < WORKERS; i++) {
        (void)aglet_join(tasks[i], &did);
        sum += (long)(intptr_t)did;
    }
    jobs_shared_close(&todo); /* first: else each job that is taken out lets the producer put one in */
    for (struct job *job; jobs_shared_try_recv(&todo, &job) == 0; left++)
        free(job);
    jobs_shared_drop(&todo);
    (void)aglet_join(producer, &made);
    results_drop_receiver(&done_rx);
    stop_drop(&stop);
    bool right = came == sum && (long)(intptr_t)made == sum + left;
    printf("%s\n", right ? "all that was done came back, and no job was lost" : "lost");
    return !right;
}
