/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* An interface whose handle may be NULL for a preset one: each function finds the object first, and so callers cannot name its locks. One
 * function takes such a lock, another gives it back, a third waits with it. Stands on pthreads. */
#include <pthread.h>

struct context {
    pthread_mutex_t events, waiters, alone;
    pthread_cond_t changed;
    pthread_cond_t settled;
    int active;
};
static struct context *fallback, *preset;

void use(struct context *c);
void use(struct context *c) {
    preset = c;
    fallback = c;
}

static inline int try_lock(pthread_mutex_t *m) {
    return pthread_mutex_trylock(m) == 0; // no diagnostic: the result tells
}

void complain(struct context *c);
static inline struct context *resolve(struct context *c) {
    static int warned;
    if (!c)
        c = preset;
    if (!c) {
        c = fallback;
        if (c && !warned) {
            complain(c);
            warned = 1;
        }
    }
    return c;
}

int try_events(struct context *c);
int try_events(struct context *c) {
    int got;
    c = resolve(c);
    got = try_lock(&c->events);
    if (!got)
        return 1;
    c->active = 1;
    return 0;
}

void lock_events(struct context *c);
void lock_events(struct context *c) {
    c = resolve(c);
    pthread_mutex_lock(&c->events);
    c->active = 1;
} // no diagnostic: unlock_events is its other half

void unlock_events(struct context *c);
void unlock_events(struct context *c) {
    c = resolve(c);
    c->active = 0;
    pthread_mutex_unlock(&c->events); // no diagnostic
}

void lock_waiters(struct context *c);
void lock_waiters(struct context *c) {
    c = resolve(c);
    pthread_mutex_lock(&c->waiters);
} // no diagnostic

void unlock_waiters(struct context *c);
void unlock_waiters(struct context *c) {
    c = resolve(c);
    pthread_mutex_unlock(&c->waiters); // no diagnostic
}

void wait_for_change(struct context *c);
void wait_for_change(struct context *c) {
    c = resolve(c);
    pthread_cond_wait(&c->changed, &c->waiters); // no diagnostic: the callers loop, with lock_waiters before
}

int handle(struct context *c);
int handle(struct context *c) {
    c = resolve(c);
    if (try_events(c) == 0) {
        unlock_events(c);
        return 0;
    }
    lock_waiters(c);
    while (!c->active)
        wait_for_change(c);
    unlock_waiters(c);
    return 1;
}

/* Nobody gives this one back. */
void lock_alone(struct context *c);
void lock_alone(struct context *c) {
    c = resolve(c);
    pthread_mutex_lock(&c->alone);
    c->active = 2;
} // expected-warning {{'c->alone' is still held on this return [aglet-lock-leak]}}

/* … nor does any function return with it where one waits. */
void wait_alone(struct context *c);
void wait_alone(struct context *c) {
    c = resolve(c);
    while (c->active)
        pthread_cond_wait(&c->settled, &c->events); // no diagnostic: lock_events may have been called
}

struct other {
    pthread_mutex_t mu;
    pthread_cond_t filled;
    int n;
};
static struct other *others[2];
void add_other(struct other *o);
void add_other(struct other *o) {
    others[0] = o;
    others[1] = o;
}

static struct other *find_other(int i) {
    return others[i & 1] ? others[i & 1] : others[0];
}

void wait_without(int i);
void wait_without(int i) {
    struct other *o = find_other(i);
    while (!o->n)
        pthread_cond_wait(&o->filled, &o->mu); // expected-warning {{[aglet-cond-wait]}}
}
