/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The child is given up before the parent is taken. */
#include <pthread.h>

struct parent {
    pthread_mutex_t mu;
    struct child *child;
    int n;
};
struct child {
    pthread_mutex_t mu;
    struct parent *parent;
    int n;
};
static struct child child;
static struct parent parent = {PTHREAD_MUTEX_INITIALIZER, &child, 0};
static struct child child = {PTHREAD_MUTEX_INITIALIZER, &parent, 0};

static void down(struct parent *p) {
    pthread_mutex_lock(&p->mu);
    struct child *c = p->child;
    pthread_mutex_lock(&c->mu);
    c->n += p->n;
    pthread_mutex_unlock(&c->mu);
    pthread_mutex_unlock(&p->mu);
}
static void up(struct child *c) {
    pthread_mutex_lock(&c->mu);
    struct parent *p = c->parent;
    int n = c->n;
    pthread_mutex_unlock(&c->mu);
    pthread_mutex_lock(&p->mu);
    p->n += n;
    pthread_mutex_unlock(&p->mu);
}

static void *one(void *arg) {
    down(&parent);
    return arg;
}

static void *two(void *arg) {
    up(&child);
    return arg;
}

int main(void) {
    pthread_t t, u;
    pthread_create(&t, NULL, one, NULL);
    pthread_create(&u, NULL, two, NULL);
    pthread_join(t, NULL);
    pthread_join(u, NULL);
    return 0;
}
