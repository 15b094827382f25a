/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The same order in a timer's callback and elsewhere; the callback gets at both locks through its argument and is called through a pointer in a list. */
#include <pthread.h>
#include <stdlib.h>

struct table {
    pthread_mutex_t mu;
    struct entry *first;
};
struct entry {
    pthread_mutex_t mu;
    struct table *table;
    struct entry *next;
    int n;
};
struct timer {
    struct timer *next;
    struct table *table;
    void (*fire)(struct timer *t);
};
static struct timer *timers;

static void sweep(struct timer *t) {
    struct table *table = t->table;
    pthread_mutex_lock(&table->mu);
    for (struct entry *e = table->first; e; e = e->next) {
        pthread_mutex_lock(&e->mu);
        e->n = 0;
        pthread_mutex_unlock(&e->mu);
    }
    pthread_mutex_unlock(&table->mu);
}

static void *clock_thread(void *arg) {
    for (struct timer *t = timers; t; t = t->next)
        t->fire(t);
    return arg;
}

static void entry_remove(struct entry *e) {
    pthread_mutex_lock(&e->table->mu);
    pthread_mutex_lock(&e->mu);
    e->table->first = e->next;
    pthread_mutex_unlock(&e->mu);
    pthread_mutex_unlock(&e->table->mu);
}

static void *user_thread(void *arg) {
    entry_remove(arg);
    return arg;
}

int main(void) {
    pthread_t t, u;
    struct table *table = calloc(1, sizeof *table);
    struct entry *e = calloc(1, sizeof *e);
    struct timer *timer = calloc(1, sizeof *timer);
    if (!table || !e || !timer)
        return 1;
    pthread_mutex_init(&table->mu, NULL);
    pthread_mutex_init(&e->mu, NULL);
    e->table = table;
    table->first = e;
    timer->table = table;
    timer->fire = sweep;
    timers = timer;
    pthread_create(&t, NULL, clock_thread, NULL);
    pthread_create(&u, NULL, user_thread, e);
    pthread_join(t, NULL);
    pthread_join(u, NULL);
    return 0;
}
