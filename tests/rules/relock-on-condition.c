/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* double-lock: a callee that takes the lock only where something is so. What the call does not know may be so, but where it is by
 * that very value that the callee is told who holds the lock. Stands on pthreads. */
#include <pthread.h>
#include <stdbool.h>

struct channel {
    pthread_mutex_t mu;
    int n, closed, in_callback;
};

/* ---- an early return ---- */
static int push(struct channel *c)
{
    if (c->closed) // expected-remark {{'closed' is touched without 'mu' held, unlike elsewhere [aglet-missing-guard]}}
        return -1;
    pthread_mutex_lock(&c->mu);
    c->n++;
    pthread_mutex_unlock(&c->mu);
    return 0;
}

int push_held(struct channel *c);
int push_held(struct channel *c)
{
    pthread_mutex_lock(&c->mu);
    int r = push(c); // expected-warning {{'push' may take 'c->mu', which is held already [aglet-double-lock]}}
    pthread_mutex_unlock(&c->mu);
    return r;
}
int push_open(struct channel *c);
int push_open(struct channel *c)
{
    pthread_mutex_lock(&c->mu);
    c->closed = 0;
    int r = push(c); // expected-warning {{'push' takes 'c->mu', which is held already [aglet-double-lock]}}
    pthread_mutex_unlock(&c->mu);
    return r;
}
int push_closed(struct channel *c);
int push_closed(struct channel *c)
{
    int r = -1;
    pthread_mutex_lock(&c->mu);
    if (c->closed)
        r = push(c); // no diagnostic: it returns early
    pthread_mutex_unlock(&c->mu);
    return r;
}
int push_after(struct channel *c);
int push_after(struct channel *c)
{
    pthread_mutex_lock(&c->mu);
    c->n = 0;
    pthread_mutex_unlock(&c->mu);
    return push(c); // no diagnostic: given back before
}

/* ---- a log's level ---- */
static pthread_mutex_t log_mu = PTHREAD_MUTEX_INITIALIZER;
static int level, lines;
void set_level(int n);
void set_level(int n) { level = n; }
static void say(int severity)
{
    if (severity < level)
        return;
    pthread_mutex_lock(&log_mu);
    lines++;
    pthread_mutex_unlock(&log_mu);
}
void rotate(void);
void rotate(void)
{
    pthread_mutex_lock(&log_mu);
    lines = 0;
    say(3); // expected-warning {{'say' may take 'log_mu', which is held already [aglet-double-lock]}}
    pthread_mutex_unlock(&log_mu);
}

/* ---- an argument ---- */
static void bump(struct channel *c, int by)
{
    if (by > 3) {
        pthread_mutex_lock(&c->mu);
        c->n += by;
        pthread_mutex_unlock(&c->mu);
    }
}
void bump_held(struct channel *c, int by);
void bump_held(struct channel *c, int by)
{
    pthread_mutex_lock(&c->mu);
    bump(c, by); // expected-warning {{'bump' may take 'c->mu', which is held already [aglet-double-lock]}}
    bump(c, 1);  // no diagnostic: not with this
    pthread_mutex_unlock(&c->mu);
}
static void bump_little(struct channel *c, int by)
{
    pthread_mutex_lock(&c->mu);
    bump(c, by); // no diagnostic: nobody passes more than three
    pthread_mutex_unlock(&c->mu);
}
void bump_twice(struct channel *c);
void bump_twice(struct channel *c)
{
    bump_little(c, 1);
    bump_little(c, 2);
}

/* ---- a flag that says who holds the lock ---- */
static void add(struct channel *c, bool have)
{
    if (!have)
        pthread_mutex_lock(&c->mu);
    c->n++;
    if (!have)
        pthread_mutex_unlock(&c->mu);
}
void add_two(struct channel *c, bool have);
void add_two(struct channel *c, bool have)
{
    if (!have)
        pthread_mutex_lock(&c->mu);
    add(c, true); // no diagnostic: told
    if (!have)
        pthread_mutex_unlock(&c->mu);
    if (have)
        add(c, have); // no diagnostic: told
}

/* ---- a member that says what the thread is in the middle of ---- */
static void call_back(struct channel *c)
{
    if (c->in_callback)
        return;
    pthread_mutex_lock(&c->mu);
    c->n++;
    pthread_mutex_unlock(&c->mu);
}
void dispatch(struct channel *c, void (*f)(struct channel *));
void dispatch(struct channel *c, void (*f)(struct channel *))
{
    pthread_mutex_lock(&c->mu);
    c->in_callback = 1;
    f(c);
    call_back(c); // no diagnostic: while it is set
    c->in_callback = 0;
    pthread_mutex_unlock(&c->mu);
}

/* ---- asked before ---- */
void work(struct channel *c);
void push_asked(struct channel *c);
void push_asked(struct channel *c)
{
    pthread_mutex_lock(&c->mu);
    if (c->closed) {
        work(c);
        (void)push(c); // no diagnostic: it was closed, and nothing says that it is not any more
    }
    pthread_mutex_unlock(&c->mu);
}

/* ---- in a loop ---- */
void drain(struct channel *c);
void drain(struct channel *c)
{
    for (;;) {
        if (push(c)) // no diagnostic: given back at the end of each turn
            break;
        pthread_mutex_lock(&c->mu);
        c->n--;
        pthread_mutex_unlock(&c->mu);
    }
}
