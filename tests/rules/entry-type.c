/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* entry-type: entry functions that take their argument for something else. */
#include <pthread.h>

struct job {
    int id;
    char *text;
};
struct request {
    char *url;
    int port;
};
struct special_job {
    struct job job;
    int extra;
};

static void *run_job(void *arg)
{
    struct job *job = arg;
    return job->text;
}

int right_type(struct job *job, pthread_t *t)
{
    return pthread_create(t, NULL, run_job, job); // no diagnostic: the same type
}

int wrong_type(struct request *request, pthread_t *t)
{
    return pthread_create(t, NULL, run_job, request); // expected-warning {{'run_job' is passed a 'struct request *', and takes it for another type [aglet-entry-type]}}
}

int begins_with_it(struct special_job *job, pthread_t *t)
{
    return pthread_create(t, NULL, run_job, job); // no diagnostic: a special job begins with a job
}

int hidden(void *job, pthread_t *t)
{
    return pthread_create(t, NULL, run_job, job); // no diagnostic: the type is not known here
}

int address_of_pointer(struct job *job, pthread_t *t)
{
    return pthread_create(t, NULL, run_job, &job->text); // expected-warning {{'run_job' is passed a 'char **', and takes it for another type [aglet-entry-type]}}
}
