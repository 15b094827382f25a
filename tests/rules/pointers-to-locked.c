/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* An array of pointers to objects, all of which one helper locks and another unlocks; and one that takes all or none.
 * Stands on pthreads. */
#include <pthread.h>
#include <stddef.h>

struct device {
    pthread_mutex_t mu;
    int n;
};
static void lock_all(struct device **d, int n) {
    for (int i = 0; i < n; i++)
        pthread_mutex_lock(&d[i]->mu); // expected-remark {{[aglet-lock-order]}}
}
static void unlock_all(struct device **d, int n) {
    for (int i = 0; i < n; i++)
        pthread_mutex_unlock(&d[i]->mu);
}

int total(struct device **d, int n);
int total(struct device **d, int n) {
    int sum = 0;
    lock_all(d, n);
    for (int i = 0; i < n; i++)
        sum += d[i]->n;
    unlock_all(d, n); // no diagnostic: taken in lock_all()
    return sum;
}
int total_below(struct device **d, int n);
int total_below(struct device **d, int n) {
    lock_all(d, n);
    if (d[0]->n > 100)
        return 100; // expected-warning {{is still held on this return [aglet-lock-leak]}}
    unlock_all(d, n);
    return 0;
}

/* References to keys: neighbours may be the same key, and a key that is no longer the one referred to makes the whole try fail. */
struct key {
    pthread_rwlock_t lock;
    int id;
};
struct ref {
    struct key *key;
    int id;
};
static void refs_unlock(struct ref *ref, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && ref[i].key == ref[i - 1].key)
            continue;
        pthread_rwlock_unlock(&ref[i].key->lock);
    }
}
static int refs_lock(struct ref *ref, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && ref[i].key == ref[i - 1].key)
            continue;
        pthread_rwlock_rdlock(&ref[i].key->lock);
        if (ref[i].id != ref[i].key->id) {
            refs_unlock(ref, i + 1);
            return 0; // no diagnostic: those that were taken were given back
        }
    }
    return 1; // no diagnostic: callers give them back
}
int refs_total(struct ref *ref, size_t count);
int refs_total(struct ref *ref, size_t count) {
    int sum = 0;
    if (!refs_lock(ref, count))
        return -1; // no diagnostic: none is held
    for (size_t i = 0; i < count; i++)
        sum += ref[i].key->id;
    refs_unlock(ref, count);
    return sum;
}
int refs_first(struct ref *ref, size_t count);
int refs_first(struct ref *ref, size_t count) {
    if (!refs_lock(ref, count))
        return -1;
    if (ref[0].id == 3)
        return 3; // expected-warning {{is still held on this return [aglet-lock-leak]}}
    refs_unlock(ref, count);
    return 0;
}
