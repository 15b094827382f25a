/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* unjoined: threads that nobody joins or detaches, or that are joined twice. */
#include <aglet/annotations.h>
#include <pthread.h>
#include <stdlib.h>

static int done;

static void *work(void *arg)
{
    return arg;
}

static void *forever(void *arg)
{
    for (;;)
        done = arg != NULL;
}

static void *detaches_itself(void *arg)
{
    pthread_detach(pthread_self());
    return arg;
}

int forgotten(void)
{
    pthread_t t;
    return pthread_create(&t, NULL, work, NULL); // expected-warning {{thread 't' is neither joined nor detached [aglet-unjoined]}}
}

int forgotten_on_one_way(int n)
{
    pthread_t t;
    if (pthread_create(&t, NULL, work, NULL) != 0) // expected-warning {{thread 't' is joined or detached on some ways only [aglet-unjoined]}}
        return -1;
    if (n < 0)
        return -1;
    return pthread_join(t, NULL);
}

int joined(void)
{
    pthread_t t;
    if (pthread_create(&t, NULL, work, NULL) != 0) // no diagnostic: joined where it was started
        return -1;
    return pthread_join(t, NULL);
}

int detached(void)
{
    pthread_t t;
    if (pthread_create(&t, NULL, work, NULL) != 0) // no diagnostic: detached
        return -1;
    return pthread_detach(t);
}

int born_detached(pthread_attr_t *attributes)
{
    pthread_t t;
    return pthread_create(&t, attributes, work, NULL); // no diagnostic: its attributes may say so
}

int daemon_thread(void)
{
    pthread_t t;
    return pthread_create(&t, NULL, forever, NULL); // no diagnostic: it never ends
}

int detached_by_itself(void)
{
    pthread_t t;
    return pthread_create(&t, NULL, detaches_itself, NULL); // no diagnostic: it detaches itself
}

int kept(pthread_t *out)
{
    pthread_t t;
    if (pthread_create(&t, NULL, work, NULL) != 0)
        return -1;
    *out = t; // no diagnostic: the caller has it
    return 0;
}

int twice(void)
{
    pthread_t t;
    if (pthread_create(&t, NULL, work, NULL) != 0)
        return -1;
    pthread_join(t, NULL);
    return pthread_join(t, NULL); // expected-warning {{thread 't' is joined a second time [aglet-unjoined]}}
}

int again(void)
{
    pthread_t t;
    for (int i = 0; i < 4; i++) {
        if (pthread_create(&t, NULL, work, NULL) != 0)
            return -1;
        pthread_join(t, NULL); // no diagnostic: another thread each turn
    }
    return 0;
}

void an_array(void)
{
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            abort();
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL); // no diagnostic: one each
}

static void join_it(pthread_t t)
{
    pthread_join(t, NULL);
}

void twice_through_a_helper(void)
{
    pthread_t t;
    if (pthread_create(&t, NULL, work, NULL) != 0)
        return;
    pthread_join(t, NULL);
    join_it(t); // expected-warning {{thread 't' is joined a second time [aglet-unjoined]}}
}

int start_it(pthread_t *t);
static int start_through(pthread_t *t)
{
    return start_it(t);
}

void started_again(void)
{
    pthread_t t;
    if (start_through(&t) != 0)
        return;
    pthread_join(t, NULL);
    if (start_through(&t) != 0)
        return;
    pthread_join(t, NULL); // no diagnostic: another thread, started by code nobody sees
}

struct crew {
    void *members;
};
int crew_start(struct crew *c, void *(*entry)(void *), void *arg) AGLET_SPAWNS(entry, arg);
int crew_join(struct crew *c) AGLET_JOINS(c);

static void crew_end(struct crew *c)
{
    (void)crew_join(c);
}

int joined_by_hand_too(int value)
{
    struct crew crew __attribute__((cleanup(crew_end))) = {NULL};
    for (int i = 0; i < 4; i++)
        if (crew_start(&crew, work, &value) != 0)
            return -1;
    return crew_join(&crew); // no diagnostic: what is left for the cleanup is an empty crew
}
