/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Rings: of pointers, of structs by value, of nodes that carry a void *. */
#include <pthread.h>
#include <stdlib.h>

enum { SIZE = 16 };
struct packet {
    int length;
    unsigned char bytes[100];
};
struct ring {
    pthread_mutex_t mu;
    pthread_cond_t changed;
    struct packet *slots[SIZE];
    unsigned first, count;
};

static int ring_put(struct ring *r, struct packet *p)
{
    pthread_mutex_lock(&r->mu);
    if (r->count == SIZE) {
        pthread_mutex_unlock(&r->mu);
        return -1;
    }
    r->slots[(r->first + r->count++) % SIZE] = p;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->mu);
    return 0;
}

static struct packet *ring_get(struct ring *r)
{
    pthread_mutex_lock(&r->mu);
    while (r->count == 0)
        pthread_cond_wait(&r->changed, &r->mu);
    struct packet *p = r->slots[r->first];
    r->first = (r->first + 1) % SIZE;
    r->count--;
    pthread_mutex_unlock(&r->mu);
    return p;
}

static void *consume(void *arg)
{
    struct ring *r = arg;
    for (;;) {
        struct packet *p = ring_get(r);
        int length = p->length;
        free(p);
        if (length == 0)
            return NULL;
    }
}

int ring_start(struct ring *r, pthread_t *t)
{
    return pthread_create(t, NULL, consume, r);
}

int put_or_free(struct ring *r, struct packet *p)
{
    if (ring_put(r, p) != 0) {
        free(p); // no diagnostic: the ring was full
        return -1;
    }
    return 0;
}

int put_and_free(struct ring *r, struct packet *p)
{
    if (ring_put(r, p) != 0)
        return -1;
    free(p); // expected-warning {{'p' is freed after it was given to another thread [aglet-use-after-send]}}
    return 0;
}

/* By value: what the struct's members point to is handed over. */
struct item {
    int kind;
    char *text;
};
struct items {
    pthread_mutex_t mu;
    pthread_cond_t changed;
    struct item at[SIZE];
    int first, n;
};

static void items_put(struct items *q, struct item item)
{
    pthread_mutex_lock(&q->mu);
    q->at[(q->first + q->n) % SIZE] = item;
    q->n++;
    pthread_cond_signal(&q->changed);
    pthread_mutex_unlock(&q->mu);
}

static void *print(void *arg)
{
    struct items *q = arg;
    for (;;) {
        pthread_mutex_lock(&q->mu);
        while (q->n == 0)
            pthread_cond_wait(&q->changed, &q->mu);
        struct item item = q->at[q->first];
        q->first = (q->first + 1) % SIZE;
        q->n--;
        pthread_mutex_unlock(&q->mu);
        free(item.text);
    }
    return NULL;
}

int items_start(struct items *q, pthread_t *t)
{
    return pthread_create(t, NULL, print, q);
}

void say(struct items *q, char *text)
{
    pthread_mutex_lock(&q->mu);
    q->at[(q->first + q->n) % SIZE] = (struct item){1, text};
    q->n++;
    pthread_mutex_unlock(&q->mu);
    text[0] = 0; // expected-warning {{'text[0]' is written after it was given to another thread [aglet-use-after-send]}}
}

void say_it(struct items *q, char *text)
{
    text[0] = 0;
    pthread_mutex_lock(&q->mu);
    q->at[(q->first + q->n) % SIZE] = (struct item){1, text}; // no diagnostic: not touched again
    q->n++;
    pthread_mutex_unlock(&q->mu);
}

/* A queue of anything. */
struct node {
    struct node *next;
    void *data;
};
struct anything {
    pthread_mutex_t mu;
    struct node *head;
};

static int anything_add(struct anything *a, void *data)
{
    struct node *n = malloc(sizeof *n);
    if (!n)
        return -1;
    n->data = data;
    pthread_mutex_lock(&a->mu);
    n->next = a->head;
    a->head = n;
    pthread_mutex_unlock(&a->mu);
    return 0;
}

static void *anything_take(struct anything *a)
{
    void *data = NULL;
    pthread_mutex_lock(&a->mu);
    struct node *n = a->head;
    if (n)
        a->head = n->next;
    pthread_mutex_unlock(&a->mu);
    if (n) {
        data = n->data;
        free(n);
    }
    return data;
}

static void *drain(void *arg)
{
    for (;;) {
        struct packet *p = anything_take(arg);
        if (p)
            free(p);
    }
    return NULL;
}

int drain_start(struct anything *a, pthread_t *t)
{
    return pthread_create(t, NULL, drain, a);
}

int add_and_look(struct anything *a, struct packet *p)
{
    if (anything_add(a, p) != 0)
        return -1;
    return p->length; // expected-warning {{'p->length' is read after it was given to another thread [aglet-use-after-send]}}
}
