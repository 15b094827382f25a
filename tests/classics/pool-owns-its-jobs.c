/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A pool that owns its jobs: put in under its lock, taken out under its lock, freed by the worker. */
#include <pthread.h>
#include <stdlib.h>

struct job {
    struct job *next;
    void (*run)(void *);
    void *argument;
    int priority;
};

struct pool {
    pthread_mutex_t mu;
    pthread_cond_t more;
    struct job *first, **last;
    int stop;
    int n;
    pthread_t thread[8];
};

static struct job *pool_take(struct pool *p)
{
    struct job *job;
    pthread_mutex_lock(&p->mu);
    while (!p->first && !p->stop)
        pthread_cond_wait(&p->more, &p->mu);
    job = p->first;
    if (job) {
        p->first = job->next;
        if (!p->first)
            p->last = &p->first;
    }
    pthread_mutex_unlock(&p->mu);
    return job;
}

static void *pool_worker(void *arg)
{
    struct pool *p = arg;
    struct job *job;
    while ((job = pool_take(p)) != NULL) {
        job->priority = 0;
        job->run(job->argument);
        free(job);
    }
    return NULL;
}

int pool_start(struct pool *p, int n)
{
    pthread_mutex_init(&p->mu, NULL);
    pthread_cond_init(&p->more, NULL);
    p->first = NULL;
    p->last = &p->first;
    p->stop = 0;
    for (p->n = 0; p->n < n; p->n++)
        if (pthread_create(&p->thread[p->n], NULL, pool_worker, p) != 0) // no diagnostic: what the workers touch is under the lock
            return -1;
    return 0;
}

void pool_put(struct pool *p, struct job *job)
{
    pthread_mutex_lock(&p->mu);
    job->next = NULL;
    *p->last = job;
    p->last = &job->next;
    pthread_cond_signal(&p->more);
    pthread_mutex_unlock(&p->mu);
}

int pool_run(struct pool *p, void (*run)(void *), void *argument)
{
    struct job *job = malloc(sizeof *job);
    if (!job)
        return -1;
    job->run = run;
    job->argument = argument;
    job->priority = 1;
    pool_put(p, job); // no diagnostic: the pool owns it now
    return 0;
}

void pool_stop(struct pool *p)
{
    pthread_mutex_lock(&p->mu);
    p->stop = 1;
    pthread_cond_broadcast(&p->more);
    pthread_mutex_unlock(&p->mu);
    for (int i = 0; i < p->n; i++)
        pthread_join(p->thread[i], NULL);
    while (p->first) { // no diagnostic: no thread is left
        struct job *job = p->first;
        p->first = job->next;
        free(job);
    }
    pthread_cond_destroy(&p->more);
    pthread_mutex_destroy(&p->mu);
}

/* Wrong: the job is looked at when a worker may have freed it. */
int pool_run_and_look(struct pool *p, void (*run)(void *), void *argument)
{
    struct job *job = malloc(sizeof *job);
    if (!job)
        return -1;
    job->run = run;
    job->argument = argument;
    job->priority = 1;
    pool_put(p, job);
    return job->priority; // expected-warning {{'job->priority' is read after it was given to another thread [aglet-use-after-send]}}
}

static void add_up(void *argument)
{
    long *sum = argument;
    (*sum)++;
}

int use_pool(struct pool *p, long *sum)
{
    return pool_run(p, add_up, sum) + pool_run_and_look(p, add_up, sum);
}
