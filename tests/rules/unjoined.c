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

/* ---- joined twice by way of a member ---- */
struct watcher {
    pthread_t thread;
    int running, turns;
};
static int watcher_start(struct watcher *w) {
    if (pthread_create(&w->thread, NULL, work, NULL) != 0)
        return -1;
    w->running = 1;
    return 0;
}
static void watcher_stop(struct watcher *w) {
    w->turns++;
    pthread_join(w->thread, NULL);
}
static void watcher_stop_if_it_runs(struct watcher *w) {
    if (w->running) {
        pthread_join(w->thread, NULL);
        w->running = 0;
    }
}
static int watcher_restart(struct watcher *w) {
    pthread_join(w->thread, NULL);
    return watcher_start(w);
}
int stopped_and_joined(struct watcher *w) {
    if (watcher_start(w) != 0)
        return -1;
    watcher_stop(w);
    w->turns = 0;
    pthread_join(w->thread, NULL); // expected-warning {{thread 'w->thread' is joined a second time [aglet-unjoined]}}
    return 0;
}
void stopped_twice(struct watcher *w) {
    watcher_stop(w);
    watcher_stop(w); // expected-warning {{thread 'w->thread' is joined a second time [aglet-unjoined]}}
}
void stopped_twice_by_a_flag(struct watcher *w) {
    watcher_stop_if_it_runs(w);
    watcher_stop_if_it_runs(w); // no diagnostic: the flag is cleared
}
int joined_twice_by_a_flag(struct watcher *w) {
    if (w->running) {
        pthread_join(w->thread, NULL);
        w->running = 0;
    }
    if (!w->turns)
        return -1;
    if (w->running)
        pthread_join(w->thread, NULL); // no diagnostic: the same, in one function
    return 0;
}
int restarted(struct watcher *w) {
    if (watcher_restart(w) != 0 || watcher_restart(w) != 0)
        return -1;
    watcher_stop(w); // no diagnostic: another thread
    return 0;
}
struct watchers {
    struct watcher first, second;
};
void each_stopped(struct watchers *all) {
    watcher_stop(&all->first);
    watcher_stop(&all->second); // no diagnostic: another member's
}
void one_after_the_other(struct watcher *w, struct watcher *next) {
    watcher_stop(w);
    w = next;
    watcher_stop(w); // no diagnostic: another object
}
