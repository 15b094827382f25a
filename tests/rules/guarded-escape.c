/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* guarded-escape: pointers to guarded data that outlive the critical section.
 * Stands on pthreads and the annotations. */
#include <aglet/annotations.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    int value;
};
struct map {
    pthread_mutex_t mu;
    struct entry slots[8] AGLET_GUARDED_BY(mu);
    int size AGLET_GUARDED_BY(mu);
};
static int *remembered;

struct entry *returned(struct map *m, int i);
struct entry *returned(struct map *m, int i) {
    struct entry *e;
    pthread_mutex_lock(&m->mu);
    e = &m->slots[i];
    pthread_mutex_unlock(&m->mu);
    return e; // expected-warning {{[aglet-guarded-escape]}}
}

void stored_in_a_global(struct map *m);
void stored_in_a_global(struct map *m) {
    pthread_mutex_lock(&m->mu);
    remembered = &m->size; // expected-warning {{[aglet-guarded-escape]}}
    pthread_mutex_unlock(&m->mu);
}

void stored_for_the_caller(struct map *m, int **out);
void stored_for_the_caller(struct map *m, int **out) {
    pthread_mutex_lock(&m->mu);
    *out = &m->size; // expected-warning {{[aglet-guarded-escape]}}
    pthread_mutex_unlock(&m->mu);
}

int value_returned(struct map *m, int i);
int value_returned(struct map *m, int i) {
    pthread_mutex_lock(&m->mu);
    int v = m->slots[i].value;
    pthread_mutex_unlock(&m->mu);
    return v; // no diagnostic: a value, no address
}

struct entry *copy_returned(struct map *m, int i);
struct entry *copy_returned(struct map *m, int i) {
    struct entry *e = malloc(sizeof *e);
    if (!e)
        return NULL;
    pthread_mutex_lock(&m->mu);
    memcpy(e, &m->slots[i], sizeof *e);
    pthread_mutex_unlock(&m->mu);
    return e; // no diagnostic: memory of its own
}

struct entry *under_the_callers_lock(struct map *m, int i) AGLET_REQUIRES(m->mu);
struct entry *under_the_callers_lock(struct map *m, int i) {
    return &m->slots[i]; // no diagnostic: the caller still holds the lock
}

/* Lists: their links point to each other, and all of them are under the lock. */
struct link {
    struct link *next, *prev;
};
struct node {
    struct link link;
    struct node *next, **pprev;
};
struct queue {
    pthread_mutex_t mu;
    struct link ring AGLET_GUARDED_BY(mu);
    struct node *first AGLET_GUARDED_BY(mu);
    struct node **last AGLET_GUARDED_BY(mu);
    int length AGLET_GUARDED_BY(mu);
};
static struct link *registered;

static void link_init(struct link *h) { h->next = h->prev = h; }
static void link_between(struct link *e, struct link *prev, struct link *next) {
    e->next = next;
    e->prev = prev;
    next->prev = e;
    prev->next = e;
}
static void link_add(struct link *e, struct link *h) { link_between(e, h->prev, h); }
static void link_register(struct link *h) { registered = h; }
static void keep(int **where, int *what) { *where = what; }

void list_emptied(struct queue *q);
void list_emptied(struct queue *q) {
    pthread_mutex_lock(&q->mu);
    q->last = &q->first; // no diagnostic: kept under the same lock
    link_init(&q->ring); // no diagnostic: kept in itself
    pthread_mutex_unlock(&q->mu);
}

void list_added(struct queue *q, struct node *n);
void list_added(struct queue *q, struct node *n) {
    pthread_mutex_lock(&q->mu);
    link_add(&n->link, &q->ring); // no diagnostic: kept in a link of the list
    n->pprev = &q->first;         // no diagnostic
    n->next = q->first;
    q->first = n;
    pthread_mutex_unlock(&q->mu);
}

void list_known_to_all(struct queue *q);
void list_known_to_all(struct queue *q) {
    pthread_mutex_lock(&q->mu);
    link_register(&q->ring); // expected-warning {{[aglet-guarded-escape]}}
    pthread_mutex_unlock(&q->mu);
}

void kept_for_the_caller(struct queue *q, int **out);
void kept_for_the_caller(struct queue *q, int **out) {
    pthread_mutex_lock(&q->mu);
    keep(out, &q->length); // expected-warning {{[aglet-guarded-escape]}}
    pthread_mutex_unlock(&q->mu);
}

/* Functions that are not in sight are trusted below the strict level; what is not locked is no escape but an access. */
struct label {
    pthread_mutex_t mu;
    char name[16] AGLET_GUARDED_BY(mu);
    int width AGLET_GUARDED_BY(mu);
};
void draw(const char *name, const int *width);
void shown(struct label *l);
void shown(struct label *l) {
    pthread_mutex_lock(&l->mu);
    draw(l->name, &l->width); // no diagnostic: used under the lock
    pthread_mutex_unlock(&l->mu);
}
void shown_unlocked(struct label *l);
void shown_unlocked(struct label *l) {
    draw(l->name, NULL); // expected-warning {{'l->name' is passed by address without 'l->mu' held [aglet-guarded-by]}}
}
