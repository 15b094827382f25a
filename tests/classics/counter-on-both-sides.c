/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A counter that the parent and its thread both increment. */
#include <pthread.h>
#include <stdatomic.h>
#include <threads.h>

struct counter {
    long n;
};

static void *count(void *arg)
{
    struct counter *c = arg;
    for (int i = 0; i < 1000; i++)
        c->n++;
    return NULL;
}

long by_member(struct counter *c)
{
    pthread_t t;
    if (pthread_create(&t, NULL, count, c) != 0) // expected-warning {{'c->n' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    for (int i = 0; i < 1000; i++)
        c->n++;
    pthread_join(t, NULL);
    return c->n;
}

/* The counter itself is passed. */
static int count_plain(void *arg)
{
    long *n = (long *)arg;
    for (int i = 0; i < 1000; i++)
        *n += 1;
    return 0;
}

long by_address(void)
{
    thrd_t t;
    long n = 0;
    if (thrd_create(&t, count_plain, &n) != thrd_success) // expected-warning {{'n' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    n += 5;
    thrd_join(t, NULL);
    return n;
}

/* Through helpers on both sides, a struct in a struct, and a macro. */
struct statistics {
    struct {
        struct counter requests;
    } totals;
};
#define BUMP(counter) ((counter)->n++)

static void bump(struct statistics *s)
{
    BUMP(&s->totals.requests);
}

static void *bump_in_thread(void *arg)
{
    bump((struct statistics *)arg);
    return NULL;
}

int by_helpers(struct statistics *s)
{
    pthread_t t;
    if (pthread_create(&t, NULL, bump_in_thread, s)) // expected-warning {{'s->totals.requests.n' is used by both threads after this hand-off, unguarded [aglet-sync]}}
        return -1;
    bump(s);
    return pthread_join(t, NULL);
}

/* Mended: the counter is atomic, or counted after the join. */
static void *count_atomic(void *arg)
{
    atomic_long *n = arg;
    for (int i = 0; i < 1000; i++)
        (*n)++;
    return NULL;
}

long by_atomic(void)
{
    pthread_t t;
    atomic_long n = 0;
    if (pthread_create(&t, NULL, count_atomic, &n) != 0) // no diagnostic: atomic on both sides
        return -1;
    n++;
    pthread_join(t, NULL);
    return n;
}

long after_the_join(void)
{
    thrd_t t;
    long n = 0;
    if (thrd_create(&t, count_plain, &n) != thrd_success) // no diagnostic: lent, and back after the join
        return -1;
    thrd_join(t, NULL);
    n += 5;
    return n;
}
