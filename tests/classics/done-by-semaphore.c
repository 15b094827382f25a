/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Completion told by a semaphore: the order of the two sides is unknown, so nothing is said. */
#include <pthread.h>
#include <semaphore.h>
#include <threads.h>

struct task {
    sem_t done;
    long result;
};

static void *run(void *arg)
{
    struct task *t = arg;
    t->result = 42;
    sem_post(&t->done);
    return NULL;
}

long waited(void)
{
    pthread_t thread;
    struct task t = {.result = 0};
    sem_init(&t.done, 0, 0);
    if (pthread_create(&thread, NULL, run, &t) != 0) // no diagnostic: the semaphore may order the two sides
        return -1;
    pthread_detach(thread);
    sem_wait(&t.done);
    return t.result;
}

/* Its semaphore stands elsewhere, one post for each of several threads. */
struct part {
    sem_t *done;
    long result;
};

static int run_part(void *arg)
{
    struct part *p = arg;
    p->result = 1;
    return sem_post(p->done);
}

long waited_for_all(struct part parts[4], sem_t *done)
{
    long sum = 0;
    for (int i = 0; i < 4; i++) {
        thrd_t thread;
        parts[i].done = done;
        if (thrd_create(&thread, run_part, &parts[i]) != thrd_success) // no diagnostic
            return -1;
        thrd_detach(thread);
    }
    for (int i = 0; i < 4; i++)
        while (sem_wait(done) != 0)
            ;
    for (int i = 0; i < 4; i++)
        sum += parts[i].result;
    return sum;
}

/* Wrong: nobody waits. */
long not_waited(struct task *t)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, t) != 0) // expected-warning {{'t->result' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    pthread_detach(thread);
    return t->result;
}
