/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* double-lock: a lock taken again by the thread that holds it. Stands on pthreads. */
#define _GNU_SOURCE
#include <aglet/annotations.h>
#include <pthread.h>
#include <stdlib.h>
#include <stddef.h>

struct node {
    pthread_mutex_t mu;
    struct node *next;
    int n;
};

void twice(struct node *x);
void twice(struct node *x) {
    pthread_mutex_lock(&x->mu);
    pthread_mutex_lock(&x->mu); // expected-warning {{[aglet-double-lock]}}
    x->n++;
    pthread_mutex_unlock(&x->mu);
}

static void add(struct node *x) {
    pthread_mutex_lock(&x->mu);
    x->n++;
    pthread_mutex_unlock(&x->mu);
}
void in_a_callee(struct node *x);
void in_a_callee(struct node *x) {
    pthread_mutex_lock(&x->mu);
    add(x); // expected-warning {{[aglet-double-lock]}}
    pthread_mutex_unlock(&x->mu);
}

void two_instances(struct node *x, struct node *y);
void two_instances(struct node *x, struct node *y) {
    pthread_mutex_lock(&x->mu);
    pthread_mutex_lock(&y->mu); // expected-remark {{[aglet-lock-order]}} no double lock: another one, as far as is known
    x->n = y->n;
    pthread_mutex_unlock(&y->mu);
    pthread_mutex_unlock(&x->mu);
}

void hand_over_hand(struct node *x);
void hand_over_hand(struct node *x) {
    pthread_mutex_lock(&x->mu);
    while (x->next != NULL) {
        struct node *next = x->next;
        pthread_mutex_lock(&next->mu); // no diagnostic: the next one's
        pthread_mutex_unlock(&x->mu);
        x = next;
    }
    pthread_mutex_unlock(&x->mu);
}

void again_after_release(struct node *x);
void again_after_release(struct node *x) {
    pthread_mutex_lock(&x->mu);
    pthread_mutex_unlock(&x->mu);
    pthread_mutex_lock(&x->mu); // no diagnostic: released in between
    pthread_mutex_unlock(&x->mu);
}

static pthread_mutex_t nested;
int nested_init(void);
int nested_init(void) {
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    int result = pthread_mutex_init(&nested, &attr);
    pthread_mutexattr_destroy(&attr);
    return result;
}
void recursive(void);
void recursive(void) {
    pthread_mutex_lock(&nested);
    pthread_mutex_lock(&nested); // no diagnostic: a recursive mutex
    pthread_mutex_unlock(&nested);
    pthread_mutex_unlock(&nested);
}

#ifdef PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP
static pthread_mutex_t born_recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static struct {
    int n;
    pthread_mutex_t mu;
} born_so = {.mu = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP};

void recursive_from_the_start(void);
void recursive_from_the_start(void) {
    pthread_mutex_lock(&born_recursive);
    pthread_mutex_lock(&born_recursive); // no diagnostic
    pthread_mutex_lock(&born_so.mu);
    pthread_mutex_lock(&born_so.mu); // no diagnostic
    pthread_mutex_unlock(&born_so.mu);
    pthread_mutex_unlock(&born_so.mu);
    pthread_mutex_unlock(&born_recursive);
    pthread_mutex_unlock(&born_recursive);
}
#endif

void unlocked_as_often(struct node *x);
void unlocked_as_often(struct node *x) {
    pthread_mutex_lock(&x->mu);
    pthread_mutex_lock(&x->mu); // expected-warning {{[aglet-double-lock]}}
    x->n++;
    pthread_mutex_unlock(&x->mu);
    pthread_mutex_unlock(&x->mu); // no diagnostic: one mistake, and it is said
}

