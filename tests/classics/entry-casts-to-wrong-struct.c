/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The entry function takes its argument for another struct than was passed. */
#include <pthread.h>
#include <stdlib.h>
#include <threads.h>

typedef struct {
    int fd;
    char *path;
} request;

typedef struct {
    long long deadline;
    request *first;
} queue;

static void *answer(void *arg)
{
    request *r = (request *)arg;
    return r->path;
}

int wrong(queue *q, pthread_t *t)
{
    return pthread_create(t, NULL, answer, q); // expected-warning {{'answer' is passed a 'queue *', and takes it for another type [aglet-entry-type]}}
}

/* The pointer's address is passed, not the pointer. */
int address_of_the_pointer(queue *q, pthread_t *t)
{
    return pthread_create(t, NULL, answer, &q); // expected-warning {{'answer' is passed a 'queue **', and takes it for another type [aglet-entry-type]}} expected-warning {{local 'q' may die while the other thread still uses it [aglet-stack-escape]}}
}

int address_of_the_right_pointer(request *r, pthread_t *t)
{
    return pthread_create(t, NULL, answer, &r); // expected-warning {{'answer' is passed a 'request **', and takes it for another type [aglet-entry-type]}} expected-warning {{local 'r' may die while the other thread still uses it [aglet-stack-escape]}}
}

/* Cast without a variable, through a helper, in C11's threads. */
static int answer_at_once(void *arg)
{
    return ((request *)arg)->fd;
}

static int start(thrd_t *t, queue *q)
{
    return thrd_create(t, answer_at_once, q); // expected-warning {{'answer_at_once' is passed a 'queue *', and takes it for another type [aglet-entry-type]}}
}

int through_a_helper(thrd_t *t, queue *q)
{
    return start(t, q);
}

/* Mended: the type that the entry expects, or one that begins with it. */
typedef struct {
    request base;
    int retries;
} retried_request;

int right(request *r, pthread_t *t)
{
    return pthread_create(t, NULL, answer, r); // no diagnostic
}

int begins_with_it(retried_request *r, pthread_t *t)
{
    return pthread_create(t, NULL, answer, r); // no diagnostic
}

int its_first_member(retried_request *r, pthread_t *t)
{
    return pthread_create(t, NULL, answer, &r->base); // no diagnostic
}
