/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A local that a detached thread outlives. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>

struct request {
    int fd;
    char path[64];
};

static void *answer(void *arg)
{
    struct request *r = arg;
    return r->fd && r->path[0] ? arg : NULL;
}

int detached(int fd)
{
    pthread_t t;
    struct request r = {.fd = fd};
    if (pthread_create(&t, NULL, answer, &r) != 0) // expected-warning {{local 'r' may die while the other thread still uses it [aglet-stack-escape]}}
        return -1;
    pthread_detach(t);
    return 0;
}

/* Its member, through a pointer to it, in C11's threads, filled by a helper. */
static int answer_path(void *arg)
{
    const char *path = arg;
    return path[0];
}

static void fill(struct request *r, int fd)
{
    memset(r, 0, sizeof *r);
    r->fd = fd;
}

int detached_member(int fd)
{
    thrd_t t;
    struct request r, *p = &r;
    fill(p, fd);
    if (thrd_create(&t, answer_path, p->path) != thrd_success) // expected-warning {{local 'r' may die while the other thread still uses it [aglet-stack-escape]}}
        return -1;
    return thrd_detach(t);
}

/* A local of an inner block, joined after the block. */
int inner_block(int fd)
{
    pthread_t t;
    {
        struct request r = {.fd = fd};
        if (pthread_create(&t, NULL, answer, &r) != 0) // expected-warning {{local 'r' may die while the other thread still uses it [aglet-stack-escape]}}
            return -1;
    }
    return pthread_join(t, NULL);
}

/* A parameter is a local, too. */
static void *answer_number(void *arg)
{
    return *(int *)arg ? arg : NULL;
}

int parameter(int fd)
{
    pthread_t t;
    if (pthread_create(&t, NULL, answer_number, &fd) != 0) // expected-warning {{local 'fd' may die while the other thread still uses it [aglet-stack-escape]}}
        return -1;
    return pthread_detach(t);
}

/* A compound literal lives as long as its block. */
int literal(int fd)
{
    pthread_t t;
    if (pthread_create(&t, NULL, answer, &(struct request){.fd = fd}) != 0) // expected-warning {{may die while the other thread still uses it [aglet-stack-escape]}}
        return -1;
    return pthread_detach(t);
}

/* Mended: joined, or on the heap. */
int joined(int fd)
{
    pthread_t t;
    struct request r = {.fd = fd};
    if (pthread_create(&t, NULL, answer, &r) != 0) // no diagnostic: joined before it dies
        return -1;
    return pthread_join(t, NULL);
}

static void *answer_and_free(void *arg)
{
    struct request *r = arg;
    int fd = r->fd;
    free(r);
    return fd ? &r : NULL;
}

int on_the_heap(int fd)
{
    pthread_t t;
    struct request *r = malloc(sizeof *r);
    if (!r)
        return -1;
    fill(r, fd);
    if (pthread_create(&t, NULL, answer_and_free, r) != 0) { // no diagnostic: the thread owns it
        free(r);
        return -1;
    }
    return pthread_detach(t);
}