struct shelf {
    pthread_rwlock_t lock;
    int n AGLET_GUARDED_BY(lock);
};
void upgraded(struct shelf *x);
void upgraded(struct shelf *x) {
    pthread_rwlock_rdlock(&x->lock);
    if (x->n == 0) {
        pthread_rwlock_wrlock(&x->lock); // expected-warning {{taken for writing while held for reading [aglet-double-lock]}}
        x->n = 1;                        // no diagnostic: said already
        pthread_rwlock_unlock(&x->lock);
    }
    pthread_rwlock_unlock(&x->lock);
}

int tried_in_a_loop(struct node *a, struct node *b);
int tried_in_a_loop(struct node *a, struct node *b) {
    for (;;) {
        pthread_mutex_lock(&a->mu); // expected-warning {{[aglet-double-lock]}}
        if (pthread_mutex_trylock(&b->mu) == 0)
            break;
    }
    a->n += b->n;
    pthread_mutex_unlock(&b->mu);
    return pthread_mutex_unlock(&a->mu);
}

/* A callback that may write again, but not while it is called: more is asked on the way there than one or two questions. */
struct client {
    pthread_mutex_t callbacks;
    int in_callback, threaded, version, state, keepalive, fd;
    void (*published)(struct client *);
};

int client_write(struct client *c);

static int client_queue(struct client *c)
{
    if (!c->in_callback && !c->threaded)
        return client_write(c);
    return 0;
}

int client_disconnect(struct client *c)
{
    if (c->version != 5 || c->state < 0 || c->keepalive < 0 || c->fd == -1)
        return -1;
    return client_queue(c);
}

int client_write(struct client *c)
{
    pthread_mutex_lock(&c->callbacks);
    if (c->published) {
        c->in_callback = 1;
        c->published(c); // no diagnostic: nothing is written meanwhile
        c->in_callback = 0;
    }
    pthread_mutex_unlock(&c->callbacks);
    return 0;
}

static void stop_when_published(struct client *c)
{
    client_disconnect(c);
}

void client_stop_early(struct client *c)
{
    c->published = stop_when_published;
}

/* ---- one section that makes one call many times: one finding, with the calls that lead to the lock ---- */
struct log {
    pthread_mutex_t mu;
    int lines, failures;
    char *text;
};
static int log_grow(struct log *l) {
    char *text = realloc(l->text, (size_t)l->lines + 80);
    if (text) {
        l->text = text;
        return 0;
    }
    pthread_mutex_lock(&l->mu);
    l->failures++;
    pthread_mutex_unlock(&l->mu);
    return -1;
}
static int log_add(struct log *l, int n) { return log_grow(l) ? -1 : n; }
int log_all(struct log *l);
int log_all(struct log *l) {
    int n = 0;
    pthread_mutex_lock(&l->mu);
    n += log_add(l, 1); // expected-warning {{[aglet-double-lock]}}
    n += log_add(l, 2); // no diagnostic: the same mistake
    n += log_add(l, 3);
    pthread_mutex_unlock(&l->mu);
    return n;
}

/* ---- a turn of a loop that ends with the lock held ---- */
static pthread_mutex_t turns = PTHREAD_MUTEX_INITIALIZER;
static long n_turns;
extern int skip(void);

void every_turn(void);
void every_turn(void) {
    for (;;) {
        pthread_mutex_lock(&turns); // expected-warning {{[aglet-double-lock]}}
        if (skip())
            continue;
        n_turns++;
        pthread_mutex_unlock(&turns);
    }
}
void every_turn_mended(void);
void every_turn_mended(void) {
    for (;;) {
        pthread_mutex_lock(&turns); // no diagnostic
        if (skip()) {
            pthread_mutex_unlock(&turns);
            continue;
        }
        n_turns++;
        pthread_mutex_unlock(&turns);
    }
}
void seventh_turn(const int *x);
void seventh_turn(const int *x) {
    for (int i = 0; ; i++) {
        pthread_mutex_lock(&turns); // expected-warning {{[aglet-double-lock]}}
        if (x[i] == 7) {
            n_turns += i;
        } else {
            pthread_mutex_unlock(&turns);
        }
    }
}
