/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A recursive lock that the program made itself, taken again under another one and by another pointer: no new order. */
#define _GNU_SOURCE
#include <pthread.h>

struct mine {
    pthread_mutex_t mu;
    pthread_t owner;
    int depth;
};
static void mine_lock(struct mine *m) {
    if (m->owner == pthread_self()) {
        m->depth++;
        return;
    }
    pthread_mutex_lock(&m->mu);
    m->owner = pthread_self();
    m->depth = 1;
}
static void mine_unlock(struct mine *m) {
    if (--m->depth)
        return;
    m->owner = 0;
    pthread_mutex_unlock(&m->mu);
}

struct host;
struct context {
    struct mine lock;
    struct host *first;
};
struct link {
    struct context *context;
    int bound;
};
struct host {
    struct context *context;
    struct link *link;
    struct host *next;
    int closing;
};
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

static void unbind(struct link *l) {
    mine_lock(&l->context->lock);
    l->bound--;
    mine_unlock(&l->context->lock);
}

static void close_one(struct host *h) {
    struct context *c = h->context;

    mine_lock(&c->lock);
    for (struct host *other = c->first; other; other = other->next)
        if (other != h && !other->closing) {
            other->link = h->link;
            unbind(h->link); /* its context is this one */
            break;
        }
    pthread_mutex_lock(&log_lock);
    mine_lock(&c->lock);
    h->closing = 1;
    mine_unlock(&c->lock);
    pthread_mutex_unlock(&log_lock);
    mine_unlock(&c->lock);
}

static void *closes(void *arg) {
    close_one(arg);
    return arg;
}

int main(void) {
    static struct context c = {.lock = {.mu = PTHREAD_MUTEX_INITIALIZER}};
    static struct link l = {&c, 1};
    static struct host a = {&c, &l, NULL, 0}, b = {&c, NULL, &a, 0};
    pthread_t t, u;
    c.first = &b;
    pthread_create(&t, NULL, closes, &a);
    pthread_create(&u, NULL, closes, &b);
    pthread_join(t, NULL);
    pthread_join(u, NULL);
    return 0;
}
