/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Completion told through a pipe: the order of the two sides is unknown, so nothing is said. */
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <threads.h>
#include <unistd.h>

struct task {
    int pipe[2];
    long result;
};

static void *run(void *arg)
{
    struct task *t = arg;
    t->result = 42;
    if (write(t->pipe[1], "", 1) != 1)
        return NULL;
    return arg;
}

long told(struct task *t)
{
    pthread_t thread;
    char c;
    if (pthread_create(&thread, NULL, run, t) != 0) // no diagnostic: what comes through the pipe may order the two sides
        return -1;
    pthread_detach(thread);
    while (read(t->pipe[0], &c, 1) != 1)
        ;
    return t->result;
}

/* The other end is closed, and an eventfd. */
static int run_and_close(void *arg)
{
    struct task *t = arg;
    t->result = 42;
    return close(t->pipe[1]);
}

long closed(struct task *t)
{
    thrd_t thread;
    char c;
    if (thrd_create(&thread, run_and_close, t) != thrd_success) // no diagnostic
        return -1;
    thrd_detach(thread);
    if (read(t->pipe[0], &c, 1) != 0)
        return -1;
    return t->result;
}

struct event {
    int fd;
    long result;
};

static void *run_event(void *arg)
{
    struct event *e = arg;
    e->result = 42;
    eventfd_write(e->fd, 1);
    return NULL;
}

long event_told(struct event *e)
{
    pthread_t thread;
    eventfd_t n;
    if (pthread_create(&thread, NULL, run_event, e) != 0) // no diagnostic
        return -1;
    pthread_detach(thread);
    eventfd_read(e->fd, &n);
    return e->result;
}

/* Wrong: the result is read first. */
long read_first(struct task *t)
{
    pthread_t thread;
    char c;
    if (pthread_create(&thread, NULL, run, t) != 0) // expected-warning {{'t->result' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    pthread_detach(thread);
    long result = t->result;
    return read(t->pipe[0], &c, 1) == 1 ? result : -1;
}
