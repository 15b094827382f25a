/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Locks in arrays, the index computed by a function each time it is needed; and how messages spell such places. Stands on pthreads. */
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>

struct entry {
    unsigned long key;
    int uses;
};
struct table {
    struct {
        pthread_mutex_t mu;
        int n;
    } bucket[32];
};
static int bucket_of(unsigned long key) {
    return (int)(key * 0x9e3779b97f4a7c15ul >> 59);
}
static unsigned hash(const char *s) {
    unsigned h = 5381;
    while (*s)
        h = h * 33 + (unsigned char)*s++;
    return h & 31;
}
unsigned hash_elsewhere(const char *s, int salt);
int next_number(int *from);

int computed_twice(struct table *t, struct entry *e);
int computed_twice(struct table *t, struct entry *e) {
    int n;
    pthread_mutex_lock(&t->bucket[bucket_of(e->key)].mu);
    e->uses++;
    n = t->bucket[bucket_of(e->key)].n++;
    pthread_mutex_unlock(&t->bucket[bucket_of(e->key)].mu); // no diagnostic: the same key gives the same index
    return n;
}
void by_name(struct table *t, const char *name);
void by_name(struct table *t, const char *name) {
    pthread_mutex_lock(&t->bucket[hash(name)].mu);
    t->bucket[hash(name)].n++;
    pthread_mutex_unlock(&t->bucket[hash(name)].mu); // no diagnostic
}
void by_unknown(struct table *t, const char *name);
void by_unknown(struct table *t, const char *name) {
    pthread_mutex_lock(&t->bucket[hash_elsewhere(name, 7) & 31].mu);
    pthread_mutex_unlock(&t->bucket[hash_elsewhere(name, 7) & 31].mu); // no diagnostic
}
void other_arguments(struct table *t, const char *name);
void other_arguments(struct table *t, const char *name) {
    pthread_mutex_lock(&t->bucket[hash_elsewhere(name, 7) & 31].mu);
    pthread_mutex_unlock(&t->bucket[hash_elsewhere(name, 8) & 31].mu); // expected-warning {{'t->bucket[hash_elsewhere(name, 8) & 31].mu' is released, but 't->bucket[hash_elsewhere(name, 7) & 31].mu' is what is held [aglet-unlock-unheld]}} expected-note@-1 {{another lock}}
}
void other_key(struct table *t, struct entry *e, struct entry *f);
void other_key(struct table *t, struct entry *e, struct entry *f) {
    pthread_mutex_lock(&t->bucket[bucket_of(e->key)].mu);
    e->uses++;
    pthread_mutex_unlock(&t->bucket[bucket_of(f->key)].mu); // expected-warning {{'t->bucket[bucket_of(f->key)].mu' is released, but 't->bucket[bucket_of(e->key)].mu' is what is held [aglet-unlock-unheld]}} expected-note@-2 {{another lock}}
}
int early(struct table *t, struct entry *e);
int early(struct table *t, struct entry *e) {
    pthread_mutex_lock(&t->bucket[bucket_of(e->key)].mu);
    if (!e->uses)
        return -1; // expected-warning {{'t->bucket[bucket_of(e->key)].mu' is still held on this return [aglet-lock-leak]}}
    pthread_mutex_unlock(&t->bucket[bucket_of(e->key)].mu);
    return 0;
}
/* What it gives hangs on more than its arguments: it writes. */
static int counter;
static int numbered(int from) {
    return counter++ + from;
}
void not_the_same(struct table *t);
void not_the_same(struct table *t) {
    pthread_mutex_lock(&t->bucket[numbered(1) & 31].mu);
    pthread_mutex_unlock(&t->bucket[numbered(1) & 31].mu); // expected-warning {{[aglet-unlock-unheld]}} expected-note@-1 {{another lock}}
}

/* With a guard, whose lock is named twice by the macro. */
static void unlock_pointer(pthread_mutex_t **m) {
    pthread_mutex_unlock(*m);
}
#define SCOPED(m)                                                                                            \
    pthread_mutex_t *scoped __attribute__((cleanup(unlock_pointer), unused)) = (pthread_mutex_lock(m), (m))
int guarded(struct table *t, struct entry *e);
int guarded(struct table *t, struct entry *e) {
    SCOPED(&t->bucket[bucket_of(e->key)].mu);
    if (!--e->uses)
        return 0;
    return 1; // no diagnostic
}

/* ---- how places are spelled ---- */
static pthread_mutex_t *stripes, fixed[4];
static unsigned power;
int striped(unsigned h, int fail);
int striped(unsigned h, int fail) {
    pthread_mutex_lock(&stripes[h & ((1u << power) - 1)]);
    if (fail)
        return -1; // expected-warning {{'stripes[h & (1 << power) - 1]' is still held on this return [aglet-lock-leak]}}
    pthread_mutex_unlock(&stripes[h & ((1u << power) - 1)]);
    return 0;
}
int first(int fail);
int first(int fail) {
    pthread_mutex_lock(&fixed[0]);
    if (fail)
        return -1; // expected-warning {{'fixed[0]' is still held on this return [aglet-lock-leak]}}
    pthread_mutex_unlock(&fixed[0]);
    return 0;
}
int first_member(struct table *t, int fail);
int first_member(struct table *t, int fail) {
    pthread_mutex_lock(&t->bucket[0].mu);
    if (fail)
        return -1; // expected-warning {{'t->bucket[0].mu' is still held on this return [aglet-lock-leak]}}
    pthread_mutex_unlock(&t->bucket[0].mu);
    return 0;
}
struct job {
    int id;
    struct link {
        struct link *next;
    } link;
    pthread_mutex_t mu;
};
int contained(struct link *l, int fail);
int contained(struct link *l, int fail) {
    struct job *j = (struct job *)((char *)l - offsetof(struct job, link));
    pthread_mutex_lock(&j->mu);
    if (fail)
        return -1; // expected-warning {{'container_of(l, link)->mu' is still held on this return [aglet-lock-leak]}}
    pthread_mutex_unlock(&j->mu);
    return 0;
}
