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
