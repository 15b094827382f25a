/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Parent and thread touch different members. */
#include <pthread.h>
#include <stdlib.h>
#include <threads.h>

struct side {
    long reads, writes;
};
struct both {
    struct side parent, thread;
    int slots[2];
};

static void work(struct side *s)
{
    s->reads++;
    s->writes++;
}

static void *thread_side(void *arg)
{
    struct both *b = arg;
    work(&b->thread);
    b->slots[1] = 1;
    return NULL;
}

int each_its_own(struct both *b)
{
    pthread_t t;
    if (pthread_create(&t, NULL, thread_side, b) != 0) // no diagnostic: each side has its own members
        return -1;
    work(&b->parent);
    b->slots[0] = 1;
    return pthread_join(t, NULL);
}

/* Wrong: one of them is the same. */
int the_same(struct both *b)
{
    pthread_t t;
    if (pthread_create(&t, NULL, thread_side, b) != 0) // expected-warning {{'b->thread.reads' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    work(&b->parent);
    b->thread.reads = 0;
    return pthread_join(t, NULL);
}

int the_same_slot(struct both *b)
{
    pthread_t t;
    if (pthread_create(&t, NULL, thread_side, b) != 0) // expected-warning {{'b->slots[1]' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    b->slots[1] = 2;
    return pthread_join(t, NULL);
}

/* Two threads, a member each. */
static int run_side(void *arg)
{
    work(arg);
    return 0;
}

int a_thread_each(struct both *b)
{
    thrd_t one, two;
    if (thrd_create(&one, run_side, &b->parent) != thrd_success) // no diagnostic: one member
        return -1;
    if (thrd_create(&two, run_side, &b->thread) != thrd_success) // no diagnostic: the other one
        abort();
    thrd_join(one, NULL);
    thrd_join(two, NULL);
    return 0;
}

/* Wrong: the same member twice. */
int the_same_twice(struct both *b)
{
    thrd_t one, two;
    if (thrd_create(&one, run_side, &b->parent) != thrd_success) // expected-warning {{'b->parent.reads' is shared by several threads with nothing to guard it [aglet-sync]}} expected-warning {{'b->parent.writes' is shared by several threads with nothing to guard it [aglet-sync]}}
        return -1;
    if (thrd_create(&two, run_side, &b->parent) != thrd_success) // expected-note 2 {{handed to another thread here too}}
        abort();
    thrd_join(one, NULL);
    thrd_join(two, NULL);
    return 0;
}
