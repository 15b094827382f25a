/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A lookup returns its object locked, or NULL; also by another pointer, to what the object is a part of. Stands on pthreads. */
#include <pthread.h>
#include <stddef.h>
#include <string.h>

struct entry {
    pthread_rwlock_t lock;
    struct entry *next;
    const char *name;
    void *whole; /* the struct that this is a part of */
    int stale;
};
struct record {
    int n;
    struct entry entry;
};
struct bin {
    pthread_mutex_t mu;
    struct entry *first;
};
static struct bin bins[1];

static struct entry *lookup(const char *name, int write) {
    struct entry *e;
    pthread_mutex_lock(&bins[0].mu);
    for (e = bins[0].first; e; e = e->next)
        if (!strcmp(e->name, name))
            break;
    if (e) {
        if (write)
            pthread_rwlock_wrlock(&e->lock);
        else
            pthread_rwlock_rdlock(&e->lock);
    }
    pthread_mutex_unlock(&bins[0].mu);
    return e; // no diagnostic: callers give it back
}
static struct entry *lookup_quick(const char *name) { return lookup(name, 0); }

static struct record *find_record(const char *name) {
    struct entry *e = lookup_quick(name);
    if (!e)
        return NULL;
    if (e->stale) {
        pthread_rwlock_unlock(&e->lock);
        return NULL;
    }
    return (struct record *)e->whole; // no diagnostic: whoever asks gives the record's lock back
}
int record_n(const char *name);
int record_n(const char *name) {
    struct record *r = find_record(name);
    if (!r)
        return -1;
    int n = r->n;
    pthread_rwlock_unlock(&r->entry.lock); // no diagnostic: taken in find_record()
    return n;
}

/* Nobody gives this one's lock back. */
static struct record *find_forever(const char *name) {
    struct entry *e = lookup_quick(name);
    if (!e)
        return NULL;
    if (e->stale) {
        pthread_rwlock_unlock(&e->lock);
        return NULL;
    }
    return (struct record *)e->whole; // expected-warning {{'e->lock' is still held on this return [aglet-lock-leak]}}
}
int record_forever(const char *name);
int record_forever(const char *name) {
    struct record *r = find_forever(name);
    return r ? r->n : -1;
}
int entry_forgotten(const char *name);
int entry_forgotten(const char *name) {
    struct entry *e = lookup(name, 1);
    if (!e)
        return -1;
    if (e->stale)
        return 0; // expected-warning {{'e->lock' is still held on this return [aglet-lock-leak]}}
    pthread_rwlock_unlock(&e->lock);
    return 1;
}
