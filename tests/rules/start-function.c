/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Threads started through a start function that calls another with its argument. */
#include <pthread.h>
#include <stdlib.h>

struct thread {
    pthread_t handle;
    void (*routine)(void *);
    void *arg;
};

static void *start_routine(void *arg)
{
    struct thread *self = arg;
    self->routine(self->arg);
    return NULL;
}

static void thread_init(struct thread *self, void (*routine)(void *), void *arg)
{
    self->routine = routine;
    self->arg = arg;
    if (pthread_create(&self->handle, NULL, start_routine, self) != 0)
        abort();
}

static void thread_term(struct thread *self)
{
    if (pthread_join(self->handle, NULL) != 0)
        abort();
}

struct copier {
    int from, to;
    long copied;
};

static void copy(void *arg)
{
    struct copier *c = arg;
    c->copied += c->from + c->to;
}

long both(int a, int b)
{
    struct thread t1, t2;
    struct copier there = {a, b, 0}, back = {b, a, 0};
    thread_init(&t1, copy, &there); // no diagnostic: joined below
    thread_init(&t2, copy, &back);
    thread_term(&t1);
    thread_term(&t2);
    return there.copied + back.copied;
}

long too_late(int a, int b)
{
    struct thread t;
    struct copier c = {a, 0, 0};
    thread_init(&t, copy, &c); // expected-warning {{'c.to' is used by both threads after this hand-off, unguarded [aglet-sync]}}
    c.to = b;
    thread_term(&t);
    return c.copied;
}

long too_early(int a, int b)
{
    struct thread t;
    struct copier c = {a, b, 0};
    thread_init(&t, copy, &c); // expected-warning {{'c.copied' is used by both threads after this hand-off, unguarded [aglet-sync]}}
    long copied = c.copied;
    thread_term(&t);
    return copied;
}

void never_joined(int a, int b)
{
    static struct thread t;
    struct copier c = {a, b, 0};
    thread_init(&t, copy, &c); // expected-warning {{local 'c' may die while the other thread still uses it [aglet-stack-escape]}}
}

struct start {
    void *(*run)(void *);
    void *data;
};

static void *trampoline(void *arg)
{
    struct start *s = arg;
    void *(*run)(void *) = s->run;
    void *data = s->data;
    free(s);
    return run(data);
}

static int spawn(pthread_t *t, void *(*run)(void *), void *data)
{
    struct start *s = malloc(sizeof *s);
    if (!s)
        return -1;
    s->run = run;
    s->data = data;
    if (pthread_create(t, NULL, trampoline, s) != 0) {
        free(s);
        return -1;
    }
    return 0;
}

static void *consume(void *arg)
{
    struct copier *c = arg;
    c->copied++;
    free(c);
    return NULL;
}

int given(pthread_t *t)
{
    struct copier *c = calloc(1, sizeof *c);
    if (!c)
        return -1;
    if (spawn(t, consume, c) != 0) {
        free(c); // no diagnostic: no thread was started
        return -1;
    }
    return 0;
}

long given_and_read(pthread_t *t)
{
    struct copier *c = calloc(1, sizeof *c);
    if (!c)
        return -1;
    if (spawn(t, consume, c) != 0) {
        free(c);
        return -1;
    }
    return c->copied; // expected-warning {{'c->copied' is read after it was given to another thread [aglet-use-after-send]}}
}
