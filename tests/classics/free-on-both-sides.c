/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* free(job) by the sender, when the entry frees it too. */
#include <pthread.h>
#include <stdlib.h>
#include <threads.h>

struct job {
    int fd;
    char *text;
};

static void job_free(struct job *job)
{
    free(job->text);
    free(job);
}

static void *run(void *arg)
{
    struct job *job = arg;
    job->fd = -1;
    job_free(job);
    return NULL;
}

int after_the_start(struct job *job)
{
    pthread_t t;
    if (pthread_create(&t, NULL, run, job) != 0) {
        job_free(job);
        return -1;
    }
    pthread_detach(t);
    job_free(job); // expected-warning {{[aglet-use-after-send]}}
    return 0;
}

/* Even after the join. */
int after_the_join(struct job *job)
{
    pthread_t t;
    if (pthread_create(&t, NULL, run, job) != 0)
        return -1;
    pthread_join(t, NULL);
    free(job); // expected-warning {{'job' is freed after it was given to another thread [aglet-use-after-send]}}
    return 0;
}

/* On the common way out. */
static int run_c11(void *arg)
{
    struct job *job = arg;
    free(job);
    return 0;
}

int common_exit(int fd)
{
    int error = -1;
    thrd_t t;
    struct job *job = calloc(1, sizeof *job);
    if (!job)
        return -1;
    job->fd = fd;
    if (thrd_create(&t, run_c11, job) == thrd_success) {
        thrd_detach(t);
        error = 0;
    }
    free(job); // expected-warning {{'job' is freed after it was given to another thread [aglet-use-after-send]}}
    return error;
}

/* Mended: only where no thread was started. */
int where_it_failed(int fd)
{
    int error = -1;
    thrd_t t;
    struct job *job = calloc(1, sizeof *job);
    if (!job)
        return -1;
    job->fd = fd;
    if (thrd_create(&t, run_c11, job) == thrd_success) {
        thrd_detach(t);
        error = 0;
    } else {
        free(job); // no diagnostic: it is still ours
    }
    return error;
}

/* Mended: the entry leaves it alone. */
static void *run_borrowed(void *arg)
{
    struct job *job = arg;
    job->fd = -1;
    return NULL;
}

int freed_after_the_join(struct job *job)
{
    pthread_t t;
    if (pthread_create(&t, NULL, run_borrowed, job) != 0)
        return -1;
    pthread_join(t, NULL);
    job_free(job); // no diagnostic: lent, and back
    return 0;
}
